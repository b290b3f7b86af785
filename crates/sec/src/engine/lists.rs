//! Variables of action lists (sec(1), "ACTIONS, ACTION LISTS AND ACTION LIST VARIABLES").

use foldhash::HashMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::port::Code;
use crate::template::{Values, Variable};
use crate::text::Text;
use crate::variables::Scene;

/// Variables that rules set.
#[derive(Default)]
pub(super) struct Variables {
    values: HashMap<Box<str>, Text>,
    /// Functions in Perl that `eval` gave.
    pub functions: HashMap<Box<str>, Code>,
}

impl Variables {
    pub(super) fn get(&self, name: &str) -> Option<&Text> {
        self.values.get(name)
    }

    /// Sets a variable; `false` where there are too many.
    pub(super) fn set(&mut self, name: &str, value: Text, limit: usize) -> bool {
        self.functions.remove(name);
        let full = self.values.len() >= limit;
        match self.values.get_mut(name) {
            Some(old) => *old = value,
            None if full => return false,
            None => {
                self.values.insert(name.into(), value);
            }
        }
        true
    }

    pub(super) fn unset(&mut self, name: &str) {
        self.values.remove(name);
        self.functions.remove(name);
    }

    /// Whether Perl would take its value for true.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.functions.contains_key(name)
            || self.values.get(name).is_some_and(|value| !matches!(value.bytes(), b"" | b"0"))
    }

    /// All, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.values.iter().map(|(name, value)| (&**name, value))
    }
}

/// What an action's texts are filled in with.
pub(super) struct View<'a> {
    pub scene: &'a Scene,
    pub variables: &'a Variables,
    pub now: i64,
    pub time_zone: &'a TimeZone,
    /// `%s` stands in single quotes (`--quoting`, in command lines alone).
    pub quoted: bool,
}

impl Values for View<'_> {
    fn push(&self, variable: &Variable, to: &mut Text) {
        match variable {
            Variable::List(name) => self.list(name, to),
            _ => self.scene.bound.push(variable, to),
        }
    }
}

impl View<'_> {
    fn list(&self, name: &str, to: &mut Text) {
        match name {
            "s" if self.quoted => to.push_text(&self.scene.description.in_single_quotes()),
            "s" => to.push_text(&self.scene.description),
            "u" => to.push_trusted(self.now.to_string().as_bytes()),
            "t" => to.push_trusted(self.format("%a %b %e %H:%M:%S %Y").as_bytes()),
            _ => match name.strip_prefix('.') {
                Some(name) => to.push_trusted(&self.built_in(name)),
                None => {
                    if let Some(value) = self.variables.get(name) {
                        to.push_text(value);
                    }
                }
            },
        }
    }

    fn built_in(&self, name: &str) -> Vec<u8> {
        let format = match name {
            "nl" => return b"\n".to_vec(),
            "cr" => return b"\r".to_vec(),
            "tab" => return b"\t".to_vec(),
            "sp" => return b" ".to_vec(),
            "sec" => "%S",
            "min" => "%M",
            "hour" => "%H",
            "hmsstr" => "%H:%M:%S",
            "mday" => "%d",
            "mdaystr" => "%e",
            "mon" => "%m",
            "monstr" => "%b",
            "year" => "%Y",
            "wday" => "%w",
            "wdaystr" => "%a",
            "tzname" => "%Z",
            "tzoff" => "%z",
            "tzoff2" => "%:z",
            _ => {
                let number = name.strip_prefix("chr").and_then(|number| number.parse::<u8>().ok());
                return number.map(|byte| vec![byte]).unwrap_or_default();
            }
        };
        self.format(format).into_bytes()
    }

    fn format(&self, format: &str) -> String {
        let time = Timestamp::from_second(self.now)
            .unwrap_or(Timestamp::UNIX_EPOCH)
            .to_zoned(self.time_zone.clone());
        time.strftime(format).to_string()
    }
}
