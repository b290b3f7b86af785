//! What a program of Windows prints, as text: UTF-8, UTF-16 of either order, or a declared code page.

use serde::Deserialize;

use super::code_page::{CP437, CP850, CP852, CP858, CP866, CP1252, Upper};

/// What bytes mean that are not UTF-16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum CodePage {
    /// UTF-8; what is none becomes U+FFFD.
    #[default]
    #[serde(rename = "utf-8", alias = "65001")]
    Utf8,
    /// OEM, United States.
    #[serde(rename = "437")]
    Cp437,
    /// OEM, western Europe.
    #[serde(rename = "850")]
    Cp850,
    /// OEM, central Europe.
    #[serde(rename = "852")]
    Cp852,
    /// OEM, western Europe with the euro.
    #[serde(rename = "858")]
    Cp858,
    /// OEM, Cyrillic.
    #[serde(rename = "866")]
    Cp866,
    /// ANSI, western Europe.
    #[serde(rename = "1252")]
    Cp1252,
}

impl CodePage {
    fn upper(self) -> Option<&'static Upper> {
        Some(match self {
            CodePage::Utf8 => return None,
            CodePage::Cp437 => &CP437,
            CodePage::Cp850 => &CP850,
            CodePage::Cp852 => &CP852,
            CodePage::Cp858 => &CP858,
            CodePage::Cp866 => &CP866,
            CodePage::Cp1252 => &CP1252,
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Utf16 { big: bool },
    Utf8,
    Page(&'static Upper),
}

/// Turns bytes into text as they come, however they are cut.
#[derive(Debug)]
pub(super) struct Text {
    page: CodePage,
    form: Option<Form>,
    /// What is not decoded yet: at most four bytes between two calls.
    rest: Vec<u8>,
}

impl Text {
    pub(super) fn new(page: CodePage) -> Text {
        Text { page, form: None, rest: Vec::new() }
    }

    /// Adds the text of these bytes, but for a character that they end in the middle of.
    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) {
        self.rest.extend_from_slice(bytes);
        let form = match self.form {
            Some(form) => form,
            None => {
                let Some((form, mark)) = self.form() else { return };
                self.rest.drain(..mark);
                *self.form.insert(form)
            }
        };
        let taken = match form {
            Form::Utf8 => utf8(&self.rest, text),
            Form::Utf16 { big } => utf16(&self.rest, big, text),
            Form::Page(upper) => {
                text.extend(self.rest.iter().map(|byte| character(*byte, upper)));
                self.rest.len()
            }
        };
        self.rest.drain(..taken);
    }

    /// What the bytes are, and the length of the mark that says so. Too few are nothing yet.
    fn form(&self) -> Option<(Form, usize)> {
        let [first, second, third, _, ..] = *self.rest else { return None };
        Some(match (first, second, third) {
            (0xff, 0xfe, _) => (Form::Utf16 { big: false }, 2),
            (0xfe, 0xff, _) => (Form::Utf16 { big: true }, 2),
            (0xef, 0xbb, 0xbf) => (Form::Utf8, 3),
            // No text begins with a NUL, and XML begins with a character of ASCII.
            (_, 0, _) => (Form::Utf16 { big: false }, 0),
            (0, ..) => (Form::Utf16 { big: true }, 0),
            _ => (self.page.upper().map_or(Form::Utf8, Form::Page), 0),
        })
    }
}

fn character(byte: u8, upper: &Upper) -> char {
    match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(place) => {
            upper.get(usize::from(place)).copied().unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    }
}

/// How many bytes were taken.
fn utf8(bytes: &[u8], text: &mut String) -> usize {
    let mut taken = 0;
    loop {
        let rest = bytes.get(taken..).unwrap_or_default();
        let (valid, bad) = match std::str::from_utf8(rest) {
            Ok(valid) => (valid, None),
            Err(error) => {
                let valid = rest.get(..error.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(valid).unwrap_or_default(), Some(error.error_len()))
            }
        };
        text.push_str(valid);
        taken += valid.len();
        match bad {
            Some(Some(length)) => {
                text.push(char::REPLACEMENT_CHARACTER);
                taken += length;
            }
            Some(None) | None => return taken,
        }
    }
}

fn utf16(bytes: &[u8], big: bool, text: &mut String) -> usize {
    let unit =
        |pair: [u8; 2]| if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
    let (pairs, _) = bytes.as_chunks::<2>();
    // The second half of a character may still come.
    let whole = match pairs.split_last() {
        Some((last, before)) if (0xd800..0xdc00).contains(&unit(*last)) => before,
        _ => pairs,
    };
    let units = whole.iter().map(|pair| unit(*pair));
    text.extend(char::decode_utf16(units).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER)));
    whole.len() * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<Event>Müller, Économie, 管理者 𝄞</Event>";

    fn read(page: CodePage, bytes: &[u8]) -> String {
        let mut texts = [1, 2, 3, 7, 1000].map(|size| {
            let (mut reader, mut text) = (Text::new(page), String::new());
            bytes.chunks(size).for_each(|part| reader.push(part, &mut text));
            text
        });
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        std::mem::take(&mut texts[0])
    }

    #[test]
    fn every_form_gives_the_same_text_however_it_is_cut() {
        let units: Vec<u16> = TEXT.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let page = CodePage::Utf8;
        for (mark, bytes) in [
            (&b""[..], TEXT.as_bytes()),
            (&[0xef, 0xbb, 0xbf], TEXT.as_bytes()),
            (&[0xff, 0xfe], &little),
            (&[0xfe, 0xff], &big),
            (&[], &little),
            (&[], &big),
        ] {
            assert_eq!(read(page, &[mark, bytes].concat()), TEXT, "{mark:x?}");
        }
    }

    #[test]
    fn a_declared_code_page_is_that_of_the_console() {
        for (page, bytes, text) in [
            (CodePage::Cp850, &b"<a>M\x81ller \x90\xe1"[..], "<a>Müller Éß"),
            (CodePage::Cp437, b"<a>M\x81ller \x90\xe1", "<a>Müller Éß"),
            (CodePage::Cp1252, b"<a>M\xfcller \x80", "<a>Müller €"),
            (CodePage::Cp858, b"<a>\xd5", "<a>€"),
            (CodePage::Cp852, b"<a>\xa5\x86", "<a>ąć"),
            (CodePage::Cp866, b"<a>\x80\xef", "<a>Ая"),
            (CodePage::Utf8, b"<a>M\x81ller", "<a>M\u{fffd}ller"),
        ] {
            assert_eq!(read(page, bytes), text, "{page:?}");
        }
    }
}
