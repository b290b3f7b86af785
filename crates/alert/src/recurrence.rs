//! How a blackout comes again: a part of iCalendar's RRULE (RFC 5545, section 3.3.10).
//!
//! Understood are the frequencies from `HOURLY` to `YEARLY` with `INTERVAL`, `COUNT`, `UNTIL`,
//! `BYMONTH`, `BYMONTHDAY`, `BYDAY`, `BYHOUR`, `BYMINUTE`, `BYSETPOS` and `WKST`. The calendar is the
//! crate `rrule`'s; here the rule is checked, so that no text of a stranger costs more than a bounded
//! amount of work, and counting begins near the time that is asked for instead of at the start.
//! Everything here is in the wall-clock time of the blackout; [`Schedule`](crate::Schedule) knows zones.

mod parts;

use std::fmt::{self, Write};

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, ToSpan};

use parts::Parts;
pub(crate) use parts::{Frequency, Until};

/// The most characters of a rule.
const MAX_LENGTH: usize = 500;
/// Nothing recurs after this year; it bounds every search.
pub(crate) const LAST_YEAR: i16 = 2200;

/// What is wrong with a rule, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRecurrence(pub(crate) String);

impl fmt::Display for InvalidRecurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidRecurrence {}

fn invalid<T>(message: impl Into<String>) -> Result<T, InvalidRecurrence> {
    Err(InvalidRecurrence(message.into()))
}

/// A rule that can be computed with.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// The rule as given, without `RRULE:` before it.
    pub(crate) text: String,
    pub(crate) frequency: Frequency,
    pub(crate) interval: u32,
    pub(crate) count: Option<u32>,
    pub(crate) until: Option<Until>,
    /// The first time that is asked of the rule; it gives what the rule leaves open.
    first: DateTime,
    /// What the library is to know beside frequency, interval and end: `;BYDAY=MO`.
    parts: String,
}

impl Rule {
    /// Reads a rule for a blackout that first begins at `first`.
    pub(crate) fn read(text: &str, first: DateTime) -> Result<Rule, InvalidRecurrence> {
        let text = text.trim();
        let text = text.strip_prefix("RRULE:").unwrap_or(text);
        if text.len() > MAX_LENGTH {
            return invalid(format!("a recurrence has at most {MAX_LENGTH} characters"));
        }
        let mut read = Parts::default();
        for part in text.split(';').filter(|part| !part.is_empty()) {
            read.add(part)?;
        }
        let Some(frequency) = read.frequency else {
            return invalid("a recurrence needs FREQ, such as FREQ=WEEKLY;BYDAY=SU");
        };
        read.check(frequency)?;
        let mut parts = String::new();
        for (key, values) in &read.lists {
            // Writing to a String cannot fail.
            let _infallible = write!(parts, ";{key}={}", values.join(","));
        }
        // What the library would take from its start is said aloud, for its start will be another.
        let days = read.has("BYDAY") || read.has("BYMONTHDAY");
        if matches!(frequency, Frequency::Monthly | Frequency::Yearly) && !days {
            if frequency == Frequency::Yearly && !read.has("BYMONTH") {
                let _infallible = write!(parts, ";BYMONTH={}", first.month());
            }
            let _infallible = write!(parts, ";BYMONTHDAY={}", first.day());
        }
        let rule = Rule {
            text: text.to_owned(),
            frequency,
            interval: read.interval.unwrap_or(1),
            count: read.count,
            until: read.until,
            first,
            parts,
        };
        let first_time = rule.times(first, end_of_time()).map(|mut times| times.next());
        match first_time {
            Ok(Some(_)) => Ok(rule),
            Ok(None) => invalid(format!("the recurrence `{text}` gives no time at all")),
            Err(error) => {
                let error = error.escape_debug();
                invalid(format!("cannot read the recurrence `{}`: {error}", text.escape_debug()))
            }
        }
    }

    /// The longest that one occurrence may last, in seconds.
    pub(crate) fn period(&self) -> i64 {
        self.frequency.seconds() * i64::from(self.interval)
    }

    /// The last time that COUNT allows.
    pub(crate) fn last_counted(&self) -> Option<DateTime> {
        let count = usize::try_from(self.count?).ok()?;
        self.between(self.first, end_of_time()).take(count).last()
    }

    /// The times of the rule from `from` to `to`, both included, in order; COUNT and UNTIL left aside.
    pub(crate) fn between(&self, from: DateTime, to: DateTime) -> impl Iterator<Item = DateTime> {
        // The rule was computed with when it was read: what fails now is only a range without a day.
        self.times(from, to).into_iter().flatten()
    }

    fn times(
        &self,
        from: DateTime,
        to: DateTime,
    ) -> Result<impl Iterator<Item = DateTime> + use<>, String> {
        let from = from.max(self.first);
        let start = self.anchor(from);
        let to = to.min(end_of_time());
        let text = format!(
            "DTSTART:{}Z\nRRULE:FREQ={};INTERVAL={};UNTIL={}Z{}",
            start.strftime("%Y%m%dT%H%M%S"),
            self.frequency.name(),
            self.interval,
            to.strftime("%Y%m%dT%H%M%S"),
            self.parts,
        );
        let set = text.parse::<rrule::RRuleSet>().map_err(|error| error.to_string())?.limit();
        let times = (&set).into_iter().map(|time| wall(time.timestamp()));
        Ok(times.skip_while(move |time| *time < from).take_while(move |time| *time <= to))
    }

    /// A time at or before `from` that the rule may count from as well as from its first.
    fn anchor(&self, from: DateTime) -> DateTime {
        let interval = i64::from(self.interval);
        // One period more than needed: the first one may begin in its middle.
        let whole = |distance: i64, step: i64| (distance.div_euclid(step) - 1).max(0) * step;
        let moved = match self.frequency {
            Frequency::Hourly | Frequency::Daily | Frequency::Weekly => {
                let distance = seconds(from) - seconds(self.first);
                let moved = whole(distance, self.period());
                self.first.checked_add(SignedDuration::from_secs(moved))
            }
            Frequency::Monthly => {
                let month = |time: DateTime| i64::from(time.year()) * 12 + i64::from(time.month());
                let moved = whole(month(from) - month(self.first), interval);
                self.first.first_of_month().checked_add(moved.months())
            }
            Frequency::Yearly => {
                let distance = i64::from(from.year()) - i64::from(self.first.year());
                self.first.first_of_year().checked_add(whole(distance, interval).years())
            }
        };
        moved.unwrap_or(self.first)
    }
}

/// The last moment in which anything recurs.
pub(crate) fn end_of_time() -> DateTime {
    Date::new(LAST_YEAR, 12, 31).unwrap_or(Date::MAX).to_datetime(Time::MIN)
}

/// Seconds from 1970, as if the wall clock showed UTC.
fn seconds(time: DateTime) -> i64 {
    time.to_zoned(jiff::tz::TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second())
}

fn wall(seconds: i64) -> DateTime {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    jiff::tz::TimeZone::UTC.to_datetime(time)
}
