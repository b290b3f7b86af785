//! Where in a shell script a value stands: which quotes are open there.

mod document;

use document::Document;

/// How deep quotes and substitutions are followed; deeper ones are taken as the last.
const DEPTH: usize = 64;

/// How a value is put into the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Emit {
    /// In double quotes of its own.
    Word,
    /// Without quotes: there are some already, or none are needed.
    Inside,
    /// Single quotes are left for it.
    InSingle,
    /// Only as a number.
    Digits,
    /// Not at all: it is in a comment.
    Nothing,
}

/// What is open.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Frame {
    /// Commands; `cases` is how many `case` have no `esac` yet, whose patterns end with `)`.
    Plain {
        end: End,
        cases: usize,
        digits: bool,
    },
    Double,
    Single,
    Comment,
    /// `${`, and what was written in it so far.
    Brace {
        quoted: bool,
        written: Vec<u8>,
    },
    /// `$((`, and how many parentheses are open.
    Arithmetic(usize),
    Document(Document),
}

/// What ends commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Never,
    Parenthesis,
    Backtick,
    /// A backtick within backticks, which has a backslash before it.
    MaskedBacktick,
}

/// What was read and means something only with what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Backslash,
    Dollar,
    /// `$(`.
    Substitution,
}

/// Follows a script and writes it out again.
pub(super) struct Places {
    out: Vec<u8>,
    frames: Vec<Frame>,
    held: Held,
    /// The word so far, where nothing in it is quoted.
    word: Option<Vec<u8>>,
    at_word_start: bool,
    /// Whether the next word names a command.
    at_command: bool,
    /// Here-documents that begin after this line.
    announced: Vec<Document>,
    /// The delimiter that is being read after `<<`.
    delimiter: Option<Document>,
    /// How many `<` stand before this.
    less: usize,
}

impl Places {
    pub(super) fn new() -> Self {
        Self {
            out: Vec::new(),
            frames: vec![Frame::Plain { end: End::Never, cases: 0, digits: false }],
            held: Held::Nothing,
            word: Some(Vec::new()),
            at_word_start: true,
            at_command: true,
            announced: Vec::new(),
            delimiter: None,
            less: 0,
        }
    }

    /// Adds to the script what is no matter of quoting.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// The script.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.release();
        self.out
    }

    fn top(&self) -> &Frame {
        const NONE: &Frame = &Frame::Plain { end: End::Never, cases: 0, digits: false };
        self.frames.last().unwrap_or(NONE)
    }

    fn push(&mut self, frame: Frame) {
        if self.frames.len() < DEPTH {
            self.frames.push(frame);
        }
    }

    fn pop(&mut self) {
        if self.frames.len() > 1 {
            self.frames.pop();
        }
    }

    /// Whether commands stand in backticks, where backslashes are taken away once more.
    fn in_backticks(&self) -> bool {
        let is_backtick = |frame: &Frame| {
            matches!(frame, Frame::Plain { end: End::Backtick | End::MaskedBacktick, .. })
        };
        self.frames.iter().any(is_backtick)
    }

    /// Writes what was held back.
    fn release(&mut self) {
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Nothing => {}
            Held::Backslash => self.out.push(b'\\'),
            Held::Dollar => self.out.push(b'$'),
            Held::Substitution => {
                self.out.extend_from_slice(b"$(");
                self.begin_commands(End::Parenthesis, false);
            }
        }
    }

    fn begin_commands(&mut self, end: End, digits: bool) {
        self.push(Frame::Plain { end, cases: 0, digits });
        self.word = Some(Vec::new());
        self.at_word_start = true;
        self.at_command = true;
    }

    /// A value comes: how it is put.
    pub(super) fn before_value(&mut self) -> Emit {
        if self.held == Held::Substitution {
            self.release();
        }
        let (held, backticks) =
            (std::mem::replace(&mut self.held, Held::Nothing), self.in_backticks());
        if let Some(document) = self.delimiter.take() {
            self.announced.push(document);
        }
        let in_double = matches!(
            self.top(),
            Frame::Double | Frame::Document(_) | Frame::Brace { quoted: true, .. }
        );
        match (held, in_double) {
            // The first letter of the value would be masked, which is no special one now.
            (Held::Backslash, true) if !backticks => self.out.extend_from_slice(b"\\\\"),
            (Held::Dollar, true) if !backticks => self.out.extend_from_slice(b"\\$"),
            (Held::Dollar, false) => self.out.extend_from_slice(b"'$'"),
            _ => {}
        }
        self.word = None;
        self.at_word_start = false;
        self.less = 0;
        match self.frames.last_mut() {
            Some(Frame::Double) => Emit::Inside,
            Some(Frame::Document(document)) => {
                document.valued = true;
                Emit::Inside
            }
            Some(Frame::Single) => Emit::InSingle,
            Some(Frame::Comment) => Emit::Nothing,
            Some(Frame::Arithmetic(_) | Frame::Plain { digits: true, .. }) => Emit::Digits,
            Some(Frame::Brace { written, .. }) if !is_text(written) => Emit::Digits,
            Some(Frame::Brace { quoted: true, .. }) => Emit::Inside,
            Some(Frame::Plain { .. } | Frame::Brace { .. }) | None => Emit::Word,
        }
    }

    /// The next byte that the rule's author wrote.
    pub(super) fn written(&mut self, byte: u8) {
        if self.delimiter.is_some() && self.delimiter_byte(byte) {
            return;
        }
        match self.held {
            Held::Nothing => self.byte(byte),
            Held::Backslash => self.after_backslash(byte),
            Held::Dollar => self.after_dollar(byte),
            Held::Substitution if byte == b'(' => {
                self.held = Held::Nothing;
                self.put(b"$((");
                self.push(Frame::Arithmetic(2));
            }
            Held::Substitution => {
                self.release();
                self.byte(byte);
            }
        }
    }

    fn after_backslash(&mut self, byte: u8) {
        let in_double_backtick = matches!(
            self.frames.as_slice(),
            [.., Frame::Double, Frame::Plain { end: End::Backtick, .. }]
        );
        // Backticks take one backslash away before their commands are read.
        if self.in_backticks() && matches!(byte, b'$' | b'\\' | b'`')
            || in_double_backtick && byte == b'"'
        {
            self.release();
            match byte {
                b'`' => {
                    self.out.push(byte);
                    self.backtick(End::MaskedBacktick);
                }
                b'\\' => {
                    self.out.push(byte);
                    self.word = None;
                }
                b'$' => self.held = Held::Dollar,
                _ => self.byte(byte),
            }
            return;
        }
        let masked = !matches!(self.top(), Frame::Double)
            || matches!(byte, b'$' | b'`' | b'"' | b'\\' | b'\n');
        self.release();
        if masked {
            self.out.push(byte);
            self.word = None;
            self.at_word_start = false;
        } else {
            self.byte(byte);
        }
    }

    fn after_dollar(&mut self, byte: u8) {
        match byte {
            b'(' => self.held = Held::Substitution,
            b'{' => {
                let quoted = matches!(
                    self.top(),
                    Frame::Double | Frame::Document(_) | Frame::Brace { quoted: true, .. }
                );
                self.release();
                self.out.push(byte);
                self.push(Frame::Brace { quoted, written: Vec::new() });
            }
            // A parameter of its own.
            b'$' => {
                self.release();
                self.out.push(byte);
            }
            b'#' => {
                self.release();
                self.out.push(byte);
            }
            _ => {
                self.release();
                self.byte(byte);
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        match self.top() {
            Frame::Plain { .. } => self.in_plain(byte),
            Frame::Document(_) => self.in_document(byte),
            Frame::Single => {
                self.out.push(byte);
                if byte == b'\'' {
                    self.pop();
                }
            }
            Frame::Comment => {
                if byte == b'\n' {
                    self.pop();
                    self.in_plain(byte);
                } else if byte == b'`' && self.in_backticks() {
                    self.pop();
                    self.out.push(byte);
                    self.backtick(End::Backtick);
                } else {
                    self.out.push(byte);
                }
            }
            Frame::Double => match byte {
                b'"' => {
                    self.out.push(byte);
                    self.pop();
                }
                _ => self.expandable(byte),
            },
            Frame::Brace { quoted, .. } => {
                let quoted = *quoted;
                if let Some(Frame::Brace { written, .. }) = self.frames.last_mut() {
                    written.push(byte);
                }
                match byte {
                    b'}' => {
                        self.out.push(byte);
                        self.pop();
                    }
                    b'"' => self.quote(byte, Frame::Double),
                    b'\'' if !quoted => self.quote(byte, Frame::Single),
                    _ => self.expandable(byte),
                }
            }
            Frame::Arithmetic(open) => {
                let open = match byte {
                    b'(' => open + 1,
                    b')' => open - 1,
                    _ => *open,
                };
                if let Some(frame) = self.frames.last_mut() {
                    *frame = Frame::Arithmetic(open);
                }
                if open == 0 {
                    self.pop();
                }
                match byte {
                    b'"' => self.quote(byte, Frame::Double),
                    _ => self.expandable(byte),
                }
            }
        }
    }

    fn quote(&mut self, byte: u8, frame: Frame) {
        self.out.push(byte);
        self.push(frame);
    }

    /// A byte where only expansions mean something.
    fn expandable(&mut self, byte: u8) {
        match byte {
            b'\\' => self.held = Held::Backslash,
            b'$' => self.held = Held::Dollar,
            b'`' => {
                self.out.push(byte);
                self.backtick(End::Backtick);
            }
            _ => self.out.push(byte),
        }
    }

    /// A backtick ends the commands that one began, whatever is open in them; else it begins some.
    fn backtick(&mut self, kind: End) {
        let open = |frame: &Frame| matches!(frame, Frame::Plain { end, .. } if *end == kind);
        match self.frames.iter().rposition(open) {
            Some(at) => {
                self.frames.truncate(at.max(1));
                self.word = None;
                self.at_word_start = false;
                self.at_command = false;
            }
            None => self.begin_commands(kind, false),
        }
    }

    fn in_plain(&mut self, byte: u8) {
        let less = if byte == b'<' { self.less + 1 } else { 0 };
        let was_less = std::mem::replace(&mut self.less, less);
        if was_less == 2 && byte != b'<' && self.begin_delimiter(byte) {
            return;
        }
        match byte {
            b'\\' | b'$' | b'`' => {
                self.at_word_start = false;
                self.word = None;
                self.expandable(byte);
            }
            b'\'' => self.begin_quote(byte, Frame::Single),
            b'"' => self.begin_quote(byte, Frame::Double),
            b'#' if self.at_word_start => self.quote(byte, Frame::Comment),
            b'(' => {
                self.end_word();
                // `((` calculates in some shells.
                let doubled = self.out.last() == Some(&b'(') && self.at_command;
                let digits = doubled || matches!(self.top(), Frame::Plain { digits: true, .. });
                self.out.push(byte);
                self.begin_commands(End::Parenthesis, digits);
            }
            b')' => {
                self.end_word();
                self.out.push(byte);
                match self.top() {
                    Frame::Plain { cases: 1.., .. } => self.at_command = true,
                    Frame::Plain { end: End::Parenthesis, .. } => {
                        self.pop();
                        self.at_command = false;
                        // What follows is a part of the word that the substitution stands in.
                        self.at_word_start = false;
                        self.word = None;
                    }
                    _ => {}
                }
            }
            b'\n' | b';' | b'&' | b'|' => {
                self.end_word();
                self.out.push(byte);
                self.at_command = true;
                if byte == b'\n' && !self.announced.is_empty() {
                    self.announced.reverse();
                    for document in std::mem::take(&mut self.announced) {
                        self.push(Frame::Document(document));
                    }
                }
            }
            b' ' | b'\t' | b'<' | b'>' => {
                self.end_word();
                self.out.push(byte);
            }
            _ => {
                self.at_word_start = false;
                if let Some(word) = &mut self.word {
                    word.push(byte);
                }
                self.out.push(byte);
            }
        }
    }

    fn begin_quote(&mut self, byte: u8, frame: Frame) {
        self.word = None;
        self.at_word_start = false;
        self.quote(byte, frame);
    }

    /// A word ends: `case` and `esac` count, and some words have a command after them.
    fn end_word(&mut self) {
        let word = self.word.replace(Vec::new()).unwrap_or_else(|| b"?".to_vec());
        self.at_word_start = true;
        if word.is_empty() {
            return;
        }
        let at_command = std::mem::replace(&mut self.at_command, false);
        if !at_command {
            return;
        }
        match word.as_slice() {
            b"if" | b"then" | b"else" | b"elif" | b"while" | b"until" | b"do" | b"{" | b"!"
            | b"time" => {
                self.at_command = true;
            }
            b"case" => {
                if let Some(Frame::Plain { cases, .. }) = self.frames.last_mut() {
                    *cases += 1;
                }
            }
            b"esac" => {
                if let Some(Frame::Plain { cases, .. }) = self.frames.last_mut() {
                    *cases = cases.saturating_sub(1);
                }
            }
            _ => {}
        }
    }
}

/// Whether what stands in `${…` so far goes on with text: `${x:-`, `${x#`; what else does calculates.
fn is_text(written: &[u8]) -> bool {
    let name =
        written.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    match written.get(name..) {
        Some([b'-' | b'+' | b'=' | b'?' | b'#' | b'%', ..]) => name > 0,
        Some([b':', b'-' | b'+' | b'=' | b'?', ..]) => name > 0,
        _ => false,
    }
}
