//! A small set of names in the order they were first seen, with a cap.

use serde::{Deserialize, Serialize};

/// The most names that one [`Seen`] keeps.
pub const MAX_SEEN: usize = 100;

/// Distinct names in the order they were first seen, at most [`MAX_SEEN`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The names.
    pub names: Vec<String>,
    /// How often a name came that did not fit.
    pub overflow: u64,
}

impl Seen {
    /// Adds a name unless it is there already; counts it where there is no room.
    pub fn add(&mut self, name: &str) {
        if self.names.iter().any(|known| known == name) {
            return;
        }
        if self.names.len() < MAX_SEEN {
            self.names.push(name.to_owned());
        } else {
            self.overflow = self.overflow.saturating_add(1);
        }
    }

    /// Adds all that another one keeps.
    pub(crate) fn absorb(&mut self, later: &Seen) {
        later.names.iter().for_each(|name| self.add(name));
        self.overflow = self.overflow.saturating_add(later.overflow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_drops_repeats_and_counts_overflow() {
        let mut seen = Seen::default();
        for index in 0..MAX_SEEN + 5 {
            seen.add(&format!("user{index}"));
            seen.add("user0");
        }
        assert_eq!((seen.names.len(), seen.overflow), (MAX_SEEN, 5));
        assert_eq!(seen.names.first().map(String::as_str), Some("user0"));
    }
}
