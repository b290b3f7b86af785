//! The parts of a rule: which there are, what they hold, what does not go together.

use bergfried_event::nearest;
use jiff::civil::{Date, DateTime};

use super::{InvalidRecurrence, invalid};

/// The largest INTERVAL and COUNT.
const MAX_NUMBER: u32 = 1_000;
/// The most occurrences in one period of a rule, such as a month.
const MAX_IN_PERIOD: usize = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frequency {
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

impl Frequency {
    const ALL: [(Frequency, &str); 5] = [
        (Frequency::Hourly, "HOURLY"),
        (Frequency::Daily, "DAILY"),
        (Frequency::Weekly, "WEEKLY"),
        (Frequency::Monthly, "MONTHLY"),
        (Frequency::Yearly, "YEARLY"),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(frequency, _)| *frequency == self).map_or("", |(_, name)| name)
    }

    /// The days that one period has at most.
    fn days(self) -> usize {
        match self {
            Frequency::Hourly | Frequency::Daily => 1,
            Frequency::Weekly => 7,
            Frequency::Monthly => 31,
            Frequency::Yearly => 366,
        }
    }

    pub(super) fn seconds(self) -> i64 {
        match self {
            Frequency::Hourly => 3_600,
            other => i64::try_from(other.days()).unwrap_or(1) * 86_400,
        }
    }
}

/// Until when a rule goes, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// A moment of UTC.
    Utc(DateTime),
    /// A moment of the blackout's time zone; a day alone is its last second.
    Local(DateTime),
}

/// What a rule says, part by part.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) frequency: Option<Frequency>,
    pub(super) interval: Option<u32>,
    pub(super) count: Option<u32>,
    pub(super) until: Option<Until>,
    pub(super) lists: Vec<(&'static str, Vec<String>)>,
}

/// The parts that are lists of numbers, and between what they must be.
const NUMBERS: &[(&str, i32, i32)] = &[
    ("BYMONTH", 1, 12),
    ("BYMONTHDAY", -31, 31),
    ("BYHOUR", 0, 23),
    ("BYMINUTE", 0, 59),
    ("BYSETPOS", -366, 366),
];
const KEYS: &[&str] = &[
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "BYMONTH",
    "BYMONTHDAY",
    "BYDAY",
    "BYHOUR",
    "BYMINUTE",
    "BYSETPOS",
    "WKST",
];
const DAYS: &[&str] = &["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

impl Parts {
    pub(super) fn has(&self, key: &str) -> bool {
        self.list(key).is_some()
    }

    fn list(&self, key: &str) -> Option<&[String]> {
        self.lists.iter().find(|(known, _)| *known == key).map(|(_, values)| values.as_slice())
    }

    pub(super) fn add(&mut self, part: &str) -> Result<(), InvalidRecurrence> {
        let shown = part.escape_debug();
        let Some((key, value)) = part.split_once('=') else {
            return invalid(format!("`{shown}` in a recurrence is no KEY=VALUE"));
        };
        let (key, value) = (key.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
        let Some(key) = KEYS.iter().copied().find(|known| *known == key) else {
            let expected = KEYS.join(", ");
            let meant = nearest(&key, KEYS.iter().copied())
                .map_or_else(String::new, |meant| format!("; is `{meant}` meant?"));
            return invalid(format!(
                "unknown `{shown}` in a recurrence, expected {expected}{meant}"
            ));
        };
        let twice = match key {
            "FREQ" => self.frequency.replace(frequency(&value)?).is_some(),
            "INTERVAL" => self.interval.replace(number(key, &value)?).is_some(),
            "COUNT" => self.count.replace(number(key, &value)?).is_some(),
            "UNTIL" => self.until.replace(until(&value)?).is_some(),
            _ => {
                let twice = self.has(key);
                self.lists.push((key, list(key, &value)?));
                twice
            }
        };
        if twice {
            return invalid(format!("a recurrence says {key} twice"));
        }
        Ok(())
    }

    /// Refuses what does not go together, and more times than anybody means.
    pub(super) fn check(&self, frequency: Frequency) -> Result<(), InvalidRecurrence> {
        let name = frequency.name();
        let long = matches!(frequency, Frequency::Monthly | Frequency::Yearly);
        if self.count.is_some() && self.until.is_some() {
            return invalid("a recurrence has COUNT or UNTIL, not both");
        }
        if self.has("BYSETPOS") {
            let others = NUMBERS.iter().map(|(key, ..)| *key).chain(["BYDAY"]);
            if !long || !others.filter(|key| *key != "BYSETPOS").any(|key| self.has(key)) {
                return invalid("BYSETPOS goes with MONTHLY or YEARLY and another BY part");
            }
        }
        if frequency == Frequency::Weekly && self.has("BYMONTHDAY") {
            return invalid("BYMONTHDAY does not go with FREQ=WEEKLY");
        }
        if !long && self.list("BYDAY").unwrap_or_default().iter().any(|day| day.len() > 2) {
            return invalid(format!("a number before a day of BYDAY does not go with FREQ={name}"));
        }
        let times = |key| self.list(key).map_or(1, <[String]>::len);
        let most = frequency.days() * times("BYHOUR") * times("BYMINUTE");
        if most > MAX_IN_PERIOD {
            return invalid(format!(
                "the recurrence may come {most} times in one period of FREQ={name}, expected at most {MAX_IN_PERIOD}"
            ));
        }
        Ok(())
    }
}

fn frequency(value: &str) -> Result<Frequency, InvalidRecurrence> {
    let known = Frequency::ALL.iter().find(|(_, name)| *name == value);
    known.map(|(frequency, _)| *frequency).ok_or_else(|| {
        let expected = Frequency::ALL.map(|(_, name)| name).join(", ");
        InvalidRecurrence(format!("FREQ is `{}`, expected one of {expected}", value.escape_debug()))
    })
}

fn number(key: &str, value: &str) -> Result<u32, InvalidRecurrence> {
    let number = value.parse().ok().filter(|number| (1..=MAX_NUMBER).contains(number));
    number.ok_or_else(|| {
        let value = value.escape_debug();
        InvalidRecurrence(format!("{key} is `{value}`, expected a number from 1 to {MAX_NUMBER}"))
    })
}

fn until(value: &str) -> Result<Until, InvalidRecurrence> {
    let (text, utc) = value.strip_suffix('Z').map_or((value, false), |text| (text, true));
    let moment = DateTime::strptime("%Y%m%dT%H%M%S", text).ok();
    let day = || Date::strptime("%Y%m%d", text).ok().map(|day| day.at(23, 59, 59, 0));
    match (moment, utc) {
        (Some(moment), true) => Ok(Until::Utc(moment)),
        (Some(moment), false) => Ok(Until::Local(moment)),
        (None, false) if let Some(end) = day() => Ok(Until::Local(end)),
        _ => invalid(format!(
            "UNTIL is `{}`, expected such as 20271231, 20271231T220000 or 20271231T220000Z",
            value.escape_debug()
        )),
    }
}

/// The elements of a list, each as the library reads it.
fn list(key: &str, value: &str) -> Result<Vec<String>, InvalidRecurrence> {
    let range = NUMBERS.iter().find(|(known, ..)| *known == key);
    let read = |element: &str| match (range, key) {
        (Some((_, least, most)), _) => {
            let number = element.parse::<i32>().ok()?;
            let signed = *least < 0;
            let right = (*least..=*most).contains(&number) && !(signed && number == 0);
            right.then(|| number.to_string())
        }
        (None, "WKST") => DAYS.contains(&element).then(|| element.to_owned()),
        (None, _) => weekday(element),
    };
    let mut values = Vec::new();
    for element in value.split(',').map(str::trim) {
        let Some(element) = read(element) else {
            let expected = match range {
                Some((_, least, most)) if *least < 0 => format!("1 to {most} or -1 to {least}"),
                Some((_, least, most)) => format!("{least} to {most}"),
                None if key == "WKST" => "one of MO, TU, WE, TH, FR, SA, SU".to_owned(),
                None => "days such as MO,TU, or 1SU, -1FR in a month".to_owned(),
            };
            return invalid(format!("{key} has `{}`, expected {expected}", element.escape_debug()));
        };
        if !values.contains(&element) {
            values.push(element);
        }
    }
    if key == "WKST" && values.len() != 1 {
        return invalid("WKST is one day");
    }
    Ok(values)
}

/// A day of the week, with the number before it where it has one: `SU`, `1SU`, `-1FR`.
fn weekday(element: &str) -> Option<String> {
    let (number, day) = element.split_at_checked(element.len().checked_sub(2)?)?;
    if !DAYS.contains(&day) {
        return None;
    }
    if number.is_empty() {
        return Some(day.to_owned());
    }
    let number = number.parse::<i32>().ok().filter(|number| (1..=53).contains(&number.abs()))?;
    Some(format!("{number}{day}"))
}
