//! Correlations against a naive reference that keeps every event and counts from scratch, and the
//! cases that the Sigma specification spells out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands and say why"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use bergfried_event::{Event, Field, FieldName, Finding, Timestamp};
use bergfried_rules::{DiagnosticSeverity, Engine, Limits, RuleSet, SnapshotError, Source};
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
title: c
name: c
logsource: {service: syslog}
detection: {sel: {event.action: c}, condition: sel}
---
";

fn load(correlations: &str) -> Arc<RuleSet> {
    // Properties try the same rules on many events.
    static LOADED: Mutex<BTreeMap<String, Arc<RuleSet>>> = Mutex::new(BTreeMap::new());
    let mut loaded = LOADED.lock().unwrap();
    let rules = loaded.entry(correlations.to_owned()).or_insert_with(|| parse(correlations));
    Arc::clone(rules)
}

fn parse(correlations: &str) -> Arc<RuleSet> {
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
    event.set(Field::SourcePort, i64::from(value));
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

const AT_END: Limits =
    Limits { update_interval: i64::MAX, max_groups: 1_000, max_state_bytes: 256 << 20 };

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

/// For each group the events that the correlation's findings state, by id.
fn stated(findings: &[Finding]) -> BTreeMap<String, BTreeSet<u64>> {
    let mut stated: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| !finding.group.is_empty()) {
        stated.entry(finding.group[0].1.clone()).or_default().extend(&finding.event_ids);
    }
    stated
}

/// What the reference finds: for each group the sum of its counts and the events stated.
#[derive(Debug, Default, PartialEq, Eq)]
struct Expected {
    totals: BTreeMap<String, u64>,
    stated: BTreeMap<String, BTreeSet<u64>>,
}

/// Keeps every event of a group, sorts them by time (those of the same time as they came), and
/// counts from scratch at each: all events of the window when the condition starts to hold, then each
/// further event while it goes on. Events later than the time span are left out.
fn naive(steps: &[Step], actions: &[&str], span: i64, holds: impl Fn(&[Step]) -> bool) -> Expected {
    let mut expected = Expected::default();
    let mut groups: BTreeMap<u8, Vec<(u64, Step)>> = BTreeMap::new();
    let mut newest: BTreeMap<u8, i64> = BTreeMap::new();
    for (id, step) in (0..).zip(steps).filter(|(_, step)| actions.contains(&step.1)) {
        let newest = newest.entry(step.2).or_insert(step.0);
        if step.0 >= *newest - span {
            *newest = step.0.max(*newest);
            groups.entry(step.2).or_default().push((id, *step));
        }
    }
    for (group, mut all) in groups {
        all.sort_by_key(|(_, step)| step.0);
        let (mut active, mut total, mut stated) = (false, 0, BTreeSet::new());
        for (place, (id, step)) in all.iter().enumerate() {
            let window: Vec<(u64, Step)> = all[..=place]
                .iter()
                .filter(|(_, known)| known.0 >= step.0 - span)
                .copied()
                .collect();
            let steps: Vec<Step> = window.iter().map(|(_, step)| *step).collect();
            let now = holds(&steps);
            if now && active {
                total += u64::try_from(step.4).unwrap();
                stated.insert(*id);
            } else if now {
                total += u64::try_from(steps.iter().map(|step| step.4).sum::<i64>()).unwrap();
                stated.extend(window.iter().map(|(id, _)| *id));
            }
            active = now;
        }
        if total > 0 {
            expected.totals.insert(format!("h{group}"), total);
            expected.stated.insert(format!("h{group}"), stated);
        }
    }
    expected
}

/// Events in order of time but for a jitter: each may be so many seconds older than the newest.
fn steps(jitter: i64) -> impl Strategy<Value = Vec<Step>> {
    let action = prop_oneof![Just("a"), Just("b"), Just("c")];
    let step = (0..8_i64, 0..=jitter, action, 0..2_u8, 0..4_u8, 1..3_i64);
    prop::collection::vec(step, 0..80).prop_map(|steps| {
        let mut now = 1_000;
        let step = |(ahead, back, action, group, value, count)| {
            now += ahead;
            (now - back, action, group, value, count)
        };
        steps.into_iter().map(step).collect()
    })
}

/// Distinct values of a window.
fn users(window: &[Step]) -> u64 {
    window.iter().map(|step| step.3).collect::<BTreeSet<_>>().len() as u64
}

fn actions(window: &[Step]) -> usize {
    window.iter().map(|step| step.1).collect::<BTreeSet<_>>().len()
}

fn sum(window: &[Step]) -> i64 {
    window.iter().map(|step| i64::from(step.3) * step.4).sum()
}

fn happened(window: &[Step]) -> i64 {
    window.iter().map(|step| step.4).sum()
}

/// Each value as often as its event happened, ascending.
fn values(window: &[Step]) -> Vec<f64> {
    let times = |step: &Step| usize::try_from(step.4).unwrap();
    let mut values: Vec<f64> =
        window.iter().flat_map(|step| vec![f64::from(step.3); times(step)]).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn in_order(window: &[Step]) -> bool {
    let mut rest = window.iter();
    ["a", "b", "c"].iter().all(|action| rest.any(|step| step.1 == *action))
}

type Holds = Box<dyn Fn(&[Step]) -> bool>;
/// A correlation, the actions that it looks at, and whether it holds of a window.
type Case = (String, &'static [&'static str], Holds);

/// Correlations for which more events never end what holds.
fn monotone(bound: u64) -> Vec<Case> {
    let case = |body: String, actions: &'static [&'static str], holds: Holds| {
        let text =
            format!("\ntitle: x\ncorrelation: {{{body}, group-by: [host.name], timespan: 20s}}\n");
        (text, actions, holds)
    };
    let three = &["a", "b", "c"];
    let signed = i64::try_from(bound).unwrap();
    vec![
        case(
            format!("type: event_count, rules: [a], condition: {{gte: {bound}}}"),
            &["a"],
            Box::new(move |window: &[Step]| happened(window) >= signed),
        ),
        case(
            format!(
                "type: value_count, rules: [a, b], condition: {{field: user.name, gte: {bound}}}"
            ),
            &["a", "b"],
            Box::new(move |window: &[Step]| users(window) >= bound),
        ),
        case(
            format!(
                "type: value_sum, rules: [a, b], condition: {{field: source.port, gt: {bound}.5}}"
            ),
            &["a", "b"],
            Box::new(move |window: &[Step]| sum(window) > signed),
        ),
        case(
            "type: temporal, rules: [a, b, c]".to_owned(),
            three,
            Box::new(|window: &[Step]| actions(window) == 3),
        ),
        case(
            "type: temporal, rules: [a, b, c], condition: {gt: 1}".to_owned(),
            three,
            Box::new(|window: &[Step]| actions(window) > 1),
        ),
        case("type: temporal_ordered, rules: [a, b, c]".to_owned(), three, Box::new(in_order)),
    ]
}

/// Correlations that more events can end.
fn bounded() -> Vec<Case> {
    let case = |body: &str, holds: Holds| {
        let text = format!(
            "\ntitle: x\ncorrelation: {{{body}, rules: [a, b], group-by: [host.name], timespan: 20s}}\n"
        );
        let actions: &'static [&'static str] = &["a", "b"];
        (text, actions, holds)
    };
    let percentile = |percent: f64| {
        move |window: &[Step]| {
            let values = values(window);
            let rank = percent / 100.0 * (values.len() - 1) as f64;
            let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
            low + (high - low) * rank.fract()
        }
    };
    let (median, ninetieth) = (percentile(50.0), percentile(90.0));
    vec![
        case(
            "type: event_count, condition: {gt: 2, lte: 4}",
            Box::new(|window: &[Step]| (3..5).contains(&happened(window))),
        ),
        case(
            "type: event_count, condition: {neq: 3}",
            Box::new(|window: &[Step]| happened(window) != 3),
        ),
        case(
            "type: value_count, condition: {field: [user.name, source.port], eq: 2}",
            Box::new(|window: &[Step]| users(window) == 2),
        ),
        case("type: temporal, condition: {lt: 2}", Box::new(|window: &[Step]| actions(window) < 2)),
        case(
            "type: value_sum, condition: {field: source.port, lte: 6}",
            Box::new(|window: &[Step]| sum(window) <= 6),
        ),
        case(
            "type: value_avg, condition: {field: source.port, gte: 1.75}",
            Box::new(|window: &[Step]| sum(window) as f64 / happened(window) as f64 >= 1.75),
        ),
        case(
            "type: value_median, condition: {field: source.port, gt: 1.5}",
            Box::new(move |window: &[Step]| median(window) > 1.5),
        ),
        case(
            "type: value_percentile, condition: {field: source.port, percentile: 90, lt: 2.5}",
            Box::new(move |window: &[Step]| ninetieth(window) < 2.5),
        ),
    ]
}

proptest! {
    #[test]
    fn in_order_it_is_as_the_reference(steps in steps(0), bound in 1..6_u64) {
        for (text, actions, holds) in monotone(bound).into_iter().chain(bounded()) {
            let rules = load(&text);
            let expected = naive(&steps, actions, 20, holds);
            let found = run(&rules, &steps, AT_END);
            prop_assert_eq!(totals(&found), expected.totals.clone(), "{}", text);
            prop_assert_eq!(stated(&found), expected.stated, "{}", text);
            // However often it is stated, the counts add up to the same.
            let often = Limits { update_interval: 3_000_000, ..AT_END };
            prop_assert_eq!(totals(&run(&rules, &steps, often)), expected.totals, "{}", text);
        }
    }

    /// In whatever order events come within the bound, the same are stated as if they had come in
    /// order of time.
    #[test]
    fn late_events_change_nothing(steps in steps(30), bound in 1..6_u64) {
        for (text, actions, holds) in monotone(bound) {
            let rules = load(&text);
            let found = run(&rules, &steps, AT_END);
            prop_assert_eq!(stated(&found), naive(&steps, actions, 20, holds).stated, "{}", text);
        }
    }

    /// The same for correlations over correlations, with the engine in order as the reference.
    #[test]
    fn late_events_change_nothing_further_up(steps in steps(10)) {
        let rules = load("
title: many then one
correlation: {type: temporal_ordered, rules: [many, b], group-by: [host.name], timespan: 40s}
---
title: many
name: many
correlation: {type: event_count, rules: [a], group-by: [host.name], timespan: 20s, condition: {gte: 3}}
");
        let mut sorted: Vec<(u64, Step)> = (0..).zip(steps.iter().copied()).collect();
        sorted.sort_by_key(|(_, step)| step.0);
        let mut engine = Engine::new(Arc::clone(&rules), AT_END);
        let mut expected = Vec::new();
        for (id, step) in sorted {
            engine.observe(&event(step), id, &mut expected);
        }
        engine.flush(&mut expected);
        let told = |findings: &[Finding]| {
            let groups = findings.iter().filter(|finding| !finding.group.is_empty());
            groups.map(|finding| finding.group[0].1.clone()).collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(told(&run(&rules, &steps, AT_END)), told(&expected));
    }
}

const REMEMBERING: &str = "
title: many then one
correlation: {type: temporal_ordered, rules: [many, b], group-by: [host.name], timespan: 60s}
---
title: many
name: many
correlation: {type: event_count, rules: [a], group-by: [host.name], timespan: 10s, condition: {gte: 3}}
---
title: users
correlation: {type: value_count, rules: [a, c], group-by: [host.name], timespan: 30s, condition: {field: user.name, gte: 3}}
---
title: average
correlation: {type: value_avg, rules: [c], timespan: 30s, condition: {field: source.port, lt: 1.5}}
---
title: new
logsource: {service: syslog}
detection: {sel: {event.action: c}, condition: sel}
bergfried:
    first-seen: {group-by: [host.name, user.name], baseline: host.name, learning: 20s}
";

proptest! {
    /// Wherever in a stream the process ends, what is found after it is what would have been.
    #[test]
    fn a_snapshot_goes_on_where_it_was_taken(
        steps in steps(15),
        cuts in prop::collection::btree_set(0..80_usize, 0..4),
        interval in prop_oneof![Just(i64::MAX), Just(3_000_000)],
    ) {
        let rules = load(REMEMBERING);
        let limits = Limits { update_interval: interval, ..AT_END };
        let mut engine = Engine::new(Arc::clone(&rules), limits);
        let mut findings = Vec::new();
        for (id, step) in steps.iter().enumerate() {
            if cuts.contains(&id) {
                let snapshot = engine.snapshot();
                engine = Engine::restore(Arc::clone(&rules), limits, &snapshot).unwrap();
                prop_assert_eq!(engine.anew(), 0);
                prop_assert_eq!(&engine.snapshot(), &snapshot);
            }
            engine.observe(&event(*step), id as u64, &mut findings);
        }
        engine.flush(&mut findings);
        prop_assert_eq!(findings, run(&rules, &steps, limits));
    }

    #[test]
    fn a_damaged_snapshot_is_refused(
        steps in steps(0),
        place: prop::sample::Index,
        flip in 1..=255_u8,
        hashed: bool,
    ) {
        let rules = load(REMEMBERING);
        let mut engine = Engine::new(Arc::clone(&rules), AT_END);
        for step in &steps {
            engine.warm(&event(*step), 0);
        }
        let sound = engine.snapshot();
        let mut damaged = sound.clone();
        let place = place.index(damaged.len());
        damaged[place] ^= flip;
        prop_assert!(Engine::restore(Arc::clone(&rules), AT_END, &damaged).is_err());
        prop_assert!(Engine::restore(Arc::clone(&rules), AT_END, &sound[..place]).is_err());
        // Somebody who knows the hash can write anything; it may be taken or refused.
        if hashed && place >= HEAD {
            let hash = blake3::hash(&damaged[HEAD..]);
            damaged[HEAD - 32..HEAD].copy_from_slice(hash.as_bytes());
            if let Ok(mut engine) = Engine::restore(Arc::clone(&rules), AT_END, &damaged) {
                let mut findings = Vec::new();
                for step in &steps {
                    engine.observe(&event(*step), 0, &mut findings);
                }
                engine.flush(&mut findings);
            }
        }
    }
}

/// Magic number, version and hash of a snapshot.
const HEAD: usize = 8 + 2 + 32;

#[test]
fn snapshots_of_others_are_refused() {
    let rules = load(REMEMBERING);
    let sound = Engine::new(Arc::clone(&rules), AT_END).snapshot();
    let restore = |bytes: &[u8]| Engine::restore(Arc::clone(&rules), AT_END, bytes).err();
    assert_eq!(restore(b"PAR1 and so on"), Some(SnapshotError::Foreign));
    assert_eq!(restore(b""), Some(SnapshotError::Foreign));
    let mut newer = sound;
    newer[8] = 99;
    assert_eq!(restore(&newer), Some(SnapshotError::Version(99)));
}

/// Two correlations that count the same; `changed` is what the second asks for.
fn two(changed: &str) -> Arc<RuleSet> {
    load(&format!("
title: kept
correlation: {{type: event_count, rules: [a], group-by: [host.name], timespan: 10s, condition: {{gte: 3}}}}
---
title: changed
correlation: {{type: event_count, rules: [a], group-by: [host.name], timespan: 10s, condition: {changed}}}
"))
}

#[test]
fn a_rule_that_was_changed_starts_anew_and_can_learn() {
    let mut engine = Engine::new(two("{gte: 3}"), AT_END);
    let mut findings = Vec::new();
    for second in 0..2 {
        engine.observe(&event((second, "a", 0, 1, 1)), second as u64, &mut findings);
    }
    let snapshot = engine.snapshot();
    let last = event((2, "a", 0, 1, 1));
    let names = |findings: &[Finding]| -> Vec<(String, u64)> { counts(findings) };

    let mut restored = Engine::restore(two("{gt: 2}"), AT_END, &snapshot).unwrap();
    assert_eq!(restored.anew(), 1);
    restored.observe(&last, 2, &mut findings);
    assert_eq!(names(&findings), [("kept".to_owned(), 3)]);

    findings.clear();
    let mut restored = Engine::restore(two("{gt: 2}"), AT_END, &snapshot).unwrap();
    for second in 0..2 {
        restored.learn(&event((second, "a", 0, 1, 1)), second as u64);
    }
    restored.observe(&last, 2, &mut findings);
    assert_eq!(names(&findings), [("kept".to_owned(), 3), ("changed".to_owned(), 3)]);

    findings.clear();
    let replaced = engine.replace(two("{gt: 2}"), &mut findings);
    assert_eq!((replaced.kept, replaced.anew, engine.anew()), (1, 1, 1));
    engine.observe(&last, 2, &mut findings);
    assert_eq!(names(&findings), [("kept".to_owned(), 3)]);
    let a = engine.rules().rules().iter().position(|rule| rule.id() == "a").unwrap();
    assert_eq!(engine.hits()[a], 3);
}

#[test]
fn a_rule_on_one_that_was_changed_starts_anew() {
    let inner = REMEMBERING.replace("gte: 3}}\n---\ntitle: users", "gte: 4}}\n---\ntitle: users");
    assert_ne!(inner, REMEMBERING);
    let snapshot = Engine::new(load(REMEMBERING), AT_END).snapshot();
    let engine = Engine::restore(load(&inner), AT_END, &snapshot).unwrap();
    assert_eq!(engine.anew(), 2, "the correlation and the one over it");
}

#[test]
fn the_bytes_of_all_groups_are_capped() {
    let rules = load(REMEMBERING);
    let limits = Limits { max_state_bytes: 20_000, ..AT_END };
    let mut engine = Engine::new(rules, limits);
    let mut findings = Vec::new();
    for index in 0..2_000_i64 {
        let mut event = event((index / 100, ["a", "b", "c"][index as usize % 3], 0, 1, 1));
        event.set(Field::HostName, format!("host{index}"));
        engine.observe(&event, 0, &mut findings);
        assert!(engine.state_bytes() <= limits.max_state_bytes, "{}", engine.state_bytes());
    }
    assert!(engine.evicted() > 1_000, "{}", engine.evicted());
    assert_eq!(engine.evicted_by_rule().sum::<u64>(), engine.evicted());
    // What was used last is still there.
    let mut again = event((20, "a", 0, 1, 1));
    again.set(Field::HostName, "host1998");
    for _ in 0..2 {
        engine.observe(&again, 0, &mut findings);
    }
    engine.observe(
        &{
            let mut login = event((21, "b", 0, 1, 1));
            login.set(Field::HostName, "host1998");
            login
        },
        0,
        &mut findings,
    );
    assert!(findings.iter().any(|finding| finding.rule_name == "many then one"));
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
    // What comes late is judged where it belongs, also among events of the same time.
    let late = [fails[0], fails[2], (2, "b", 0, 2, 1), fails[1]];
    assert_eq!(counts(&run(&rules, &late, AT_END)), [("many then one".to_owned(), 4)]);
    let late = [fails[0], (2, "b", 0, 2, 1), fails[2], fails[1]];
    assert_eq!(run(&rules, &late, AT_END), []);
    // The other order, another host, too late: nothing.
    for other in [(-1, "b", 0, 2, 1), (9, "b", 1, 2, 1), (99, "b", 0, 2, 1)] {
        let mut steps = fails.to_vec();
        steps.push(other);
        steps.sort_by_key(|step| step.0);
        assert_eq!(run(&rules, &steps, AT_END), [], "{other:?}");
    }
}

/// Sigma correlation rules specification 2.1, "Value Percentile": "Check when a certain percentage of
/// observed values occur."
#[test]
fn without_a_percentile_it_is_the_share_of_the_value() {
    let rules = load("
title: rare
correlation: {type: value_percentile, rules: [a], group-by: [host.name], timespan: 1h, condition: {field: user.name, lte: 10}}
");
    let mut steps: Vec<Step> = (0..30).map(|second| (second, "a", 0, 1, 1)).collect();
    steps.insert(15, (15, "a", 0, 2, 1));
    steps.push((40, "a", 0, 3, 1));
    let found = run(&rules, &steps, AT_END);
    assert_eq!(counts(&found), [("rare".to_owned(), 1), ("rare".to_owned(), 1)]);
    assert_eq!((found[0].user.as_deref(), &found[0].event_ids), (None, &vec![15]));
    assert_eq!(found[1].event_ids, [31]);
}

#[test]
fn episodes_count_once_whatever_stands_behind_them() {
    let rules = load("
title: twice many
correlation: {type: event_count, rules: [many], group-by: [host.name], timespan: 1h, condition: {gte: 2}}
---
title: many
name: many
correlation: {type: event_count, rules: [a], group-by: [host.name], timespan: 10s, condition: {gte: 3}}
");
    let burst = |from: i64| (from..from + 5).map(|second| (second, "a", 0, 1, 1));
    let steps: Vec<Step> = burst(0).collect();
    assert_eq!(run(&rules, &steps, AT_END), []);
    let steps: Vec<Step> = burst(0).chain(burst(100)).collect();
    assert_eq!(counts(&run(&rules, &steps, AT_END)), [("twice many".to_owned(), 6)]);
}

#[test]
fn an_event_without_a_number_does_not_count() {
    let rules = load("
title: average
correlation: {type: value_avg, rules: [a], group-by: [host.name], timespan: 1m, condition: {field: user.id, lt: 2.5}}
");
    let mut engine = Engine::new(rules, AT_END);
    let mut findings = Vec::new();
    for (second, id) in (0..).zip(["", "root", "inf", "3", "1"]) {
        let mut event = event((second, "a", 0, 1, 1));
        event.set(Field::UserId, id);
        engine.observe(&event, second as u64, &mut findings);
    }
    assert_eq!(counts(&findings), [("average".to_owned(), 2)]);
    assert_eq!(findings[0].event_ids, [3, 4]);
}

#[test]
fn a_late_event_completes_an_order_that_newer_ones_passed() {
    let rules = load(
        "
title: order
correlation: {type: temporal_ordered, rules: [a, b], group-by: [host.name], timespan: 20s}
",
    );
    let found = run(&rules, &[(10, "b", 0, 1, 1), (12, "b", 0, 2, 1), (8, "a", 0, 3, 1)], AT_END);
    assert_eq!(counts(&found), [("order".to_owned(), 2), ("order".to_owned(), 1)]);
    assert_eq!(found[0].first_seen, Timestamp::from_seconds(8));
    assert_eq!(found[0].event_ids, [2, 0]);
    // Also where the condition holds no more at the newest event.
    let steps = [(10, "b", 0, 1, 1), (25, "a", 0, 2, 1), (8, "a", 0, 3, 1), (60, "a", 0, 3, 1)];
    assert_eq!(
        counts(&run(&rules, &steps, AT_END)),
        [("order".to_owned(), 2), ("order".to_owned(), 1)]
    );
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
fn groups_and_values_are_read_by_whatever_name_an_event_has() {
    let rules = load(
        "
title: users
correlation:
    type: value_count
    rules: [a]
    group-by: [ComputerName]
    timespan: 10s
    condition: {field: User, gte: 2}
",
    );
    let mut engine = Engine::new(rules, AT_END);
    let mut findings = Vec::new();
    let mut observe = |id: u64, user: &'static str, ecs: bool| {
        let mut event = Event::new(Timestamp::from_seconds(1), "");
        event.set(Field::EventAction, "a");
        let (host, name) = if ecs {
            (Field::HostName.into(), Field::UserName.into())
        } else {
            (FieldName::Other("ComputerName".into()), FieldName::Other("User".into()))
        };
        event.set_named(host, "pc1");
        event.set_named(name, user);
        engine.observe(&event, id, &mut findings);
    };
    observe(1, "ann", true);
    observe(2, "ann", false);
    observe(3, "bob", false);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].event_ids, [1, 2, 3]);
    assert_eq!(findings[0].group, [("host.name".to_owned(), "pc1".to_owned())]);
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
    let mut engine =
        Engine::new(rules, Limits { update_interval: i64::MAX, max_groups: 10, ..AT_END });
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
