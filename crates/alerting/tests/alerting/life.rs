//! Received, changed, deleted, found again after a restart.

use std::sync::Arc;

use bergfried_alert::query::Glance;
use bergfried_alert::{Act, Action, Received, Status};
use bergfried_alerting::{Alerting, Change, ChangeError, News};
use bergfried_event::{Finding, Severity};
use proptest::prelude::*;

use crate::{Bench, everything, finding, kept, until, wait};

fn act(action: Action) -> Change {
    let (text, user) = (String::new(), Some("eve".to_owned()));
    Change::Act(Act { action, text, timeout: None, user, id: "entry".to_owned() })
}

#[test]
fn what_is_said_again_is_one_alert_and_outlives_a_restart() {
    let bench = Bench::new();
    let (alerting, control) = bench.start();
    let first = bench.incoming("web1", "down", "major");
    let (alert, received) = kept(wait(alerting.receive(first.clone())).unwrap());
    assert_eq!((received, alert.id.as_str()), (Received::New, first.id.as_str()));
    let again = bench.incoming("web1", "down", "major");
    let (alert, received) = kept(wait(alerting.receive(again.clone())).unwrap());
    assert_eq!((received, alert.duplicate_count), (Received::Duplicate, 1));
    assert_eq!((&alert.id, &alert.last_receive_id), (&first.id, &again.id));
    let worse = bench.incoming("web1", "down", "critical");
    let (alert, received) = kept(wait(alerting.receive(worse)).unwrap());
    assert_eq!((received, alert.previous_severity.as_str()), (Received::Correlated, "major"));
    for id in [&first.id[..], &first.id[..8], &alert.last_receive_id] {
        assert_eq!(alerting.read().get(id), Some(&alert), "{id}");
    }
    assert_eq!(alerting.read().get(&again.id), None, "only the last id counts");
    assert_eq!(alerting.read().get(&first.id[..7]), None, "too short");

    let before = everything(&alerting);
    alerting.stop();
    drop((alerting, control));
    let (alerting, _control) = bench.start();
    assert_eq!(everything(&alerting), before);
    let (alert, received) =
        kept(wait(alerting.receive(bench.incoming("web1", "down", "critical"))).unwrap());
    assert_eq!((received, alert.id.as_str()), (Received::Duplicate, first.id.as_str()));
    alerting.stop();
}

#[test]
fn of_several_that_correlate_the_last_is_changed_and_the_rest_stay() {
    let bench = Bench::new();
    let (alerting, _control) = bench.start();
    let stored = |event: &str| {
        let mut incoming = bench.incoming("node1", event, "major");
        incoming.correlate = vec![event.to_owned(), "up".to_owned()];
        kept(wait(alerting.receive(incoming)).unwrap()).0
    };
    let (older, newer) = (stored("down"), stored("slow"));
    let (alert, received) =
        kept(wait(alerting.receive(bench.incoming("node1", "up", "normal"))).unwrap());
    assert_eq!((received, &alert.id), (Received::Correlated, &newer.id));
    assert_eq!((alert.event.as_str(), alert.status), ("up", Status::Closed));
    assert_eq!(alerting.read().get(&older.id), Some(&older));
    // Found by what it is about now, and no more by what it was about.
    let (alert, received) =
        kept(wait(alerting.receive(bench.incoming("node1", "up", "normal"))).unwrap());
    assert_eq!((received, &alert.id), (Received::Duplicate, &newer.id));
    alerting.stop();
}

#[test]
fn an_id_that_another_alert_has_is_not_taken_over() {
    let bench = Bench::new();
    let (alerting, _control) = bench.start();
    let mine = bench.incoming("web1", "down", "major");
    kept(wait(alerting.receive(mine.clone())).unwrap());
    let mut theirs = bench.incoming("web2", "down", "major");
    theirs.id.clone_from(&mine.id);
    let (alert, _) = kept(wait(alerting.receive(theirs)).unwrap());
    assert_ne!(alert.id, mine.id);
    assert_eq!(alerting.read().get(&mine.id).unwrap().resource, "web1");
    alerting.stop();
}

#[test]
fn changes_are_made_together_and_refused_one_by_one() {
    let bench = Bench::new();
    let (alerting, _control) = bench.start();
    let (one, two) = (bench.incoming("a", "down", "major"), bench.incoming("b", "down", "major"));
    for incoming in [&one, &two] {
        kept(wait(alerting.receive(incoming.clone())).unwrap());
    }
    wait(alerting.change(vec![one.id.clone()], act(Action::Ack))).unwrap();
    let ids = vec![one.id.clone(), "no such alert".to_owned(), two.id.clone()];
    let changed = wait(alerting.change(ids, act(Action::Ack))).unwrap();
    assert!(matches!(changed[0].result, Err(ChangeError::Conflict(_))), "{changed:?}");
    assert_eq!(changed[1].result, Err(ChangeError::NotFound));
    assert_eq!(changed[2].result.as_ref().unwrap().status, Status::Ack);
    let tag = Change::Tag(vec!["lab".to_owned()]);
    let changed = wait(alerting.change(vec![two.id.clone()], tag)).unwrap();
    assert_eq!(changed[0].result.as_ref().unwrap().tags, ["lab"]);
    let deleted = wait(alerting.delete(vec![two.id.clone(), "nothing".to_owned()])).unwrap();
    assert_eq!(deleted, std::slice::from_ref(&two.id));
    assert_eq!((alerting.read().len(), alerting.read().get(&two.id)), (1, None));
    alerting.stop();
}

#[test]
fn findings_count_once_whatever_is_brought_again() {
    let bench = Bench::new();
    let (alerting, control) = bench.start();
    let frame = |count: usize| -> Arc<[Finding]> {
        (0..count).map(|_| finding("web1", Severity::High)).collect()
    };
    alerting.apply_findings(1, frame(3));
    alerting.apply_findings(2, frame(2));
    until("applied", || alerting.applied() == 2);
    alerting.apply_findings(2, frame(2));
    alerting.stop();
    drop((alerting, control));
    let (alerting, _control) = bench.start();
    assert_eq!(alerting.applied(), 2);
    alerting.apply_findings(1, frame(3));
    alerting.apply_findings(3, frame(1));
    until("applied", || alerting.applied() == 3);
    let book = alerting.read();
    let alert = book.iter().next().unwrap();
    let evidence = alert.evidence.as_ref().unwrap();
    assert_eq!((book.len(), evidence.received, evidence.count), (1, 6, 30));
    drop(book);
    alerting.stop();
}

#[test]
fn followers_miss_nothing() {
    let bench = Bench::new();
    let (alerting, control) = bench.start();
    let first = kept(wait(alerting.receive(bench.incoming("a", "down", "major"))).unwrap()).0;
    let mut followed = alerting.follow(Some(first.revision));
    assert!(!followed.gap && followed.past.is_empty());
    let second = kept(wait(alerting.receive(bench.incoming("b", "down", "major"))).unwrap()).0;
    let happened = followed.live.blocking_recv().unwrap();
    assert_eq!(happened.id, second.revision);
    assert!(matches!(happened.news, News::Alert(alert) if alert == second));
    wait(alerting.delete(vec![first.id.clone()])).unwrap();
    assert!(matches!(alerting.follow(Some(second.revision)).past[0].news,
        News::Deleted { ref id, .. } if *id == first.id));
    alerting.stop();
    drop((alerting, control));

    // After a restart what is left is told again, and that something may be missing.
    let (alerting, _control) = bench.start();
    let followed = alerting.follow(Some(first.revision));
    assert!(followed.gap);
    assert_eq!(followed.past.len(), 1);
    assert_eq!(followed.past[0].id, second.revision);
    assert!(!alerting.follow(Some(alerting.read().revision())).gap);
    alerting.stop();
}

#[test]
fn many_senders_at_once_lose_nothing() {
    let bench = Bench::new();
    let (alerting, control) = bench.start();
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let alerting = alerting.clone();
            let said: Vec<_> = (0..50)
                .map(|index| bench.incoming(&format!("host{}", index % 5), "down", "major"))
                .chain([bench.incoming(&format!("own{thread}"), "down", "major")])
                .collect();
            std::thread::spawn(move || {
                for incoming in said {
                    wait(alerting.receive(incoming)).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let count = |alerting: &bergfried_alerting::Alerting| {
        let book = alerting.read();
        (book.len(), book.iter().map(|alert| alert.duplicate_count + 1).sum::<u64>())
    };
    assert_eq!(count(&alerting), (13, 408));
    alerting.stop();
    drop((alerting, control));
    let (alerting, _control) = bench.start();
    assert_eq!(count(&alerting), (13, 408));
    alerting.stop();
}

#[derive(Clone, Debug)]
enum Done {
    Receive { resource: u8, event: u8, severity: u8 },
    Act { alert: u8, action: u8 },
    Delete { alert: u8 },
    Beat { origin: u8, timeout: u8 },
    Wait { seconds: u16 },
    Restart,
}

fn done() -> impl Strategy<Value = Done> {
    prop_oneof![
        6 => (0..3u8, 0..3u8, 0..4u8).prop_map(|(resource, event, severity)| Done::Receive {
            resource, event, severity
        }),
        3 => (0..9u8, 0..6u8).prop_map(|(alert, action)| Done::Act { alert, action }),
        1 => (0..9u8).prop_map(|alert| Done::Delete { alert }),
        1 => (0..2u8, 1..99u8).prop_map(|(origin, timeout)| Done::Beat { origin, timeout }),
        1 => (1..20_000u16).prop_map(|seconds| Done::Wait { seconds }),
        1 => Just(Done::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_book_is_what_is_stored(story in proptest::collection::vec(done(), 1..40)) {
        let bench = Bench::new();
        let (mut alerting, mut control) = bench.start();
        for done in story {
            let nth = |index: u8| {
                let book = alerting.read();
                book.iter().nth(usize::from(index)).map(|alert| vec![alert.id.clone()])
            };
            match done {
                Done::Receive { resource, event, severity } => {
                    let word = ["normal", "minor", "major", "critical"][usize::from(severity)];
                    let name = |index: u8| format!("event{index}");
                    let mut incoming = bench.incoming(&format!("r{resource}"), &name(event), word);
                    incoming.correlate = vec![name(event), name((event + 1) % 3)];
                    wait(alerting.receive(incoming)).unwrap();
                }
                Done::Act { alert, action } => {
                    let words = ["open", "ack", "unack", "shelve", "unshelve", "close"];
                    let action = words[usize::from(action)].parse().unwrap();
                    if let Some(ids) = nth(alert) {
                        wait(alerting.change(ids, act(action))).unwrap();
                    }
                }
                Done::Delete { alert } => {
                    if let Some(ids) = nth(alert) {
                        wait(alerting.delete(ids)).unwrap();
                    }
                }
                Done::Beat { origin, timeout } => {
                    let beat = bench.heartbeat(&format!("o{origin}"), timeout.into());
                    wait(alerting.heartbeat(beat)).unwrap();
                }
                Done::Wait { seconds } => {
                    bench.hands.forward(seconds.into());
                    wait(alerting.housekeeping(None, None)).unwrap();
                }
                Done::Restart => {
                    alerting.stop();
                    let before = everything(&alerting);
                    drop((alerting, control));
                    (alerting, control) = bench.start();
                    let ids: Vec<_> = before.1.iter().map(|alert| alert.id.clone()).collect();
                    let book = alerting.read();
                    prop_assert_eq!(book.revision() >= before.0, true);
                    for id in ids {
                        let found = book.get(&id);
                        let was = before.1.iter().find(|alert| alert.id == id);
                        // What time did since is newer; the rest is as it was.
                        if let Some(found) = found && found.revision <= before.0 {
                            prop_assert_eq!(Some(&**found), was);
                        }
                    }
                }
            }
        }
        alerting.stop();
        let before = everything(&alerting);
        let book = alerting.read();
        let listed: Vec<_> = book.listed().map(|(alert, glance)| (alert, *glance)).collect();
        for (alert, glance) in &listed {
            prop_assert_eq!(*glance, Glance::at(alert, &alerting.settings().model));
        }
        let after: Vec<_> = book.listed_after(None).map(|(_, alert, glance)| (alert, glance)).collect();
        prop_assert_eq!(after, listed);
        drop(book);
        drop((alerting, control));
        bench.hands.forward(0);
        let stored = bergfried_control::Control::open(&bench.file()).unwrap();
        let mut bodies = Vec::new();
        let start = stored.read_book(|_, body| bodies.push(body.to_owned())).unwrap();
        let bodies: Vec<bergfried_alert::Alert> =
            bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        prop_assert_eq!((start.revision, bodies), (before.0, before.1));
        prop_assert_eq!(start.heartbeats.len(), before.2.len());
    }
}

#[test]
fn what_was_raised_is_counted_also_when_it_is_gone() {
    let bench = Bench::new();
    let (alerting, control) = bench.start();
    let counts = |alerting: &Alerting, days_before| -> Vec<(String, u64)> {
        let book = alerting.read();
        let counted = book.raised_in_day(days_before, bench.hands.now());
        counted.into_iter().map(|(rule, count)| (rule.to_owned(), count)).collect()
    };
    let by_rule = |count| ("rule-1".to_owned(), count);
    let down = bench.incoming("a", "down", "major");
    for incoming in [down.clone(), bench.incoming("a", "down", "major")] {
        wait(alerting.receive(incoming)).unwrap();
    }
    let found = [finding("web", Severity::High), finding("db", Severity::High)];
    alerting.apply_findings(1, Arc::from(found));
    until("the findings", || alerting.read().len() == 3);
    let expected = [(String::new(), 1), by_rule(2)];
    assert_eq!(counts(&alerting, 0), expected, "heard of twice, raised once");
    wait(alerting.delete(vec![down.id])).unwrap();
    alerting.stop();
    drop((alerting, control));

    bench.hands.forward(86_400);
    let (alerting, control) = bench.start();
    assert_eq!((counts(&alerting, 0), counts(&alerting, 1)), (Vec::new(), expected.to_vec()));
    alerting.apply_findings(2, Arc::from([finding("mail", Severity::High)]));
    until("the finding", || counts(&alerting, 0) == [by_rule(1)]);
    alerting.stop();
    drop((alerting, control));
    bench.hands.forward(2 * 86_400);
    let (alerting, _control) = bench.start();
    assert_eq!((counts(&alerting, 0), counts(&alerting, 1)), (Vec::new(), Vec::new()));
    alerting.stop();
}
