//! What holds whatever happens to an alert, in whatever order.
//!
//! Invariants:
//! - the status is one of the model's;
//! - it is acknowledged, shelved or in a blackout exactly if something holds it in that status, and what
//!   lies beneath is weaker, so that ending it leads back to something that makes sense;
//! - without a status set by hand or asked for by a sender, an alert of Alerta's model is closed exactly
//!   if its severity is normal, unless it expired;
//! - the history is no longer than it may be and in the order of time;
//! - it repeats exactly if there are duplicates;
//! - what is due comes to an end: doing it all at one time takes a few steps at most.

use bergfried_alert::{Model, SetStatus, Status, Step, due, step};
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Happening {
    Hear { event: usize, severity: usize, status: Option<usize>, value: u8, timeout: u32 },
    Act(usize, Option<u32>),
    Set(usize, Option<u32>),
    Due,
}

const EVENTS: [&str; 3] = ["down", "up", "lame"];

fn action(index: usize) -> Action {
    let words = ["open", "assign", "ack", "unack", "shelve", "unshelve", "close", "page"];
    let Ok(action) = words[index % words.len()].parse();
    action
}

fn happening(by_rules_only: bool) -> impl Strategy<Value = (Happening, i64)> {
    let timeout = || proptest::option::of(prop_oneof![Just(0u32), 1..5_000u32]);
    let status = proptest::option::weighted(0.2, 0..16usize);
    let hear =
        (0..EVENTS.len(), 0..16usize, status, any::<u8>(), prop_oneof![Just(0u32), 1..100_000u32])
            .prop_map(|(event, severity, status, value, timeout)| Happening::Hear {
                event,
                severity,
                status,
                value,
                timeout,
            });
    let what = prop_oneof![
        4 => hear,
        4 => (0..8usize, timeout()).prop_map(|(action, timeout)| Happening::Act(action, timeout)),
        1 => (0..16usize, timeout())
            .prop_map(|(status, timeout)| Happening::Set(status, timeout)),
        3 => Just(Happening::Due),
    ];
    let what = what.prop_map(move |what| match what {
        Happening::Set(..) if by_rules_only => Happening::Due,
        Happening::Hear { event, severity, value, timeout, .. } if by_rules_only => {
            Happening::Hear { event, severity, status: None, value, timeout }
        }
        other => other,
    });
    // Clocks are put back as well.
    (what, prop_oneof![4 => 0..4_000i64, 1 => Just(0), 1 => -2_000..0i64])
}

fn settings(machine: usize, history_limit: usize) -> Settings {
    let model = [Model::alerta(), Model::isa_18_2()][machine].clone();
    Settings { model, history_limit, ack_timeout: 1_800, ..Settings::default() }
}

/// Lets it all happen; the checks see the alert after each.
fn live(
    settings: &Settings,
    happenings: &[(Happening, i64)],
    check: &dyn Fn(&Alert),
) -> Option<Alert> {
    let mut alert: Option<Alert> = None;
    let mut seconds = 0;
    for (number, (what, later)) in happenings.iter().enumerate() {
        seconds += later;
        let now = at(seconds);
        let id = format!("id{number}");
        match (what, alert.as_mut()) {
            (Happening::Hear { event, severity, status, value, timeout }, known) => {
                let words = &settings.model.severities;
                let statuses = settings.model.statuses();
                let said = Incoming {
                    id,
                    status: status.map_or(settings.model.default_status(), |index| {
                        statuses[index % statuses.len()]
                    }),
                    correlate: EVENTS.map(str::to_owned).to_vec(),
                    value: Some((value % 3).to_string()),
                    timeout: *timeout,
                    ..incoming(settings, EVENTS[*event], &words[severity % words.len()].0)
                };
                alert = Some(hear(settings, known.as_deref(), said, seconds).0);
            }
            (Happening::Act(index, timeout), Some(alert)) => {
                let before = alert.clone();
                let doing = Act { id, timeout: *timeout, ..does(action(*index)) };
                if act(settings, alert, doing, now).is_err() {
                    assert_eq!(*alert, before);
                }
            }
            (Happening::Set(index, timeout), Some(alert)) => {
                let status = Status::ALL[index % Status::ALL.len()];
                let set =
                    SetStatus { status, text: String::new(), timeout: *timeout, user: None, id };
                let known = settings.model.statuses().contains(&status);
                assert_eq!(set_status(settings, alert, set, now).is_ok(), known);
            }
            (Happening::Due, Some(alert)) => {
                let mut steps = 0;
                while let Some((time, what)) = due(settings, alert).filter(|(time, _)| *time <= now)
                {
                    if what == Step::Delete {
                        break;
                    }
                    step(settings, alert, what, id.clone(), now);
                    let after = due(settings, alert);
                    assert_ne!(after, Some((time, what)));
                    steps += 1;
                    assert!(steps <= 3, "{alert:?}");
                }
            }
            (_, None) => {}
        }
        if let Some(alert) = &alert {
            check(alert);
        }
    }
    alert
}

fn strength(status: Status) -> usize {
    match status {
        Status::Ack | Status::Acked => 1,
        Status::Shelved | Status::Shlvd => 2,
        Status::Blackout | Status::Dsupr | Status::Oosrv => 3,
        _ => 0,
    }
}

fn check_always(settings: &Settings, alert: &Alert) {
    assert!(settings.model.statuses().contains(&alert.status), "{alert:?}");
    let top = alert.holds.last();
    if strength(alert.status) > 0 {
        assert_eq!(top.map(|hold| hold.status), Some(alert.status), "{alert:?}");
    } else if let Some(top) = top {
        let closed_while_shelved = (alert.status, top.status) == (Status::Closed, Status::Shelved);
        assert!(closed_while_shelved, "{alert:?}");
    }
    let mut beneath = None;
    for hold in &alert.holds {
        assert!(strength(hold.status) > strength(hold.back), "{alert:?}");
        match beneath {
            None => assert_eq!(strength(hold.back), 0, "{alert:?}"),
            Some(status) => assert_eq!(hold.back, status, "{alert:?}"),
        }
        assert!(!matches!(hold.back, Status::Closed | Status::Expired), "{alert:?}");
        beneath = Some(hold.status);
    }
    assert!(alert.history.len() <= settings.history_limit);
    assert!(alert.history.is_sorted_by_key(|entry| entry.time));
    assert_eq!(alert.repeat, alert.duplicate_count > 0);
    let json = serde_json::to_string(alert).unwrap();
    assert_eq!(serde_json::from_str::<Alert>(&json).unwrap(), *alert);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_sequence_leaves_an_impossible_state(
        happenings in proptest::collection::vec(happening(false), 1..60),
        machine in 0..2usize,
        history_limit in 0..12usize,
    ) {
        let settings = settings(machine, history_limit);
        live(&settings, &happenings, &|alert| check_always(&settings, alert));
    }

    #[test]
    fn what_is_normal_is_over(
        happenings in proptest::collection::vec(happening(true), 1..60),
        history_limit in 0..12usize,
    ) {
        let settings = settings(0, history_limit);
        live(&settings, &happenings, &|alert| {
            let is_normal = settings.model.is_normal(&alert.severity);
            if alert.status != Status::Expired {
                assert_eq!(alert.status == Status::Closed, is_normal, "{alert:?}");
            }
        });
    }

    #[test]
    fn the_same_sequence_gives_the_same_alert(
        happenings in proptest::collection::vec(happening(false), 1..60),
        machine in 0..2usize,
    ) {
        let settings = settings(machine, 100);
        let first = live(&settings, &happenings, &|_| {});
        prop_assert_eq!(first, live(&settings, &happenings, &|_| {}));
    }
}
