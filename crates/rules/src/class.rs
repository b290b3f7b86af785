//! Whether a loaded rule can fire here, and if not, why.

use std::fmt;

use bergfried_matcher::Labels;

use crate::logsource::{LogSources, Teller};
use crate::rule::{Body, Correlation, CorrelationKind, Rule};

/// What a rule is good for with the log sources that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Class {
    /// Events that it looks for can come from sources known here.
    #[default]
    Active,
    /// No source here gives the events that it looks for; what would.
    Needs(String),
    /// It can never be carried out; why.
    Unsupported(String),
}

impl Class {
    /// Whether the rule can fire.
    pub fn is_active(&self) -> bool {
        *self == Class::Active
    }

    /// The class in one word: `active`, `needs` or `unsupported`.
    pub fn word(&self) -> &'static str {
        match self {
            Class::Active => "active",
            Class::Needs(_) => "needs",
            Class::Unsupported(_) => "unsupported",
        }
    }

    /// Why the rule cannot fire; empty where it can.
    pub fn reason(&self) -> &str {
        match self {
            Class::Active => "",
            Class::Needs(reason) | Class::Unsupported(reason) => reason,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            "" => f.write_str(self.word()),
            reason => write!(f, "{}: {reason}", self.word()),
        }
    }
}

/// Says the class of every rule: of a detection by its log source, of a correlation by its rules.
/// Those that are unsupported already stay so.
///
/// `referrers` are, for each rule, the correlations that refer to it.
pub(crate) fn classify(
    rules: &mut [Rule],
    referrers: &[Vec<(usize, usize)>],
    sources: &LogSources,
    teller: &Teller,
) {
    // For each correlation how many of its rules have no class yet.
    let mut waiting: Vec<usize> = rules
        .iter()
        .map(|rule| match &rule.body {
            Body::Detection(_) => 0,
            Body::Correlation(correlation) => correlation.steps.len(),
        })
        .collect();
    let mut ready: Vec<usize> = Vec::new();
    for (index, rule) in rules.iter_mut().enumerate() {
        if let Body::Detection(detection) = &rule.body {
            ready.push(index);
            if !rule.class.is_active() {
                continue;
            }
            rule.class =
                match (teller.asked(&detection.logsource), sources.carry(&detection.logsource)) {
                    (None, _) => Class::Unsupported(format!(
                        "the rules name over {} words of log sources",
                        Labels::CAPACITY
                    )),
                    (Some(_), Err(needs)) => Class::Needs(needs),
                    (Some(_), Ok(())) => Class::Active,
                };
        }
    }
    while let Some(index) = ready.pop() {
        for (correlation, _) in referrers.get(index).into_iter().flatten() {
            let Some(open) = waiting.get_mut(*correlation) else { continue };
            *open = open.saturating_sub(1);
            if *open == 0 {
                let class = match rules.get(*correlation).map(|rule| &rule.body) {
                    Some(Body::Correlation(body)) => of_correlation(body, rules),
                    _ => continue,
                };
                if let Some(rule) = rules.get_mut(*correlation)
                    && rule.class.is_active()
                {
                    rule.class = class;
                }
                ready.push(*correlation);
            }
        }
    }
}

fn of_correlation(correlation: &Correlation, rules: &[Rule]) -> Class {
    let classes = || correlation.steps.iter().filter_map(|step| Some(&rules.get(step.rule)?.class));
    let active = classes().filter(|class| class.is_active()).count();
    let possible = match correlation.kind {
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => {
            correlation.threshold.holds(active as f64)
        }
        _ => active > 0,
    };
    match classes().find(|class| !class.is_active()) {
        Some(missing) if !possible => missing.clone(),
        _ => Class::Active,
    }
}
