//! Sets of log-source words.

/// A set of log-source words, each by a number below [`Labels::CAPACITY`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels([u64; Labels::CAPACITY / 64]);

impl Labels {
    /// How many words one set tells apart.
    pub const CAPACITY: usize = 512;

    /// Adds a word; false where the set cannot hold it.
    pub fn insert(&mut self, label: usize) -> bool {
        match self.0.get_mut(label / 64) {
            Some(word) => {
                *word |= 1 << (label % 64);
                true
            }
            None => false,
        }
    }

    /// The same set with one more word; unchanged where it cannot hold it.
    #[must_use]
    pub fn with(mut self, label: usize) -> Labels {
        self.insert(label);
        self
    }

    /// Whether the word is in the set.
    pub fn contains(&self, label: usize) -> bool {
        self.0.get(label / 64).is_some_and(|word| word & 1 << (label % 64) != 0)
    }

    /// Whether every word of the other set is in this one.
    pub fn contains_all(&self, other: &Labels) -> bool {
        self.0.iter().zip(&other.0).all(|(own, other)| own & other == *other)
    }

    /// Whether there is no word in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The words, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            (0..64).filter(move |bit| word & 1 << bit != 0).map(move |bit| index * 64 + bit)
        })
    }
}

impl FromIterator<usize> for Labels {
    fn from_iter<I: IntoIterator<Item = usize>>(labels: I) -> Self {
        labels.into_iter().fold(Labels::default(), Labels::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let set: Labels = [0, 63, 64, 511].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 511]);
        assert!(set.contains(64) && !set.contains(65) && !set.contains(512));
        assert!(set.contains_all(&Labels::default().with(63).with(0)));
        assert!(!set.contains_all(&Labels::default().with(1)));
        assert!(set.contains_all(&Labels::default()) && Labels::default().is_empty());
        assert!(!Labels::default().insert(Labels::CAPACITY));
    }
}
