//! Where a text was seen to fail.
//!
//! Whether the rest of an expression matches from a place depends on nothing but the place, unless
//! it refers back. So a choice that failed at a place once will fail there again, however it is come
//! to, and following it again is what makes expressions take exponential time. Remembering one bit
//! for each choice and place makes the time linear in the text. Most texts match or fail without
//! coming to a place twice; the bits are kept only from when one takes more steps than they do.

/// How many bits are kept at most; a text that would need more has the limit on steps alone.
const MAX_BITS: usize = 64 * 1024 * 1024;

/// Bits by choice and place.
#[derive(Debug, Default)]
pub(super) struct Memo {
    bits: Vec<u64>,
    /// Places for each choice; 0: nothing is kept.
    places: usize,
    /// Choices whose first way failed while what came of the next is not known yet.
    pending: Vec<(u32, u32)>,
}

impl Memo {
    /// Whether bits are kept.
    #[inline]
    pub(super) fn on(&self) -> bool {
        self.places > 0
    }

    pub(super) fn clear(&mut self) {
        self.places = 0;
        self.pending.clear();
    }

    /// Starts to keep bits for a text of `length` bytes.
    pub(super) fn start(&mut self, choices: u32, length: usize) {
        let places = length + 1;
        let needed = usize::try_from(choices).unwrap_or(usize::MAX).saturating_mul(places);
        if needed <= MAX_BITS {
            self.bits.clear();
            self.bits.resize(needed.div_ceil(64), 0);
            self.places = places;
        }
    }

    #[inline]
    fn bit(&self, choice: u32, place: u32) -> (usize, u64) {
        let index = choice as usize * self.places + place as usize;
        (index / 64, 1 << (index % 64))
    }

    pub(super) fn failed(&self, choice: u32, place: u32) -> bool {
        let (word, bit) = self.bit(choice, place);
        choice != super::program::NO_CHOICE
            && self.bits.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Remembers that a choice failed.
    pub(super) fn fail(&mut self, choice: u32, place: u32) {
        if choice != super::program::NO_CHOICE {
            let (word, bit) = self.bit(choice, place);
            if let Some(word) = self.bits.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Remembers that the first way of a choice failed and the next is tried: coming to it again
    /// before that ends can only be by a loop that takes nothing.
    pub(super) fn fail_first(&mut self, choice: u32, place: u32) {
        if choice != super::program::NO_CHOICE {
            self.fail(choice, place);
            self.pending.push((choice, place));
        }
    }

    /// How many choices are pending.
    pub(super) fn height(&self) -> u32 {
        u32::try_from(self.pending.len()).unwrap_or(u32::MAX)
    }

    /// All that became pending since failed for good.
    pub(super) fn settle(&mut self, height: u32) {
        self.pending.truncate(height as usize);
    }

    /// All that became pending since led to a match of what is matched on its own: they have not
    /// failed.
    pub(super) fn forget(&mut self, height: u32) {
        while self.pending.len() > height as usize {
            if let Some((choice, place)) = self.pending.pop() {
                let (word, bit) = self.bit(choice, place);
                if let Some(word) = self.bits.get_mut(word) {
                    *word &= !bit;
                }
            }
        }
    }
}
