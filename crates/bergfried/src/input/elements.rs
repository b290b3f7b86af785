//! The `<Event>` elements of a text of XML, which Windows exports one after the other.

use std::io::{self, BufRead};

use super::MAX_LINE;

const START: &[u8] = b"<Event";
const END: &[u8] = b"</Event>";

/// The elements, one at a time; what stands around them is passed.
pub(super) struct Elements {
    reader: Box<dyn BufRead + Send>,
    record: Vec<u8>,
    cut: bool,
}

impl Elements {
    pub(super) fn new(reader: Box<dyn BufRead + Send>) -> Elements {
        Elements { reader, record: Vec::new(), cut: false }
    }

    /// Goes to the next element; false at the end. One that the end of the text cuts off is given
    /// as far as it goes.
    ///
    /// One longer than [`MAX_LINE`] is cut there; [`Elements::was_cut`] tells.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        self.record.clear();
        self.cut = false;
        // The last bytes, because the middle of a long element is not kept.
        let mut tail: Vec<u8> = Vec::with_capacity(2 * END.len());
        loop {
            // Up to the next `>`: tags end there, and no other text is looked at.
            let (ended, used) = {
                let available = match self.reader.fill_buf() {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    other => other?,
                };
                if available.is_empty() {
                    return Ok(self.record.starts_with(START) && self.begins());
                }
                let end = memchr::memchr(b'>', available).map(|end| end + 1);
                let part = available.get(..end.unwrap_or(available.len())).unwrap_or(available);
                let room = MAX_LINE.saturating_sub(self.record.len());
                self.cut |= part.len() > room;
                self.record.extend_from_slice(part.get(..room).unwrap_or(part));
                let kept = part.len().saturating_sub(END.len());
                tail.extend_from_slice(part.get(kept..).unwrap_or(part));
                tail.drain(..tail.len().saturating_sub(END.len()));
                (end.is_some(), part.len())
            };
            self.reader.consume(used);
            if !ended {
                continue;
            }
            if !self.record.starts_with(START) || !self.begins() {
                // Before the element: only the tag just read can begin it.
                let tag = memchr::memrchr(b'<', &self.record).unwrap_or(self.record.len());
                self.record.drain(..tag);
                if !self.record.starts_with(START) || !self.begins() {
                    self.record.clear();
                    self.cut = false;
                }
            } else if tail == END {
                return Ok(true);
            }
        }
    }

    /// Whether what was read begins an `<Event>` and not, say, `<Events>`.
    fn begins(&self) -> bool {
        self.record
            .get(START.len())
            .is_some_and(|byte| matches!(byte, b'>' | b' ' | b'\t' | b'\r' | b'\n'))
    }

    pub(super) fn was_cut(&self) -> bool {
        self.cut
    }

    pub(super) fn current(&self) -> &[u8] {
        &self.record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for capacity in [1, 7, 4096] {
            let reader = io::BufReader::with_capacity(capacity, io::Cursor::new(text.to_owned()));
            let mut elements = Elements::new(Box::new(reader));
            let mut records = Vec::new();
            while elements.advance().unwrap() {
                records.push(String::from_utf8(elements.current().to_vec()).unwrap());
            }
            found.push(records);
        }
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
        found.pop().unwrap()
    }

    #[test]
    fn every_element_is_given_whole() {
        let event = "<Event xmlns='x'><System><EventID>1</EventID></System>\n</Event>";
        let bare = "<Event><EventData><Data Name='Event'>a &gt; b</Data></EventData></Event>";
        let head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n";
        assert_eq!(split(&format!("{event}{bare}\n{event}")), [event, bare, event]);
        assert_eq!(split(&format!("{head}<Events>{event}\n {bare}</Events>\n")), [event, bare]);
        assert_eq!(split(&format!("{event}<Event><System>")), [event, "<Event><System>"]);
        assert!(split("").is_empty() && split("<Events></Events>").is_empty());
        assert!(split("<EventX></EventX> text </Event>").is_empty());
    }

    #[test]
    fn an_endless_element_is_cut() {
        let text = format!("<Event><a>{}</a></Event><Event></Event>", "x".repeat(2 * MAX_LINE));
        let mut elements = Elements::new(Box::new(io::Cursor::new(text)));
        assert!(elements.advance().unwrap() && elements.was_cut());
        assert_eq!(elements.current().len(), MAX_LINE);
        assert!(elements.advance().unwrap() && !elements.was_cut());
        assert_eq!(elements.current(), b"<Event></Event>");
    }
}
