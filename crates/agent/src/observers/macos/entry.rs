//! Lines that log(1) prints, and which of them are entries.

use std::ops::ControlFlow;

use bergfried_event::Timestamp;
use serde::Deserialize;

/// The longest entry that is taken; its messages are cut at 32 KiB by the system itself.
const LONGEST: usize = 1 << 20;

/// Cuts what comes in parts into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    /// What is left of a line that is too long is passed over.
    is_too_long: bool,
    /// How many lines were too long.
    pub(super) cut: u64,
}

impl Lines {
    /// Hands on each line that is whole now, without its end. What comes after the last one waits: a
    /// program that is killed may have written half of it.
    pub(super) fn push(
        &mut self,
        part: &[u8],
        line: &mut dyn FnMut(Vec<u8>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut rest = part;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (head, tail) = rest.split_at(end);
            self.append(head);
            rest = tail.get(1..).unwrap_or_default();
            if !std::mem::take(&mut self.is_too_long) {
                line(std::mem::take(&mut self.begun))?;
            }
        }
        self.append(rest);
        ControlFlow::Continue(())
    }

    fn append(&mut self, piece: &[u8]) {
        if self.is_too_long {
            return;
        }
        if self.begun.len() + piece.len() > LONGEST {
            self.begun = Vec::new();
            self.is_too_long = true;
            self.cut += 1;
            return;
        }
        self.begun.extend_from_slice(piece);
    }
}

/// What tells an entry from others. `stream` and `show` print other fields of one differently.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Printed {
    timestamp: Option<String>,
    #[serde(default)]
    event_message: Option<String>,
    #[serde(rename = "processID", default)]
    process: i64,
    #[serde(rename = "threadID", default)]
    thread: i64,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// An entry: when it was written, and what tells it from others.
    Entry(Timestamp, u64),
    /// An object that cannot be read, such as a torn entry: what tells it from others.
    Broken(u64),
    /// The header, the count at the end, or a complaint.
    Other,
}

pub(super) fn line(text: &[u8]) -> Line {
    if !text.starts_with(b"{") {
        return Line::Other;
    }
    let Ok(printed) = serde_json::from_slice::<Printed>(text) else {
        return Line::Broken(short_hash(&[text]));
    };
    let Some(timestamp) = printed.timestamp else { return Line::Other };
    let Some(at) = time(&timestamp) else { return Line::Broken(short_hash(&[text])) };
    let message = printed.event_message.unwrap_or_default();
    let numbers = [at.micros(), printed.process, printed.thread].map(i64::to_le_bytes);
    Line::Entry(at, short_hash(&[numbers.as_flattened(), message.as_bytes()]))
}

/// `2026-10-04 17:50:33.803491+0200`
fn time(text: &str) -> Option<Timestamp> {
    jiff::Timestamp::strptime("%Y-%m-%d %H:%M:%S%.f%z", text).ok().map(Timestamp::from)
}

fn short_hash(parts: &[&[u8]]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_are_torn() {
        let text = format!("a\n\n{}\nb\nhalf", "x".repeat(LONGEST + 1));
        for size in [1, 7, 4_096, text.len()] {
            let (mut lines, mut found) = (Lines::default(), Vec::new());
            for part in text.as_bytes().chunks(size) {
                let flow = lines.push(part, &mut |line| {
                    found.push(String::from_utf8(line).unwrap());
                    ControlFlow::Continue(())
                });
                assert!(flow.is_continue());
            }
            assert_eq!((found, lines.cut), (vec!["a".into(), String::new(), "b".into()], 1));
        }
    }

    #[test]
    fn entries_are_the_same_however_they_are_printed() {
        let entry = |text: &str| match line(text.as_bytes()) {
            Line::Entry(at, hash) => (at.to_string(), hash),
            other => panic!("{other:?}: {text}"),
        };
        let shown = entry(
            r#"{"timestamp":"2026-11-21 10:15:02.803491+0100","eventMessage":"a","processID":7,"threadID":9,"bootUUID":"B"}"#,
        );
        assert_eq!(shown.0, "2026-11-21T09:15:02.803491Z");
        let streamed = entry(
            r#"{"eventMessage":"a","threadID":9,"processID":7,"bootUUID":"","timestamp":"2026-11-21 09:15:02.803491+0000"}"#,
        );
        assert_eq!(shown, streamed);
        let other = entry(r#"{"timestamp":"2026-11-21 10:15:02.803491+0100","eventMessage":"b"}"#);
        assert_ne!(shown.1, other.1);
        entry(r#"{"timestamp":"2026-11-21 10:15:02+0100","eventMessage":null}"#);
        for text in
            ["", "Filtering the log data using \"x\"", r#"{"count":3,"finished":1}"#, "log: no"]
        {
            assert_eq!(line(text.as_bytes()), Line::Other, "{text}");
        }
        for text in [r#"{"timestamp":"2026-1"#, "{", r#"{"timestamp":"yesterday"}"#, "{\"\u{0}"] {
            assert!(matches!(line(text.as_bytes()), Line::Broken(_)), "{text}");
        }
    }
}
