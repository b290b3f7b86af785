//! Values as people read them: what audit writes as hexadecimal digits becomes text.

use std::borrow::Cow;

use bergfried_event::readable;

use crate::hex;
use crate::tokens::{Quote, Token};

/// Fields that hold text which its writer may have encoded, in their order: those that the field
/// dictionary of linux-audit's documentation calls so, but for addresses, which no one encodes, and
/// those of AppArmor, of fs-verity's kin and of tools that came later.
static ENCODED: [&str; 38] = [
    "acct",
    "apparmor",
    "cgroup",
    "cmd",
    "comm",
    "cwd",
    "data",
    "device",
    "dir",
    "exe",
    "file",
    "grp",
    "info",
    "invalid_context",
    "key",
    "name",
    "new-chardev",
    "new-chr",
    "new-disk",
    "new-fs",
    "new-net",
    "new-rng",
    "new_group",
    "ocomm",
    "old-chardev",
    "old-chr",
    "old-disk",
    "old-fs",
    "old-net",
    "old-rng",
    "path",
    "profile",
    "root_dir",
    "srcname",
    "sw",
    "target",
    "vm",
    "watch",
];

/// Whether values of this field may be encoded.
pub(crate) fn is_encoded(name: &str) -> bool {
    ENCODED.contains(&name)
}

/// A value as text, and whether it looked like encoded text with half a byte too few.
pub(crate) fn text<'a>(token: &Token<'a>) -> (Cow<'a, str>, bool) {
    if token.quote != Quote::None || !is_encoded(token.name) {
        return (Cow::Borrowed(token.value), false);
    }
    let value = token.value;
    // Kernel and libaudit write capital digits; `cafe` is a word.
    if value.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return (Cow::Borrowed(value), false);
    }
    match hex::decode(value.as_bytes()) {
        Some(bytes) => (owned_text(bytes), false),
        None => (Cow::Borrowed(value), is_odd(value)),
    }
}

/// Bytes as text; those that are no UTF-8 escaped.
pub(crate) fn owned_text(bytes: Vec<u8>) -> Cow<'static, str> {
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(readable(error.as_bytes()).into_owned()),
    }
}

/// Whether these are so many digits that one is missing.
pub(crate) fn is_odd(value: &str) -> bool {
    value.len() > 8
        && !value.len().is_multiple_of(2)
        && value.bytes().all(|byte| hex::value(byte).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Tokens;

    #[test]
    fn encoded_values_are_decoded() {
        for (field, expected, odd) in [
            ("exe=2F62696E2F6C73", "/bin/ls", false),
            ("exe=\"2F62\"", "2F62", false),
            ("comm=6C7", "6C7", false),
            ("comm=6C736C736C736C7", "6C736C736C736C7", true),
            ("acct=28696E76616C6964207573657229", "(invalid user)", false),
            ("name=C3A4FF", "ä\\xff", false),
            ("acct=cafe", "cafe", false),
            ("hostname=DEADBEEF", "DEADBEEF", false),
            ("addr=10.0.0.1", "10.0.0.1", false),
            ("op=PAM:x", "PAM:x", false),
            ("a0=2F62", "2F62", false),
            ("key=(null)", "(null)", false),
        ] {
            let token = Tokens::new(field).next().unwrap();
            assert_eq!(text(&token), (expected.into(), odd), "{field}");
        }
        assert!(ENCODED.is_sorted());
    }
}
