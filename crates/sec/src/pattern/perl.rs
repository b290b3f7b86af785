//! Patterns as both engines must be told them to read them as Perl does where they come out of a
//! variable, as all patterns of rules do.

/// Letters that mean themselves after a backslash in Perl: it has no escape of that name, or one of
/// its texts only (`\Q`, `\l`). PCRE2 takes them for mistakes, and `C:\logs` is written often.
const LETTERS: &[u8] = b"EFIJLMOQTUYijlmquy";
/// The same between brackets, where what asserts or refers has no meaning.
const LETTERS_OF_CLASSES: &[u8] = b"ABCEFGIJKLMOQRTUXYZgijklmquyz";

/// The pattern as Perl reads it: unknown escapes are letters, a hyphen beside `\w` or `[:alpha:]` is a
/// hyphen, `[:alpha:]` by itself is a set of letters, `\x` without digits is NUL, characters beyond a
/// byte are in no line, flags that choose a character set change nothing for bytes, and what shall come
/// more often than it may, `{3,2}`, never matches.
pub(crate) fn as_perl_reads(pattern: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(pattern.len());
    let mut at = 0;
    while let Some(rest) = pattern.get(at..).filter(|rest| !rest.is_empty()) {
        at += match rest {
            [b'\\', ..] => {
                let (length, character) = escape(rest, LETTERS);
                match character {
                    Escape::Other => text.extend_from_slice(rest.get(..length).unwrap_or(rest)),
                    Escape::Letter(letter) => text.push(letter),
                    Escape::Byte(byte) => push_byte(&mut text, byte),
                    Escape::Beyond => text.extend_from_slice(b"(?!)"),
                }
                length
            }
            [b'[', inner @ ..] => match class(inner, &mut text) {
                Some(length) => 1 + length,
                None => {
                    text.extend_from_slice(rest);
                    rest.len()
                }
            },
            [b'(', b'?', flags @ ..] => {
                text.extend_from_slice(b"(?");
                2 + character_set_flags(flags, &mut text)
            }
            [b'{', ..] => match backwards(rest) {
                Some(length) => {
                    text.extend_from_slice(b"{1}(?!)");
                    length
                }
                None => {
                    text.push(b'{');
                    1
                }
            },
            [byte, ..] => {
                text.push(*byte);
                1
            }
            [] => break,
        };
    }
    text
}

/// What an escape is.
enum Escape {
    /// What the engines know themselves.
    Other,
    Letter(u8),
    Byte(u8),
    /// A character that no byte is.
    Beyond,
}

/// The escape that a text begins with, and its length.
fn escape(text: &[u8], letters: &[u8]) -> (usize, Escape) {
    match text {
        [_, b'x', b'{', rest @ ..] => match rest.iter().position(|byte| *byte == b'}') {
            Some(end) => (end + 4, character(rest.get(..end).unwrap_or_default())),
            None => (2, Escape::Byte(0)),
        },
        [_, b'N', b'{', b'U', b'+', rest @ ..] => {
            match rest.iter().position(|byte| *byte == b'}') {
                Some(end) => (end + 6, character(rest.get(..end).unwrap_or_default())),
                None => (2, Escape::Other),
            }
        }
        [_, b'x', rest @ ..] if !rest.first().is_some_and(u8::is_ascii_hexdigit) => {
            (2, Escape::Byte(0))
        }
        // Of these the next one belongs to it, whatever it is.
        [_, b'c', _, ..] => (3, Escape::Other),
        [_, letter, ..] if letters.contains(letter) || !letter.is_ascii() => {
            (2, Escape::Letter(*letter))
        }
        _ => (text.len().min(2), Escape::Other),
    }
}

/// The character of so many hexadecimal digits.
fn character(digits: &[u8]) -> Escape {
    let mut value = 0u32;
    for digit in digits.iter().filter(|byte| !b" \t_".contains(byte)) {
        let Some(digit) = char::from(*digit).to_digit(16) else { break };
        value = value.saturating_mul(16).saturating_add(digit);
    }
    u8::try_from(value).map_or(Escape::Beyond, Escape::Byte)
}

fn push_byte(text: &mut Vec<u8>, byte: u8) {
    text.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
}

/// A member of a class.
enum Member<'a> {
    /// One byte, as it is written.
    One(std::borrow::Cow<'a, [u8]>),
    /// Several bytes: `\w`, `[:alpha:]`.
    Several(&'a [u8]),
    Beyond,
}

/// Writes the class that a text after its bracket begins with, and says how long it is with the
/// bracket that ends it; nothing where it does not end.
fn class(inner: &[u8], text: &mut Vec<u8>) -> Option<usize> {
    let negated = inner.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let first = at;
    let mut members = Vec::new();
    loop {
        let rest = inner.get(at..)?;
        if rest.first()? == &b']' && at > first {
            break;
        }
        let (length, from) = member(rest)?;
        at += length;
        let rest = inner.get(at..)?;
        let range = matches!(rest, [b'-', end, ..] if *end != b']');
        let Some((length, to)) = range.then(|| member(rest.get(1..)?)).flatten() else {
            push_member(&mut members, &from);
            continue;
        };
        // What has several bytes is no end of a range: the hyphen is one, and may begin another range.
        match (&from, &to) {
            (Member::Several(_), _) => push_member(&mut members, &from),
            (_, Member::Several(_)) => {
                push_member(&mut members, &from);
                members.extend_from_slice(b"\\-");
                push_member(&mut members, &to);
                at += 1 + length;
            }
            (Member::Beyond, _) => at += 1 + length,
            (Member::One(_), to) => {
                push_member(&mut members, &from);
                members.push(b'-');
                match to {
                    Member::Beyond => members.extend_from_slice(b"\\xff"),
                    to => push_member(&mut members, to),
                }
                at += 1 + length;
            }
        }
    }
    match (members.is_empty(), negated) {
        (true, true) => text.extend_from_slice(b"(?s:.)"),
        (true, false) => text.extend_from_slice(b"(?!)"),
        (false, _) => {
            text.push(b'[');
            if negated {
                text.push(b'^');
            }
            // `[:alpha:]` by itself is a set of letters, and a member that is left out leaves none of
            // the others at a place where it says something else.
            if members.first().is_some_and(|byte| b":.=^".contains(byte)) {
                text.push(b'\\');
            }
            text.extend_from_slice(&members);
            text.push(b']');
        }
    }
    Some(at + 1)
}

/// The member that a text begins with, and its length.
fn member(text: &[u8]) -> Option<(usize, Member<'_>)> {
    match text {
        [b'[', b':', rest @ ..] => {
            let name = rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'^');
            let length = 2 + name.count();
            if text.get(length..).is_some_and(|rest| rest.starts_with(b":]")) {
                return Some((length + 2, Member::Several(text.get(..length + 2)?)));
            }
            Some((1, Member::One(b"[".into())))
        }
        [b'\\', b'p' | b'P', b'{', ..] => {
            let length = text.iter().position(|byte| *byte == b'}')? + 1;
            Some((length, Member::Several(text.get(..length)?)))
        }
        [b'\\', b'p' | b'P', _, ..] => Some((3, Member::Several(text.get(..3)?))),
        [b'\\', letter, ..] if b"dDhHNsSvVwW".contains(letter) && !text.starts_with(b"\\N{") => {
            Some((2, Member::Several(text.get(..2)?)))
        }
        [b'\\', digit, rest @ ..] if digit.is_ascii_digit() => {
            let length = 2 + rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
            Some((length, Member::One(text.get(..length)?.into())))
        }
        [b'\\', b'x', digits @ ..] if digits.first().is_some_and(u8::is_ascii_hexdigit) => {
            let length =
                2 + digits.iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
            Some((length, Member::One(text.get(..length)?.into())))
        }
        [b'\\', b'o', b'{', ..] => {
            let length = text.iter().position(|byte| *byte == b'}')? + 1;
            Some((length, Member::One(text.get(..length)?.into())))
        }
        [b'\\', _, ..] => {
            let (length, character) = escape(text, LETTERS_OF_CLASSES);
            let member = match character {
                Escape::Other => Member::One(text.get(..length)?.into()),
                Escape::Letter(letter) => Member::One(vec![letter].into()),
                Escape::Byte(byte) => Member::One(format!("\\x{byte:02x}").into_bytes().into()),
                Escape::Beyond => Member::Beyond,
            };
            Some((length, member))
        }
        [_, ..] => Some((1, Member::One(text.get(..1)?.into()))),
        [] => None,
    }
}

fn push_member(text: &mut Vec<u8>, member: &Member<'_>) {
    match member {
        // A hyphen by itself is not to make a range of its neighbours.
        Member::One(byte) if byte.as_ref() == b"-" => text.extend_from_slice(b"\\-"),
        Member::One(byte) => text.extend_from_slice(byte),
        Member::Several(class) => text.extend_from_slice(class),
        Member::Beyond => {}
    }
}

/// Writes the flags that a text begins with, without those that choose a character set: bytes have but
/// one. Says how much of the text that was.
fn character_set_flags(text: &[u8], to: &mut Vec<u8>) -> usize {
    let length = text
        .iter()
        .take_while(|byte| byte.is_ascii_lowercase() || matches!(byte, b'^' | b'-'))
        .count();
    if !matches!(text.get(length), Some(b':' | b')')) {
        return 0;
    }
    let flags = text.get(..length).unwrap_or_default();
    let off = flags.iter().position(|flag| *flag == b'-').unwrap_or(flags.len());
    let (on, off) = flags.split_at(off);
    to.extend(on.iter().filter(|flag| !b"adlup".contains(flag)));
    // What was never on cannot be taken away: that is a mistake in Perl, too.
    to.extend(off.iter().filter(|flag| **flag != b'p'));
    length
}

/// How long the repetition is that a text begins with, if its least is more than its most.
fn backwards(text: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'}', text)?;
    let (least, most) = std::str::from_utf8(text.get(1..end)?).ok()?.split_once(',')?;
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok());
    let (least, most): (u32, u32) = (number(least)??, number(most)??);
    (least > most).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_told_as_perl_reads_them() {
        for (pattern, told) in [
            (r"^a(b|c)+\d\.[^x-z]$", r"^a(b|c)+\d\.[^x-z]$"),
            (r"[\w-.]+[-\w]", r"[\w\-.]+[\-\w]"),
            (r"[a-\d-z]", r"[a\-\d\-z]"),
            (r"[[:alpha:]-z]", r"[[:alpha:]\-z]"),
            (r"[\w--/]", r"[\w\--/]"),
            (r"[]-a]b]", r"[]-a]b]"),
            (r"[:alpha:]", r"[\:alpha:]"),
            (r"D:\logs\Users", r"D:logsUsers"),
            (r"[\Q\E\n]", r"[QE\n]"),
            (r"\\Q\\l", r"\\Q\\l"),
            (r"\x\x{}\xg\x4", r"\x00\x00\x00g\x4"),
            (r"\x{41}[\N{U+42}]\cA\c[b]", r"\x41[\x42]\cA\c[b]"),
            (r"a\x{100}", r"a(?!)"),
            (r"[\x{100}][^\x{100}][\x{100}^]", r"(?!)(?s:.)[\^]"),
            (r"[a-\x{100}]", r"[a-\xff]"),
            (r"(?a)(?^aai:b)(?<n>c)(?=d)", r"(?)(?^i:b)(?<n>c)(?=d)"),
            (r"(?ai-ip:a)(?-u:b)", r"(?i-i:a)(?-u:b)"),
            (r"a{3,2}b{2,3}", r"a{1}(?!)b{2,3}"),
            (r"[a", r"[a"),
            (r"a\", r"a\"),
        ] {
            let text = as_perl_reads(pattern.as_bytes());
            assert_eq!(String::from_utf8_lossy(&text), told, "{pattern}");
        }
        assert_eq!(as_perl_reads("\\é[\\é]".as_bytes()), "é[é]".as_bytes());
    }
}
