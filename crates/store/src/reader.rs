//! Readers: any number, on any thread, never in the writer's way.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bergfried_event::{Event, Field, FieldName, Timestamp};
use bergfried_query::{Comparison, Condition, Predicate, Target};

use crate::aggregate;
use crate::block::join_ranges;
use crate::encode::Names;
use crate::error::StoreError;
use crate::follow::follow;
use crate::segment::rows::Rows;
use crate::select::{Order, by_id, select, stored_in};
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
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Reader { shared }
    }

    /// The latest events that match; at most 10,000 of them, whatever the limit.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn search(&self, search: &Search) -> Result<Page, StoreError> {
        let limit = search.limit.min(MAX_PAGE);
        let query = Query::new(&search.predicate, search.from, search.to, None);
        let mut events =
            select(&self.shared, &query, Order::LatestFirst, search.before, limit + 1)?;
        let more = events.len() > limit;
        events.truncate(limit);
        Ok(Page { events, more })
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
        let query = Query::new(predicate, from, to, None);
        aggregate::histogram(&self.shared, &query, bucket_micros)
    }

    /// The `k` values of a field that most matching events have, most first; of the same count, by
    /// text. Each value of a list counts; null does not.
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
        let query = Query::new(predicate, from, to, Some(field));
        top(&self.shared, &query, field, k)
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
        aggregate::count(&self.shared, &Query::new(predicate, from, to, None))
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
                let rows = Rows::new(segment, Arc::clone(&loaded), group, None);
                let row = rows.ids()?.iter().position(|at| at == Some(id.cast_signed()));
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
        self.walk(&Predicate::Constant(true), from, 0, limit, visit)
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
        self.walk(&since, Timestamp::MIN, first_id, usize::MAX, visit)
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
        follow(&self.shared, after, visit)
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
        from: Timestamp,
        first_id: u64,
        limit: usize,
        mut visit: impl FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<usize, StoreError> {
        let mut handed = 0;
        let mut after = None;
        while handed < limit {
            let start = after.map_or(from, |(created, _)| created);
            let query = Query::new(predicate, start, Timestamp::MAX, None).since_id(first_id);
            let wanted = (limit - handed).min(REPLAY_EVENTS);
            let events = select(&self.shared, &query, Order::EarliestFirst, after, wanted)?;
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

    /// Reads every segment whole and checks it against the chain of hashes in the manifest; returns
    /// how many were checked.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names the first file that was altered or is gone.
    pub fn verify(&self) -> Result<usize, StoreError> {
        let snapshot = self.shared.get();
        let mut before = "";
        for segment in snapshot.segments.iter() {
            if segment.entry.chained(before) != segment.entry.chain {
                return Err(StoreError::corrupt(&segment.path, "the chain breaks here"));
            }
            segment.verify()?;
            before = &segment.entry.chain;
        }
        Ok(snapshot.segments.len())
    }
}
