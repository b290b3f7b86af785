//! SigmaHQ's regression cases: each rule fires on its events, and what else fires is looked at.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test may stop where it stands and say why"
)]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bergfried_event::{Finding, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use bergfried_rules::{Engine, Limits, RuleSet, Source};
use serde_json::Value;
use support::{collect, corpus, read};

/// One case: a rule, its events, and how many of them it matches at least, where that is said.
struct Case {
    rule: String,
    events: Vec<String>,
    matches: Option<u64>,
}

fn cases(path: &Path) -> Vec<Case> {
    read(path)
        .lines()
        .map(|line| {
            let case: Value = serde_json::from_str(line).unwrap();
            let events = match &case["events_json"] {
                Value::Array(events) => events.iter().map(Value::to_string).collect(),
                _ => vec![case["event_json"].to_string()],
            };
            Case {
                rule: case["rule_id"].as_str().unwrap().to_owned(),
                events,
                matches: case["match_count"].as_u64(),
            }
        })
        .collect()
}

fn rules() -> Option<Arc<RuleSet>> {
    let mut sources: Vec<Source> = Vec::new();
    for folder in ["sigma/rules", "sigma/rules-emerging-threats", "sigma/rules-threat-hunting"] {
        collect(&corpus(folder)?, &mut sources);
    }
    Some(Arc::new(RuleSet::load(sources).0))
}

/// The findings about each of the events.
fn stated(rules: &Arc<RuleSet>, events: &[String]) -> Vec<Vec<Finding>> {
    let received = "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap();
    let context = Context { received, host: "", time_zone: jiff::tz::TimeZone::UTC, year: None };
    let mut engine = Engine::new(Arc::clone(rules), Limits::default());
    let stated = |(number, text): (usize, &String)| {
        let mut findings = Vec::new();
        engine.observe(&parse(SourceKind::File, text, &context), number as u64 + 1, &mut findings);
        findings
    };
    events.iter().enumerate().map(stated).collect()
}

#[test]
fn every_rule_fires_on_its_events() {
    let (Some(path), Some(rules)) = (corpus("sigma/regression.jsonl"), rules()) else { return };
    let mut missed = Vec::new();
    let mut others: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let cases = cases(&path);
    for case in &cases {
        let stated = stated(&rules, &case.events);
        let fired = stated.iter().filter(|found| found.iter().any(|f| f.rule_id == case.rule));
        let fired = fired.count() as u64;
        // Two cases count one match over several events that all meet the rule as it is written.
        if fired < case.matches.unwrap_or(1) {
            missed.push(format!("{}: {fired} of {:?}", case.rule, case.matches));
        }
        for other in stated.iter().flatten().filter(|finding| finding.rule_id != case.rule) {
            let source = rules.get(&other.rule_id).unwrap().logsource().unwrap();
            assert!(source.starts_with("windows/"), "{source} speaks of an event of Windows");
            let title = rules.get(&case.rule).map(|rule| rule.title().to_owned());
            others.entry(title.unwrap_or_default()).or_default().insert(other.rule_name.clone());
        }
    }
    println!("{others:#?}");
    assert!(!cases.is_empty());
    assert_eq!(missed, Vec::<String>::new());
}
