//! The table `[retention]`: how long events are kept, and how much of them.

use bergfried_event::Timestamp;
use bergfried_query::search;
use bergfried_store::{Kept, Retention, RetentionClass};
use serde::Deserialize;

use crate::running::now;

/// The class of the events that alerts stand on.
pub(crate) const ALERTS: &str = "alerts";
/// How long the events behind alerts are kept at least, where the file does not say.
const ALERTS_DAYS: u32 = 365;
const MAX_CLASSES: usize = 32;

/// How long events are kept, and how much of them. Days count from the day on which the hub took an
/// event; without `days` and `size` everything is kept.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionFile {
    /// For how many days events are kept, after the day on which they were taken.
    pub days: Option<Days>,
    /// How much disk the events may take (`50GB`); past that the earliest days go first, and those
    /// events last that are kept longer than others.
    pub size: Option<Size>,
    /// For how many days the events are kept that alerts stand on, at least as long as others; absent:
    /// a year.
    pub alerts_days: Option<Days>,
    /// Events that are kept longer or shorter; where an event is in several, the longest counts.
    #[serde(default)]
    pub class: Vec<ClassFile>,
}

/// Events that are kept longer or shorter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassFile {
    /// Its name.
    pub name: ClassName,
    /// Which events, in the search language.
    #[serde(rename = "match")]
    pub matches: Search,
    /// For how many days.
    pub days: Days,
}

/// A number of days from 1 to 36,500.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "i64")]
pub struct Days(pub u32);

impl TryFrom<i64> for Days {
    type Error = String;

    fn try_from(days: i64) -> Result<Self, String> {
        let days_in_range = u32::try_from(days).ok().filter(|days| (1..=36_500).contains(days));
        days_in_range.map(Days).ok_or_else(|| format!("`{days}` is no number of days, 1 to 36500"))
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refused = || {
            let text = text.escape_debug();
            format!("`{text}` is no size such as `500MB`, `50GB`, `1.5TB` or `20GiB`, 1MB or more")
        };
        let split = text.find(|letter: char| letter.is_ascii_alphabetic()).ok_or_else(refused)?;
        let (number, unit) = text.split_at(split);
        let unit: f64 = match unit.to_ascii_lowercase().as_str() {
            "mb" => 1e6,
            "gb" => 1e9,
            "tb" => 1e12,
            "mib" => f64::from(1 << 20),
            "gib" => f64::from(1 << 30),
            "tib" => 1_099_511_627_776.0,
            _ => return Err(refused()),
        };
        let number: f64 = number.trim().parse().map_err(|_| refused())?;
        let bytes = number * unit;
        // Past 2^53 not every number of bytes has a float; nobody has such a disk.
        if !(1e6..=9e15).contains(&bytes) {
            return Err(refused());
        }
        Ok(Size(bytes as u64))
    }
}

/// The name of a class: letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ClassName(pub String);

impl TryFrom<String> for ClassName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if name == ALERTS {
            return Err(format!("`{ALERTS}` is the class of `alerts_days`"));
        }
        if name.is_empty() || name.len() > 40 || !name.chars().all(fits) {
            let name = name.escape_debug();
            return Err(format!("`{name}` is no name of 1 to 40 letters, digits, `-` and `_`"));
        }
        Ok(ClassName(name))
    }
}

/// A condition in the search language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Search(pub String);

impl TryFrom<String> for Search {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match search::parse(&text, now()) {
            Ok(_) => Ok(Search(text)),
            Err(error) => Err(format!("cannot read `match`: {}", error.render(&text))),
        }
    }
}

impl RetentionFile {
    /// What the table says, checked as a whole.
    ///
    /// # Errors
    /// The key at fault, and what is wrong with it.
    pub fn plan(&self) -> Result<RetentionPlan, (&'static str, String)> {
        let days = self.days.map(|days| days.0);
        if let (Some(Days(alerts)), Some(days)) = (self.alerts_days, days)
            && alerts < days
        {
            let message = format!("`alerts_days` is less than `days`: {alerts} < {days}");
            return Err(("alerts_days", message));
        }
        if self.class.len() > MAX_CLASSES {
            return Err(("class", format!("there are more than {MAX_CLASSES} classes")));
        }
        for (place, class) in self.class.iter().enumerate() {
            if self.class.iter().take(place).any(|before| before.name == class.name) {
                return Err(("class", format!("two classes are named `{}`", class.name.0)));
            }
        }
        let alerts_days = self.alerts_days.map_or(ALERTS_DAYS, |days| days.0);
        Ok(RetentionPlan {
            days,
            size: self.size.map(|size| size.0),
            alerts_days: alerts_days.max(days.unwrap_or(0)),
            classes: self.class.clone(),
        })
    }
}

/// How long events are kept, and how much of them.
#[derive(Clone, Debug)]
pub struct RetentionPlan {
    /// Days; none: for ever.
    pub days: Option<u32>,
    /// Bytes.
    pub size: Option<u64>,
    /// Days of the events that alerts stand on; where others are kept for ever, so are they.
    pub alerts_days: u32,
    /// Events that are kept longer or shorter.
    pub classes: Vec<ClassFile>,
}

impl Default for RetentionPlan {
    /// Everything is kept.
    fn default() -> Self {
        RetentionPlan { days: None, size: None, alerts_days: ALERTS_DAYS, classes: Vec::new() }
    }
}

impl RetentionPlan {
    /// As the store goes by it, with the times of searches as of `now`.
    pub(crate) fn at(&self, now: Timestamp) -> Retention {
        let mut classes = vec![RetentionClass {
            name: ALERTS.to_owned(),
            // A class of others that is kept shorter must not take what alerts stand on.
            days: self.days.map(|_| self.alerts_days),
            what: Kept::Listed,
        }];
        for class in &self.classes {
            // It was read when the file was.
            if let Ok(predicate) = search::parse(&class.matches.0, now) {
                let what = Kept::Matching(predicate);
                let (name, days) = (class.name.0.clone(), Some(class.days.0));
                classes.push(RetentionClass { name, days, what });
            }
        }
        Retention { days: self.days, size: self.size, classes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("50GB", Some(50_000_000_000)),
            ("1.5 TB", Some(1_500_000_000_000)),
            ("20GiB", Some(20 << 30)),
            ("1mb", Some(1_000_000)),
            ("0.5MB", None),
            ("GB", None),
            ("-5GB", None),
            ("50", None),
            ("50 parsecs", None),
            ("1e300TB", None),
        ] {
            assert_eq!(Size::try_from(text.to_owned()).ok().map(|size| size.0), bytes, "{text}");
        }
    }

    #[test]
    fn what_alerts_stand_on_is_never_kept_shorter() {
        let plan = |text: &str| toml::from_str::<RetentionFile>(text).unwrap().plan();
        assert_eq!(plan("days = 30").unwrap().alerts_days, 365);
        assert_eq!(plan("days = 400").unwrap().alerts_days, 400);
        assert_eq!(plan("days = 30\nalerts_days = 20").unwrap_err().0, "alerts_days");
        let classes = "[[class]]\nname='a'\nmatch='user:root'\ndays=3\n";
        let retention = plan(classes).unwrap().at(Timestamp::from_seconds(0));
        assert_eq!((retention.days, retention.classes.len()), (None, 2));
        assert_eq!(retention.classes.first().unwrap().days, None);
        assert_eq!(plan(&classes.repeat(2)).unwrap_err().0, "class");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, part) in [
            ("days = 0", "1 to 36500"),
            ("[[class]]\nname='alerts'\nmatch=''\ndays=3", "alerts_days"),
            ("[[class]]\nname='a b'\nmatch=''\ndays=3", "letters"),
            ("[[class]]\nname='a'\nmatch='user:('\ndays=3", "cannot read `match`"),
            ("month = 3", "unknown field"),
        ] {
            let error = toml::from_str::<RetentionFile>(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
