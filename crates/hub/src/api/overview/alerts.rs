//! The alerts of the first page: what stands open, and what attackers tried.

use std::collections::{BTreeMap, BTreeSet};

use bergfried_alert::{Model, Status};
use bergfried_alerting::Alerting;
use bergfried_event::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// The most tactics and techniques that are told; rules name them, and anybody writes rules.
const MAX_TACTICS: usize = 32;
const MAX_TECHNIQUES: usize = 512;

/// The alerts.
#[derive(Serialize, ToSchema)]
pub(super) struct Alerts {
    /// How many were raised in the last 24 hours, also those that are no more
    raised: u64,
    /// The same of the day before
    raised_before: u64,
    /// How many wait for somebody
    open: u64,
    /// How many somebody has
    acknowledged: u64,
    /// Those that are open, by severity, the worst first
    by_severity: Vec<Count>,
    /// MITRE ATT&CK tactics of what is not over or was seen in the last 24 hours
    tactics: Vec<Tactic>,
}

#[derive(Serialize, ToSchema)]
struct Count {
    name: String,
    count: u64,
}

/// A tactic, by the word of the tags of rules.
#[derive(Serialize, ToSchema)]
struct Tactic {
    name: String,
    alerts: u64,
    /// Its techniques, by id
    techniques: Vec<Count>,
}

#[derive(Default)]
struct Heat {
    alerts: u64,
    techniques: BTreeMap<String, u64>,
}

pub(super) fn alerts(alerting: &Alerting, now: Timestamp) -> Alerts {
    let settings = alerting.settings();
    let day = now.plus_micros(-Timestamp::DAY);
    let (mut open, mut acknowledged) = (0, 0);
    let mut severities: BTreeMap<String, u64> = BTreeMap::new();
    let mut heat: BTreeMap<String, Heat> = BTreeMap::new();
    let mut techniques = 0;
    let book = alerting.read();
    let raised = |days_before| book.raised_in_day(days_before, now).values().sum();
    let (today, yesterday) = (raised(0), raised(1));
    for alert in book.iter() {
        let is_open = is_open(alert.status);
        if is_open {
            open += 1;
            *severities.entry(alert.severity.clone()).or_default() += 1;
        }
        acknowledged +=
            u64::from(matches!(alert.status, Status::Ack | Status::Assign | Status::Acked));
        if (!is_over(alert.status) || alert.last_receive_time >= day)
            && let Some(evidence) = &alert.evidence
        {
            for tactic in tactics(&evidence.tags) {
                if heat.len() >= MAX_TACTICS && !heat.contains_key(&tactic) {
                    continue;
                }
                let heat = heat.entry(tactic).or_default();
                heat.alerts += 1;
                for technique in &evidence.techniques {
                    if let Some(count) = heat.techniques.get_mut(technique) {
                        *count += 1;
                    } else if techniques < MAX_TECHNIQUES {
                        techniques += 1;
                        heat.techniques.insert(technique.clone(), 1);
                    }
                }
            }
        }
    }
    drop(book);
    Alerts {
        raised: today,
        raised_before: yesterday,
        open,
        acknowledged,
        by_severity: worst_first(severities, &settings.model),
        tactics: heat
            .into_iter()
            .map(|(name, heat)| Tactic {
                name,
                alerts: heat.alerts,
                techniques: counts(heat.techniques),
            })
            .collect(),
    }
}

fn is_open(status: Status) -> bool {
    matches!(status, Status::Open | Status::Unacked)
}

fn is_over(status: Status) -> bool {
    matches!(status, Status::Closed | Status::Expired | Status::Norm)
}

/// The tactics among a rule's tags, each once: tags such as `attack.credential-access`, but no
/// techniques, groups or software (`attack.t1110`, `attack.g0001`, `attack.s0001`).
fn tactics(tags: &[String]) -> BTreeSet<String> {
    let is_id = |word: &str| {
        let mut chars = word.chars();
        matches!(chars.next(), Some('t' | 'g' | 's'))
            && chars.next().is_some_and(|c| c.is_ascii_digit())
    };
    tags.iter()
        .filter_map(|tag| tag.strip_prefix("attack."))
        .filter(|word| !is_id(word))
        .map(|word| word.replace('_', "-"))
        .collect()
}

fn worst_first(severities: BTreeMap<String, u64>, model: &Model) -> Vec<Count> {
    let mut found = counts(severities);
    found.sort_by_key(|count| model.code(&count.name));
    found
}

fn counts(of: BTreeMap<String, u64>) -> Vec<Count> {
    of.into_iter().map(|(name, count)| Count { name, count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tactics_are_told_from_techniques() {
        for (tags, expected) in [
            (vec!["attack.credential-access", "attack.t1110.001"], vec!["credential-access"]),
            (vec!["attack.initial_access", "attack.initial-access"], vec!["initial-access"]),
            (vec!["attack.g0016", "attack.s0002", "cve.2021-44228"], vec![]),
            (vec!["attack.stealth"], vec!["stealth"]),
        ] {
            let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
            assert_eq!(tactics(&tags).into_iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn severities_stand_worst_first() {
        let words = [("warning", 1), ("critical", 2), ("major", 3)];
        let severities = words.map(|(word, count)| (word.to_owned(), count)).into();
        let names: Vec<String> =
            worst_first(severities, &Model::alerta()).into_iter().map(|count| count.name).collect();
        assert_eq!(names, ["critical", "major", "warning"]);
    }
}
