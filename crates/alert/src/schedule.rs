//! When a blackout is: from one time to another, once or again and again.
//!
//! A recurring one counts in the wall-clock time of its zone and lasts equally long each time. A time
//! that a change of clocks leaves out is taken as much later (RFC 5545, section 3.3.5), one that comes
//! twice is the first of the two, except for `FREQ=HOURLY`, which means both.

use std::fmt;
use std::sync::Mutex;

use bergfried_event::{Timestamp, nearest};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ToSpan};
use serde::{Deserialize, Serialize};

use crate::recurrence::{Frequency, InvalidRecurrence, LAST_YEAR, Rule, Until, end_of_time};

/// The first year in which something that recurs may begin.
const FIRST_YEAR: i16 = 1970;

/// What is wrong with a schedule, and with which part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidSchedule {
    /// It ends before it begins, or begins or lasts as no recurrence can.
    Times(String),
    /// The recurrence is none.
    Recurrence(InvalidRecurrence),
    /// The time zone is none.
    TimeZone(String),
}

impl fmt::Display for InvalidSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidSchedule::Times(message) | InvalidSchedule::TimeZone(message) => {
                f.write_str(message)
            }
            InvalidSchedule::Recurrence(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InvalidSchedule {}

/// When a blackout is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Schedule {
    start: Timestamp,
    end: Timestamp,
    recurring: Option<Box<Recurring>>,
}

/// A schedule as it is stored.
#[derive(Serialize, Deserialize)]
struct Written {
    start: Timestamp,
    end: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recurrence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
}

impl TryFrom<Written> for Schedule {
    type Error = InvalidSchedule;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { start, end, recurrence, time_zone } = written;
        Schedule::new(start, end, recurrence.as_deref(), time_zone.as_deref())
    }
}

impl From<Schedule> for Written {
    fn from(schedule: Schedule) -> Self {
        Written {
            start: schedule.start,
            end: schedule.end,
            recurrence: schedule.recurrence().map(str::to_owned),
            time_zone: schedule.time_zone().map(str::to_owned),
        }
    }
}

impl Schedule {
    /// From `start` to `end`, and again as the recurrence says, counted in the time zone (none: UTC).
    ///
    /// # Errors
    /// Where it ends before it begins, the recurrence or the zone is none, or an occurrence would last
    /// longer than the recurrence's period.
    pub fn new(
        start: Timestamp,
        end: Timestamp,
        recurrence: Option<&str>,
        time_zone: Option<&str>,
    ) -> Result<Schedule, InvalidSchedule> {
        if end <= start {
            let message = format!("the end {end} is not after the start {start}");
            return Err(InvalidSchedule::Times(message));
        }
        let recurring = match (recurrence, time_zone) {
            (Some(rule), zone) => Some(Box::new(Recurring::new(start, end, rule, zone)?)),
            (None, Some(_)) => {
                let message = "a time zone means something only beside a recurrence";
                return Err(InvalidSchedule::TimeZone(message.to_owned()));
            }
            (None, None) => None,
        };
        Ok(Schedule { start, end, recurring })
    }

    /// When it begins; where it recurs, when it can first begin.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// When it ends; where it recurs, as long after `start` as each occurrence lasts.
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Whole seconds that it lasts.
    pub fn duration(&self) -> i64 {
        self.end.since(self.start) / Timestamp::SECOND
    }

    /// How it comes again, as an RRULE; none: it does not.
    pub fn recurrence(&self) -> Option<&str> {
        self.recurring.as_ref().map(|recurring| recurring.rule.text.as_str())
    }

    /// The time zone that the recurrence counts in, as an IANA name; none: UTC.
    pub fn time_zone(&self) -> Option<&str> {
        self.recurring.as_ref()?.zone_name.as_deref()
    }

    /// Whether that time is in it.
    pub fn covers(&self, time: Timestamp) -> bool {
        self.window(time).is_some()
    }

    /// From when to when it is around that time, where it is; occurrences that touch are one.
    pub fn window(&self, time: Timestamp) -> Option<(Timestamp, Timestamp)> {
        match &self.recurring {
            None => (self.start <= time && time < self.end).then_some((self.start, self.end)),
            Some(_) if time < self.start => None,
            Some(recurring) => recurring.window(time),
        }
    }

    /// When it next begins after that time; none: never again.
    pub fn next_start(&self, time: Timestamp) -> Option<Timestamp> {
        match &self.recurring {
            None => (time < self.start).then_some(self.start),
            Some(recurring) => recurring.next_start(time),
        }
    }
}

/// The part of a schedule that comes again.
struct Recurring {
    rule: Rule,
    zone_name: Option<String>,
    zone: TimeZone,
    /// Microseconds that each occurrence lasts.
    duration: i64,
    /// Microseconds of the start below a second; the calendar counts in seconds.
    fraction: i64,
    /// The last moment in which an occurrence begins.
    last: Timestamp,
    /// What was last computed; alerts come one after the other and ask for the same day.
    memory: Mutex<Memory>,
}

#[derive(Clone, Default)]
struct Memory {
    /// A day, and every window that touches it.
    day: Option<(i64, Vec<(Timestamp, Timestamp)>)>,
    /// A time, and the next beginning after it.
    next: Option<(Timestamp, Option<Timestamp>)>,
}

impl Recurring {
    fn new(
        start: Timestamp,
        end: Timestamp,
        rule: &str,
        zone_name: Option<&str>,
    ) -> Result<Recurring, InvalidSchedule> {
        let zone = zone_name.map_or(Ok(TimeZone::UTC), time_zone)?;
        let fraction = start.micros().rem_euclid(Timestamp::SECOND);
        let first = zone.to_datetime(start.plus_micros(-fraction).into());
        if !(FIRST_YEAR..=LAST_YEAR).contains(&first.year()) {
            return Err(InvalidSchedule::Times(format!(
                "the start {start} of a recurrence is not in the years {FIRST_YEAR} to {LAST_YEAR}"
            )));
        }
        let rule = Rule::read(rule, first).map_err(InvalidSchedule::Recurrence)?;
        let duration = end.since(start);
        let period = rule.period();
        if duration > period * Timestamp::SECOND {
            return Err(InvalidSchedule::Times(format!(
                "it lasts {} seconds, but the recurrence comes again within {period}",
                duration / Timestamp::SECOND
            )));
        }
        let mut recurring = Recurring {
            last: Timestamp::MAX,
            rule,
            zone_name: zone_name.map(str::to_owned),
            zone,
            duration,
            fraction,
            memory: Mutex::default(),
        };
        recurring.last = recurring.last_start();
        if recurring.next_start(start.plus_micros(-1)).is_none() {
            let message = "the recurrence ends before it first comes";
            return Err(InvalidSchedule::Recurrence(InvalidRecurrence(message.to_owned())));
        }
        Ok(recurring)
    }

    /// The last moment in which an occurrence may begin, as COUNT or UNTIL say.
    fn last_start(&self) -> Timestamp {
        let mut last = Timestamp::MAX;
        if let Some(counted) = self.rule.last_counted() {
            last = self.moments(counted).last().unwrap_or(last);
        }
        match self.rule.until {
            Some(Until::Utc(until)) => moment(&TimeZone::UTC, until).unwrap_or(last),
            // A fraction of the start is not held against it.
            Some(Until::Local(until)) => self.moments(until).last().unwrap_or(last),
            None => last,
        }
    }

    /// The moments in which the wall clock shows that time and an occurrence begins.
    fn moments(&self, time: DateTime) -> impl Iterator<Item = Timestamp> + use<> {
        let ambiguous = self.zone.to_ambiguous_timestamp(time);
        let both = self.rule.frequency == Frequency::Hourly
            && matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
        let second = both.then(|| ambiguous.later().ok()).flatten();
        let fraction = self.fraction;
        let moments = ambiguous.compatible().into_iter().chain(second);
        moments.map(move |time| Timestamp::from(time).plus_micros(fraction))
    }

    /// Every beginning between the two, both included, in order.
    fn starts(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        // Two days more on each side: no zone ever moved its clocks by more than one.
        let wall = |time: Timestamp| self.zone.to_datetime(time.into());
        let first = wall(from).checked_sub(2.days()).unwrap_or(DateTime::MIN);
        let last = wall(to).checked_add(2.days()).unwrap_or(DateTime::MAX);
        let times = self.rule.between(first, last).flat_map(|time| self.moments(time));
        let last = self.last.min(to);
        let mut starts: Vec<_> = times.filter(|time| (from..=last).contains(time)).collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    }

    fn window(&self, time: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let holds = |windows: &[(Timestamp, Timestamp)]| {
            let after = windows.partition_point(|(start, _)| *start <= time);
            let found = windows.get(after.checked_sub(1)?)?;
            (time < found.1).then_some(*found)
        };
        let day = time.day();
        let mut memory = self.memory();
        match &memory.day {
            Some((known, windows)) if *known == day => holds(windows),
            _ => {
                let windows = self.windows(day);
                let found = holds(&windows);
                memory.day = Some((day, windows));
                found
            }
        }
    }

    /// Every window that touches a day, those that touch each other as one.
    fn windows(&self, day: i64) -> Vec<(Timestamp, Timestamp)> {
        let begin = Timestamp::from_micros(day.saturating_mul(Timestamp::DAY));
        let end = begin.plus_micros(Timestamp::DAY - 1);
        let mut windows: Vec<(Timestamp, Timestamp)> = Vec::new();
        for start in self.starts(begin.plus_micros(-self.duration), end) {
            let end = start.plus_micros(self.duration);
            match windows.last_mut() {
                Some(last) if start <= last.1 => last.1 = end,
                _ => windows.push((start, end)),
            }
        }
        windows
    }

    fn next_start(&self, time: Timestamp) -> Option<Timestamp> {
        let mut memory = self.memory();
        if let Some((asked, next)) = memory.next
            && asked <= time
            && next.is_none_or(|next| time < next)
        {
            return next;
        }
        let wall = self.zone.to_datetime(time.into());
        let from = wall.checked_sub(SignedDuration::from_hours(48)).unwrap_or(DateTime::MIN);
        let mut later = self.rule.between(from, end_of_time());
        // The first that the wall clock shows later need not be the first to come: clocks are turned.
        let found = later.find_map(|time_shown| {
            self.moments(time_shown).find(|found| *found > time).map(|found| (time_shown, found))
        });
        let next = found.and_then(|(shown, found)| {
            let soon = shown.checked_add(2.days()).unwrap_or(shown);
            let others = self.rule.between(shown, soon).flat_map(|time| self.moments(time));
            others.filter(|other| *other > time).chain([found]).min()
        });
        let next = next.filter(|next| *next <= self.last);
        memory.next = Some((time, next));
        next
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        // What it holds is whole at every moment.
        self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clone for Recurring {
    fn clone(&self) -> Self {
        Recurring {
            rule: self.rule.clone(),
            zone_name: self.zone_name.clone(),
            zone: self.zone.clone(),
            duration: self.duration,
            fraction: self.fraction,
            last: self.last,
            memory: Mutex::new(self.memory().clone()),
        }
    }
}

impl fmt::Debug for Recurring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Recurring");
        shown.field("rule", &self.rule.text).field("zone", &self.zone_name).finish_non_exhaustive()
    }
}

impl PartialEq for Recurring {
    /// The rest follows from the start and the end, which the schedule compares.
    fn eq(&self, other: &Self) -> bool {
        self.rule.text == other.rule.text && self.zone_name == other.zone_name
    }
}

fn moment(zone: &TimeZone, time: DateTime) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(time).compatible().ok().map(Timestamp::from)
}

fn time_zone(name: &str) -> Result<TimeZone, InvalidSchedule> {
    // The list is looked through only for a name that is none.
    let unknown = || {
        let known: Vec<_> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let meant = nearest(name, known.iter().map(String::as_str));
        let meant = meant.map_or_else(String::new, |meant| format!("; is `{meant}` meant?"));
        let name = name.escape_debug();
        InvalidSchedule::TimeZone(format!(
            "unknown time zone `{name}`, expected an IANA name such as Europe/Berlin{meant}"
        ))
    };
    if name.len() > 64 {
        return Err(unknown());
    }
    TimeZone::get(name).map_err(|_unknown| unknown())
}

#[cfg(test)]
mod tests;
