//! What an engine remembers, written down so that it goes on after a restart.
//!
//! Operations and the lists of contexts belong to rules; where the file of a rule has changed, they
//! are left out and counted. Buffers of several lines, scripts that run and functions in Perl are not
//! kept.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::contexts::Ending;
use super::operations::{Operation, Work};
use super::{Engine, State, Statistics, Waiting};
use crate::expression::Sets;
use crate::rule::{Kind, ListId, RuleFile, RuleSet};
use crate::text::{Shared, Text};
use crate::variables::{Bytes, Scene};

/// What an engine remembers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Snapshot {
    now: i64,
    contexts: Vec<ContextState>,
    operations: Vec<OperationState>,
    variables: Vec<(String, Text)>,
    sets: Sets,
    events: Vec<Waiting>,
    delayed: Vec<(i64, Waiting)>,
    calendar: Vec<(u64, usize, i64)>,
    hits: Vec<(u64, usize, u64)>,
    statistics: Statistics,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ContextState {
    names: Vec<Bytes>,
    created: i64,
    lifetime: i64,
    store: Vec<Shared>,
    ending: Option<EndingState>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct EndingState {
    file: u64,
    rule: usize,
    list: ListId,
    scene: Scene,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct OperationState {
    file: u64,
    rule: usize,
    key: Bytes,
    created: i64,
    window: i64,
    length: i64,
    scene: Scene,
    work: WorkState,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum WorkState {
    Suppress,
    Pair,
    Threshold { times: Vec<i64>, fired: bool },
    TwoThresholds { times: Vec<i64>, second: bool },
    Group { events: Vec<(i64, u32, Option<Bytes>)>, counts: Vec<u64>, fired: bool },
}

impl Engine {
    /// What it remembers.
    pub fn snapshot(&self) -> Snapshot {
        let State {
            contexts,
            operations,
            variables,
            sets,
            events,
            delayed,
            calendar,
            hits,
            statistics,
            now,
            ..
        } = &self.state;
        let counted = |map: &foldhash::HashMap<(u64, usize), u64>| {
            map.iter().map(|((file, rule), count)| (*file, *rule, *count)).collect()
        };
        Snapshot {
            now: *now,
            contexts: contexts
                .all()
                .map(|context| ContextState {
                    names: context.names.clone(),
                    created: context.created,
                    lifetime: context.lifetime,
                    store: context.store.iter().cloned().collect(),
                    ending: context.ending.as_ref().map(|ending| EndingState {
                        file: ending.file.fingerprint,
                        rule: ending.rule,
                        list: ending.list,
                        scene: ending.scene.clone(),
                    }),
                })
                .collect(),
            operations: operations
                .all()
                .map(|(_, one)| OperationState {
                    file: one.file.fingerprint,
                    rule: one.rule,
                    key: Arc::clone(&one.key),
                    created: one.created,
                    window: one.window,
                    length: one.length,
                    scene: one.scene.clone(),
                    work: WorkState::of(&one.work),
                })
                .collect(),
            variables: variables
                .all()
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect(),
            sets: sets.clone(),
            events: events.iter().cloned().collect(),
            delayed: delayed.all().map(|(due, event)| (due, event.clone())).collect(),
            calendar: calendar
                .iter()
                .map(|((file, rule), minute)| (*file, *rule, *minute))
                .collect(),
            hits: counted(hits),
            statistics: *statistics,
        }
    }

    /// Takes up what an engine remembered, in the place of all that it holds. Returns how many
    /// operations, and lists of contexts, were of rules that are not there any more.
    pub fn restore(&mut self, snapshot: Snapshot) -> usize {
        let fresh = Self::new(RuleSet::clone(&self.rules), self.state.options.clone());
        *self = fresh;
        let rules = Arc::clone(&self.rules);
        let file_of =
            |fingerprint: u64| rules.files.iter().find(|file| file.fingerprint == fingerprint);
        let state = &mut self.state;
        let mut dropped = 0;
        state.now = snapshot.now;
        state.statistics = snapshot.statistics;
        for context in snapshot.contexts {
            let ending = context.ending.and_then(|ending| {
                let file = file_of(ending.file).filter(|file| ending.list < file.lists.len());
                dropped += usize::from(file.is_none());
                Some(Ending {
                    file: Arc::clone(file?),
                    rule: ending.rule,
                    list: ending.list,
                    scene: ending.scene,
                })
            });
            let Some((first, others)) = context.names.split_first() else { continue };
            let place = state.contexts.make(first, context.created, context.lifetime, ending);
            for name in others {
                state.contexts.alias(place, name);
            }
            state.contexts.lines += context.store.len();
            if let Some(made) = state.contexts.get_mut(place) {
                made.store = context.store.into();
            }
        }
        for operation in snapshot.operations {
            let made = file_of(operation.file).and_then(|file| {
                Some((file, operation.work.made(file, operation.rule, &operation.scene)?))
            });
            match made {
                None => dropped += 1,
                Some((file, work)) => {
                    let (created, window, length) =
                        (operation.created, operation.window, operation.length);
                    let (rule, key, scene) = (operation.rule, operation.key, operation.scene);
                    state.operations.add(Operation::again(
                        Arc::clone(file),
                        rule,
                        key,
                        (created, window, length),
                        scene,
                        work,
                    ));
                }
            }
        }
        for (name, value) in snapshot.variables {
            state.variables.set(&name, value, state.options.limits.variables);
        }
        state.sets = snapshot.sets;
        state.events = snapshot.events.into();
        for (due, event) in snapshot.delayed {
            state.delayed.add(due, event);
        }
        state.calendar = snapshot
            .calendar
            .into_iter()
            .map(|(file, rule, minute)| ((file, rule), minute))
            .collect();
        state.hits =
            snapshot.hits.into_iter().map(|(file, rule, count)| ((file, rule), count)).collect();
        dropped
    }
}

impl WorkState {
    fn of(work: &Work) -> Self {
        match work {
            Work::Suppress => Self::Suppress,
            Work::Pair { .. } => Self::Pair,
            Work::Threshold { times, fired } => {
                Self::Threshold { times: times.iter().copied().collect(), fired: *fired }
            }
            Work::TwoThresholds { times, second } => {
                Self::TwoThresholds { times: times.iter().copied().collect(), second: *second }
            }
            Work::Group { events, counts, fired } => Self::Group {
                events: events.iter().cloned().collect(),
                counts: counts.to_vec(),
                fired: *fired,
            },
        }
    }

    /// The work of a rule, where that is still of its kind.
    fn made(self, file: &RuleFile, rule: usize, scene: &Scene) -> Option<Work> {
        let rule = file.rules.get(rule)?;
        Some(match (self, &rule.kind) {
            (Self::Suppress, Kind::Suppressed { .. }) => Work::Suppress,
            (Self::Pair, Kind::Pair(pair)) => {
                let second = match pair.second.pattern.made(&*scene.bound) {
                    None => None,
                    Some(pattern) => Some(Box::new(pattern.ok()?)),
                };
                Work::Pair { second }
            }
            (Self::Threshold { times, fired }, Kind::Threshold { .. }) => {
                Work::Threshold { times: VecDeque::from(times), fired }
            }
            (Self::TwoThresholds { times, second }, Kind::TwoThresholds(_)) => {
                Work::TwoThresholds { times: VecDeque::from(times), second }
            }
            (Self::Group { events, counts, fired }, Kind::Group(group))
                if counts.len() == group.members.len() =>
            {
                Work::Group { events: VecDeque::from(events), counts: counts.into(), fired }
            }
            _ => return None,
        })
    }
}
