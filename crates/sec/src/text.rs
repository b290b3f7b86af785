//! Text that knows which of its bytes are data.
//!
//! Bytes that a rule's author wrote are trusted; bytes that came out of a log line, a command or a
//! context's store are data, and stay so through variables. A shell is given data as data only.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What a run of bytes is to a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Came from outside.
    Data,
    /// Came from outside and stands in single quotes, as `assignsq` puts it.
    Quoted,
}

/// Bytes, and which of them are data.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    bytes: Vec<u8>,
    data: Vec<(Range<usize>, Kind)>,
}

/// A text that many may hold.
pub type Shared = Arc<Text>;

impl Text {
    /// A text of nothing.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), data: Vec::new() }
    }

    /// What the author of a rule wrote.
    pub fn trusted(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), data: Vec::new() }
    }

    /// What came from outside.
    pub fn data(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let data = if bytes.is_empty() { Vec::new() } else { vec![(0..bytes.len(), Kind::Data)] };
        Self { bytes, data }
    }

    /// All bytes, whatever they are.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All bytes, whatever they are.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds what the author of a rule wrote.
    pub fn push_trusted(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds what came from outside.
    pub fn push_data(&mut self, bytes: &[u8]) {
        self.push(bytes, Kind::Data);
    }

    /// Adds another text with what it knows of its bytes.
    pub fn push_text(&mut self, other: &Self) {
        let base = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.data.extend(
            other.data.iter().map(|(range, kind)| (range.start + base..range.end + base, *kind)),
        );
    }

    /// Adds a part of another text.
    pub fn push_part(&mut self, other: &Self, part: Range<usize>) {
        for (bytes, kind) in other.pieces_of(part) {
            match kind {
                None => self.push_trusted(bytes),
                Some(kind) => self.push(bytes, kind),
            }
        }
    }

    fn push(&mut self, bytes: &[u8], kind: Kind) {
        if bytes.is_empty() {
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        match self.data.last_mut() {
            Some((range, Kind::Data)) if kind == Kind::Data && range.end == start => {
                range.end = self.bytes.len()
            }
            _ => self.data.push((start..self.bytes.len(), kind)),
        }
    }

    /// The text in single quotes, each `'` in it as `'\''`: one word for a shell.
    pub fn in_single_quotes(&self) -> Self {
        let mut quoted = Vec::with_capacity(self.bytes.len() + 2);
        quoted.push(b'\'');
        for byte in &self.bytes {
            match byte {
                b'\'' => quoted.extend_from_slice(b"'\\''"),
                other => quoted.push(*other),
            }
        }
        quoted.push(b'\'');
        let mut text = Self::new();
        text.push(&quoted, Kind::Quoted);
        text
    }

    /// Its runs of bytes in order; `None` is what the author wrote.
    pub fn pieces(&self) -> impl Iterator<Item = (&[u8], Option<Kind>)> {
        self.pieces_of(0..self.bytes.len())
    }

    fn pieces_of(&self, part: Range<usize>) -> impl Iterator<Item = (&[u8], Option<Kind>)> {
        let mut at = part.start;
        let mut spans = self
            .data
            .iter()
            .filter(move |(range, _)| range.end > part.start && range.start < part.end)
            .peekable();
        let end = part.end;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let (to, kind) = match spans.peek() {
                Some((range, kind)) if range.start <= at => {
                    let found = (range.end.min(end), Some(*kind));
                    spans.next();
                    found
                }
                Some((range, _)) => (range.start.min(end), None),
                None => (end, None),
            };
            let bytes = self.bytes.get(at..to).unwrap_or_default();
            at = to;
            Some((bytes, kind))
        })
    }

    /// Its lines, without empty ones at the end.
    pub fn lines(&self) -> Vec<Self> {
        let mut lines = Vec::new();
        let mut at = 0;
        for end in memchr::memchr_iter(b'\n', &self.bytes).chain([self.bytes.len()]) {
            let mut line = Self::new();
            line.push_part(self, at..end);
            lines.push(line);
            at = end + 1;
        }
        while lines.last().is_some_and(Self::is_empty) {
            lines.pop();
        }
        lines
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", String::from_utf8_lossy(&self.bytes))
    }
}
