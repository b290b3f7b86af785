//! A record: bytes as received, and where, when and from whom.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What kind of source a record came from; decides how its bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// A line of a log file, in whatever syslog form it has.
    File,
    /// The records of one event of the Linux audit system: their lines as auditd writes them, one
    /// after the other.
    Audit,
    /// One object of `journalctl -o json`.
    Journald,
    /// One syslog message as it came over a network or a local socket, in any form.
    Syslog,
    /// One JSON object of any program: a Windows event as exporters write it, ECS, or its own.
    Json,
    /// An event of another hub, its fields as one flat JSON object as [`Event`] serializes.
    ///
    /// [`Event`]: crate::Event
    Event,
    /// A login reported over the Watchtower protocol, as its JSON document.
    Watchtower,
    /// An event reported over Heimdall's protocol, as its JSON document.
    Heimdall,
}

impl SourceKind {
    /// The word for it, as on the wire and in the field `input.type`.
    pub const fn name(self) -> &'static str {
        match self {
            SourceKind::File => "file",
            SourceKind::Audit => "audit",
            SourceKind::Journald => "journald",
            SourceKind::Syslog => "syslog",
            SourceKind::Json => "json",
            SourceKind::Event => "event",
            SourceKind::Watchtower => "watchtower",
            SourceKind::Heimdall => "heimdall",
        }
    }
}

/// Who handed records over, as the connection says; never what the records say of themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Where the connection or the datagram came from; absent on a local socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<SocketAddr>,
    /// The name that its certificate or the configuration gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Where records came from; shared by all records of one source in one batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What kind of source.
    pub kind: SourceKind,
    /// The file's path, or a name for the source.
    pub path: String,
    /// The name of the host that collected it; the event's host where the line names none.
    pub host: String,
    /// The IANA time zone of that host (`Europe/Berlin`), for stamps without an offset; absent: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The name of the hub's input that took it, as configured; becomes `input.name`. Only the
    /// receiver says so: what a batch brings is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Who handed it over; becomes `log.source.address`, `observer.ip` and `observer.name`. Only the
    /// receiver says so here too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
    /// Words that every event of it carries in `tags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Fields that every event of it carries, where its record does not set them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, String)>,
    /// The hosts that its sender may speak for; absent: every one. Only the receiver says so: it
    /// never travels.
    #[serde(skip)]
    pub speaks_for: Option<Arc<SpeaksFor>>,
}

/// The hosts that a sender may speak for. A message that names another one is taken as the
/// sender's own, [`Origin::host`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SpeaksFor {
    /// In lower case.
    patterns: Vec<String>,
}

impl SpeaksFor {
    /// These hosts and no others: names in any case, where `*` stands for any text and `?`
    /// for one byte.
    pub fn new(patterns: impl IntoIterator<Item = impl AsRef<str>>) -> SpeaksFor {
        let lower = |pattern: &str| pattern.to_ascii_lowercase();
        SpeaksFor {
            patterns: patterns.into_iter().map(|pattern| lower(pattern.as_ref())).collect(),
        }
    }

    /// Whether this host is one of them.
    pub fn has(&self, host: &str) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern.as_bytes(), host.as_bytes()))
    }
}

/// Whether the text is what the pattern says. Steps are at most the product of both lengths.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut position) = (0, 0);
    // After the last star, and where the text goes on for it.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(position) {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, position));
            }
            Some(expected) if *expected == b'?' || *expected == byte.to_ascii_lowercase() => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((after, from)) = star else { return false };
                star = Some((after, from + 1));
                (at, position) = (after, from + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

impl Origin {
    /// An origin of which no more is known than where its records were read.
    pub fn new(kind: SourceKind, path: impl Into<String>, host: impl Into<String>) -> Origin {
        Origin {
            kind,
            path: path.into(),
            host: host.into(),
            time_zone: None,
            input: None,
            peer: None,
            tags: Vec::new(),
            fields: Vec::new(),
            speaks_for: None,
        }
    }
}

/// Bytes as received, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The bytes, without the line ending.
    pub raw: Cow<'a, [u8]>,
    /// When they were read.
    pub received: Timestamp,
    /// Whether the line was longer than a record may be and its end was left out.
    pub truncated: bool,
}

/// The bytes as text: UTF-8 as it is, any other byte as `\xNN`.
///
/// Borrows where the bytes are UTF-8 already.
pub fn readable(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len() + 16);
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                for byte in chunk.invalid() {
                    // Writing to a String cannot fail.
                    let _infallible = write!(text, "\\x{byte:02x}");
                }
            }
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_speaks_for_the_hosts_that_are_its_own() {
        let hosts = SpeaksFor::new(["Web*", "db.*.example", "*-gw", "exact", "tray?.*"]);
        for host in ["web", "web1.example.org", "WEB9", "db.eu.example", "a-gw", "EXACT", "tray3.a"]
        {
            assert!(hosts.has(host), "{host}");
        }
        for host in ["", "intern-web", "db.example", "gw", "exact1", "exac", "tray.a", "tray12.a"] {
            assert!(!hosts.has(host), "{host}");
        }
        assert!(!SpeaksFor::default().has("any"));
        assert!(SpeaksFor::new(["*"]).has(""));
    }

    #[test]
    fn invalid_bytes_are_escaped_and_valid_text_is_borrowed() {
        assert!(matches!(readable("grüße".as_bytes()), Cow::Borrowed("grüße")));
        assert_eq!(readable(b"a\xff\xfe\x00b\xc3"), "a\\xff\\xfe\u{0}b\\xc3");
    }
}
