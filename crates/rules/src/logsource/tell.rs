//! Tells the log sources of events, for the words that a set of rules asks for.

use std::collections::HashMap;

use bergfried_event::{Event, FieldName, Value};
use bergfried_matcher::Labels;
use bergfried_query::{Condition, Predicate};

use super::atoms::{Atom, Atoms, Tree};
use super::{Comes, LogSource, LogSources, Part};

/// The most combinations of atoms that are remembered.
const MAX_REMEMBERED: usize = 4096;

/// The conditions of the words that a set of rules asks for. Never changes.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    /// Words by part, and the label of each.
    labels: [HashMap<String, usize>; 3],
    atoms: Atoms,
    /// Each condition, and the words that it gives.
    entries: Vec<(Tree, Labels)>,
    /// For each part the atom that the event says its word itself.
    said: [Tree; 3],
}

/// What was told before, kept for its speed alone.
#[derive(Debug, Default)]
pub(crate) struct Told {
    by_atoms: HashMap<Box<[Atom]>, Labels>,
    met: Vec<Atom>,
    seen: Vec<bool>,
}

impl Teller {
    /// The teller of the words of these log sources.
    pub(crate) fn new<'l>(
        sources: &LogSources,
        asked: impl IntoIterator<Item = &'l LogSource>,
    ) -> Teller {
        let mut teller = Teller::default();
        let mut count = 0;
        for (part, word) in asked.into_iter().flat_map(LogSource::words) {
            let labels = teller.labels.get_mut(part as usize);
            if let Some(labels) = labels.filter(|labels| !labels.contains_key(word)) {
                labels.insert(word.to_owned(), count);
                count += 1;
            }
        }
        for entry in &sources.0.entries {
            let Comes::When(condition) = &entry.comes else { continue };
            let labels: Labels =
                entry.words.iter().filter_map(|(part, word)| teller.label(*part, word)).collect();
            if !labels.is_empty() {
                let tree = teller.atoms.tree(condition);
                teller.entries.push((tree, labels));
            }
        }
        // Events that say their log source are looked at in any case.
        teller.said = Part::ALL.map(|part| {
            let name = FieldName::Other(part.field().into());
            teller.atoms.tree(&Predicate::field(name, Condition::Exists))
        });
        teller
    }

    fn label(&self, part: Part, word: &str) -> Option<usize> {
        self.labels.get(part as usize)?.get(word).copied()
    }

    /// The labels that a rule asks for; `None` where there are more words than labels.
    pub(crate) fn asked(&self, logsource: &LogSource) -> Option<Labels> {
        let mut labels = Labels::default();
        let fits = logsource
            .words()
            .all(|(part, word)| self.label(part, word).is_some_and(|label| labels.insert(label)));
        fits.then_some(labels)
    }

    /// The words of these labels, such as `service: sshd`, in the order of the parts and of words.
    pub(crate) fn words(&self, labels: &Labels) -> Vec<String> {
        let mut words = Vec::new();
        for (part, known) in Part::ALL.into_iter().zip(&self.labels) {
            let given = known.iter().filter(|(_, label)| labels.contains(**label));
            let from = words.len();
            words.extend(given.map(|(word, _)| format!("{}: {word}", part.name())));
            words.get_mut(from..).unwrap_or_default().sort();
        }
        words
    }

    /// The labels of words that [`Teller::words`] tells; unknown words have none.
    pub(crate) fn labelled(&self, words: &[String]) -> Labels {
        let label = |word: &String| {
            let (name, word) = word.split_once(": ")?;
            let part = Part::ALL.into_iter().find(|part| part.name() == name)?;
            self.label(part, word)
        };
        words.iter().filter_map(label).collect()
    }

    /// The words that the event has.
    pub(crate) fn of(&self, event: &Event<'_>, told: &mut Told) -> Labels {
        let Told { by_atoms, met, seen } = told;
        self.atoms.met(event, seen, met);
        let labels = match by_atoms.get(met.as_slice()) {
            Some(labels) => *labels,
            None => {
                let labels = self.given(met);
                if by_atoms.len() >= MAX_REMEMBERED {
                    by_atoms.clear();
                }
                by_atoms.insert(met.as_slice().into(), labels);
                labels
            }
        };
        self.said(event, met, labels)
    }

    /// The labels with those that fields of the event name themselves.
    fn said(&self, event: &Event<'_>, met: &[Atom], mut labels: Labels) -> Labels {
        for (part, said) in Part::ALL.into_iter().zip(&self.said) {
            if !said.holds(met) {
                continue;
            }
            let name = FieldName::Other(part.field().into());
            let words = match event.get_named(&name) {
                Some(Value::List(words)) => words.as_slice(),
                Some(word) => std::slice::from_ref(word),
                None => &[],
            };
            for word in words.iter().filter_map(Value::as_str) {
                if let Some(label) = self.label(part, &word.to_lowercase()) {
                    labels.insert(label);
                }
            }
        }
        labels
    }

    fn given(&self, met: &[Atom]) -> Labels {
        let holding = self.entries.iter().filter(|(tree, _)| tree.holds(met));
        holding.flat_map(|(_, labels)| labels.iter()).collect()
    }
}
