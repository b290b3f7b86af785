//! When a day is told of.

use bergfried_event::Timestamp;
use jiff::civil::Date;

use super::quiet::at;
use super::{Daily, Routing};

/// A report that a route wants now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueReport {
    /// The route.
    pub route: String,
    /// The channels that get it.
    pub channels: Vec<String>,
    /// The day on which it is due (`2026-11-21`), by which it is remembered as told.
    pub day: String,
    /// From when on it tells.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Whether people are told; not for the day on which the route is first seen, where the time of
    /// the report lies before that.
    pub told: bool,
}

impl Routing {
    /// The reports that are due at `now`. `last` is the day of the last report of each route.
    ///
    /// Of several days that were missed only the last is told of, and a clock that was put back
    /// repeats none.
    pub fn reports(&self, last: impl Fn(&str) -> Option<String>, now: Timestamp) -> Vec<DueReport> {
        let due = |route: &super::Route| {
            let daily = route.daily.as_ref()?;
            let (day, since, until) = daily.latest(now)?;
            let last = last(&route.name).map(|day| day.parse::<Date>());
            if matches!(last, Some(Ok(last)) if last >= day) {
                return None;
            }
            Some(DueReport {
                route: route.name.clone(),
                channels: route.channels.clone(),
                day: day.to_string(),
                since,
                until,
                told: last.is_some(),
            })
        };
        self.routes.iter().filter_map(due).collect()
    }

    /// When the next report is due after `now`.
    pub fn next_report(&self, now: Timestamp) -> Option<Timestamp> {
        self.routes.iter().filter_map(|route| route.daily.as_ref()?.next(now)).min()
    }
}

impl Daily {
    /// The last time of the report at or before `now`: its day, the time on the day before, itself.
    fn latest(&self, now: Timestamp) -> Option<(Date, Timestamp, Timestamp)> {
        let today = jiff::Timestamp::from(now).to_zoned(self.zone.clone()).date();
        let day = match self.on(today)? <= now {
            true => today,
            false => today.yesterday().ok()?,
        };
        Some((day, self.on(day.yesterday().ok()?)?, self.on(day)?))
    }

    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let today = jiff::Timestamp::from(now).to_zoned(self.zone.clone()).date();
        let tomorrow = today.tomorrow().ok()?;
        [today, tomorrow].into_iter().filter_map(|day| self.on(day)).find(|time| *time > now)
    }

    fn on(&self, day: Date) -> Option<Timestamp> {
        at(day, self.time, &self.zone).map(|time| Timestamp::from(time.timestamp()))
    }
}
