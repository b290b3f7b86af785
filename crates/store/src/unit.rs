//! What a query is split into: blocks of memory and row groups of segments, of which those that
//! cannot matter are left out, and how each is walked.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bergfried_event::{Event, Field, FieldName, Timestamp};
use bergfried_query::{Predicate, Target};

use crate::block::Block;
use crate::encode::{Encoded, Names, Wanted};
use crate::error::StoreError;
use crate::segment::bitmap::Bitmap;
use crate::segment::evaluate::{Truth, evaluate};
use crate::segment::open::{Loaded, Segment};
use crate::segment::prune::Needs;
use crate::segment::rows::{EventColumns, Rows};
use crate::snapshot::{Shared, Snapshot};

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
    names: Names,
}

impl<'q> Query<'q> {
    /// A query that looks at the predicate's fields and at `also`.
    pub(crate) fn new(
        predicate: &'q Predicate,
        from: Timestamp,
        to: Timestamp,
        also: Option<&FieldName<'_>>,
    ) -> Self {
        let wanted = if looks_everywhere(predicate) {
            Wanted::All
        } else {
            let named = predicate.fields().into_iter().cloned();
            Wanted::some(named.chain(also.map(|name| name.clone().into_owned())).collect())
        };
        let needs = Needs::of(predicate);
        let to = if to == Timestamp::MAX { i64::MAX } else { to.micros() };
        Query { predicate, from, to, first_id: 0, wanted, needs, names: Names::current() }
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
                if block.first_id().saturating_add(block.len() as u64) <= self.first_id {
                    continue;
                }
                if let Some(created) = block.created().filter(|span| self.overlaps(*span)) {
                    units.push(Spanned { unit: Unit::Block(Arc::clone(block)), created });
                }
            }
        }
        for segment in snapshot.segments.iter() {
            if !self.overlaps(segment.entry.created()) || segment.entry.max_id < self.first_id {
                continue;
            }
            let loaded = segment.load()?;
            for (group, index) in loaded.index.row_groups.iter().enumerate() {
                if self.overlaps(index.created)
                    && index.ids.1 >= self.first_id
                    && self.needs.met_by(&index.filter)
                {
                    let (segment, loaded) = (Arc::clone(segment), Arc::clone(&loaded));
                    let unit = Unit::Rows { segment, loaded, group };
                    units.push(Spanned { unit, created: index.created });
                }
            }
        }
        Ok(units)
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
        let rows = Rows::new(segment, Arc::clone(loaded), group, None);
        let index = rows.index()?;
        let range = if query.from <= index.created.0 && query.to > index.created.1.micros() {
            0..index.rows
        } else {
            let created = rows.created()?;
            let before = |time: i64| created.partition_point(|at| at < time);
            before(query.from.micros())..before(query.to)
        };
        let truth = evaluate(&rows, query.predicate)?;
        Ok(Matching { rows, range, truth, columns: None })
    }

    /// Whether a row matches.
    pub(crate) fn holds(&mut self, query: &Query<'_>, row: usize) -> Result<bool, StoreError> {
        if self.truth.certain.get(row) {
            return Ok(true);
        }
        if !self.truth.possible.get(row) {
            return Ok(false);
        }
        if self.columns.is_none() {
            self.columns = Some(self.rows.columns(&query.wanted)?);
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
        for row in open.rows() {
            if self.holds(query, row)? {
                found.insert(row);
            }
        }
        Ok(found)
    }

    /// Walks possible rows from the latest or from the earliest on: asks `visit` (with false)
    /// whether it wants the row, and tells it (with true) where that row matches.
    pub(crate) fn walk(
        &mut self,
        query: &Query<'_>,
        latest_first: bool,
        mut visit: impl FnMut(usize, bool) -> ControlFlow<(), bool>,
    ) -> Result<(), StoreError> {
        let range = self.range.clone();
        let count = range.len();
        for step in 0..count {
            let row = if latest_first { range.end - 1 - step } else { range.start + step };
            if !self.truth.possible.get(row) {
                continue;
            }
            match visit(row, false) {
                ControlFlow::Break(()) => break,
                ControlFlow::Continue(false) => continue,
                ControlFlow::Continue(true) => {}
            }
            if self.holds(query, row)? && visit(row, true).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Works through units with two threads; each has its own `local`, all of which are returned.
pub(crate) fn run<L: Send>(
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
            if let Err(error) = work(at, unit, &mut mine) {
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
