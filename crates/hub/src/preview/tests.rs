use std::time::Duration;

use bergfried_event::{Event, Field, FieldName, Value};
use bergfried_rules::Source;
use bergfried_store::{BatchId, NewBatch, Options, Writer, open};

use super::*;

/// A detection, one that nobody asks about, and a correlation of a third that states nothing itself.
const RULES: &str = "title: root\nid: r-root\nlogsource: {service: sshd}\ndetection:\n  sel:\n    user.name: [root, admin]\n  condition: sel
---\ntitle: bob\nid: r-bob\nlogsource: {service: sshd}\ndetection:\n  sel:\n    user.name: bob\n  condition: sel
---\ntitle: failed\nid: r-failed\nlogsource: {service: sshd}\ndetection:\n  sel:\n    event.outcome: failure\n  condition: sel
---\ntitle: many\nid: r-many\ncorrelation:\n  type: event_count\n  rules: r-failed\n  group-by: [source.ip]\n  timespan: 1h\n  condition: {gte: 3}
";
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_219_190);

pub(crate) fn rules() -> RuleSet {
    let source = Source { file: "r.yml".to_owned(), text: RULES.to_owned() };
    let (rules, said) = RuleSet::load([source]);
    assert_eq!(said, Vec::new());
    rules
}

/// Numbers that look random (splitmix64).
fn noise(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// Events of three days, in the order of time.
pub(crate) fn events(seed: u64, count: u64) -> Vec<Event<'static>> {
    let mut pick = noise(seed);
    let mut events: Vec<Event<'static>> = (0..count)
        .map(|_| {
            let before = i64::try_from(pick(3 * 86_400)).unwrap();
            let mut event = Event::new(NOW.plus_micros(-before * Timestamp::SECOND), "a line");
            event.set(Field::EventProvider, "sshd");
            event.set(Field::ProcessName, "sshd");
            for (field, values) in [
                (Field::UserName, &["root", "admin", "bob", "eve"][..]),
                (Field::HostName, &["web1", "web2"]),
                (Field::SourceIp, &["10.0.0.1", "10.0.0.2"]),
                (Field::EventOutcome, &["failure", "success"]),
            ] {
                event.set(field, values[usize::try_from(pick(values.len() as u64)).unwrap()]);
            }
            if pick(10) == 0 {
                event.set(Field::LogFlags, Value::List(vec!["cut".into(), "repeated".into()]));
            }
            event
        })
        .collect();
    events.sort_by_key(Event::created);
    events
}

pub(crate) fn store(events: &[Event<'static>]) -> (tempfile::TempDir, Writer, Reader) {
    let directory = tempfile::tempdir().unwrap();
    // Some of them in segments, some in memory.
    let options = Options { segment_events: 64, sync: false, ..Options::default() };
    let (mut writer, reader, _) = open(directory.path(), options).unwrap();
    for (number, events) in events.chunks(50).enumerate() {
        let id = BatchId((number as u128).to_le_bytes());
        let batch =
            NewBatch { id, ingested: NOW, events: events.to_vec(), findings: Arc::from([]) };
        writer.append(vec![batch]).unwrap();
    }
    (directory, writer, reader)
}

/// All rules over all events, one after the other.
fn naive(events: &[Event<'static>], scope: &Scope, from: Timestamp) -> (u64, u64) {
    let limits = Limits { update_interval: i64::MAX, ..Limits::default() };
    let mut engine = Engine::new(Arc::new(rules()), limits);
    let mut findings = Vec::new();
    let repeated = Value::from("repeated");
    for (event, id) in events.iter().zip(1..).filter(|(event, _)| {
        !matches!(event.get(Field::LogFlags), Some(Value::List(flags)) if flags.contains(&repeated))
    }) {
        match event.created() < from {
            true => engine.warm(event, id),
            false => engine.observe(event, id, &mut findings),
        }
    }
    engine.flush(&mut findings);
    findings.retain(|finding| scope.concerns(&finding.rule_id));
    let hidden = findings.iter().filter(|finding| scope.covers(finding)).count() as u64;
    (hidden, findings.len() as u64 - hidden)
}

fn scope(rules: &[&str], when: &str) -> Scope {
    Scope::new(rules.iter().map(|rule| (*rule).to_owned()).collect(), when, NOW).unwrap()
}

#[test]
fn the_numbers_are_those_of_a_naive_run() {
    let from = NOW.plus_micros(-2 * Timestamp::DAY);
    let to = NOW.plus_micros(1);
    let mut hid = 0;
    for seed in 0..4 {
        let events = events(seed, 400);
        let (_directory, _writer, reader) = store(&events);
        for (wanted, when) in [
            (&["r-root"][..], "user.name:root host.name:web1"),
            (&["r-root"], ""),
            (&["r-root", "r-bob"], "NOT user.name:admin"),
            (&["r-many"], "source.ip:10.0.0.1"),
            (&["r-many"], "user.name:root"),
            (&["r-failed"], ""),
            (&[], "host.name:web2"),
        ] {
            let scope = scope(wanted, when);
            let told = preview(&reader, &rules(), &scope, (from, to), Bounds::default()).unwrap();
            let (hidden, stay) = naive(&events, &scope, from);
            assert_eq!((told.hidden, told.stay), (hidden, stay), "{seed} {scope}");
            assert_eq!((told.findings, told.cut), (hidden + stay, None));
            assert_eq!(told.hidden_examples.len() as u64, hidden.min(5));
            assert!(told.hidden_examples.iter().all(|finding| scope.covers(finding)));
            assert_eq!(told.stay_examples.len() as u64, stay.min(5));
            assert!(!told.stay_examples.iter().any(|finding| scope.covers(finding)));
            hid += hidden;
        }
    }
    assert!(hid > 100, "{hid}");
}

#[test]
fn what_was_cut_is_said() {
    let events = events(7, 400);
    let (_directory, _writer, reader) = store(&events);
    let range = (NOW.plus_micros(-2 * Timestamp::DAY), NOW.plus_micros(1));
    let scope = scope(&["r-root"], "user.name:root");
    let with = |events, time| {
        preview(&reader, &rules(), &scope, range, Bounds { events, time, ..Bounds::default() })
            .unwrap()
    };
    let whole = with(1_000, Duration::from_secs(60));
    assert_eq!((whole.cut, whole.to), (None, range.1));
    let fewer = with(20, Duration::from_secs(60));
    assert_eq!((fewer.cut, fewer.events), (Some("there were too many events"), 20));
    assert!(fewer.to > range.0 && fewer.to < range.1);
    assert!(fewer.findings < whole.findings);
    let none = with(1_000, Duration::ZERO);
    assert_eq!((none.cut, none.findings, none.to), (Some("it took too long"), 0, range.0));
}

#[test]
fn an_empty_store_has_nothing_to_hide() {
    let (_directory, _writer, reader) = store(&[]);
    let range = (NOW.plus_micros(-Timestamp::DAY), NOW);
    let name = FieldName::new("user.name");
    let scope = scope(&["r-root"], &format!("{name}:root"));
    let told = preview(&reader, &rules(), &scope, range, Bounds::default()).unwrap();
    assert_eq!((told.events, told.findings, told.cut), (0, 0, None));
}
