//! Text between quotation marks, as nginx and Apache write what a client sent.
//!
//! nginx writes `"`, `\`, and all that is not printable ASCII as `\xHH`; Apache writes `\"`, `\\`, the
//! escapes of C (`\n`, `\t` …) and `\xhh`. Both are read alike: neither leaves a `\` of the client as
//! it is.

use std::borrow::Cow;

use bergfried_event::readable;

/// The text up to the mark that ends it, and what follows; none where nothing ends it.
pub(super) fn take(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if bytes.get(at) == Some(&b'"') {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
        at += 2;
    }
}

/// The text as the client sent it. Bytes that are no UTF-8 stay `\xhh`.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let Some(first) = text.bytes().position(|byte| byte == b'\\') else {
        return Cow::Borrowed(text);
    };
    let bytes = text.as_bytes();
    let mut sent = Vec::with_capacity(bytes.len());
    sent.extend_from_slice(bytes.get(..first).unwrap_or_default());
    let mut rest = bytes.get(first..).unwrap_or_default();
    while let Some((byte, after)) = rest.split_first() {
        let (value, length) = match (byte, after) {
            (b'\\', after) => escape(after).unwrap_or((b'\\', 0)),
            (byte, _) => (*byte, 0),
        };
        sent.push(value);
        rest = after.get(length..).unwrap_or_default();
    }
    Cow::Owned(readable(&sent).into_owned())
}

/// The byte of what follows a `\`, and how long that is; none for what is no escape.
fn escape(after: &[u8]) -> Option<(u8, usize)> {
    Some(match after.first()? {
        b'x' => {
            let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
            (u8::try_from(digit(1)? * 16 + digit(2)?).ok()?, 3)
        }
        b'n' => (b'\n', 1),
        b'r' => (b'\r', 1),
        b't' => (b'\t', 1),
        b'b' => (8, 1),
        b'v' => (11, 1),
        b'f' => (12, 1),
        b'a' => (7, 1),
        quoted @ (b'"' | b'\\') => (*quoted, 1),
        _ => return None,
    })
}

/// What a value says, without escapes; none where it says nothing.
pub(super) fn said(text: &str) -> Option<Cow<'_, str>> {
    if matches!(text, "" | "-") { None } else { Some(plain(text)) }
}
