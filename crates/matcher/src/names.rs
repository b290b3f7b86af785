//! Fields by number: each field that a predicate looks at has a slot.

use std::collections::HashMap;

use bergfried_event::{Field, FieldName};
use foldhash::fast::FixedState;

/// The number of a field, or of one of the two texts below.
pub(crate) type Slot = usize;

/// The slot of the raw text.
pub(crate) const ORIGINAL: Slot = 0;
/// The slot of the raw text and the text of every value.
pub(crate) const ANYTHING: Slot = 1;

/// The slots of fields by their names.
///
/// The names come from rules alone, so that a fixed hash gives those who write logs no hold.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    known: Vec<Option<Slot>>,
    others: HashMap<Box<str>, Slot, FixedState>,
    count: usize,
}

impl Default for Names {
    fn default() -> Self {
        Names {
            known: vec![None; Field::ALL.len()],
            others: HashMap::default(),
            count: ANYTHING + 1,
        }
    }
}

impl Names {
    /// How many slots there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The slot of a field, which it gets now where it had none.
    pub(crate) fn intern(&mut self, name: &FieldName<'_>) -> Slot {
        if let Some(slot) = self.find(name) {
            return slot;
        }
        let slot = self.count;
        self.count += 1;
        match name {
            FieldName::Known(field) => {
                if let Some(known) = self.known.get_mut(field.index()) {
                    *known = Some(slot);
                }
            }
            FieldName::Other(text) => {
                self.others.insert(text.as_ref().into(), slot);
            }
        }
        slot
    }

    /// The slot of a field, where a predicate looks at it.
    pub(crate) fn find(&self, name: &FieldName<'_>) -> Option<Slot> {
        match name {
            FieldName::Known(field) => self.known.get(field.index()).copied().flatten(),
            FieldName::Other(text) => self.others.get(text.as_ref()).copied(),
        }
    }
}
