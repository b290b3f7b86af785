//! Patterns for dates and times as Joda-Time and `java.time` have them (`MMM dd HH:mm:ss`), read and
//! written.
//!
//! English names of months and days, in any case. What a pattern leaves out comes from the context.

mod read;
mod write;

use bergfried_event::Timestamp;
use bergfried_parse::Context;
use jiff::tz::TimeZone;

use self::read::{Parts, read_part};
use self::write::write_part;

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
