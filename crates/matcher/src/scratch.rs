//! Memory that matching works in, kept from event to event.

use std::sync::Arc;

use crate::cache::ValueCache;
use crate::labels::Labels;
use crate::names::Slot;
use crate::texts::Texts;

/// The most sets of labels whose plans are kept; past that all are made anew.
const MAX_PLANS: usize = 256;

/// Memory that matching works in, so that no event asks for its own.
///
/// One serves any number of matchers one after another, but best a single one.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// Whose sizes and plans these are.
    owner: Option<Arc<()>>,
    pub(crate) epoch: u32,
    pub(crate) slots: Vec<SlotState>,
    /// For each slot its recent values.
    pub(crate) caches: Vec<ValueCache>,
    pub(crate) texts: Texts,
    pub(crate) marks: Marks,
    pub(crate) plans: Vec<(Labels, Plan)>,
    recent: usize,
}

/// What is known of a slot, each as of the epoch that stands there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SlotState {
    pub(crate) filled: u32,
    /// The position of its value among the event's fields.
    pub(crate) position: u32,
    pub(crate) searched: u32,
}

/// What is known of atoms, keys and items, each as of an epoch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// The epoch and, in the lowest bit, the truth.
    pub(crate) atoms: Vec<u32>,
    pub(crate) keys: Vec<u32>,
    pub(crate) items: Vec<u32>,
    /// Items that may hold.
    pub(crate) candidates: Vec<u32>,
}

/// What events of one set of labels have to go through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// A bit for each group that they meet.
    pub(crate) groups: Vec<u64>,
    /// Slots whose presence is a gate.
    pub(crate) present: Vec<Slot>,
    /// Slots whose values are gates.
    pub(crate) searched: Vec<Slot>,
    /// Items without a gate.
    pub(crate) always: Vec<u32>,
}

impl Plan {
    pub(crate) fn meets(&self, group: u32) -> bool {
        let word = self.groups.get(group as usize / 64);
        word.is_some_and(|word| word & 1 << (group % 64) != 0)
    }
}

/// The sizes of what a matcher numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) slots: usize,
    pub(crate) atoms: usize,
    pub(crate) keys: usize,
    pub(crate) items: usize,
}

impl Scratch {
    /// Makes ready for the next event, of so many fields, of this owner.
    pub(crate) fn begin(&mut self, owner: &Arc<()>, sizes: Sizes, fields: usize) {
        if !self.owner.as_ref().is_some_and(|own| Arc::ptr_eq(own, owner)) {
            *self = Scratch { owner: Some(Arc::clone(owner)), ..Scratch::default() };
            self.slots.resize(sizes.slots, SlotState::default());
            self.caches.resize(sizes.slots, ValueCache::default());
            self.marks.atoms.resize(sizes.atoms, 0);
            self.marks.keys.resize(sizes.keys, 0);
            self.marks.items.resize(sizes.items, 0);
        }
        self.epoch += 1;
        // The lowest bit of an atom's mark is its truth, so that epochs have 31.
        if self.epoch > u32::MAX >> 1 {
            self.epoch = 1;
            self.slots.fill(SlotState::default());
            self.marks.atoms.fill(0);
            self.marks.keys.fill(0);
            self.marks.items.fill(0);
            self.texts.forget();
        }
        self.marks.candidates.clear();
        self.texts.clear(fields + 1);
    }

    /// The index of the plan for a set of labels, made where it is not known.
    pub(crate) fn plan(&mut self, labels: &Labels, make: impl FnOnce() -> Plan) -> usize {
        if !self.plans.get(self.recent).is_some_and(|(known, _)| known == labels) {
            let known = self.plans.iter().position(|(known, _)| known == labels);
            self.recent = known.unwrap_or_else(|| {
                if self.plans.len() >= MAX_PLANS {
                    self.plans.clear();
                }
                self.plans.push((*labels, make()));
                self.plans.len() - 1
            });
        }
        self.recent
    }
}
