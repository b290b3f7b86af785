//! A book that is full, and a disk that is.

use std::sync::Arc;

use bergfried_alert::{Act, Action, Received};
use bergfried_alerting::{Change, Failed};
use bergfried_event::{Finding, Severity};

use crate::{Bench, everything, finding, kept, until, wait};

#[test]
fn what_is_over_goes_first_then_what_was_quiet_for_longest() {
    let mut bench = Bench::new();
    bench.max_alerts = 3;
    let (alerting, control) = bench.start();
    let receive = |resource: &str| {
        bench.hands.forward(1);
        kept(wait(alerting.receive(bench.incoming(resource, "down", "major"))).unwrap()).0
    };
    let resources =
        || -> Vec<String> { alerting.read().iter().map(|alert| alert.resource.clone()).collect() };
    receive("a");
    receive("b");
    let closed = receive("c");
    let (text, id) = (String::new(), "entry".to_owned());
    let close = Act { action: Action::Close, text, timeout: None, user: None, id };
    wait(alerting.change(vec![closed.id.clone()], Change::Act(close))).unwrap();
    receive("d");
    assert_eq!(resources(), ["a", "b", "d"]);
    receive("a");
    receive("e");
    assert_eq!(resources(), ["a", "d", "e"]);
    assert_eq!(control.counters().unwrap().get("alerts.dropped"), Some(&2));
    alerting.stop();
}

#[test]
fn one_customer_who_fills_the_book_crowds_out_nobody_else() {
    let mut bench = Bench::new();
    bench.max_alerts = 4;
    let (alerting, _control) = bench.start();
    let receive = |customer: Option<&str>, resource: &str| {
        bench.hands.forward(1);
        let mut said = bench.incoming(resource, "down", "major");
        said.customer = customer.map(str::to_owned);
        kept(wait(alerting.receive(said)).unwrap());
    };
    let resources =
        || -> Vec<String> { alerting.read().iter().map(|alert| alert.resource.clone()).collect() };
    receive(None, "own");
    receive(Some("quiet"), "theirs");
    for number in 0..10 {
        receive(Some("loud"), &format!("noise{number}"));
    }
    assert_eq!(resources(), ["own", "theirs", "noise8", "noise9"]);
    // Whoever has most makes room, whosever the new one is.
    receive(Some("quiet"), "more");
    assert_eq!(resources(), ["own", "theirs", "noise9", "more"]);
    let heard = alerting.read().last_heard();
    assert_eq!(heard, alerting.read().iter().map(|alert| alert.last_receive_time).max());
    alerting.stop();
}

#[test]
fn a_store_that_fails_changes_nothing_and_says_so() {
    let bench = Bench::new();
    let (alerting, _control) = bench.start();
    wait(alerting.receive(bench.incoming("a", "down", "major"))).unwrap();
    let before = everything(&alerting);
    // A full disk fails like this: in the middle of a transaction.
    let other = rusqlite::Connection::open(bench.file()).unwrap();
    let trigger = "CREATE TRIGGER full BEFORE UPDATE ON book \
        BEGIN SELECT RAISE(ABORT, 'no room'); END";
    other.execute_batch(trigger).unwrap();
    let said = bench.incoming("b", "down", "major");
    for _ in 0..2 {
        let failed = wait(alerting.receive(said.clone())).unwrap_err();
        assert!(matches!(&failed, Failed::Store(reason) if reason.contains("no room")));
        assert!(failed.to_string().ends_with("try again"));
    }
    let findings: Arc<[Finding]> =
        (0..50).map(|index| finding(&format!("host{index}"), Severity::High)).collect();
    alerting.apply_findings(1, findings);
    assert!(wait(alerting.delete(vec![before.1[0].id.clone()])).is_err());
    assert_eq!((everything(&alerting), alerting.applied()), (before, 0));

    other.execute_batch("DROP TRIGGER full").unwrap();
    wait(alerting.receive(said)).unwrap();
    until("findings", || alerting.applied() == 1);
    assert_eq!(alerting.read().len(), 52);
    alerting.stop();
}

#[test]
fn alerts_that_are_all_correlated_with_the_same_are_not_all_looked_through() {
    let bench = Bench::new();
    let (alerting, _control) = bench.start();
    let correlated = |number: u32| {
        let mut said = bench.incoming("host", &format!("event {number}"), "major");
        said.correlate = vec!["same".to_owned()];
        said
    };
    let receive = |said| kept(wait(alerting.receive(said)).unwrap()).1;
    for number in 0..300 {
        assert_eq!(receive(correlated(number)), Received::New);
    }
    // Each is found by what it is itself, and one of them by what they have in common.
    assert_eq!(receive(correlated(299)), Received::Duplicate);
    assert_eq!(receive(bench.incoming("host", "same", "major")), Received::Correlated);
    assert_eq!(receive(bench.incoming("host", "same", "major")), Received::Duplicate);
    assert_eq!(alerting.read().len(), 300);
    alerting.stop();
}

#[test]
fn what_stays_in_memory_is_within_bounds() {
    let bench = Bench::new();
    let (alerting, _control) = bench.start();
    let long = || "x".repeat(1_000);
    let mut heartbeat = bench.heartbeat("sender", 60);
    heartbeat.tags = (0..1_000).map(|_| long()).collect();
    assert!(matches!(wait(alerting.heartbeat(heartbeat)), Err(Failed::TooMuch(_))));
    let mut said = bench.incoming("host", "event", "major");
    said.correlate = vec![long()];
    assert!(matches!(wait(alerting.receive(said)), Err(Failed::TooMuch(_))));
    // Nothing but empty lists takes memory as well.
    let mut said = bench.incoming("host", "event", "major");
    let empty = serde_json::Value::Array(vec![serde_json::Value::Array(Vec::new()); 20_000]);
    said.attributes.insert("lists".to_owned(), empty);
    assert!(matches!(wait(alerting.receive(said)), Err(Failed::TooMuch(_))));
    assert!(alerting.read().is_empty());
    alerting.stop();
}
