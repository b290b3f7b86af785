//! Falco without `json_output`: `10:00:00.478445995: Critical A shell was spawned (user=root …)`.
//! Its JSON is read in `json/products/falco.rs`.

use bergfried_event::{Event, Field, FieldName};

use super::{Program, level};
use crate::Context;
use crate::line::Line;
use crate::stamp;

pub(super) const PROGRAM: Program = Program { name: "falco", tags: &["falco"], read };

/// Falco's priorities are those of syslog, spelled out.
const PRIORITIES: [(&str, u8); 9] = [
    ("emergency", 0),
    ("alert", 1),
    ("critical", 2),
    ("error", 3),
    ("warning", 4),
    ("notice", 5),
    ("informational", 6),
    ("info", 6),
    ("debug", 7),
];

/// The code in syslog of a priority by its word.
pub(crate) fn priority(word: &str) -> Option<u8> {
    let known = PRIORITIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map(|(_, code)| *code)
}

/// A line of `file_output`: with `time_format_iso_8601` it has a date, else the time that it was read
/// counts.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    if !text.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    priority(timed(text)?)?;
    let created = stamp::iso(text, context).and_then(|(created, _)| created);
    let mut line = Line::bare(text, created.unwrap_or(context.received));
    line.program = Some("falco".into());
    Some(line)
}

/// The word behind the time of `10:00:00.478445995: Critical …` and of
/// `2026-11-21T10:00:00.478445995+0000: Critical …`.
fn timed(text: &str) -> Option<&str> {
    let clock = match text.get(..11) {
        Some(date) if date.ends_with('T') => text.get(11..)?,
        _ => text,
    };
    // All nine digits of the fraction are there always.
    let (time, rest) = clock.split_at_checked(18)?;
    let is_time = time.bytes().enumerate().all(|(at, byte)| match at {
        2 | 5 => byte == b':',
        8 => byte == b'.',
        _ => byte.is_ascii_digit(),
    });
    let rest = rest.strip_prefix("+0000").unwrap_or(rest);
    let (word, _) = rest.strip_prefix(": ")?.split_once(' ')?;
    is_time.then_some(word)
}

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let Some(word) = timed(message) else { return };
    let Some(code) = priority(word) else { return };
    event.push(Field::EventModule, "falco");
    event.push(Field::EventKind, "alert");
    event.push(Field::EventCategory, "intrusion_detection");
    event.push(Field::EventType, "info");
    event.push(Field::EventAction, "alert");
    event.push_named(FieldName::Other("falco.priority".into()), word);
    level(event, code);
}

#[cfg(test)]
mod tests {
    use bergfried_event::{SourceKind, Timestamp};

    use super::*;

    #[test]
    fn plain_lines_have_their_priority_and_time() {
        let received = Timestamp::from_seconds(1_795_262_400);
        let context =
            Context { received, host: "h", time_zone: jiff::tz::TimeZone::UTC, year: None };
        let dated = "2026-11-21T10:00:00.478445995+0000: Critical A shell (user=root)";
        for (line, priority, time) in [
            ("10:00:00.478445995: Notice A shell (user=root)", Some("Notice"), received),
            (dated, Some("Critical"), "2026-11-21T10:00:00.478445Z".parse().unwrap()),
            ("10:00:00.478445995: Nonsense A shell", None, received),
            ("10:00:00: Notice A shell", None, received),
            (
                "2026-11-21T10:00:00Z host app: Notice x",
                None,
                "2026-11-21T10:00:00Z".parse().unwrap(),
            ),
        ] {
            let event = crate::parse(SourceKind::File, line, &context);
            let found = event.get_named(&FieldName::Other("falco.priority".into()));
            assert_eq!(found.and_then(|found| found.as_str()), priority, "{line}");
            assert_eq!(event.created(), time, "{line}");
        }
    }
}
