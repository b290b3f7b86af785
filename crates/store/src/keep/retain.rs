//! Retention: what is removed when, and what is kept longer.
//!
//! Whole days go. What is to stay of a day is written into a segment of its own first, by class. The
//! age of an event counts from the day on which the hub took it: when it happened is what its sender
//! says.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bergfried_event::Timestamp;
use bergfried_query::Predicate;

use super::rewrite::{Chosen, Group, MOST_BYTES, MOST_EVENTS, write};
use super::{Keeper, Work};
use crate::catalog::Change;
use crate::error::StoreError;
use crate::ledger::Cause;
use crate::limits::Limits;
use crate::manifest::Entry;
use crate::segment::bitmap::Bitmap;
use crate::segment::open::Segment;
use crate::segment::write::{Staged, day_name};
use crate::unit::{Matching, Query};

/// What is kept, and how long. An event is kept as long as the class with the most days says that it
/// is in, or as `days` says where it is in none.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// Events are kept for so many days after the day on which they were taken; `None` for ever.
    pub days: Option<u32>,
    /// Where all segments have more bytes than this, the earliest days go before their time: first
    /// what is in no class that is kept longer, then those. The latest day stays.
    pub size: Option<u64>,
    /// Events that are kept longer or shorter than others.
    pub classes: Vec<RetentionClass>,
}

/// Events that are kept longer or shorter than others.
#[derive(Clone, Debug)]
pub struct RetentionClass {
    /// Its name.
    pub name: String,
    /// How many days; `None` for ever.
    pub days: Option<u32>,
    /// Which events.
    pub what: Kept,
}

/// Which events are in a class.
#[derive(Clone, Debug)]
pub enum Kept {
    /// Those that match.
    Matching(Predicate),
    /// Those of the ids that are given to [`Keeper::retain`].
    Listed,
}

/// What one call of [`Keeper::retain`] removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// The day whose events they were, as `2026-11-21`.
    pub day: String,
    /// Why, for a person.
    pub why: String,
    /// Events that were removed.
    pub events: u64,
    /// Events of the same segments that stay.
    pub kept: u64,
    /// Bytes that became free.
    pub bytes: u64,
}

/// What retention looks at next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The day on which the hub took the events.
    pub taken: String,
    /// The day on which it is time.
    pub due: String,
    /// Events that are in the segments then looked at.
    pub events: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A class by its place; past the end, no class.
type ClassPlace = usize;

impl Retention {
    /// The ages at which anything is removed.
    fn ages(&self) -> BTreeSet<u32> {
        self.classes.iter().map(|class| class.days).chain([self.days]).flatten().collect()
    }

    /// The age up to which retention must have looked at a segment that is `age` days old.
    fn looked_at(&self, age: i64) -> u32 {
        let ages = self.ages();
        ages.into_iter().rev().find(|days| i64::from(*days) < age).unwrap_or(0)
    }

    /// The days that events of a class are kept; of none, past the end.
    fn days_of(&self, class: ClassPlace) -> Option<u32> {
        self.classes.get(class).map_or(self.days, |class| class.days)
    }

    /// The name that a segment of this class bears: that of none where it is not kept longer.
    fn name_of(&self, class: ClassPlace) -> Option<String> {
        let class = self.classes.get(class)?;
        is_longer(class.days, self.days).then(|| class.name.clone())
    }
}

fn is_longer(days: Option<u32>, than: Option<u32>) -> bool {
    match (days, than) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(days), Some(than)) => days > than,
    }
}

/// Segments to look at together, and what for.
struct Task {
    segments: Vec<Arc<Segment>>,
    why: String,
    /// Events that are kept fewer days go.
    keeps: Keeps,
    trimmed: u32,
}

#[derive(Clone, Copy)]
enum Keeps {
    /// What may be so many days old.
    Aged(i64),
    /// What is in a class that is kept longer than others.
    Classes,
    Nothing,
}

impl Keeper {
    /// Removes what is due of some segments of one day; `None` where nothing is due. `listed` are the
    /// ids of [`Kept::Listed`], ascending.
    ///
    /// # Errors
    /// [`StoreError::Cancelled`], [`StoreError::Corrupt`] where a segment is damaged, otherwise failures
    /// of the disk; all is as before then.
    pub fn retain(
        &self,
        retention: &Retention,
        listed: &[u64],
        work: Work<'_>,
    ) -> Result<Option<Removed>, StoreError> {
        let _alone = self.catalog.work();
        loop {
            if work.stop.is_set() {
                return Err(StoreError::Cancelled);
            }
            let snapshot = self.catalog.shared.get();
            let task = next_by_age(&snapshot.segments, retention, work.now)
                .or_else(|| next_by_size(&snapshot.segments, retention));
            let Some(task) = task else { return Ok(None) };
            if let Some(removed) = self.remove(&task, retention, listed, work)? {
                return Ok(Some(removed));
            }
        }
    }

    /// Whether there is anything to look at, so that [`Keeper::retain`] is worth what it needs.
    pub fn is_due(&self, retention: &Retention, now: Timestamp) -> bool {
        let segments = self.catalog.shared.get().segments;
        next_by_age(&segments, retention, now).is_some()
            || next_by_size(&segments, retention).is_some()
    }

    /// What retention looks at next because of its age, and when.
    pub fn due(&self, retention: &Retention) -> Option<Due> {
        let ages = retention.ages();
        let mut first: Option<(i64, i64)> = None;
        let mut sums: HashMap<(i64, i64), (u64, u64)> = HashMap::new();
        for entry in &self.catalog.manifest().segments {
            let Some(days) = ages.range(entry.trimmed + 1..).next() else { continue };
            let key = (entry.taken_day() + i64::from(*days) + 1, entry.taken_day());
            first = Some(first.map_or(key, |first| first.min(key)));
            let sum = sums.entry(key).or_default();
            *sum = (sum.0 + entry.events, sum.1 + entry.size());
        }
        let (due, taken) = first?;
        let (events, bytes) = sums.get(&(due, taken)).copied()?;
        Some(Due { taken: day_name(taken), due: day_name(due), events, bytes })
    }

    /// Removes what the task says; `None` where that was nothing.
    fn remove(
        &self,
        task: &Task,
        retention: &Retention,
        listed: &[u64],
        work: Work<'_>,
    ) -> Result<Option<Removed>, StoreError> {
        let numbers: HashSet<u64> = task.segments.iter().map(|one| one.entry.number).collect();
        let before: u64 = task.segments.iter().map(|one| one.entry.events).sum();
        let groups = Group::all(&task.segments)?;
        let chosen = choose(&groups, task.keeps, retention, listed)?;
        let kept: u64 = chosen
            .iter()
            .flat_map(|chosen| chosen.rows.values())
            .map(|rows| rows.count() as u64)
            .sum();
        if kept == before && matches!(task.keeps, Keeps::Aged(_)) {
            // Nothing goes: that it was looked at is all there is to note.
            let nothing = Change {
                cause: Cause::Expired(String::new()),
                at: work.now,
                removed: HashSet::new(),
                added: Vec::new(),
            };
            let note = |entries: &mut Vec<Entry>| {
                for entry in entries.iter_mut().filter(|entry| numbers.contains(&entry.number)) {
                    entry.trimmed = task.trimmed;
                }
            };
            self.catalog.commit(nothing, |manifest| note(&mut manifest.segments), |_| {})?;
            return Ok(None);
        }
        let (directory, sync) = (&self.catalog.shared.directory, self.catalog.sync);
        let mut added: Vec<Staged> = Vec::new();
        for chosen in &chosen {
            let written = write(directory, &groups, chosen, task.trimmed, sync, work.stop)?;
            added.push(written.ok_or(StoreError::Cancelled)?);
        }
        let size =
            |entries: &mut dyn Iterator<Item = &Entry>| entries.map(Entry::size).sum::<u64>();
        let bytes_before = size(&mut task.segments.iter().map(|one| &one.entry));
        let bytes_after = size(&mut added.iter().map(|staged| &staged.entry));
        let day = task.segments.first().map(|one| one.entry.day.clone()).unwrap_or_default();
        let why = task.why.clone();
        let change =
            Change { cause: Cause::Expired(why.clone()), at: work.now, removed: numbers, added };
        self.catalog.commit(change, |_| {}, |_| {})?;
        let bytes = bytes_before.saturating_sub(bytes_after);
        Ok(Some(Removed { day, why, events: before - kept, kept, bytes }))
    }
}

/// The rows that stay, by the class of the segment that they go into.
fn choose(
    groups: &[Group<'_>],
    keeps: Keeps,
    retention: &Retention,
    listed: &[u64],
) -> Result<Vec<Chosen>, StoreError> {
    let mut chosen: BTreeMap<Option<String>, BTreeMap<usize, Bitmap>> = BTreeMap::new();
    let stays = |class: ClassPlace| match keeps {
        Keeps::Aged(age) => retention.days_of(class).is_none_or(|days| i64::from(days) >= age),
        Keeps::Classes => retention.name_of(class).is_some(),
        Keeps::Nothing => false,
    };
    // The class that keeps an event longest is asked first; what it has, no other asks for.
    let mut order: Vec<ClassPlace> = (0..retention.classes.len()).collect();
    order.sort_by_key(|class| {
        std::cmp::Reverse(retention.days_of(*class).map_or(u64::MAX, u64::from))
    });
    if (0..=retention.classes.len()).any(stays) {
        for (place, group) in groups.iter().enumerate() {
            let mut left = Bitmap::filled(group.count()?, true);
            for class in &order {
                let Some(inside) = retention.classes.get(*class) else { continue };
                if left.is_empty() {
                    break;
                }
                let rows = within(group, &inside.what, listed)?.and(&left);
                left = left.and(&rows.clone().not());
                if stays(*class) && !rows.is_empty() {
                    add(&mut chosen, retention.name_of(*class), place, rows);
                }
            }
            if stays(retention.classes.len()) && !left.is_empty() {
                add(&mut chosen, None, place, left);
            }
        }
    }
    Ok(chosen.into_iter().map(|(class, rows)| Chosen { class, rows }).collect())
}

fn add(
    chosen: &mut BTreeMap<Option<String>, BTreeMap<usize, Bitmap>>,
    class: Option<String>,
    place: usize,
    rows: Bitmap,
) {
    let groups = chosen.entry(class).or_default();
    let rows = match groups.remove(&place) {
        Some(before) => before.or(&rows),
        None => rows,
    };
    groups.insert(place, rows);
}

/// The rows of a row group that are in a class.
fn within(group: &Group<'_>, what: &Kept, listed: &[u64]) -> Result<Bitmap, StoreError> {
    match what {
        Kept::Matching(predicate) => {
            let limits = Limits::default();
            let query = Query::new(predicate, Timestamp::MIN, Timestamp::MAX, &[], &limits);
            Matching::new(&query, group.segment, &group.loaded, group.number)?.all(&query)
        }
        Kept::Listed => {
            let rows = group.rows();
            let index = rows.index()?;
            let (first, last) = index.ids;
            let from = listed.partition_point(|id| *id < first);
            let to = listed.partition_point(|id| *id <= last);
            let Some(some) = listed.get(from..to).filter(|some| !some.is_empty()) else {
                return Ok(Bitmap::filled(index.rows, false));
            };
            let ids = rows.ids(&rows.all()?)?;
            let is_listed = |id: Option<i64>| {
                id.is_some_and(|id| some.binary_search(&id.cast_unsigned()).is_ok())
            };
            Ok(Bitmap::of(ids.iter().map(is_listed), index.rows))
        }
    }
}

/// The segments that are due by their age, of the earliest day that has such.
fn next_by_age(segments: &[Arc<Segment>], retention: &Retention, now: Timestamp) -> Option<Task> {
    let looked_at = |entry: &Entry| retention.looked_at(now.day() - entry.taken_day());
    let due = segments.iter().filter(|one| looked_at(&one.entry) > one.entry.trimmed);
    let first = due.clone().min_by_key(|one| (one.entry.taken_day(), one.entry.day.clone()))?;
    let (trimmed, age) = (looked_at(&first.entry), now.day() - first.entry.taken_day());
    let alike = due.filter(|one| is_alike(&one.entry, &first.entry));
    let why = format!("taken {age} days ago, looked at after {trimmed}");
    Some(Task { segments: some_of(alike), why, keeps: Keeps::Aged(age), trimmed })
}

/// The segments that go because there is too much.
fn next_by_size(segments: &[Arc<Segment>], retention: &Retention) -> Option<Task> {
    let limit = retention.size?;
    let size: u64 = segments.iter().map(|one| one.entry.size()).sum();
    let latest = segments.iter().map(|one| one.entry.taken_day()).max()?;
    if size <= limit {
        return None;
    }
    let earlier = segments.iter().filter(|one| one.entry.taken_day() < latest);
    let rank = |entry: &Entry| (entry.class.is_some(), entry.taken_day(), entry.day.clone());
    let first = earlier.clone().min_by_key(|one| rank(&one.entry))?;
    let alike = earlier.filter(|one| is_alike(&one.entry, &first.entry));
    let why = format!("{size} bytes, at most {limit}");
    let keeps = if first.entry.class.is_some() { Keeps::Nothing } else { Keeps::Classes };
    Some(Task { segments: some_of(alike), why, keeps, trimmed: first.entry.trimmed })
}

fn is_alike(one: &Entry, other: &Entry) -> bool {
    let key = |entry: &Entry| (entry.taken_day(), entry.trimmed);
    one.day == other.day && one.class == other.class && key(one) == key(other)
}

/// As many of them as are looked at together.
fn some_of<'s>(segments: impl Iterator<Item = &'s Arc<Segment>>) -> Vec<Arc<Segment>> {
    let (mut events, mut bytes) = (0, 0);
    let fits = |segment: &&Arc<Segment>| {
        let is_first = events == 0;
        events += segment.entry.events;
        bytes += segment.entry.bytes;
        is_first || events <= MOST_EVENTS && bytes <= MOST_BYTES
    };
    segments.take_while(fits).map(Arc::clone).collect()
}
