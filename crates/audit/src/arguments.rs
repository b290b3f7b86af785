//! The arguments of EXECVE records: `argc=2 a0="ls" a1=2D6C`, where a long one comes in pieces
//! (`a1_len=9000 a1[0]=… a1[1]=…`) and many in several records.

use std::borrow::Cow;

use crate::decode;
use crate::hex;
use crate::tokens::{Quote, Token};

/// The most arguments that are kept, whatever `argc` says.
const MOST: usize = 8_192;

/// The arguments of one command, as they come.
#[derive(Debug, Default)]
pub(crate) struct Arguments<'a> {
    found: Vec<Argument<'a>>,
    count: Option<u64>,
    /// Whether what was read contradicts itself: more or fewer arguments than `argc`, one twice, one
    /// that is missing between others.
    pub(crate) lying: bool,
    /// Whether digits were odd in number.
    pub(crate) odd: bool,
    /// Whether there were too many.
    pub(crate) cut: bool,
}

#[derive(Debug)]
enum Argument<'a> {
    Missing,
    Text(Cow<'a, str>),
    /// Pieces, or what is no UTF-8 yet.
    Bytes(Vec<u8>),
}

impl<'a> Arguments<'a> {
    /// Takes a field of an EXECVE record; false where it is none of the arguments.
    pub(crate) fn take(&mut self, token: &Token<'a>) -> bool {
        if token.name == "argc" {
            let count = token.value.parse().ok();
            self.lying |= count.is_none() || self.count.is_some_and(|before| Some(before) != count);
            self.count = count.or(self.count);
            return true;
        }
        let Some(name) = token.name.strip_prefix('a') else { return false };
        if let Some(number) = name.strip_suffix("_len") {
            return number.bytes().all(|byte| byte.is_ascii_digit());
        }
        let (number, is_piece) = match name.split_once('[') {
            Some((number, _)) => (number, true),
            None => (name, false),
        };
        let Ok(place) = number.parse::<usize>() else { return false };
        if self.count.is_some_and(|count| place as u64 >= count) {
            self.lying = true;
        }
        if place >= MOST {
            self.cut = true;
            return true;
        }
        self.lying |= place > self.found.len();
        while self.found.len() <= place {
            self.found.push(Argument::Missing);
        }
        let Some(slot) = self.found.get_mut(place) else { return true };
        match (slot, is_piece) {
            (slot @ Argument::Missing, false) => *slot = whole(token, &mut self.odd),
            (slot @ Argument::Missing, true) => {
                *slot = Argument::Bytes(bytes(token, &mut self.odd))
            }
            (Argument::Bytes(before), true) => before.extend(bytes(token, &mut self.odd)),
            _ => self.lying = true,
        }
        true
    }

    /// The arguments in their order; what is missing between others is empty.
    pub(crate) fn finish(mut self) -> (Vec<Cow<'a, str>>, Faults) {
        let whole = self.count.is_none_or(|count| count == self.found.len() as u64) || self.cut;
        self.lying |= !whole;
        let texts = self.found.into_iter().map(|argument| match argument {
            Argument::Missing => Cow::Borrowed(""),
            Argument::Text(text) => text,
            Argument::Bytes(bytes) => decode::owned_text(bytes),
        });
        (texts.collect(), Faults { lying: self.lying, odd: self.odd, cut: self.cut })
    }
}

/// What was wrong with the arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub(crate) lying: bool,
    pub(crate) odd: bool,
    pub(crate) cut: bool,
}

fn whole<'a>(token: &Token<'a>, odd: &mut bool) -> Argument<'a> {
    if token.quote == Quote::None {
        if let Some(bytes) = hex::decode(token.value.as_bytes()) {
            return Argument::Text(decode::owned_text(bytes));
        }
        *odd |= decode::is_odd(token.value);
    }
    Argument::Text(Cow::Borrowed(token.value))
}

fn bytes(token: &Token<'_>, odd: &mut bool) -> Vec<u8> {
    if token.quote == Quote::None {
        if let Some(bytes) = hex::decode(token.value.as_bytes()) {
            return bytes;
        }
        *odd |= decode::is_odd(token.value);
    }
    token.value.as_bytes().to_vec()
}

/// Arguments as one line that a person could type: those with blanks or quotes are quoted.
pub(crate) fn command_line(arguments: &[Cow<'_, str>]) -> String {
    let mut line = String::with_capacity(arguments.iter().map(|text| text.len() + 1).sum());
    for (place, argument) in arguments.iter().enumerate() {
        if place > 0 {
            line.push(' ');
        }
        let needs_quotes = argument.is_empty()
            || argument.bytes().any(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'"' | b'\''));
        if !needs_quotes {
            line.push_str(argument);
        } else if !argument.contains('"') {
            line.push('"');
            line.push_str(argument);
            line.push('"');
        } else if !argument.contains('\'') {
            line.push('\'');
            line.push_str(argument);
            line.push('\'');
        } else {
            line.push('"');
            line.push_str(&argument.replace('"', "\\\""));
            line.push('"');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Tokens;

    fn read(record: &str) -> (Vec<String>, Faults) {
        let mut arguments = Arguments::default();
        for token in Tokens::new(record) {
            assert!(arguments.take(&token), "{token:?}");
        }
        let (texts, faults) = arguments.finish();
        (texts.into_iter().map(Cow::into_owned).collect(), faults)
    }

    #[test]
    fn arguments_are_put_together() {
        let fine = Faults::default();
        let lying = Faults { lying: true, ..fine };
        for (record, expected, faults) in [
            ("argc=2 a0=\"ls\" a1=\"-l\"", &["ls", "-l"][..], fine),
            ("argc=2 a0=6C73 a1=2D6C20C3A4", &["ls", "-l ä"], fine),
            ("argc=2 a0=\"x\" a1_len=6 a1[0]=C3 a1[1]=A42F a1[2]=62", &["x", "ä/b"], fine),
            ("argc=1 a0_len=3 a0[0]=\"ab\" a0[1]=\"c\"", &["abc"], fine),
            ("argc=1000000000 a0=\"x\"", &["x"], lying),
            ("argc=1 a0=\"x\" a1=\"y\"", &["x", "y"], lying),
            ("argc=3 a0=\"x\" a2=\"z\"", &["x", "", "z"], lying),
            ("argc=1 a0=\"x\" a0=\"y\"", &["x"], lying),
            ("argc=x a0=\"x\"", &["x"], lying),
            ("argc=1 a0=6C7", &["6C7"], fine),
            ("argc=1 a0=6C736C736", &["6C736C736"], Faults { odd: true, ..fine }),
            ("argc=9000 a8999=\"x\"", &[], Faults { cut: true, ..fine }),
            ("argc=0", &[], fine),
        ] {
            let (found, wrong) = read(record);
            assert_eq!(
                (found, wrong),
                (expected.iter().map(|text| (*text).to_owned()).collect(), faults),
                "{record}"
            );
        }
    }

    #[test]
    fn a_line_is_quoted_where_it_must_be() {
        for (arguments, line) in [
            (&["ls", "-l"][..], "ls -l"),
            (&["sh", "-c", "a b"], "sh -c \"a b\""),
            (&["sh", "-c", "echo \"a\""], "sh -c 'echo \"a\"'"),
            (&["sh", "-c", "'\""], "sh -c \"'\\\"\""),
            (&["x", ""], "x \"\""),
            (&[], ""),
        ] {
            let arguments: Vec<Cow<'_, str>> =
                arguments.iter().map(|text| Cow::Borrowed(*text)).collect();
            assert_eq!(command_line(&arguments), line);
        }
    }
}
