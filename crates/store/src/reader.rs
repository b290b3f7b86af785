//! Readers: any number, on any thread, never in the writer's way.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bergfried_event::{Event, Field, FieldName, Timestamp};
use bergfried_query::{Comparison, Condition, Predicate, Target};

use crate::aggregate::{self, Aggregation, Table};
use crate::block::join_ranges;
use crate::count;
use crate::encode::Names;
use crate::error::StoreError;
use crate::explain::Explanation;
use crate::fetch::{by_id, stored_in};
use crate::follow::follow;
use crate::limits::Limits;
use crate::segment::rows::Rows;
use crate::select::{Order, select};
use crate::snapshot::Shared;
use crate::top::top;
use crate::unit::{Query, Unit, damaged};
use crate::{Page, Search, Stats, StoredEvent};

/// The most events in a page.
const MAX_PAGE: usize = 10_000;
/// Events that a replay reads at a time.
const REPLAY_EVENTS: usize = 16_384;

/// Reads what is stored.
///
/// Predicates also see the fields `event.id` (a whole number) and `event.ingested` (a time).
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
    limits: Limits,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Reader { shared, limits: Limits::default() }
    }

    /// A reader whose calls keep to these limits: they end with [`StoreError::Cancelled`] or
    /// [`StoreError::TooMuch`] where they would go beyond.
    #[must_use]
    pub fn within(&self, limits: &Limits) -> Self {
        Reader { shared: Arc::clone(&self.shared), limits: limits.clone() }
    }

    /// The latest events that match; at most 10,000 of them, whatever the limit, and fewer where they
    /// are so large that the reader's limits do not hold them.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn search(&self, search: &Search) -> Result<Page, StoreError> {
        self.page(search).map(|(page, _)| page)
    }

    /// What a search for this page reads and what it leaves out.
    ///
    /// # Errors
    /// As [`Reader::search`].
    pub fn explain(&self, search: &Search) -> Result<Explanation, StoreError> {
        self.page(search).map(|(_, explanation)| explanation)
    }

    fn page(&self, search: &Search) -> Result<(Page, Explanation), StoreError> {
        let mut limit = search.limit.min(MAX_PAGE);
        loop {
            let (from, to) = (search.from, search.to);
            let query = Query::new(&search.predicate, from, to, &[], &self.limits);
            let order = Order::LatestFirst;
            match select(&self.shared, &query, order, search.before, limit + 1) {
                Ok(mut events) => {
                    let more = events.len() > limit;
                    events.truncate(limit);
                    return Ok((Page { events, more }, query.seen.explanation()));
                }
                // Large events come in smaller pages.
                Err(StoreError::TooMuch { .. }) if limit > 1 => limit = (limit / 4).max(1),
                Err(error) => return Err(error),
            }
        }
    }

    /// How many events match in each time bucket that has any, ascending. Buckets are aligned to the
    /// epoch and named by their start; more than 100,000 over the stored time are made wider.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn histogram(
        &self,
        predicate: &Predicate,
        from: Timestamp,
        to: Timestamp,
        bucket_micros: i64,
    ) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        let query = Query::new(predicate, from, to, &[], &self.limits);
        count::histogram(&self.shared, &query, bucket_micros)
    }

    /// The `k` values of a field that most matching events have, most first; of the same count, by
    /// text. An event counts once for each different value of a list; null does not.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn top(
        &self,
        predicate: &Predicate,
        from: Timestamp,
        to: Timestamp,
        field: &FieldName<'_>,
        k: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let query = Query::new(predicate, from, to, &[field], &self.limits);
        top(&self.shared, &query, field, k)
    }

    /// Figures over the events that match, by groups, in one pass. Of the reader's own limits and
    /// these, these hold.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged, [`StoreError::Aggregation`] where it makes no
    /// sense, and where it goes beyond the limits.
    pub fn aggregate(
        &self,
        aggregation: &Aggregation,
        limits: &Limits,
    ) -> Result<Table, StoreError> {
        aggregate::aggregate(&self.shared, aggregation, limits)
    }

    /// As [`Reader::aggregate`] of each, in the same order; all look at the same events, which are
    /// looked for once.
    ///
    /// # Errors
    /// As there, and [`StoreError::Aggregation`] where they look at different events.
    pub fn aggregate_all(
        &self,
        aggregations: &[Aggregation],
        limits: &Limits,
    ) -> Result<Vec<Table>, StoreError> {
        aggregate::aggregate_all(&self.shared, aggregations, limits)
    }

    /// How many events match.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn count(
        &self,
        predicate: &Predicate,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<u64, StoreError> {
        count::count(&self.shared, &Query::new(predicate, from, to, &[], &self.limits))
    }

    /// The event of this id.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn get(&self, id: u64) -> Result<Option<StoredEvent>, StoreError> {
        let snapshot = self.shared.get();
        for part in std::iter::once(&snapshot.active).chain(&snapshot.sealing) {
            for block in part.blocks() {
                let position = id.checked_sub(block.first_id()).map(usize::try_from);
                if let Some(Ok(position)) = position
                    && position < block.len()
                {
                    let event = stored_in(block, position, &Names::current());
                    return event.map(Some).map_err(|reason| damaged(&self.shared, reason));
                }
            }
        }
        for segment in snapshot.segments.iter() {
            if id < segment.entry.min_id || id > segment.entry.max_id {
                continue;
            }
            let loaded = segment.load()?;
            for (group, index) in loaded.index.row_groups.iter().enumerate() {
                if id < index.ids.0 || id > index.ids.1 {
                    continue;
                }
                let rows = Rows::new(segment, Arc::clone(&loaded), group);
                let ids = rows.ids(&rows.all()?)?;
                let row = ids.iter().position(|at| at == Some(id.cast_signed()));
                if let Some(row) = row {
                    let (segment, loaded) = (Arc::clone(segment), Arc::clone(&loaded));
                    return by_id(&self.shared, &Unit::Rows { segment, loaded, group }, row);
                }
            }
        }
        Ok(None)
    }

    /// Hands over events that happened at `from` or later, earliest first, until `limit` of them
    /// were handed over or `visit` breaks off. Returns how many were.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn replay(
        &self,
        from: Timestamp,
        limit: usize,
        visit: impl FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<usize, StoreError> {
        self.walk(&Predicate::Constant(true), (from, Timestamp::MAX), 0, limit, visit)
    }

    /// Hands over the events of this id and of higher ones, whenever they happened, earliest first,
    /// until `visit` breaks off. Returns how many were.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn replay_since(
        &self,
        first_id: u64,
        visit: impl FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<usize, StoreError> {
        let since = Predicate::Atom(
            Target::Field(FieldName::Known(Field::EventId)),
            Condition::Number(Comparison::GreaterOrEqual, first_id as f64),
        );
        self.walk(&since, (Timestamp::MIN, Timestamp::MAX), first_id, usize::MAX, visit)
    }

    /// Hands over the events that match and happened at `from` or later and before `to`, earliest
    /// first, until `visit` breaks off. Returns how many were.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn replay_matching(
        &self,
        predicate: &Predicate,
        from: Timestamp,
        to: Timestamp,
        visit: impl FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<usize, StoreError> {
        self.walk(predicate, (from, to), 0, usize::MAX, visit)
    }

    /// Hands over the events of higher ids than `after`, in the order of their ids (the order in which
    /// they were taken), until `visit` breaks off. `visit` is given the id, the time at which the hub
    /// took the event, and the event with its stored fields.
    ///
    /// Cheap where the next event is among the newest, which are in memory. Ids have no gaps: one that
    /// is skipped was removed.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn follow(
        &self,
        after: u64,
        visit: impl FnMut(u64, Timestamp, &Event<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        follow(&self.shared, &self.limits, after, visit)
    }

    /// The id of the event that was stored last; 0 where none ever was.
    pub fn last_id(&self) -> u64 {
        self.shared.growth.last_id()
    }

    /// Waits until an event of a higher id than `after` is stored, the time is over, or
    /// [`Reader::wake`] is called. Returns the last id.
    pub fn wait_past(&self, after: u64, time: Duration) -> u64 {
        self.shared.growth.wait_past(after, time)
    }

    /// Lets everyone return who waits in [`Reader::wait_past`].
    pub fn wake(&self) {
        self.shared.growth.wake();
    }

    fn walk(
        &self,
        predicate: &Predicate,
        (from, to): (Timestamp, Timestamp),
        first_id: u64,
        limit: usize,
        mut visit: impl FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<usize, StoreError> {
        let mut handed = 0;
        let mut after = None;
        let mut portion = REPLAY_EVENTS;
        while handed < limit {
            let start = after.map_or(from, |(created, _)| created);
            let query = Query::new(predicate, start, to, &[], &self.limits).since_id(first_id);
            let wanted = (limit - handed).min(portion);
            let events = match select(&self.shared, &query, Order::EarliestFirst, after, wanted) {
                // Large events come in smaller portions.
                Err(StoreError::TooMuch { .. }) if wanted > 1 => {
                    portion = (wanted / 4).max(1);
                    continue;
                }
                events => events?,
            };
            let Some(last) = events.last() else { break };
            after = Some((last.event.created(), last.id));
            for event in events {
                handed += 1;
                if visit(event).is_break() {
                    return Ok(handed);
                }
            }
        }
        Ok(handed)
    }

    /// How much is stored.
    pub fn stats(&self) -> Stats {
        let snapshot = self.shared.get();
        let mut stats = Stats {
            segments: snapshot.segments.len(),
            wal_bytes: snapshot.wal_bytes,
            torn_bytes: snapshot.torn_bytes,
            ..Stats::default()
        };
        let mut created = None;
        for segment in snapshot.segments.iter() {
            stats.events += segment.entry.events;
            stats.bytes_on_disk += segment.entry.bytes + segment.entry.index_bytes;
            created = join_ranges(created, Some(segment.entry.created()));
        }
        for part in std::iter::once(&snapshot.active).chain(&snapshot.sealing) {
            for block in part.blocks() {
                stats.events += block.len() as u64;
                stats.events_in_memory += block.len() as u64;
                created = join_ranges(created, block.created());
            }
        }
        stats.oldest = created.map(|(oldest, _)| oldest);
        stats.newest = created.map(|(_, newest)| newest);
        stats
    }

    /// Reads every segment whole and checks it against the manifest; returns how many were checked.
    /// [`crate::Keeper::verify`] also proves how the store came to be so.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names the first file that was altered or is gone.
    pub fn verify(&self) -> Result<usize, StoreError> {
        let snapshot = self.shared.get();
        for segment in snapshot.segments.iter() {
            self.limits.check()?;
            segment.verify()?;
        }
        Ok(snapshot.segments.len())
    }
}
