//! Correlations against a naive reference that keeps every event and counts from scratch, and the
//! cases that the Sigma specification spells out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands and say why"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bergfried_event::{Event, Field, Finding, Timestamp};
use bergfried_rules::{DiagnosticSeverity, Engine, Limits, RuleSet, Source};
use proptest::prelude::*;

const BASES: &str = "
title: a
name: a
logsource: {service: syslog}
detection: {sel: {event.action: a}, condition: sel}
---
title: b
name: b
logsource: {service: syslog}
detection: {sel: {event.action: b}, condition: sel}
---
";

fn load(correlations: &str) -> Arc<RuleSet> {
    let text = format!("{BASES}{correlations}");
    let (rules, diagnostics) = RuleSet::load([Source { file: "test.yml".to_owned(), text }]);
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|d| d.severity == DiagnosticSeverity::Error)
        .map(ToString::to_string)
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    Arc::new(rules)
}

/// Seconds, action, group, value, how often it happened.
type Step = (i64, &'static str, u8, u8, i64);

fn event((seconds, action, group, value, count): Step) -> Event<'static> {
    let mut event = Event::new(Timestamp::from_seconds(seconds), format!("{action}{group}"));
    event.set(Field::EventAction, action);
    event.set(Field::HostName, format!("h{group}"));
    event.set(Field::UserName, format!("u{value}"));
    if count != 1 {
        event.set(Field::EventCount, count);
    }
    event
}

fn run(rules: &Arc<RuleSet>, steps: &[Step], limits: Limits) -> Vec<Finding> {
    let mut engine = Engine::new(Arc::clone(rules), limits);
    let mut findings = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        engine.observe(&event(*step), index as u64, &mut findings);
    }
    engine.flush(&mut findings);
    findings
}

const AT_END: Limits = Limits { update_interval: i64::MAX, max_groups: 1_000 };

fn counts(findings: &[Finding]) -> Vec<(String, u64)> {
    findings.iter().map(|finding| (finding.rule_name.clone(), finding.count)).collect()
}

/// Sum of the correlation's counts for each group.
fn totals(findings: &[Finding]) -> BTreeMap<String, u64> {
    let mut totals = BTreeMap::new();
    for finding in findings.iter().filter(|finding| !finding.group.is_empty()) {
        *totals.entry(finding.group[0].1.clone()).or_default() += finding.count;
    }
    totals
}

/// Adds up what the episodes of one group hold: all events of the window when the condition starts
/// to hold, then each further event while it goes on.
fn naive(steps: &[Step], span: i64, holds: impl Fn(&[Step]) -> bool) -> BTreeMap<String, u64> {
    let mut totals = BTreeMap::new();
    for group in steps.iter().map(|step| step.2).collect::<BTreeSet<_>>() {
        let all: Vec<Step> = steps.iter().filter(|step| step.2 == group).copied().collect();
        let (mut active, mut sum, mut kept) = (false, 0, Vec::new());
        let mut newest = i64::MIN;
        for step in all {
            if newest != i64::MIN && step.0 < newest.max(step.0) - span {
                continue;
            }
            newest = newest.max(step.0);
            kept.push(step);
            let window: Vec<Step> =
                kept.iter().filter(|known| known.0 >= newest - span).copied().collect();
            let now = holds(&window);
            if now {
                let new = if active { step.4 } else { window.iter().map(|step| step.4).sum() };
                sum += u64::try_from(new).unwrap();
            }
            active = now;
        }
        if sum > 0 {
            totals.insert(format!("h{group}"), sum);
        }
    }
    totals
}

fn steps(jitter: i64) -> impl Strategy<Value = Vec<Step>> {
    let step =
        (0..8_i64, 0..=jitter, prop_oneof![Just("a"), Just("b")], 0..2_u8, 0..4_u8, 1..3_i64);
    prop::collection::vec(step, 0..80).prop_map(|steps| {
        let mut now = 1_000;
        let step = |(ahead, back, action, group, value, count)| {
            now += ahead;
            (now - back, action, group, value, count)
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #[test]
    fn event_counts_are_those_of_the_reference(steps in steps(30), bound in 1..6_u64) {
        let rules = load(&format!("
title: count
correlation: {{type: event_count, rules: [a], group-by: [host.name], timespan: 20s, condition: {{gte: {bound}}}}}
"));
        let expected = naive(
            &steps.iter().filter(|step| step.1 == "a").copied().collect::<Vec<_>>(),
            20,
            |window| window.iter().map(|step| step.4).sum::<i64>() >= bound as i64,
        );
        prop_assert_eq!(totals(&run(&rules, &steps, AT_END)), expected.clone());
        // However often it is stated, the counts add up to the same.
        let often = Limits { update_interval: 3_000_000, ..AT_END };
        prop_assert_eq!(totals(&run(&rules, &steps, often)), expected);
    }

    #[test]
    fn value_counts_are_those_of_the_reference(steps in steps(30), bound in 1..4_u64) {
        let rules = load(&format!("
title: values
correlation: {{type: value_count, rules: [a, b], group-by: [host.name], timespan: 20s, condition: {{field: user.name, gte: {bound}}}}}
"));
        let expected = naive(&steps, 20, |window| {
            window.iter().map(|step| step.3).collect::<BTreeSet<_>>().len() as u64 >= bound
        });
        prop_assert_eq!(totals(&run(&rules, &steps, AT_END)), expected);
    }

    #[test]
    fn temporal_is_that_of_the_reference(steps in steps(30)) {
        let rules = load("
title: both
correlation: {type: temporal, rules: [a, b], group-by: [host.name], timespan: 20s}
");
        let expected = naive(&steps, 20, |window| {
            window.iter().map(|step| step.1).collect::<BTreeSet<_>>().len() == 2
        });
        prop_assert_eq!(totals(&run(&rules, &steps, AT_END)), expected);
    }

    #[test]
    fn order_is_that_of_the_reference(steps in steps(0)) {
        let rules = load("
title: order
correlation: {type: temporal_ordered, rules: [a, b], group-by: [host.name], timespan: 20s}
");
        let expected = naive(&steps, 20, |window| {
            let first = window.iter().position(|step| step.1 == "a");
            first.is_some_and(|first| window[first..].iter().any(|step| step.1 == "b"))
        });
        prop_assert_eq!(totals(&run(&rules, &steps, AT_END)), expected);
    }

    #[test]
    fn ranges_hold_within_their_bounds(steps in steps(0)) {
        let rules = load("
title: range
correlation: {type: event_count, rules: [a, b], group-by: [host.name], timespan: 20s, condition: {gt: 2, lte: 4}}
");
        let expected = naive(&steps, 20, |window| {
            let count: i64 = window.iter().map(|step| step.4).sum();
            count > 2 && count <= 4
        });
        prop_assert_eq!(totals(&run(&rules, &steps, AT_END)), expected);
    }
}

#[test]
fn correlations_chain_and_inner_rules_are_silent() {
    let rules = load("
title: many then one
correlation: {type: temporal_ordered, rules: [many, b], group-by: [host.name], timespan: 60s}
---
title: many
name: many
correlation: {type: event_count, rules: [a], group-by: [host.name], timespan: 10s, condition: {gte: 3}}
");
    let fails = [(0, "a", 0, 1, 1), (1, "a", 0, 1, 1), (2, "a", 0, 1, 1), (3, "a", 0, 1, 1)];
    let mut steps = fails.to_vec();
    steps.push((9, "b", 0, 2, 1));
    let found = run(&rules, &steps, AT_END);
    assert_eq!(counts(&found), [("many then one".to_owned(), 5)]);
    assert_eq!(found[0].first_seen, Timestamp::from_seconds(0));
    assert_eq!(found[0].user.as_deref(), Some("u2"));
    // The other order, another host, too late: nothing.
    for other in [(-1, "b", 0, 2, 1), (9, "b", 1, 2, 1), (99, "b", 0, 2, 1)] {
        let mut steps = fails.to_vec();
        steps.push(other);
        steps.sort_by_key(|step| step.0);
        assert_eq!(run(&rules, &steps, AT_END), [], "{other:?}");
    }
}

#[test]
fn generate_lets_the_inner_rules_speak() {
    let rules = load(
        "
title: two
generate: true
correlation: {type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}}
",
    );
    let found = run(&rules, &[(0, "a", 0, 1, 1), (1, "a", 0, 1, 1), (2, "b", 0, 1, 1)], AT_END);
    // b is referred to by nothing and speaks for itself.
    let said: Vec<String> = found.into_iter().map(|finding| finding.rule_name).collect();
    assert_eq!(said, ["a", "a", "two", "b"]);
}

#[test]
fn aliases_join_different_fields() {
    let rules = load(
        "
title: joined
correlation:
    type: temporal
    rules: [a, b]
    group-by: [who]
    timespan: 10s
    aliases:
        who: {a: user.name, b: host.name}
",
    );
    let mut engine = Engine::new(Arc::clone(&rules), AT_END);
    let mut findings = Vec::new();
    let mut one = event((0, "a", 0, 1, 1));
    one.set(Field::UserName, "same");
    let mut other = event((1, "b", 0, 2, 1));
    other.set(Field::HostName, "same");
    engine.observe(&one, 1, &mut findings);
    engine.observe(&event((1, "b", 0, 2, 1)), 2, &mut findings);
    assert_eq!(findings, []);
    engine.observe(&other, 3, &mut findings);
    assert_eq!(findings[0].group, [("who".to_owned(), "same".to_owned())]);
    assert_eq!(findings[0].event_ids, [1, 3]);
}

#[test]
fn follow_ups_come_at_most_once_an_interval_and_hold_only_what_is_new() {
    let rules = load("
title: two
correlation: {type: event_count, rules: [a], group-by: [host.name], timespan: 10s, condition: {gte: 2}}
");
    let steps: Vec<Step> = (0..100).map(|second| (second, "a", 0, 1, 1)).collect();
    let often = Limits { update_interval: 30_000_000, ..AT_END };
    let stated: Vec<u64> = run(&rules, &steps, often).iter().map(|f| f.count).collect();
    assert_eq!(stated, [2, 30, 30, 30, 8]);
    let stated: Vec<u64> = run(&rules, &steps, AT_END).iter().map(|f| f.count).collect();
    assert_eq!(stated, [2, 98]);
}

#[test]
fn another_groups_events_make_follow_ups_due() {
    let rules = load("
title: two
correlation: {type: event_count, rules: [a], group-by: [host.name], timespan: 10s, condition: {gte: 2}}
");
    let mut engine = Engine::new(rules, Limits { update_interval: 30_000_000, ..AT_END });
    let mut findings = Vec::new();
    for second in 0..3 {
        engine.observe(&event((second, "a", 0, 1, 1)), 0, &mut findings);
    }
    assert_eq!(findings.len(), 1);
    engine.observe(&event((200, "b", 1, 1, 1)), 0, &mut findings);
    let stated: Vec<u64> =
        findings.iter().filter(|f| !f.group.is_empty()).map(|f| f.count).collect();
    assert_eq!(stated, [2, 1]);
}

#[test]
fn warming_up_remembers_and_says_nothing() {
    let rules = load("
title: two
correlation: {type: event_count, rules: [a], group-by: [host.name], timespan: 10s, condition: {gte: 3}}
");
    let mut engine = Engine::new(rules, AT_END);
    let mut findings = Vec::new();
    engine.warm(&event((0, "a", 0, 1, 1)), 1);
    engine.warm(&event((1, "a", 0, 1, 1)), 2);
    engine.observe(&event((2, "a", 0, 1, 1)), 3, &mut findings);
    assert_eq!(counts(&findings), [("two".to_owned(), 3)]);
    let mut findings = Vec::new();
    engine.warm(&event((3, "a", 0, 1, 1)), 4);
    engine.flush(&mut findings);
    assert_eq!(findings, []);
}

#[test]
fn groups_are_capped_and_what_they_had_to_say_is_said() {
    let rules = load("
title: two
correlation: {type: event_count, rules: [a], group-by: [host.name], timespan: 99s, condition: {gte: 1}}
");
    let mut engine = Engine::new(rules, Limits { update_interval: i64::MAX, max_groups: 10 });
    let mut findings = Vec::new();
    for group in 0..100 {
        for _ in 0..2 {
            engine.observe(&event((1, "a", group, 1, 1)), 0, &mut findings);
        }
    }
    engine.flush(&mut findings);
    assert_eq!(totals(&findings).values().sum::<u64>(), 200);
    assert_eq!(engine.evicted(), 90);
}

#[test]
fn late_events_are_counted() {
    let rules = load("
title: two
correlation: {type: event_count, rules: [a], group-by: [host.name], timespan: 10s, condition: {gte: 2}}
");
    let mut engine = Engine::new(rules, AT_END);
    let mut findings = Vec::new();
    engine.observe(&event((100, "a", 0, 1, 1)), 0, &mut findings);
    engine.observe(&event((89, "a", 0, 1, 1)), 0, &mut findings);
    assert_eq!((findings.len(), engine.late()), (0, 1));
    engine.observe(&event((90, "a", 0, 1, 1)), 0, &mut findings);
    assert_eq!((findings.len(), engine.late()), (1, 1));
}

#[test]
fn long_values_are_cut() {
    let rules = load("
title: two
correlation: {type: event_count, rules: [a], group-by: [user.name], timespan: 10s, condition: {gte: 2}}
");
    let mut engine = Engine::new(rules, AT_END);
    let mut findings = Vec::new();
    for end in ["x", "y"] {
        let mut long = event((0, "a", 0, 1, 1));
        long.set(Field::UserName, format!("{}{end}", "ä".repeat(500_000)));
        engine.observe(&long, 0, &mut findings);
    }
    assert_eq!(findings[0].group[0].1, "ä".repeat(128));
}
