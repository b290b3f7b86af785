//! The keys of one slot, each kind in the structure that finds it fastest.

use std::collections::HashMap;

use bergfried_event::Value;
use bergfried_query::number;
use foldhash::fast::FixedState;

use crate::ends::{End, Ends};
use crate::grams::{Grams, Windows};
use crate::key::{Sign, number_bits};

/// Literals from this length on are found four bytes at a time.
const WIDE: usize = 4;

/// The keys of one slot.
#[derive(Debug, Default)]
pub(crate) struct Index {
    present: Option<u32>,
    numbers: HashMap<u64, u32, FixedState>,
    exact: HashMap<Box<str>, u32, FixedState>,
    starts: Option<Ends>,
    finishes: Option<Ends>,
    inside: Option<Grams<WIDE>>,
    inside_short: Option<Grams<2>>,
}

impl Index {
    /// An index of these signs, each with its key.
    pub(crate) fn new(signs: &[(u32, &Sign)], windows: &Windows) -> Index {
        let mut index = Index::default();
        let (mut starts, mut finishes) = (Vec::new(), Vec::new());
        let (mut inside, mut inside_short) = (Vec::new(), Vec::new());
        for (key, sign) in signs {
            match sign {
                Sign::Present => index.present = Some(*key),
                Sign::Number(bits) => {
                    index.numbers.insert(*bits, *key);
                }
                Sign::Exact(text) => {
                    index.exact.insert(text.clone(), *key);
                }
                Sign::Start(text) => starts.push((*key, text.as_ref())),
                Sign::Finish(text) => finishes.push((*key, text.as_ref())),
                Sign::Inside(text) if text.len() >= WIDE => inside.push((*key, text.as_ref())),
                Sign::Inside(text) => inside_short.push((*key, text.as_ref())),
            }
        }
        index.starts = Ends::new(End::Start, starts);
        index.finishes = Ends::new(End::Finish, finishes);
        index.inside = Grams::new(inside, windows);
        index.inside_short = Grams::new(inside_short, windows);
        index
    }

    /// The key of the field being there.
    pub(crate) fn present(&self) -> Option<u32> {
        self.present
    }

    /// Whether texts must be looked through.
    pub(crate) fn looks_at_text(&self) -> bool {
        !self.exact.is_empty()
            || self.starts.is_some()
            || self.finishes.is_some()
            || self.inside.is_some()
            || self.inside_short.is_some()
    }

    /// Calls `found` with the keys that a text in lower case has.
    pub(crate) fn find_text(&self, folded: &str, mut found: impl FnMut(u32)) {
        if !self.exact.is_empty()
            && let Some(key) = self.exact.get(folded)
        {
            found(*key);
        }
        let bytes = folded.as_bytes();
        if let Some(starts) = &self.starts {
            starts.find(bytes, &mut found);
        }
        if let Some(finishes) = &self.finishes {
            finishes.find(bytes, &mut found);
        }
        if let Some(inside) = &self.inside {
            inside.find(bytes, &mut found);
        }
        if let Some(inside) = &self.inside_short {
            inside.find(bytes, &mut found);
        }
    }

    /// Calls `found` with the keys of the numbers that a value is.
    pub(crate) fn find_number(&self, value: &Value<'_>, found: &mut impl FnMut(u32)) {
        if self.numbers.is_empty() {
            return;
        }
        match value {
            Value::List(values) => {
                for value in values {
                    self.find_number(value, found);
                }
            }
            value => {
                let key = number(value).and_then(|number| self.numbers.get(&number_bits(number)));
                if let Some(key) = key {
                    found(*key);
                }
            }
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let exact: usize = self.exact.keys().map(|text| text.len()).sum();
        exact
            + self.exact.capacity() * 25
            + self.numbers.capacity() * 17
            + self.starts.as_ref().map_or(0, Ends::size)
            + self.finishes.as_ref().map_or(0, Ends::size)
            + self.inside.as_ref().map_or(0, Grams::size)
            + self.inside_short.as_ref().map_or(0, Grams::size)
    }
}
