//! Predicates with their atoms and keys numbered, each only once however many rules share it.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};

use bergfried_event::{Field, FieldName};
use bergfried_query::{Condition, Predicate, Target};
use foldhash::fast::FixedState;

use crate::key::{Key, Signs, signs};
use crate::names::{ANYTHING, Names, ORIGINAL, Slot};

/// The most steps to which counting choices may come; what is larger is walked.
const MAX_COUNTED: usize = 512;

/// A predicate over numbered atoms, with negation at the atoms alone.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Constant(bool),
    All(Vec<Form>),
    Any(Vec<Form>),
    /// At least so many, more than one and fewer than all.
    AtLeast(usize, Vec<Form>),
    Atom {
        atom: u32,
        negated: bool,
    },
}

/// A condition over a slot.
#[derive(Debug)]
pub(crate) struct Atom {
    pub(crate) slot: Slot,
    pub(crate) test: Test,
    /// The key that is found where the atom holds, and nowhere else.
    pub(crate) certain: Option<u32>,
    /// Choices of keys: of each one is found wherever the atom holds.
    pub(crate) needed: Vec<Box<[u32]>>,
    /// A key that is found wherever the atom does not hold.
    pub(crate) needed_by_negation: Option<u32>,
}

/// How an atom is decided.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// By looking up its certain key.
    Found,
    /// By texts in lower case.
    Folded(Condition),
    /// By the value of its field.
    Value(Condition),
    /// By the plain walk: it looks at what is no field, or at the whole event.
    Walk(Predicate),
}

/// Numbers slots, atoms and keys.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    pub(crate) names: Names,
    pub(crate) atoms: Vec<Atom>,
    pub(crate) keys: Vec<Key>,
    /// Atoms by the hash of what they are.
    known_atoms: HashMap<u64, Vec<(u32, Target, Condition)>, FixedState>,
    known_keys: HashMap<Key, u32, FixedState>,
}

impl Catalogue {
    /// The form of a predicate, or of its negation.
    pub(crate) fn form(&mut self, predicate: &Predicate, negated: bool) -> Form {
        let mut list = |inner: &[Predicate]| -> Vec<Form> {
            inner.iter().map(|predicate| self.form(predicate, negated)).collect()
        };
        match (predicate, negated) {
            (Predicate::Constant(truth), _) => Form::Constant(*truth != negated),
            (Predicate::And(inner), false) | (Predicate::Or(inner), true) => Form::All(list(inner)),
            (Predicate::And(inner), true) | (Predicate::Or(inner), false) => Form::Any(list(inner)),
            (Predicate::Not(inner), _) => self.form(inner, !negated),
            (Predicate::AtLeast(needed, choices), _) if needed * choices.len() > MAX_COUNTED => {
                Form::Atom { atom: self.walk(predicate), negated }
            }
            // Not so many hold where so many fewer do not.
            (Predicate::AtLeast(needed, choices), true) => {
                at_least((choices.len() + 1).saturating_sub(*needed), list(choices))
            }
            (Predicate::AtLeast(needed, choices), false) => at_least(*needed, list(choices)),
            (Predicate::Atom(target, condition), _) => {
                Form::Atom { atom: self.atom(target, condition), negated }
            }
        }
    }

    /// An atom that stands for a whole predicate.
    fn walk(&mut self, predicate: &Predicate) -> u32 {
        let id = u32::try_from(self.atoms.len()).unwrap_or(u32::MAX);
        self.atoms.push(Atom {
            slot: ORIGINAL,
            test: Test::Walk(predicate.clone()),
            certain: None,
            needed: Vec::new(),
            needed_by_negation: None,
        });
        id
    }

    fn atom(&mut self, target: &Target, condition: &Condition) -> u32 {
        let hash = hash(target, condition);
        let known = self.known_atoms.get(&hash).and_then(|known| {
            known.iter().find(|(_, known, of)| known == target && of == condition)
        });
        if let Some((atom, _, _)) = known {
            return *atom;
        }
        let id = u32::try_from(self.atoms.len()).unwrap_or(u32::MAX);
        let atom = self.new_atom(target, condition);
        self.atoms.push(atom);
        let known = self.known_atoms.entry(hash).or_default();
        known.push((id, target.clone(), condition.clone()));
        id
    }

    fn new_atom(&mut self, target: &Target, condition: &Condition) -> Atom {
        let walk = || Test::Walk(Predicate::Atom(target.clone(), condition.clone()));
        let folds = condition.holds_folded("").is_some();
        let value = || match folds {
            true => Test::Folded(condition.clone()),
            false => Test::Value(condition.clone()),
        };
        let (slot, test, has_signs) = match target {
            Target::Anything => (ANYTHING, walk(), true),
            Target::Field(FieldName::Known(Field::EventOriginal)) if folds => {
                (ORIGINAL, value(), true)
            }
            Target::Field(FieldName::Known(Field::EventOriginal)) => (ORIGINAL, walk(), true),
            Target::Field(name) if is_computed(name, condition) => (ORIGINAL, walk(), false),
            Target::Field(name) => (self.names.intern(name), value(), true),
        };
        let signs = if has_signs { signs(slot, condition) } else { Signs::default() };
        let mut key = |sign| self.key(Key { slot, sign });
        let certain = signs.certain.map(&mut key);
        let needed = signs.needed.into_iter();
        let needed = needed.map(|choice| choice.into_iter().map(&mut key).collect()).collect();
        let needed_by_negation = signs.needed_by_negation.map(&mut key);
        Atom { slot, test, certain, needed, needed_by_negation }
    }

    fn key(&mut self, key: Key) -> u32 {
        if let Some(known) = self.known_keys.get(&key) {
            return *known;
        }
        let id = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(key.clone());
        self.known_keys.insert(key, id);
        id
    }
}

/// The form that holds where at least so many of these do.
fn at_least(needed: usize, choices: Vec<Form>) -> Form {
    match needed {
        0 => Form::Constant(true),
        needed if needed > choices.len() => Form::Constant(false),
        1 => Form::Any(choices),
        needed if needed == choices.len() => Form::All(choices),
        needed => Form::AtLeast(needed, choices),
    }
}

/// Whether the value is made from something else than the field of this name.
fn is_computed(name: &FieldName<'_>, condition: &Condition) -> bool {
    match name {
        FieldName::Known(Field::Timestamp) => true,
        FieldName::Known(Field::EventIngested) => matches!(condition, Condition::Number(..)),
        _ => false,
    }
}

fn hash(target: &Target, condition: &Condition) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    if let Target::Field(name) = target {
        name.hash(&mut hasher);
    }
    std::mem::discriminant(condition).hash(&mut hasher);
    match condition {
        Condition::Exists | Condition::Null => {}
        Condition::Text(pattern) | Condition::Words(pattern) => pattern.hash(&mut hasher),
        Condition::Regex(regex) => regex.as_str().hash(&mut hasher),
        Condition::Network(network) => network.hash(&mut hasher),
        Condition::Number(comparison, number) => {
            (comparison, number.to_bits()).hash(&mut hasher);
        }
        Condition::TimePart(part, _, number) => (part, number.to_bits()).hash(&mut hasher),
        Condition::Bool(truth) => truth.hash(&mut hasher),
        Condition::SameAs { field, .. } => field.hash(&mut hasher),
    }
    hasher.finish()
}
