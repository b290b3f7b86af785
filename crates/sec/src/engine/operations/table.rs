//! Operations by file, rule and description, with the seconds in which their windows end.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::HashMap;

use crate::engine::timers::Timers;
use crate::pattern::Pattern;
use crate::rule::{Rule, RuleFile, RuleSet};
use crate::variables::{Bytes, Scene};

/// One operation.
pub(in crate::engine) struct Operation {
    pub file: Arc<RuleFile>,
    pub rule: usize,
    /// What `desc` came to: with file and rule its name.
    pub key: Bytes,
    /// When it began.
    pub created: i64,
    /// The beginning of its window.
    pub window: i64,
    /// How long the window is, in seconds; 0 is for ever.
    pub length: i64,
    /// The variables of the event that started it.
    pub scene: Scene,
    pub work: Work,
    pub(super) serial: u64,
}

/// What an operation counts or waits for.
pub(in crate::engine) enum Work {
    Suppress,
    Pair {
        /// The second pattern with values of the first match in it.
        second: Option<Box<Pattern>>,
    },
    Threshold {
        times: VecDeque<i64>,
        /// The threshold was reached.
        fired: bool,
    },
    TwoThresholds {
        times: VecDeque<i64>,
        /// The first threshold was reached.
        second: bool,
    },
    Group {
        /// Time, member, and its token where the rule has a pattern for groups.
        events: VecDeque<(i64, u32, Option<Bytes>)>,
        counts: Box<[u64]>,
        fired: bool,
    },
}

impl Operation {
    /// The first second in which its window is over.
    pub(in crate::engine) const fn due(&self) -> Option<i64> {
        if self.length == 0 {
            None
        } else {
            Some(self.window.saturating_add(self.length).saturating_add(1))
        }
    }

    pub(in crate::engine) fn rule(&self) -> Option<&Rule> {
        self.file.rules.get(self.rule)
    }

    /// An operation that goes on after a restart.
    pub(in crate::engine) fn again(
        file: Arc<RuleFile>,
        rule: usize,
        key: Bytes,
        (created, window, length): (i64, i64, i64),
        scene: Scene,
        work: Work,
    ) -> Self {
        Self { file, rule, key, created, window, length, scene, work, serial: 0 }
    }
}

/// All operations.
#[derive(Default)]
pub(in crate::engine) struct Operations {
    places: Vec<Option<Operation>>,
    free: Vec<usize>,
    /// By file, rule and key.
    files: HashMap<u64, Vec<HashMap<Bytes, usize>>>,
    pub(super) timers: Timers,
    serial: u64,
}

impl Operations {
    pub(in crate::engine) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(in crate::engine) fn next_due(&self) -> Option<i64> {
        self.timers.next_due()
    }

    /// Makes room for the rules of all files.
    pub(in crate::engine) fn place(&mut self, rules: &RuleSet) {
        for file in &rules.files {
            let table = self.files.entry(file.fingerprint).or_default();
            table.resize_with(file.rules.len(), HashMap::default);
        }
    }

    /// Ends the operations of files that are not among these.
    pub(in crate::engine) fn keep(&mut self, rules: &RuleSet) {
        let known =
            |fingerprint: u64| rules.files.iter().any(|file| file.fingerprint == fingerprint);
        let gone: Vec<usize> = self
            .all()
            .filter(|(_, one)| !known(one.file.fingerprint))
            .map(|(place, _)| place)
            .collect();
        for place in gone {
            self.remove(place);
        }
        self.files.retain(|fingerprint, _| known(*fingerprint));
    }

    pub(in crate::engine) fn find(
        &self,
        file: &RuleFile,
        rule: usize,
        key: &[u8],
    ) -> Option<usize> {
        self.files.get(&file.fingerprint)?.get(rule)?.get(key).copied()
    }

    /// The places of a rule's operations.
    pub(in crate::engine) fn of_rule(
        &self,
        file: &RuleFile,
        rule: usize,
    ) -> Option<&HashMap<Bytes, usize>> {
        self.files.get(&file.fingerprint)?.get(rule).filter(|all| !all.is_empty())
    }

    pub(in crate::engine) fn get(&self, place: usize) -> Option<&Operation> {
        self.places.get(place)?.as_ref()
    }

    pub(in crate::engine) fn get_mut(&mut self, place: usize) -> Option<&mut Operation> {
        self.places.get_mut(place)?.as_mut()
    }

    /// All with their places.
    pub(in crate::engine) fn all(&self) -> impl Iterator<Item = (usize, &Operation)> {
        self.places.iter().enumerate().filter_map(|(place, one)| Some((place, one.as_ref()?)))
    }

    pub(in crate::engine) fn add(&mut self, mut operation: Operation) -> usize {
        self.serial += 1;
        operation.serial = self.serial;
        let (fingerprint, rule, key) =
            (operation.file.fingerprint, operation.rule, Arc::clone(&operation.key));
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.places.push(None);
                self.places.len() - 1
            }
        };
        if let Some(at) = self.places.get_mut(place) {
            *at = Some(operation);
        }
        if let Some(table) = self.files.get_mut(&fingerprint).and_then(|rules| rules.get_mut(rule))
        {
            table.insert(key, place);
        }
        self.time(place);
        place
    }

    /// Notes when a window ends, after it moved.
    pub(in crate::engine) fn time(&mut self, place: usize) {
        if let Some((due, serial)) = self.get(place).and_then(|one| Some((one.due()?, one.serial)))
        {
            self.timers.add(due, place, serial);
        }
        if self.timers.is_stale(self.len()) {
            self.timers.clear();
            for (place, one) in self.places.iter().enumerate() {
                if let Some((due, serial)) =
                    one.as_ref().and_then(|one| Some((one.due()?, one.serial)))
                {
                    self.timers.add(due, place, serial);
                }
            }
        }
    }

    pub(in crate::engine) fn remove(&mut self, place: usize) -> Option<Operation> {
        let operation = self.places.get_mut(place)?.take()?;
        if let Some(table) = self
            .files
            .get_mut(&operation.file.fingerprint)
            .and_then(|rules| rules.get_mut(operation.rule))
        {
            table.remove(&operation.key);
        }
        self.free.push(place);
        Some(operation)
    }

    /// The number that tells an operation from others that had its place.
    pub(super) fn serial(&self, place: usize) -> Option<u64> {
        self.get(place).map(|one| one.serial)
    }

    /// Removes the operation, unless another has its place by now.
    pub(super) fn remove_this(&mut self, place: usize, serial: u64) {
        if self.serial(place) == Some(serial) {
            self.remove(place);
        }
    }
}
