//! Times as clients write them.

use bergfried_event::Timestamp;

/// What a time should look like, for errors.
pub(super) const EXPECTED: &str =
    "dates must be ISO 8601 date format YYYY-MM-DDThh:mm:ss.sssZ, or now-15m, now-12h, now-7d";

/// Milliseconds since the epoch, rounded down: what clients see of a time.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.micros().div_euclid(1_000)
}

/// Reads a time: RFC 3339, a date, or `now` with an offset in seconds, minutes, hours, days or weeks.
pub(super) fn read(text: &str, now: Timestamp) -> Option<i64> {
    let Some(offset) = text.strip_prefix("now") else {
        return text.parse().ok().map(millis);
    };
    if offset.is_empty() {
        return Some(millis(now));
    }
    let sign = match offset.chars().next()? {
        '-' => -1,
        '+' => 1,
        _ => return None,
    };
    let unit = match offset.chars().last()? {
        's' => Timestamp::SECOND,
        'm' => 60 * Timestamp::SECOND,
        'h' => 3_600 * Timestamp::SECOND,
        'd' => Timestamp::DAY,
        'w' => 7 * Timestamp::DAY,
        _ => return None,
    };
    let digits = offset.get(1..offset.len().checked_sub(1)?)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u32 = digits.parse().ok()?;
    Some(millis(now.plus_micros(unit.saturating_mul(sign).saturating_mul(amount.into()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_clients_write() {
        let now = Timestamp::from_micros(1_795_262_400_123_456);
        for (text, expected) in [
            ("2026-11-21T12:00:00.123Z", Some(1_795_262_400_123)),
            ("2026-11-21T12:00:00.123999Z", Some(1_795_262_400_123)),
            ("2026-11-21T12:00:00Z", Some(1_795_262_400_000)),
            ("2026-11-21T13:00:00+01:00", Some(1_795_262_400_000)),
            ("2026-11-21", Some(1_795_219_200_000)),
            ("now", Some(1_795_262_400_123)),
            ("now-1h", Some(1_795_258_800_123)),
            ("now+1s", Some(1_795_262_401_123)),
            ("now-4294967295w", Some(millis(Timestamp::MIN))),
            ("now-", None),
            ("now-h", None),
            ("now1h", None),
            ("now-+1h", None),
            ("now-1µ", None),
            ("nowadays", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(read(text, now), expected, "{text}");
        }
    }
}
