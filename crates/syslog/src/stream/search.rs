//! Looks for what begins a message, at a place and inside of other text.

use memchr::memchr_iter;

use super::SHORTEST;
use crate::message::is_end;

/// Ten digits reach past every count that is believed.
const MOST_DIGITS: usize = 10;

/// Whether something is there, as far as the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// More bytes are needed to tell.
    Unclear,
}

/// A number and a space, as they stand before a counted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// The number, the bytes that it takes with its space, and whether `<` and a digit follow.
    Is {
        count: u64,
        length: usize,
        priority: bool,
    },
    No,
    Unclear,
}

/// Reads a count at the front of `bytes`.
pub(super) fn count(bytes: &[u8]) -> Count {
    if !matches!(bytes.first(), Some(b'1'..=b'9')) {
        return if bytes.is_empty() { Count::Unclear } else { Count::No };
    }
    let digits = bytes.iter().take(MOST_DIGITS + 1).take_while(|byte| byte.is_ascii_digit());
    let digits = digits.count();
    if digits > MOST_DIGITS {
        return Count::No;
    }
    match bytes.get(digits) {
        None => return Count::Unclear,
        Some(b' ') => {}
        Some(_) => return Count::No,
    }
    let priority = match (bytes.get(digits + 1), bytes.get(digits + 2)) {
        (None, _) | (Some(b'<'), None) => return Count::Unclear,
        (Some(b'<'), Some(digit)) => digit.is_ascii_digit(),
        _ => false,
    };
    let count = number(bytes.get(..digits).unwrap_or_default());
    Count::Is { count, length: digits + 1, priority }
}

/// Whether what follows a counted message fits it: the start of another, or a line end.
pub(super) fn follows(bytes: &[u8]) -> Answer {
    match (bytes.first(), bytes.get(1)) {
        (None, _) | (Some(b'<'), None) => Answer::Unclear,
        (Some(byte), _) if is_end(*byte) => Answer::Yes,
        (Some(b'<'), Some(digit)) if digit.is_ascii_digit() => Answer::Yes,
        _ => match count(bytes) {
            Count::Is { priority: true, .. } => Answer::Yes,
            Count::Unclear => Answer::Unclear,
            _ => Answer::No,
        },
    }
}

/// Whether `<`, one to three digits and `>` stand at the front.
pub(super) fn priority(bytes: &[u8]) -> Answer {
    let digits = bytes.iter().skip(1).take(4).take_while(|byte| byte.is_ascii_digit()).count();
    match bytes.get(1 + digits) {
        Some(b'>') if (1..=3).contains(&digits) => Answer::Yes,
        None if digits <= 3 => Answer::Unclear,
        _ => Answer::No,
    }
}

/// Where in `bytes` another message seems to begin, its first byte left aside: `<PRI>` behind a
/// line end, or behind a count. It may be cut short by the end of `bytes`.
pub(super) fn inside(bytes: &[u8], max: usize) -> Option<usize> {
    memchr_iter(b'<', bytes)
        .filter(|at| priority(bytes.get(*at..).unwrap_or_default()) != Answer::No)
        .find_map(|at| match bytes.get(at.checked_sub(1)?)? {
            b'\n' | 0 => Some(at),
            b' ' => count_before(bytes, at, max).filter(|start| *start > 0),
            _ => None,
        })
}

/// Where `<PRI>` stands behind a line end, looked for from `seen` on.
pub(super) fn line_inside(bytes: &[u8], seen: usize) -> Option<usize> {
    let unseen = bytes.get(seen..)?;
    memchr_iter(b'\n', unseen)
        .map(|end| seen + end + 1)
        .find(|at| priority(bytes.get(*at..).unwrap_or_default()) == Answer::Yes)
}

/// Where the count begins that stands, with a space, before the `<` at `at`.
///
/// A message that ends in digits runs into the count behind it: the longest count that fits what
/// follows it is taken, else the longest that the limit allows.
pub(super) fn count_before(bytes: &[u8], at: usize, max: usize) -> Option<usize> {
    let space = at.checked_sub(1)?;
    let before = bytes.get(..space)?;
    let digits = before.iter().rev().take(MOST_DIGITS).take_while(|byte| byte.is_ascii_digit());
    let first = space - digits.count();
    let starts = || {
        (first..space)
            .filter(|start| bytes.get(*start) != Some(&b'0'))
            .map(|start| (start, number(bytes.get(start..space).unwrap_or_default())))
            .filter_map(|(start, count)| Some((start, usize::try_from(count).ok()?)))
            .filter(|(_, count)| (SHORTEST..=max).contains(count))
    };
    let fits = starts().find(|(_, count)| match bytes.get(at.saturating_add(*count)..) {
        Some(rest) => follows(rest) != Answer::No,
        None => false,
    });
    fits.or_else(|| starts().next()).map(|(start, _)| start)
}

fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit.wrapping_sub(b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_from_numbers() {
        let is = |count, length, priority| Count::Is { count, length, priority };
        for (text, expected) in [
            ("12 <13>x", is(12, 3, true)),
            ("12 <b>x", is(12, 3, false)),
            ("12 monkeys", is(12, 3, false)),
            ("9999999999 <1", is(9_999_999_999, 11, true)),
            ("12345678901 <1", Count::No),
            ("2026-11-20", Count::No),
            ("012 <13>x", Count::No),
            ("12", Count::Unclear),
            ("12 ", Count::Unclear),
            ("12 <", Count::Unclear),
            ("", Count::Unclear),
            ("<13>", Count::No),
        ] {
            assert_eq!(count(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn starts_inside_are_found() {
        for (text, expected) in [
            ("<13>a\n<14>b", Some(6)),
            ("<13>a\0<14>b", Some(6)),
            ("<13>a9 <14>b", Some(5)),
            ("<13>port 226 <14>ab7 <13>xyz", Some(11)),
            ("<13>port 22 <14>abc", Some(9)),
            ("<13>a55 <1", Some(5)),
            ("<13>a <14>b", None),
            ("<13>a\n<140x>b", None),
            ("<13>a\n<1400>b", None),
            ("<13>a\n<14", Some(6)),
            ("<13>0 <14>b", None),
            ("5 <13>a", None),
        ] {
            assert_eq!(inside(text.as_bytes(), 1000), expected, "{text}");
        }
    }
}
