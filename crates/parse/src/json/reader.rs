//! Reads the tokens of JSON (RFC 8259) from a text, borrowing every string that has no escapes.
//!
//! More lenient than the standard in two ways, so that no event is lost to a careless exporter: a
//! control character may stand in a string as it is, and half a surrogate pair (`\ud800`) becomes
//! U+FFFD. Never recurses: the caller bounds the depth.

use std::borrow::Cow;

use bergfried_event::Value;

/// Why the text could not be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It ends too early.
    Cut,
    /// It is no JSON.
    Broken,
    /// It is an entry of a journal, which another reader takes.
    Journal,
}

/// A place in a text of JSON.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Whether an object or array was just entered, so that no comma comes first.
    entered: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Reader { text, at: 0, entered: false }
    }

    /// The first byte of the next token, white space skipped.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Fault> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(Fault::Cut),
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek()? != byte {
            return Err(Fault::Broken);
        }
        self.at += 1;
        Ok(())
    }

    /// Goes into the object that begins here.
    pub(super) fn enter_object(&mut self) -> Result<(), Fault> {
        self.expect(b'{')?;
        self.entered = true;
        Ok(())
    }

    /// Goes into the array that begins here.
    pub(super) fn enter_array(&mut self) -> Result<(), Fault> {
        self.expect(b'[')?;
        self.entered = true;
        Ok(())
    }

    /// The next key of the object, or nothing after its end.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Option<Cow<'a, str>>, Fault> {
        if self.ends(b'}')? {
            return Ok(None);
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(Some(key))
    }

    /// Whether the array has one more element.
    pub(super) fn element(&mut self) -> Result<bool, Fault> {
        Ok(!self.ends(b']')?)
    }

    /// Passes the end of an object or array, or the comma before its next member.
    #[inline]
    fn ends(&mut self, closing: u8) -> Result<bool, Fault> {
        let first = std::mem::take(&mut self.entered);
        let byte = self.peek()?;
        if byte == closing {
            self.at += 1;
            return Ok(true);
        }
        if !first {
            if byte != b',' {
                return Err(Fault::Broken);
            }
            self.at += 1;
        }
        Ok(false)
    }

    /// Checks that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Err(Fault::Cut) => Ok(()),
            _ => Err(Fault::Broken),
        }
    }

    /// The plain value that begins here: text, number, truth value or null.
    pub(super) fn plain(&mut self) -> Result<Value<'a>, Fault> {
        match self.peek()? {
            b'"' => self.string().map(Value::Text),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(Fault::Broken),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else if word.starts_with(rest) {
            Err(Fault::Cut)
        } else {
            Err(Fault::Broken)
        }
    }

    fn number(&mut self) -> Result<Value<'a>, Fault> {
        let bytes = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let digits =
            |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let start = usize::from(bytes.first() == Some(&b'-'));
        let whole = digits(start);
        let leading_zero = whole > 1 && bytes.get(start) == Some(&b'0');
        if leading_zero {
            return Err(Fault::Broken);
        }
        let mut end = start + whole;
        let mut is_whole = true;
        let mut groups = [whole, 1, 1];
        if bytes.get(end) == Some(&b'.') {
            is_whole = false;
            let count = digits(end + 1);
            groups = [whole, count, 1];
            end += 1 + count;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            is_whole = false;
            end += 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let count = digits(end);
            groups = [groups[0], groups[1], count];
            end += count;
        }
        if groups.contains(&0) {
            return Err(if end >= bytes.len() { Fault::Cut } else { Fault::Broken });
        }
        let text = self.text.get(self.at..self.at + end).unwrap_or_default();
        self.at += end;
        let number = match is_whole {
            true => text.parse().ok().map(Value::Int),
            false => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float),
        };
        // Beyond what a number can hold: kept as it is written, so that no digit is lost.
        Ok(number.unwrap_or(Value::from(text)))
    }

    /// The string that begins here.
    #[inline]
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.expect(b'"')?;
        let start = self.at;
        let end = self.special(start)?;
        self.at = end + 1;
        if self.text.as_bytes().get(end) == Some(&b'"') {
            return Ok(Cow::Borrowed(self.text.get(start..end).unwrap_or_default()));
        }
        self.escaped(start, end).map(Cow::Owned)
    }

    /// Where the next quote or backslash stands.
    #[inline]
    fn special(&self, from: usize) -> Result<usize, Fault> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        let has = |word: u64, byte: u8| {
            let difference = word ^ (ONES * u64::from(byte));
            difference.wrapping_sub(ONES) & !difference & HIGH
        };
        let (words, tail) = rest.as_chunks::<8>();
        for (index, bytes) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            // The lowest marked byte is exact; only those above it may be marked wrongly.
            let found = has(word, b'"') | has(word, b'\\');
            if found != 0 {
                return Ok(from + index * 8 + (found.trailing_zeros() / 8) as usize);
            }
        }
        let found = tail.iter().position(|byte| matches!(byte, b'"' | b'\\'));
        found.map(|found| from + words.len() * 8 + found).ok_or(Fault::Cut)
    }

    /// The string from `start` whose first backslash stands at `end`; the reader is behind it.
    fn escaped(&mut self, start: usize, end: usize) -> Result<String, Fault> {
        // Windows paths have many escapes close together: room for a bit more than the first part.
        let mut text = String::with_capacity((end - start) * 2 + 64);
        text.push_str(self.text.get(start..end).unwrap_or_default());
        loop {
            self.escape(&mut text)?;
            let start = self.at;
            let end = self.special(start)?;
            text.push_str(self.text.get(start..end).unwrap_or_default());
            self.at = end + 1;
            if self.text.as_bytes().get(end) == Some(&b'"') {
                return Ok(text);
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, text: &mut String) -> Result<(), Fault> {
        let byte = *self.text.as_bytes().get(self.at).ok_or(Fault::Cut)?;
        self.at += 1;
        text.push(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => self.unicode()?,
            b'x' => return self.byte(text),
            _ => return Err(Fault::Broken),
        });
        Ok(())
    }

    /// `\xHH`, which is no JSON: nginx without `escape=json`, and Apache, write so what a client sent,
    /// and a client must not be able to make a line unreadable. Bytes beyond ASCII stay as they are.
    fn byte(&mut self, text: &mut String) -> Result<(), Fault> {
        let digits = self.text.get(self.at..self.at + 2).ok_or(Fault::Cut)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Fault::Broken);
        }
        let byte = u8::from_str_radix(digits, 16).map_err(|_| Fault::Broken)?;
        self.at += 2;
        if byte.is_ascii() {
            text.push(char::from(byte));
        } else {
            text.push_str("\\x");
            text.push_str(digits);
        }
        Ok(())
    }

    /// The character of `XXXX` or `XXXX\uXXXX` after `\u`.
    fn unicode(&mut self) -> Result<char, Fault> {
        let first = self.hexadecimal()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after = self.at;
        if self.text.get(after..).is_some_and(|rest| rest.starts_with("\\u")) {
            self.at += 2;
            let second = self.hexadecimal()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            // No second half: a character of its own, read next.
            self.at = after;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hexadecimal(&mut self) -> Result<u32, Fault> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(Fault::Cut)?;
        self.at += 4;
        digits.iter().try_fold(0, |code, digit| {
            char::from(*digit).to_digit(16).map(|value| code * 16 + value).ok_or(Fault::Broken)
        })
    }

    /// Passes the value that begins here, however deep it goes.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        // What closes each object and array that is open; its length is bounded by the text's.
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.peek()? {
                b'{' => {
                    self.enter_object()?;
                    open.push(b'}');
                }
                b'[' => {
                    self.enter_array()?;
                    open.push(b']');
                }
                _ => {
                    self.plain()?;
                }
            }
            loop {
                let Some(closing) = open.last() else { return Ok(()) };
                if *closing == b'}' {
                    if self.key()?.is_some() {
                        break;
                    }
                } else if self.element()? {
                    break;
                }
                open.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;

    fn read(reader: &mut Reader<'_>) -> Result<Json, Fault> {
        Ok(match reader.peek()? {
            b'{' => {
                reader.enter_object()?;
                let mut map = serde_json::Map::new();
                while let Some(key) = reader.key()? {
                    let value = read(reader)?;
                    map.insert(key.into_owned(), value);
                }
                Json::Object(map)
            }
            b'[' => {
                reader.enter_array()?;
                let mut list = Vec::new();
                while reader.element()? {
                    list.push(read(reader)?);
                }
                Json::Array(list)
            }
            _ => serde_json::to_value(reader.plain()?).unwrap(),
        })
    }

    fn whole(text: &str) -> Result<Json, Fault> {
        let mut reader = Reader::new(text);
        let read = read(&mut reader)?;
        reader.end()?;
        let mut skipping = Reader::new(text);
        assert_eq!(skipping.skip().and_then(|()| skipping.end()), Ok(()), "{text}");
        Ok(read)
    }

    /// Equal, but for the last digits of numbers with a fraction.
    fn same(left: &Json, right: &Json) -> bool {
        match (left, right) {
            (Json::Number(left), Json::Number(right)) => {
                let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
                (left - right).abs() <= left.abs() * 1e-14
            }
            // A whole number too large for one is kept as its digits.
            (Json::String(left), Json::Number(right)) if right.as_i64().is_none() => {
                left.parse::<f64>().ok() == right.as_f64()
            }
            (Json::Array(left), Json::Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
            }
            (Json::Object(left), Json::Object(right)) => {
                left.len() == right.len()
                    && left.iter().zip(right).all(|(l, r)| l.0 == r.0 && same(l.1, r.1))
            }
            _ => left == right,
        }
    }

    #[test]
    fn reads_what_the_standard_reader_reads() {
        for text in [
            r#"{}"#,
            r#" { "a" : [ 1 , -0.5e3, true, false, null, [], {} ] , "b\\c" : "x\ty\u00e9\ud83d\ude00/\/" } "#,
            r#""plain text of some length, so that words of eight are read""#,
            "[0,9223372036854775807,9223372036854775808,-9223372036854775808]",
        ] {
            let expected = serde_json::from_str(text).unwrap();
            assert!(whole(text).is_ok_and(|read| same(&read, &expected)), "{text}");
        }
    }

    #[test]
    fn faults_are_told_apart() {
        for (text, fault) in [
            ("", Fault::Cut),
            ("{", Fault::Cut),
            (r#"{"a"#, Fault::Cut),
            (r#"{"a":tr"#, Fault::Cut),
            (r#"{"a":"\u00"#, Fault::Cut),
            ("[1.", Fault::Cut),
            ("[1.x]", Fault::Broken),
            ("[01]", Fault::Broken),
            ("{,}", Fault::Broken),
            (r#"{"a":1,}"#, Fault::Broken),
            ("[1,]", Fault::Broken),
            ("[1 2]", Fault::Broken),
            (r#"["\x"]"#, Fault::Broken),
            (r#"["\x+1"]"#, Fault::Broken),
            ("{} {}", Fault::Broken),
            ("nul!", Fault::Broken),
        ] {
            assert_eq!(whole(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn careless_strings_are_kept() {
        assert_eq!(whole("[\"a\tb\",\"\\ud800\",\"\\ud800\\u0041\"]").unwrap()[0], "a\tb");
        assert_eq!(whole(r#"["\ud800x"]"#).unwrap()[0], "\u{fffd}x");
        assert_eq!(whole(r#"["\ud800\u0041"]"#).unwrap()[0], "\u{fffd}A");
    }

    proptest::proptest! {
        /// Whatever the standard reader takes, this one takes, with the same values.
        #[test]
        fn agrees_with_the_standard_reader(
            text in r#"[\[\]{}",:0-9eE.+\-tfn\\ua-d ]{0,24}"#,
            strings in proptest::collection::vec(".{0,12}", 0..4),
        ) {
            for text in [text, serde_json::to_string(&strings).unwrap()] {
                if let Ok(expected) = serde_json::from_str::<Json>(&text) {
                    let read = whole(&text);
                    let agrees = read.as_ref().is_ok_and(|read| same(read, &expected));
                    proptest::prop_assert!(agrees, "{} gave {:?}", text, read);
                } else if let Ok(read) = whole(&text) {
                    let lenient = text.contains("\\u") || text.contains('e') || text.contains('E');
                    proptest::prop_assert!(lenient, "{} gave {}", text, read);
                }
            }
        }
    }
}
