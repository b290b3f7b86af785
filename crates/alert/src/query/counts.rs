//! How many alerts there are of each severity and status.

use std::collections::BTreeMap;

use super::filter::Filter;
use super::glance::{Glance, Listed};
use crate::alert::Alert;
use crate::model::Model;
use crate::status::Status;

/// How many alerts there are, and of each severity and status that there are any of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub total: usize,
    /// By the severity's word.
    pub severity: BTreeMap<String, usize>,
    /// By the status's word.
    pub status: BTreeMap<&'static str, usize>,
}

/// Counts the alerts that match.
pub fn counts<'a>(
    alerts: impl Iterator<Item = impl Listed<'a>>,
    filter: &Filter,
    model: &Model,
) -> Counts {
    let mut tally = Tally::new(model);
    for listed in alerts {
        let glance = listed.glance(model);
        if filter.takes(listed.alert(), &glance) {
            tally.add(listed.alert(), &glance);
        }
    }
    tally.counts(model)
}

/// Counts that are being made: numbers beside the model's words, so that no word is copied.
#[derive(Clone, Debug)]
pub(super) struct Tally<'a> {
    total: usize,
    severities: Vec<usize>,
    /// Severities of another model, from before the settings changed.
    others: BTreeMap<&'a str, usize>,
    statuses: [usize; Status::ALL.len()],
}

impl<'a> Tally<'a> {
    pub(super) fn new(model: &Model) -> Tally<'a> {
        Tally {
            total: 0,
            severities: vec![0; model.severities.len()],
            others: BTreeMap::new(),
            statuses: [0; Status::ALL.len()],
        }
    }

    pub(super) fn add(&mut self, alert: &'a Alert, glance: &Glance) {
        self.total += 1;
        match self.severities.get_mut(usize::from(glance.place)) {
            Some(count) => *count += 1,
            None => *self.others.entry(&alert.severity).or_default() += 1,
        }
        if let Some(count) = self.statuses.get_mut(glance.status as usize) {
            *count += 1;
        }
    }

    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn counts(&self, model: &Model) -> Counts {
        let words = model.severities.iter().map(|(word, _)| word.as_str());
        let known = words.zip(self.severities.iter().copied());
        let others = self.others.iter().map(|(word, count)| (*word, *count));
        let statuses = Status::ALL.iter().map(|status| status.name()).zip(self.statuses);
        Counts {
            total: self.total,
            severity: known
                .chain(others)
                .filter(|(_, count)| *count > 0)
                .map(|(word, count)| (word.to_owned(), count))
                .collect(),
            status: statuses.filter(|(_, count)| *count > 0).collect(),
        }
    }
}
