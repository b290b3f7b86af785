//! Alerts for the tests of this crate.

use bergfried_alert::{Alert, fold};
use bergfried_event::{Finding, Severity, Timestamp};

/// An ordinary alert.
pub(crate) fn alert() -> Alert {
    Alert { id: 7, ..fold(None, &finding(), "Production", at(200)).0 }
}

/// An alert every text of which is `text`.
pub(crate) fn hostile(text: &str) -> Alert {
    let some = || Some(text.to_owned());
    let hostile = Finding {
        rule_id: text.to_owned(),
        rule_name: text.to_owned(),
        host: some(),
        user: some(),
        source: some(),
        program: some(),
        techniques: vec![text.to_owned()],
        tags: vec![text.to_owned()],
        falsepositives: vec![text.to_owned()],
        group: vec![(text.to_owned(), text.to_owned())],
        matched: vec![(text.to_owned(), text.to_owned())],
        example: text.to_owned(),
        ..finding()
    };
    fold(None, &hostile, text, at(200)).0
}

fn finding() -> Finding {
    Finding {
        rule_id: "7b3c".to_owned(),
        rule_name: "SSH password guessing".to_owned(),
        severity: Severity::High,
        host: Some("web1".to_owned()),
        user: Some("root".to_owned()),
        source: Some("203.0.113.5".to_owned()),
        program: Some("sshd".to_owned()),
        count: 12,
        first_seen: at(100),
        last_seen: at(160),
        techniques: vec!["T1110.001".to_owned(), "T1078".to_owned()],
        tags: vec!["attack.credential-access".to_owned(), "attack.t1110.001".to_owned()],
        falsepositives: vec!["A script with an old password".to_owned()],
        group: vec![("source.ip".to_owned(), "203.0.113.5".to_owned())],
        matched: vec![("user.name".to_owned(), "root".to_owned())],
        example: "Failed password for root from 203.0.113.5 port 4711 ssh2".to_owned(),
        event_ids: vec![1, 2],
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}
