//! Writes the parts of a time.

use std::fmt::Write as _;

use super::{DAYS, MONTHS, Part};

pub(super) fn write_part(part: Part, letters: usize, time: &jiff::Zoned, out: &mut String) {
    let hour = i64::from(time.hour());
    let name = |names: &[&'static str], index: i64, whole: bool| -> &'static str {
        let name = usize::try_from(index).ok().and_then(|index| names.get(index));
        let name = name.copied().unwrap_or_default();
        if whole { name } else { name.get(..3).unwrap_or(name) }
    };
    let number = match part {
        Part::Year if letters == 2 => i64::from(time.year()).rem_euclid(100),
        Part::Year => i64::from(time.year()),
        Part::Month if letters >= 3 => {
            out.push_str(name(&MONTHS, i64::from(time.month()) - 1, letters > 3));
            return;
        }
        Part::Month => i64::from(time.month()),
        Part::Day => i64::from(time.day()),
        Part::DayOfYear => i64::from(time.day_of_year()),
        Part::Hour => hour,
        Part::HourFromOne => {
            if hour == 0 {
                24
            } else {
                hour
            }
        }
        Part::HalfDayHour => {
            if hour % 12 == 0 {
                12
            } else {
                hour % 12
            }
        }
        Part::HalfDayHourFromZero => hour % 12,
        Part::Minute => i64::from(time.minute()),
        Part::Second => i64::from(time.second()),
        Part::Fraction => {
            let digits = format!("{:09}", time.subsec_nanosecond());
            out.push_str(digits.get(..letters.min(9)).unwrap_or(&digits));
            return;
        }
        Part::HalfDay => {
            out.push_str(if hour < 12 { "AM" } else { "PM" });
            return;
        }
        Part::WeekdayName => {
            let index = i64::from(time.weekday().to_monday_zero_offset());
            out.push_str(name(&DAYS, index, letters > 3));
            return;
        }
        Part::Weekday => i64::from(time.weekday().to_monday_one_offset()),
        Part::ZoneName => {
            out.push_str("UTC");
            return;
        }
        Part::Offset => {
            out.push_str(match letters {
                1 => "+0000",
                2 => "+00:00",
                _ => "UTC",
            });
            return;
        }
    };
    // Writing to a String cannot fail.
    let _infallible = write!(out, "{number:0letters$}");
}
