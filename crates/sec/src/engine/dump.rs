//! What an engine holds, for people: files and rules with their hits, contexts, operations.

use std::collections::BTreeMap;

use serde::Serialize;

use super::operations::Work;
use super::{Engine, Statistics};

/// Everything that an engine holds.
#[derive(Debug, Clone, Serialize)]
pub struct Dump {
    /// Seconds since the epoch.
    pub time: i64,
    /// Counts.
    pub statistics: Statistics,
    /// Files in the order in which they are tried.
    pub files: Vec<FileDump>,
    /// Contexts by their first name.
    pub contexts: Vec<ContextDump>,
    /// Operations by file, rule and description.
    pub operations: Vec<OperationDump>,
    /// Variables of action lists.
    pub variables: BTreeMap<String, String>,
    /// Synthetic events that wait for a time, and that.
    pub delayed: Vec<(i64, String)>,
    /// Synthetic events that wait for their turn.
    pub waiting: usize,
}

/// A file of rules.
#[derive(Debug, Clone, Serialize)]
pub struct FileDump {
    /// Its name.
    pub name: String,
    /// The sets that it is in.
    pub sets: Vec<String>,
    /// Its rules.
    pub rules: Vec<RuleDump>,
}

/// A rule.
#[derive(Debug, Clone, Serialize)]
pub struct RuleDump {
    /// The line that it begins on.
    pub line: usize,
    /// What kind of rule it is.
    pub kind: String,
    /// What `desc` says.
    pub description: String,
    /// How often it matched.
    pub matches: u64,
}

/// A context.
#[derive(Debug, Clone, Serialize)]
pub struct ContextDump {
    /// Its names.
    pub names: Vec<String>,
    /// When it was made, in seconds since the epoch.
    pub created: i64,
    /// Its lifetime in seconds; 0 is for ever.
    pub lifetime: i64,
    /// Its store.
    pub store: Vec<String>,
    /// Whether a list runs at its end.
    pub has_list: bool,
}

/// An operation.
#[derive(Debug, Clone, Serialize)]
pub struct OperationDump {
    /// The file of its rule.
    pub file: String,
    /// The number of its rule, from 0.
    pub rule: usize,
    /// What kind of rule it is.
    pub kind: String,
    /// Its description.
    pub description: String,
    /// When it began.
    pub created: i64,
    /// The beginning of its window.
    pub window: i64,
    /// The length of its window in seconds; 0 is for ever.
    pub length: i64,
    /// The times of events within it.
    pub times: Vec<i64>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Engine {
    /// Everything that it holds.
    pub fn dump(&self, now: i64) -> Dump {
        let hits =
            |file: u64, rule: usize| self.state.hits.get(&(file, rule)).copied().unwrap_or(0);
        let files = self.rules.files.iter().map(|file| FileDump {
            name: file.name().to_owned(),
            sets: file.sets.iter().map(|set| set.to_string()).collect(),
            rules: file
                .rules
                .iter()
                .enumerate()
                .map(|(number, rule)| RuleDump {
                    line: rule.line,
                    kind: rule.kind().to_owned(),
                    description: rule.description.clone(),
                    matches: hits(file.fingerprint, number),
                })
                .collect(),
        });
        let mut contexts: Vec<ContextDump> = self
            .state
            .contexts
            .all()
            .map(|context| ContextDump {
                names: context.names.iter().map(|name| text(name)).collect(),
                created: context.created,
                lifetime: context.lifetime,
                store: context.store.iter().map(|line| text(line.bytes())).collect(),
                has_list: context.ending.is_some(),
            })
            .collect();
        contexts.sort_by(|left, right| left.names.cmp(&right.names));
        let mut operations: Vec<OperationDump> = self
            .state
            .operations
            .all()
            .map(|(_, one)| OperationDump {
                file: one.file.name().to_owned(),
                rule: one.rule,
                kind: one.rule().map(|rule| rule.kind().to_owned()).unwrap_or_default(),
                description: text(&one.key),
                created: one.created,
                window: one.window,
                length: one.length,
                times: match &one.work {
                    Work::Suppress | Work::Pair { .. } => Vec::new(),
                    Work::Threshold { times, .. } | Work::TwoThresholds { times, .. } => {
                        times.iter().copied().collect()
                    }
                    Work::Group { events, .. } => events.iter().map(|(time, ..)| *time).collect(),
                },
            })
            .collect();
        operations.sort_by(|left, right| {
            (&left.file, left.rule, &left.description).cmp(&(
                &right.file,
                right.rule,
                &right.description,
            ))
        });
        Dump {
            time: now,
            statistics: self.statistics(),
            files: files.collect(),
            contexts,
            operations,
            variables: self
                .state
                .variables
                .all()
                .map(|(name, value)| (name.to_owned(), text(value.bytes())))
                .collect(),
            delayed: self
                .state
                .delayed
                .all()
                .map(|(due, event)| (due, text(&event.line)))
                .collect(),
            waiting: self.state.events.len(),
        }
    }
}
