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

    /// The rows from `first` on for which `holds` is true, others not.
    pub(crate) fn of_span(
        rows: usize,
        first: usize,
        holds: impl ExactSizeIterator<Item = bool>,
    ) -> Self {
        if first == 0 && holds.len() == rows {
            return Bitmap::of(holds, rows);
        }
        let mut bitmap = Bitmap::filled(rows, false);
        for (row, truth) in (first..rows).zip(holds) {
            if truth {
                bitmap.insert(row);
            }
        }
        bitmap
    }

    /// The rows of this range.
    pub(crate) fn range(rows: usize, range: std::ops::Range<usize>) -> Self {
        let mut bitmap = Bitmap::filled(rows, false);
        bitmap.insert_all(range);
        bitmap
    }

    /// Adds all rows of the range.
    pub(crate) fn insert_all(&mut self, range: std::ops::Range<usize>) {
        for (word, bits) in word_masks(range.start..range.end.min(self.rows)) {
            if let Some(word) = self.words.get_mut(word) {
                *word |= bits;
            }
        }
    }

    /// Whether any row of the range is in the set.
    pub(crate) fn has_any(&self, range: std::ops::Range<usize>) -> bool {
        word_masks(range.start..range.end.min(self.rows))
            .any(|(word, bits)| self.words.get(word).is_some_and(|word| word & bits != 0))
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

/// The words that a range of rows touches, each with the bits of its rows in it.
fn word_masks(range: std::ops::Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let words = if range.is_empty() { 0..0 } else { range.start / 64..range.end.div_ceil(64) };
    words.map(move |word| {
        let first = range.start.saturating_sub(word * 64);
        let unused = ((word + 1) * 64).saturating_sub(range.end);
        (word, (u64::MAX << first) & (u64::MAX >> unused))
    })
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
            assert_eq!(Bitmap::filled(rows, true).count(), rows);
            assert!(thirds.clone().and(&thirds.clone().not()).is_empty());
            assert_eq!(thirds.count(), rows.div_ceil(3));
            assert!((0..rows).all(|row| evens.get(row) == (row % 2 == 0)));
        }
    }

    #[test]
    fn ranges_are_the_rows_between() {
        for rows in [1, 64, 65, 200] {
            for start in 0..=rows {
                for end in [start, start + 1, start + 63, start + 64, start + 130, rows] {
                    let range = Bitmap::range(rows, start..end);
                    let expected =
                        Bitmap::of((0..rows).map(|row| (start..end).contains(&row)), rows);
                    assert_eq!(range, expected, "{start}..{end} of {rows}");
                    assert_eq!(range.has_any(start..end), !range.is_empty());
                    assert!(
                        !range.has_any(0..start.min(end)) && !range.has_any(end.max(start)..rows)
                    );
                }
            }
        }
    }
}
