//! Syslog as text: finds out which form a line has and takes its envelope off.
//!
//! RFC 3164 in the ways programs really write it, RFC 5424, and the time stamps of rsyslog's
//! templates. Nothing here knows what a program says.

mod cisco;
mod embedded;
mod relay;
mod rfc3164;
mod rfc5424;
mod tag;

use bergfried_event::Event;

use crate::Context;
use crate::line::Line;
use crate::programs;
use crate::text::number;

pub(crate) use cisco::mnemonic;
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

/// The code of a facility by its name.
pub(crate) fn facility(name: &str) -> Option<u8> {
    let code = FACILITIES.iter().position(|known| *known == name)?;
    u8::try_from(code).ok()
}

/// The code of a severity by its name or one of the older names.
pub(crate) fn severity(name: &str) -> Option<u8> {
    let name = match name {
        "error" => "err",
        "warn" => "warning",
        "panic" => "emerg",
        name => name,
    };
    let code = SEVERITIES.iter().position(|known| *known == name)?;
    u8::try_from(code).ok()
}

/// The most digits of a count of bytes that is taken for one; more than any frame has, as counts lie.
const LONGEST_COUNT: usize = 20;

/// Facility and severity in one number, as `<PRI>` holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Priority {
    facility: u8,
    severity: u8,
}

/// A message out of its envelope.
struct Opened<'a> {
    line: Line<'a>,
    /// What RFC 5424 says beside.
    message_id: Option<&'a str>,
    parameters: Vec<rfc5424::Parameter<'a>>,
}

/// Reads a line of any syslog form, or of a log that a known program writes in a form of its own.
pub(crate) fn parse<'a>(text: &'a str, context: &Context<'_>) -> Event<'a> {
    if let Some(line) = programs::own_line(text, context) {
        return line.into_event(text, context);
    }
    let mut opened = open(text, context);
    relay::unwrap(&mut opened, context);
    let Opened { line, message_id, parameters } = opened;
    let object = embedded::object(&line);
    let mut event = line.into_event(text, context);
    rfc5424::push(&mut event, message_id, parameters);
    if let Some(object) = object {
        embedded::push(&mut event, object, context);
    }
    event
}

/// Takes one envelope off.
fn open<'a>(text: &'a str, context: &Context<'_>) -> Opened<'a> {
    // The journal drops spaces at the end, so a line means the same with and without.
    let line = text.trim_end_matches(['\r', '\n', '\0', ' ']);
    let line = front(line);
    let (priority, rest) = match priority(line) {
        Some((priority, rest)) => (Some(priority), rest),
        None => (None, without_odd_priority(line)),
    };
    let rest = if rest.len() < line.len() { front(rest) } else { rest };
    rfc5424::parse(priority, rest, context).unwrap_or_else(|| Opened {
        line: rfc3164::parse(priority, rest, context),
        message_id: None,
        parameters: Vec::new(),
    })
}

/// The line without the dirt that senders put in front: a byte order mark, blanks, NUL, and before
/// `<PRI>` also a count (of a frame that lost its connection) or a few marks.
fn front(line: &str) -> &str {
    let blank = |c: char| matches!(c, '\u{feff}' | '\0' | '\r' | '\n' | '\t');
    let clean = line.trim_start_matches(blank);
    let near = clean.as_bytes();
    let is_mark = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'<' | b'[' | b'{');
    let digits = near.iter().take(LONGEST_COUNT).take_while(|byte| byte.is_ascii_digit()).count();
    let dirt = match digits {
        0 => near.iter().take(17).take_while(|byte| is_mark(byte)).count(),
        digits if near.get(digits) == Some(&b' ') => digits + 1,
        _ => return clean,
    };
    match clean.get(dirt..) {
        Some(rest) if dirt > 0 && priority(rest).is_some() => rest,
        _ => clean,
    }
}

/// Reads `<PRI>`: at most three digits up to 191 (RFC 3164 section 4.1.1).
fn priority(text: &str) -> Option<(Priority, &str)> {
    let near = text.as_bytes().get(..5.min(text.len()))?;
    if near.first() != Some(&b'<') {
        return None;
    }
    let end = near.iter().position(|byte| *byte == b'>')?;
    let code = u8::try_from(number(near.get(1..end)?)?).ok().filter(|code| *code <= 191)?;
    Some((Priority { facility: code / 8, severity: code % 8 }, text.get(end + 1..)?))
}

/// The text without a `<PRI>` that is out of range or empty; RFC 3164 section 4.3.3 takes such a
/// message as one without.
fn without_odd_priority(text: &str) -> &str {
    let Some((inside, rest)) = text.strip_prefix('<').and_then(|rest| rest.split_once('>')) else {
        return text;
    };
    let odd = inside.len() <= 10 && inside.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if odd { rest } else { text }
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Field, Timestamp, Value};

    use super::*;

    fn context() -> Context<'static> {
        Context {
            received: Timestamp::from_seconds(1_795_262_400),
            host: "collector",
            time_zone: jiff::tz::TimeZone::UTC,
            year: None,
        }
    }

    #[test]
    fn priority_has_a_range() {
        assert_eq!(priority("<86>x"), Some((Priority { facility: 10, severity: 6 }, "x")));
        for text in ["<192>x", "<>x", "<-1>x", "<0000>x", "<1", "86>x", "<a>"] {
            assert_eq!(priority(text), None, "{text}");
        }
        for (text, rest) in [("<192>x", "x"), ("<>x", "x"), ("<-1>x", "x"), ("<a>x", "<a>x")] {
            assert_eq!(without_odd_priority(text), rest);
        }
    }

    #[test]
    fn dirt_in_front_goes() {
        for (text, rest) in [
            ("\u{feff}<13>x", "<13>x"),
            (" <13>x", "<13>x"),
            ("\0\n<13>x", "<13>x"),
            ("45 <13>x", "<13>x"),
            ("?: <13>x", "<13>x"),
            ("\u{fffd}\u{fffd}<13>x", "<13>x"),
            ("99999999999 <13>x", "<13>x"),
            ("45 x", "45 x"),
            ("45 <b>x", "45 <b>x"),
            ("  x", "  x"),
            ("a <13>x", "a <13>x"),
            ("<13>x", "<13>x"),
            ("", ""),
        ] {
            assert_eq!(front(text), rest, "{text}");
        }
    }

    #[test]
    fn messages_of_several_lines_and_with_controls_are_whole() {
        for (text, host, program, message) in [
            (
                "<13>Nov 20 10:11:12 a app[1]: one\n two\nthree\n",
                "a",
                Some("app"),
                "one\n two\nthree",
            ),
            ("<13>Nov 20 10:11:12 a app: x\0\0\n", "a", Some("app"), "x"),
            ("\0\r\n<13>Nov 20 10:11:12 a app: x\r\n", "a", Some("app"), "x"),
            ("<13>1 - a app - - - one\ntwo", "a", Some("app"), "one\ntwo"),
            ("<13>\u{feff}Nov 20 10:11:12 a app: \u{1}x\u{7f}", "a", Some("app"), "\u{1}x\u{7f}"),
            ("<13> Nov 20 10:11:12 a app: x", "a", Some("app"), "x"),
            ("<13>  x y", "collector", None, "  x y"),
            ("<13>", "collector", None, ""),
            ("<13>\n", "collector", None, ""),
            ("<13", "collector", None, "<13"),
            ("<999>x\ny", "collector", None, "x\ny"),
        ] {
            let event = parse(text, &context());
            assert_eq!(event.original(), text);
            assert_eq!(event.text(Field::HostName), Some(host), "{text:?}");
            assert_eq!(event.text(Field::ProcessName), program, "{text:?}");
            assert_eq!(event.text(Field::Message), Some(message), "{text:?}");
        }
    }

    #[test]
    fn an_older_relay_stamps_the_newer_form() {
        let newer = "1 2026-11-20T10:11:10.5Z web1 shop 42 IN7 [a@1 b=\"c\"] - x";
        for front in ["<35>Nov 20 10:11:12 ", "<35>Nov 20 10:11:12 relay "] {
            let text = format!("{front}{newer}");
            let event = parse(&text, &context());
            assert_eq!(event.created().to_string(), "2026-11-20T10:11:10.500000Z");
            for (field, expected) in [
                (Field::HostName, "web1"),
                (Field::ProcessName, "shop"),
                (Field::Message, "- x"),
                (Field::SyslogMsgId, "IN7"),
                (Field::SyslogSeverity, "err"),
                (Field::SyslogFacility, "auth"),
            ] {
                assert_eq!(event.text(field), Some(expected), "{field:?} {text:?}");
            }
            assert_eq!(event.get(Field::ProcessPid), Some(&Value::Int(42)), "{text:?}");
        }
        for (text, host, program) in [
            ("<13>Nov 20 10:11:12 1 2026-11-20T10:11:10Z web1 shop: x - -", "web1", Some("shop")),
            ("<13>Nov 20 10:11:12 gate 1 - a b c -", "gate", None),
            ("<13>Nov 20 10:11:12 gate 1 2 3 4 5 - 6", "gate", None),
            (
                "<13>Nov 20 10:11:12 gate sshd[1]: 1 2026-11-20T10:11:10Z a b - - - x",
                "gate",
                Some("sshd"),
            ),
        ] {
            let event = parse(text, &context());
            assert_eq!(event.text(Field::HostName), Some(host), "{text:?}");
            assert_eq!(event.text(Field::ProcessName), program, "{text:?}");
        }
    }

    #[test]
    fn relays_in_relays_end() {
        let header = "<13>Nov 20 10:11:12 relay ";
        let text = header.repeat(5_000) + "<38>Nov 20 10:11:12 a sshd[1]: x";
        let event = parse(&text, &context());
        assert_eq!(event.text(Field::HostName), Some("relay"));
        assert_eq!(event.original(), text);
    }
}
