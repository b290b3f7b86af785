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
    /// A bit for each length of the exact texts; the last for all from 63 on.
    exact_lengths: u64,
    /// Whether some literal may occur in the digits of a whole number.
    has_digits: bool,
    starts: Option<Ends>,
    finishes: Option<Ends>,
    inside: Option<Grams<WIDE>>,
    inside_two: Option<Grams<2>>,
    inside_one: Option<Grams<1>>,
}

impl Index {
    /// An index of these signs, each with its key.
    pub(crate) fn new(signs: &[(u32, &Sign)], windows: &Windows) -> Index {
        let mut index = Index::default();
        let (mut starts, mut finishes) = (Vec::new(), Vec::new());
        let (mut inside, mut two, mut one) = (Vec::new(), Vec::new(), Vec::new());
        for (key, sign) in signs {
            index.has_digits |= sign.text().is_some_and(is_of_digits);
            match sign {
                Sign::Present => index.present = Some(*key),
                Sign::Number(bits) => {
                    index.numbers.insert(*bits, *key);
                }
                Sign::Exact(text) => {
                    index.exact.insert(text.clone(), *key);
                    index.exact_lengths |= length_bit(text);
                }
                Sign::Start(text) => starts.push((*key, text.as_ref())),
                Sign::Finish(text) => finishes.push((*key, text.as_ref())),
                Sign::Inside(text) if text.len() >= WIDE => inside.push((*key, text.as_ref())),
                Sign::Inside(text) if text.len() >= 2 => two.push((*key, text.as_ref())),
                Sign::Inside(text) => one.push((*key, text.as_ref())),
            }
        }
        index.starts = Ends::new(End::Start, starts);
        index.finishes = Ends::new(End::Finish, finishes);
        index.inside = Grams::new(inside, windows);
        index.inside_two = Grams::new(two, windows);
        index.inside_one = Grams::new(one, windows);
        index
    }

    /// The key of the field being there.
    pub(crate) fn present(&self) -> Option<u32> {
        self.present
    }

    /// Whether the texts of a value must be looked through.
    pub(crate) fn looks_at_text_of(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Int(_) => self.has_digits,
            Value::Null => false,
            _ => {
                !self.exact.is_empty()
                    || self.starts.is_some()
                    || self.finishes.is_some()
                    || self.inside.is_some()
                    || self.inside_two.is_some()
                    || self.inside_one.is_some()
            }
        }
    }

    /// Whether looking a text through takes longer than comparing it with one that was.
    pub(crate) fn is_worth_remembering(&self) -> bool {
        self.inside.is_some()
    }

    /// Whether nothing is looked up but what is inside of texts.
    pub(crate) fn looks_inside_alone(&self) -> bool {
        self.exact.is_empty()
            && self.starts.is_none()
            && self.finishes.is_none()
            && self.numbers.is_empty()
    }

    /// Calls `found` with the keys that a text in lower case has.
    pub(crate) fn find_text(&self, folded: &str, mut found: impl FnMut(u32)) {
        if self.exact_lengths & length_bit(folded) != 0
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
        if let Some(inside) = &self.inside_two {
            inside.find(bytes, &mut found);
        }
        if let Some(inside) = &self.inside_one {
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
            + self.inside_two.as_ref().map_or(0, Grams::size)
            + self.inside_one.as_ref().map_or(0, Grams::size)
    }
}

fn length_bit(text: &str) -> u64 {
    1 << text.len().min(63)
}

/// Whether the text may be part of a whole number in decimal.
fn is_of_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}
