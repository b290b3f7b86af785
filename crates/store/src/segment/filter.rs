//! What a row group may contain: a split-block Bloom filter over words and over values of the
//! fields that people pivot on.
//!
//! A filter may say yes wrongly (about 1 in 100) and never no wrongly. Words are cut by
//! [`bergfried_query::tokens`] from the lower-cased text; a dotted quad of numbers counts as one
//! word more, because its four numbers by themselves occur everywhere.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::net::IpAddr;

use bergfried_event::Field;
use bergfried_query::{fold, tokens};

const BLOCK: usize = 32;
const BITS_PER_VALUE: usize = 11;
const LANES: usize = 8;
/// The multipliers of the split-block Bloom filter in the Parquet format ("Bloom Filter").
const SALTS: [u32; LANES] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

const WORD: u64 = 1;
const QUAD: u64 = 2;
const ADDRESS: u64 = 3;
const FIELD: u64 = 0x100;

/// The hash of bytes under a kind: FNV-1a with a final mix.
fn hash(kind: u64, bytes: impl Iterator<Item = u8>) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325 ^ kind.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in bytes {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    state ^= state >> 33;
    state = state.wrapping_mul(0xff51_afd7_ed55_8ccd);
    state ^= state >> 33;
    state = state.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    state ^ (state >> 33)
}

/// The hash of a whole value of a field, given in lower case.
pub(crate) fn value_hash(field: Field, folded: &str) -> u64 {
    let name = hash(FIELD, field.name().bytes());
    hash(name, folded.bytes())
}

/// The hash of an address in any field of addresses.
pub(crate) fn address_hash(field: Field, address: IpAddr) -> u64 {
    let name = hash(ADDRESS, field.name().bytes());
    match address.to_canonical() {
        IpAddr::V4(address) => hash(name, address.octets().into_iter()),
        IpAddr::V6(address) => hash(name, address.octets().into_iter()),
    }
}

/// Calls `each` with the hash and the byte range of every word and dotted quad of a lower-cased text.
pub(crate) fn word_hashes(folded: &str, mut each: impl FnMut(u64, usize, usize)) {
    let bytes = folded.as_bytes();
    // Starts of the last numbers that hang together by single dots.
    let mut numbers: [usize; 4] = [0; 4];
    let mut run = 0_usize;
    let mut previous_end = usize::MAX;
    for (start, end) in tokens::ranges(folded) {
        let word = bytes.get(start..end).unwrap_or_default();
        each(hash(WORD, word.iter().copied()), start, end);
        if word.len() > 3 || !word.iter().all(u8::is_ascii_digit) {
            run = 0;
            continue;
        }
        let follows = start == previous_end.wrapping_add(1)
            && bytes.get(previous_end).is_some_and(|byte| *byte == b'.');
        run = if follows { run + 1 } else { 1 };
        numbers.rotate_left(1);
        if let Some(last) = numbers.last_mut() {
            *last = start;
        }
        previous_end = end;
        if run >= 4
            && let Some(first) = numbers.first()
        {
            let quad = bytes.get(*first..end).unwrap_or_default();
            each(hash(QUAD, quad.iter().copied()), *first, end);
        }
    }
}

/// Calls `each` with the hash of every word that a search may look for in a text, and the word.
pub(crate) fn each_word(text: &str, mut each: impl FnMut(u64, &str)) {
    let mut told = |folded: &str| {
        word_hashes(folded, |hash, start, end| {
            each(hash, folded.get(start..end).unwrap_or_default());
        });
    };
    told(&fold(text));
    if !text.is_ascii() {
        // Beyond ASCII, lower-casing a whole text and its words apart can differ; searches that mind
        // case look for the latter.
        tokens::words(text).for_each(|word| told(&fold(word)));
    }
}

/// A hasher for keys that are hashes already.
#[derive(Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, bytes.iter().copied());
    }

    fn write_u64(&mut self, hashed: u64) {
        self.0 = hashed;
    }
}

/// Collects what a row group contains.
pub(crate) struct FilterBuilder {
    hashes: HashSet<u64, BuildHasherDefault<Hashed>>,
    /// Hashes seen lately, by their low bits: most words of a log repeat at once.
    recent: Vec<u64>,
}

impl FilterBuilder {
    pub(crate) fn new() -> Self {
        FilterBuilder { hashes: HashSet::default(), recent: vec![0; 1 << 12] }
    }

    /// Adds a hash.
    pub(crate) fn add(&mut self, hash: u64) {
        let mask = self.recent.len() as u64 - 1;
        if let Ok(slot) = usize::try_from(hash & mask)
            && let Some(recent) = self.recent.get_mut(slot)
        {
            if *recent == hash {
                return;
            }
            *recent = hash;
        }
        self.hashes.insert(hash);
    }

    /// Adds every word of a text.
    pub(crate) fn add_words(&mut self, text: &str) {
        each_word(text, |hash, _| self.add(hash));
    }

    /// Adds one whole value of a field.
    pub(crate) fn add_value(&mut self, field: Field, text: &str) {
        self.add(value_hash(field, &fold(text)));
        if let Ok(address) = text.trim().parse::<IpAddr>() {
            self.add(address_hash(field, address));
        }
    }

    /// The filter's bytes.
    pub(crate) fn build(self) -> Vec<u8> {
        bloom(self.hashes.into_iter(), BITS_PER_VALUE)
    }
}

/// A filter of these hashes.
pub(crate) fn bloom(hashes: impl ExactSizeIterator<Item = u64>, bits_per_value: usize) -> Vec<u8> {
    let blocks = (hashes.len() * bits_per_value).div_ceil(BLOCK * 8).max(1);
    let mut words = vec![[0_u32; LANES]; blocks];
    for hash in hashes {
        if let Some(block) = words.get_mut(block_of(hash, blocks)) {
            for (lane, bit) in block.iter_mut().zip(bits(hash)) {
                *lane |= bit;
            }
        }
    }
    words.into_iter().flatten().flat_map(u32::to_le_bytes).collect()
}

/// Whether a filter's bytes may contain this hash; bytes that are no filter may contain anything.
pub(crate) fn may_contain(filter: &[u8], hash: u64) -> bool {
    let block = block_of(hash, filter.len() / BLOCK) * BLOCK;
    let Some(block) = filter.get(block..block + BLOCK) else { return true };
    block
        .as_chunks::<4>()
        .0
        .iter()
        .zip(bits(hash))
        .all(|(lane, bit)| u32::from_le_bytes(*lane) & bit != 0)
}

fn block_of(hash: u64, blocks: usize) -> usize {
    // The product of two 32-bit numbers, its upper half: below the number of blocks.
    usize::try_from(((hash >> 32) * blocks as u64) >> 32).unwrap_or(0)
}

fn bits(hash: u64) -> [u32; LANES] {
    let low = u32::try_from(hash & u64::from(u32::MAX)).unwrap_or(0);
    SALTS.map(|salt| 1 << (low.wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_and_little_else() {
        let mut builder = FilterBuilder::new();
        for number in 0..20_000 {
            builder.add_value(Field::HostName, &format!("Host-{number}"));
        }
        let filter = builder.build();
        assert!(filter.len() < 20_000 * 3 / 2);
        let host = |number| value_hash(Field::HostName, &format!("host-{number}"));
        assert!((0..20_000).all(|number| may_contain(&filter, host(number))));
        let wrong = (20_000..40_000).filter(|number| may_contain(&filter, host(*number))).count();
        assert!(wrong < 600, "{wrong}");
        assert!(!may_contain(&filter, value_hash(Field::UserName, "host-1")) || wrong > 0);
    }

    #[test]
    fn dotted_quads_are_words() {
        let quads = |text: &str| {
            let mut found = Vec::new();
            word_hashes(text, |_, start, end| {
                if text[start..end].contains('.') {
                    found.push(text[start..end].to_owned());
                }
            });
            found
        };
        assert_eq!(quads("from 10.0.0.1 port 22"), ["10.0.0.1"]);
        assert_eq!(quads("1.2.3.4.5"), ["1.2.3.4", "2.3.4.5"]);
        assert_eq!(quads("1.2..3.4 1.2.3 a.1.2.3 1234.1.2.3"), Vec::<String>::new());
    }

    #[test]
    fn addresses_are_found_in_any_spelling() {
        let mut builder = FilterBuilder::new();
        builder.add_value(Field::SourceIp, " ::FFFF:10.1.2.3");
        let filter = builder.build();
        let address = "10.1.2.3".parse().unwrap();
        assert!(may_contain(&filter, address_hash(Field::SourceIp, address)));
    }
}
