//! Which groups rows are in.

use super::dictionary::{Dictionary, MOST, Map};
use super::source::{Found, Source};
use super::{Key, MAX_KEYS};
use crate::segment::pages::ABSENT;

/// Groups of a row group are looked up by their codes up to so many combinations of these.
const COMBINATIONS: usize = 1 << 17;
/// Lists of several keys put a row in the groups of all their combinations, but in no more.
const MAX_GROUPS_OF_ROW: usize = 1 << 20;
/// Neither a number of a dictionary nor of a group.
const UNKNOWN: u32 = u32::MAX;
/// A code of several values, or of none.
const SEVERAL: u32 = MOST + 1;

/// The numbers of a group's values in the dictionaries of its keys.
type Values = [u32; MAX_KEYS];

/// All groups so far.
pub(super) struct Groups {
    dictionaries: Vec<Dictionary>,
    numbers: Map<Values, u32>,
    values: Vec<Values>,
}

impl Groups {
    pub(super) fn new(by: &[Key]) -> Self {
        let dictionaries = by.iter().map(|key| match key {
            Key::Field(_) => Dictionary::of_texts(),
            Key::Time(_) => Dictionary::of_times(),
        });
        let dictionaries = dictionaries.collect();
        let mut groups = Groups { dictionaries, numbers: Map::default(), values: Vec::new() };
        if by.is_empty() {
            // The one group of all is there without events, too.
            groups.number([0; MAX_KEYS]);
        }
        groups
    }

    /// How many groups.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Bytes of memory, near enough.
    pub(super) fn size(&self) -> usize {
        let group = 3 * size_of::<Values>();
        let dictionaries = self.dictionaries.iter().map(Dictionary::size).sum::<usize>();
        self.values.len() * group + dictionaries
    }

    fn number(&mut self, values: Values) -> u32 {
        let next = u32::try_from(self.values.len()).unwrap_or(MOST).min(MOST);
        *self.numbers.entry(values).or_insert_with(|| {
            self.values.push(values);
            next
        })
    }

    /// The one group that the time is in, where time is the only key.
    pub(super) fn of_time(&mut self, start: i64) -> u32 {
        let mut values = [0; MAX_KEYS];
        if let (Some(value), Some(times)) = (values.first_mut(), self.dictionaries.first_mut()) {
            *value = times.time(start);
        }
        self.number(values)
    }

    /// Takes in the groups of another; the numbers that these have here, by those they had there.
    pub(super) fn join(&mut self, other: &Groups) -> Vec<u32> {
        let pairs = self.dictionaries.iter_mut().zip(&other.dictionaries);
        let maps: Vec<Vec<u32>> = pairs.map(|(mine, theirs)| mine.join(theirs)).collect();
        let here = |values: &Values| {
            let mut values = *values;
            for (value, map) in values.iter_mut().zip(&maps) {
                *value = map.get(*value as usize).copied().unwrap_or(MOST);
            }
            values
        };
        other.values.iter().map(|values| self.number(here(values))).collect()
    }

    /// The values of each group's keys.
    pub(super) fn into_keys(self) -> Vec<Vec<bergfried_event::Value<'static>>> {
        let keys: Vec<_> = self.dictionaries.into_iter().map(Dictionary::into_values).collect();
        let row = |values: &Values| {
            let pairs = keys.iter().zip(values);
            pairs.filter_map(|(key, number)| key.get(*number as usize).cloned()).collect()
        };
        self.values.iter().map(row).collect()
    }
}

/// Finds the groups of the rows of one batch.
pub(super) struct Finder<'s> {
    sources: &'s [Source],
    /// For each key and code the number of its value, [`UNKNOWN`] or [`SEVERAL`].
    numbers: Vec<Vec<u32>>,
    /// The numbers of the values of codes that have not just one.
    several: Map<(usize, u32), Vec<u32>>,
    /// Groups by the codes of their keys, where these have few combinations.
    known: Vec<u32>,
}

impl<'s> Finder<'s> {
    pub(super) fn new(sources: &'s [Source]) -> Self {
        let numbers = sources.iter().map(|source| vec![UNKNOWN; source.codes()]).collect();
        let combinations = sources
            .iter()
            .try_fold(1_usize, |product, source| product.checked_mul(source.codes()))
            .filter(|combinations| *combinations <= COMBINATIONS);
        let known = vec![UNKNOWN; combinations.unwrap_or(0)];
        Finder { sources, numbers, several: Map::default(), known }
    }

    /// Adds the row with each of its groups to `pairs`; false where it has too many of them.
    pub(super) fn find(
        &mut self,
        groups: &mut Groups,
        row: usize,
        pairs: &mut Vec<(usize, u32)>,
    ) -> Result<bool, &'static str> {
        let mut place = 0;
        let mut codes = [ABSENT; MAX_KEYS];
        for (code, source) in codes.iter_mut().zip(self.sources) {
            *code = source.code(row);
            if *code == ABSENT {
                return Ok(true);
            }
            place = place * source.codes() + *code as usize;
        }
        if let Some(group) = self.known.get(place)
            && *group != UNKNOWN
        {
            pairs.push((row, *group));
            return Ok(true);
        }
        let mut values = [0; MAX_KEYS];
        let mut single = true;
        for (key, code) in codes.iter().take(self.sources.len()).enumerate() {
            let number = self.value(groups, key, *code)?;
            single &= number != SEVERAL;
            if let Some(value) = values.get_mut(key) {
                *value = number;
            }
        }
        if single {
            let group = groups.number(values);
            if let Some(known) = self.known.get_mut(place) {
                *known = group;
            }
            pairs.push((row, group));
            return Ok(true);
        }
        let mut all = vec![values];
        for (key, code) in codes.iter().take(self.sources.len()).enumerate() {
            let Some(several) = self.several.get(&(key, *code)) else { continue };
            let each = |values: Values| {
                several.iter().map(move |number| {
                    let mut values = values;
                    if let Some(value) = values.get_mut(key) {
                        *value = *number;
                    }
                    values
                })
            };
            if all.len().saturating_mul(several.len()) > MAX_GROUPS_OF_ROW {
                return Ok(false);
            }
            all = all.into_iter().flat_map(each).collect();
        }
        pairs.extend(all.into_iter().map(|values| (row, groups.number(values))));
        Ok(true)
    }

    /// The number of the value of a key's code.
    fn value(&mut self, groups: &mut Groups, key: usize, code: u32) -> Result<u32, &'static str> {
        let known = self.numbers.get_mut(key).and_then(|numbers| numbers.get_mut(code as usize));
        let (Some(known), Some(source), Some(dictionary)) =
            (known, self.sources.get(key), groups.dictionaries.get_mut(key))
        else {
            return Err("a code has no text");
        };
        if *known != UNKNOWN {
            return Ok(*known);
        }
        let mut found = Vec::new();
        source.values(code as usize, |value| {
            found.push(match (value, &mut *dictionary) {
                (Found::Time(micros), times @ Dictionary::Times(_)) => times.time(micros),
                (value, texts) => value.text(|text| texts.text(text)),
            });
        })?;
        found.sort_unstable();
        found.dedup();
        *known = match found.as_slice() {
            [one] => *one,
            _ => {
                self.several.insert((key, code), found);
                SEVERAL
            }
        };
        Ok(*known)
    }
}
