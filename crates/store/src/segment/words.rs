//! Which stretches of a row group may have a word in a message, or a value of a field that people
//! pivot on: a filter like that of the row group, in which each is entered together with the number of
//! its stretch.
//!
//! Of a word that few lines have it leaves a page or two of messages to read, where the row group's
//! filter alone would leave all of them. Short numbers (ports, process ids) are left out: they would
//! be most of the filter, and nearly every stretch has them.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use super::filter::{Hashed, bloom};
use super::stretch::STRETCH;

const BITS_PER_WORD: usize = 8;
const SHORT_NUMBER: usize = 5;

/// The hash of a word or value in a stretch.
pub(crate) fn in_stretch(hash: u64, stretch: usize) -> u64 {
    let stretch = (stretch as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (hash ^ stretch).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

/// Whether a word is among those that are told of each stretch.
pub(crate) fn is_told(word: &str) -> bool {
    word.len() > SHORT_NUMBER || !word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Collects the words and values of one row group.
#[derive(Default)]
pub(crate) struct WordsBuilder {
    stretch: usize,
    /// Of the stretch that is being filled.
    known: HashSet<u64, BuildHasherDefault<Hashed>>,
    hashes: Vec<u64>,
}

impl WordsBuilder {
    /// Adds a value, or a word that [`is_told`], of a row; rows come ascending.
    pub(crate) fn add(&mut self, row: usize, hash: u64) {
        if row / STRETCH != self.stretch {
            self.stretch = row / STRETCH;
            self.known.clear();
        }
        if self.known.insert(hash) {
            self.hashes.push(in_stretch(hash, self.stretch));
        }
    }

    /// The filter's bytes.
    pub(crate) fn build(self) -> Vec<u8> {
        bloom(self.hashes.into_iter(), BITS_PER_WORD)
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::may_contain;
    use super::*;

    #[test]
    fn words_are_told_of_their_stretch() {
        let mut builder = WordsBuilder::default();
        let hash = |row: usize| 0x1234_5678_9abc_def1_u64.wrapping_mul(row as u64 + 1);
        for row in 0..4 * STRETCH {
            builder.add(row, hash(row));
        }
        let filter = builder.build();
        let mut wrong = 0;
        for row in 0..4 * STRETCH {
            for stretch in 0..4 {
                let may = may_contain(&filter, in_stretch(hash(row), stretch));
                assert!(may || stretch != row / STRETCH, "{row}");
                wrong += usize::from(may && stretch != row / STRETCH);
            }
        }
        assert!(wrong < 12 * STRETCH / 20, "{wrong}");
        assert!(is_told("a1") && is_told("123456") && !is_told("65535") && is_told("10.0.0.1"));
    }
}
