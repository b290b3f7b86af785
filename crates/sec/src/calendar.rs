//! Times of Calendar rules (sec(1), "CALENDAR RULE"): minute, hour, day, month, weekday and, perhaps,
//! year. All must hold, day and weekday too.

use jiff::civil::DateTime;

/// The minutes at which a rule acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moments {
    minutes: u64,
    hours: u64,
    /// Bit 0 is the last day of the month.
    days: u64,
    months: u64,
    weekdays: u64,
    years: u128,
}

impl Moments {
    /// Reads five or six conditions.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let (five, year) = match parts.as_slice() {
            [minute, hour, day, month, weekday] => ([*minute, *hour, *day, *month, *weekday], "*"),
            [minute, hour, day, month, weekday, year] => {
                ([*minute, *hour, *day, *month, *weekday], *year)
            }
            _ => {
                return Err(format!("a time has five or six conditions, this has {}", parts.len()));
            }
        };
        let [minute, hour, day, month, weekday] = five;
        let read = |name, text, low, high| {
            condition(text, low, high).ok_or_else(|| {
            format!("`{text}` is no {name}: numbers from {low} to {high}, ranges such as 2-5, steps such as */2, joined by commas")
        })
        };
        let mut weekdays = read("weekday", weekday, 0, 7)? as u64;
        weekdays |= (weekdays >> 7) & 1;
        Ok(Self {
            minutes: read("minute", minute, 0, 59)? as u64,
            hours: read("hour", hour, 0, 23)? as u64,
            // Every step of a star begins at 0, which is the last day: '*/6' names it, too.
            days: read("day", day, 0, 31)? as u64,
            months: read("month", month, 1, 12)? as u64,
            weekdays,
            years: read("year", year, 0, 99)?,
        })
    }

    /// Whether it is one of the minutes.
    pub(crate) fn contains(&self, time: DateTime) -> bool {
        let has = |set: u64, number: i8| {
            u32::try_from(number).is_ok_and(|number| set & (1 << number) != 0)
        };
        let last = time.day() == time.days_in_month();
        has(self.minutes, time.minute())
            && has(self.hours, time.hour())
            && (has(self.days, time.day()) || (last && self.days & 1 != 0))
            && has(self.months, time.month())
            && has(self.weekdays, time.weekday().to_sunday_zero_offset())
            && self.years & (1 << time.year().rem_euclid(100)) != 0
    }
}

/// A set of numbers as bits.
fn condition(text: &str, low: u32, high: u32) -> Option<u128> {
    let mut set = 0_u128;
    let parts = || text.split(',').filter(|part| !part.is_empty());
    parts().next()?;
    for part in parts() {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, number(step).filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = if range == "*" {
            (low, high)
        } else if let Some((from, to)) = range.split_once('-') {
            let from = if from.is_empty() { low } else { number(from)? };
            let to = if to.is_empty() { high } else { number(to)? };
            (from, to)
        } else if step > 1 || part.contains('/') {
            return None;
        } else {
            (number(range)?, number(range)?)
        };
        if from < low || from > high || to > high {
            return None;
        }
        for number in (from..=to).step_by(step as usize) {
            set |= 1 << number;
        }
    }
    Some(set)
}

fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    #[test]
    fn days_are_those_that_sec_acts_on() {
        for (day, acts) in [
            ("*", &[1, 2, 6, 12, 27, 28][..]),
            ("*/6", &[6, 12, 28]),
            ("*/1", &[1, 2, 6, 12, 27, 28]),
            ("1-/6", &[1]),
            ("-3/2", &[2, 28]),
            ("0", &[28]),
            ("0,27", &[27, 28]),
            ("27-", &[27, 28]),
            ("31", &[]),
        ] {
            let moments = Moments::read(&format!("* * {day} * *")).unwrap();
            let found: Vec<i8> = [1, 2, 6, 12, 27, 28]
                .into_iter()
                .filter(|day| moments.contains(datetime(2026, 2, *day, 12, 0, 0, 0)))
                .collect();
            assert_eq!(found, acts, "{day}");
        }
    }
}
