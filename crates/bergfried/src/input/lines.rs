//! The lines of a text.

use std::io::{self, BufRead};

use super::MAX_LINE;

/// The lines of one input, one at a time.
pub(super) struct Lines {
    reader: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    cut: bool,
}

impl Lines {
    /// The lines that the reader gives.
    pub(super) fn new(reader: Box<dyn BufRead + Send>) -> Lines {
        Lines { reader, line: Vec::new(), cut: false }
    }

    /// Goes to the next line, without its ending (`\n` or `\r\n`); false at the end.
    ///
    /// A line longer than [`MAX_LINE`] is cut there; [`Lines::was_cut`] tells.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.cut = false;
        let mut any = false;
        loop {
            let available = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if available.is_empty() {
                return Ok(any);
            }
            any = true;
            let end = memchr::memchr(b'\n', available);
            let taken = available.get(..end.unwrap_or(available.len())).unwrap_or(available);
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.cut |= taken.len() > room;
            self.line.extend_from_slice(taken.get(..room).unwrap_or(taken));
            let used = taken.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    /// Whether the line last read was cut.
    pub(super) fn was_cut(&self) -> bool {
        self.cut
    }

    /// The line last read.
    pub(super) fn current(&self) -> &[u8] {
        trimmed(&self.line)
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
