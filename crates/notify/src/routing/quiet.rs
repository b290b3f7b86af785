//! Hours in which people are left alone.

use std::fmt;

use bergfried_event::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

/// From a time of the day to another, on some days, in a time zone.
///
/// Hours that end at or before the time at which they begin end on the next day; they belong to the
/// day on which they begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    to: Time,
    days: Vec<Weekday>,
    zone: TimeZone,
}

impl QuietHours {
    /// Reads `22:00-07:00` and the words for the days on which they begin; no day means every day.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) fn new(hours: &str, days: &[String], zone: TimeZone) -> Result<Self, String> {
        let wrong = || format!("`{}` are no hours, expected `22:00-07:00`", hours.escape_debug());
        let (from, to) = hours.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (time_of_day(from)?, time_of_day(to)?);
        if from == to {
            return Err("quiet hours begin and end at the same time".to_owned());
        }
        let days = match days {
            [] => WEEK.map(|(_, day)| day).to_vec(),
            days => days.iter().map(|day| weekday(day)).collect::<Result<_, _>>()?,
        };
        Ok(QuietHours { from, to, days, zone })
    }

    /// The end of the quiet hours that hold `time`, where some do.
    pub fn end(&self, time: Timestamp) -> Option<Timestamp> {
        let local = jiff::Timestamp::from(time).to_zoned(self.zone.clone());
        let today = local.date();
        // Those that began yesterday may still last; those of today may have begun.
        [today.yesterday().ok(), Some(today)]
            .into_iter()
            .flatten()
            .filter(|day| self.days.contains(&day.weekday()))
            .filter_map(|day| {
                let start = at(day, self.from, &self.zone)?;
                let last = if self.to > self.from { day } else { day.checked_add(1.day()).ok()? };
                let end = at(last, self.to, &self.zone)?;
                (start <= local && local < end).then(|| Timestamp::from(end.timestamp()))
            })
            .max()
    }

    /// The first time from `time` on that is not quiet.
    pub fn release(&self, time: Timestamp) -> Timestamp {
        let mut free = time;
        // Quiet hours of several days may follow each other without a gap.
        for _ in 0..8 {
            match self.end(free) {
                Some(end) if end > free => free = end,
                _ => break,
            }
        }
        free
    }
}

impl fmt::Display for QuietHours {
    /// `22:00-07:00 UTC`, with the days where they are not all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.strftime("%H:%M"), self.to.strftime("%H:%M"))?;
        if self.days.len() < WEEK.len() {
            let words = WEEK.iter().filter(|(_, day)| self.days.contains(day));
            let words: Vec<&str> = words.map(|(word, _)| *word).collect();
            write!(f, " on {}", words.join(", "))?;
        }
        write!(f, " {}", self.zone.iana_name().unwrap_or("UTC"))
    }
}

/// A time of the day on a day; in the gap of a clock that is put forward, the time after it.
pub(crate) fn at(day: Date, time: Time, zone: &TimeZone) -> Option<Zoned> {
    day.to_datetime(time).to_zoned(zone.clone()).ok()
}

/// Reads `08:00`.
pub(crate) fn time_of_day(text: &str) -> Result<Time, String> {
    let text = text.trim();
    let wrong = || format!("`{}` is no time of the day, expected `08:00`", text.escape_debug());
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return Err(wrong());
    }
    let hour = hour.parse().map_err(|_| wrong())?;
    let minute = minute.parse().map_err(|_| wrong())?;
    Time::new(hour, minute, 0, 0).map_err(|_| wrong())
}

/// Reads the name of a time zone.
pub(crate) fn zone(name: Option<&str>) -> Result<TimeZone, String> {
    let Some(name) = name else { return Ok(TimeZone::UTC) };
    TimeZone::get(name).map_err(|_| {
        let known: Vec<String> =
            jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
        let mut message = format!("`{}` is no time zone", name.escape_debug());
        if let Some(meant) = bergfried_event::nearest(name, known.iter().map(String::as_str)) {
            message.push_str(&format!("; is `{meant}` meant?"));
        }
        message
    })
}

const WEEK: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

fn weekday(word: &str) -> Result<Weekday, String> {
    let lower = word.to_ascii_lowercase();
    let is = |name: &str| name == lower || name.get(..3) == Some(lower.as_str());
    let found = WEEK.iter().find(|(name, _)| is(name)).map(|(_, day)| *day);
    found.ok_or_else(|| {
        let mut message = format!("`{}` is no day, expected `mon` to `sun`", word.escape_debug());
        if let Some(meant) = bergfried_event::nearest(&lower, WEEK.iter().map(|(name, _)| *name)) {
            message.push_str(&format!("; is `{meant}` meant?"));
        }
        message
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn nights_end_in_the_morning_also_when_the_clock_is_changed() {
        let berlin = || zone(Some("Europe/Berlin")).unwrap();
        let every = QuietHours::new("22:00-07:00", &[], berlin()).unwrap();
        let week = ["mon".to_owned(), "Tuesday".to_owned()];
        let some = QuietHours::new("22:00-07:00", &week, berlin()).unwrap();
        let noon = QuietHours::new("12:00-13:00", &[], berlin()).unwrap();
        let gap = QuietHours::new("23:00-02:30", &[], berlin()).unwrap();
        for (hours, at, end) in [
            // Winter time, one hour ahead of UTC.
            (&every, "2026-01-10T20:59:59Z", None),
            (&every, "2026-01-10T21:00:00Z", Some("2026-01-11T06:00:00Z")),
            (&every, "2026-01-11T05:59:59Z", Some("2026-01-11T06:00:00Z")),
            (&every, "2026-01-11T06:00:00Z", None),
            // The night of 29 March is an hour short, that of 25 October an hour long.
            (&every, "2026-03-28T22:00:00Z", Some("2026-03-29T05:00:00Z")),
            (&every, "2026-10-24T21:00:00Z", Some("2026-10-25T06:00:00Z")),
            // 2026-11-23 is a Monday; the night from Tuesday to Wednesday belongs to Tuesday.
            (&some, "2026-11-22T22:00:00Z", None),
            (&some, "2026-11-23T22:00:00Z", Some("2026-11-24T06:00:00Z")),
            (&some, "2026-11-25T05:00:00Z", Some("2026-11-25T06:00:00Z")),
            (&some, "2026-11-25T22:00:00Z", None),
            (&noon, "2026-01-10T11:30:00Z", Some("2026-01-10T12:00:00Z")),
            (&noon, "2026-01-10T12:00:00Z", None),
            // 02:30 does not exist on 29 March: the hours end at 03:30, which is 01:30 UTC.
            (&gap, "2026-03-29T00:30:00Z", Some("2026-03-29T01:30:00Z")),
        ] {
            assert_eq!(hours.end(time(at)), end.map(time), "{at}");
            assert_eq!(hours.release(time(at)), time(end.unwrap_or(at)), "{at}");
        }
    }

    #[test]
    fn hours_without_a_gap_release_at_the_last_end() {
        let saturday = ["sat".to_owned(), "sun".to_owned()];
        let weekend = QuietHours::new("08:00-07:59", &saturday, TimeZone::UTC).unwrap();
        assert_eq!(weekend.release(time("2026-11-21T09:00:00Z")), time("2026-11-22T07:59:00Z"));
        let most = QuietHours::new("00:00-23:59", &[], TimeZone::UTC).unwrap();
        assert_eq!(most.release(time("2026-11-21T09:00:00Z")), time("2026-11-21T23:59:00Z"));
    }

    #[test]
    fn mistakes_are_told() {
        for (hours, days, part) in [
            ("22-7", &[][..], "`22` is no time of the day"),
            ("22:00", &[], "are no hours"),
            ("25:00-07:00", &[], "`25:00`"),
            ("07:00-07:00", &[], "same time"),
            ("22:00-07:00", &["mondey".to_owned()], "is `monday` meant?"),
        ] {
            let error = QuietHours::new(hours, days, TimeZone::UTC).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        assert!(zone(Some("Europe/Berln")).unwrap_err().contains("is `Europe/Berlin` meant?"));
    }
}
