//! When an object says that it happened.

use bergfried_event::{Timestamp, Value};

use crate::Context;
use crate::stamp;

/// How far a name at the top of an object is trusted to hold the time of the event; 0 is the most.
pub(crate) fn rank(name: &str) -> Option<u8> {
    Some(match name.len() {
        2 if name == "ts" => 5,
        4 if name == "time" => 4,
        5 if name == "_time" => 4,
        7 if name == "UtcTime" => 1,
        7 if name == "ISODATE" => 3,
        9 if name == "EventTime" => 3,
        9 if name == "timestamp" || name == "Timestamp" || name == "eventTime" => 4,
        10 if name == "@timestamp" => 2,
        10 if name == "event_time" => 4,
        10 if name == "SystemTime" => 0,
        11 if name == "TimeCreated" => 0,
        12 if name == "timereported" => 3,
        13 if name == "TimeGenerated" || name == "event.created" => 5,
        13 if name == "timegenerated" => 5,
        _ => return None,
    })
}

/// The time that a value tells: RFC 3339 and its relatives, or a number since 1970 in seconds,
/// milliseconds, microseconds or nanoseconds.
pub(crate) fn read(name: &str, value: &Value<'_>, context: &Context<'_>) -> Option<Timestamp> {
    match value {
        Value::Text(text) => read_text(name, text, context),
        Value::Int(number) => epoch(*number),
        Value::Float(seconds) if seconds.abs() < 1e11 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
            Some(Timestamp::from_micros((seconds * 1e6).round() as i64))
        }
        _ => None,
    }
}

/// As [`read`], of text. Sysmon's `UtcTime` and the times of EVTX are UTC, whatever zone others mean.
pub(crate) fn read_text(name: &str, text: &str, context: &Context<'_>) -> Option<Timestamp> {
    let text = text.trim();
    if matches!(name, "UtcTime" | "SystemTime" | "TimeCreated") {
        let utc = Context { time_zone: jiff::tz::TimeZone::UTC, ..*context };
        return known_form(text, &utc);
    }
    known_form(text, context)
}

fn known_form(text: &str, context: &Context<'_>) -> Option<Timestamp> {
    if let Some((stamp, rest)) = stamp::iso(text, context)
        && rest.trim_start().is_empty()
    {
        return stamp;
    }
    // As web servers write it, in Apache's formats with brackets: [21/Nov/2026:10:00:00 +0100].
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Some((stamp, "")) = stamp::common_log(bare, context) {
        return stamp;
    }
    // As Snort writes it: 05/30-19:09:10.917356.
    if let Some((stamp, "")) = stamp::month_slash(text, context) {
        return stamp;
    }
    // As .NET writes a date: /Date(1600000000000)/.
    let digits = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/"));
    if let Ok(number) = digits.unwrap_or(text).parse::<i64>() {
        return epoch(number);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return read("", &Value::Float(seconds), context);
    }
    match stamp::read(text, context)? {
        (stamp, rest) if rest.trim_start().is_empty() => stamp,
        _ => None,
    }
}

/// The unit of a count since 1970 is told by its size: seconds reach into the year 5138.
pub(super) fn epoch(number: i64) -> Option<Timestamp> {
    let micros = match number.unsigned_abs() {
        0 => return None,
        1..100_000_000_000 => number.checked_mul(1_000_000)?,
        100_000_000_000..100_000_000_000_000 => number.checked_mul(1_000)?,
        100_000_000_000_000..100_000_000_000_000_000 => number,
        _ => number / 1_000,
    };
    Some(Timestamp::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_the_same_time() {
        let context = Context {
            received: Timestamp::from_seconds(1_800_000_000),
            host: "",
            time_zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
            year: None,
        };
        let expected = "2020-09-13T12:26:40.123Z".parse().ok();
        let text = |text: &'static str| Value::from(text);
        for (name, value) in [
            ("@timestamp", text("2020-09-13T12:26:40.123Z")),
            ("@timestamp", text("2020-09-13T14:26:40.123+02:00")),
            ("EventTime", text("2020-09-13 14:26:40.123")),
            ("UtcTime", text("2020-09-13 12:26:40.123")),
            ("SystemTime", text("2020-09-13T12:26:40.1230000Z")),
            ("TimeCreated", text("/Date(1600000000123)/")),
            ("time", text("[13/Sep/2020:14:26:40.123 +0200]")),
            ("ts", Value::Float(1_600_000_000.123)),
            ("ts", text("1600000000.123")),
            ("time", Value::Int(1_600_000_000_123)),
            ("time", Value::Int(1_600_000_000_123_000)),
            ("time", Value::Int(1_600_000_000_123_000_000)),
            ("time", text("1600000000123")),
        ] {
            assert!(rank(name).is_some(), "{name}");
            assert_eq!(read(name, &value, &context), expected, "{name} {value:?}");
        }
        for value in [text("yesterday"), Value::Int(0), Value::Float(f64::NAN), Value::Null] {
            assert_eq!(read("time", &value, &context), None, "{value:?}");
        }
    }
}
