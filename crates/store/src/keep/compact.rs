//! Joining small segments of a day: fewer files to open, better compression.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::rewrite::{Chosen, Group, MOST_BYTES, MOST_EVENTS, write};
use super::{Keeper, Work};
use crate::catalog::Change;
use crate::error::StoreError;
use crate::ledger::Cause;
use crate::manifest::Entry;
use crate::segment::bitmap::Bitmap;

/// While a day may still grow, its segments are joined once there are so many: each event is written a
/// few times in all, not once an hour.
const ENOUGH: usize = 8;

/// What was joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Files before.
    pub segments: u64,
    /// Their events, which are in one file now.
    pub events: u64,
    /// Bytes before.
    pub bytes_before: u64,
    /// Bytes now.
    pub bytes_after: u64,
}

impl Keeper {
    /// Joins some small segments of one day into one; `None` where there are none to join. `eager`
    /// joins two of the day that is not over yet, otherwise it takes eight.
    ///
    /// Readers go on as they were; ids, order and contents of events stay as they are.
    ///
    /// # Errors
    /// [`StoreError::Cancelled`], [`StoreError::Corrupt`] where a segment is damaged, otherwise failures
    /// of the disk; all is as before then.
    pub fn compact(&self, eager: bool, work: Work<'_>) -> Result<Option<Compacted>, StoreError> {
        let _alone = self.catalog.work();
        let snapshot = self.catalog.shared.get();
        let entries = snapshot.segments.iter().map(|segment| &segment.entry);
        let Some(numbers) = plan(entries, work.now.day(), eager) else { return Ok(None) };
        let chosen = snapshot.segments.iter();
        let segments: Vec<_> =
            chosen.filter(|one| numbers.contains(&one.entry.number)).map(Arc::clone).collect();
        let groups = Group::all(&segments)?;
        let mut rows = BTreeMap::new();
        for (place, group) in groups.iter().enumerate() {
            rows.insert(place, Bitmap::filled(group.count()?, true));
        }
        let first = segments.first().map(|segment| &segment.entry);
        let chosen = Chosen { class: first.and_then(|entry| entry.class.clone()), rows };
        let trimmed = first.map_or(0, |entry| entry.trimmed);
        let (directory, sync) = (&self.catalog.shared.directory, self.catalog.sync);
        let Some(staged) = write(directory, &groups, &chosen, trimmed, sync, work.stop)? else {
            return Err(StoreError::Cancelled);
        };
        let compacted = Compacted {
            segments: segments.len() as u64,
            events: staged.entry.events,
            bytes_before: segments.iter().map(|segment| segment.entry.size()).sum(),
            bytes_after: staged.entry.size(),
        };
        let change =
            Change { cause: Cause::Compacted, at: work.now, removed: numbers, added: vec![staged] };
        self.catalog.commit(change, |_| {}, |_| {})?;
        Ok(Some(compacted))
    }
}

/// The segments to join next: of the earliest day that has such.
fn plan<'e>(
    entries: impl Iterator<Item = &'e Entry>,
    today: i64,
    eager: bool,
) -> Option<HashSet<u64>> {
    let mut alike: BTreeMap<(&str, Option<&str>, u32), Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        let key = (entry.day.as_str(), entry.class.as_deref(), entry.trimmed);
        alike.entry(key).or_default().push(entry);
    }
    for mut entries in alike.into_values() {
        entries.sort_by_key(|entry| (entry.taken, entry.min_id));
        let is_over = entries.last().is_some_and(|last| last.taken_day() < today);
        let enough = if eager || is_over { 2 } else { ENOUGH };
        if let Some(run) = runs(&entries).into_iter().find(|run| run.len() >= enough) {
            return Some(run);
        }
    }
    None
}

/// Segments that follow each other in the time of taking, as many as may be joined.
fn runs(entries: &[&Entry]) -> Vec<HashSet<u64>> {
    let mut runs: Vec<HashSet<u64>> = Vec::new();
    let mut run = HashSet::new();
    let (mut events, mut bytes, mut day) = (0, 0, 0);
    for entry in entries {
        // One that is large already is not worth it.
        if entry.events > MOST_EVENTS / 2 || entry.bytes > MOST_BYTES / 2 {
            continue;
        }
        let fits = events + entry.events <= MOST_EVENTS
            && bytes + entry.bytes <= MOST_BYTES
            // What is taken on other days has another age.
            && entry.taken_day() <= day + 1;
        if !run.is_empty() && !fits {
            runs.push(std::mem::take(&mut run));
        }
        if run.is_empty() {
            (events, bytes, day) = (0, 0, entry.taken_day());
        }
        events += entry.events;
        bytes += entry.bytes;
        run.insert(entry.number);
    }
    runs.push(run);
    runs
}
