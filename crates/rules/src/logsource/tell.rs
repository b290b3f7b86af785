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
    by_atoms: HashMap<Box<[Atom]>, Answer>,
    met: Vec<Atom>,
    seen: Vec<bool>,
}

/// What follows from atoms.
#[derive(Clone, Debug)]
struct Answer {
    labels: Labels,
    /// Costly atoms on which the labels hang as well.
    open: Box<[Atom]>,
    /// Whether the event says words itself.
    says: bool,
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
        self.atoms.met(event, &mut told.seen, &mut told.met);
        let Some(answer) = told.by_atoms.get(told.met.as_slice()) else {
            let answer = self.answer(&told.met, self.atoms.open(&told.met));
            told.remember(answer);
            return self.of(event, told);
        };
        if answer.open.is_empty() && !answer.says {
            return answer.labels;
        }
        let (mut labels, says) = (answer.labels, answer.says);
        if !answer.open.is_empty() {
            told.met.extend(answer.open.iter().filter(|atom| self.atoms.ask(**atom, event)));
            // Tells these atoms from the same ones without an answer to the costly ones.
            told.met.push(Atom::MAX);
            labels = match told.by_atoms.get(told.met.as_slice()) {
                Some(answer) => answer.labels,
                None => {
                    let answer = self.answer(&told.met, Vec::new());
                    let labels = answer.labels;
                    told.remember(answer);
                    labels
                }
            };
        }
        if says { self.said(event, labels) } else { labels }
    }

    /// What follows from exactly these atoms, where the open ones may hold or not.
    fn answer(&self, met: &[Atom], open: Vec<Atom>) -> Answer {
        let (mut labels, mut asked) = (Labels::default(), Vec::new());
        for (tree, words) in &self.entries {
            match tree.decide(met, &open) {
                Some(true) => words.iter().for_each(|word| labels = labels.with(word)),
                Some(false) => {}
                None => tree.collect(&open, &mut asked),
            }
        }
        let says = self.said.iter().any(|tree| tree.decide(met, &open) == Some(true));
        Answer { labels, open: asked.into(), says }
    }

    /// The labels with those that fields of the event name themselves.
    fn said(&self, event: &Event<'_>, mut labels: Labels) -> Labels {
        for part in Part::ALL {
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
}

impl Told {
    /// Remembers what follows from the atoms met.
    fn remember(&mut self, answer: Answer) {
        if self.by_atoms.len() >= MAX_REMEMBERED {
            self.by_atoms.clear();
        }
        self.by_atoms.insert(self.met.as_slice().into(), answer);
    }
}
