//! Things under numbers, side by side in memory and in the order of their numbers.

/// A map from numbers, for what is walked through from end to end far more often than it is changed,
/// and where what is new has the highest number.
#[derive(Debug)]
pub(crate) struct Numbered<T> {
    /// Rising.
    numbers: Vec<u64>,
    /// What stands under each of them; none where it is gone.
    held: Vec<Option<T>>,
    /// How many are gone. They keep their places, so that no others have to move for each of them,
    /// until they are a quarter of all.
    gone: usize,
}

impl<T> Default for Numbered<T> {
    fn default() -> Numbered<T> {
        Numbered { numbers: Vec::new(), held: Vec::new(), gone: 0 }
    }
}

impl<T> Numbered<T> {
    pub(crate) fn len(&self) -> usize {
        self.held.len() - self.gone
    }

    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        let place = self.numbers.binary_search(&number).ok()?;
        self.held.get(place)?.as_ref()
    }

    /// What there is.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.held.iter().flatten()
    }

    /// What there is above a number, with its own number.
    pub(crate) fn after(&self, number: Option<u64>) -> impl Iterator<Item = (u64, &T)> {
        let first = number.map_or(0, |last| self.numbers.partition_point(|one| *one <= last));
        let numbers = self.numbers.iter().skip(first);
        let above = numbers.zip(self.held.iter().skip(first));
        above.filter_map(|(number, held)| Some((*number, held.as_ref()?)))
    }

    /// Puts something in the place of what was there, or takes that out.
    pub(crate) fn put(&mut self, number: u64, wanted: Option<T>) {
        match self.numbers.binary_search(&number) {
            Ok(place) => {
                let Some(held) = self.held.get_mut(place) else { return };
                let is_gone = |held: &Option<T>| usize::from(held.is_none());
                self.gone = self.gone + is_gone(&wanted) - is_gone(held);
                *held = wanted;
                self.close_up();
            }
            Err(place) if wanted.is_some() => {
                self.numbers.insert(place, number);
                self.held.insert(place, wanted);
            }
            Err(_) => {}
        }
    }

    /// Gives up the places of what is gone where they are many, and the memory where it is much.
    fn close_up(&mut self) {
        if self.gone > self.held.len() / 4 {
            let mut held = self.held.iter();
            self.numbers.retain(|_| held.next().is_some_and(Option::is_some));
            self.held.retain(Option::is_some);
            self.numbers.shrink_to(2 * self.held.len());
            self.held.shrink_to(2 * self.held.len());
            self.gone = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn holds_what_a_map_holds(
            changes in prop::collection::vec((0_u64..40, prop::option::of(any::<u16>())), 0..300),
        ) {
            let (mut numbered, mut map) = (Numbered::default(), BTreeMap::new());
            for (number, wanted) in changes {
                numbered.put(number, wanted);
                match wanted {
                    Some(wanted) => map.insert(number, wanted),
                    None => map.remove(&number),
                };
                prop_assert_eq!(numbered.len(), map.len());
                prop_assert!(numbered.held.len() <= map.len() + map.len() / 3);
                prop_assert_eq!(numbered.numbers.len(), numbered.held.len());
                prop_assert!(numbered.iter().eq(map.values()));
                prop_assert!((0..41).all(|number| numbered.get(number) == map.get(&number)));
                for last in [None, Some(0), Some(number), Some(39), Some(u64::MAX)] {
                    let above = map.iter().filter(|(number, _)| Some(**number) > last);
                    let above = above.map(|(number, held)| (*number, held));
                    prop_assert!(numbered.after(last).eq(above));
                }
            }
        }
    }
}
