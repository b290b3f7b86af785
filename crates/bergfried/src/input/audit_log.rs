//! The events of a Linux audit log: the lines of each joined, lines that are none of audit alone.

use std::collections::VecDeque;
use std::io;

use bergfried_audit::{Joiner, Limits};
use bergfried_event::{SourceKind, Timestamp};

use super::lines::Lines;
use super::records::Current;

/// The events of one log, one at a time, in the order in which they are complete.
pub(super) struct AuditLog {
    lines: Lines,
    joiner: Joiner,
    /// What is complete; several events may be with one line.
    ready: VecDeque<Group>,
    current: Group,
    /// Groups that were read, whose memory is used again.
    spare: Vec<Group>,
    ended: bool,
}

#[derive(Default)]
struct Group {
    lines: Vec<u8>,
    is_audit: bool,
    cut: bool,
}

impl AuditLog {
    /// The events in these lines.
    pub(super) fn new(lines: Lines) -> AuditLog {
        AuditLog {
            lines,
            joiner: Joiner::new(Limits::default()),
            ready: VecDeque::new(),
            current: Group::default(),
            spare: Vec::new(),
            ended: false,
        }
    }

    /// Goes to the next event; false at the end.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                let before = std::mem::replace(&mut self.current, next);
                if self.spare.len() < 64 {
                    self.spare.push(before);
                }
                return Ok(true);
            }
            if self.ended {
                return Ok(false);
            }
            self.ended = !self.lines.advance()?;
            let (ready, spare) = (&mut self.ready, &mut self.spare);
            let was_cut = self.lines.was_cut();
            let mut take = |joined: bergfried_audit::Joined<'_>| {
                let mut group = spare.pop().unwrap_or_default();
                group.lines.clear();
                group.lines.extend_from_slice(joined.lines);
                group.is_audit = !joined.flags.foreign;
                group.cut = was_cut || joined.flags.cut;
                ready.push_back(group);
            };
            // The time in the log alone says what belongs together: a file has waited long enough.
            match self.ended {
                true => self.joiner.finish(&mut take),
                false => self.joiner.push(self.lines.current(), Timestamp::default(), &mut take),
            }
        }
    }

    /// The event that the last [`AuditLog::advance`] went to.
    pub(super) fn current(&self) -> Current<'_> {
        let kind = if self.current.is_audit { SourceKind::Audit } else { SourceKind::File };
        Current { bytes: &self.current.lines, kind, created: None, cut: self.current.cut }
    }
}
