//! Remembers which keys were found in a field's recent values, for as long as that pays.

/// Shorter texts are looked through as fast as they are compared; longer ones seldom come again.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=256;
/// How many values are remembered, a power of two.
const PLACES: usize = 32;
/// The most keys of one remembered value.
const MAX_KEYS: usize = 32;
/// After so many values it is looked whether remembering them paid.
const TRIAL: u32 = 256;
/// It pays where at least one of so many was known.
const WORTH: u32 = 3;
/// So many values go by before another trial where it did not.
const REST: u32 = 16 * TRIAL;

/// Recent values of one field, each with the keys that were found in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueCache {
    /// Empty until the first value.
    places: Vec<Remembered>,
    tried: u32,
    known: u32,
    /// How many values more to leave alone.
    rest: u32,
}

#[derive(Clone, Debug, Default)]
struct Remembered {
    text: String,
    keys: Vec<u32>,
    /// Whether all keys had room.
    complete: bool,
}

/// What is known of a value.
pub(crate) enum Recall<'c> {
    /// The keys that are found in it.
    Known(&'c [u32]),
    /// Nothing; what is found goes to this memo.
    New(Memo<'c>),
    /// Nothing, and nothing is kept of it.
    Passed,
}

/// Takes down the keys that are found in a value.
pub(crate) struct Memo<'c>(&'c mut Remembered);

impl Memo<'_> {
    pub(crate) fn add(&mut self, key: u32) {
        if self.0.keys.contains(&key) {
            return;
        }
        if self.0.keys.len() < MAX_KEYS {
            self.0.keys.push(key);
        } else {
            self.0.complete = false;
        }
    }
}

impl ValueCache {
    /// Asks for a value.
    pub(crate) fn recall(&mut self, text: &str) -> Recall<'_> {
        if !LENGTHS.contains(&text.len()) {
            return Recall::Passed;
        }
        if self.rest > 0 {
            self.rest -= 1;
            return Recall::Passed;
        }
        if self.tried >= TRIAL {
            let pays = self.known.saturating_mul(WORTH) >= self.tried;
            (self.tried, self.known) = (0, 0);
            if !pays {
                self.rest = REST;
                return Recall::Passed;
            }
        }
        if self.places.is_empty() {
            self.places.resize(PLACES, Remembered::default());
        }
        self.tried += 1;
        let Some(place) = self.places.get_mut(place(text.as_bytes())) else {
            return Recall::Passed;
        };
        if place.complete && place.text == text {
            self.known += 1;
            return Recall::Known(&place.keys);
        }
        place.text.clear();
        place.text.push_str(text);
        place.keys.clear();
        place.complete = true;
        Recall::New(Memo(place))
    }
}

/// Where a text is remembered, by its length and both ends.
fn place(text: &[u8]) -> usize {
    let first = text.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let last = text.last_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let mixed = (first ^ last.rotate_left(29)).wrapping_add(text.len() as u64);
    usize::try_from(mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40).unwrap_or(0) & (PLACES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(cache: &mut ValueCache, text: &str, keys: &[u32]) -> Option<Vec<u32>> {
        match cache.recall(text) {
            Recall::Known(keys) => Some(keys.to_vec()),
            Recall::New(mut memo) => {
                keys.iter().for_each(|key| memo.add(*key));
                None
            }
            Recall::Passed => None,
        }
    }

    #[test]
    fn values_that_come_again_are_known() {
        let mut cache = ValueCache::default();
        assert_eq!(ask(&mut cache, "C:\\x\\cmd.exe", &[3, 1]), None);
        assert_eq!(ask(&mut cache, "C:\\x\\cmd.exe", &[]), Some(vec![3, 1]));
        assert_eq!(ask(&mut cache, "C:\\x\\cmd.EXE", &[]), None);
        assert_eq!(ask(&mut cache, "short", &[1]), None);
        assert_eq!(ask(&mut cache, "short", &[1]), None);
        let many: Vec<u32> = (0..100).collect();
        assert_eq!(ask(&mut cache, "with many keys", &many), None);
        assert_eq!(ask(&mut cache, "with many keys", &many), None);
    }

    #[test]
    fn it_rests_where_nothing_comes_again_and_tries_anew() {
        let mut cache = ValueCache::default();
        for number in 0..=TRIAL {
            assert_eq!(ask(&mut cache, &format!("value number {number}"), &[number]), None);
        }
        for _ in 0..REST {
            assert_eq!(ask(&mut cache, "the same value", &[7]), None);
        }
        assert_eq!(ask(&mut cache, "the same value", &[7]), None);
        for _ in 0..2 * TRIAL {
            assert_eq!(ask(&mut cache, "the same value", &[]), Some(vec![7]));
        }
    }
}
