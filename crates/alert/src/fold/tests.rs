//! What folding does, case by case, and what holds for any findings.

use proptest::prelude::*;

use super::*;
use crate::alert::MAX_HISTORY;
use crate::seen::MAX_SEEN;

fn finding(severity: Severity) -> Finding {
    Finding {
        rule_id: "7b3c".to_owned(),
        rule_name: "SSH password guessing".to_owned(),
        severity,
        host: Some("web1".to_owned()),
        user: Some("root".to_owned()),
        source: Some("203.0.113.5".to_owned()),
        program: Some("sshd".to_owned()),
        count: 12,
        first_seen: at(100),
        last_seen: at(160),
        techniques: vec!["T1110.001".to_owned()],
        tags: vec!["attack.credential-access".to_owned(), "attack.t1110.001".to_owned()],
        falsepositives: vec!["A script with an old password".to_owned()],
        group: vec![("source.ip".to_owned(), "203.0.113.5".to_owned())],
        matched: vec![("source.ip".to_owned(), "203.0.113.5".to_owned())],
        example: "Failed password for root from 203.0.113.5 port 4711 ssh2".to_owned(),
        event_ids: vec![1, 2, 3],
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn fold_all(findings: &[Finding]) -> (Alert, Vec<Outcome>) {
    let mut outcomes = Vec::new();
    let mut alert = None;
    for (index, finding) in findings.iter().enumerate() {
        let now = at(1000 + index as i64);
        let (next, outcome) = fold(alert.as_ref(), finding, "Production", now);
        outcomes.push(outcome);
        alert = Some(next);
    }
    (alert.unwrap(), outcomes)
}

#[test]
fn identity_takes_the_first_name_that_there_is() {
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (text("web1"), text("10.0.0.1"), "Title", "web1", "Title"),
        (None, text("10.0.0.1"), "Title", "10.0.0.1", "Title"),
        (text(""), text("10.0.0.1"), "Title", "10.0.0.1", "Title"),
        (None, None, "Title", "unknown", "Title"),
        (None, None, "", "unknown", "7b3c"),
    ];
    for (host, source, title, resource, event) in cases {
        let finding =
            Finding { host, source, rule_name: title.to_owned(), ..finding(Severity::Low) };
        let identity = identity(&finding, "Test");
        assert_eq!((identity.resource.as_str(), identity.event.as_str()), (resource, event));
        assert_eq!(identity.environment, "Test");
    }
}

#[test]
fn outcomes_and_what_is_told_of_them() {
    use Severity::{High, Low, Medium};
    let up = Outcome::SeverityChanged { from: Low, to: High };
    let down = Outcome::SeverityChanged { from: High, to: Medium };
    let (alert, outcomes) = fold_all(&[finding(Low), finding(Low), finding(High), finding(Medium)]);
    assert_eq!(outcomes, [Outcome::New, Outcome::Repeated, up, down]);
    let told: Vec<bool> = outcomes.into_iter().map(Outcome::worth_telling).collect();
    assert_eq!(told, [true, false, true, false]);
    assert_eq!((alert.severity, alert.previous_severity), (Medium, Some(High)));
    let history: Vec<_> =
        alert.history.iter().map(|change| (change.from.as_deref(), change.to.as_str())).collect();
    assert_eq!(history, [(None, "low"), (Some("low"), "high"), (Some("high"), "medium")]);
}

#[test]
fn counts_add_up_and_the_span_widens() {
    let early =
        Finding { first_seen: at(10), last_seen: at(20), count: 3, ..finding(Severity::Low) };
    let (alert, _) = fold_all(&[finding(Severity::Low), early]);
    assert_eq!((alert.count, alert.received), (15, 2));
    assert_eq!((alert.first_seen, alert.last_seen), (at(10), at(160)));
    assert_eq!(alert.updated, at(1001));
}

#[test]
fn a_closed_alert_opens_again() {
    let (mut alert, _) = fold_all(&[finding(Severity::Low)]);
    assert!(alert.close("alice", at(2000)));
    assert!(!alert.close("bob", at(2001)));
    assert_eq!((alert.status, alert.updated), (Status::Closed, at(2000)));
    let (alert, outcome) = fold(Some(&alert), &finding(Severity::High), "Production", at(2002));
    assert_eq!(outcome, Outcome::Reopened);
    assert!(outcome.worth_telling());
    assert_eq!((alert.status, alert.severity), (Status::Open, Severity::High));
    let history: Vec<_> = alert.history.iter().map(|change| change.to.as_str()).collect();
    assert_eq!(history, ["low", "closed", "open", "high"]);
}

#[test]
fn two_sources_on_one_host_are_one_alert_that_knows_both() {
    let other = Finding {
        source: Some("198.51.100.9".to_owned()),
        user: None,
        group: vec![("source.ip".to_owned(), "198.51.100.9".to_owned())],
        ..finding(Severity::Low)
    };
    assert_eq!(identity(&finding(Severity::Low), "P"), identity(&other, "P"));
    let (alert, _) = fold_all(&[finding(Severity::Low), other]);
    assert_eq!(alert.sources.names, ["203.0.113.5", "198.51.100.9"]);
    assert_eq!(alert.source.as_deref(), Some("198.51.100.9"));
    assert_eq!(alert.user.as_deref(), Some("root"), "a finding without a user forgets nobody");
}

#[test]
fn the_sentence_says_what_is_known() {
    let full =
        "SSH password guessing: 12 events on web1, user root, from 203.0.113.5, logged by sshd";
    assert_eq!(sentence(&finding(Severity::Low)), full);
    let bare = Finding {
        host: None,
        user: None,
        source: None,
        program: None,
        count: 1,
        ..finding(Severity::Low)
    };
    assert_eq!(sentence(&bare), "SSH password guessing: 1 event");
}

#[test]
fn hostile_and_huge_text_is_kept_as_data_within_bounds() {
    let huge = "ä<!channel>\u{1b}[31m\u{202e}".repeat(10_000);
    let hostile = Finding {
        rule_name: huge.clone(),
        host: Some(huge.clone()),
        user: Some(huge.clone()),
        source: Some(huge.clone()),
        program: Some(huge.clone()),
        example: huge.clone(),
        techniques: (0..1000).map(|index| format!("{index}{huge}")).collect(),
        group: vec![(huge.clone(), huge); 50],
        count: u64::MAX,
        event_ids: (0..1000).collect(),
        ..finding(Severity::Low)
    };
    let (alert, _) = fold_all(&[hostile.clone(), hostile]);
    assert_eq!(alert.count, u64::MAX);
    assert!(alert.user.as_ref().unwrap().starts_with("ä<!channel>\u{1b}[31m\u{202e}"));
    assert_eq!(alert.event_ids, (900..1000).collect::<Vec<u64>>());
    assert_eq!((alert.techniques.len(), alert.group.len()), (MAX_TECHNIQUES, MAX_GROUP));
    assert!(alert.example.len() <= MAX_EXAMPLE && alert.text.len() <= 6 * MAX_NAME);
    let json = serde_json::to_vec(&alert).unwrap();
    assert!(json.len() < 64 * 1024, "{}", json.len());
}

#[test]
fn history_and_names_are_capped_and_counted() {
    let findings: Vec<Finding> = (0..300)
        .map(|index| Finding {
            user: Some(format!("user{index}")),
            ..finding(if index % 2 == 0 { Severity::Low } else { Severity::High })
        })
        .collect();
    let (alert, _) = fold_all(&findings);
    assert_eq!((alert.history.len(), alert.history_dropped), (MAX_HISTORY, 200));
    assert_eq!((alert.users.names.len(), alert.users.overflow), (MAX_SEEN, 200));
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let severity = (0..Severity::ALL.len()).prop_map(|index| Severity::ALL[index]);
    let user = proptest::option::of("[a-z\\PC]{0,8}");
    (severity, user, 0..u64::MAX / 64, -1000i64..1000, 0i64..1000).prop_map(
        |(severity, user, count, start, length)| Finding {
            user,
            count,
            first_seen: at(start),
            last_seen: at(start + length),
            ..finding(severity)
        },
    )
}

proptest! {
    #[test]
    fn sums_do_not_depend_on_order(findings in proptest::collection::vec(any_finding(), 1..40)) {
        let reversed: Vec<Finding> = findings.iter().rev().cloned().collect();
        let ((left, _), (right, _)) = (fold_all(&findings), fold_all(&reversed));
        prop_assert_eq!(left.count, findings.iter().map(|finding| finding.count).sum::<u64>());
        prop_assert_eq!(left.received, findings.len() as u64);
        prop_assert_eq!(
            (left.count, left.received, left.first_seen, left.last_seen),
            (right.count, right.received, right.first_seen, right.last_seen)
        );
    }

    #[test]
    fn a_replay_gives_the_same_alert(findings in proptest::collection::vec(any_finding(), 1..40)) {
        prop_assert_eq!(fold_all(&findings), fold_all(&findings));
        let (alert, _) = fold_all(&findings);
        let json = serde_json::to_string(&alert).unwrap();
        prop_assert_eq!(serde_json::from_str::<Alert>(&json).unwrap(), alert);
    }
}
