//! What time does, also over a restart, and when the clock is set.

use bergfried_alert::{Act, Action, Status};
use bergfried_alerting::{Alerting, Change};

use crate::{Bench, kept, until, wait};

fn status(alerting: &Alerting, id: &str) -> Option<Status> {
    alerting.read().get(id).map(|alert| alert.status)
}

fn the_events(alerting: &Alerting) -> Vec<(String, Status)> {
    alerting.read().iter().map(|alert| (alert.event.clone(), alert.status)).collect()
}

fn history(alerting: &Alerting, id: &str) -> usize {
    alerting.read().get(id).map_or(0, |alert| alert.history.len())
}

#[test]
fn alerts_expire_and_go_by_themselves() {
    let bench = Bench::new();
    let (alerting, _control) = bench.start();
    let mut incoming = bench.incoming("a", "down", "major");
    incoming.timeout = 60;
    wait(alerting.receive(incoming.clone())).unwrap();
    bench.hands.forward(59);
    // Heard of again: the time counts anew.
    let mut again = bench.incoming("a", "down", "major");
    again.timeout = 60;
    wait(alerting.receive(again)).unwrap();
    bench.hands.forward(59);
    wait(alerting.receive(bench.incoming("b", "down", "major"))).unwrap();
    assert_eq!(status(&alerting, &incoming.id), Some(Status::Open));
    bench.hands.forward(2);
    until("expiry", || status(&alerting, &incoming.id) == Some(Status::Expired));
    bench.hands.forward(7_201);
    until("deletion", || status(&alerting, &incoming.id).is_none());
    assert_eq!(alerting.read().len(), 1);
    alerting.stop();
}

#[test]
fn steps_that_fell_due_while_the_hub_was_down_are_done_once() {
    let bench = Bench::new();
    let (alerting, control) = bench.start();
    let (shelved, acked) =
        (bench.incoming("a", "down", "major"), bench.incoming("b", "down", "major"));
    for (incoming, action) in [(&shelved, Action::Shelve), (&acked, Action::Ack)] {
        wait(alerting.receive(incoming.clone())).unwrap();
        let (text, id) = (String::new(), "entry".to_owned());
        let act = Act { action, text, timeout: Some(100), user: None, id };
        wait(alerting.change(vec![incoming.id.clone()], Change::Act(act))).unwrap();
    }
    alerting.stop();
    drop((alerting, control));
    bench.hands.forward(101);
    let (alerting, control) = bench.start();
    for incoming in [&shelved, &acked] {
        until("release", || status(&alerting, &incoming.id) == Some(Status::Open));
    }
    let entries = history(&alerting, &shelved.id);
    alerting.stop();
    drop((alerting, control));
    let (alerting, _control) = bench.start();
    wait(alerting.housekeeping(None, None)).unwrap();
    assert_eq!(history(&alerting, &shelved.id), entries, "a step was done again");
    alerting.stop();
}

#[test]
fn a_clock_that_is_set_back_repeats_nothing() {
    let bench = Bench::new();
    let (alerting, _control) = bench.start();
    let mut incoming = bench.incoming("a", "down", "major");
    incoming.timeout = 60;
    wait(alerting.receive(incoming.clone())).unwrap();
    bench.hands.forward(61);
    until("expiry", || status(&alerting, &incoming.id) == Some(Status::Expired));
    let entries = history(&alerting, &incoming.id);
    bench.hands.forward(-3_600);
    wait(alerting.housekeeping(None, None)).unwrap();
    bench.hands.forward(3_600);
    wait(alerting.housekeeping(None, None)).unwrap();
    assert_eq!(history(&alerting, &incoming.id), entries);
    alerting.stop();
}

#[test]
fn a_sender_that_falls_silent_is_an_alert_that_closes_when_it_is_heard() {
    let bench = Bench::new();
    let (alerting, control) = bench.start();
    let beat = wait(alerting.heartbeat(bench.heartbeat("backup", 90))).unwrap();
    assert!(alerting.read().is_empty(), "a sender that is well is no news");
    let tick = |seconds: i64| {
        // In steps that a running clock makes, so that it does not look set.
        for _ in 0..seconds / 5 {
            bench.hands.forward(5);
            wait(alerting.housekeeping(None, None)).unwrap();
        }
    };
    tick(85);
    assert!(alerting.read().is_empty());
    tick(10);
    until("alert", || the_events(&alerting) == [("HeartbeatFail".to_owned(), Status::Open)]);
    alerting.stop();
    drop((alerting, control));

    // Neither told again after a restart, nor forgotten.
    let (alerting, _control) = bench.start();
    let failed = alerting.read().iter().next().unwrap().clone();
    assert_eq!((failed.resource.as_str(), failed.duplicate_count), ("backup", 0));
    let again = wait(alerting.heartbeat(bench.heartbeat("backup", 90))).unwrap();
    assert_eq!(again.id, beat.id);
    assert_eq!(the_events(&alerting), [("HeartbeatOK".to_owned(), Status::Closed)]);
    assert_eq!(alerting.read().iter().next().unwrap().id, failed.id);
    alerting.stop();
}

#[test]
fn silence_while_the_hub_was_deaf_is_not_the_senders() {
    let bench = Bench::new();
    let (alerting, control) = bench.start();
    wait(alerting.heartbeat(bench.heartbeat("backup", 90))).unwrap();
    alerting.stop();
    drop((alerting, control));
    bench.hands.forward(3_600);
    let (alerting, _control) = bench.start();
    let housekeeping = || wait(alerting.housekeeping(None, None)).unwrap();
    housekeeping();
    assert!(alerting.read().is_empty(), "it had no time to be heard after the start");
    bench.hands.forward(4);
    housekeeping();
    // The clock jumps: again it could not be heard.
    bench.hands.forward(3_600);
    housekeeping();
    assert!(alerting.read().is_empty(), "it had no time to be heard after the jump");
    for _ in 0..13 {
        bench.hands.forward(5);
        housekeeping();
    }
    until("alert", || the_events(&alerting) == [("HeartbeatFail".to_owned(), Status::Open)]);
    alerting.stop();
}

#[test]
fn a_slow_sender_is_said_once() {
    let bench = Bench::new();
    let (alerting, _control) = bench.start();
    for _ in 0..3 {
        let mut beat = bench.heartbeat("backup", 90);
        beat.create_time = beat.create_time.plus_micros(-3_000_000);
        wait(alerting.heartbeat(beat)).unwrap();
    }
    assert_eq!(the_events(&alerting), [("HeartbeatSlow".to_owned(), Status::Open)]);
    let alert = kept(wait(alerting.receive(bench.incoming("other", "down", "major"))).unwrap());
    assert_eq!(alert.0.resource, "other");
    assert_eq!(alerting.read().iter().next().unwrap().duplicate_count, 0);
    wait(alerting.heartbeat(bench.heartbeat("backup", 90))).unwrap();
    assert_eq!(the_events(&alerting)[0], ("HeartbeatOK".to_owned(), Status::Closed));
    alerting.stop();
}
