//! Here-documents: their delimiters and their lines.

use super::{Frame, Places};

/// A here-document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) delimiter: Vec<u8>,
    /// `<<-`: tabs before lines do not count.
    pub(super) tabs: bool,
    /// Its delimiter was quoted: nothing in it is expanded but what is put there.
    pub(super) literal: bool,
    pub(super) line: Vec<u8>,
    /// Whether a value stands in the line.
    pub(super) valued: bool,
}

impl Places {
    /// The first byte after `<<`: whether a here-document was announced.
    pub(super) fn begin_delimiter(&mut self, byte: u8) -> bool {
        self.delimiter = Some(Document::default());
        if byte == b'-' {
            if let Some(document) = &mut self.delimiter {
                document.tabs = true;
            }
            self.out.push(byte);
            return true;
        }
        self.delimiter_byte(byte)
    }

    /// A byte of a delimiter; the delimiter is written without its quotes. Whether it was one.
    pub(super) fn delimiter_byte(&mut self, byte: u8) -> bool {
        let Some(document) = &mut self.delimiter else { return false };
        match byte {
            b' ' | b'\t' if document.delimiter.is_empty() && !document.literal => {
                self.out.push(byte)
            }
            b'\'' | b'"' | b'\\' => document.literal = true,
            b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => {
                let document = self.delimiter.take();
                self.announced.extend(document);
                self.word = None;
                self.less = 0;
                return false;
            }
            _ => {
                document.delimiter.push(byte);
                self.out.push(byte);
            }
        }
        true
    }

    pub(super) fn in_document(&mut self, byte: u8) {
        let Some(Frame::Document(document)) = self.frames.last_mut() else { return };
        let literal = document.literal;
        if byte == b'\n' {
            let line = std::mem::take(&mut document.line);
            let tabs = if document.tabs {
                line.iter().take_while(|byte| **byte == b'\t').count()
            } else {
                0
            };
            let valued = std::mem::take(&mut document.valued);
            let is_end = !valued && line.get(tabs..) == Some(document.delimiter.as_slice());
            self.out.push(byte);
            if is_end {
                self.pop();
                self.word = Some(Vec::new());
                self.at_word_start = true;
                self.at_command = true;
            }
            return;
        }
        document.line.push(byte);
        match byte {
            b'\\' | b'$' | b'`' if literal => {
                self.out.push(b'\\');
                self.out.push(byte);
            }
            _ => self.expandable(byte),
        }
    }
}
