//! Finding the first events of an order: latest first for pages, earliest first for replays.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicI64, Ordering as Atomic};

use bergfried_event::{Event, FieldName, Timestamp};

use crate::StoredEvent;
use crate::block::Block;
use crate::encode::{Names, Wanted};
use crate::error::StoreError;
use crate::segment::rows::Rows;
use crate::snapshot::Shared;
use crate::unit::{Matching, Query, Spanned, Unit, damaged, full_event, run};

/// Which end of time comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By time, then id, descending.
    LatestFirst,
    /// By time, then id, ascending.
    EarliestFirst,
}

/// A place in an order; the greater comes first.
type Rank = (i64, u64);

impl Order {
    fn rank(self, created: i64, id: u64) -> Rank {
        match self {
            Order::LatestFirst => (created, id),
            // Times are far from the ends of the type (years 1 to 9999).
            Order::EarliestFirst => (-created, u64::MAX - id),
        }
    }

    fn best_of(self, (first, last): (Timestamp, Timestamp)) -> i64 {
        match self {
            Order::LatestFirst => last.micros(),
            Order::EarliestFirst => -first.micros(),
        }
    }
}

/// A match: its rank, its unit and its row there.
type Pick = (Rank, usize, usize);

/// The first matches so far.
struct Best<'t> {
    order: Order,
    limit: usize,
    after: Option<Rank>,
    heap: BinaryHeap<Reverse<Pick>>,
    /// The rank in time that any full heap has reached: what ranks below is of no use to anyone.
    floor: &'t AtomicI64,
}

impl Best<'_> {
    fn wants(&self, created: i64, id: u64) -> bool {
        let rank = self.order.rank(created, id);
        self.after.is_none_or(|after| rank < after)
            && rank.0 >= self.floor.load(Atomic::Relaxed)
            && (self.heap.len() < self.limit
                || self.heap.peek().is_none_or(|Reverse((worst, ..))| rank > *worst))
    }

    /// Whether nothing of this time or ranked below it is wanted.
    fn is_past(&self, created: i64) -> bool {
        let time = self.order.rank(created, 0).0;
        time < self.floor.load(Atomic::Relaxed)
            || self.heap.len() >= self.limit
                && self.heap.peek().is_some_and(|Reverse((worst, ..))| time < worst.0)
    }

    fn push(&mut self, created: i64, id: u64, unit: usize, row: usize) {
        self.heap.push(Reverse((self.order.rank(created, id), unit, row)));
        if self.heap.len() > self.limit {
            self.heap.pop();
        }
        if self.heap.len() >= self.limit
            && let Some(Reverse((worst, ..))) = self.heap.peek()
        {
            self.floor.fetch_max(worst.0, Atomic::Relaxed);
        }
    }
}

/// The first `limit` events of the order that match and come after `after`.
pub(crate) fn select(
    shared: &Shared,
    query: &Query<'_>,
    order: Order,
    after: Option<(Timestamp, u64)>,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let mut units = query.units(&shared.get())?;
    units.sort_by_key(|spanned| Reverse(order.best_of(spanned.created)));
    let after = after.map(|(created, id)| order.rank(created.micros(), id));
    let floor = AtomicI64::new(i64::MIN);
    let best = || Best { order, limit, after, heap: BinaryHeap::new(), floor: &floor };
    let bests = run(&units, best, |index, spanned, best| {
        if order.best_of(spanned.created) < floor.load(Atomic::Relaxed) {
            return Ok(());
        }
        match &spanned.unit {
            Unit::Block(block) => {
                in_block(query, block, index, best).map_err(|reason| damaged(shared, reason))
            }
            Unit::Rows { segment, loaded, group } => {
                let mut matching = Matching::new(query, segment, loaded, *group)?;
                in_rows(query, &mut matching, index, best)
            }
        }
    })?;
    let mut picks: Vec<Pick> =
        bests.into_iter().flat_map(|best| best.heap).map(|Reverse(pick)| pick).collect();
    picks.sort_unstable_by(|one, other| other.cmp(one));
    picks.truncate(limit);
    fetch(shared, &units, &picks)
}

fn in_block(
    query: &Query<'_>,
    block: &Block,
    unit: usize,
    best: &mut Best<'_>,
) -> Result<(), &'static str> {
    // Log lines come in order of time, more or less: from the end that is wanted first, the heap
    // fills with what stays in it.
    for step in 0..block.len() {
        let position = match best.order {
            Order::LatestFirst => block.len() - 1 - step,
            Order::EarliestFirst => step,
        };
        let encoded = block.get(position)?;
        let id = block.first_id() + position as u64;
        let created = encoded.created.micros();
        if best.wants(created, id) && query.in_memory(&encoded, id)?.is_some() {
            best.push(created, id, unit, position);
        }
    }
    Ok(())
}

fn in_rows(
    query: &Query<'_>,
    matching: &mut Matching<'_>,
    unit: usize,
    best: &mut Best<'_>,
) -> Result<(), StoreError> {
    if matching.is_empty() {
        return Ok(());
    }
    let (created, ids) = (matching.rows.created()?, matching.rows.ids()?);
    let latest_first = best.order == Order::LatestFirst;
    matching.walk(query, latest_first, |row, matches| {
        let (Some(at), Some(id)) = (created.get(row), ids.get(row)) else {
            return ControlFlow::Break(());
        };
        let id = id.cast_unsigned();
        if !matches {
            return match (best.is_past(at), best.wants(at, id)) {
                (true, _) => ControlFlow::Break(()),
                (false, true) => ControlFlow::Continue(true),
                (false, false) => ControlFlow::Continue(false),
            };
        }
        best.push(at, id, unit, row);
        ControlFlow::Continue(true)
    })
}

/// Reads the picked events whole, in the order of the picks.
fn fetch(
    shared: &Shared,
    units: &[Spanned],
    picks: &[Pick],
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut by_unit: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for (place, (_, unit, row)) in picks.iter().enumerate() {
        by_unit.entry(*unit).or_default().push((*row, place));
    }
    let by_unit: Vec<(usize, Vec<(usize, usize)>)> = by_unit.into_iter().collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let drain = || -> Result<Vec<(usize, StoredEvent)>, StoreError> {
        let mut read = Vec::new();
        while let Some((unit, rows)) = by_unit.get(next.fetch_add(1, Atomic::Relaxed)) {
            if let Some(spanned) = units.get(*unit) {
                fetch_unit(shared, &spanned.unit, rows, &mut read)?;
            }
        }
        Ok(read)
    };
    let mut read = if by_unit.len() < 2 {
        drain()?
    } else {
        std::thread::scope(|scope| {
            let other = std::thread::Builder::new().spawn_scoped(scope, drain);
            let mut mine = drain()?;
            match other.map_err(StoreError::Thread)?.join() {
                Ok(other) => mine.extend(other?),
                Err(_) => {
                    let panicked = std::io::Error::other("a reader thread panicked");
                    return Err(StoreError::Thread(panicked));
                }
            }
            Ok(mine)
        })?
    };
    read.sort_by_key(|(place, _)| *place);
    Ok(read.into_iter().map(|(_, event)| event).collect())
}

/// Reads rows of one unit, given with their places in the page.
fn fetch_unit(
    shared: &Shared,
    unit: &Unit,
    rows: &[(usize, usize)],
    read: &mut Vec<(usize, StoredEvent)>,
) -> Result<(), StoreError> {
    match unit {
        Unit::Block(block) => {
            let names = Names::current();
            for (position, place) in rows {
                let stored = stored_in(block, *position, &names);
                read.push((*place, stored.map_err(|reason| damaged(shared, reason))?));
            }
        }
        Unit::Rows { segment, loaded, group } => {
            let mut wanted: Vec<usize> = rows.iter().map(|(row, _)| *row).collect();
            wanted.sort_unstable();
            let group = Rows::new(segment, std::sync::Arc::clone(loaded), *group, Some(wanted));
            let columns = group.columns(&Wanted::All)?;
            for (row, place) in rows {
                let event = columns.event(*row).map_err(|reason| group.corrupt(reason))?;
                let (id, ingested) =
                    columns.stored(*row).ok_or_else(|| group.corrupt("a row is missing"))?;
                read.push((*place, stored(id, ingested, event)));
            }
        }
    }
    Ok(())
}

/// The event at this position of a block.
pub(crate) fn stored_in(
    block: &Block,
    position: usize,
    names: &Names,
) -> Result<StoredEvent, &'static str> {
    let encoded = block.get(position)?;
    let id = block.first_id() + position as u64;
    let event = full_event(&encoded, id, names)?;
    Ok(stored(id, encoded.ingested, event))
}

/// The event with its fields in one order, wherever it was read from.
fn stored(id: u64, ingested: Timestamp, event: Event<'_>) -> StoredEvent {
    let event = event.into_owned();
    let mut fields: Vec<&FieldName<'_>> = event.fields().iter().map(|(name, _)| name).collect();
    fields.sort();
    let mut sorted = Event::new(event.created(), event.original().to_owned());
    for name in fields {
        if let Some(value) = event.get_named(name) {
            sorted.set_named(name.clone(), value.clone());
        }
    }
    StoredEvent { id, ingested, event: sorted }
}

/// The event of this id in a segment.
pub(crate) fn by_id(
    shared: &Shared,
    unit: &Unit,
    row: usize,
) -> Result<Option<StoredEvent>, StoreError> {
    let mut read = Vec::new();
    fetch_unit(shared, unit, &[(row, 0)], &mut read)?;
    Ok(read.pop().map(|(_, event)| event))
}
