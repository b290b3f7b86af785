//! Reads the time stamps that stand at the front of log lines.
//!
//! Never reads a clock: what a stamp leaves out (year, offset) comes from the [`Context`]. Stamps
//! in UTC or a fixed offset are turned into a time with whole-number arithmetic alone.

use bergfried_event::Timestamp;
use jiff::civil;

use crate::Context;
use crate::text::{number, skip_spaces};

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const DAY_SECONDS: i64 = 86_400;

/// A stamp as read: `None` where it looks like one but names no real time.
pub(crate) type Stamp = Option<Timestamp>;

/// Reads a stamp of any known form at the front of `text`; gives what follows it.
pub(crate) fn read<'a>(text: &'a str, context: &Context<'_>) -> Option<(Stamp, &'a str)> {
    let first = *text.as_bytes().first()?;
    if first.is_ascii_digit() {
        return iso(text, context).or_else(|| year_first(text, context));
    }
    traditional(text, context).or_else(|| weekday_first(text, context))
}

/// `Dec 10 06:55:46`, `Dec 10 2024 06:55:46` or `Dec 10 06:55:46 2024`; RFC 3164 section 4.1.2.
fn traditional<'a>(text: &'a str, context: &Context<'_>) -> Option<(Stamp, &'a str)> {
    let (month, day, rest) = month_day(text)?;
    let (year, rest) = match leading_year(rest) {
        Some((year, rest)) => (Some(year), skip_spaces(rest)),
        None => (None, rest),
    };
    let (in_day, rest) = clock(rest)?;
    let (year, rest) = match (year, rest.strip_prefix(' ').and_then(leading_year)) {
        (None, Some((year, after))) => (Some(year), after),
        (year, _) => (year, rest),
    };
    let civil = Civil { month, day, in_day };
    // Some write the offset behind it.
    let zoned = rest.starts_with([' ', '+', '-']).then(|| fixed(rest, context)).flatten();
    let (context, rest) = match &zoned {
        Some((context, rest)) => (context, *rest),
        None => (context, rest),
    };
    let stamp = match year.or_else(|| context.year.map(i64::from)) {
        Some(year) => civil.in_year(year, context),
        None => civil.nearest_year(context),
    };
    Some((stamp, rest))
}

/// The context in the offset that stands here, such as ` +0200`; all four digits must be there.
fn fixed<'a, 'c>(text: &'a str, context: &Context<'c>) -> Option<(Context<'c>, &'a str)> {
    let (seconds, rest) = offset(text)?;
    if text.len() - rest.len() < "+0200".len() {
        return None;
    }
    let offset = jiff::tz::Offset::from_seconds(i32::try_from(seconds).ok()?).ok()?;
    let time_zone = jiff::tz::TimeZone::fixed(offset);
    Some((Context { time_zone, ..*context }, rest))
}

/// `2024 Dec 10 06:55:46`.
fn year_first<'a>(text: &'a str, context: &Context<'_>) -> Option<(Stamp, &'a str)> {
    let (year, rest) = leading_year(text)?;
    let (month, day, rest) = month_day(skip_spaces(rest))?;
    let (in_day, rest) = clock(rest)?;
    Some((Civil { month, day, in_day }.in_year(year, context), rest))
}

/// `Fri Jan 19 12:20:33 2007`, as ctime(3) writes it.
fn weekday_first<'a>(text: &'a str, context: &Context<'_>) -> Option<(Stamp, &'a str)> {
    let (weekday, rest) = text.split_at_checked(3)?;
    let known = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&weekday);
    if known { traditional(rest.strip_prefix(' ')?, context) } else { None }
}

/// `2024-01-02T03:04:05.678+01:00` (RFC 3339) and what programs make of it: a space for the `T`,
/// a comma before the fraction, `/` in the date, an offset without colon, or no offset.
pub(crate) fn iso<'a>(text: &'a str, context: &Context<'_>) -> Option<(Stamp, &'a str)> {
    let bytes = text.as_bytes();
    let separator = *bytes.get(4)?;
    if !matches!(separator, b'-' | b'/') || bytes.get(7) != Some(&separator) {
        return None;
    }
    let year = number(bytes.get(0..4)?)?;
    let month = number(bytes.get(5..7)?)?;
    let day = number(bytes.get(8..10)?)?;
    if !matches!(bytes.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let (in_day, rest) = clock(text.get(11..)?)?;
    Some(Civil { month, day, in_day }.zoned(year, rest, context))
}

/// `20/Jun/2022:13:09:14 +0200`, as web servers and Proxmox write it.
pub(crate) fn common_log<'a>(text: &'a str, context: &Context<'_>) -> Option<(Stamp, &'a str)> {
    let bytes = text.as_bytes();
    if bytes.get(2) != Some(&b'/') || bytes.get(6) != Some(&b'/') || bytes.get(11) != Some(&b':') {
        return None;
    }
    let day = number(bytes.get(0..2)?)?;
    let name = bytes.get(3..6)?;
    let month = MONTHS.iter().position(|month| month.as_slice() == name)?;
    let year = number(bytes.get(7..11)?)?;
    let (in_day, rest) = clock(text.get(12..)?)?;
    let civil = Civil { month: i64::try_from(month).ok()? + 1, day, in_day };
    Some(civil.zoned(year, rest, context))
}

/// `05/30-19:09:10.917356`, `09/03/21-12:37:16`, `10/05/2010-10:08:59` and `06/27/2014 17:51:19`:
/// month, day and perhaps the year, as Snort, Suricata and portsentry write it.
pub(crate) fn month_slash<'a>(text: &'a str, context: &Context<'_>) -> Option<(Stamp, &'a str)> {
    let bytes = text.as_bytes();
    if bytes.get(2) != Some(&b'/') {
        return None;
    }
    let month = number(bytes.get(0..2)?)?;
    let day = number(bytes.get(3..5)?)?;
    let rest = text.get(5..)?;
    let (year, rest) = match rest.strip_prefix('/') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let year = number(rest.as_bytes().get(..digits)?)?;
            let year = match digits {
                2 => 2000 + year,
                4 => year,
                _ => return None,
            };
            (Some(year), rest.get(digits..)?)
        }
        None => (None, rest),
    };
    let (in_day, rest) = clock(rest.strip_prefix(['-', ' '])?)?;
    let civil = Civil { month, day, in_day };
    let stamp = match year.or_else(|| context.year.map(i64::from)) {
        Some(year) => civil.in_year(year, context),
        None => civil.nearest_year(context),
    };
    Some((stamp, rest))
}

/// Month (1–12), day and the text of the time, from `Dec 10 06:…` or `Dec  1 06:…`.
fn month_day(text: &str) -> Option<(i64, i64, &str)> {
    let bytes = text.as_bytes();
    let name = bytes.get(0..3)?;
    let month = MONTHS.iter().position(|month| month.as_slice() == name)?;
    let rest = text.get(3..)?.strip_prefix(' ')?;
    let rest = skip_spaces(rest);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 2 {
        return None;
    }
    let day = number(rest.as_bytes().get(..digits)?)?;
    let rest = rest.get(digits..)?.strip_prefix(' ')?;
    Some((i64::try_from(month).ok()? + 1, day, skip_spaces(rest)))
}

/// Four digits of a plausible year that stand alone.
fn leading_year(text: &str) -> Option<(i64, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let year = number(digits.as_bytes())?;
    let stands_alone = rest.is_empty() || rest.starts_with(' ');
    ((1970..=2200).contains(&year) && stands_alone).then_some((year, rest))
}

/// Microseconds into the day from `hh:mm:ss` or `h:mm:ss`, with `.` or `,` and a fraction where there is one.
fn clock(text: &str) -> Option<(i64, &str)> {
    let bytes = text.as_bytes();
    // Where the hour ends.
    let at = if bytes.get(1) == Some(&b':') { 1 } else { 2 };
    if bytes.get(at) != Some(&b':') || bytes.get(at + 3) != Some(&b':') {
        return None;
    }
    let hour = number(bytes.get(0..at)?)?;
    let minute = number(bytes.get(at + 1..at + 3)?)?;
    let second = number(bytes.get(at + 4..at + 6)?)?;
    let rest = text.get(at + 6..)?;
    // A value out of range still is a stamp; its time is refused where the date is checked.
    let seconds = if hour < 24 && minute < 60 && second <= 60 {
        hour * 3600 + minute * 60 + second
    } else {
        DAY_SECONDS * 2
    };
    let (micros, rest) = match rest.strip_prefix(['.', ',']) {
        Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => {
            let mut micros = 0;
            let mut scale = 100_000;
            let mut digits = 0;
            for digit in fraction.bytes().take_while(u8::is_ascii_digit) {
                micros += i64::from(digit - b'0') * scale;
                scale /= 10;
                digits += 1;
            }
            (micros, fraction.get(digits..)?)
        }
        _ => (0, rest),
    };
    Some((seconds * Timestamp::SECOND + micros, rest))
}

/// Seconds east of UTC from `Z`, `+01:00`, `+0100` or `+01`, with one space allowed before it.
fn offset(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        return Some((0, rest));
    }
    let text = text.strip_prefix(' ').unwrap_or(text);
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let bytes = rest.as_bytes();
    let hours = number(bytes.get(0..2)?)?;
    let colon = usize::from(bytes.get(2) == Some(&b':'));
    let (minutes, length) = match bytes.get(2 + colon..4 + colon).and_then(number) {
        Some(minutes) => (minutes, 4 + colon),
        None => (0, 2),
    };
    let rest = rest.get(length..)?;
    let ends = rest.is_empty() || rest.starts_with([' ', ':', ']']);
    (hours < 24 && minutes < 60 && ends).then_some((sign * (hours * 3600 + minutes * 60), rest))
}

/// The zone of this IANA name or offset, such as `Europe/Berlin` or `+02:00`.
pub(crate) fn zone(name: &str) -> Option<jiff::tz::TimeZone> {
    match offset(name) {
        Some((seconds, "")) => {
            let offset = jiff::tz::Offset::from_seconds(i32::try_from(seconds).ok()?).ok()?;
            Some(jiff::tz::TimeZone::fixed(offset))
        }
        _ => jiff::tz::TimeZone::get(name).ok(),
    }
}

fn at_offset(local: i64, seconds_east: i64) -> Timestamp {
    Timestamp::from_micros(local - seconds_east * Timestamp::SECOND)
}

/// A date without its year, and a time of day.
struct Civil {
    month: i64,
    day: i64,
    in_day: i64,
}

impl Civil {
    /// The time of this year in the offset that follows, else in the zone of the context.
    fn zoned<'a>(&self, year: i64, rest: &'a str, context: &Context<'_>) -> (Stamp, &'a str) {
        match offset(rest) {
            Some((seconds, rest)) => {
                (self.local_micros(year).map(|local| at_offset(local, seconds)), rest)
            }
            None => (self.in_year(year, context), rest),
        }
    }

    fn in_year(&self, year: i64, context: &Context<'_>) -> Option<Timestamp> {
        let local = self.local_micros(year)?;
        if let Ok(offset) = context.time_zone.to_fixed_offset() {
            return Some(at_offset(local, i64::from(offset.seconds())));
        }
        let (seconds, micros) = (self.in_day / Timestamp::SECOND, self.in_day % Timestamp::SECOND);
        let date = civil::Date::new(
            i16::try_from(year).ok()?,
            i8::try_from(self.month).ok()?,
            i8::try_from(self.day).ok()?,
        )
        .ok()?;
        let midnight = date.to_datetime(civil::Time::midnight());
        let local = midnight
            .checked_add(jiff::SignedDuration::new(seconds, i32::try_from(micros * 1000).ok()?))
            .ok()?;
        let time = context.time_zone.to_ambiguous_timestamp(local).compatible().ok()?;
        Some(time.into())
    }

    /// The latest year that does not put the stamp more than a day after it was received.
    fn nearest_year(&self, context: &Context<'_>) -> Option<Timestamp> {
        let limit = context.received.plus_micros(Timestamp::DAY);
        let this_year = year_of(limit.plus_micros(Timestamp::DAY).day());
        // 29 February may lie up to eight years back (1900, 2100).
        (0..=8)
            .filter_map(|back| self.in_year(this_year - back, context))
            .find(|time| *time <= limit)
    }

    /// Microseconds of local time since 1970, or `None` for a date or time that does not exist.
    fn local_micros(&self, year: i64) -> Option<i64> {
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let days_in_month = match self.month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        let in_day_limit = (DAY_SECONDS + 1) * Timestamp::SECOND;
        if self.day < 1 || self.day > days_in_month || self.in_day >= in_day_limit || year < 1 {
            return None;
        }
        Some(days_from_civil(year, self.month, self.day) * Timestamp::DAY + self.in_day)
    }
}

/// Days since 1970-01-01 of a date, after Howard Hinnant's days-from-civil.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The year that holds a day counted from 1970-01-01.
fn year_of(days: i64) -> i64 {
    let mut year = 1970 + days.div_euclid(366);
    while days_from_civil(year + 1, 1, 1) <= days {
        year += 1;
    }
    year
}

#[cfg(test)]
mod tests;
