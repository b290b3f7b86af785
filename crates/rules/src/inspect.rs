//! What people ask of loaded rules: what one asks for, what an event gives, what stands out when all
//! are looked at together.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use bergfried_event::Event;
use bergfried_matcher::Labels;

use crate::diagnostic::{Diagnostic, DiagnosticSeverity};
use crate::logsource::{LogSource, Told};
use crate::rule::{Body, CorrelationKind, Rule};
use crate::set::RuleSet;

/// The log sources that events came from, of the words that a set of rules asks for: which were
/// given together.
#[derive(Debug, Default)]
pub struct SeenSources {
    sets: HashSet<Labels>,
    told: Told,
}

/// The most different sets of words that are remembered; further ones are left out.
const MAX_SEEN: usize = 4_096;

impl SeenSources {
    /// Adds the log sources of an event; always with the same rules.
    pub fn add(&mut self, rules: &RuleSet, event: &Event<'_>) {
        let labels = rules.labels(event, &mut self.told);
        self.insert(labels);
    }

    /// Adds words that were given together, as [`SeenSources::words`] tells them.
    pub fn add_words(&mut self, rules: &RuleSet, words: &[String]) {
        self.insert(rules.teller().labelled(words));
    }

    /// For each kind of event its words, such as `service: sshd`, sorted.
    pub fn words(&self, rules: &RuleSet) -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> =
            self.sets.iter().map(|labels| rules.teller().words(labels)).collect();
        all.sort();
        all
    }

    fn insert(&mut self, labels: Labels) {
        if self.sets.len() < MAX_SEEN {
            self.sets.insert(labels);
        }
    }
}

impl RuleSet {
    /// The log-source words that an event gives, such as `service: sshd`; of those that some rule
    /// asks for.
    pub fn words_of(&self, event: &Event<'_>) -> Vec<String> {
        self.teller().words(&self.labels(event, &mut Told::default()))
    }

    /// The words that the rule of this index asks for and the event does not give.
    pub fn missing_words(&self, index: usize, event: &Event<'_>) -> Vec<String> {
        let Some(Body::Detection(detection)) = self.rules().get(index).map(|rule| &rule.body)
        else {
            return Vec::new();
        };
        let given = self.words_of(event);
        let mut missing = asked(&detection.logsource);
        missing.retain(|word| !given.contains(word));
        missing
    }

    /// Why the rule of this index cannot have fired on any of the events that were seen; `None`
    /// where it can.
    ///
    /// A correlation waits where rules that it cannot do without wait.
    pub fn waits_for(&self, index: usize, seen: &SeenSources) -> Option<String> {
        match &self.rules().get(index)?.body {
            Body::Detection(detection) => {
                let needed = self.teller().asked(&detection.logsource)?;
                if seen.sets.iter().any(|set| set.contains_all(&needed)) {
                    return None;
                }
                let words = asked(&detection.logsource);
                let alone = |word: &&String| {
                    let label = self.teller().labelled(std::slice::from_ref(*word));
                    !seen.sets.iter().any(|set| set.contains_all(&label))
                };
                Some(match words.iter().find(alone) {
                    Some(missing) => format!("no event of {missing} was seen"),
                    None => format!("no event of {} together was seen", words.join(" and ")),
                })
            }
            Body::Correlation(correlation) => {
                // Loaded sets have no circles.
                let below: Vec<Option<String>> =
                    correlation.steps.iter().map(|step| self.waits_for(step.rule, seen)).collect();
                let active = below.iter().filter(|reason| reason.is_none()).count();
                let possible = match correlation.kind {
                    CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => {
                        correlation.threshold.holds(active as f64)
                    }
                    _ => active > 0,
                };
                below.into_iter().flatten().next().filter(|_| !possible)
            }
        }
    }

    /// The indices of the rules that the one of this index refers to, in the order of the reference.
    pub fn referred(&self, index: usize) -> Vec<usize> {
        match self.rules().get(index).map(|rule| &rule.body) {
            Some(Body::Correlation(correlation)) => {
                correlation.steps.iter().map(|step| step.rule).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What stands out when the rules are looked at together: two that say the same, and names that
    /// nothing refers to.
    pub(crate) fn lint(&self, diagnostics: &mut Vec<Diagnostic>) {
        let mut warn = |rule: &Rule, message: String| {
            diagnostics.push(Diagnostic {
                file: rule.file.clone(),
                line: rule.line,
                column: 1,
                severity: DiagnosticSeverity::Warning,
                message,
            });
        };
        let mut known: HashMap<String, &Rule> = HashMap::new();
        for (index, rule) in self.rules().iter().enumerate() {
            if let Body::Detection(detection) = &rule.body
                && detection.first_seen.is_none()
            {
                let mut says = format!("{} ", detection.logsource);
                // Writing to a String cannot fail.
                let _infallible = write!(says, "{:?}", detection.predicate);
                match known.get(&says) {
                    Some(first) => warn(
                        rule,
                        format!(
                            "the same condition as `{}` at {}:{}",
                            first.title, first.file, first.line
                        ),
                    ),
                    None => {
                        known.insert(says, rule);
                    }
                }
            }
            if rule.tags.is_empty() && !rule.silent {
                let message = "missing `tags`, so the rule counts for no ATT&CK technique";
                warn(rule, message.to_owned());
            }
            if let Some(name) = &rule.name
                && self.referrers(index).is_empty()
                && matches!(rule.body, Body::Detection(_))
            {
                let message = format!(
                    "the rule has the name `{}` for correlations, but none refers to it, so it \
                     speaks by itself",
                    name.escape_debug()
                );
                warn(rule, message);
            }
        }
    }
}

/// The words of a log source, such as `service: sshd`.
fn asked(logsource: &LogSource) -> Vec<String> {
    logsource.words().map(|(part, word)| format!("{}: {word}", part.name())).collect()
}
