//! Parts of a date or time as it is written (Sigma modifiers appendix, "Time Modifiers").

/// A part of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Of the month, 1 to 31.
    Day,
    /// Of the year, 1 to 53 (ISO 8601: the week that holds the year's first Thursday is the first).
    Week,
    /// 1 to 12.
    Month,
    /// With its century.
    Year,
}

impl TimePart {
    /// This part of a text such as `2026-01-31T12:00:00Z` or `2026-01-31 12:00:00.123`.
    ///
    /// The digits count as they stand: an offset behind them changes nothing ("It is not designed
    /// to handle timezone or format conversions"). `None` where the text is no date, or a date alone
    /// whose hour or minute is asked for.
    pub fn of(self, text: &str) -> Option<u32> {
        let bytes = text.trim_start().as_bytes();
        let date = bytes.get(..10)?;
        let (year, month, day) =
            (number(date.get(..4)?)?, number(date.get(5..7)?)?, number(date.get(8..)?)?);
        let dashes = date.get(4) == Some(&b'-') && date.get(7) == Some(&b'-');
        if !dashes || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
            return None;
        }
        let after = bytes.get(10..).unwrap_or_default();
        match self {
            _ if after.first().is_some_and(|byte| byte.is_ascii_alphanumeric() && !is_t(*byte)) => {
                None
            }
            TimePart::Year => Some(year),
            TimePart::Month => Some(month),
            TimePart::Day => Some(day),
            TimePart::Week => Some(week(year, month, day)),
            TimePart::Hour => clock(after).map(|(hour, _)| hour),
            TimePart::Minute => clock(after).map(|(_, minute)| minute),
        }
    }
}

fn is_t(byte: u8) -> bool {
    byte.eq_ignore_ascii_case(&b'T')
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, byte| {
        byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0'))
    })
}

/// Hour and minute of `T12:00…` or ` 12:00…`.
fn clock(after: &[u8]) -> Option<(u32, u32)> {
    let (first, rest) = after.split_first()?;
    if !is_t(*first) && *first != b' ' || rest.get(2) != Some(&b':') {
        return None;
    }
    let (hour, minute) = (number(rest.get(..2)?)?, number(rest.get(3..5)?)?);
    let ends = !rest.get(5).is_some_and(u8::is_ascii_digit);
    (ends && hour < 24 && minute < 60).then_some((hour, minute))
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap(year)),
        _ => 31,
    }
}

/// The day of the year, from 1.
fn ordinal(year: u32, month: u32, day: u32) -> u32 {
    (1..month).map(|month| days_of(year, month)).sum::<u32>() + day
}

/// The day of the week, Monday 1 to Sunday 7, of a year's first day.
fn first_weekday(year: u32) -> u32 {
    // 0001-01-01 was a Monday; year 0, a leap year, began on the Saturday before.
    let before = year.saturating_sub(1);
    match year {
        0 => 6,
        _ => (before + before / 4 - before / 100 + before / 400) % 7 + 1,
    }
}

fn week(year: u32, month: u32, day: u32) -> u32 {
    let ordinal = ordinal(year, month, day);
    let weekday = (first_weekday(year) + ordinal - 2) % 7 + 1;
    match (ordinal + 10 - weekday) / 7 {
        0 => weeks_of(year.saturating_sub(1)),
        week if week > weeks_of(year) => 1,
        week => week,
    }
}

/// 53 where the year begins on a Thursday, or on a Wednesday and is a leap year; else 52.
fn weeks_of(year: u32) -> u32 {
    let first = first_weekday(year);
    52 + u32::from(first == 4 || first == 3 && is_leap(year))
}

#[cfg(test)]
mod tests {
    use super::TimePart::{Day, Hour, Minute, Month, Week, Year};

    #[test]
    fn parts_are_read_as_they_stand() {
        for (text, part, expected) in [
            ("2026-01-31T12:34:56Z", Minute, Some(34)),
            ("2026-01-31T12:34:56+02:00", Hour, Some(12)),
            ("2026-01-31 23:05:00.123", Hour, Some(23)),
            ("2026-01-31 23:05:00.123", Minute, Some(5)),
            ("2026-01-31t01:05", Hour, Some(1)),
            (" 2026-01-31", Day, Some(31)),
            ("2026-01-31", Month, Some(1)),
            ("2026-01-31", Year, Some(2026)),
            ("2026-01-31", Hour, None),
            ("2026-01-31 24:00:00", Hour, None),
            ("2026-02-30", Day, None),
            ("2024-02-29", Day, Some(29)),
            ("2026-01-311", Day, None),
            ("2026/01/31", Day, None),
            ("20260131", Year, None),
            ("2026-01-31T1:05", Hour, None),
            ("", Year, None),
            ("größer als", Year, None),
        ] {
            assert_eq!(part.of(text), expected, "{part:?} of {text}");
        }
    }

    #[test]
    fn weeks_are_those_of_iso_8601() {
        for (date, expected) in [
            ("2005-01-01", 53),
            ("2005-01-03", 1),
            ("2008-12-29", 1),
            ("2010-01-03", 53),
            ("2019-12-30", 1),
            ("2020-12-31", 53),
            ("2021-01-03", 53),
            ("2021-01-04", 1),
            ("2026-01-31", 5),
            ("2026-11-21", 47),
        ] {
            assert_eq!(Week.of(date), Some(expected), "{date}");
        }
    }
}
