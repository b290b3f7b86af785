//! Numbers for the different values of a key or figure, so that groups are of numbers, not of texts.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use bergfried_event::Value;

use crate::text_hash::TextHasher;

/// A map of what is short and lives no longer than one call.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<TextHasher>>;

/// The most numbers of one dictionary; those above mean something else where they are used.
pub(super) const MOST: u32 = u32::MAX - 2;

/// What an entry takes beside its text, near enough.
const ENTRY: usize = 48;

/// The values of one key, or of one figure, numbered from 0 on as they come.
#[derive(Debug)]
pub(super) enum Dictionary {
    /// Texts.
    Texts { numbers: Map<Box<str>, u32>, bytes: usize },
    /// Times, in microseconds.
    Times(Map<i64, u32>),
}

impl Dictionary {
    pub(super) fn of_texts() -> Self {
        Dictionary::Texts { numbers: Map::default(), bytes: 0 }
    }

    pub(super) fn of_times() -> Self {
        Dictionary::Times(Map::default())
    }

    /// The number of a text.
    pub(super) fn text(&mut self, text: &str) -> u32 {
        let Dictionary::Texts { numbers, bytes } = self else { return MOST };
        if let Some(number) = numbers.get(text) {
            return *number;
        }
        let number = next(numbers.len());
        *bytes += text.len() + ENTRY;
        numbers.insert(text.into(), number);
        number
    }

    /// The number of a time.
    pub(super) fn time(&mut self, micros: i64) -> u32 {
        let Dictionary::Times(numbers) = self else { return MOST };
        let number = next(numbers.len());
        *numbers.entry(micros).or_insert(number)
    }

    /// Bytes of memory, near enough.
    pub(super) fn size(&self) -> usize {
        match self {
            Dictionary::Texts { bytes, .. } => *bytes,
            Dictionary::Times(numbers) => numbers.len() * ENTRY,
        }
    }

    /// Takes in the values of another; the numbers that these have here, by those they had there.
    pub(super) fn join(&mut self, other: &Dictionary) -> Vec<u32> {
        match other {
            Dictionary::Texts { numbers, .. } => {
                let mut here = vec![0; numbers.len()];
                for (text, number) in numbers {
                    if let Some(place) = here.get_mut(*number as usize) {
                        *place = self.text(text);
                    }
                }
                here
            }
            Dictionary::Times(numbers) => {
                let mut here = vec![0; numbers.len()];
                for (micros, number) in numbers {
                    if let Some(place) = here.get_mut(*number as usize) {
                        *place = self.time(*micros);
                    }
                }
                here
            }
        }
    }

    /// The values by their numbers.
    pub(super) fn into_values(self) -> Vec<Value<'static>> {
        fn ordered<K>(
            numbers: Map<K, u32>,
            value: impl Fn(K) -> Value<'static>,
        ) -> Vec<Value<'static>> {
            let mut values = vec![Value::Null; numbers.len()];
            for (key, number) in numbers {
                if let Some(place) = values.get_mut(number as usize) {
                    *place = value(key);
                }
            }
            values
        }
        match self {
            Dictionary::Texts { numbers, .. } => {
                ordered(numbers, |text| Value::from(text.into_string()))
            }
            Dictionary::Times(numbers) => ordered(numbers, Value::Int),
        }
    }
}

/// The number after so many. The limit on memory is reached long before the numbers are used up.
fn next(known: usize) -> u32 {
    u32::try_from(known).unwrap_or(MOST).min(MOST)
}
