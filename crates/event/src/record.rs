//! A record: bytes as received, and where, when and from whom.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What kind of source a record came from; decides how its bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// A line of a log file, in whatever syslog form it has.
    File,
    /// One object of `journalctl -o json`.
    Journald,
    /// One JSON object of any program: a Windows event as exporters write it, ECS, or its own.
    Json,
    /// A login reported over the Watchtower protocol, as its JSON document.
    Watchtower,
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
    fn invalid_bytes_are_escaped_and_valid_text_is_borrowed() {
        assert!(matches!(readable("grüße".as_bytes()), Cow::Borrowed("grüße")));
        assert_eq!(readable(b"a\xff\xfe\x00b\xc3"), "a\\xff\\xfe\u{0}b\\xc3");
    }
}
