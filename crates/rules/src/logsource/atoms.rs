//! The atoms of the table's conditions, and which of them an event meets, by one look at its fields.
//!
//! Most atoms ask whether a field is there or is one of a few texts: these are answered for every
//! event. The others cost more, and are asked only of events whose log source hangs on them.

use bergfried_event::{Event, Field, FieldName, Value};
use bergfried_query::{Condition, Predicate, Target, fold};

/// The number of an atom; every table that can be read has fewer.
pub(super) type Atom = u16;

/// Longer names of fields, and longer texts, are asked for one by one.
const MAX_LENGTH: usize = 64;
/// How many lists the names of fields are spread over.
const BUCKETS: usize = 256;

/// The distinct atoms of many conditions.
#[derive(Debug, Default)]
pub(super) struct Atoms {
    fields: Vec<FieldAtoms>,
    /// For each well-known field its place in `fields`.
    known: Vec<Option<usize>>,
    /// For each [`bucket`] of names: these, and their places in `fields`.
    others: Vec<Vec<(String, usize)>>,
    /// Atoms that are asked of the event, by number, and the atom that must hold for each to hold.
    costly: Vec<(Atom, Option<Atom>, Predicate)>,
    count: Atom,
}

/// The cheap atoms over one field.
#[derive(Debug, Default)]
struct FieldAtoms {
    exists: Option<Atom>,
    /// For each length: folded texts of it, and the atom that asks for each.
    texts: Vec<Vec<(String, Atom)>>,
    /// Those of the texts that are whole numbers.
    numbers: Vec<(i64, Atom)>,
}

/// The conditions in terms of atoms.
#[derive(Debug, PartialEq)]
pub(super) enum Tree {
    Constant(bool),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Atom(Atom),
}

impl Default for Tree {
    fn default() -> Self {
        Tree::Constant(false)
    }
}

impl Tree {
    /// Whether the tree holds where these atoms do, those that are `open` may, and no others do;
    /// `None` where it hangs on an open one.
    pub(super) fn decide(&self, met: &[Atom], open: &[Atom]) -> Option<bool> {
        match self {
            Tree::Constant(truth) => Some(*truth),
            Tree::And(all) => decide_all(all, met, open, true),
            Tree::Or(any) => decide_all(any, met, open, false),
            Tree::Not(inner) => inner.decide(met, open).map(|truth| !truth),
            Tree::Atom(atom) if met.contains(atom) => Some(true),
            Tree::Atom(atom) => (!open.contains(atom)).then_some(false),
        }
    }

    /// Adds the open atoms that the tree names.
    pub(super) fn collect(&self, open: &[Atom], found: &mut Vec<Atom>) {
        match self {
            Tree::Constant(_) => {}
            Tree::And(inner) | Tree::Or(inner) => {
                inner.iter().for_each(|tree| tree.collect(open, found));
            }
            Tree::Not(inner) => inner.collect(open, found),
            Tree::Atom(atom) if open.contains(atom) && !found.contains(atom) => found.push(*atom),
            Tree::Atom(_) => {}
        }
    }
}

/// A conjunction (`neutral` is true) or a disjunction.
fn decide_all(trees: &[Tree], met: &[Atom], open: &[Atom], neutral: bool) -> Option<bool> {
    let mut undecided = false;
    for tree in trees {
        match tree.decide(met, open) {
            None => undecided = true,
            Some(truth) if truth != neutral => return Some(truth),
            Some(_) => {}
        }
    }
    (!undecided).then_some(neutral)
}

impl Atoms {
    /// The condition in terms of atoms, which are added where they are new.
    pub(super) fn tree(&mut self, predicate: &Predicate) -> Tree {
        match predicate {
            Predicate::Constant(truth) => Tree::Constant(*truth),
            Predicate::And(all) => Tree::And(all.iter().map(|each| self.tree(each)).collect()),
            Predicate::Or(any) => Tree::Or(any.iter().map(|each| self.tree(each)).collect()),
            Predicate::Not(inner) => Tree::Not(Box::new(self.tree(inner))),
            other => self.atom(other).map_or(Tree::Constant(false), Tree::Atom),
        }
    }

    /// The number of an atom; `None` past the last number, which no table of a bounded size reaches.
    fn atom(&mut self, predicate: &Predicate) -> Option<Atom> {
        let next = self.count.checked_add(1)?;
        let known = self.costly.iter().find(|(.., known)| known == predicate);
        if let Some((atom, ..)) = known {
            return Some(*atom);
        }
        let mut needed = None;
        if let Predicate::Atom(Target::Field(name), condition) = predicate
            && is_stored(name)
        {
            let place = self.place(name);
            let field = self.fields.get_mut(place)?;
            if let Some(atom) = field.atom(condition, self.count) {
                if atom == self.count {
                    self.count = next;
                }
                return Some(atom);
            }
            if !matches!(condition, Condition::Null) {
                let exists = *field.exists.get_or_insert(self.count);
                if exists == self.count {
                    self.count = next;
                }
                needed = Some(exists);
            }
        }
        let atom = self.count;
        self.count = atom.checked_add(1)?;
        self.costly.push((atom, needed, predicate.clone()));
        Some(atom)
    }

    fn place(&mut self, name: &FieldName<'_>) -> usize {
        let next = self.fields.len();
        let place = match name {
            FieldName::Known(field) => {
                self.known.resize(Field::ALL.len(), None);
                self.known.get_mut(field.index()).map(|slot| *slot.get_or_insert(next))
            }
            FieldName::Other(text) => {
                self.others.resize_with(BUCKETS, Vec::new);
                self.others.get_mut(bucket(text)).map(|names| {
                    match names.iter().find(|(known, _)| known == text) {
                        Some((_, place)) => *place,
                        None => {
                            names.push((text.to_string(), next));
                            next
                        }
                    }
                })
            }
        };
        let place = place.unwrap_or(next);
        if place == next {
            self.fields.push(FieldAtoms::default());
        }
        place
    }

    /// The cheap atoms that the event meets. `seen` is scratch.
    pub(super) fn met(&self, event: &Event<'_>, seen: &mut Vec<bool>, met: &mut Vec<Atom>) {
        met.clear();
        seen.clear();
        seen.resize(self.fields.len(), false);
        for (name, value) in event.fields() {
            let Some(place) = self.find(name) else { continue };
            let (Some(seen), Some(atoms)) = (seen.get_mut(place), self.fields.get(place)) else {
                continue;
            };
            // Where a field is there twice, the first counts, as in the plain walk.
            if !std::mem::replace(seen, true) {
                met.extend(atoms.exists);
                atoms.texts_met(value, met);
            }
        }
    }

    /// The costly atoms that may hold where exactly these cheap ones do.
    pub(super) fn open(&self, met: &[Atom]) -> Vec<Atom> {
        let may = |needed: &Option<Atom>| needed.is_none_or(|needed| met.contains(&needed));
        self.costly.iter().filter(|(_, needed, _)| may(needed)).map(|(atom, ..)| *atom).collect()
    }

    /// Whether the event meets a costly atom.
    pub(super) fn ask(&self, atom: Atom, event: &Event<'_>) -> bool {
        self.costly
            .binary_search_by_key(&atom, |(atom, ..)| *atom)
            .is_ok_and(|index| self.costly.get(index).is_some_and(|(.., atom)| atom.matches(event)))
    }

    fn find(&self, name: &FieldName<'_>) -> Option<usize> {
        match name {
            FieldName::Known(field) => *self.known.get(field.index())?,
            FieldName::Other(text) => {
                let names = self.others.get(bucket(text))?;
                names.iter().find(|(known, _)| known == text).map(|(_, place)| *place)
            }
        }
    }
}

impl FieldAtoms {
    /// The number of a cheap atom, `next` where it is new; `None` for a costly one.
    fn atom(&mut self, condition: &Condition, next: Atom) -> Option<Atom> {
        let Condition::Text(pattern) = condition else {
            let exists = *condition == Condition::Exists;
            return exists.then(|| *self.exists.get_or_insert(next));
        };
        let text = pattern.as_literal().filter(|_| !pattern.is_cased())?;
        if text.len() > MAX_LENGTH {
            return None;
        }
        self.texts.resize_with(MAX_LENGTH + 1, Vec::new);
        let same_length = self.texts.get_mut(text.len())?;
        if let Some((_, atom)) = same_length.iter().find(|(known, _)| known == text) {
            return Some(*atom);
        }
        same_length.push((text.to_owned(), next));
        let number = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
        self.numbers.extend(number.map(|number| (number, next)));
        Some(next)
    }

    fn texts_met(&self, value: &Value<'_>, met: &mut Vec<Atom>) {
        if self.texts.is_empty() {
            return;
        }
        let found = match value {
            Value::List(values) => {
                values.iter().for_each(|value| self.texts_met(value, met));
                return;
            }
            Value::Null => None,
            Value::Int(number) => {
                self.numbers.iter().find(|(known, _)| known == number).map(|n| n.1)
            }
            value => {
                let text = value.to_text();
                // Lower-casing keeps the length of ASCII, and only of it.
                if text.is_ascii() {
                    let same = |(known, _): &&(String, Atom)| text.eq_ignore_ascii_case(known);
                    let same_length = self.texts.get(text.len());
                    same_length.and_then(|texts| texts.iter().find(same)).map(|text| text.1)
                } else {
                    let folded = fold(&text);
                    let same = |(known, _): &&(String, Atom)| *known == folded;
                    let same_length = self.texts.get(folded.len());
                    same_length.and_then(|texts| texts.iter().find(same)).map(|text| text.1)
                }
            }
        };
        met.extend(found.filter(|atom| !met.contains(atom)));
    }
}

/// The list that a name stands in, from its length and both its ends.
fn bucket(name: &str) -> usize {
    let bytes = name.as_bytes();
    let byte = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or_default());
    let (first, last) = (byte(bytes.first()), byte(bytes.last()));
    (bytes.len().wrapping_mul(37) ^ first.wrapping_mul(11) ^ last.wrapping_mul(5)) % BUCKETS
}

/// Whether the value of the field stands among the fields of events, and its name is short enough.
fn is_stored(name: &FieldName<'_>) -> bool {
    match name {
        FieldName::Known(Field::Timestamp | Field::EventOriginal | Field::EventIngested) => false,
        FieldName::Known(_) => true,
        FieldName::Other(name) => name.len() <= MAX_LENGTH,
    }
}
