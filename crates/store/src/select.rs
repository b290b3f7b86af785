//! Finding the first events of an order: latest first for pages, earliest first for replays.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering as Atomic};

use bergfried_event::Timestamp;

use crate::StoredEvent;
use crate::block::Block;
use crate::error::StoreError;
use crate::fetch::{Read, fetch, read_rows, size};
use crate::segment::bitmap::Bitmap;
use crate::segment::rows::Rows;
use crate::segment::stretch::{STRETCH, Stretches};
use crate::snapshot::Shared;
use crate::unit::{Matching, Query, STRIDE, Unit, damaged, run};

/// What is evaluated of a row group before the rest, where that may fill the page.
const FIRST_STRETCHES: usize = 2;
/// So many matches of a part are read at once.
const FEW: usize = 4;
/// The most events of a search that are read at once, and the part of its memory that one may take.
const MOST_AT_ONCE: usize = 512;
const MOST_PER_EVENT: usize = 4_096;

/// Which end of time comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By time, then id, descending.
    LatestFirst,
    /// By time, then id, ascending.
    EarliestFirst,
}

/// A place in an order; the greater comes first.
pub(crate) type Rank = (i64, u64);

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
pub(crate) type Pick = (Rank, usize, usize);

/// The first matches so far.
struct Best<'t> {
    order: Order,
    limit: usize,
    after: Option<Rank>,
    heap: BinaryHeap<Reverse<Pick>>,
    /// The rank in time that any full heap has reached: what ranks below is of no use to anyone.
    floor: &'t AtomicI64,
    /// Rows of row groups that were walked, and matches among them.
    walked: usize,
    matched: usize,
    /// Matches that were read as soon as they were found.
    read: Read,
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

    /// Whether nothing behind this part of a row group is wanted.
    fn is_past_part(&self, part: &Matching<'_>) -> Result<bool, StoreError> {
        let last = match self.order {
            Order::LatestFirst => part.range.start,
            Order::EarliestFirst => part.range.end.saturating_sub(1),
        };
        let count = part.rows.index()?.rows;
        let stretch = Stretches::of(count, &Bitmap::range(count, last..last + 1));
        let created = part.rows.created(&stretch)?.get(last);
        Ok(created.is_some_and(|created| self.is_past(created)))
    }

    /// How many rows of a row group with so many are evaluated first: all, unless as many matches as
    /// in those before would fill the page.
    fn first_part(&self, rows: usize) -> usize {
        let missing = self.limit.saturating_sub(self.heap.len());
        let would_fill = self.walked == 0
            || self.matched.saturating_mul(rows) >= missing.saturating_mul(self.walked);
        if would_fill { rows.min(FIRST_STRETCHES * STRETCH) } else { rows }
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
    let best = || {
        let heap = BinaryHeap::new();
        let read = Read::new();
        Best { order, limit, after, heap, floor: &floor, walked: 0, matched: 0, read }
    };
    let bests = run(query.limits, &units, best, |index, spanned, best| {
        if order.best_of(spanned.created) < floor.load(Atomic::Relaxed) {
            let seen = &query.seen;
            match &spanned.unit {
                Unit::Block(_) => seen.blocks.unneeded.add(1),
                Unit::Rows { .. } => seen.row_groups.unneeded.add(1),
            }
            return Ok(());
        }
        match &spanned.unit {
            Unit::Block(block) => in_block(shared, query, block, index, best),
            Unit::Rows { segment, loaded, group } => {
                let rows = Rows::new(segment, Arc::clone(loaded), *group);
                in_rows(query, rows, index, best)
            }
        }
    })?;
    let (mut picks, mut read): (Vec<Pick>, Read) = (Vec::new(), Read::new());
    for best in bests {
        picks.extend(best.heap.into_iter().map(|Reverse(pick)| pick));
        read.extend(best.read);
    }
    picks.sort_unstable_by(|one, other| other.cmp(one));
    picks.truncate(limit);
    fetch(shared, query.limits, &units, &picks, read)
}

fn in_block(
    shared: &Shared,
    query: &Query<'_>,
    block: &Block,
    unit: usize,
    best: &mut Best<'_>,
) -> Result<(), StoreError> {
    query.seen.blocks.read.add(1);
    let damaged = |reason| damaged(shared, reason);
    // Log lines come in order of time, more or less: from the end that is wanted first, the heap
    // fills with what stays in it.
    for step in 0..block.len() {
        let position = match best.order {
            Order::LatestFirst => block.len() - 1 - step,
            Order::EarliestFirst => step,
        };
        if step % STRIDE == 0 {
            query.limits.check()?;
        }
        let encoded = block.get(position).map_err(damaged)?;
        let id = block.first_id() + position as u64;
        let created = encoded.created.micros();
        if !best.wants(created, id) {
            continue;
        }
        query.seen.events_read.add(1);
        if query.in_memory(&encoded, id).map_err(damaged)?.is_some() {
            query.seen.events_matched.add(1);
            best.push(created, id, unit, position);
        }
    }
    Ok(())
}

/// Walks a row group. Where the page may be full before its end, it is evaluated in two parts: a few
/// stretches at the end that is wanted first, then, if the page is not full by then, the rest.
fn in_rows(
    query: &Query<'_>,
    rows: Rows<'_>,
    unit: usize,
    best: &mut Best<'_>,
) -> Result<(), StoreError> {
    query.seen.row_groups.read.add(1);
    let count = rows.index()?.rows;
    let first = best.first_part(count);
    let (first, rest) = match best.order {
        Order::LatestFirst => {
            // Where a stretch begins.
            let start = count.saturating_sub(first).next_multiple_of(STRETCH).min(count);
            let start = if start == count { count - first } else { start };
            (start..count, 0..start)
        }
        Order::EarliestFirst => (0..first, first..count),
    };
    let mut matching = Matching::among(query, rows, Some(first))?;
    let mut is_over = in_part(query, &mut matching, unit, best)?
        || best.heap.len() >= best.limit && best.is_past_part(&matching)?;
    if !is_over && !rest.is_empty() {
        matching = Matching::among(query, matching.into_rows(), Some(rest))?;
        is_over = in_part(query, &mut matching, unit, best)?;
    }
    if is_over {
        query.seen.broken_off.add(1);
    }
    Ok(())
}

/// Walks a part of a row group; true where nothing behind it is wanted.
fn in_part(
    query: &Query<'_>,
    matching: &mut Matching<'_>,
    unit: usize,
    best: &mut Best<'_>,
) -> Result<bool, StoreError> {
    best.walked += matching.range.len();
    if matching.is_empty() {
        return Ok(false);
    }
    let possible = matching.possible()?;
    let (created, ids) = (matching.rows.created(&possible)?, matching.rows.ids(&possible)?);
    let latest_first = best.order == Order::LatestFirst;
    let mut found = Vec::new();
    let is_over = matching.walk(query, latest_first, |row, matches| {
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
        best.matched += 1;
        best.push(at, id, unit, row);
        found.push((row, row));
        ControlFlow::Continue(true)
    })?;
    // What was read to find a few seldom ones is most of what they are made of. Those that more
    // recent ones displace later were read in vain, so no more are than fit the page.
    if found.len() <= FEW && best.read.len() < best.limit.min(MOST_AT_ONCE) {
        read_rows(&matching.rows, &found, &mut |row, event| {
            if size(&event) <= query.limits.memory / MOST_PER_EVENT {
                best.read.insert((unit, row), event);
            }
            Ok(())
        })?;
    }
    Ok(is_over)
}
