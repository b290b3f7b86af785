//! The atoms of the table's conditions, and which of them an event meets, by one look at its fields.
//!
//! Most atoms ask whether a field is there or is one of a few texts: these are answered without
//! going through the conditions. The others are asked of the event as they stand.

use std::collections::BTreeMap;

use bergfried_event::{Event, Field, FieldName, Value};
use bergfried_query::{Condition, Predicate, Target, fold};

/// The number of an atom; every table that can be read has fewer.
pub(super) type Atom = u16;

/// Longer names of fields are asked for one by one.
const MAX_NAME: usize = 64;

/// The distinct atoms of many conditions.
#[derive(Debug, Default)]
pub(super) struct Atoms {
    fields: Vec<FieldAtoms>,
    /// For each well-known field its place in `fields`.
    known: Vec<Option<usize>>,
    /// For each length of name: names and their places in `fields`.
    others: Vec<Vec<(String, usize)>>,
    /// Atoms that no field answers.
    rest: Vec<(Atom, Predicate)>,
    count: Atom,
}

/// The atoms over one field.
#[derive(Debug, Default)]
struct FieldAtoms {
    exists: Option<Atom>,
    /// Folded text, in the order of its length, and the atom that asks for it.
    texts: BTreeMap<usize, Vec<(String, Atom)>>,
    /// Every other condition.
    others: Vec<(Atom, Condition, Predicate)>,
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
    /// Whether the tree holds where exactly these atoms do.
    pub(super) fn holds(&self, atoms: &[Atom]) -> bool {
        match self {
            Tree::Constant(truth) => *truth,
            Tree::And(all) => all.iter().all(|tree| tree.holds(atoms)),
            Tree::Or(any) => any.iter().any(|tree| tree.holds(atoms)),
            Tree::Not(inner) => !inner.holds(atoms),
            Tree::Atom(atom) => atoms.contains(atom),
        }
    }
}

impl Atoms {
    /// The condition in terms of atoms, which are added where they are new.
    pub(super) fn tree(&mut self, predicate: &Predicate) -> Tree {
        match predicate {
            Predicate::Constant(truth) => Tree::Constant(*truth),
            Predicate::And(all) => Tree::And(all.iter().map(|each| self.tree(each)).collect()),
            Predicate::Or(any) => Tree::Or(any.iter().map(|each| self.tree(each)).collect()),
            Predicate::Not(inner) => Tree::Not(Box::new(self.tree(inner))),
            other => match self.atom(other) {
                Some(atom) => Tree::Atom(atom),
                None => Tree::Constant(false),
            },
        }
    }

    /// The number of an atom; `None` past the last number, which no table of a bounded size reaches.
    fn atom(&mut self, predicate: &Predicate) -> Option<Atom> {
        let next = self.count.checked_add(1)?;
        let found = match predicate {
            Predicate::Atom(Target::Field(name), condition) if is_stored(name) => {
                let place = self.place(name);
                self.fields.get_mut(place)?.atom(condition, predicate, self.count)
            }
            _ => match self.rest.iter().find(|(_, known)| known == predicate) {
                Some((atom, _)) => *atom,
                None => {
                    self.rest.push((self.count, predicate.clone()));
                    self.count
                }
            },
        };
        if found == self.count {
            self.count = next;
        }
        Some(found)
    }

    fn place(&mut self, name: &FieldName<'_>) -> usize {
        let next = self.fields.len();
        let place = match name {
            FieldName::Known(field) => {
                self.known.resize(Field::ALL.len(), None);
                self.known.get_mut(field.index()).map(|slot| *slot.get_or_insert(next))
            }
            FieldName::Other(text) => {
                self.others.resize_with(MAX_NAME + 1, Vec::new);
                self.others.get_mut(text.len()).map(|names| {
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

    /// The atoms that the event meets. `seen` is scratch.
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
                atoms.met(value, event, met);
            }
        }
        met.extend(self.rest.iter().filter(|(_, atom)| atom.matches(event)).map(|(atom, _)| *atom));
    }

    fn find(&self, name: &FieldName<'_>) -> Option<usize> {
        match name {
            FieldName::Known(field) => *self.known.get(field.index())?,
            FieldName::Other(text) => {
                let first = text.as_bytes().first();
                let same = |name: &&(String, usize)| {
                    name.0.as_bytes().first() == first && name.0 == text.as_ref()
                };
                self.others.get(text.len())?.iter().find(same).map(|(_, place)| *place)
            }
        }
    }
}

impl FieldAtoms {
    fn atom(&mut self, condition: &Condition, whole: &Predicate, next: Atom) -> Atom {
        match condition {
            Condition::Exists => *self.exists.get_or_insert(next),
            Condition::Text(pattern) if !pattern.is_cased() && !pattern.has_wildcard() => {
                let text = pattern.as_literal().unwrap_or_default();
                let same_length = self.texts.entry(text.len()).or_default();
                match same_length.iter().find(|(known, _)| known == text) {
                    Some((_, atom)) => *atom,
                    None => {
                        same_length.push((text.to_owned(), next));
                        next
                    }
                }
            }
            _ => match self.others.iter().find(|(_, known, _)| known == condition) {
                Some((atom, ..)) => *atom,
                None => {
                    self.others.push((next, condition.clone(), whole.clone()));
                    next
                }
            },
        }
    }

    fn met(&self, value: &Value<'_>, event: &Event<'_>, met: &mut Vec<Atom>) {
        met.extend(self.exists);
        self.texts_met(value, met);
        met.extend(
            self.others.iter().filter(|(.., atom)| atom.matches(event)).map(|(atom, ..)| *atom),
        );
    }

    fn texts_met(&self, value: &Value<'_>, met: &mut Vec<Atom>) {
        if self.texts.is_empty() {
            return;
        }
        match value {
            Value::List(values) => values.iter().for_each(|value| self.texts_met(value, met)),
            Value::Null => {}
            value => {
                let text = value.to_text();
                // Lower-casing keeps the length of ASCII, and only of it.
                let found = if text.is_ascii() {
                    let same_length = self.texts.get(&text.len());
                    let same = |(known, _): &&(String, Atom)| text.eq_ignore_ascii_case(known);
                    same_length.and_then(|texts| texts.iter().find(same))
                } else {
                    let folded = fold(&text);
                    self.texts
                        .get(&folded.len())
                        .and_then(|texts| texts.iter().find(|(known, _)| *known == folded))
                };
                met.extend(found.map(|(_, atom)| *atom).filter(|atom| !met.contains(atom)));
            }
        }
    }
}

/// Whether the value of the field stands among the fields of events, and its name is short enough.
fn is_stored(name: &FieldName<'_>) -> bool {
    match name {
        FieldName::Known(Field::Timestamp | Field::EventOriginal | Field::EventIngested) => false,
        FieldName::Known(_) => true,
        FieldName::Other(name) => name.len() <= MAX_NAME,
    }
}
