//! What a query is split into: blocks of memory and row groups of segments, of which those that
//! cannot matter are left out, and how each is walked.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bergfried_event::{Event, Field, FieldName, Timestamp};
use bergfried_query::{Predicate, Target};

use crate::block::Block;
use crate::bounds::Bounds;
use crate::encode::{Encoded, Names, Wanted};
use crate::error::StoreError;
use crate::explain::{Seen, SeenParts};
use crate::limits::Limits;
use crate::segment::bitmap::Bitmap;
use crate::segment::evaluate::{Truth, evaluate};
use crate::segment::open::{Loaded, Segment};
use crate::segment::prune::{Filter, Needs};
use crate::segment::rows::{EventColumns, Rows};
use crate::segment::stretch::Stretches;
use crate::snapshot::{Shared, Snapshot};

/// Rows and events that are walked before the limits are looked at again.
pub(crate) const STRIDE: usize = 4_096;

/// A part of the store that is searched as a whole.
pub(crate) enum Unit {
    /// Newest events, in memory.
    Block(Arc<Block>),
    /// A row group of a segment.
    Rows { segment: Arc<Segment>, loaded: Arc<Loaded>, group: usize },
}

/// A unit and when its events happened.
pub(crate) struct Spanned {
    pub(crate) unit: Unit,
    pub(crate) created: (Timestamp, Timestamp),
}

/// A predicate over a range of time.
pub(crate) struct Query<'q> {
    pub(crate) predicate: &'q Predicate,
    pub(crate) from: Timestamp,
    /// In microseconds; beyond every time where there is no end.
    pub(crate) to: i64,
    /// Parts of the store that only hold lower ids are not looked at; the predicate says the rest.
    first_id: u64,
    wanted: Wanted,
    needs: Needs,
    ids: Bounds,
    ingested: Bounds,
    names: Names,
    pub(crate) limits: &'q Limits,
    /// What was read and left out so far.
    pub(crate) seen: Seen,
}

impl<'q> Query<'q> {
    /// A query that looks at the predicate's fields and at `also`.
    pub(crate) fn new(
        predicate: &'q Predicate,
        from: Timestamp,
        to: Timestamp,
        also: &[&FieldName<'_>],
        limits: &'q Limits,
    ) -> Self {
        let wanted = if looks_everywhere(predicate) {
            Wanted::All
        } else {
            let named = predicate.fields().into_iter().cloned();
            Wanted::some(
                named.chain(also.iter().map(|name| (*name).clone().into_owned())).collect(),
            )
        };
        let needs = Needs::of(predicate);
        let to = if to == Timestamp::MAX { i64::MAX } else { to.micros() };
        let created = Bounds::of(predicate, Field::Timestamp);
        Query {
            predicate,
            from: from.max(Timestamp::from_micros(created.least)),
            to: to.min(created.most.saturating_add(1)),
            first_id: 0,
            wanted,
            needs,
            ids: Bounds::of(predicate, Field::EventId),
            ingested: Bounds::of(predicate, Field::EventIngested),
            names: Names::current(),
            limits,
            seen: Seen::default(),
        }
    }

    /// The same for a predicate that no event with a lower id meets.
    pub(crate) fn since_id(self, first_id: u64) -> Self {
        Query { first_id, ..self }
    }

    /// The fields to read for this one.
    pub(crate) fn also(&self, field: &FieldName<'_>) -> Wanted {
        Wanted::some(vec![field.clone().into_owned()])
    }

    /// Whether every event within the time matches.
    pub(crate) fn is_time_alone(&self) -> bool {
        matches!(self.predicate, Predicate::Constant(true))
    }

    /// The parts of the store that may hold matches.
    pub(crate) fn units(&self, snapshot: &Snapshot) -> Result<Vec<Spanned>, StoreError> {
        let mut units = Vec::new();
        if self.from.micros() >= self.to || self.needs == Needs::Never {
            return Ok(units);
        }
        for part in std::iter::once(&snapshot.active).chain(&snapshot.sealing) {
            for block in part.blocks() {
                let Some(created) = block.created() else { continue };
                let last_id = block.first_id().saturating_add(block.len() as u64 - 1);
                if self.may_be_in(created, (block.first_id(), last_id), &self.seen.blocks) {
                    units.push(Spanned { unit: Unit::Block(Arc::clone(block)), created });
                }
            }
        }
        for segment in snapshot.segments.iter() {
            let (entry, seen) = (&segment.entry, &self.seen.segments);
            if !self.may_be_in(entry.created(), (entry.min_id, entry.max_id), seen) {
                continue;
            }
            self.limits.check()?;
            seen.read.add(1);
            let loaded = segment.load()?;
            for group in 0..loaded.index.row_groups.len() {
                if let Some(created) = self.may_be_in_group(&loaded, group) {
                    let (segment, loaded) = (Arc::clone(segment), Arc::clone(&loaded));
                    units.push(Spanned { unit: Unit::Rows { segment, loaded, group }, created });
                }
            }
        }
        Ok(units)
    }

    /// Whether events of these times and ids may match; what rules it out is counted.
    fn may_be_in(
        &self,
        created: (Timestamp, Timestamp),
        (first_id, last_id): (u64, u64),
        seen: &SeenParts,
    ) -> bool {
        seen.all.add(1);
        if !self.overlaps(created) {
            seen.by_time.add(1);
            return false;
        }
        let signed = |id: u64| i64::try_from(id).unwrap_or(i64::MAX);
        if last_id < self.first_id || self.ids.rule_out(signed(first_id), signed(last_id)) {
            seen.by_statistics.add(1);
            return false;
        }
        true
    }

    /// When the events of a row group happened, where some of them may match.
    fn may_be_in_group(&self, loaded: &Loaded, group: usize) -> Option<(Timestamp, Timestamp)> {
        let index = loaded.index.row_groups.get(group)?;
        let seen = &self.seen.row_groups;
        if !self.may_be_in(index.created, index.ids, seen) {
            return None;
        }
        let taken = loaded.ingested(group);
        if taken.is_some_and(|(first, last)| self.ingested.rule_out(first, last)) {
            seen.by_statistics.add(1);
            return None;
        }
        match self.needs.ruled_out_by(&index.filter) {
            None => return Some(index.created),
            Some(Filter::Values) => seen.by_bloom_filter.add(1),
            Some(Filter::Words) => seen.by_token_filter.add(1),
        }
        None
    }

    /// Notes that a unit was answered from what the index says of it.
    pub(crate) fn answered_from_index(&self, events: usize) {
        self.seen.row_groups.from_index.add(1);
        self.seen.events_from_index.add(events);
        self.seen.events_matched.add(events);
    }

    fn overlaps(&self, (first, last): (Timestamp, Timestamp)) -> bool {
        first.micros() < self.to && last >= self.from
    }

    /// Whether an event in memory is within the time and meets the predicate; then its event with
    /// the wanted fields.
    pub(crate) fn in_memory<'b>(
        &self,
        encoded: &Encoded<'b>,
        id: u64,
    ) -> Result<Option<Event<'b>>, &'static str> {
        if encoded.created < self.from || encoded.created.micros() >= self.to {
            return Ok(None);
        }
        if self.wanted.names().is_some_and(<[_]>::is_empty) {
            let event = Event::new(encoded.created, "");
            return Ok(self.predicate.matches(&event).then_some(event));
        }
        let mut event = encoded.event(&self.names, &self.wanted)?;
        add_stamps(&mut event, id, encoded.ingested, &self.wanted);
        Ok(self.predicate.matches(&event).then_some(event))
    }
}

/// The event of an encoded one with every field, those of the store included.
pub(crate) fn full_event<'b>(
    encoded: &Encoded<'b>,
    id: u64,
    names: &Names,
) -> Result<Event<'b>, &'static str> {
    let mut event = encoded.event(names, &Wanted::All)?;
    add_stamps(&mut event, id, encoded.ingested, &Wanted::All);
    Ok(event)
}

fn add_stamps(event: &mut Event<'_>, id: u64, ingested: Timestamp, wanted: &Wanted) {
    if wanted.has(&FieldName::Known(Field::EventId)) {
        event.set(Field::EventId, id.cast_signed());
    }
    if wanted.has(&FieldName::Known(Field::EventIngested)) {
        event.set(Field::EventIngested, ingested.to_string());
    }
}

fn looks_everywhere(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Constant(_) => false,
        Predicate::And(inner) | Predicate::Or(inner) | Predicate::AtLeast(_, inner) => {
            inner.iter().any(looks_everywhere)
        }
        Predicate::Not(inner) => looks_everywhere(inner),
        Predicate::Atom(target, _) => matches!(target, Target::Anything),
    }
}

/// A row group with the query's predicate evaluated as far as columns tell.
pub(crate) struct Matching<'s> {
    pub(crate) rows: Rows<'s>,
    /// Rows within the time asked for.
    pub(crate) range: Range<usize>,
    truth: Truth,
    /// For rows that columns leave open; read when the first such row comes.
    columns: Option<EventColumns>,
}

impl<'s> Matching<'s> {
    pub(crate) fn new(
        query: &Query<'_>,
        segment: &'s Segment,
        loaded: &Arc<Loaded>,
        group: usize,
    ) -> Result<Self, StoreError> {
        query.seen.row_groups.read.add(1);
        Matching::among(query, Rows::new(segment, Arc::clone(loaded), group), None)
    }

    /// The same of a row group's part: of these rows, or of all.
    pub(crate) fn among(
        query: &Query<'_>,
        rows: Rows<'s>,
        part: Option<Range<usize>>,
    ) -> Result<Self, StoreError> {
        let index = rows.index()?;
        let (count, created) = (index.rows, index.created);
        let mut range = part.unwrap_or(0..count);
        let allowed = rows.allowed_by(&query.needs)?;
        if query.from > created.0 || query.to <= created.1.micros() {
            let created = rows.created(&rows.all()?)?;
            let before = |time: i64| created.partition_point(|at| at < time);
            let (from, to) = (before(query.from.micros()), before(query.to));
            range = range.start.max(from)..range.end.min(to);
        }
        let asked = Bitmap::range(count, range.clone()).and(&allowed.rows());
        query.seen.events_read.add(asked.count());
        let truth = evaluate(&rows, query.predicate, &asked)?;
        Ok(Matching { rows, range, truth, columns: None })
    }

    /// The row group, for its next part.
    pub(crate) fn into_rows(self) -> Rows<'s> {
        self.rows
    }

    /// The parts of the row group with rows that may match.
    pub(crate) fn possible(&self) -> Result<Stretches, StoreError> {
        Ok(Stretches::of(self.rows.index()?.rows, &self.truth.possible))
    }

    /// Whether a row matches.
    pub(crate) fn holds(&mut self, query: &Query<'_>, row: usize) -> Result<bool, StoreError> {
        if self.truth.certain.get(row) {
            return Ok(true);
        }
        if !self.truth.possible.get(row) {
            return Ok(false);
        }
        query.seen.events_decoded.add(1);
        if self.columns.is_none() {
            let certain = self.truth.certain.clone();
            let open = certain.not().and(&self.truth.possible);
            let open = Stretches::of(self.rows.index()?.rows, &open);
            self.columns = Some(self.rows.columns(&query.wanted, &open)?);
        }
        match self.columns.as_ref().map(|columns| columns.event(row)) {
            Some(Ok(event)) => Ok(query.predicate.matches(&event)),
            Some(Err(reason)) => Err(self.rows.corrupt(reason)),
            None => Ok(false),
        }
    }

    /// Whether no row can match.
    pub(crate) fn is_empty(&self) -> bool {
        self.range.is_empty() || self.truth.possible.is_empty()
    }

    /// All matching rows within the time.
    pub(crate) fn all(&mut self, query: &Query<'_>) -> Result<Bitmap, StoreError> {
        let count = self.rows.index()?.rows;
        let range = self.range.clone();
        let within = Bitmap::range(count, range.clone());
        let open = self.truth.possible.clone().and(&self.truth.certain.clone().not()).and(&within);
        let mut found = self.truth.certain.clone().and(&within);
        for (step, row) in open.rows().enumerate() {
            if step % STRIDE == 0 {
                query.limits.check()?;
            }
            if self.holds(query, row)? {
                found.insert(row);
            }
        }
        query.seen.events_matched.add(found.count());
        Ok(found)
    }

    /// Walks possible rows from the latest or from the earliest on: asks `visit` (with false)
    /// whether it wants the row, and tells it (with true) where that row matches. True where it broke
    /// off.
    pub(crate) fn walk(
        &mut self,
        query: &Query<'_>,
        latest_first: bool,
        mut visit: impl FnMut(usize, bool) -> ControlFlow<(), bool>,
    ) -> Result<bool, StoreError> {
        let possible = self.truth.possible.rows();
        let mut rows: Vec<usize> = possible.filter(|row| self.range.contains(row)).collect();
        if latest_first {
            rows.reverse();
        }
        for (step, row) in rows.into_iter().enumerate() {
            if step % STRIDE == 0 {
                query.limits.check()?;
            }
            match visit(row, false) {
                ControlFlow::Break(()) => return Ok(true),
                ControlFlow::Continue(false) => continue,
                ControlFlow::Continue(true) => {}
            }
            if self.holds(query, row)? {
                query.seen.events_matched.add(1);
                if visit(row, true).is_break() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Walks the events of a block that match.
pub(crate) fn in_block(
    shared: &Shared,
    query: &Query<'_>,
    block: &Block,
    mut visit: impl FnMut(Timestamp, &Event<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    query.seen.blocks.read.add(1);
    query.seen.events_read.add(block.len());
    let damaged = |reason| damaged(shared, reason);
    let mut matched = 0;
    for (position, id) in (0..block.len()).zip(block.first_id()..) {
        if position % STRIDE == 0 {
            query.limits.check()?;
        }
        let encoded = block.get(position).map_err(damaged)?;
        if let Some(event) = query.in_memory(&encoded, id).map_err(damaged)? {
            matched += 1;
            visit(encoded.created, &event)?;
        }
    }
    query.seen.events_matched.add(matched);
    Ok(())
}

/// Works through units with two threads; each has its own `local`, all of which are returned.
pub(crate) fn run<L: Send>(
    limits: &Limits,
    units: &[Spanned],
    local: impl Fn() -> L + Sync,
    work: impl Fn(usize, &Spanned, &mut L) -> Result<(), StoreError> + Sync,
) -> Result<Vec<L>, StoreError> {
    let next = AtomicUsize::new(0);
    let drain = || -> Result<L, StoreError> {
        let mut mine = local();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(unit) = units.get(at) else { return Ok(mine) };
            if let Err(error) = limits.check().and_then(|()| work(at, unit, &mut mine)) {
                // The others need not go on either.
                next.store(units.len(), Ordering::Relaxed);
                return Err(error);
            }
        }
    };
    if units.len() < 2 {
        return Ok(vec![drain()?]);
    }
    std::thread::scope(|scope| {
        let other = std::thread::Builder::new().spawn_scoped(scope, drain);
        let mine = drain()?;
        match other.map_err(StoreError::Thread)?.join() {
            Ok(other) => Ok(vec![mine, other?]),
            Err(_) => Err(StoreError::Thread(std::io::Error::other("a reader thread panicked"))),
        }
    })
}

/// The error of an event in memory that does not decode.
pub(crate) fn damaged(shared: &Shared, reason: &'static str) -> StoreError {
    StoreError::corrupt(&shared.directory, reason)
}
