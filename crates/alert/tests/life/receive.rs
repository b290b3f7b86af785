//! De-duplication and correlation, field by field.

use bergfried_alert::{
    EntryKind, MAX_ATTRIBUTES, MAX_LIST, MAX_TEXT, Relation, Status, Trend, relation,
};
use serde_json::{Value, json};

use super::*;

/// The kinds of an alert's history.
fn kinds(alert: &Alert) -> Vec<EntryKind> {
    alert.history.iter().map(|entry| entry.kind).collect()
}

fn attributes(value: Value) -> BTreeMap<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// Something with every field set to what tells it apart from the next.
fn full(settings: &Settings, event: &str, severity: &str, number: u32) -> Incoming {
    let text = |what: &str| format!("{what}{number}");
    Incoming {
        id: text("id"),
        correlate: vec!["down".to_owned(), "up".to_owned(), text("other")],
        service: vec![text("service")],
        group: text("group"),
        value: Some(text("value")),
        text: text("text"),
        tags: vec!["b".to_owned(), text("tag"), "a".to_owned()],
        attributes: attributes(json!({ "same": number, text("own"): true })),
        origin: text("origin"),
        kind: text("kind"),
        create_time: at(i64::from(number) - 100),
        timeout: 1_000 + number,
        raw_data: Some(text("raw")),
        ..incoming(settings, event, severity)
    }
}

#[test]
fn what_is_the_same_matter() {
    let settings = Settings::default();
    let stored = Incoming {
        correlate: vec!["down".to_owned(), "up".to_owned()],
        ..incoming(&settings, "down", "major")
    };
    let (stored, _) = hear(&settings, None, stored, 0);
    let with = |change: &dyn Fn(&mut Incoming)| {
        let mut incoming = incoming(&settings, "down", "major");
        change(&mut incoming);
        relation(&stored, &incoming)
    };
    let (duplicate, correlated) = (Some(Relation::Duplicate), Some(Relation::Correlated));
    assert_eq!(with(&|_| {}), duplicate);
    assert_eq!(with(&|new| new.severity = "minor".to_owned()), correlated);
    assert_eq!(with(&|new| new.event = "up".to_owned()), correlated);
    assert_eq!(with(&|new| new.event = "sideways".to_owned()), None);
    assert_eq!(with(&|new| new.environment = "Development".to_owned()), None);
    assert_eq!(with(&|new| new.resource = "web2".to_owned()), None);
    assert_eq!(with(&|new| new.customer = Some(String::new())), None, "none is not empty");
    assert_eq!(with(&|new| new.group = "Other".to_owned()), duplicate);
    // What the incoming one says of correlation does not count.
    let sideways = Incoming {
        correlate: vec!["down".to_owned(), "sideways".to_owned()],
        ..incoming(&settings, "sideways", "major")
    };
    assert_eq!(relation(&stored, &sideways), None);
}

#[test]
fn of_several_the_one_last_heard_of_is_meant() {
    let settings = Settings::default();
    let heard = |event: &str, severity: &str, others: &[&str], seconds: i64| {
        let correlate = others.iter().map(|other| (*other).to_owned()).collect();
        let said = Incoming { correlate, ..incoming(&settings, event, severity) };
        hear(&settings, None, said, seconds).0
    };
    let first = heard("down", "major", &["down", "slow"], 0);
    let latest = heard("lame", "major", &["lame", "slow"], 5);
    let middle = heard("halt", "major", &["halt", "slow"], 3);
    let duplicate = heard("slow", "minor", &[], 1);
    let find = |stored: &[&Alert], severity: &str| {
        let said = incoming(&settings, "slow", severity);
        let found = related(stored.iter().copied(), &said);
        found.map(|(alert, relation)| (alert.event.clone(), relation))
    };
    let is = |event: &str, relation| Some((event.to_owned(), relation));
    assert_eq!(find(&[&first, &latest, &middle], "minor"), is("lame", Relation::Correlated));
    assert_eq!(find(&[&first, &latest, &duplicate], "minor"), is("slow", Relation::Duplicate));
    assert_eq!(find(&[&first, &duplicate], "major"), is("slow", Relation::Correlated));
    assert_eq!(find(&[], "major"), None);
}

#[test]
fn a_new_alert_is_what_its_sender_said() {
    let settings = Settings::default();
    let (alert, received) = hear(&settings, None, full(&settings, "down", "major", 1), 10);
    assert_eq!(received, Received::New);
    assert_eq!((alert.id.as_str(), alert.last_receive_id.as_str()), ("id1", "id1"));
    assert_eq!(alert.correlate, ["down", "up", "other1"]);
    assert_eq!(alert.tags, ["b", "tag1", "a"]);
    assert_eq!((alert.duplicate_count, alert.repeat), (0, false));
    assert_eq!(
        (alert.previous_severity.as_str(), alert.trend),
        ("indeterminate", Trend::MoreSevere)
    );
    assert_eq!(alert.create_time, at(-99));
    assert_eq!(
        [alert.receive_time, alert.last_receive_time, alert.update_time],
        [at(10), at(10), at(10)]
    );
    let [entry] = &alert.history[..] else { panic!("{:?}", alert.history) };
    assert_eq!((entry.kind, entry.status, entry.time), (EntryKind::New, Status::Open, at(10)));
    assert_eq!((entry.id.as_str(), entry.text.as_str()), ("id1", "text1"));
    assert_eq!((entry.severity.as_str(), entry.event.as_str()), ("major", "down"));
    assert_eq!((entry.value.as_deref(), entry.timeout), (Some("value1"), 1_001));
}

#[test]
fn a_duplicate_replaces_merges_and_keeps() {
    let settings = Settings::default();
    let (first, _) = hear(&settings, None, full(&settings, "down", "major", 1), 10);
    let (alert, received) = hear(&settings, Some(&first), full(&settings, "down", "major", 2), 20);
    assert_eq!(received, Received::Duplicate);
    let expected = Alert {
        duplicate_count: 1,
        repeat: true,
        last_receive_id: "id2".to_owned(),
        last_receive_time: at(20),
        service: vec!["service2".to_owned()],
        value: Some("value2".to_owned()),
        text: "text2".to_owned(),
        timeout: 1_002,
        raw_data: Some("raw2".to_owned()),
        tags: ["b", "tag1", "a", "tag2"].map(str::to_owned).to_vec(),
        attributes: attributes(json!({"same": 2, "own1": true, "own2": true})),
        history: alert.history.clone(),
        ..first
    };
    assert_eq!(alert, expected);
    assert_eq!(kinds(&alert), [EntryKind::New, EntryKind::Value]);
}

#[test]
fn a_correlated_one_replaces_more() {
    let settings = Settings::default();
    let (first, _) = hear(&settings, None, full(&settings, "down", "major", 1), 10);
    let (first, _) = hear(&settings, Some(&first), full(&settings, "down", "major", 1), 11);
    for (event, severity, trend) in
        [("up", "minor", Trend::LessSevere), ("down", "critical", Trend::MoreSevere)]
    {
        let said = full(&settings, event, severity, 2);
        let (alert, received) = hear(&settings, Some(&first), said, 20);
        assert_eq!(received, Received::Correlated);
        let expected = Alert {
            event: event.to_owned(),
            severity: severity.to_owned(),
            previous_severity: "major".to_owned(),
            trend,
            create_time: at(-98),
            receive_time: at(20),
            duplicate_count: 0,
            repeat: false,
            last_receive_id: "id2".to_owned(),
            last_receive_time: at(20),
            service: vec!["service2".to_owned()],
            value: Some("value2".to_owned()),
            text: "text2".to_owned(),
            timeout: 1_002,
            raw_data: Some("raw2".to_owned()),
            tags: ["b", "tag1", "a", "tag2"].map(str::to_owned).to_vec(),
            attributes: attributes(json!({"same": 2, "own1": true, "own2": true})),
            history: alert.history.clone(),
            ..first.clone()
        };
        assert_eq!(alert, expected);
        assert_eq!(kinds(&alert), [EntryKind::New, EntryKind::Severity]);
    }
}

#[test]
fn another_word_for_normal_is_another_severity() {
    let settings = Settings::default();
    let (alert, _) = hear(&settings, None, incoming(&settings, "down", "ok"), 0);
    let said = incoming(&settings, "down", "normal");
    let (alert, received) = hear(&settings, Some(&alert), said, 1);
    assert_eq!((received, alert.trend), (Received::Correlated, Trend::NoChange));
    assert_eq!((alert.status, alert.previous_severity.as_str()), (Status::Closed, "ok"));
}

#[test]
fn when_a_duplicate_is_worth_an_entry() {
    let mut settings = Settings::default();
    let valued = |value: &str, status: Status| Incoming {
        value: Some(value.to_owned()),
        status,
        ..incoming(&Settings::default(), "down", "major")
    };
    let (first, _) = hear(&settings, None, valued("1", Status::Open), 0);
    let (same, _) = hear(&settings, Some(&first), valued("1", Status::Open), 1);
    assert_eq!((kinds(&same), same.update_time), (vec![EntryKind::New], at(0)));
    let (value, _) = hear(&settings, Some(&first), valued("2", Status::Open), 1);
    assert_eq!((kinds(&value)[1], value.update_time), (EntryKind::Value, at(0)));
    let (status, _) = hear(&settings, Some(&first), valued("2", Status::Ack), 1);
    assert_eq!(
        (kinds(&status), status.update_time),
        (vec![EntryKind::New, EntryKind::Status], at(1))
    );
    assert_eq!(status.history[1].status, Status::Ack);
    settings.history_on_value_change = false;
    let (value, _) = hear(&settings, Some(&first), valued("2", Status::Open), 1);
    assert_eq!(kinds(&value), [EntryKind::New]);
}

#[test]
fn a_null_takes_an_attribute_away() {
    let settings = Settings::default();
    let with = |value: Value| Incoming {
        attributes: attributes(value),
        ..incoming(&Settings::default(), "down", "major")
    };
    let (alert, _) = hear(&settings, None, with(json!({"a": 1, "b": null})), 0);
    assert_eq!(alert.attributes, attributes(json!({"a": 1})));
    let (alert, _) = hear(&settings, Some(&alert), with(json!({"a": null, "c": [1]})), 1);
    assert_eq!(alert.attributes, attributes(json!({"c": [1]})));
}

#[test]
fn what_adds_up_stops_at_the_bounds() {
    let settings = Settings::default();
    let mut alert = None;
    for number in 0..400 {
        let said = Incoming {
            tags: vec![format!("tag{number}")],
            attributes: attributes(json!({ format!("key{number}"): "x".repeat(200) })),
            ..incoming(&settings, "down", "major")
        };
        alert = Some(hear(&settings, alert.as_ref(), said, number).0);
    }
    let alert = alert.unwrap();
    assert_eq!((alert.tags.len(), alert.attributes.len()), (MAX_LIST, MAX_ATTRIBUTES));
    assert_eq!(alert.tags.last().unwrap(), "tag127");
    let huge = Incoming {
        attributes: attributes(json!({"key0": "x".repeat(1 << 20)})),
        ..incoming(&settings, "down", "major")
    };
    let (after, _) = hear(&settings, Some(&alert), huge, 500);
    assert_eq!(after.attributes, alert.attributes);
}

#[test]
fn a_clock_of_the_sender_changes_nothing() {
    let settings = Settings::default();
    for create_time in [Timestamp::MIN, at(-1_000_000), at(1_000_000), Timestamp::MAX] {
        let said = || Incoming { create_time, ..incoming(&settings, "down", "major") };
        let (mut alert, _) = hear(&settings, None, said(), 0);
        act(&settings, &mut alert, does(Action::Ack), at(1)).unwrap();
        let (mut alert, _) = hear(&settings, Some(&alert), said(), 2);
        assert_eq!(alert.status, Status::Ack);
        act(&settings, &mut alert, does(Action::Unack), at(3)).unwrap();
        assert_eq!(alert.status, Status::Open);
        assert!(alert.history.is_sorted_by_key(|entry| entry.time));
    }
}

#[test]
fn the_history_keeps_no_long_texts() {
    let settings = Settings::default();
    let text = "x".repeat(MAX_TEXT);
    let mut alert = None;
    for number in 0..200 {
        let value = Some(format!("{number}{text}"));
        let said = Incoming { value, text: text.clone(), ..incoming(&settings, "down", "major") };
        alert = Some(hear(&settings, alert.as_ref(), said, number).0);
    }
    let mut alert = alert.unwrap();
    let user = Some("u".repeat(1 << 20));
    let long = Act { text: "x".repeat(1 << 20), user, ..does(Action::Ack) };
    act(&settings, &mut alert, long, at(300)).unwrap();
    assert_eq!((alert.text.len(), alert.history.len()), (MAX_TEXT, 100));
    assert!(serde_json::to_vec(&alert).unwrap().len() < 300 * 1_024);
}
