//! Which of many literals occur in a text: one pass over it.
//!
//! Of each literal one window of a few bytes is picked, the rarest that it has. A text is looked
//! through window by window in a bitmap of the picked ones; only where that says so is the literal
//! itself compared. That is faster than an automaton, because no step waits for the one before, and
//! smaller by far.

use std::collections::HashMap;

use foldhash::fast::FixedState;

/// How often windows occur, counted by their hash, so that the rare ones can be picked.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    counts: Vec<u32>,
}

const COUNTED_BITS: u32 = 16;

impl Default for Windows {
    fn default() -> Self {
        Windows { counts: vec![0; 1 << COUNTED_BITS] }
    }
}

impl Windows {
    /// Counts the windows of a text.
    pub(crate) fn count(&mut self, text: &[u8]) {
        self.count_width::<4>(text);
        self.count_width::<2>(text);
    }

    fn count_width<const WIDTH: usize>(&mut self, text: &[u8]) {
        for window in text.array_windows::<WIDTH>() {
            if let Some(count) = self.counts.get_mut(hash(number(window), 32 - COUNTED_BITS)) {
                *count = count.saturating_add(1);
            }
        }
    }

    fn of<const WIDTH: usize>(&self, window: &[u8; WIDTH]) -> u32 {
        self.counts.get(hash(number(window), 32 - COUNTED_BITS)).copied().unwrap_or(0)
    }
}

/// Finds the literals of at least `WIDTH` bytes that occur in a text.
#[derive(Debug)]
pub(crate) struct Grams<const WIDTH: usize> {
    /// The bits of hashes that the bitmap leaves away.
    shift: u32,
    bitmap: Vec<u64>,
    /// For each picked window the range of its literals.
    ranges: HashMap<u32, (u32, u32), FixedState>,
    literals: Vec<Picked>,
}

#[derive(Debug)]
struct Picked {
    literal: Box<[u8]>,
    /// Where in the literal its window begins.
    offset: usize,
    key: u32,
}

impl<const WIDTH: usize> Grams<WIDTH> {
    /// A finder of these literals, each with the key to say when it occurs; shorter ones than
    /// `WIDTH` are never found.
    pub(crate) fn new<'k>(
        keys: impl IntoIterator<Item = (u32, &'k str)>,
        windows: &Windows,
    ) -> Option<Self> {
        let mut picked: Vec<(u32, Picked)> = keys
            .into_iter()
            .filter_map(|(key, literal)| {
                let literal = literal.as_bytes();
                let all = literal.array_windows::<WIDTH>().enumerate();
                let (offset, window) = all.min_by_key(|(_, window)| windows.of(window))?;
                Some((number(window), Picked { literal: literal.into(), offset, key }))
            })
            .collect();
        if picked.is_empty() {
            return None;
        }
        picked.sort_by_key(|(window, picked)| (*window, picked.key));
        // Sixty-four bits for each window: under two of a hundred bytes are looked at in vain.
        let bits = (picked.len() * 64).next_power_of_two().clamp(1 << 10, 1 << 18);
        let shift = 32 - bits.trailing_zeros();
        let mut bitmap = vec![0_u64; bits / 64];
        let mut ranges: HashMap<u32, (u32, u32), FixedState> = HashMap::default();
        for (index, (window, _)) in (0_u32..).zip(&picked) {
            ranges.entry(*window).or_insert((index, index)).1 = index + 1;
            let hash = hash(*window, shift);
            if let Some(word) = bitmap.get_mut(hash / 64) {
                *word |= 1 << (hash % 64);
            }
        }
        let literals = picked.into_iter().map(|(_, picked)| picked).collect();
        Some(Grams { shift, bitmap, ranges, literals })
    }

    /// Calls `found` with the key of each literal that occurs, once or more.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(u32)) {
        for (at, window) in text.array_windows::<WIDTH>().enumerate() {
            let window = number(window);
            let hash = hash(window, self.shift);
            let word = self.bitmap.get(hash / 64).copied().unwrap_or(0);
            if word & 1 << (hash % 64) != 0 {
                self.confirm(text, at, window, &mut found);
            }
        }
    }

    #[inline(never)]
    fn confirm(&self, text: &[u8], at: usize, window: u32, found: &mut impl FnMut(u32)) {
        let Some((first, end)) = self.ranges.get(&window) else { return };
        let literals = self.literals.get(*first as usize..*end as usize).unwrap_or_default();
        for Picked { literal, offset, key } in literals {
            let rest = at.checked_sub(*offset).and_then(|start| text.get(start..));
            if rest.is_some_and(|rest| rest.starts_with(literal)) {
                found(*key);
            }
        }
    }

    /// How many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let literals = self.literals.iter().map(|picked| picked.literal.len());
        self.bitmap.len() * 8
            + self.ranges.capacity() * 13
            + self.literals.len() * size_of::<Picked>()
            + literals.sum::<usize>()
    }
}

fn number<const WIDTH: usize>(window: &[u8; WIDTH]) -> u32 {
    window.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn hash(window: u32, shift: u32) -> usize {
    (window.wrapping_mul(0x9E37_79B1) >> shift) as usize
}
