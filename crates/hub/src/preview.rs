//! What an exception would have hidden: its rules run once more over stored events.
//!
//! The engine judges what is stored as it judges what comes in, and each finding is asked about by
//! the very scope that the exception would have.

use std::sync::Arc;

use bergfried_alert::exception::Scope;
use bergfried_event::{Finding, Timestamp};
use bergfried_rules::{Engine, Limits, RuleSet};
use bergfried_store::{Reader, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::history::{Bounds, replay};

/// How many findings are shown of those hidden, and of those that stay.
const EXAMPLES: usize = 5;

/// What an exception would have done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// From when on findings are counted
    #[schema(value_type = String)]
    pub(crate) from: Timestamp,
    /// Until when: earlier than now where it was cut
    #[schema(value_type = String)]
    pub(crate) to: Timestamp,
    /// Why later events were not looked at, where they were not
    pub(crate) cut: Option<&'static str>,
    /// Events that were shown to the rules, also those from before that rules over several events need
    pub(crate) events: u64,
    /// Findings that there would have been
    pub(crate) findings: u64,
    /// Findings that it would have hidden
    pub(crate) hidden: u64,
    /// Findings that stay
    pub(crate) stay: u64,
    /// The last of those hidden
    #[schema(value_type = Vec<serde_json::Value>)]
    pub(crate) hidden_examples: Vec<Finding>,
    /// The last of those that stay
    #[schema(value_type = Vec<serde_json::Value>)]
    pub(crate) stay_examples: Vec<Finding>,
}

/// Tries the scope over what is stored from `from` to `to`.
///
/// # Errors
/// Where the store cannot be read.
pub(crate) fn preview(
    reader: &Reader,
    rules: &RuleSet,
    scope: &Scope,
    (from, to): (Timestamp, Timestamp),
    bounds: Bounds,
) -> Result<Preview, StoreError> {
    let rules = Arc::new(rules.only(|rule| scope.concerns(rule.id())));
    let mut trial = Trial::new(&rules, scope, from, to);
    let cut =
        replay(reader, &rules, (from, to), &bounds, |stored| trial.show(&stored.event, stored.id))?;
    if let Some((at, why)) = cut {
        trial.cut(at, why);
    }
    Ok(trial.end())
}

struct Trial<'s> {
    engine: Engine,
    scope: &'s Scope,
    findings: Vec<Finding>,
    told: Preview,
}

impl<'s> Trial<'s> {
    fn new(rules: &Arc<RuleSet>, scope: &'s Scope, from: Timestamp, to: Timestamp) -> Trial<'s> {
        // Of a running episode its start is stated, and the rest once.
        let limits = Limits { update_interval: i64::MAX, ..Limits::default() };
        let told = Preview {
            from,
            to,
            cut: None,
            events: 0,
            findings: 0,
            hidden: 0,
            stay: 0,
            hidden_examples: Vec::new(),
            stay_examples: Vec::new(),
        };
        Trial { engine: Engine::new(Arc::clone(rules), limits), scope, findings: Vec::new(), told }
    }

    fn show(&mut self, event: &bergfried_event::Event<'_>, id: u64) {
        self.told.events += 1;
        if event.created() < self.told.from {
            self.engine.warm(event, id);
            return;
        }
        self.engine.observe(event, id, &mut self.findings);
        self.count();
    }

    fn count(&mut self) {
        for finding in self.findings.drain(..) {
            // What a wanted rule refers to may state something too.
            if !self.scope.concerns(&finding.rule_id) {
                continue;
            }
            self.told.findings += 1;
            let (count, examples) = if self.scope.covers(&finding) {
                (&mut self.told.hidden, &mut self.told.hidden_examples)
            } else {
                (&mut self.told.stay, &mut self.told.stay_examples)
            };
            *count += 1;
            if examples.len() >= EXAMPLES {
                examples.remove(0);
            }
            examples.push(finding);
        }
    }

    fn cut(&mut self, at: Timestamp, why: &'static str) {
        self.told.to = at.max(self.told.from);
        self.told.cut = Some(why);
    }

    fn end(mut self) -> Preview {
        self.engine.flush(&mut self.findings);
        self.count();
        self.told
    }
}

#[cfg(test)]
pub(crate) mod tests;
