//! Findings become alerts exactly once.

use bergfried_alert::{Outcome, Status};
use bergfried_control::{AlertFilter, Cursor};
use bergfried_event::Severity::{self, High, Low, Medium};

use crate::{Store, at, finding};

fn all() -> AlertFilter {
    AlertFilter { limit: 100, ..AlertFilter::default() }
}

#[test]
fn a_frame_is_applied_once_also_after_a_restart() {
    let store = Store::new();
    let frames =
        [vec![finding("web1", Low, 3), finding("web2", High, 5)], vec![finding("web1", Low, 4)]];
    let control = store.open();
    assert_eq!(control.applied_sequence().unwrap(), 0);
    for (sequence, frame) in (1..).zip(&frames) {
        control.apply_findings(sequence, frame, "Production", &[], at(10)).unwrap();
    }
    let alerts = control.alerts(&all()).unwrap();
    drop(control);

    let control = store.open();
    for (sequence, frame) in (1..).zip(&frames) {
        let changes = control.apply_findings(sequence, frame, "Production", &[], at(99)).unwrap();
        assert_eq!(changes, []);
    }
    assert_eq!(control.applied_sequence().unwrap(), 2);
    assert_eq!(control.alerts(&all()).unwrap(), alerts);
    let web1 = alerts.iter().find(|alert| alert.resource == "web1").unwrap();
    assert_eq!((web1.count, web1.received), (7, 2));
    assert_eq!(control.alert(web1.id).unwrap().as_ref(), Some(web1));
}

#[test]
fn a_frame_without_findings_moves_the_sequence() {
    let store = Store::new();
    let control = store.open();
    assert_eq!(control.apply_findings(5, &[], "Production", &[], at(0)).unwrap(), []);
    assert_eq!(control.apply_findings(3, &[], "Production", &[], at(0)).unwrap(), []);
    let late = [finding("web1", Low, 1)];
    assert_eq!(control.apply_findings(4, &late, "Production", &[], at(0)).unwrap(), []);
    drop(control);
    assert_eq!(store.open().applied_sequence().unwrap(), 5);
}

#[test]
fn a_store_that_was_emptied_counts_anew() {
    let control = Store::new().open();
    let finding = [finding("web1", Low, 1)];
    control.apply_findings(9, &finding, "Production", &[], at(0)).unwrap();
    assert!(!control.lower_applied_sequence(9).unwrap());
    assert!(control.lower_applied_sequence(2).unwrap());
    assert_eq!(control.apply_findings(2, &finding, "Production", &[], at(0)).unwrap(), []);
    assert_eq!(control.apply_findings(3, &finding, "Production", &[], at(0)).unwrap().len(), 1);
}

#[test]
fn one_frame_tells_of_each_alert_once() {
    let control = Store::new().open();
    let frame = [finding("web1", Low, 1), finding("web1", Low, 1), finding("web2", Low, 1)];
    let changes = control.apply_findings(1, &frame, "Production", &[], at(0)).unwrap();
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change.alert.resource.as_str(), change.alert.received, change.outcome))
        .collect();
    assert_eq!(told, [("web1", 2, Outcome::New), ("web2", 1, Outcome::New)]);
    let raised = [finding("web1", Low, 1), finding("web1", High, 1), finding("web1", High, 1)];
    let changes = control.apply_findings(2, &raised, "Production", &[], at(0)).unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].outcome, Outcome::SeverityChanged { from: Low, to: High });
}

#[test]
fn environments_are_kept_apart() {
    let control = Store::new().open();
    control.apply_findings(1, &[finding("web1", Low, 1)], "Production", &[], at(0)).unwrap();
    control.apply_findings(2, &[finding("web1", Low, 1)], "Test", &[], at(0)).unwrap();
    assert_eq!(control.alerts(&all()).unwrap().len(), 2);
}

#[test]
fn a_closed_alert_stays_closed_until_a_new_finding() {
    let store = Store::new();
    let control = store.open();
    let changes =
        control.apply_findings(1, &[finding("web1", Low, 1)], "Production", &[], at(0)).unwrap();
    let id = changes[0].alert.id;
    let closed = control.close_alert(id, "alice", at(1)).unwrap().unwrap();
    assert_eq!(closed.status, Status::Closed);
    assert_eq!(control.close_alert(id, "bob", at(2)).unwrap(), Some(closed.clone()));
    assert_eq!(control.close_alert(id + 1, "bob", at(2)).unwrap(), None);
    drop(control);

    let control = store.open();
    let open = AlertFilter { status: Some(Status::Open), ..all() };
    assert_eq!(control.alerts(&open).unwrap(), []);
    let changes =
        control.apply_findings(2, &[finding("web1", Low, 1)], "Production", &[], at(3)).unwrap();
    assert_eq!((changes[0].alert.id, changes[0].outcome), (id, Outcome::Reopened));
    assert_eq!(control.alerts(&open).unwrap().len(), 1);
}

#[test]
fn filters_narrow_and_pages_follow_each_other() {
    let control = Store::new().open();
    let severities = [Low, Medium, High];
    let frame: Vec<_> = (0..30)
        .map(|index| finding(&format!("Web{index}"), severities[index % 3], index as u64 / 4))
        .collect();
    control.apply_findings(1, &frame, "Production", &[], at(0)).unwrap();

    let count = |filter: AlertFilter| control.alerts(&filter).unwrap().len();
    assert_eq!(count(all()), 30);
    assert_eq!(count(AlertFilter { min_severity: Severity::Medium, ..all() }), 20);
    assert_eq!(count(AlertFilter { text: Some("wEB2".to_owned()), ..all() }), 11);
    assert_eq!(count(AlertFilter { text: Some("%".to_owned()), ..all() }), 0);
    assert_eq!(count(AlertFilter { limit: 0, ..all() }), 0);

    let whole: Vec<u64> = control.alerts(&all()).unwrap().iter().map(|alert| alert.id).collect();
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let page = control.alerts(&AlertFilter { limit: 7, before, ..all() }).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(Cursor { last_seen: last.last_seen, id: last.id });
        pages.extend(page.iter().map(|alert| alert.id));
    }
    assert_eq!(pages, whole);
}

#[test]
fn sequences_beyond_the_store_are_refused() {
    let control = Store::new().open();
    let error = control.apply_findings(u64::MAX, &[], "Production", &[], at(0)).unwrap_err();
    assert_eq!(error.to_string(), "cannot store a sequence: it is above 2^63 - 1");
}

#[test]
fn hostile_text_comes_back_as_it_came() {
    let control = Store::new().open();
    let hostile = "'; DROP TABLE alert; -- \u{0}\u{1b}[31m\u{202e}<!channel>";
    let frame = [finding(hostile, Low, 1)];
    control.apply_findings(1, &frame, hostile, &[], at(0)).unwrap();
    control.apply_findings(2, &frame, hostile, &[], at(0)).unwrap();
    let alerts = control.alerts(&all()).unwrap();
    assert_eq!(alerts.len(), 1);
    assert_eq!((alerts[0].resource.as_str(), alerts[0].received), (hostile, 2));
}
