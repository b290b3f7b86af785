//! State by group: a map that forgets the least recently used when there are too many.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use bergfried_event::{Event, Field, FieldName};

/// Two generations of entries. One that is used moves to the young generation; when that holds half
/// of the cap, the old one is dropped whole. So at least the most recent half of the cap is kept, at
/// constant cost for each use.
#[derive(Debug)]
pub(super) struct Groups<V> {
    young: HashMap<Box<str>, V>,
    old: HashMap<Box<str>, V>,
    half: usize,
    evicted: u64,
}

impl<V> Groups<V> {
    pub(super) fn new(cap: usize) -> Self {
        Groups { young: HashMap::new(), old: HashMap::new(), half: (cap / 2).max(1), evicted: 0 }
    }

    /// The entry of this key, made where there is none; true where it was made.
    ///
    /// What had to be forgotten for it goes to `forget`.
    pub(super) fn entry(
        &mut self,
        key: &str,
        make: impl FnOnce() -> V,
        forget: impl FnMut(V),
    ) -> (&mut V, bool) {
        let mut made = false;
        if !self.young.contains_key(key) {
            let (key, value) = self.old.remove_entry(key).unwrap_or_else(|| {
                made = true;
                (key.into(), make())
            });
            if self.young.len() >= self.half {
                let dropped = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
                self.evicted = self.evicted.saturating_add(dropped.len() as u64);
                dropped.into_values().for_each(forget);
            }
            return (self.young.entry(key).or_insert(value), made);
        }
        // Just found; `or_insert_with` only spares a panic.
        (self.young.entry(key.into()).or_insert_with(make), made)
    }

    /// Forgets the entries that were not used since the last turn; they are over, not evicted.
    pub(super) fn turn(&mut self, forget: impl FnMut(V)) {
        let over = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        over.into_values().for_each(forget);
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.young.values_mut().chain(self.old.values_mut())
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }
}

/// Writes the key of the event's group into `key`; false where the event lacks one of the fields.
pub(super) fn write_key(
    event: &Event<'_>,
    fields: &[FieldName<'static>],
    key: &mut String,
) -> bool {
    key.clear();
    for field in fields {
        let Some(text) = value(event, field) else { return false };
        // The length keeps `a`, `bc` and `ab`, `c` apart whatever the texts hold.
        if write!(key, "{}:{text}", text.len()).is_err() {
            return false;
        }
    }
    true
}

/// The most bytes of a value that are remembered; longer ones that begin alike are one.
const MAX_VALUE: usize = 256;

/// The text of a field to group by or to count; `None` where it is absent, null or empty. Lines of
/// a file that names no host are of one host all the same.
///
/// `source.ip` stands for `source.address` where the log has only a name.
pub(super) fn value<'e>(event: &'e Event<'_>, field: &FieldName<'_>) -> Option<Cow<'e, str>> {
    let found = match event.get_named(field) {
        None if *field == FieldName::Known(Field::SourceIp) => event.get(Field::SourceAddress),
        found => found,
    };
    let may_be_empty = *field == FieldName::Known(Field::HostName);
    found
        .map(bergfried_event::Value::to_text)
        .map(cut)
        .filter(|text| may_be_empty || !text.is_empty())
}

fn cut(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= MAX_VALUE {
        return text;
    }
    let end = text.floor_char_boundary(MAX_VALUE);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or_default()),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_are_forgotten_and_counted() {
        let mut groups = Groups::new(4);
        let mut forgotten = Vec::new();
        for key in ["a", "b", "a", "c", "a", "d", "e", "a"] {
            let (value, _) = groups.entry(key, || (key, 0), |value| forgotten.push(value));
            value.1 += 1;
        }
        assert_eq!(forgotten, [("b", 1), ("c", 1)]);
        assert_eq!(groups.evicted(), 2);
        let (value, made) = groups.entry("a", || ("a", 0), |_| {});
        assert_eq!((*value, made), (("a", 4), false));
    }
}
