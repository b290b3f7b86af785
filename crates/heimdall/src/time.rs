//! The times that agents write.

use bergfried_event::Timestamp;

/// From this many on, a number counts milliseconds, and a thousand times as many, microseconds. As
/// seconds it is the year 5138, as milliseconds 1973.
const MILLISECONDS: f64 = 1e11;
const MICROSECONDS: f64 = 1e14;

/// Reads ISO 8601 with `T` or a space, with an offset or without one (UTC), with both an offset and a
/// `Z` as `isoformat() + "Z"` makes it, a date alone (its midnight), and a number since 1970 of seconds,
/// milliseconds or microseconds.
pub fn read_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Some(inner) = text.strip_suffix(['Z', 'z'])
        && let Ok(time) = inner.parse::<Timestamp>()
    {
        return Some(time);
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = text.parse().ok().filter(|_| is_number)?;
    let micros = match number {
        number if number >= MICROSECONDS => number,
        number if number >= MILLISECONDS => number * 1e3,
        number => number * 1e6,
    };
    // The end of the year 9999.
    #[expect(clippy::cast_possible_truncation, reason = "within the bounds just checked")]
    (micros < 253_402_300_800e6).then(|| Timestamp::from_micros(micros.round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_that_python_writes_is_read() {
        let noon = "2026-03-01T12:00:00Z";
        for (text, expected) in [
            ("2026-03-01T12:00:00Z", Some(noon)),
            ("2026-03-01T12:00:00", Some(noon)),
            ("2026-03-01 12:00:00", Some(noon)),
            (" 2026-03-01T12:00:00+00:00 ", Some(noon)),
            ("2026-03-01T13:00:00+01:00", Some(noon)),
            ("2026-03-01T12:00:00+00:00Z", Some(noon)),
            ("2026-03-01T12:00:00.250000Z", Some("2026-03-01T12:00:00.250000Z")),
            ("2026-03-01", Some("2026-03-01T00:00:00Z")),
            ("1772366400", Some(noon)),
            ("1772366400.25", Some("2026-03-01T12:00:00.250000Z")),
            ("1772366400000", Some(noon)),
            ("1772366400000000", Some(noon)),
            ("99999999999999999999", None),
            ("yesterday", None),
            ("", None),
            ("Z", None),
            ("nan", None),
            ("1e9", None),
            ("2026-13-01T12:00:00Z", None),
        ] {
            assert_eq!(read_time(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }
}
