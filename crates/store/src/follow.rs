//! Following the store: every event once, in the order in which it was taken.

use std::ops::ControlFlow;
use std::sync::Arc;

use bergfried_event::{Event, Timestamp};

use crate::encode::{Names, Wanted};
use crate::error::StoreError;
use crate::limits::Limits;
use crate::segment::open::{Loaded, Segment};
use crate::segment::rows::Rows;
use crate::snapshot::{Shared, Snapshot};
use crate::unit::{STRIDE, damaged, full_event};

/// Hands over the events of higher ids than `after`, in the order of their ids, until `visit` breaks
/// off.
///
/// The newest are read from memory, where the first of them is found at once. Older ones come from
/// row groups, each of which is read once for a call: their rows are in order of time, so the ids of
/// all that overlap are put in order first.
pub(crate) fn follow(
    shared: &Shared,
    limits: &Limits,
    after: u64,
    mut visit: impl FnMut(u64, Timestamp, &Event<'_>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let snapshot = shared.get();
    let mut after = after;
    while let Some(window) = Window::next(&snapshot, after)? {
        limits.check()?;
        if window.visit(after, &mut visit)?.is_break() {
            return Ok(());
        }
        after = window.last_id;
    }
    let names = Names::current();
    let parts = snapshot.sealing.iter().chain([&snapshot.active]);
    for block in parts.flat_map(|part| part.blocks()) {
        let ends = block.first_id().saturating_add(block.len() as u64);
        if ends <= after.saturating_add(1) {
            continue;
        }
        let skipped = after.saturating_add(1).saturating_sub(block.first_id());
        for position in usize::try_from(skipped).unwrap_or(usize::MAX)..block.len() {
            if position % STRIDE == 0 {
                limits.check()?;
            }
            let id = block.first_id() + position as u64;
            let encoded = block.get(position).map_err(|reason| damaged(shared, reason))?;
            let event =
                full_event(&encoded, id, &names).map_err(|reason| damaged(shared, reason))?;
            if visit(id, encoded.ingested, &event).is_break() {
                return Ok(());
            }
        }
        after = ends - 1;
    }
    Ok(())
}

/// A row group of a segment, by its number.
type Group<'s> = (&'s Arc<Segment>, Arc<Loaded>, usize);

/// The row groups that hold the next ids of all segments.
struct Window<'s> {
    groups: Vec<Group<'s>>,
    /// The last id that none but these have.
    last_id: u64,
}

impl<'s> Window<'s> {
    fn next(snapshot: &'s Snapshot, after: u64) -> Result<Option<Window<'s>>, StoreError> {
        let mut open: Vec<(u64, Group<'_>)> = Vec::new();
        // The id at which the group that is needed first ends.
        let mut first: Option<(u64, u64)> = None;
        for segment in snapshot.segments.iter().filter(|segment| segment.entry.max_id > after) {
            if first.is_some_and(|(_, last)| segment.entry.min_id > last) {
                continue;
            }
            let loaded = segment.load()?;
            for (group, index) in loaded.index.row_groups.iter().enumerate() {
                let (low, high) = index.ids;
                if high > after {
                    let key = (low.max(after + 1), high);
                    first = Some(first.map_or(key, |first| first.min(key)));
                    open.push((low, (segment, Arc::clone(&loaded), group)));
                }
            }
        }
        Ok(first.map(|(_, last_id)| Window {
            groups: open
                .into_iter()
                .filter(|(low, _)| *low <= last_id)
                .map(|(_, group)| group)
                .collect(),
            last_id,
        }))
    }

    fn visit(
        &self,
        after: u64,
        visit: &mut impl FnMut(u64, Timestamp, &Event<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let mut order: Vec<(u64, usize, usize)> = Vec::new();
        let mut groups = Vec::with_capacity(self.groups.len());
        for (place, (segment, loaded, group)) in self.groups.iter().enumerate() {
            let rows = Rows::new(segment, Arc::clone(loaded), *group);
            let all = rows.all()?;
            let ids = rows.ids(&all)?;
            let ids = ids.iter().enumerate();
            order.extend(ids.filter_map(|(row, id)| {
                let id = id?.cast_unsigned();
                (id > after && id <= self.last_id).then_some((id, place, row))
            }));
            let columns = rows.columns(&Wanted::All, &all)?;
            groups.push((rows, columns));
        }
        order.sort_unstable();
        for (id, place, row) in order {
            let Some((rows, columns)) = groups.get(place) else { continue };
            let event = columns.event(row).map_err(|reason| rows.corrupt(reason))?;
            let (_, ingested) =
                columns.stored(row).ok_or_else(|| rows.corrupt("a row is missing"))?;
            if visit(id, ingested, &event).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
