//! What the devices of Cisco write: IOS, IOS XE, IOS XR, NX-OS and the ASA.

use bergfried_event::Timestamp;

use super::rfc3164::with_tag;
use crate::Context;
use crate::line::Line;
use crate::stamp;
use crate::text::{is_host_name, number, skip_spaces};

/// A device numbers its messages up to twice.
const MOST_COUNTS: usize = 2;

/// Reads `29: router1: *Mar  1 18:46:11.123 CET: %SYS-5-CONFIG_I: …`: counts, the host, a mark for
/// a clock that is not set, then a stamp or how long the device is up, and a colon. All but the
/// last two may be missing, not both of the stamp and the mnemonic. In the ASA's form EMBLEM a colon
/// stands in front.
pub(super) fn read<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    let mut rest = text.strip_prefix(':').map_or(text, skip_spaces);
    let mut host = None;
    for _ in 0..MOST_COUNTS {
        match counted(rest) {
            Some(after) => rest = after,
            None => break,
        }
    }
    if mnemonic(rest).is_none()
        && let Some((word, after)) = rest.split_once(": ")
        && is_host_name(word)
        && uptime(word).is_none()
    {
        (host, rest) = (Some(word), after);
        rest = counted(rest).unwrap_or(rest);
    }
    // NX-OS ends a host with a space and a colon.
    if let Some((word, after)) = rest.split_once(" : ")
        && is_host_name(word)
    {
        (host, rest) = (Some(word), after);
    }
    // IOS XR names the processor before the stamp.
    if let Some((place, after)) = rest.split_once(':')
        && place.starts_with("RP/")
        && !place.contains(' ')
    {
        rest = after;
    }
    let (created, message) = timed(rest, context)?;
    let mut line = with_tag(message, created.unwrap_or(context.received));
    line.host = host.map(Into::into);
    Some(line)
}

/// The time, and the message behind it.
fn timed<'a>(text: &'a str, context: &Context<'_>) -> Option<(Option<Timestamp>, &'a str)> {
    let unmarked = text.strip_prefix(['*', '.']).unwrap_or(text);
    if let Some((stamp, rest)) = stamp::read(unmarked, context) {
        return Some((stamp, skip_spaces(zone(rest).strip_prefix(": ")?)));
    }
    if mnemonic(text).is_some() {
        return Some((None, text));
    }
    let (word, message) = text.split_once(": ")?;
    mnemonic(message)?;
    uptime(word).map(|()| (None, message))
}

/// What follows `29: `.
fn counted(text: &str) -> Option<&str> {
    let (count, rest) = text.split_once(": ")?;
    number(count.as_bytes())?;
    Some(skip_spaces(rest))
}

/// How long a device is up: `00:00:46`, `5d14h`, `1w2d`, `1y3w`.
fn uptime(word: &str) -> Option<()> {
    let word = word.strip_prefix(['*', '.']).unwrap_or(word);
    let fits =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'y' | b'w' | b'd' | b'h');
    let first = word.bytes().next()?;
    (word.len() >= 3 && first.is_ascii_digit() && word.bytes().all(fits)).then_some(())
}

/// Takes off the name of the zone before the colon; which offset it means depends on who says it, so
/// that the zone of the input counts.
pub(super) fn zone(rest: &str) -> &str {
    let Some((word, _)) = rest.strip_prefix(' ').and_then(|rest| rest.split_once(':')) else {
        return rest;
    };
    let is_zone = (2..=5).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase());
    match rest.get(word.len() + 1..) {
        Some(after) if is_zone && after.starts_with(": ") => after,
        _ => rest,
    }
}

/// `SYS-5-CONFIG_I` of a text that begins with `%SYS-5-CONFIG_I`, and its severity.
pub(crate) fn mnemonic(text: &str) -> Option<(&str, u8)> {
    let text = text.strip_prefix("%%").or_else(|| text.strip_prefix('%'))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/');
    let length = text.bytes().take(128).take_while(|byte| plain(*byte)).count();
    let code = text.get(..length)?;
    let ends = matches!(text.as_bytes().get(length), None | Some(b':' | b' '));
    let (facility, name) = code.rsplit_once('-')?;
    let (facility, severity) = facility.rsplit_once('-')?;
    let severity = number(severity.as_bytes()).filter(|severity| *severity < 8)?;
    let upper = facility.bytes().next()?.is_ascii_uppercase();
    if !ends || !upper || name.is_empty() {
        return None;
    }
    Some((code, u8::try_from(severity).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics_are_told_from_text() {
        for (text, expected) in [
            ("%SYS-5-CONFIG_I: x", Some(("SYS-5-CONFIG_I", 5))),
            ("%%ASA-6-605004: x", Some(("ASA-6-605004", 6))),
            ("%MGBL-CONFIG-6-DB_COMMIT : x", Some(("MGBL-CONFIG-6-DB_COMMIT", 6))),
            ("%SYS-5-CONFIG_I", Some(("SYS-5-CONFIG_I", 5))),
            ("%SYS-9-CONFIG_I: x", None),
            ("%d-5-x: x", None),
            ("%5-x", None),
            ("100%SYS-5-X", None),
        ] {
            assert_eq!(mnemonic(text), expected, "{text}");
        }
    }
}
