//! The `<Event>` elements of what `wevtutil` prints: one after the other, without a root.
//!
//! Text comes in pieces cut anywhere. What stands between the elements is passed over; an element
//! that is torn, too long or not well formed is left out and counted.

/// The longest element, in bytes: the longest record that a hub takes.
pub(super) const MOST_BYTES: usize = bergfried_wire::MAX_RAW;
/// Elements nested deeper are none of Windows.
const MOST_DEPTH: usize = 256;

/// Finds elements in text that is still coming.
#[derive(Debug, Default)]
pub(super) struct Elements {
    text: String,
    /// What stands before this was looked at.
    at: usize,
    /// Where the element began that is being read, and which elements are open in it.
    begun: Option<usize>,
    open: Vec<Box<str>>,
    broken: u64,
}

enum Token {
    /// Not whole yet.
    More,
    /// No tag: text, a comment, a section of characters. It ends here.
    Passed(usize),
    /// Nothing that XML has; the next may begin here.
    Broken(usize),
    Start {
        end: usize,
        name: Box<str>,
        closed: bool,
    },
    End {
        end: usize,
        name: Box<str>,
    },
}

impl Elements {
    /// Where more text is put.
    pub(super) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    /// How many elements were left out because they are not whole.
    pub(super) fn broken(&self) -> u64 {
        self.broken
    }

    /// The text has ended: what is open now never ends.
    pub(super) fn finish(&mut self) {
        if self.begun.is_some() {
            self.give_up();
        }
    }

    /// The next element that is there as a whole.
    pub(super) fn next(&mut self) -> Option<String> {
        loop {
            let Some(begun) = self.begun else {
                if self.seek() {
                    continue;
                }
                return None;
            };
            if self.at - begun > MOST_BYTES {
                self.give_up();
                continue;
            }
            match self.token() {
                Token::More if self.text.len() - begun > MOST_BYTES => {
                    self.at = self.text.len();
                    self.give_up();
                }
                Token::More => return None,
                Token::Passed(end) => self.at = end,
                Token::Broken(end) => {
                    self.at = end;
                    self.give_up();
                }
                Token::Start { end, name, closed } => {
                    // An event stands in another only among the data of a program's own.
                    let is_torn = &*name == "Event"
                        && !self.open.is_empty()
                        && !self.open.iter().any(|name| &**name == "UserData");
                    if is_torn || self.open.len() >= MOST_DEPTH {
                        self.give_up();
                        continue;
                    }
                    self.at = end;
                    if !closed {
                        self.open.push(name);
                    } else if self.open.is_empty() {
                        self.give_up();
                    }
                }
                Token::End { end, name } => {
                    self.at = end;
                    if self.open.pop().is_none_or(|open| open != name) {
                        self.give_up();
                    } else if self.open.is_empty() {
                        let element = self.text.get(begun..end).unwrap_or_default().to_owned();
                        self.begun = None;
                        self.forget();
                        return Some(element);
                    }
                }
            }
        }
    }

    /// Leaves out the element that is being read.
    fn give_up(&mut self) {
        self.broken += 1;
        self.begun = None;
        self.open.clear();
        self.forget();
    }

    /// Lets go of what was looked at.
    fn forget(&mut self) {
        self.text.drain(..self.at);
        self.at = 0;
    }

    /// Goes to the start of the next element; false where none is there yet.
    fn seek(&mut self) -> bool {
        const START: &str = "<Event";
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(found) = rest.find(START) else {
                // The last bytes may be the beginning of one.
                let kept = self.text.len().saturating_sub(START.len());
                self.at = self.text.floor_char_boundary(kept).max(self.at);
                break;
            };
            self.at += found;
            match rest.as_bytes().get(found + START.len()) {
                None => break,
                Some(b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'/') => {
                    self.begun = Some(self.at);
                    return true;
                }
                Some(_) => self.at += START.len(),
            }
        }
        self.forget();
        false
    }

    /// What stands next within an element.
    fn token(&self) -> Token {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(before) = rest.find('<') else {
            return if rest.is_empty() { Token::More } else { Token::Passed(self.text.len()) };
        };
        let at = self.at + before;
        let rest = rest.get(before..).unwrap_or_default();
        for (start, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
            if let Some(inner) = rest.strip_prefix(start) {
                return inner.find(end).map_or(Token::More, |found| {
                    Token::Passed(at + start.len() + found + end.len())
                });
            }
            if start.starts_with(rest) {
                return Token::More;
            }
        }
        tag(rest, at)
    }
}

fn tag(rest: &str, at: usize) -> Token {
    let mut quote = None;
    let mut end = None;
    for (place, byte) in rest.bytes().enumerate().skip(1) {
        match (quote, byte) {
            // Neither a tag nor a value has one.
            (_, b'<') => return Token::Broken(at + place),
            (None, b'>') => {
                end = Some(place);
                break;
            }
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    let Some(place) = end else { return Token::More };
    let end = at + place + 1;
    let inner = rest.get(1..place).unwrap_or_default();
    let (inner, is_end) = inner.strip_prefix('/').map_or((inner, false), |inner| (inner, true));
    let (inner, closed) = inner.strip_suffix('/').map_or((inner, false), |inner| (inner, true));
    let name = inner.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
    let begins = name.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
    match (begins, is_end) {
        (false, _) => Token::Broken(end),
        (true, true) => Token::End { end, name: name.into() },
        (true, false) => Token::Start { end, name: name.into(), closed },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "<Event xmlns='x'><System><EventID>1</EventID></System></Event>";
    const TWO: &str =
        "<Event><EventData><Data Name='a>b'>&lt;/Event&gt;</Data><None/></EventData></Event>";

    fn split(text: &str) -> (Vec<String>, u64) {
        let mut found = [1, 5, 64, text.len().max(1)].map(|size| {
            let (mut elements, mut found) = (Elements::default(), Vec::new());
            let characters: Vec<char> = text.chars().collect();
            for part in characters.chunks(size) {
                elements.text().extend(part);
                found.extend(std::iter::from_fn(|| elements.next()));
            }
            elements.finish();
            (found, elements.broken())
        });
        assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
        std::mem::take(&mut found[0])
    }

    #[test]
    fn elements_are_found_and_what_is_broken_is_left_out() {
        let all: &[(&str, &[&str], u64)] = &[
            ("", &[], 0),
            (ONE, &[ONE], 0),
            ("<Events>$1\r\n$2</Events>\r\n", &[ONE, TWO], 0),
            ("\u{feff}<?xml version='1.0'?>$1$2$1", &[ONE, TWO, ONE], 0),
            ("No events found. <Ev \" ' > $1", &[ONE], 0),
            // Torn at the end, in the middle, within a tag, within a value.
            ("$1<Event><System>", &[ONE], 1),
            ("<Event><System><EventID>46$1", &[ONE], 1),
            ("<Event><System><Event$1", &[ONE], 1),
            ("<Event><System><Data Name='x$1", &[ONE], 1),
            ("<Event><System></Event>$1", &[ONE], 1),
            ("<Event/>$1", &[ONE], 1),
            ("<Event><1/></Event>$1", &[ONE], 1),
            ("<EventX>$1</EventX>", &[ONE], 0),
        ];
        for (text, expected, broken) in all {
            let text = text.replace("$1", ONE).replace("$2", TWO);
            let expected: Vec<String> = expected.iter().map(|one| (*one).to_owned()).collect();
            assert_eq!(split(&text), (expected, *broken), "{text}");
        }
    }

    #[test]
    fn a_programs_own_data_may_hold_what_looks_like_an_event() {
        let own = "<Event><UserData><Event><a/></Event></UserData></Event>";
        let section = "<Event><a><![CDATA[</a></Event><Event>]]><!-- </Event> --></a></Event>";
        assert_eq!(split(&format!("{own}{section}")), (vec![own.into(), section.into()], 0));
    }

    #[test]
    fn length_and_depth_are_bounded() {
        let long = format!("<Event><a>{}</a></Event>", "x".repeat(MOST_BYTES));
        let tag = format!("<Event><a b='{}'/></Event>", "x".repeat(MOST_BYTES));
        let deep = format!("<Event>{}</Event>", "<a>".repeat(MOST_DEPTH));
        for text in [long, tag, deep] {
            let mut elements = Elements::default();
            elements.text().push_str(&text);
            elements.text().push_str(ONE);
            assert_eq!(elements.next().as_deref(), Some(ONE));
            assert_eq!((elements.next(), elements.broken()), (None, 1));
            assert!(elements.text().len() < 64, "nothing is kept");
        }
    }
}
