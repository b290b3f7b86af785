//! The records of one input, whatever its form.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bergfried_event::{SourceKind, Timestamp};

use super::audit_log::AuditLog;
use super::elements::Elements;
use super::event_log::{Decoders, EventLog};
use super::lines::Lines;
use super::objects::{Objects, opens_list};
use super::{Input, open};

/// The records of one input, one at a time.
pub(crate) struct Records(Form);

enum Form {
    Lines(Lines),
    AuditLog(Box<AuditLog>),
    Objects(Objects),
    Elements(Elements),
    EventLog(EventLog),
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current<'r> {
    pub(crate) bytes: &'r [u8],
    pub(crate) kind: SourceKind,
    /// When it happened, where that is known before it is parsed.
    pub(crate) created: Option<Timestamp>,
    /// Whether it was longer than is read.
    pub(crate) cut: bool,
}

/// What of an input could not be read or trusted, though the rest was.
#[derive(Debug)]
pub(crate) struct Damage {
    pub(crate) name: String,
    /// Records that could not be read.
    pub(crate) records: u64,
    /// Parts that were read, but whose checksums do not fit.
    pub(crate) altered: u64,
    pub(crate) first: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (records, name) = (self.records, crate::terminal::plain(&self.name));
        let first = crate::terminal::plain(&self.first);
        match (records, self.altered) {
            (0, altered) => {
                write!(f, "cannot trust {altered} chunks of {name}, which were read: {first}")
            }
            _ => write!(f, "cannot read {records} records of {name}: {first}"),
        }
    }
}

impl Records {
    /// Opens the input and tells by its first bytes what it holds.
    ///
    /// `taken` counts the bytes read, before decompression.
    pub(crate) fn open(
        input: &Input,
        taken: Arc<AtomicU64>,
        decoders: &Decoders,
    ) -> io::Result<Records> {
        let plain = open::open(input, Arc::clone(&taken))?;
        let start = plain.start.trim_ascii_start();
        Ok(Records(match input {
            Input::File(path) if bergfried_evtx::is_evtx(&plain.start) && plain.as_stored => {
                Form::EventLog(EventLog::of_file(path, taken, decoders)?)
            }
            _ if bergfried_evtx::is_evtx(&plain.start) => {
                Form::EventLog(EventLog::of_reader(plain.reader, decoders)?)
            }
            _ if is_events(start) => Form::Elements(Elements::new(plain.reader)),
            _ if is_objects(start) => Form::Objects(Objects::new(plain.reader)),
            _ if bergfried_audit::is_record(start) => {
                Form::AuditLog(Box::new(AuditLog::new(Lines::new(plain.reader))))
            }
            _ => Form::Lines(Lines::new(plain.reader)),
        }))
    }

    /// Goes to the next record; false at the end.
    pub(crate) fn advance(&mut self) -> io::Result<bool> {
        match &mut self.0 {
            Form::Lines(lines) => lines.advance(),
            Form::AuditLog(log) => log.advance(),
            Form::Objects(objects) => objects.advance(),
            Form::Elements(elements) => elements.advance(),
            Form::EventLog(log) => log.advance(),
        }
    }

    /// The record that the last [`Records::advance`] went to.
    pub(crate) fn current(&self) -> Current<'_> {
        let text = |bytes, cut| Current { bytes, kind: SourceKind::File, created: None, cut };
        match &self.0 {
            Form::Lines(lines) => text(lines.current(), lines.was_cut()),
            Form::AuditLog(log) => log.current(),
            Form::Objects(objects) => text(objects.current(), objects.was_cut()),
            Form::Elements(elements) => text(elements.current(), elements.was_cut()),
            Form::EventLog(log) => match log.current() {
                None => text(b"", false),
                Some(record) => Current {
                    bytes: record.json.as_bytes(),
                    kind: SourceKind::Json,
                    created: Some(record.created),
                    cut: record.cut,
                },
            },
        }
    }

    /// When the first record of an event log happened, of which no more is read then; nothing for
    /// any other input.
    pub(crate) fn first_created(&mut self) -> Option<io::Result<Option<Timestamp>>> {
        match &mut self.0 {
            Form::EventLog(log) => Some(log.first_created()),
            _ => None,
        }
    }

    /// What could not be read so far: how many records, and why the first.
    pub(crate) fn damage(&self, name: &str) -> Option<Damage> {
        let Form::EventLog(log) = &self.0 else { return None };
        let first = log.trouble.clone()?;
        Some(Damage { name: name.to_owned(), records: log.lost, altered: log.altered, first })
    }

    /// Whether the records are those of an event log.
    pub(crate) fn is_event_log(&self) -> bool {
        matches!(self.0, Form::EventLog(_))
    }
}

/// Whether an input that starts so holds events of Windows as XML.
fn is_events(start: &[u8]) -> bool {
    start.starts_with(b"<?xml") || start.starts_with(b"<Events>") || {
        let rest = start.strip_prefix(b"<Event");
        rest.and_then(<[u8]>::first).is_some_and(|byte| matches!(byte, b' ' | b'>'))
    }
}

/// Whether an input that starts so holds a list of objects, or objects of several lines each.
///
/// One object a line is read as lines, which bears a broken one better.
fn is_objects(start: &[u8]) -> bool {
    if let Some(bracket) = start.iter().position(|byte| *byte == b'[')
        && start.get(..bracket).is_some_and(opens_list)
    {
        return true;
    }
    let line_ends = start.ends_with(b"\n");
    let line = start.trim_ascii_end();
    match line.split_first() {
        Some((b'[', rest)) => {
            let rest = rest.trim_ascii_start();
            rest.starts_with(b"{") || rest.is_empty()
        }
        Some((b'{', _)) => line_ends && matches!(line.last(), Some(b'{' | b'[' | b',')),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
