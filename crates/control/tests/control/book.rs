//! The book's rows: written together, read back whole.

use bergfried_control::{BookChanges, BookHeartbeat, BookRaised, BookRow, Control};
use bergfried_event::Severity;
use bergfried_notify::{Change, Message, Test};

use crate::{Store, at, frame};

fn alerts(control: &Control) -> Vec<(u64, String)> {
    let mut alerts = Vec::new();
    control.read_book(|number, body| alerts.push((number, body.to_owned()))).unwrap();
    alerts
}

#[test]
fn rows_are_written_changed_and_deleted() {
    let store = Store::new();
    let control = store.open();
    let row = |number: u64, body: &str| BookRow { number, body: Some(body.to_owned()) };
    let raised =
        |second, rule: &str, count| BookRaised { at: at(second), rule: rule.to_owned(), count };
    let hostile = "'; DROP TABLE book_alert; -- \u{1b}[31m\u{202e}";
    let beat = BookHeartbeat { row: row(3, "beat"), told: "slow".to_owned(), told_at: 7 };
    let changes = BookChanges {
        revision: 9,
        number: 4,
        alerts: vec![row(1, "one"), row(2, hostile)],
        heartbeats: vec![beat.clone()],
        blackouts: vec![row(4, "blackout")],
        raised: vec![raised(1, "old", 1), raised(2, hostile, 2), raised(2, "", 3)],
        ..BookChanges::default()
    };
    control.write_book(&changes).unwrap();
    let gone = BookChanges {
        revision: 10,
        number: 4,
        alerts: vec![BookRow { number: 1, body: None }, row(2, "two")],
        dropped: 1,
        raised: vec![raised(2, "", 4), raised(3, "new", 5)],
        raised_since: at(2),
        ..BookChanges::default()
    };
    control.write_book(&gone).unwrap();
    drop(control);

    let control = store.open();
    assert_eq!(alerts(&control), [(2, "two".to_owned())]);
    let start = control.read_book(|_, _| ()).unwrap();
    assert_eq!((start.revision, start.number, start.applied), (10, 4, 0));
    assert_eq!((start.heartbeats, start.blackouts), (vec![beat], vec![row(4, "blackout")]));
    let kept = [raised(2, "", 7), raised(2, hostile, 2), raised(3, "new", 5)];
    assert_eq!(start.raised, kept, "what is old is gone");
    assert_eq!(control.counters().unwrap().get("alerts.dropped"), Some(&1));
}

#[test]
fn the_applied_sequence_only_rises_unless_the_store_was_emptied() {
    let control = Store::new().open();
    control.write_book(&frame(5, "ops", &[])).unwrap();
    control.write_book(&frame(3, "ops", &[])).unwrap();
    assert_eq!(control.applied_sequence().unwrap(), 5);
    assert!(!control.lower_applied_sequence(5).unwrap());
    assert!(control.lower_applied_sequence(2).unwrap());
    assert_eq!(control.applied_sequence().unwrap(), 2);
    let error = control.write_book(&frame(u64::MAX, "ops", &[])).unwrap_err();
    assert_eq!(error.to_string(), "cannot store a revision: it is above 2^63 - 1");
}

#[test]
fn alerts_and_messages_of_before_the_book_go_on() {
    let store = Store::new();
    drop(store.open());
    let raw = rusqlite::Connection::open(store.path()).unwrap();
    // As the program of before left it.
    raw.execute_batch(
        "DROP TABLE raised; DROP TABLE session; DROP TABLE audit; \
         CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, \
         who TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL) STRICT; \
         DROP TABLE search; DROP TABLE host; DROP TABLE book_exception; \
         CREATE TABLE alert (id INTEGER PRIMARY KEY AUTOINCREMENT, environment TEXT NOT NULL, \
         resource TEXT NOT NULL, event TEXT NOT NULL, severity INTEGER NOT NULL, \
         open INTEGER NOT NULL, last_seen INTEGER NOT NULL, body TEXT NOT NULL) STRICT; \
         CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, \
         outcome TEXT NOT NULL, alert TEXT NOT NULL, created INTEGER NOT NULL, \
         attempts INTEGER NOT NULL, next_attempt INTEGER NOT NULL, dead INTEGER NOT NULL, \
         error TEXT) STRICT; \
         PRAGMA user_version = 5;",
    )
    .unwrap();
    let old = serde_json::json!({
        "id": 7, "environment": "Production", "resource": "web1", "event": "Guessing",
        "severity": "high", "status": "open", "count": 12, "received": 3,
        "first_seen": "2026-11-20T01:00:00Z", "last_seen": "2026-11-20T02:00:00Z",
        "updated": "2026-11-20T02:00:01Z", "rule_id": "7b3c", "text": "Guessing: 12 events",
        "host": "web1", "user": "root", "source": "203.0.113.5", "program": "sshd",
        "users": {"names": ["root"], "overflow": 0}, "sources": {"names": [], "overflow": 4},
        "techniques": ["T1110"], "tags": ["attack.t1110"], "group": [["user.name", "root"]],
        "event_ids": [1, 2], "example": "a line", "history_dropped": 0,
        "history": [{"at": "2026-11-20T01:00:00Z", "kind": "new", "to": "high", "text": "Guessing"}],
    });
    raw.execute(
        "INSERT INTO alert (id, environment, resource, event, severity, open, last_seen, body) \
         VALUES (7, 'Production', 'web1', 'Guessing', 3, 1, 0, ?1)",
        [old.to_string()],
    )
    .unwrap();
    let message = Message::Test(Test { channel: "ops".to_owned(), time: at(0) });
    let message = serde_json::to_string(&message).unwrap();
    let worse = r#"{"kind":"severity_changed","from":"low","to":"high"}"#;
    for (outcome, body, dead) in [
        (r#"{"kind":"new"}"#, &old.to_string(), 0),
        (worse, &old.to_string(), 1),
        ("", &message, 0),
    ] {
        raw.execute(
            "INSERT INTO outbox (channel, outcome, alert, created, attempts, next_attempt, dead, \
             error) VALUES ('ops', ?1, ?2, ?3, 2, ?3, ?4, 'no route to host')",
            rusqlite::params![outcome, body, at(0).micros(), dead],
        )
        .unwrap();
    }
    drop(raw);

    let control = store.open();
    let stored = alerts(&control);
    assert_eq!(stored.len(), 1);
    let alert: bergfried_alert::Alert = serde_json::from_str(&stored[0].1).unwrap();
    assert_eq!((stored[0].0, alert.severity.as_str(), alert.id.len()), (7, "major", 36));
    assert_eq!((alert.service, alert.history.len()), (vec!["sshd".to_owned()], 1));
    let mut told = Vec::new();
    while let Some(letter) = control.letters_due("ops", at(1)).unwrap().first() {
        let message: Message = serde_json::from_str(&letter.body).unwrap();
        told.push((letter.alert.clone(), letter.attempts, message));
        control.letters_dead("ops", &[letter.id], "seen").unwrap();
    }
    let [(about, 2, Message::Alert(first)), (None, 2, Message::Test(_))] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((about.as_deref(), &first.id), (Some(alert.id.as_str()), &alert.id));
    assert_eq!((&first.change, first.severity), (&Change::New, Severity::High));
    assert_eq!((first.text.as_str(), first.over), ("Guessing: 12 events", false));
    let dead = control.letters_given_up(10).unwrap();
    let dead = dead.iter().find(|letter| letter.error == "no route to host").unwrap();
    let Message::Alert(worse) = serde_json::from_value(dead.message.clone()).unwrap() else {
        panic!("{dead:?}")
    };
    let (from, to) = ("warning".to_owned(), "major".to_owned());
    assert_eq!(worse.change, Change::SeverityChanged { from, to });
    // It did not expire before, and does not at the upgrade.
    assert_eq!((alert.timeout, alert.attributes["source_ip"].as_str()), (0, Some("203.0.113.5")));
    let evidence = alert.evidence.unwrap();
    assert_eq!((evidence.count, evidence.received, evidence.sources.overflow), (12, 3, 4));
    assert_eq!(control.read_book(|_, _| ()).unwrap().number, 7);
    drop(control);
    assert_eq!(alerts(&store.open()), stored);
}
