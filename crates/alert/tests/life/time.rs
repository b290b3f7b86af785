//! What time does to an alert, and how long its history is.

use bergfried_alert::{EntryKind, SetStatus, Status, Step, due, step};

use super::*;

const HOUR: u32 = 3_600;

fn set(status: Status, timeout: Option<u32>) -> SetStatus {
    SetStatus { status, text: String::new(), timeout, user: None, id: "set".to_owned() }
}

fn new(settings: &Settings, severity: &str) -> Alert {
    hear(settings, None, incoming(settings, "down", severity), 0).0
}

/// Does the next thing that is due, and says what it was.
fn next(settings: &Settings, alert: &mut Alert) -> Option<(i64, Step)> {
    let (time, what) = due(settings, alert)?;
    step(settings, alert, what, "step".to_owned(), time);
    Some((time.since(at(0)) / Timestamp::SECOND, what))
}

#[test]
fn an_alert_expires_and_is_seen_before_it_is_forgotten() {
    let settings = Settings::default();
    let mut alert = new(&settings, "major");
    assert_eq!(next(&settings, &mut alert), Some((86_400, Step::Expire)));
    assert_eq!((alert.status, alert.update_time), (Status::Expired, at(86_400)));
    let last = alert.history.last().unwrap();
    assert_eq!(
        (last.kind, last.status, last.id.as_str()),
        (EntryKind::Expired, Status::Expired, "step")
    );
    // It is forgotten two hours after it expired, not at once because it is a day old.
    assert_eq!(due(&settings, &alert), Some((at(86_400 + 7_200), Step::Delete)));
}

#[test]
fn when_things_are_due() {
    let settings = || Settings { ack_timeout: HOUR, ..Settings::default() };
    type Case = (&'static str, fn(&mut Settings, &mut Alert), Option<(i64, Step)>);
    let cases: &[Case] = &[
        ("it never expires", |_, alert| alert.timeout = 0, None),
        (
            "it was heard of again",
            |_, alert| alert.last_receive_time = at(50),
            Some((86_450, Step::Expire)),
        ),
        (
            "acknowledged as long as the settings say",
            |settings, alert| {
                act(settings, alert, does(Action::Ack), at(10)).unwrap();
            },
            Some((3_610, Step::Unack)),
        ),
        (
            "acknowledged for a time",
            |settings, alert| {
                act(settings, alert, Act { timeout: Some(60), ..does(Action::Ack) }, at(10))
                    .unwrap();
            },
            Some((70, Step::Unack)),
        ),
        (
            "acknowledged for good",
            |settings, alert| {
                act(settings, alert, Act { timeout: Some(0), ..does(Action::Ack) }, at(10))
                    .unwrap();
            },
            Some((86_400, Step::Expire)),
        ),
        (
            "shelved",
            |settings, alert| {
                act(settings, alert, does(Action::Shelve), at(10)).unwrap();
            },
            Some((7_210, Step::Unshelve)),
        ),
        (
            "shelved by its sender",
            |settings, alert| {
                let said =
                    Incoming { status: Status::Shelved, ..incoming(settings, "down", "major") };
                *alert = hear(settings, Some(alert), said, 20).0;
            },
            Some((7_220, Step::Unshelve)),
        ),
        (
            "shelved and heard of again, which does not put off its end",
            |settings, alert| {
                act(settings, alert, does(Action::Shelve), at(10)).unwrap();
                *alert = hear(settings, Some(alert), incoming(settings, "down", "critical"), 500).0;
            },
            Some((7_210, Step::Unshelve)),
        ),
        (
            "shelved, closed and back",
            |settings, alert| {
                act(settings, alert, does(Action::Shelve), at(10)).unwrap();
                *alert = hear(settings, Some(alert), incoming(settings, "down", "ok"), 20).0;
                *alert = hear(settings, Some(alert), incoming(settings, "down", "major"), 30).0;
            },
            Some((7_210, Step::Unshelve)),
        ),
        (
            "closed",
            |settings, alert| {
                act(settings, alert, does(Action::Close), at(10)).unwrap();
            },
            Some((7_210, Step::Delete)),
        ),
        (
            "closed and said to be over again",
            |settings, alert| {
                *alert = hear(settings, Some(alert), incoming(settings, "down", "ok"), 20).0;
                *alert = hear(settings, Some(alert), incoming(settings, "down", "ok"), 40).0;
            },
            Some((7_240, Step::Delete)),
        ),
        (
            "closed ones are kept, but expire",
            |settings, alert| {
                settings.delete_expired_after = 0;
                act(settings, alert, does(Action::Close), at(10)).unwrap();
            },
            Some((86_400, Step::Expire)),
        ),
        (
            "informational",
            |settings, alert| {
                *alert =
                    hear(settings, Some(alert), incoming(settings, "down", "informational"), 20).0;
            },
            Some((43_220, Step::Delete)),
        ),
        (
            "informational ones are kept",
            |settings, alert| {
                settings.delete_info_after = 0;
                *alert =
                    hear(settings, Some(alert), incoming(settings, "down", "informational"), 20).0;
            },
            Some((86_420, Step::Expire)),
        ),
        (
            "a status set without a timeout makes nothing immortal",
            |settings, alert| {
                set_status(settings, alert, set(Status::Open, None), at(10)).unwrap();
            },
            Some((86_400, Step::Expire)),
        ),
        (
            "a status set with a timeout",
            |settings, alert| {
                set_status(settings, alert, set(Status::Assign, Some(HOUR)), at(10)).unwrap();
            },
            Some((3_600, Step::Expire)),
        ),
        (
            "acknowledgement set by hand",
            |settings, alert| {
                set_status(settings, alert, set(Status::Ack, Some(60)), at(10)).unwrap();
            },
            Some((70, Step::Unack)),
        ),
        (
            "and set anew",
            |settings, alert| {
                set_status(settings, alert, set(Status::Ack, Some(60)), at(10)).unwrap();
                set_status(settings, alert, set(Status::Ack, Some(600)), at(20)).unwrap();
            },
            Some((620, Step::Unack)),
        ),
    ];
    for (name, change, expected) in cases {
        let mut settings = settings();
        let mut alert = new(&settings, "major");
        change(&mut settings, &mut alert);
        let due = due(&settings, &alert);
        assert_eq!(due, expected.map(|(seconds, step)| (at(seconds), step)), "{name}");
    }
}

#[test]
fn what_ends_goes_back_to_what_was_before() {
    let settings = Settings { ack_timeout: 3 * HOUR, ..Settings::default() };
    let mut alert = new(&settings, "major");
    act(&settings, &mut alert, does(Action::Ack), at(0)).unwrap();
    act(&settings, &mut alert, does(Action::Shelve), at(0)).unwrap();
    assert_eq!(next(&settings, &mut alert), Some((7_200, Step::Unshelve)));
    assert_eq!(alert.status, Status::Ack);
    assert_eq!(alert.history.last().map(|entry| entry.kind), Some(EntryKind::Timeout));
    assert_eq!(next(&settings, &mut alert), Some((10_800, Step::Unack)));
    assert_eq!((alert.status, alert.timeout), (Status::Open, 86_400));
    assert_eq!(next(&settings, &mut alert), Some((86_400, Step::Expire)));
}

#[test]
fn an_acknowledgement_that_ran_out_while_it_was_shelved_ends_with_that() {
    let settings = Settings { ack_timeout: HOUR, ..Settings::default() };
    let mut alert = new(&settings, "major");
    act(&settings, &mut alert, does(Action::Ack), at(0)).unwrap();
    act(&settings, &mut alert, does(Action::Shelve), at(0)).unwrap();
    assert_eq!(next(&settings, &mut alert), Some((7_200, Step::Unshelve)));
    assert_eq!(next(&settings, &mut alert), Some((3_600, Step::Unack)));
    assert_eq!((alert.status, alert.history.last().unwrap().time), (Status::Open, at(7_200)));
}

#[test]
fn a_loud_sender_keeps_nothing_shelved() {
    let settings = Settings::default();
    let mut alert = new(&settings, "major");
    act(&settings, &mut alert, does(Action::Ack), at(0)).unwrap();
    act(&settings, &mut alert, does(Action::Shelve), at(0)).unwrap();
    for number in 0..500 {
        let value = Some(number.to_string());
        let said = Incoming { value, ..incoming(&settings, "down", "major") };
        alert = hear(&settings, Some(&alert), said, number).0;
    }
    assert_eq!(alert.history.len(), settings.history_limit);
    assert!(alert.history.iter().all(|entry| entry.kind == EntryKind::Value));
    assert_eq!(next(&settings, &mut alert), Some((7_200, Step::Unshelve)));
    assert_eq!(alert.status, Status::Ack);
}

#[test]
fn a_step_that_came_too_late_does_nothing() {
    let settings = Settings::default();
    let mut alert = new(&settings, "major");
    for (what, status) in [(Step::Unshelve, Status::Open), (Step::Unack, Status::Open)] {
        step(&settings, &mut alert, what, "late".to_owned(), at(5));
        assert_eq!((alert.status, alert.history.len()), (status, 1));
    }
    set_status(&settings, &mut alert, set(Status::Expired, None), at(6)).unwrap();
    let before = alert.clone();
    step(&settings, &mut alert, Step::Expire, "late".to_owned(), at(7));
    assert_eq!(alert, before);
}

#[test]
fn flapping_is_more_than_two_changes_in_half_an_hour() {
    let settings = Settings::default();
    let mut alert = new(&settings, "major");
    let mut flapping = Vec::new();
    for (number, severity) in ["minor", "major", "minor"].into_iter().enumerate() {
        let seconds = 60 * (number as i64 + 1);
        alert = hear(&settings, Some(&alert), incoming(&settings, "down", severity), seconds).0;
        flapping.push(alert.is_flapping(at(seconds)));
    }
    assert_eq!(flapping, [false, false, true]);
    assert!(alert.is_flapping(at(1_859)));
    assert!(!alert.is_flapping(at(1_860)));
}
