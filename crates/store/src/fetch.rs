//! Reading events whole that a search picked.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bergfried_event::{Event, FieldName, Timestamp, Value};

use crate::StoredEvent;
use crate::block::Block;
use crate::encode::{Names, Wanted};
use crate::error::StoreError;
use crate::limits::{Limits, Memory};
use crate::segment::bitmap::Bitmap;
use crate::segment::rows::Rows;
use crate::segment::stretch::Stretches;
use crate::select::Pick;
use crate::snapshot::Shared;
use crate::unit::{Spanned, Unit, damaged, full_event};

/// Events that were read, by their unit and row.
pub(crate) type Read = HashMap<(usize, usize), StoredEvent>;

/// Reads the picked events whole, in the order of the picks; some may be read already.
pub(crate) fn fetch(
    shared: &Shared,
    limits: &Limits,
    units: &[Spanned],
    picks: &[Pick],
    mut known: Read,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut by_unit: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    let mut found = Vec::new();
    let memory = Memory::default();
    for (place, (_, unit, row)) in picks.iter().enumerate() {
        match known.remove(&(*unit, *row)) {
            Some(event) => {
                memory.moved(0, size(&event), "the events", limits)?;
                found.push((place, event));
            }
            None => by_unit.entry(*unit).or_default().push((*row, place)),
        }
    }
    drop(known);
    let by_unit: Vec<(usize, Vec<(usize, usize)>)> = by_unit.into_iter().collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let drain = || -> Result<Vec<(usize, StoredEvent)>, StoreError> {
        let mut read = Vec::new();
        while let Some((unit, rows)) = by_unit.get(next.fetch_add(1, Ordering::Relaxed)) {
            limits.check()?;
            if let Some(spanned) = units.get(*unit) {
                let mut keep = |place, event: StoredEvent| {
                    memory.moved(0, size(&event), "the events", limits)?;
                    read.push((place, event));
                    Ok(())
                };
                fetch_unit(shared, &spanned.unit, rows, &mut keep)?;
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
    read.append(&mut found);
    read.sort_by_key(|(place, _)| *place);
    Ok(read.into_iter().map(|(_, event)| event).collect())
}

/// Reads rows of one unit, given with their places in the page.
fn fetch_unit(
    shared: &Shared,
    unit: &Unit,
    rows: &[(usize, usize)],
    keep: &mut dyn FnMut(usize, StoredEvent) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    match unit {
        Unit::Block(block) => {
            let names = Names::current();
            for (position, place) in rows {
                let stored = stored_in(block, *position, &names);
                keep(*place, stored.map_err(|reason| damaged(shared, reason))?)?;
            }
        }
        Unit::Rows { segment, loaded, group } => {
            read_rows(&Rows::new(segment, Arc::clone(loaded), *group), rows, keep)?;
        }
    }
    Ok(())
}

/// Reads rows of a row group, given with their places.
pub(crate) fn read_rows(
    group: &Rows<'_>,
    rows: &[(usize, usize)],
    keep: &mut dyn FnMut(usize, StoredEvent) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let count = group.index()?.rows;
    let mut picked = Bitmap::filled(count, false);
    rows.iter().for_each(|(row, _)| picked.insert(*row));
    let columns = group.columns(&Wanted::All, &Stretches::of(count, &picked))?;
    for (row, place) in rows {
        let event = columns.event(*row).map_err(|reason| group.corrupt(reason))?;
        let (id, ingested) =
            columns.stored(*row).ok_or_else(|| group.corrupt("a row is missing"))?;
        keep(*place, stored(id, ingested, event))?;
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

/// Bytes of memory, near enough.
pub(crate) fn size(stored: &StoredEvent) -> usize {
    fn value_size(value: &Value<'_>) -> usize {
        size_of::<Value<'_>>()
            + match value {
                Value::Text(text) => text.len(),
                Value::List(values) => values.iter().map(value_size).sum(),
                _ => 0,
            }
    }
    let fields = stored.event.fields().iter();
    let fields = fields.map(|(_, field)| size_of::<FieldName<'_>>() + value_size(field));
    size_of::<StoredEvent>() + stored.event.original().len() + fields.sum::<usize>()
}

/// The event of this id in a segment.
pub(crate) fn by_id(
    shared: &Shared,
    unit: &Unit,
    row: usize,
) -> Result<Option<StoredEvent>, StoreError> {
    let mut read = None;
    fetch_unit(shared, unit, &[(row, 0)], &mut |_, event| {
        read = Some(event);
        Ok(())
    })?;
    Ok(read)
}
