//! Log lines as sshd and others write them, with stamps that the tests choose.

use std::io::Write as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

/// The stamp so many seconds before now, as rsyslog writes it.
pub(crate) fn ago(seconds: i64) -> String {
    (Timestamp::now() - SignedDuration::from_secs(seconds)).to_string()
}

pub(crate) fn failed(stamp: &str, host: &str, user: &str, source: &str) -> String {
    format!("{stamp} {host} sshd[812]: Failed password for {user} from {source} port 40022 ssh2")
}

pub(crate) fn accepted(stamp: &str, host: &str, user: &str, source: &str) -> String {
    format!("{stamp} {host} sshd[812]: Accepted password for {user} from {source} port 40022 ssh2")
}

/// A source guesses a password until it is right.
pub(crate) fn break_in(host: &str, user: &str, source: &str) -> Vec<String> {
    let mut lines: Vec<String> = (0..6).map(|n| failed(&ago(60 - n), host, user, source)).collect();
    lines.push(accepted(&ago(30), host, user, source));
    lines
}

pub(crate) fn append(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

pub(crate) fn write_lines(path: &Path, lines: &[String]) {
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
}
