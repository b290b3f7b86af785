//! Notifications wait until they are delivered or given up.

use bergfried_alert::Outcome;
use bergfried_control::{Control, MAX_QUEUED};
use bergfried_event::Severity::{High, Low, Medium};

use crate::{Store, at, channel, finding};

fn ids(control: &Control, name: &str, seconds: i64) -> Vec<u64> {
    control.outbox_due(name, at(seconds), 100).unwrap().iter().map(|item| item.id).collect()
}

#[test]
fn only_changes_worth_telling_reach_channels_that_want_them() {
    let control = Store::new().open();
    let channels = [channel("all", Low), channel("bad", High)];
    let steps = [(Low, 1, 0), (Low, 1, 0), (High, 2, 1), (Medium, 2, 1), (High, 3, 2)];
    for (sequence, (severity, all, bad)) in (1..).zip(steps) {
        let frame = [finding("web1", severity, 1)];
        control.apply_findings(sequence, &frame, "Production", &channels, at(0)).unwrap();
        let queued = (ids(&control, "all", 0).len(), ids(&control, "bad", 0).len());
        assert_eq!(queued, (all, bad), "after step {sequence}");
    }
    let items = control.outbox_due("all", at(0), 100).unwrap();
    assert_eq!(items[0].outcome, Outcome::New);
    assert_eq!((items[0].alert.severity, items[0].alert.received), (Low, 1), "as it was then");
    assert_eq!(items[1].outcome, Outcome::SeverityChanged { from: Low, to: High });
}

#[test]
fn retries_deaths_and_resurrection_last_over_restarts() {
    let store = Store::new();
    let control = store.open();
    let channels = [channel("ops", Low)];
    let frame = [finding("web1", Low, 1), finding("web2", Low, 1)];
    control.apply_findings(1, &frame, "Production", &channels, at(0)).unwrap();
    let due = ids(&control, "ops", 0);
    let [first, second] = due[..] else { panic!("{due:?}") };
    assert!(control.outbox_retry(first, at(60), "timed out").unwrap());
    drop(control);

    let control = store.open();
    assert_eq!(ids(&control, "ops", 59), [second]);
    assert_eq!(control.outbox_next("ops").unwrap(), Some(at(0)));
    assert!(control.outbox_delivered(second).unwrap());
    assert!(!control.outbox_delivered(second).unwrap());
    assert_eq!(control.outbox_next("ops").unwrap(), Some(at(60)));
    let again = control.outbox_due("ops", at(60), 100).unwrap();
    assert_eq!((again[0].id, again[0].attempts), (first, 1));

    assert!(control.outbox_dead(first, "status 404").unwrap());
    assert!(!control.outbox_dead(first, "again").unwrap());
    assert!(!control.outbox_retry(first, at(0), "dead things are not retried").unwrap());
    assert_eq!(control.outbox_next("ops").unwrap(), None);
    drop(control);

    let control = store.open();
    let letters = control.dead_letters(10).unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].attempts, letters[0].error.as_str()), (2, "status 404"));
    assert!(letters[0].text.contains("web1"));
    assert!(control.resend_dead(first, at(70)).unwrap());
    assert!(!control.resend_dead(first, at(70)).unwrap());
    let item = &control.outbox_due("ops", at(70), 1).unwrap()[0];
    assert_eq!((item.id, item.attempts, item.created), (first, 0, at(70)));
    assert_eq!(control.dead_letters(10).unwrap(), []);
}

#[test]
fn a_full_queue_gives_up_its_oldest_and_counts_them() {
    let control = Store::new().open();
    let channels = [channel("ops", Low)];
    let frame: Vec<_> =
        (0..MAX_QUEUED + 7).map(|index| finding(&format!("host{index}"), Low, 1)).collect();
    control.apply_findings(1, &frame, "Production", &channels, at(0)).unwrap();
    let backlog = control.outbox_backlog().unwrap();
    assert_eq!((backlog[0].queued, backlog[0].dead), (MAX_QUEUED as u64, 7));
    assert_eq!(control.counters().unwrap().get("outbox.overflowed"), Some(&7));
    assert!(control.dead_letters(10).unwrap()[0].text.contains("host6"));
    assert!(control.outbox_due("ops", at(0), 1).unwrap()[0].alert.text.contains("host7"));
}
