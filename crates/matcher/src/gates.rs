//! For each predicate the keys one of which must be found for it to hold.

use crate::catalogue::{Catalogue, Form};
use crate::key::Sign;
use crate::odds::Odds;

/// Keys one of which is found wherever a form holds, and how many of them an event is expected to
/// have.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) expected: f32,
    pub(crate) keys: Vec<u32>,
}

/// What one more key costs though it is never found: its share of the look-ups.
const COST_OF_KEY: f32 = 1e-4;
/// The same for a literal so short that texts are looked through once more for its like.
const COST_OF_SHORT_KEY: f32 = 0.02;
/// Literals from this length on are not short.
const SHORT: usize = 4;

/// The rarest keys one of which is found wherever the form holds; `None` where it can hold without
/// any key.
pub(crate) fn choose(
    form: &Form,
    group: u32,
    catalogue: &Catalogue,
    odds: &Odds,
) -> Option<Choice> {
    match form {
        Form::Constant(true) => None,
        Form::Constant(false) => Some(Choice { expected: 0.0, keys: Vec::new() }),
        Form::All(inner) => {
            rarest(inner.iter().filter_map(|form| choose(form, group, catalogue, odds)))
        }
        Form::Any(inner) => {
            let one = |form| choose(form, group, catalogue, odds);
            inner.iter().map(one).collect::<Option<Vec<_>>>().map(union)
        }
        Form::AtLeast(needed, inner) => {
            // Of all but so few that they alone are not enough, one must hold.
            let asked = (inner.len() + 1).saturating_sub(*needed);
            let one = |form| choose(form, group, catalogue, odds);
            let mut choices: Vec<Choice> = inner.iter().filter_map(one).collect();
            choices.sort_by(|left, right| left.expected.total_cmp(&right.expected));
            choices.truncate(asked);
            (choices.len() == asked).then(|| union(choices))
        }
        Form::Atom { atom, negated } => {
            let atom = catalogue.atoms.get(*atom as usize)?;
            let choice = |keys: &[u32]| Choice {
                expected: odds.choice(keys, group)
                    + keys.iter().map(|key| cost(catalogue, *key)).sum::<f32>(),
                keys: keys.to_vec(),
            };
            match negated {
                true => atom.needed_by_negation.map(|key| choice(&[key])),
                false => rarest(atom.needed.iter().map(|keys| choice(keys))),
            }
        }
    }
}

fn cost(catalogue: &Catalogue, key: u32) -> f32 {
    match catalogue.keys.get(key as usize).map(|key| &key.sign) {
        Some(Sign::Inside(text)) if text.len() < SHORT => COST_OF_SHORT_KEY,
        _ => COST_OF_KEY,
    }
}

fn union(choices: Vec<Choice>) -> Choice {
    let mut all = Choice { expected: 0.0, keys: Vec::new() };
    for one in choices {
        all.expected += one.expected;
        all.keys.extend(one.keys);
    }
    all
}

fn rarest(choices: impl Iterator<Item = Choice>) -> Option<Choice> {
    choices.min_by(|left, right| left.expected.total_cmp(&right.expected))
}
