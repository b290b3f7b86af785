//! What rules found, as alerts.

use bergfried_alert::{Evidence, MAX_EVENT_IDS, MAX_NAME, MAX_SEEN, Status, of_finding};
use bergfried_event::{AlertShape, Finding, Severity};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

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
        matched: vec![("event.action".to_owned(), "ssh_login".to_owned())],
        example: "Failed password for root from 203.0.113.5 port 4711 ssh2".to_owned(),
        event_ids: vec![1, 2, 3],
        alert: None,
    }
}

fn find(settings: &Settings, alert: Option<&Alert>, finding: &Finding, seconds: i64) -> Alert {
    let said = of_finding(settings, finding, format!("id{seconds}"), at(seconds));
    hear(settings, alert, said, seconds).0
}

fn find_all(findings: &[Finding]) -> Alert {
    let settings = Settings::default();
    let mut alert = None;
    for (index, finding) in findings.iter().enumerate() {
        alert = Some(find(&settings, alert.as_ref(), finding, 1_000 + index as i64));
    }
    alert.unwrap()
}

fn evidence(alert: &Alert) -> &Evidence {
    alert.evidence.as_deref().unwrap()
}

#[test]
fn what_is_said_of_a_finding() {
    let settings = Settings::default();
    let said = of_finding(&settings, &finding(Severity::High), "id".to_owned(), at(1_000));
    assert_eq!((said.resource.as_str(), said.event.as_str()), ("web1", "SSH password guessing"));
    assert_eq!((said.environment.as_str(), said.severity.as_str()), ("Production", "major"));
    assert_eq!((said.service.as_slice(), said.group.as_str()), (&["sshd".to_owned()][..], "Misc"));
    assert_eq!(
        said.text,
        "SSH password guessing: 12 events on web1, user root, from 203.0.113.5, logged by sshd"
    );
    assert_eq!(said.tags, ["T1110.001", "attack.credential-access", "attack.t1110.001"]);
    let expected = [
        ("event_action", "ssh_login"),
        ("host_name", "web1"),
        ("process_name", "sshd"),
        ("rule_id", "7b3c"),
        ("source_ip", "203.0.113.5"),
        ("user_name", "root"),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), Value::from(value)));
    assert_eq!(said.attributes, BTreeMap::from(expected));
    assert_eq!((said.timeout, said.create_time), (86_400, at(160)));
    assert_eq!(said.check(), Ok(()));
}

#[test]
fn the_resource_is_the_first_name_that_there_is() {
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (text("web1"), text("10.0.0.1"), "Title", "web1", "Title"),
        (None, text("10.0.0.1"), "Title", "10.0.0.1", "Title"),
        (text(""), text("10.0.0.1"), "Title", "10.0.0.1", "Title"),
        (None, None, "Title", "unknown", "Title"),
        (None, None, "", "unknown", "7b3c"),
    ];
    for (host, source, title, resource, event) in cases {
        let rule_name = title.to_owned();
        let finding = Finding { host, source, rule_name, ..finding(Severity::Low) };
        let said = of_finding(&Settings::default(), &finding, String::new(), at(0));
        assert_eq!((said.resource.as_str(), said.event.as_str()), (resource, event));
    }
}

#[test]
fn counts_add_up_and_are_the_value() {
    let early =
        Finding { first_seen: at(10), last_seen: at(20), count: 3, ..finding(Severity::Low) };
    let alert = find_all(&[finding(Severity::Low), early]);
    let evidence = evidence(&alert);
    assert_eq!((evidence.count, evidence.received), (15, 2));
    assert_eq!((evidence.first_seen, evidence.last_seen), (at(10), at(160)));
    assert_eq!(alert.value.as_deref(), Some("15"));
    assert_eq!((alert.duplicate_count, alert.history.len()), (1, 1), "no entry for each count");
}

#[test]
fn a_finding_opens_what_was_over() {
    let settings = Settings::default();
    let mut alert = find(&settings, None, &finding(Severity::Low), 1_000);
    act(&settings, &mut alert, does(Action::Close), at(1_001)).unwrap();
    assert_eq!((alert.status, alert.severity.as_str()), (Status::Closed, "normal"));
    let alert = find(&settings, Some(&alert), &finding(Severity::Low), 1_002);
    assert_eq!((alert.status, alert.severity.as_str()), (Status::Open, "warning"));
    assert_eq!((alert.value.as_deref(), alert.id.as_str()), (Some("24"), "id1000"));
    let alert = find(&settings, Some(&alert), &finding(Severity::Critical), 1_003);
    assert_eq!(
        (alert.severity.as_str(), alert.previous_severity.as_str()),
        ("critical", "warning")
    );
}

#[test]
fn two_sources_on_one_host_are_one_alert_that_knows_both() {
    let other =
        Finding { source: Some("198.51.100.9".to_owned()), user: None, ..finding(Severity::Low) };
    let alert = find_all(&[finding(Severity::Low), other]);
    let evidence = evidence(&alert);
    assert_eq!(evidence.sources.names, ["203.0.113.5", "198.51.100.9"]);
    assert_eq!(evidence.source.as_deref(), Some("198.51.100.9"));
    assert_eq!(evidence.user.as_deref(), Some("root"), "a finding without a user forgets nobody");
}

#[test]
fn a_rule_says_itself_what_its_alerts_are() {
    let text = |text: &str| Some(text.to_owned());
    let shape = AlertShape {
        resource: text("203.0.113.5"),
        event: text("Guessing"),
        environment: text("Lab"),
        severity: text("err"),
        service: vec!["SSH".to_owned()],
        group: text("Auth"),
        correlate: vec!["Guessed".to_owned()],
        value: text("12 tries"),
        text: text("somebody guesses"),
        tags: vec!["night".to_owned(), "T1110.001".to_owned()],
        attributes: vec![("ticket".to_owned(), "OPS".to_owned())],
        timeout: Some(0),
    };
    let found = Finding { alert: Some(Box::new(shape)), ..finding(Severity::Low) };
    let alert = find_all(&[found.clone(), found]);
    assert_eq!((alert.resource.as_str(), alert.event.as_str()), ("203.0.113.5", "Guessing"));
    assert_eq!((alert.environment.as_str(), alert.severity.as_str()), ("Lab", "major"));
    assert_eq!((&alert.service[..], alert.group.as_str()), (&["SSH".to_owned()][..], "Auth"));
    assert_eq!(alert.correlate, ["Guessed", "Guessing"]);
    assert_eq!(
        (alert.value.as_deref(), alert.text.as_str()),
        (Some("12 tries"), "somebody guesses")
    );
    assert_eq!(alert.tags, ["T1110.001", "attack.credential-access", "attack.t1110.001", "night"]);
    assert_eq!(alert.attributes["ticket"], "OPS");
    assert_eq!((alert.attributes["user_name"].as_str(), alert.timeout), (Some("root"), 0));
    assert_eq!(evidence(&alert).count, 24);
    // What is empty, or a word that the hub does not know, is as for any finding.
    let shape = AlertShape { resource: text(" "), severity: text("odd"), ..AlertShape::default() };
    let found = Finding { alert: Some(Box::new(shape)), ..finding(Severity::Low) };
    let alert = find_all(&[found]);
    assert_eq!((alert.resource.as_str(), alert.severity.as_str()), ("web1", "warning"));
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
        group: vec![(huge.clone(), huge.clone()); 50],
        count: u64::MAX,
        event_ids: (0..1000).collect(),
        alert: Some(Box::new(AlertShape { text: Some(huge), ..AlertShape::default() })),
        ..finding(Severity::Low)
    };
    let said = of_finding(&Settings::default(), &hostile, "id".to_owned(), at(0));
    assert_eq!(said.check(), Ok(()));
    let alert = find_all(&[hostile.clone(), hostile]);
    let evidence = evidence(&alert);
    assert_eq!(evidence.count, u64::MAX);
    assert!(evidence.user.as_ref().unwrap().starts_with("ä<!channel>\u{1b}[31m\u{202e}"));
    let last = 1_000 - MAX_EVENT_IDS as u64..1_000;
    assert_eq!(evidence.event_ids, last.collect::<Vec<u64>>());
    assert!(alert.resource.len() <= MAX_NAME && alert.resource.ends_with('…'));
    let json = serde_json::to_vec(&alert).unwrap();
    assert!(json.len() < 256 * 1024, "{}", json.len());
}

#[test]
fn names_seen_are_capped_and_counted() {
    let findings: Vec<Finding> = (0..300)
        .map(|index| Finding { user: Some(format!("user{index}")), ..finding(Severity::Low) })
        .collect();
    let alert = find_all(&findings);
    let users = &evidence(&alert).users;
    assert_eq!((users.names.len(), users.overflow), (MAX_SEEN, 200));
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
        let (left, right) = (find_all(&findings), find_all(&reversed));
        let sums = |alert: &Alert| {
            let of = evidence(alert);
            (of.count, of.received, of.first_seen, of.last_seen, alert.value.clone())
        };
        let count = findings.iter().map(|finding| finding.count).sum::<u64>();
        prop_assert_eq!(evidence(&left).count, count);
        prop_assert_eq!(evidence(&left).received, findings.len() as u64);
        prop_assert_eq!(sums(&left), sums(&right));
    }

    /// Folding findings before the alert is touched gives the same evidence.
    #[test]
    fn evidence_may_be_folded_first(findings in proptest::collection::vec(any_finding(), 1..40)) {
        let mut folded = findings.iter().map(Evidence::of);
        let mut first = folded.next().unwrap();
        folded.for_each(|later| first.absorb(later));
        let alert = find_all(&findings);
        prop_assert_eq!(&first, evidence(&alert));
    }
}
