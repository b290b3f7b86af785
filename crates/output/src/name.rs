//! Names of files that logs may choose a part of: never a path, never hidden, never long.

use std::fmt::Write as _;

/// The most bytes of one name; rotation adds its suffix to it, and 255 is where file systems end.
pub(crate) const MAX_BYTES: usize = 180;
/// The most bytes that are looked at of one value.
const MAX_VALUE: usize = 1024;
/// What an absent or empty value becomes.
const UNKNOWN: &str = "unknown";

/// Appends a value as part of a name: letters and digits of any script, `.`, `-`, `_` and `+` stay,
/// all else becomes `_`, as does a dot or a hyphen that the name would begin with. True where
/// something had to be changed. `begins`: the name has nothing but dots so far.
///
/// `@` never stays: it marks rotated files, which a log must not be able to name.
pub(crate) fn push_safe(value: &str, begins: bool, out: &mut String) -> bool {
    if value.is_empty() {
        out.push_str(UNKNOWN);
        return false;
    }
    let start = out.len();
    let mut changed = false;
    for character in value.chars() {
        if out.len() - start >= MAX_VALUE {
            return true;
        }
        let first = begins && out.len() == start;
        let stays = match character {
            '.' | '-' => !first,
            '_' | '+' => true,
            other => other.is_alphanumeric(),
        };
        out.push(if stays { character } else { '_' });
        changed |= !stays;
    }
    changed
}

/// Cuts the name that begins at `start` to [`MAX_BYTES`], with a hash of the whole in place of its
/// end, so that two long names stay two. True where it was too long.
pub(crate) fn shorten(start: usize, out: &mut String) -> bool {
    let name = out.get(start..).unwrap_or_default();
    if name.len() <= MAX_BYTES {
        return false;
    }
    let hash = fnv(name.as_bytes());
    let mut end = start + MAX_BYTES - 17;
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    // Writing to a String cannot fail.
    let _infallible = write!(out, "-{hash:016x}");
    true
}

/// FNV-1a; only tells names apart, an attacker gains nothing from two of the same.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_parts_of_names() {
        for (value, expected, changed) in [
            ("web1.example.org", "web1.example.org", false),
            ("grüße-東京", "grüße-東京", false),
            ("../../etc/passwd", "_._.._etc_passwd", true),
            (".hidden", "_hidden", true),
            ("-rf", "_rf", true),
            ("a/b\\c\0d\ne", "a_b_c_d_e", true),
            ("x.log@20260101", "x.log_20260101", true),
            ("\u{202e}gpj", "_gpj", true),
            ("", "unknown", false),
        ] {
            let mut out = String::new();
            assert_eq!(push_safe(value, true, &mut out), changed, "{value:?}");
            if value == "../../etc/passwd" {
                assert!(!out.contains('/') && !out.starts_with('.'), "{out}");
            } else {
                assert_eq!(out, expected);
            }
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (mut one, mut other) = ("é".repeat(400), "é".repeat(401));
        assert!(shorten(0, &mut one) && shorten(0, &mut other));
        assert!(one.len() <= MAX_BYTES && other.len() <= MAX_BYTES);
        assert_ne!(one, other);
    }
}
