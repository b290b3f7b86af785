//! Which items an event may concern: looks keys up and gathers the items that they are gates of.
//!
//! An item is anything numbered from zero: for a matcher its entries, for statistics what they
//! count.

use std::sync::Arc;

use bergfried_event::{Event, FieldName, Value};

use crate::grams::Windows;
use crate::index::Index;
use crate::key::{Key, Sign};
use crate::labels::Labels;
use crate::names::{NameTable, Names, Slot};
use crate::passage::Passage;
use crate::scratch::{Marks, Plan, Scratch, Sizes};

/// The items of a group that a key lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Gate {
    pub(crate) key: u32,
    pub(crate) group: u32,
    pub(crate) item: u32,
}

/// What a filter is made of.
pub(crate) struct Parts<'p> {
    pub(crate) names: &'p Names,
    pub(crate) keys: &'p [Key],
    /// For each key the atom that holds where the key is found.
    pub(crate) atoms: &'p [Option<u32>],
    /// Keys that are looked up though they may be no gates and decide no atom.
    pub(crate) looked_up: &'p [u32],
    pub(crate) gates: Vec<Gate>,
    /// Items without a gate, by group.
    pub(crate) always: Vec<Vec<u32>>,
    /// What each group asks for.
    pub(crate) groups: &'p [Labels],
    pub(crate) windows: &'p Windows,
    pub(crate) atom_count: usize,
    pub(crate) item_count: usize,
}

/// Looks keys up in events.
#[derive(Debug)]
pub(crate) struct Filter {
    /// What scratch memory knows its filter by.
    identity: Arc<()>,
    sizes: Sizes,
    names: NameTable,
    indexes: Vec<Index>,
    found: Vec<Found>,
    /// Sorted by key.
    gates: Vec<Gate>,
    groups: Vec<Group>,
}

/// What follows from a key that was found.
#[derive(Clone, Debug, Default)]
struct Found {
    atom: Option<u32>,
    /// The range of its gates.
    gates: (u32, u32),
}

#[derive(Debug)]
struct Group {
    asks: Labels,
    present: Vec<Slot>,
    searched: Vec<Slot>,
    always: Vec<u32>,
}

impl Filter {
    pub(crate) fn new(parts: Parts<'_>) -> Filter {
        let mut found = vec![Found::default(); parts.keys.len()];
        for (found, atom) in found.iter_mut().zip(parts.atoms) {
            found.atom = *atom;
        }
        let mut gates = parts.gates;
        gates.sort_unstable();
        gates.dedup();
        for (index, gate) in (0_u32..).zip(&gates) {
            if let Some(found) = found.get_mut(gate.key as usize) {
                if found.gates.1 == 0 {
                    found.gates.0 = index;
                }
                found.gates.1 = index + 1;
            }
        }
        let mut looked_up: Vec<bool> =
            found.iter().map(|found| found.atom.is_some() || found.gates.1 > 0).collect();
        for key in parts.looked_up {
            if let Some(looked_up) = looked_up.get_mut(*key as usize) {
                *looked_up = true;
            }
        }
        let mut signs: Vec<Vec<(u32, &Sign)>> = vec![Vec::new(); parts.names.count()];
        for (index, (key, looked_up)) in (0_u32..).zip(parts.keys.iter().zip(looked_up)) {
            if looked_up && let Some(signs) = signs.get_mut(key.slot) {
                signs.push((index, &key.sign));
            }
        }
        let always = parts.always.into_iter();
        let mut groups: Vec<Group> = always
            .zip(parts.groups)
            .map(|(always, asks)| Group {
                asks: *asks,
                always,
                present: Vec::new(),
                searched: Vec::new(),
            })
            .collect();
        for gate in &gates {
            if let Some(group) = groups.get_mut(gate.group as usize)
                && let Some(key) = parts.keys.get(gate.key as usize)
            {
                let of_presence = matches!(key.sign, Sign::Present);
                let slots = if of_presence { &mut group.present } else { &mut group.searched };
                if !slots.contains(&key.slot) {
                    slots.push(key.slot);
                }
            }
        }
        let sizes = Sizes {
            slots: parts.names.count(),
            atoms: parts.atom_count,
            keys: parts.keys.len(),
            items: parts.item_count,
        };
        Filter {
            identity: Arc::new(()),
            sizes,
            names: NameTable::new(parts.names),
            indexes: signs.iter().map(|signs| Index::new(signs, parts.windows)).collect(),
            found,
            gates,
            groups,
        }
    }

    /// Gathers in `marks.candidates` the items that the event may concern; `None` where its labels
    /// meet no group.
    pub(crate) fn pass<'f, 'e, 's>(
        &'f self,
        event: &'e Event<'e>,
        labels: &Labels,
        scratch: &'s mut Scratch,
    ) -> Option<Passage<'f, 'e, 's>> {
        scratch.begin(&self.identity, self.sizes, event.fields().len());
        let plan = scratch.plan(labels, || self.plan(labels));
        let Scratch { epoch, slots, caches, texts, marks, plans, .. } = scratch;
        let (_, plan) = plans.get(plan)?;
        if plan.groups.is_empty() {
            return None;
        }
        let mut passage = Passage {
            filter: self,
            event,
            original: Value::from(event.original()),
            epoch: *epoch,
            slots,
            caches,
            texts,
            marks,
            plan,
        };
        passage.fill();
        passage.gather();
        Some(passage)
    }

    fn plan(&self, labels: &Labels) -> Plan {
        let mut plan = Plan::default();
        for (index, group) in self.groups.iter().enumerate() {
            if !labels.contains_all(&group.asks) {
                continue;
            }
            plan.groups.resize(self.groups.len().div_ceil(64), 0);
            if let Some(word) = plan.groups.get_mut(index / 64) {
                *word |= 1 << (index % 64);
            }
            plan.present.extend(&group.present);
            plan.searched.extend(&group.searched);
            plan.always.extend(&group.always);
        }
        for slots in [&mut plan.present, &mut plan.searched] {
            slots.sort_unstable();
            slots.dedup();
        }
        plan
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.indexes.iter().map(Index::size).sum::<usize>()
            + self.indexes.len() * size_of::<Index>()
            + self.found.len() * size_of::<Found>()
            + self.gates.len() * size_of::<Gate>()
    }

    /// Notes that a key was found, and gathers the items that it lets in.
    pub(crate) fn hit(&self, key: u32, epoch: u32, plan: &Plan, marks: &mut Marks) {
        match marks.keys.get_mut(key as usize) {
            Some(mark) if *mark != epoch => *mark = epoch,
            _ => return,
        }
        let Some(found) = self.found.get(key as usize) else { return };
        if let Some(atom) = found.atom
            && let Some(mark) = marks.atoms.get_mut(atom as usize)
        {
            *mark = epoch << 1 | 1;
        }
        let (first, end) = found.gates;
        for gate in self.gates.get(first as usize..end as usize).unwrap_or_default() {
            if plan.meets(gate.group)
                && let Some(mark) = marks.items.get_mut(gate.item as usize)
                && *mark != epoch
            {
                *mark = epoch;
                marks.candidates.push(gate.item);
            }
        }
    }

    pub(crate) fn index(&self, slot: Slot) -> Option<&Index> {
        self.indexes.get(slot)
    }

    pub(crate) fn slot(&self, name: &FieldName<'_>) -> Option<Slot> {
        self.names.find(name)
    }
}
