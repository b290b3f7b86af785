//! Writing rows of segments as new segments.

use std::collections::BTreeMap;
use std::sync::Arc;

use bergfried_event::Timestamp;

use crate::encode::Wanted;
use crate::error::StoreError;
use crate::limits::Stop;
use crate::segment::bitmap::Bitmap;
use crate::segment::build::RowGroup;
use crate::segment::open::{Loaded, Segment};
use crate::segment::rows::{EventColumns, Rows};
use crate::segment::stretch::Stretches;
use crate::segment::write::{NewSegment, Place, Staged, stage};

/// Joined segments have at most so many events.
pub(super) const MOST_EVENTS: u64 = 1 << 20;
/// Segments that are read together have at most so many bytes, which bounds the memory it takes: where
/// their times overlap, all of their columns are held at once.
pub(super) const MOST_BYTES: u64 = 48 << 20;

/// A row group that is read.
pub(super) struct Group<'s> {
    pub(super) segment: &'s Arc<Segment>,
    pub(super) loaded: Arc<Loaded>,
    pub(super) number: usize,
}

impl<'s> Group<'s> {
    /// Every row group of these segments.
    pub(super) fn all(segments: &'s [Arc<Segment>]) -> Result<Vec<Group<'s>>, StoreError> {
        let mut groups = Vec::new();
        for segment in segments {
            let loaded = segment.load()?;
            for number in 0..loaded.index.row_groups.len() {
                groups.push(Group { segment, loaded: Arc::clone(&loaded), number });
            }
        }
        Ok(groups)
    }

    pub(super) fn rows(&self) -> Rows<'s> {
        Rows::new(self.segment, Arc::clone(&self.loaded), self.number)
    }

    /// How many rows it has.
    pub(super) fn count(&self) -> Result<usize, StoreError> {
        Ok(self.rows().index()?.rows)
    }
}

/// Rows to write as one segment, of which there are some.
pub(super) struct Chosen {
    pub(super) class: Option<String>,
    /// For each row group its rows.
    pub(super) rows: BTreeMap<usize, Bitmap>,
}

/// Writes chosen rows as one segment of the day and age of those that they come from; `None` where it
/// was stopped.
pub(super) fn write(
    directory: &std::path::Path,
    groups: &[Group<'_>],
    chosen: &Chosen,
    trimmed: u32,
    sync: bool,
    stop: &Stop,
) -> Result<Option<Staged>, StoreError> {
    let mut places = Vec::new();
    let mut sources: Vec<Source> = Vec::with_capacity(groups.len());
    let (mut taken, mut day) = (Timestamp::MIN, "");
    for (source, group) in groups.iter().enumerate() {
        let mut left = 0;
        if let Some(bitmap) = chosen.rows.get(&source) {
            let entry = &group.segment.entry;
            (taken, day) = (taken.max(Timestamp::from_micros(entry.taken)), &entry.day);
            let rows = group.rows();
            let chosen = Stretches::of(rows.index()?.rows, bitmap);
            let (created, ids) = (rows.created(&chosen)?, rows.ids(&chosen)?);
            for position in bitmap.rows() {
                let stamps = created.get(position).zip(ids.get(position));
                let (created, id) = stamps.ok_or_else(|| rows.corrupt("a row is missing"))?;
                let (created, id) = (Timestamp::from_micros(created), id.cast_unsigned());
                places.push(Place { created, id, source, position });
                left += 1;
            }
        }
        sources.push(Source { left, columns: None });
    }
    let new = NewSegment { day: day.to_owned(), taken, class: chosen.class.clone(), trimmed };
    let mut fill = |places: &[Place], into: &mut RowGroup| {
        for place in places {
            let (Some(source), Some(group)) =
                (sources.get_mut(place.source), groups.get(place.source))
            else {
                continue;
            };
            source.hand_over(group, place, into)?;
        }
        Ok(())
    };
    stage(directory, new, places, &mut fill, sync, stop)
}

/// A row group's columns, held from its first row to its last.
struct Source {
    left: usize,
    columns: Option<EventColumns>,
}

impl Source {
    fn hand_over(
        &mut self,
        group: &Group<'_>,
        place: &Place,
        into: &mut RowGroup,
    ) -> Result<(), StoreError> {
        let columns = match &mut self.columns {
            Some(columns) => columns,
            none => {
                let rows = group.rows();
                none.insert(rows.columns(&Wanted::All, &rows.all()?)?)
            }
        };
        let corrupt = |reason| StoreError::corrupt(&group.segment.path, reason);
        let event = columns.event(place.position).map_err(corrupt)?;
        let (id, ingested) =
            columns.stored(place.position).ok_or_else(|| corrupt("a row is missing"))?;
        into.push(id, ingested, &event);
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.columns = None;
        }
        Ok(())
    }
}
