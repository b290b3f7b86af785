//! One event on its way through a filter: its fields found, its texts looked through once.

use bergfried_event::{Event, Value};
use bergfried_query::is_added_by_store;

use crate::cache::{Recall, ValueCache};
use crate::filter::Filter;
use crate::index::Index;
use crate::names::{ANYTHING, ORIGINAL, Slot};
use crate::scratch::{Marks, Plan, SlotState};
use crate::texts::Texts;

/// One event on its way through a filter.
pub(crate) struct Passage<'f, 'e, 's> {
    pub(crate) filter: &'f Filter,
    pub(crate) event: &'e Event<'e>,
    pub(crate) original: Value<'e>,
    pub(crate) epoch: u32,
    pub(crate) slots: &'s mut [SlotState],
    pub(crate) caches: &'s mut [ValueCache],
    pub(crate) texts: &'s mut Texts,
    pub(crate) marks: &'s mut Marks,
    pub(crate) plan: &'s Plan,
}

impl<'e> Passage<'_, 'e, '_> {
    /// Finds the values of the slots; of a field that is there twice the first counts.
    pub(crate) fn fill(&mut self) {
        for (position, (name, _)) in (0_u32..).zip(self.event.fields()) {
            if let Some(slot) = self.filter.slot(name)
                && let Some(state) = self.slots.get_mut(slot)
                && state.filled != self.epoch
            {
                state.filled = self.epoch;
                state.position = position;
            }
        }
    }

    /// Gathers the items that the event may concern.
    pub(crate) fn gather(&mut self) {
        let plan = self.plan;
        self.marks.candidates.extend(&plan.always);
        for slot in &plan.present {
            if self.is_filled(*slot)
                && let Some(key) = self.filter.index(*slot).and_then(Index::present)
            {
                self.filter.hit(key, self.epoch, plan, self.marks);
            }
        }
        for slot in &plan.searched {
            self.search(*slot);
        }
    }

    fn is_filled(&self, slot: Slot) -> bool {
        self.slots.get(slot).is_some_and(|state| state.filled == self.epoch)
    }

    /// The value of a field's slot.
    pub(crate) fn value(&self, slot: Slot) -> Option<&'e Value<'e>> {
        let state = self.slots.get(slot).filter(|state| state.filled == self.epoch)?;
        self.event.fields().get(state.position as usize).map(|(_, value)| value)
    }

    /// Whether the condition over a field's slot, or over the raw text, holds for a text in lower
    /// case.
    pub(crate) fn any_text(&mut self, slot: Slot, mut holds: impl FnMut(&str) -> bool) -> bool {
        if slot == ORIGINAL {
            let position = self.event.fields().len();
            return self.texts.of(self.epoch, position, &self.original).any(holds);
        }
        let Some(state) = self.slots.get(slot).filter(|state| state.filled == self.epoch) else {
            return false;
        };
        let position = state.position as usize;
        let Some((_, value)) = self.event.fields().get(position) else { return false };
        self.texts.of(self.epoch, position, value).any(&mut holds)
    }

    /// Whether a key was found that is looked up, in a slot that was searched.
    pub(crate) fn is_found(&self, key: u32) -> bool {
        self.marks.keys.get(key as usize) == Some(&self.epoch)
    }

    /// Looks up the keys of a slot, once for an event.
    pub(crate) fn search(&mut self, slot: Slot) {
        match self.slots.get_mut(slot) {
            Some(state) if state.searched != self.epoch => state.searched = self.epoch,
            _ => return,
        }
        let filter = self.filter;
        let Some(index) = filter.index(slot) else { return };
        let original = self.event.fields().len();
        match slot {
            ANYTHING => self.search_everything(index),
            ORIGINAL => self.search_value(index, original),
            slot => {
                if let Some(state) = self.slots.get(slot)
                    && state.filled == self.epoch
                {
                    let position = state.position as usize;
                    self.search_field(index, slot, position);
                }
            }
        }
    }

    /// Looks up the keys of a field's value, or remembers them.
    fn search_field(&mut self, index: &Index, slot: Slot, position: usize) {
        let cached = match (self.event.fields().get(position), self.caches.get_mut(slot)) {
            (Some((_, Value::Text(text))), Some(cache)) if index.is_worth_remembering() => {
                cache.recall(text)
            }
            _ => Recall::Passed,
        };
        let (filter, epoch, plan) = (self.filter, self.epoch, self.plan);
        match cached {
            Recall::Known(keys) => {
                for key in keys {
                    filter.hit(*key, epoch, plan, self.marks);
                }
            }
            Recall::New(mut memo) => {
                let Some((_, value)) = self.event.fields().get(position) else { return };
                let mut found = |key| {
                    memo.add(key);
                    filter.hit(key, epoch, plan, self.marks);
                };
                for text in self.texts.of(epoch, position, value) {
                    index.find_text(text, &mut found);
                }
                index.find_number(value, &mut found);
            }
            Recall::Passed => self.search_value(index, position),
        }
    }

    /// Looks up the keys of the raw text and of every value.
    fn search_everything(&mut self, index: &Index) {
        let raw = self.event.original();
        self.search_value(index, self.event.fields().len());
        // What is inside of a piece of the raw text was found in that already.
        let pieces_are_done = index.looks_inside_alone();
        for (position, (name, value)) in self.event.fields().iter().enumerate() {
            let is_done = pieces_are_done && value.as_str().is_some_and(|text| is_piece(raw, text));
            if !is_done && !is_added_by_store(name) {
                self.search_value(index, position);
            }
        }
    }

    fn search_value(&mut self, index: &Index, position: usize) {
        let value = self.event.fields().get(position).map_or(&self.original, |(_, value)| value);
        let (filter, epoch, plan) = (self.filter, self.epoch, self.plan);
        if index.looks_at_text_of(value) {
            for text in self.texts.of(epoch, position, value) {
                index.find_text(text, |key| filter.hit(key, epoch, plan, self.marks));
            }
        }
        index.find_number(value, &mut |key| filter.hit(key, epoch, plan, self.marks));
    }
}

/// Whether a text lies within the memory of another, and so is a piece of it.
fn is_piece(whole: &str, text: &str) -> bool {
    let (whole, text) = (whole.as_bytes().as_ptr_range(), text.as_bytes().as_ptr_range());
    whole.start <= text.start && text.end <= whole.end
}
