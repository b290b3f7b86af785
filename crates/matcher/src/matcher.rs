//! The matcher: entries in, the ones that hold over an event out.

use std::collections::HashMap;

use bergfried_event::Event;
use bergfried_query::Predicate;
use foldhash::fast::FixedState;

use crate::catalogue::{Catalogue, Form, Test};
use crate::filter::{Filter, Gate, Parts};
use crate::gates;
use crate::grams::Windows;
use crate::key::Sign;
use crate::labels::Labels;
use crate::names::Slot;
use crate::odds::Odds;
use crate::passage::Passage;
use crate::program::{FAILS, HOLDS, Step, Writer};
use crate::scratch::Scratch;
use crate::statistics::Statistics;

/// A predicate, and the labels that an event must have for it to be asked at all.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'p> {
    /// What must hold.
    pub predicate: &'p Predicate,
    /// The labels that an event must have, all of them.
    pub asks: Labels,
}

/// What one entry cost in the events that were profiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Events over which its condition was looked at, past its gate.
    pub evaluated: u64,
    /// Events over which it held.
    pub hits: u64,
    /// The clock's ticks that its condition took, without its share of the look-ups.
    pub ticks: u64,
}

/// Many predicates, ready to be asked over one event at once.
///
/// Immutable; it finds exactly what [`Predicate::matches`] finds for each.
#[derive(Debug)]
pub struct Matcher {
    filter: Filter,
    atoms: Vec<Decision>,
    /// For each atom that is found by its key the slot to search: close together, because a rule may
    /// ask for a hundred of them.
    found_in: Vec<Option<u32>>,
    steps: Vec<Step>,
    /// For each entry the step at which its program begins.
    programs: Vec<u32>,
}

/// How an atom is decided.
#[derive(Debug)]
pub(crate) struct Decision {
    slot: Slot,
    /// Keys one of which is found wherever the atom holds.
    guard: Option<Box<[u32]>>,
    pub(crate) test: Test,
}

/// From this length on literals inside of texts are all found in one pass, as are all at their ends,
/// so that a condition that is no gate need not look for its own.
const FOUND_IN_PASSING: usize = 4;

impl Matcher {
    /// A matcher of these entries, which answers by their indices, with gates that are rare by these
    /// statistics.
    pub fn new(entries: &[Entry<'_>], statistics: &Statistics) -> Matcher {
        let mut catalogue = Catalogue::default();
        let mut groups: Vec<Labels> = Vec::new();
        let mut known: HashMap<Labels, u32, FixedState> = HashMap::default();
        let mut forms: Vec<(Form, u32)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let group = *known.entry(entry.asks).or_insert_with(|| {
                groups.push(entry.asks);
                number(groups.len() - 1)
            });
            forms.push((catalogue.form(entry.predicate, false), group));
        }
        let odds = Odds::new(&catalogue, &forms, &groups, statistics);
        let (gates, always) = choose_gates(&forms, groups.len(), &catalogue, &odds);
        let Decisions { atoms, found, looked_up } = Decisions::new(&catalogue, &gates);
        let mut writer =
            Writer { catalogue: &catalogue, odds: &odds, atoms: &atoms, steps: Vec::new() };
        let programs = forms.iter().map(|(form, group)| writer.write(form, *group)).collect();
        let steps = writer.steps;
        let filter = Filter::new(Parts {
            names: &catalogue.names,
            keys: &catalogue.keys,
            atoms: &found,
            looked_up: &looked_up,
            gates,
            always,
            groups: &groups,
            windows: &windows(&catalogue, statistics),
            atom_count: catalogue.atoms.len(),
            item_count: entries.len(),
        });
        let found_in = atoms.iter().map(|atom| match atom.test {
            Test::Found => u32::try_from(atom.slot).ok(),
            _ => None,
        });
        Matcher { filter, found_in: found_in.collect(), atoms, steps, programs }
    }

    /// Adds to `hits` the indices of the entries that hold over the event, in ascending order, of
    /// those that ask for no label that the event does not have.
    pub fn matches(
        &self,
        event: &Event<'_>,
        labels: &Labels,
        scratch: &mut Scratch,
        hits: &mut Vec<usize>,
    ) {
        let first = hits.len();
        let Some(mut passage) = self.filter.pass(event, labels, scratch) else { return };
        let candidates = std::mem::take(&mut passage.marks.candidates);
        for entry in &candidates {
            if self.holds(&mut passage, *entry) {
                hits.push(*entry as usize);
            }
        }
        passage.marks.candidates = candidates;
        hits.get_mut(first..).unwrap_or_default().sort_unstable();
    }

    /// As [`Matcher::matches`] without the answer: adds to `costs`, one for each entry, what they
    /// took by this clock.
    pub fn profile(
        &self,
        event: &Event<'_>,
        labels: &Labels,
        scratch: &mut Scratch,
        clock: &dyn Fn() -> u64,
        costs: &mut [Cost],
    ) {
        let Some(mut passage) = self.filter.pass(event, labels, scratch) else { return };
        let candidates = std::mem::take(&mut passage.marks.candidates);
        for entry in &candidates {
            let start = clock();
            let holds = self.holds(&mut passage, *entry);
            let ticks = clock().saturating_sub(start);
            if let Some(cost) = costs.get_mut(*entry as usize) {
                cost.evaluated += 1;
                cost.hits += u64::from(holds);
                cost.ticks = cost.ticks.saturating_add(ticks);
            }
        }
        passage.marks.candidates = candidates;
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.programs.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }

    /// About how many bytes it takes, regular expressions left out.
    pub fn size(&self) -> usize {
        self.filter.size()
            + self.atoms.capacity() * size_of::<Decision>()
            + self.found_in.capacity() * size_of::<Option<u32>>()
            + self.steps.capacity() * size_of::<Step>()
            + self.programs.capacity() * size_of::<u32>()
    }

    fn holds(&self, passage: &mut Passage<'_, '_, '_>, entry: u32) -> bool {
        let mut at = self.programs.get(entry as usize).copied().unwrap_or(FAILS);
        while let Some(step) = self.steps.get(at as usize) {
            at = if self.atom_holds(passage, step.atom) { step.holds } else { step.fails };
        }
        at == HOLDS
    }

    fn atom_holds(&self, passage: &mut Passage<'_, '_, '_>, atom: u32) -> bool {
        let mark = passage.marks.atoms.get(atom as usize).copied().unwrap_or(0);
        if mark >> 1 == passage.epoch {
            return mark & 1 == 1;
        }
        if let Some(Some(slot)) = self.found_in.get(atom as usize) {
            passage.search(*slot as Slot);
            return passage.marks.atoms.get(atom as usize) == Some(&(passage.epoch << 1 | 1));
        }
        let truth = self.decide(passage, atom);
        if let Some(mark) = passage.marks.atoms.get_mut(atom as usize) {
            *mark = passage.epoch << 1 | u32::from(truth);
        }
        truth
    }

    fn decide(&self, passage: &mut Passage<'_, '_, '_>, atom: u32) -> bool {
        let Some(Decision { slot, guard, test }) = self.atoms.get(atom as usize) else {
            return false;
        };
        if let Some(guard) = guard {
            passage.search(*slot);
            if !guard.iter().any(|key| passage.is_found(*key)) {
                return false;
            }
        }
        match test {
            // Answered before it comes to this.
            Test::Found => false,
            Test::Folded(condition) => {
                passage.any_text(*slot, |text| condition.holds_folded(text) == Some(true))
            }
            Test::Value(condition) => condition.holds_field(passage.value(*slot), passage.event),
            Test::Walk(predicate) => predicate.matches(passage.event),
        }
    }
}

/// The gates of all entries, and by group the entries without one.
fn choose_gates(
    forms: &[(Form, u32)],
    groups: usize,
    catalogue: &Catalogue,
    odds: &Odds,
) -> (Vec<Gate>, Vec<Vec<u32>>) {
    let mut gates = Vec::new();
    let mut always = vec![Vec::new(); groups];
    for (item, (form, group)) in (0_u32..).zip(forms) {
        match gates::choose(form, *group, catalogue, odds) {
            Some(choice) => {
                let gate = |key| Gate { key, group: *group, item };
                gates.extend(choice.keys.into_iter().map(gate));
            }
            None => {
                if let Some(always) = always.get_mut(*group as usize) {
                    always.push(item);
                }
            }
        }
    }
    (gates, always)
}

/// How atoms are decided.
struct Decisions {
    atoms: Vec<Decision>,
    /// For each key the atom that holds where the key is found.
    found: Vec<Option<u32>>,
    /// The keys of guards.
    looked_up: Vec<u32>,
}

impl Decisions {
    fn new(catalogue: &Catalogue, gates: &[Gate]) -> Decisions {
        let mut is_gate = vec![false; catalogue.keys.len()];
        for gate in gates {
            if let Some(is_gate) = is_gate.get_mut(gate.key as usize) {
                *is_gate = true;
            }
        }
        let is_free = |key: &u32| {
            let is_gate = is_gate.get(*key as usize).copied().unwrap_or(false);
            catalogue.keys.get(*key as usize).is_some_and(|key| match &key.sign {
                Sign::Present => false,
                Sign::Inside(text) => is_gate || text.len() >= FOUND_IN_PASSING,
                _ => true,
            })
        };
        let mut decisions = Decisions {
            atoms: Vec::with_capacity(catalogue.atoms.len()),
            found: vec![None; catalogue.keys.len()],
            looked_up: Vec::new(),
        };
        for (index, atom) in (0_u32..).zip(&catalogue.atoms) {
            let certain = atom.certain.filter(is_free);
            let slot = certain.and_then(|key| decisions.found.get_mut(key as usize));
            let (test, guard) = match slot {
                // Of two atoms with one key, such as zero and minus zero, the first has it.
                Some(slot) if slot.is_none() => {
                    *slot = Some(index);
                    (Test::Found, None)
                }
                _ => {
                    let free = atom.needed.iter().filter(|choice| choice.iter().all(is_free));
                    (atom.test.clone(), free.min_by_key(|choice| choice.len()).cloned())
                }
            };
            decisions.looked_up.extend(guard.iter().flatten());
            decisions.atoms.push(Decision { slot: atom.slot, guard, test });
        }
        decisions
    }
}

/// How common windows are: in the events seen, and in the literals themselves.
fn windows(catalogue: &Catalogue, statistics: &Statistics) -> Windows {
    let mut windows = Windows::default();
    for key in &catalogue.keys {
        if let Sign::Inside(text) = &key.sign {
            windows.count(text.as_bytes());
        }
    }
    for (event, _) in statistics.samples() {
        for (_, value) in event.fields() {
            if let Some(text) = value.as_str() {
                windows.count(bergfried_query::fold(text).as_bytes());
            }
        }
    }
    windows
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use bergfried_event::{FieldName, Timestamp};
    use bergfried_query::{Condition, Pattern};

    use super::*;

    #[test]
    fn marks_of_events_long_ago_mean_nothing() {
        let holds = |pattern: &str| {
            let condition = Condition::Text(Pattern::with_wildcards(pattern, false));
            Predicate::field(FieldName::new("Image"), condition)
        };
        let predicates = [
            holds("*\\\\cmd.exe"),
            Predicate::Not(Box::new(holds("c*"))),
            Predicate::And(vec![holds("?:*"), holds("*cmd*")]),
        ];
        let asks = Labels::default();
        let entries: Vec<Entry<'_>> =
            predicates.iter().map(|predicate| Entry { predicate, asks }).collect();
        let matcher = Matcher::new(&entries, &Statistics::default());
        let mut scratch = Scratch::default();
        let look = |image: &'static str, scratch: &mut Scratch| {
            let mut event = Event::new(Timestamp::from_seconds(0), "");
            event.set_named(FieldName::new("Image"), image);
            let mut hits = Vec::new();
            matcher.matches(&event, &asks, scratch, &mut hits);
            hits
        };
        assert_eq!(look(r"C:\cmd.exe", &mut scratch), [0, 2]);
        assert!(look("cmd.com", &mut scratch).is_empty());
        // The numbers of events begin anew after so many, at that of the first.
        scratch.epoch = u32::MAX >> 1;
        assert_eq!(look("/bin/sh", &mut scratch), [1]);
        assert_eq!(scratch.epoch, 1);
        assert_eq!(look(r"C:\cmd.exe", &mut scratch), [0, 2]);
        assert_eq!(look("/bin/sh", &mut scratch), [1]);
    }
}
