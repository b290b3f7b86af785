//! A message of every kind, with every field filled and with as few as can be.

use std::collections::BTreeMap;

use bergfried_alert::{Evidence, Seen, Status};
use bergfried_event::{Severity, Timestamp};

use crate::message::{AgentSeen, Digest, Group, HubState, Message, Report, Stored, Test};
use crate::notice::{Change, Notice};

/// What templates are tried with when they are read.
pub(crate) fn every_kind() -> Vec<Message> {
    let notices = || vec![notice("web1", Change::New), sent()];
    let counts = || BTreeMap::from([(Severity::High, 3), (Severity::Low, 1)]);
    let (since, until) = (at(0), at(600));
    let alert = |notice| Message::Alert(Box::new(notice));
    vec![
        alert(notice("web1", Change::New)),
        alert(sent()),
        alert(Notice { status: Status::Ack, ..notice("web1", Change::Acknowledged) }),
        Message::Group(Group {
            title: "host web1".to_owned(),
            notices: notices(),
            more: 5,
            since,
            until,
        }),
        Message::Digest(Digest {
            reason: "more than 20 messages an hour".to_owned(),
            since,
            until,
            counts: counts(),
            notices: notices(),
            more: 2,
        }),
        Message::Report(Box::new(Report {
            since,
            until,
            new: counts(),
            closed: 2,
            open: counts(),
            top_events: vec![("SSH password guessing".to_owned(), 3)],
            top_resources: vec![("web1".to_owned(), 3)],
            silent_agents: vec!["db1".to_owned()],
            stored: Some(Stored {
                events: 1_000,
                hosts: vec![("web1".to_owned(), 900)],
                kinds: vec![("LOGIN_FAIL".to_owned(), 40)],
                actions: vec![("ssh_login".to_owned(), 40)],
                sources: vec![("203.0.113.5".to_owned(), 39)],
                online: 2,
                silent: 1,
            }),
            worst: notices(),
            link: None,
        })),
        Message::Report(Box::default()),
        Message::Agent(AgentSeen {
            is_host: false,
            name: "web1".to_owned(),
            online: false,
            last_seen: Some(since),
            time: until,
        }),
        Message::Hub(HubState {
            name: "hub".to_owned(),
            started: true,
            version: "0.1.0".to_owned(),
            time: since,
            link: None,
        }),
        Message::Test(Test { channel: "ops".to_owned(), time: since }),
    ]
}

/// An alert of a rule.
pub(crate) fn notice(host: &str, change: Change) -> Notice {
    let some = |text: &str| Some(text.to_owned());
    let seen = |name: &str| Seen { names: vec![name.to_owned()], overflow: 0 };
    let evidence = Evidence {
        rule_id: "7b3c".to_owned(),
        count: 12,
        received: 1,
        first_seen: at(100),
        last_seen: at(160),
        host: some(host),
        user: some("root"),
        source: some("203.0.113.5"),
        program: some("sshd"),
        users: seen("root"),
        sources: seen("203.0.113.5"),
        techniques: vec!["T1110.001".to_owned()],
        tags: vec!["attack.t1110.001".to_owned()],
        falsepositives: vec!["A script with an old password".to_owned()],
        group: vec![("source.ip".to_owned(), "203.0.113.5".to_owned())],
        matched: vec![("user.name".to_owned(), "root".to_owned())],
        event_ids: vec![1, 2],
        example: "Failed password for root from 203.0.113.5 port 4711 ssh2".to_owned(),
    };
    Notice {
        id: "6ff1c41a-5f3e-4a52-9b43-3a1c1f7f2c11".to_owned(),
        loud: true,
        change,
        time: at(200),
        by: None,
        comment: None,
        environment: "Production".to_owned(),
        resource: host.to_owned(),
        event: "SSH password guessing".to_owned(),
        severity: Severity::High,
        severity_word: "major".to_owned(),
        previous_severity: some("indeterminate"),
        status: Status::Open,
        over: false,
        service: vec!["sshd".to_owned()],
        group: "Misc".to_owned(),
        value: some("12"),
        text: "SSH password guessing: 12 events, from 203.0.113.5".to_owned(),
        tags: vec!["T1110.001".to_owned()],
        attributes: BTreeMap::from([("region".to_owned(), "eu".into())]),
        origin: "bergfried".to_owned(),
        customer: None,
        times: 1,
        created: at(100),
        last_received: at(200),
        evidence: Some(Box::new(evidence)),
        link: some("https://hub.example/alerts/6ff1c41a-5f3e-4a52-9b43-3a1c1f7f2c11"),
    }
}

/// An alert that somebody sent, closed again.
fn sent() -> Notice {
    Notice {
        id: "0b8e3a5c-6f0d-4d27-8d2b-0d1f6f1e9a77".to_owned(),
        loud: false,
        by: Some("alice".to_owned()),
        comment: Some("was a test".to_owned()),
        event: "NodeDown".to_owned(),
        severity: Severity::Informational,
        severity_word: "normal".to_owned(),
        previous_severity: None,
        status: Status::Closed,
        over: true,
        value: None,
        text: String::new(),
        tags: Vec::new(),
        attributes: BTreeMap::new(),
        evidence: None,
        link: None,
        ..notice("db1", Change::Closed)
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}
