//! A set of rows.

/// One bit for each row of a row group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
    rows: usize,
}

impl Bitmap {
    /// All rows, or none.
    pub(crate) fn filled(rows: usize, with: bool) -> Self {
        let words = vec![if with { u64::MAX } else { 0 }; rows.div_ceil(64)];
        let mut bitmap = Bitmap { words, rows };
        bitmap.clear_tail();
        bitmap
    }

    /// The rows for which `holds` is true.
    pub(crate) fn of(holds: impl Iterator<Item = bool>, rows: usize) -> Self {
        let mut bitmap = Bitmap::filled(rows, false);
        let mut holds = holds.take(rows);
        for word in &mut bitmap.words {
            for (bit, truth) in holds.by_ref().take(64).enumerate() {
                *word |= u64::from(truth) << bit;
            }
        }
        bitmap
    }

    /// The rows of this range.
    pub(crate) fn range(rows: usize, range: std::ops::Range<usize>) -> Self {
        if range == (0..rows) {
            return Bitmap::filled(rows, true);
        }
        Bitmap::of((0..rows).map(|row| range.contains(&row)), rows)
    }

    /// Adds a row.
    pub(crate) fn insert(&mut self, row: usize) {
        if let Some(word) = self.words.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }

    pub(crate) fn get(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    pub(crate) fn and(mut self, other: &Bitmap) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
        self
    }

    pub(crate) fn or(mut self, other: &Bitmap) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
        self
    }

    pub(crate) fn not(mut self) -> Self {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.clear_tail();
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count() == self.rows
    }

    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The rows in the set, ascending.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    index * 64 + bit
                })
            })
        })
    }

    fn clear_tail(&mut self) {
        let used = self.rows % 64;
        if used != 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << used) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_rows_combine() {
        for rows in [0, 1, 63, 64, 65, 200] {
            let thirds = Bitmap::of((0..rows).map(|row| row % 3 == 0), rows);
            let evens = Bitmap::of((0..rows).map(|row| row % 2 == 0), rows);
            let expect = |holds: fn(usize) -> bool| -> Vec<usize> {
                (0..rows).filter(|row| holds(*row)).collect()
            };
            let both: Vec<usize> = thirds.clone().and(&evens).rows().collect();
            assert_eq!(both, expect(|row| row % 6 == 0));
            let neither: Vec<usize> = thirds.clone().or(&evens).not().rows().collect();
            assert_eq!(neither, expect(|row| row % 3 != 0 && row % 2 != 0));
            assert!(Bitmap::filled(rows, true).is_full());
            assert!(thirds.clone().and(&thirds.clone().not()).is_empty());
            assert_eq!(thirds.count(), rows.div_ceil(3));
            assert!((0..rows).all(|row| evens.get(row) == (row % 2 == 0)));
        }
    }
}
