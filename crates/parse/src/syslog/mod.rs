//! Syslog as text: finds out which form a line has and takes its envelope off.
//!
//! RFC 3164 in the ways programs really write it, RFC 5424, and the time stamps of rsyslog's
//! templates. Nothing here knows what a program says.

mod rfc3164;
mod rfc5424;
mod tag;

use bergfried_event::Event;

use crate::Context;
use crate::text::number;

pub(crate) use tag::unqualified;

/// Names of facilities by code, RFC 5424 section 6.2.1.
pub(crate) const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

/// Names of severities by code, RFC 5424 section 6.2.1.
pub(crate) const SEVERITIES: [&str; 8] =
    ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// Facility and severity in one number, as `<PRI>` holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Priority {
    facility: u8,
    severity: u8,
}

/// Reads a line of any syslog form.
pub(crate) fn parse<'a>(text: &'a str, context: &Context<'_>) -> Event<'a> {
    let line = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The journal drops spaces at the end, so a line means the same with and without.
    let line = line.trim_end_matches(['\r', '\n', ' ']);
    let (priority, rest) = match priority(line) {
        Some((priority, rest)) => (Some(priority), rest),
        None => (None, line),
    };
    if let Some(event) = rfc5424::parse(priority, rest, text, context) {
        return event;
    }
    rfc3164::parse(priority, rest, context).into_event(text, context)
}

/// Reads `<PRI>`: at most three digits up to 191 (RFC 3164 section 4.1.1).
fn priority(text: &str) -> Option<(Priority, &str)> {
    let (digits, rest) = text.strip_prefix('<')?.split_once('>')?;
    if digits.len() > 3 {
        return None;
    }
    let code = u8::try_from(number(digits.as_bytes())?).ok().filter(|code| *code <= 191)?;
    Some((Priority { facility: code / 8, severity: code % 8 }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priority_has_a_range() {
        assert_eq!(priority("<86>x"), Some((Priority { facility: 10, severity: 6 }, "x")));
        for text in ["<192>x", "<>x", "<-1>x", "<0000>x", "<1", "86>x", "<a>"] {
            assert_eq!(priority(text), None, "{text}");
        }
    }
}
