//! The objects of a text of JSON: the elements of one array, or one object after the other, however
//! many lines each takes. Clouds deliver logs as files of `{"Records": […]}`: such a list is taken
//! apart like any other.

use std::io::{self, BufRead};

use super::MAX_LINE;

/// The objects, one at a time; what stands between them is a record too, so that nothing is lost.
pub(super) struct Objects {
    reader: Box<dyn BufRead + Send>,
    record: Vec<u8>,
    cut: bool,
}

/// Where in the text the last byte stood.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between objects.
    Between,
    /// In something that is no object.
    Other,
    /// In objects and arrays so deep.
    In(usize),
    /// In a string, so deep.
    Text(usize),
    /// Behind a backslash in a string, so deep.
    Escape(usize),
}

impl Objects {
    pub(super) fn new(reader: Box<dyn BufRead + Send>) -> Objects {
        Objects { reader, record: Vec::new(), cut: false }
    }

    /// Goes to the next object; false at the end.
    ///
    /// One longer than [`MAX_LINE`] is cut there; [`Objects::was_cut`] tells.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        self.record.clear();
        self.cut = false;
        let mut state = State::Between;
        loop {
            let available = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if available.is_empty() {
                return Ok(!self.record.is_empty());
            }
            let mut used = 0;
            let mut done = false;
            for byte in available {
                if *byte == b'[' && state == State::In(1) && opens_list(&self.record) {
                    self.record.clear();
                    state = State::Between;
                    used += 1;
                    continue;
                }
                let next = state.after(*byte);
                // The brace that begins an object ends what stood before it.
                done = state == State::Other && matches!(next, State::Between | State::In(_));
                if done {
                    break;
                }
                used += 1;
                if next != State::Between || state != State::Between {
                    if self.record.len() < MAX_LINE {
                        self.record.push(*byte);
                    } else {
                        self.cut = true;
                    }
                }
                done = matches!(state, State::In(_)) && next == State::Between;
                state = next;
                if done {
                    break;
                }
            }
            self.reader.consume(used);
            if done {
                return Ok(true);
            }
        }
    }

    pub(super) fn was_cut(&self) -> bool {
        self.cut
    }

    pub(super) fn current(&self) -> &[u8] {
        self.record.trim_ascii()
    }
}

impl State {
    fn after(self, byte: u8) -> State {
        match (self, byte) {
            (State::Between, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' | b'}') => {
                State::Between
            }
            (State::Between | State::Other, b'{') => State::In(1),
            (State::Other, b'\n') => State::Between,
            (State::Between | State::Other, _) => State::Other,
            (State::In(depth), b'{' | b'[') => State::In(depth + 1),
            (State::In(1), b'}' | b']') => State::Between,
            (State::In(depth), b'}' | b']') => State::In(depth - 1),
            (State::In(depth), b'"') => State::Text(depth),
            (State::Text(depth), b'"') => State::In(depth),
            (State::Text(depth), b'\\') => State::Escape(depth),
            (State::Escape(depth), _) => State::Text(depth),
            (state, _) => state,
        }
    }
}

/// Whether this, with a bracket behind it, begins an object that only holds a list of records.
pub(super) fn opens_list(start: &[u8]) -> bool {
    let key = start.trim_ascii().strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b":"));
    key.is_some_and(|key| key.trim_ascii().eq_ignore_ascii_case(b"\"records\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        // Two bytes at a time, so that every place is one where a read ends.
        let reader = io::BufReader::with_capacity(2, io::Cursor::new(text.to_owned()));
        let mut objects = Objects::new(Box::new(reader));
        let mut records = Vec::new();
        while objects.advance().unwrap() {
            records.push(String::from_utf8(objects.current().to_vec()).unwrap());
        }
        records
    }

    #[test]
    fn objects_come_one_at_a_time_whatever_stands_between() {
        let pretty = "{\n  \"a\": \"x } \\\" {\",\n  \"b\": [1, {\"c\": 2}]\n}";
        for (text, expected) in [
            (String::new(), vec![]),
            ("[]".to_owned(), vec![]),
            (format!("[{pretty},{pretty}]\n"), vec![pretty, pretty]),
            (format!("{pretty}\n{pretty}"), vec![pretty, pretty]),
            (format!("[{pretty}, garbage, {pretty}"), vec![pretty, "garbage,", pretty]),
            ("[{\"a\":1},{\"b\":".to_owned(), vec!["{\"a\":1}", "{\"b\":"]),
            ("[1]".to_owned(), vec!["1]"]),
            (format!("{{\"Records\":[{pretty},{pretty}]}}\n"), vec![pretty, pretty]),
            (
                format!("{{ \"records\" : [\n{pretty}\n]}}\n{{\"records\":[{{}}]}}"),
                vec![pretty, "{}"],
            ),
            ("{\"records\":[]}".to_owned(), vec![]),
            ("{\"records\":[{\"a\":1".to_owned(), vec!["{\"a\":1"]),
            ("{\"a\":{\"records\":[{}]}}".to_owned(), vec!["{\"a\":{\"records\":[{}]}}"]),
        ] {
            assert_eq!(split(&text), expected, "{text}");
        }
    }

    #[test]
    fn an_endless_object_is_cut() {
        let text = format!("[{{\"a\":\"{}\"}},{{}}]", "x".repeat(MAX_LINE));
        let mut objects = Objects::new(Box::new(io::Cursor::new(text)));
        assert!(objects.advance().unwrap() && objects.was_cut());
        assert_eq!(objects.current().len(), MAX_LINE);
        assert!(objects.advance().unwrap() && !objects.was_cut());
        assert_eq!(objects.current(), b"{}");
        assert!(!objects.advance().unwrap());
    }
}
