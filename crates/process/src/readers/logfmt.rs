//! logfmt: `level=info msg="it works" took=3ms`.

use std::borrow::Cow;

use super::Pairs;

/// Adds the pairs of a text. A word without `=` is a name whose value is `true`.
pub fn read<'t>(text: &'t str, pairs: &mut Pairs<'t>) {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|character: char| character <= ' ');
        if rest.is_empty() {
            return;
        }
        let end = rest
            .find(|character: char| character <= ' ' || character == '=' || character == '"')
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=') else {
            // A quote where no value is: passed over.
            rest = after.strip_prefix('"').unwrap_or(after);
            if !name.is_empty() {
                pairs.push(name, "true");
            }
            continue;
        };
        let (value, after) = self::value(value);
        rest = after;
        if !name.is_empty() {
            pairs.push(name, value);
        }
    }
}

/// A value, and what comes after it.
fn value(text: &str) -> (Cow<'_, str>, &str) {
    if let Some(inside) = text.strip_prefix('"')
        && let Some(end) = closing_quote(inside)
    {
        let (value, after) = inside.split_at(end);
        return (unescaped(value), after.get(1..).unwrap_or_default());
    }
    let end = text.find(|character: char| character <= ' ').unwrap_or(text.len());
    let (value, after) = text.split_at(end);
    (value.into(), after)
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// As in JSON: `\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`, `\uXXXX`; others stay as they are.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (character, length) = match escape.as_bytes().get(1) {
            Some(b'"') => ('"', 2),
            Some(b'/') => ('/', 2),
            Some(b'\\') => ('\\', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => unicode(escape).unwrap_or(('\\', 1)),
            _ => ('\\', 1),
        };
        out.push(character);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out.into()
}

/// The character of `\uXXXX`, or of two of them, and how long it is written.
fn unicode(escape: &str) -> Option<(char, usize)> {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(escape)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some((character, 6));
    }
    let second = unit(escape.get(6..)?)?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 12))
}
