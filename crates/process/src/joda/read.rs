//! Reads the parts of a time, and makes a time of them.

use bergfried_event::Timestamp;
use bergfried_parse::Context;
use jiff::civil;
use jiff::tz::{Offset, TimeZone};

use super::{DAYS, MONTHS, Part};

/// Abbreviations that name one offset wherever they are used in logs.
const ZONES: [(&str, i32); 13] = [
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("CET", 1),
    ("CEST", 2),
];

/// What was read so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    half_day_hour: Option<i64>,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    nanosecond: i64,
    zone: Option<TimeZone>,
}

/// Reads one part at the front of the text into `parts`; what is left of the text.
pub(super) fn read_part<'t>(
    part: Part,
    letters: usize,
    adjacent: bool,
    text: &'t str,
    parts: &mut Parts,
    context: &Context<'_>,
) -> Option<&'t str> {
    if part.is_number(letters) {
        let most = if adjacent { letters } else { part.digits().max(letters) };
        let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at_checked(digits)?;
        parts.set(part, letters, number, context)?;
        return Some(rest);
    }
    match part {
        Part::Month => {
            let (index, rest) = named(&MONTHS, text)?;
            parts.month = Some(index + 1);
            Some(rest)
        }
        Part::WeekdayName => named(&DAYS, text).map(|(_, rest)| rest),
        Part::HalfDay => {
            let (word, rest) = text.split_at_checked(2)?;
            parts.afternoon = Some(match word.to_ascii_lowercase().as_str() {
                "am" => false,
                "pm" => true,
                _ => return None,
            });
            Some(rest)
        }
        Part::ZoneName => {
            let end = text
                .find(|c: char| !(c.is_ascii_alphanumeric() || "/_+-".contains(c)))
                .unwrap_or(text.len());
            let (name, rest) = text.split_at_checked(end)?;
            parts.zone = Some(zone_named(name)?);
            Some(rest)
        }
        Part::Offset if letters >= 3 && text.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            read_part(Part::ZoneName, letters, adjacent, text, parts, context)
        }
        Part::Offset => {
            let (seconds, rest) = offset(text)?;
            parts.zone = Some(Offset::from_seconds(seconds).ok()?.to_time_zone());
            Some(rest)
        }
        _ => None,
    }
}

/// The place of the name, long or of three letters, at the front of the text.
fn named<'t>(names: &[&str], text: &'t str) -> Option<(i64, &'t str)> {
    let starts = |name: &str| text.get(..name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name));
    for (index, name) in names.iter().enumerate() {
        let short = name.get(..3)?;
        for name in [*name, short] {
            if starts(name) {
                return Some((i64::try_from(index).ok()?, text.get(name.len()..)?));
            }
        }
    }
    None
}

fn zone_named(name: &str) -> Option<TimeZone> {
    let known = ZONES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    match known {
        Some((_, hours)) => Some(Offset::from_seconds(hours * 3600).ok()?.to_time_zone()),
        // Only names with a slash: a zone's file is looked up under what the text says.
        None if name.contains('/') && name.len() <= 64 => TimeZone::get(name).ok(),
        None => None,
    }
}

/// Seconds east of UTC from `Z`, `+0100`, `+01:00` or `+01`.
fn offset(text: &str) -> Option<(i32, &str)> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        return Some((0, rest));
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let two = |text: &str| -> Option<i32> {
        let digits = text.get(..2)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let hours = two(rest)?;
    let rest = rest.get(2..)?;
    let after = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = match two(after) {
        Some(minutes) => (minutes, after.get(2..)?),
        None => (0, rest),
    };
    (hours < 24 && minutes < 60).then_some((sign * (hours * 3600 + minutes * 60), rest))
}

impl Parts {
    fn set(
        &mut self,
        part: Part,
        letters: usize,
        digits: &str,
        context: &Context<'_>,
    ) -> Option<()> {
        let number: i64 = digits.parse().ok()?;
        let within = |from: i64, to: i64| (from..=to).contains(&number).then_some(number);
        match part {
            Part::Year if letters == 2 && digits.len() == 2 => {
                // Joda-Time's window: from 80 years before this one to 19 after.
                let first = year_of(context.received) - 80;
                self.year = Some(first + (number - first).rem_euclid(100));
            }
            Part::Year => self.year = Some(within(0, 9999)?),
            Part::Month => self.month = Some(within(1, 12)?),
            Part::Day => self.day = Some(within(1, 31)?),
            Part::DayOfYear => self.day_of_year = Some(within(1, 366)?),
            Part::Hour => self.hour = Some(within(0, 24)?),
            Part::HourFromOne => self.hour = Some(within(1, 24)? % 24),
            Part::HalfDayHour => self.half_day_hour = Some(within(1, 12)? % 12),
            Part::HalfDayHourFromZero => self.half_day_hour = Some(within(0, 11)?),
            Part::Minute => self.minute = within(0, 59)?,
            // A leap second is the second after.
            Part::Second => self.second = within(0, 60)?,
            Part::Fraction => {
                let scale = u32::try_from(9 - digits.len().min(9)).ok()?;
                self.nanosecond = number * 10_i64.pow(scale);
            }
            Part::Weekday => {}
            _ => return None,
        }
        Some(())
    }

    pub(super) fn time(&self, context: &Context<'_>) -> Option<Timestamp> {
        match self.year.or_else(|| context.year.map(i64::from)) {
            Some(year) => self.in_year(year, context),
            // A time of day alone is one of the day on which it was received.
            None if self.month.is_none() && self.day.is_none() && self.day_of_year.is_none() => {
                let zone = self.zone.clone().unwrap_or_else(|| context.time_zone.clone());
                let today = jiff::Timestamp::from(context.received).to_zoned(zone).date();
                let parts = Parts {
                    month: Some(i64::from(today.month())),
                    day: Some(i64::from(today.day())),
                    ..self.clone()
                };
                parts.in_year(i64::from(today.year()), context)
            }
            // The latest year that does not put it more than a day after it was received.
            None => {
                let limit = context.received.plus_micros(Timestamp::DAY);
                let this_year = year_of(limit.plus_micros(Timestamp::DAY));
                (0..=8)
                    .filter_map(|back| self.in_year(this_year - back, context))
                    .find(|time| *time <= limit)
            }
        }
    }

    fn in_year(&self, year: i64, context: &Context<'_>) -> Option<Timestamp> {
        let year = i16::try_from(year).ok()?;
        let date = match self.day_of_year {
            Some(day) => {
                let first = civil::Date::new(year, 1, 1).ok()?;
                let date = first.checked_add(jiff::Span::new().days(day - 1)).ok()?;
                if date.year() != year {
                    return None;
                }
                date
            }
            None => civil::Date::new(
                year,
                i8::try_from(self.month.unwrap_or(1)).ok()?,
                i8::try_from(self.day.unwrap_or(1)).ok()?,
            )
            .ok()?,
        };
        let hour = match (self.hour, self.half_day_hour) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour + if self.afternoon == Some(true) { 12 } else { 0 },
            (None, None) => 0,
        };
        let seconds = hour * 3600 + self.minute * 60 + self.second;
        let in_day = jiff::SignedDuration::new(seconds, i32::try_from(self.nanosecond).ok()?);
        let local = date.to_datetime(civil::Time::midnight()).checked_add(in_day).ok()?;
        let zone = self.zone.as_ref().unwrap_or(&context.time_zone);
        Some(zone.to_ambiguous_timestamp(local).compatible().ok()?.into())
    }
}

fn year_of(time: Timestamp) -> i64 {
    i64::from(jiff::Timestamp::from(time).to_zoned(TimeZone::UTC).year())
}
