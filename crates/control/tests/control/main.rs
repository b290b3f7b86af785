//! The control store on real files: what lasts, what is applied once, what is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod crash;
mod outbox;
mod rest;
mod tokens;

use std::path::PathBuf;

use bergfried_control::{ChannelFilter, Control};
use bergfried_event::{Finding, Severity, Timestamp};
use tempfile::TempDir;

/// A store in a directory of its own, which can be closed and opened again.
struct Store {
    directory: TempDir,
}

impl Store {
    fn new() -> Store {
        Store { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("control.db")
    }

    fn open(&self) -> Control {
        Control::open(&self.path()).unwrap()
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}

fn finding(host: &str, severity: Severity, count: u64) -> Finding {
    Finding {
        rule_id: "7b3c".to_owned(),
        rule_name: "SSH password guessing".to_owned(),
        severity,
        host: Some(host.to_owned()),
        user: Some("root".to_owned()),
        source: Some("203.0.113.5".to_owned()),
        program: Some("sshd".to_owned()),
        count,
        first_seen: at(0),
        last_seen: at(i64::try_from(count).unwrap()),
        techniques: vec!["T1110.001".to_owned()],
        tags: vec!["attack.credential-access".to_owned(), "attack.t1110.001".to_owned()],
        falsepositives: vec!["A script with an old password".to_owned()],
        group: vec![("source.ip".to_owned(), "203.0.113.5".to_owned())],
        matched: vec![("source.ip".to_owned(), "203.0.113.5".to_owned())],
        example: "Failed password for root from 203.0.113.5 port 4711 ssh2".to_owned(),
        event_ids: vec![1, 2, 3],
    }
}

fn channel(name: &str, min_severity: Severity) -> ChannelFilter {
    ChannelFilter { name: name.to_owned(), min_severity }
}
