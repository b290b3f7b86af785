//! How often keys are found: guessed from what they are, corrected by what was seen.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::catalogue::{Catalogue, Form};
use crate::filter::{Filter, Gate, Parts};
use crate::grams::Windows;
use crate::key::{Key, Sign};
use crate::labels::Labels;
use crate::scratch::Scratch;
use crate::statistics::Statistics;

/// For how many events seen a guess counts.
const WEIGHT_OF_GUESS: f32 = 4.0;
/// What to think of an atom that nothing can be looked up for.
const UNKNOWN: f32 = 0.2;

/// How likely keys and atoms are, by the group whose events are looked at.
#[derive(Debug)]
pub(crate) struct Odds {
    /// By key and group.
    keys: HashMap<(u32, u32), f32, FixedState>,
}

impl Odds {
    /// The odds for the entries of these forms and groups.
    pub(crate) fn new(
        catalogue: &Catalogue,
        forms: &[(Form, u32)],
        groups: &[Labels],
        statistics: &Statistics,
    ) -> Odds {
        // In how many places each key of each group is named: what many rules look for is common.
        let mut named: HashMap<(u32, u32), u32, FixedState> = HashMap::default();
        for (form, group) in forms {
            count_keys(form, catalogue, &mut |key| *named.entry((key, *group)).or_default() += 1);
        }
        let mut pairs: Vec<(u32, u32)> = named.keys().copied().collect();
        pairs.sort_unstable();
        let seen = observe(catalogue, &pairs, groups, statistics);
        let mut keys = HashMap::default();
        for (pair, (hits, events)) in pairs.iter().zip(seen) {
            let (key, _) = *pair;
            let Some(key) = catalogue.keys.get(key as usize) else { continue };
            let guess = guess(key, named.get(pair).copied().unwrap_or(1));
            let odds = (hits + guess * WEIGHT_OF_GUESS) / (events + WEIGHT_OF_GUESS);
            keys.insert(*pair, odds);
        }
        Odds { keys }
    }

    /// How likely a key is to be found in an event that the group meets.
    pub(crate) fn key(&self, key: u32, group: u32) -> f32 {
        self.keys.get(&(key, group)).copied().unwrap_or(UNKNOWN)
    }

    /// How many of these keys are expected in an event that the group meets.
    pub(crate) fn choice(&self, keys: &[u32], group: u32) -> f32 {
        keys.iter().map(|key| self.key(*key, group)).sum()
    }

    /// How likely an atom is to hold over an event that the group meets.
    pub(crate) fn atom(&self, catalogue: &Catalogue, atom: u32, group: u32) -> f32 {
        let Some(atom) = catalogue.atoms.get(atom as usize) else { return UNKNOWN };
        let needed = atom.needed.iter().map(|choice| self.choice(choice, group));
        match atom.certain {
            Some(key) => self.key(key, group),
            None => needed.fold(1.0, f32::min) * 0.5,
        }
    }
}

fn count_keys(form: &Form, catalogue: &Catalogue, count: &mut impl FnMut(u32)) {
    match form {
        Form::Constant(_) => {}
        Form::All(inner) | Form::Any(inner) | Form::AtLeast(_, inner) => {
            for form in inner {
                count_keys(form, catalogue, count);
            }
        }
        Form::Atom { atom, .. } => {
            let Some(atom) = catalogue.atoms.get(*atom as usize) else { return };
            for key in atom.needed.iter().flatten().chain(&atom.needed_by_negation) {
                count(*key);
            }
        }
    }
}

/// For each pair of key and group: in how many of the events seen that meet the group the key was
/// found, and how many these are.
fn observe(
    catalogue: &Catalogue,
    pairs: &[(u32, u32)],
    groups: &[Labels],
    statistics: &Statistics,
) -> Vec<(f32, f32)> {
    let mut seen = vec![(0.0, 0.0); pairs.len()];
    if statistics.is_empty() {
        return seen;
    }
    let gates = (0_u32..).zip(pairs);
    let filter = Filter::new(Parts {
        names: &catalogue.names,
        keys: &catalogue.keys,
        atoms: &vec![None; catalogue.keys.len()],
        looked_up: &[],
        gates: gates.map(|(item, (key, group))| Gate { key: *key, group: *group, item }).collect(),
        always: vec![Vec::new(); groups.len()],
        groups,
        windows: &Windows::default(),
        atom_count: 0,
        item_count: pairs.len(),
    });
    let mut scratch = Scratch::default();
    let mut met = vec![0.0_f32; groups.len()];
    for (event, labels) in statistics.samples() {
        for (met, asks) in met.iter_mut().zip(groups) {
            if labels.contains_all(asks) {
                *met += 1.0;
            }
        }
        let Some(passage) = filter.pass(event, labels, &mut scratch) else { continue };
        for item in &passage.marks.candidates {
            if let Some((hits, _)) = seen.get_mut(*item as usize) {
                *hits += 1.0;
            }
        }
    }
    for ((_, events), (_, group)) in seen.iter_mut().zip(pairs) {
        *events = met.get(*group as usize).copied().unwrap_or(0.0);
    }
    seen
}

/// How likely a key is where nothing was seen: the longer, the rarer; but what many rules name is
/// what attackers and everyone else use.
#[expect(clippy::cast_precision_loss, reason = "a guess")]
fn guess(key: &Key, named: u32) -> f32 {
    let (base, least) = match &key.sign {
        Sign::Present => return 0.9,
        Sign::Number(_) => (0.05, 0.0),
        Sign::Exact(text) => (0.02, 1.0 / (1.0 + text.len() as f32)),
        Sign::Start(text) | Sign::Finish(text) => (0.05, 1.0 / (1.0 + text.len() as f32)),
        Sign::Inside(text) => (0.02, 4.0 / (1.0 + (text.len() * text.len()) as f32)),
    };
    let repeated = 1.0 + (named as f32).sqrt();
    ((base + least) * 0.1 * repeated).min(0.8)
}
