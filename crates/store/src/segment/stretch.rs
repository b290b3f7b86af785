//! Stretches: equal parts of a row group. Pages begin where stretches do, so that few rows cost few
//! pages.

use std::ops::Range;

use super::bitmap::Bitmap;

/// Rows of a stretch; the last of a row group may have less.
pub(crate) const STRETCH: usize = 1 << 13;

/// Some stretches of a row group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretches {
    rows: usize,
    set: Bitmap,
}

impl Stretches {
    /// All of a row group with so many rows.
    pub(crate) fn all(rows: usize) -> Self {
        Stretches { rows, set: Bitmap::filled(rows.div_ceil(STRETCH), true) }
    }

    /// Those for whose number `holds` is true.
    pub(crate) fn those(rows: usize, holds: impl Fn(usize) -> bool) -> Self {
        let count = rows.div_ceil(STRETCH);
        Stretches { rows, set: Bitmap::of((0..count).map(holds), count) }
    }

    /// Those with any of these rows.
    pub(crate) fn of(rows: usize, some: &Bitmap) -> Self {
        Stretches::those(rows, |number| some.has_any(number * STRETCH..(number + 1) * STRETCH))
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// The rows from the first to the last of them.
    pub(crate) fn span(&self) -> Range<usize> {
        let ranges = self.ranges();
        let mut inside = ranges.iter().filter(|(_, inside)| *inside).map(|(range, _)| range);
        let first = inside.next().cloned().unwrap_or(0..0);
        first.start..inside.next_back().map_or(first.end, |last| last.end)
    }

    /// Whether any of these rows is in them.
    pub(crate) fn overlap(&self, rows: &Range<usize>) -> bool {
        !rows.is_empty() && self.set.has_any(rows.start / STRETCH..rows.end.div_ceil(STRETCH))
    }

    /// Whether all of the others are among them.
    pub(crate) fn cover(&self, others: &Stretches) -> bool {
        others.set.clone().and(&self.set.clone().not()).is_empty()
    }

    /// All rows of the row group by neighbours that are in them alike, and whether they are.
    pub(crate) fn ranges(&self) -> Vec<(Range<usize>, bool)> {
        let mut ranges: Vec<(Range<usize>, bool)> = Vec::new();
        for number in 0..self.rows.div_ceil(STRETCH) {
            let (inside, end) = (self.set.get(number), self.rows.min((number + 1) * STRETCH));
            match ranges.last_mut() {
                Some((range, alike)) if *alike == inside => range.end = end,
                _ => ranges.push((number * STRETCH..end, inside)),
            }
        }
        ranges
    }

    /// The rows in them.
    pub(crate) fn rows(&self) -> Bitmap {
        let mut rows = Bitmap::filled(self.rows, false);
        for (range, _) in self.ranges().into_iter().filter(|(_, inside)| *inside) {
            rows.insert_all(range);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_stretches_stand_for_each_other() {
        for rows in [0, 1, STRETCH - 1, STRETCH, STRETCH + 1, 5 * STRETCH + 7] {
            let all = Stretches::all(rows);
            assert_eq!(all.rows(), Bitmap::filled(rows, true));
            let odd = Stretches::those(rows, |number| number % 2 == 1);
            assert_eq!(Stretches::of(rows, &odd.rows()), odd);
            assert!(all.cover(&odd) && (rows == 0 || !odd.cover(&all)));
            assert_eq!(odd.is_empty(), rows <= STRETCH);
            let inside: Vec<usize> = odd.rows().rows().collect();
            let ends = inside.first().zip(inside.last());
            assert_eq!(odd.span(), ends.map_or(0..0, |(first, last)| *first..last + 1));
            for (range, inside) in odd.ranges() {
                assert_eq!(odd.overlap(&range), inside);
                assert!(range.clone().all(|row| odd.rows().get(row) == inside));
            }
        }
        let one = Stretches::those(3 * STRETCH, |number| number == 1);
        assert!(one.overlap(&(0..STRETCH + 1)) && one.overlap(&(2 * STRETCH - 1..2 * STRETCH)));
        assert!(!one.overlap(&(0..STRETCH)) && !one.overlap(&(STRETCH..STRETCH)));
    }
}
