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
/// The names come from rules alone, so that fixed hashes give those who write logs no hold.
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

    fn find(&self, name: &FieldName<'_>) -> Option<Slot> {
        match name {
            FieldName::Known(field) => self.known.get(field.index()).copied().flatten(),
            FieldName::Other(text) => self.others.get(text.as_ref()).copied(),
        }
    }
}

/// The same, made to be asked for every field of every event.
#[derive(Debug)]
pub(crate) struct NameTable {
    known: Vec<Option<Slot>>,
    /// Open addressing, at most a quarter full; a power of two of places.
    others: Vec<Option<Other>>,
}

#[derive(Clone, Debug)]
struct Other {
    hash: u64,
    name: Box<str>,
    slot: Slot,
}

impl NameTable {
    pub(crate) fn new(names: &Names) -> NameTable {
        let places = (names.others.len() * 4).next_power_of_two();
        let mut table = NameTable { known: names.known.clone(), others: vec![None; places] };
        for (name, slot) in &names.others {
            let hash = hash(name.as_bytes());
            let mut at = table.place(hash);
            while let Some(Some(_)) = table.others.get(at) {
                at = (at + 1) & (places - 1);
            }
            if let Some(place) = table.others.get_mut(at) {
                *place = Some(Other { hash, name: name.clone(), slot: *slot });
            }
        }
        table
    }

    /// The slot of a field, where a predicate looks at it.
    pub(crate) fn find(&self, name: &FieldName<'_>) -> Option<Slot> {
        let text = match name {
            FieldName::Known(field) => return self.known.get(field.index()).copied().flatten(),
            FieldName::Other(text) => text,
        };
        let hash = hash(text.as_bytes());
        let mut at = self.place(hash);
        loop {
            let other = self.others.get(at)?.as_ref()?;
            if other.hash == hash && other.name.as_ref() == text.as_ref() {
                return Some(other.slot);
            }
            at = (at + 1) & (self.others.len() - 1);
        }
    }

    fn place(&self, hash: u64) -> usize {
        usize::try_from(hash >> 32).unwrap_or(0) & (self.others.len() - 1)
    }
}

/// A hash of the length and both ends of a name, which tell names of fields apart.
fn hash(name: &[u8]) -> u64 {
    let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (name.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)), 0),
    };
    let mixed = (first ^ last.rotate_left(23)).wrapping_add(name.len() as u64);
    mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
