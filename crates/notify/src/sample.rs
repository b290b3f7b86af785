//! Notices for the tests of this crate.

use std::collections::BTreeMap;

use bergfried_alert::{Evidence, Seen};
use serde_json::json;

use crate::example;
use crate::message::Message;
use crate::notice::{Change, Notice};

/// An ordinary alert of a rule.
pub(crate) fn notice(change: Change) -> Notice {
    let ordinary = example::notice("web1", change);
    let evidence = ordinary.evidence.clone().unwrap();
    let techniques = vec!["T1110.001".to_owned(), "T1078".to_owned()];
    Notice {
        id: "7".to_owned(),
        severity_word: "high".to_owned(),
        previous_severity: None,
        value: None,
        text:
            "SSH password guessing: 12 events on web1, user root, from 203.0.113.5, logged by sshd"
                .to_owned(),
        tags: vec!["attack.credential-access".to_owned(), "attack.t1110.001".to_owned()],
        attributes: BTreeMap::new(),
        evidence: Some(Box::new(Evidence { techniques, ..*evidence })),
        ..ordinary
    }
    .linked(Some("https://hub.example/"))
}

/// The message about it.
pub(crate) fn message(change: Change) -> Message {
    Message::Alert(Box::new(notice(change)))
}

/// A message every text of which is `text`, but for those that the hub itself makes.
pub(crate) fn hostile(text: &str) -> Message {
    let own = || text.to_owned();
    let some = || Some(own());
    let seen = || Seen { names: vec![own()], overflow: 0 };
    let pairs = || vec![(own(), own())];
    let ordinary = example::notice("web1", Change::New);
    let evidence = ordinary.evidence.clone().unwrap();
    let evidence = Evidence {
        rule_id: own(),
        host: some(),
        user: some(),
        source: some(),
        program: some(),
        users: seen(),
        sources: seen(),
        techniques: vec![own()],
        tags: vec![own()],
        falsepositives: vec![own()],
        group: Vec::new(),
        matched: pairs(),
        example: own(),
        ..*evidence
    };
    Message::Alert(Box::new(Notice {
        change: Change::SeverityChanged { from: own(), to: own() },
        by: some(),
        comment: some(),
        environment: own(),
        resource: own(),
        event: own(),
        severity_word: own(),
        previous_severity: some(),
        service: vec![own()],
        group: own(),
        value: some(),
        text: own(),
        tags: vec![own()],
        attributes: BTreeMap::from([
            (own(), json!([{ text: text }])),
            (format!("{text}2"), own().into()),
        ]),
        origin: own(),
        customer: some(),
        evidence: Some(Box::new(evidence)),
        link: None,
        ..ordinary
    }))
}
