//! How action lists are cut: at semicolons outside parentheses, then at blanks.

use super::{RuleOffset, VariableName};

/// Splits a list at its semicolons.
pub(super) fn split(text: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if text.get(at + 1).is_some_and(|next| b"()".contains(next)) => at += 1,
            b'(' => depth += 1,
            b')' => {
                depth = depth.checked_sub(1).ok_or("a parenthesis is closed that was not opened")?
            }
            b';' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    if depth > 0 {
        return Err("a parenthesis is not closed".to_owned());
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts)
}

/// How long the parenthesised text is that a text begins with.
pub(super) fn parenthesised(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'(') {
        return None;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if text.get(at + 1).is_some_and(|next| b"()".contains(next)) => at += 1,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The first word, and what follows it.
pub(super) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_ascii_start())
}

pub(super) fn words(text: &[u8]) -> Vec<&[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect()
}

pub(super) fn variable_name(word: &[u8]) -> Option<VariableName> {
    let name = word.trim_ascii().strip_prefix(b"%")?;
    let good = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    good.then(|| String::from_utf8_lossy(name).into_owned().into())
}

pub(super) fn rule_offset(word: &[u8]) -> Option<RuleOffset> {
    let text = std::str::from_utf8(word).ok()?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    Some(match text.as_bytes().first() {
        Some(b'+') => RuleOffset::Relative(number),
        Some(b'-') => RuleOffset::Relative(-number),
        _ if number == 0 => RuleOffset::Relative(0),
        _ => RuleOffset::Number(usize::try_from(number).ok()? - 1),
    })
}
