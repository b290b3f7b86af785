//! What the escapes of a URL hide: `%2e%2e%2f`, `%252e`, `%c0%ae`, `%u002e`.
//!
//! Rules read the decoded text beside the text as it was sent. It is for looking at only: no server
//! decodes in just this way, and what it decodes to is never a path of ours.

/// How often a text is decoded: `%25252e` needs three rounds.
const ROUNDS: usize = 3;
/// The longest URL that is decoded; servers refuse longer ones.
const LONGEST: usize = 64 * 1024;

/// The URL with its escapes decoded, again and again, and `+` in its query as a space; none where that
/// is the same text.
pub(crate) fn decoded(url: &str) -> Option<String> {
    let query = url.find('?');
    let has_plus = query.is_some_and(|at| url.get(at..).is_some_and(|query| query.contains('+')));
    if (!has_plus && !url.contains('%')) || url.len() > LONGEST {
        return None;
    }
    let mut bytes = url.as_bytes().to_vec();
    if let Some(query) = query {
        bytes.iter_mut().skip(query).filter(|byte| **byte == b'+').for_each(|byte| *byte = b' ');
    }
    for _ in 0..ROUNDS {
        let next = without_overlong(&round(&bytes));
        if next == bytes {
            break;
        }
        bytes = next;
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (text != url).then_some(text)
}

/// Every `%XX` and `%uXXXX` as the bytes that it stands for.
fn round(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            plain.push(*byte);
        } else if let Some(value) = number(after, 0, 2) {
            plain.push(u8::try_from(value).unwrap_or(b'%'));
            rest = after.get(2..).unwrap_or_default();
        } else if let Some(value) = wide(after) {
            let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
            plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = after.get(5..).unwrap_or_default();
        } else {
            plain.push(b'%');
        }
    }
    plain
}

/// `uXXXX`, as IIS once took it; its full-width forms of ASCII are read as ASCII.
fn wide(after: &[u8]) -> Option<u32> {
    if !matches!(after.first(), Some(b'u' | b'U')) {
        return None;
    }
    let value = number(after, 1, 5)?;
    Some(if (0xff01..=0xff5e).contains(&value) { value - 0xfee0 } else { value })
}

fn number(text: &[u8], from: usize, to: usize) -> Option<u32> {
    let digit = |value: u32, byte: &u8| Some(value * 16 + char::from(*byte).to_digit(16)?);
    text.get(from..to)?.iter().try_fold(0, digit)
}

/// ASCII that was written in more bytes than one (`C0 AE` for `.`), which UTF-8 forbids.
fn without_overlong(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let found = match (byte, after) {
            (0xc0 | 0xc1, [last, ..]) => ascii(byte & 1, *last, 1),
            (0xe0, [middle @ (0x80 | 0x81), last, ..]) => ascii(middle & 1, *last, 2),
            (0xf0, [0x80, middle @ (0x80 | 0x81), last, ..]) => ascii(middle & 1, *last, 3),
            _ => None,
        };
        let (byte, length) = found.unwrap_or((*byte, 0));
        plain.push(byte);
        rest = after.get(length..).unwrap_or_default();
    }
    plain
}

fn ascii(high: u8, last: u8, length: usize) -> Option<(u8, usize)> {
    (last & 0xc0 == 0x80).then_some((high << 6 | (last & 0x3f), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_however_often_they_were_escaped() {
        for (url, expected) in [
            ("/%2e%2e/x", "/../x"),
            ("/%2E%2E%2Fx", "/../x"),
            ("/%252e%252e%252fx", "/../x"),
            ("/%25252e%25252e/x", "/../x"),
            ("/%c0%ae%c0%ae%c0%afx", "/../x"),
            ("/%e0%80%ae%e0%80%afx", "/./x"),
            ("/%f0%80%80%af", "//"),
            ("/%c1%9cx", "/\\x"),
            ("/%u002e%u002e/", "/../"),
            ("/%uff0e/", "/./"),
            ("/a+b?c+d", "/a+b?c d"),
            ("/?q=1%27+or+1%3d1", "/?q=1' or 1=1"),
            ("/%C3%A9", "/é"),
            ("/%ff", "/\u{fffd}"),
            ("/%00", "/\0"),
            ("/100%?x=%zz+", "/100%?x=%zz "),
            ("/%", ""),
            ("/%2", ""),
            ("/plain?q=1", ""),
            ("/a+b", ""),
        ] {
            let expected = Some(expected.to_owned()).filter(|text| !text.is_empty());
            assert_eq!(decoded(url), expected, "{url}");
        }
        let long = "/%41".repeat(LONGEST / 4 + 1);
        assert_eq!(decoded(&long), None);
    }
}
