//! The first of many, without sorting all of them.

use std::cmp::Ordering;

/// Room for fewer would be made anew too often.
const LEAST: usize = 256;

/// Keeps the first `keep` of the items that it is given, in the order of `compare`.
pub(super) struct First<T, C> {
    keep: usize,
    held: Vec<T>,
    /// The last of the first `keep`, once so many came: what is not before it can be passed over.
    last: Option<T>,
    compare: C,
}

impl<T: Copy, C: Fn(&T, &T) -> Ordering> First<T, C> {
    pub(super) fn new(keep: usize, compare: C) -> First<T, C> {
        First { keep, held: Vec::new(), last: None, compare }
    }

    pub(super) fn push(&mut self, item: T) {
        if self.last.is_some_and(|last| (self.compare)(&item, &last).is_ge()) {
            return;
        }
        self.held.push(item);
        if self.held.len() >= self.keep.max(LEAST).saturating_mul(2) {
            self.cut();
        }
    }

    /// The items in order, without the first `skip`.
    pub(super) fn after(mut self, skip: usize) -> Vec<T> {
        self.cut();
        self.held.sort_unstable_by(&self.compare);
        self.held.split_off(skip.min(self.held.len()))
    }

    fn cut(&mut self) {
        let Some(end) = self.keep.checked_sub(1) else {
            self.held.clear();
            return;
        };
        if end < self.held.len() {
            let (_, last, _) = self.held.select_nth_unstable_by(end, &self.compare);
            self.last = Some(*last);
            self.held.truncate(self.keep);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gives_what_sorting_gives(
            items in prop::collection::vec(0_u16..2_000, 0..3_000),
            keep in 0_usize..700,
            skip in 0_usize..700,
        ) {
            let mut first = First::new(keep, u16::cmp);
            items.iter().for_each(|item| first.push(*item));
            let mut sorted = items;
            sorted.sort_unstable();
            let expected: Vec<u16> = sorted.into_iter().take(keep).skip(skip).collect();
            prop_assert_eq!(first.after(skip), expected);
        }
    }
}
