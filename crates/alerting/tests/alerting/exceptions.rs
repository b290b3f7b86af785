//! Findings of which somebody does not want to hear.

use std::sync::Arc;

use bergfried_alert::exception::{Exception, Scope, propose};
use bergfried_alerting::{Alerting, Failed, News};
use bergfried_event::{Finding, Severity, Timestamp};

use crate::{Bench, finding, until, wait};

const DAY: i64 = 86_400;

fn scope(when: &str) -> Scope {
    Scope::new(Vec::new(), when, Timestamp::from_seconds(0)).unwrap()
}

fn exception(bench: &Bench, id: &str, scope: Scope, days: i64) -> Exception {
    let expires = bench.hands.now().plus_micros(days * Timestamp::DAY);
    Exception::new(id.to_owned(), scope, "eve", "a known job", expires, bench.hands.now()).unwrap()
}

/// Brings findings as frames of the event store are brought, and waits until they are durable.
fn bring(alerting: &Alerting, sequence: u64, findings: &[Finding]) {
    alerting.apply_findings(sequence, Arc::from(findings));
    until("applied", || alerting.applied() == sequence);
}

fn received(alerting: &Alerting) -> u64 {
    alerting.read().iter().filter_map(|alert| Some(alert.evidence.as_ref()?.received)).sum()
}

fn hits(alerting: &Alerting, id: &str) -> u64 {
    alerting.read().exception(id).unwrap().hits
}

#[test]
fn the_same_again_is_counted_and_no_alert_until_the_exception_ends() {
    let bench = Bench::new();
    let (alerting, control) = bench.start();
    let mine = finding("web1", Severity::High);
    let other = finding("web2", Severity::High);
    bring(&alerting, 1, std::slice::from_ref(&mine));
    let alert = Arc::clone(alerting.read().iter().next().unwrap());
    let proposed = propose(&alert, &["host.name".to_owned()], bench.hands.now()).unwrap();
    let made =
        wait(alerting.add_exception(exception(&bench, "exception-1", proposed, 30))).unwrap();
    assert_eq!(alerting.read().exception("exceptio"), Some(&made));

    let mut followed = alerting.follow(Some(alerting.read().revision()));
    bring(&alerting, 2, &[mine.clone(), mine.clone()]);
    assert_eq!((received(&alerting), hits(&alerting, "exception-1")), (1, 2));
    assert_eq!(alerting.read().get(&alert.id), Some(&alert), "the alert stays as it was");
    let happened = followed.live.blocking_recv().unwrap();
    assert!(matches!(happened.news, News::Suppressed { finding, exception }
        if *finding == mine && exception == "exception-1"));
    // A frame that is brought again counts nothing again, also over a restart.
    alerting.apply_findings(2, Arc::from([mine.clone()]));
    alerting.stop();
    drop((alerting, control));
    let (alerting, _control) = bench.start();
    assert_eq!(hits(&alerting, "exception-1"), 2);
    alerting.apply_findings(2, Arc::from([mine.clone()]));
    bring(&alerting, 3, &[mine.clone(), other.clone()]);
    assert_eq!((received(&alerting), hits(&alerting, "exception-1")), (2, 3));
    assert_eq!(alerting.read().len(), 2);

    bench.hands.forward(30 * DAY);
    bring(&alerting, 4, std::slice::from_ref(&mine));
    assert_eq!(hits(&alerting, "exception-1"), 3, "it expired");
    assert!(alerting.read().iter().any(|alert| alert.resource == "web1"
        && alert.evidence.as_ref().is_some_and(|evidence| evidence.last_seen == mine.last_seen)
        && alert.last_receive_time == bench.hands.now()));
    alerting.stop();
}

#[test]
fn one_that_is_deleted_hides_nothing_more() {
    let bench = Bench::new();
    let (alerting, control) = bench.start();
    wait(alerting.add_exception(exception(&bench, "one", scope("host.name:web1"), 1))).unwrap();
    wait(alerting.add_exception(exception(&bench, "two", scope("host.name:web*"), 1))).unwrap();
    bring(&alerting, 1, &[finding("web1", Severity::Low), finding("web2", Severity::Low)]);
    assert_eq!((hits(&alerting, "one"), hits(&alerting, "two")), (1, 1), "the first one counts");
    let deleted = wait(alerting.delete_exception("one")).unwrap().unwrap();
    assert_eq!((deleted.id.as_str(), deleted.hits), ("one", 1));
    assert_eq!(wait(alerting.delete_exception("one")).unwrap(), None);
    bring(&alerting, 2, &[finding("web1", Severity::Low)]);
    assert_eq!((hits(&alerting, "two"), alerting.read().len()), (2, 0));
    wait(alerting.delete_exception("two")).unwrap();
    bring(&alerting, 3, &[finding("web1", Severity::Low)]);
    assert_eq!((received(&alerting), alerting.read().exceptions().count()), (1, 0));
    alerting.stop();
    drop((alerting, control));
    let (alerting, _control) = bench.start();
    assert_eq!(alerting.read().exceptions().count(), 0);
    alerting.stop();
}

#[test]
fn there_may_not_be_any_number_of_them() {
    let bench = Bench::new();
    let (alerting, _control) = bench.start();
    let add = |number: usize| {
        let exception = exception(&bench, &number.to_string(), scope("host.name:web1"), 1);
        wait(alerting.add_exception(exception))
    };
    for number in 0..1_000 {
        add(number).unwrap();
    }
    assert_eq!(add(1_000), Err(Failed::TooMany { what: "exceptions", most: 1_000 }));
    alerting.stop();
}
