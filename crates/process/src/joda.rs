//! Patterns for dates and times as Joda-Time and `java.time` have them (`MMM dd HH:mm:ss`), read and
//! written.
//!
//! English names of months and days, in any case. What a pattern leaves out comes from the context.

use std::fmt::Write as _;

use bergfried_event::Timestamp;
use bergfried_parse::Context;
use jiff::civil;
use jiff::tz::{Offset, TimeZone};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// Abbreviations that name one offset wherever they are used in logs.
const ZONES: [(&str, i32); 12] = [
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
];

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A part of the time, and how many letters stood for it.
    Part(Part, usize),
    /// This text as it is.
    Literal(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    DayOfYear,
    Hour,
    /// 1 to 24.
    HourFromOne,
    /// 1 to 12.
    HalfDayHour,
    /// 0 to 11.
    HalfDayHourFromZero,
    Minute,
    Second,
    Fraction,
    HalfDay,
    WeekdayName,
    Weekday,
    ZoneName,
    Offset,
}

impl Part {
    fn of(letter: char) -> Option<Part> {
        Some(match letter {
            'y' | 'Y' | 'u' => Part::Year,
            'M' | 'L' => Part::Month,
            'd' => Part::Day,
            'D' => Part::DayOfYear,
            'H' => Part::Hour,
            'k' => Part::HourFromOne,
            'h' => Part::HalfDayHour,
            'K' => Part::HalfDayHourFromZero,
            'm' => Part::Minute,
            's' => Part::Second,
            'S' => Part::Fraction,
            'a' => Part::HalfDay,
            'E' => Part::WeekdayName,
            'e' => Part::Weekday,
            'z' | 'V' => Part::ZoneName,
            'Z' | 'X' | 'x' => Part::Offset,
            _ => return None,
        })
    }

    /// Whether digits stand for it.
    fn is_number(self, letters: usize) -> bool {
        match self {
            Part::Month => letters < 3,
            Part::HalfDay | Part::WeekdayName | Part::ZoneName | Part::Offset => false,
            _ => true,
        }
    }

    /// The most digits that it is read from.
    fn digits(self) -> usize {
        match self {
            Part::Year | Part::Fraction => 9,
            Part::DayOfYear => 3,
            Part::Weekday => 1,
            _ => 2,
        }
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Parts {
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

impl Format {
    /// The format of this pattern.
    ///
    /// # Errors
    /// Where a letter stands for nothing that is known, or a quote is not closed.
    pub(crate) fn new(pattern: &str) -> Result<Format, String> {
        let mut tokens = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(letter) = rest.next() {
            if letter == '\'' {
                let mut text = String::new();
                if rest.next_if_eq(&'\'').is_some() {
                    text.push('\'');
                } else {
                    loop {
                        match rest.next() {
                            Some('\'') if rest.next_if_eq(&'\'').is_some() => text.push('\''),
                            Some('\'') => break,
                            Some(other) => text.push(other),
                            None => return Err("a quote `'` is not closed".to_owned()),
                        }
                    }
                }
                push_literal(&mut tokens, &text);
            } else if letter.is_ascii_alphabetic() {
                let mut letters = 1;
                while rest.next_if_eq(&letter).is_some() {
                    letters += 1;
                }
                let part = Part::of(letter).ok_or_else(|| {
                    format!(
                        "`{letter}` stands for nothing known, expected y M d D H k h K m s S a E e \
                         z Z X, or the letters in single quotes"
                    )
                })?;
                tokens.push(Token::Part(part, letters));
            } else {
                push_literal(&mut tokens, letter.encode_utf8(&mut [0; 4]));
            }
        }
        if tokens.is_empty() {
            return Err("the pattern is empty".to_owned());
        }
        Ok(Format(tokens))
    }

    /// The time that the whole text says.
    pub(crate) fn read(&self, text: &str, context: &Context<'_>) -> Option<Timestamp> {
        let mut parts = Parts::default();
        let mut rest = text;
        let mut tokens = self.0.iter().peekable();
        while let Some(token) = tokens.next() {
            rest = match token {
                Token::Literal(literal) => rest.strip_prefix(literal.as_str())?,
                Token::Part(part, letters) => {
                    let adjacent = matches!(
                        tokens.peek(),
                        Some(Token::Part(next, letters)) if next.is_number(*letters)
                    );
                    read_part(*part, *letters, adjacent, rest, &mut parts, context)?
                }
            };
        }
        if rest.is_empty() { parts.time(context) } else { None }
    }

    /// The text of a time in UTC.
    pub(crate) fn write(&self, time: Timestamp, out: &mut String) {
        let time = jiff::Timestamp::from(time).to_zoned(TimeZone::UTC);
        for token in &self.0 {
            match token {
                Token::Literal(text) => out.push_str(text),
                Token::Part(part, letters) => write_part(*part, *letters, &time, out),
            }
        }
    }
}

fn push_literal(tokens: &mut Vec<Token>, text: &str) {
    match tokens.last_mut() {
        Some(Token::Literal(before)) => before.push_str(text),
        _ => tokens.push(Token::Literal(text.to_owned())),
    }
}

fn read_part<'t>(
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
        None if name.eq_ignore_ascii_case("CEST") => {
            Some(Offset::from_seconds(7200).ok()?.to_time_zone())
        }
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

    fn time(&self, context: &Context<'_>) -> Option<Timestamp> {
        match self.year.or_else(|| context.year.map(i64::from)) {
            Some(year) => self.in_year(year, context),
            // A time of day alone is one of the day on which it was received.
            None if self.month.is_none() && self.day.is_none() && self.day_of_year.is_none() => {
                let zone = self.zone.clone().unwrap_or_else(|| context.time_zone.clone());
                let today = jiff::Timestamp::from(context.received).to_zoned(zone).date();
                let parts = Parts {
                    month: Some(i64::from(today.month())),
                    day: Some(i64::from(today.day())),
                    hour: self.hour,
                    half_day_hour: self.half_day_hour,
                    afternoon: self.afternoon,
                    zone: self.zone.clone(),
                    day_of_year: None,
                    year: None,
                    minute: self.minute,
                    second: self.second,
                    nanosecond: self.nanosecond,
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

fn write_part(part: Part, letters: usize, time: &jiff::Zoned, out: &mut String) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str, text: &str) -> Option<String> {
        let context = Context {
            received: "2025-02-01T00:00:00Z".parse().unwrap(),
            host: "",
            time_zone: TimeZone::get("Europe/Berlin").unwrap(),
            year: None,
        };
        Format::new(pattern).unwrap().read(text, &context).map(|time| time.to_string())
    }

    #[test]
    fn patterns_read_what_they_say() {
        for (pattern, text, time) in [
            ("MMM dd HH:mm:ss", "Dec 10 06:55:46", "2024-12-10T05:55:46Z"),
            ("MMM  d HH:mm:ss", "Jan  2 06:55:46", "2025-01-02T05:55:46Z"),
            ("MMM d HH:mm:ss", "Jul 2 06:55:46", "2024-07-02T04:55:46Z"),
            ("dd/MMM/yyyy:HH:mm:ss Z", "10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z"),
            ("yyyy-MM-dd HH:mm:ss,SSS", "2019-12-10 06:55:46,388", "2019-12-10T05:55:46.388000Z"),
            (
                "yyyy-MM-dd'T'HH:mm:ss.SSSSSSZZ",
                "2019-12-10T06:55:46.000001+02:00",
                "2019-12-10T04:55:46.000001Z",
            ),
            ("yyyyMMddHHmmss", "20191210065546", "2019-12-10T05:55:46Z"),
            ("EEE MMM dd HH:mm:ss yyyy", "Tue Dec 10 06:55:46 2019", "2019-12-10T05:55:46Z"),
            (
                "EEEE, dd MMMM yy hh:mm a",
                "Tuesday, 10 December 19 06:55 PM",
                "2019-12-10T17:55:00Z",
            ),
            ("MM/dd/yy h:mm a", "1/2/69 12:00 AM", "1969-01-01T23:00:00Z"),
            ("yyyy.DDD", "2024.366", "2024-12-30T23:00:00Z"),
            ("HH:mm:ss", "12:00:00", "2025-02-01T11:00:00Z"),
            ("yyyy-MM-dd HH:mm:ss z", "2019-12-10 06:55:46 EST", "2019-12-10T11:55:46Z"),
            (
                "yyyy-MM-dd HH:mm:ss ZZZ",
                "2019-12-10 06:55:46 America/New_York",
                "2019-12-10T11:55:46Z",
            ),
            ("'at' yyyy '''x'''", "at 2020 'x'", "2019-12-31T23:00:00Z"),
            ("MMM dd HH:mm:ss", "Feb 29 01:00:00", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(read(pattern, text).as_deref(), Some(time), "{pattern} of {text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_no_time() {
        for (pattern, text) in [
            ("MMM dd HH:mm:ss", "Dec 10 06:55:46 host"),
            ("MMM dd HH:mm:ss", "Dez 10 06:55:46"),
            ("yyyy-MM-dd", "2024-02-30"),
            ("yyyy-MM-dd", "2024-2x-01"),
            ("HH:mm", "25:00"),
            ("yyyy.DDD", "2023.366"),
            ("Z", "+2500"),
            ("z", "../etc/passwd"),
        ] {
            assert_eq!(read(pattern, text), None, "{pattern} of {text}");
        }
        for pattern in ["", "yyyy 'x", "QQ", "yyyy-ww"] {
            assert!(Format::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn writes_in_utc_what_reads_back() {
        let time: Timestamp = "2024-12-10T05:05:46.25Z".parse().unwrap();
        for (pattern, text) in [
            ("yyyy.MM.dd", "2024.12.10"),
            ("yy-M-d h:mm a", "24-12-10 5:05 AM"),
            ("EEE dd MMMM yyyy HH:mm:ss.SSS ZZ", "Tue 10 December 2024 05:05:46.250 +00:00"),
        ] {
            let mut out = String::new();
            Format::new(pattern).unwrap().write(time, &mut out);
            assert_eq!(out, text);
        }
    }
}
