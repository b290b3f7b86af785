//! A command line taken apart as a shell does it, far enough to know what stands where.

use crate::text::Text;

/// A word of a command line.
#[derive(Default)]
pub(super) struct Word {
    pub text: Vec<u8>,
    /// Whether text of a log line is in it.
    pub data: bool,
    /// Whether a quote that quotes nothing stands in front of it.
    pub quoted_in_vain: bool,
    /// It is there even if it is empty.
    begun: bool,
}

impl Word {
    /// A word that no shell reads.
    pub(super) fn of(text: &Text) -> Self {
        let data = text.pieces().any(|(_, kind)| kind.is_some());
        Self { text: text.bytes().to_vec(), data, quoted_in_vain: false, begun: true }
    }
}

/// The simple commands of a line, also those in backticks and `$( )`.
pub(super) fn simple_commands(line: &Text) -> Vec<Vec<Word>> {
    let mut reader = Reader { done: Vec::new(), open: vec![Frame::new(None)] };
    let bytes: Vec<(u8, bool)> = line
        .pieces()
        .flat_map(|(bytes, kind)| bytes.iter().map(move |byte| (*byte, kind.is_some())))
        .collect();
    let mut at = 0;
    while let Some((byte, data)) = bytes.get(at).copied() {
        let next = bytes.get(at + 1).filter(|(_, data)| !data).map(|(byte, _)| *byte);
        at += 1 + reader.take(byte, data, next);
    }
    while !reader.open.is_empty() {
        reader.close();
    }
    reader.done
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
}

/// One command that is read, perhaps within the word of another.
struct Frame {
    words: Vec<Word>,
    word: Word,
    quote: Quote,
    /// Whether a quote that is masked by a backslash stands right before.
    masked: bool,
    /// What ends it: a backtick, a parenthesis or the end of the line.
    ends: Option<u8>,
}

struct Reader {
    done: Vec<Vec<Word>>,
    open: Vec<Frame>,
}

impl Frame {
    fn new(ends: Option<u8>) -> Self {
        Self { words: Vec::new(), word: Word::default(), quote: Quote::None, masked: false, ends }
    }

    fn end_word(&mut self) {
        if self.word.begun || !self.word.text.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }
}

impl Reader {
    /// Takes a byte; gives how many after it belong to it. The next one is what the author wrote.
    fn take(&mut self, byte: u8, data: bool, next: Option<u8>) -> usize {
        let Some(frame) = self.open.last_mut() else { return 0 };
        let masked = std::mem::take(&mut frame.masked);
        if data {
            frame.word.data = true;
            frame.word.quoted_in_vain |= masked;
            frame.word.text.push(byte);
            return 0;
        }
        match (byte, frame.quote) {
            (b'\'', Quote::Single) | (b'"', Quote::Double) => frame.quote = Quote::None,
            (byte, Quote::Single) => frame.word.text.push(byte),
            (b'\'', Quote::None) => (frame.quote, frame.word.begun) = (Quote::Single, true),
            (b'"', Quote::None) => (frame.quote, frame.word.begun) = (Quote::Double, true),
            (b'\\', quote) => {
                frame.masked = quote == Quote::None && matches!(next, Some(b'\'' | b'"'));
                frame.word.text.extend(next);
                return usize::from(next.is_some());
            }
            (b'`', _) if frame.ends == Some(b'`') => self.close(),
            (b'`', _) => self.open.push(Frame::new(Some(b'`'))),
            (b'$', _) if next == Some(b'(') => {
                self.open.push(Frame::new(Some(b')')));
                return 1;
            }
            (b')', Quote::None) if frame.ends == Some(b')') => self.close(),
            (byte, Quote::Double) => frame.word.text.push(byte),
            (b' ' | b'\t', Quote::None) => frame.end_word(),
            (b';' | b'|' | b'&' | b'\n' | b'(' | b')', Quote::None) => {
                frame.end_word();
                self.done.push(std::mem::take(&mut frame.words));
            }
            (byte, Quote::None) => frame.word.text.push(byte),
        }
        0
    }

    /// Ends the innermost command; its output is a part of the word around it.
    fn close(&mut self) {
        let Some(mut frame) = self.open.pop() else { return };
        frame.end_word();
        self.done.push(frame.words);
        if let Some(around) = self.open.last_mut() {
            around.word.begun = true;
        }
    }
}
