//! A route as a person writes it, and what is checked before it may run.

use std::time::Duration;

use bergfried_event::{Severity, Timestamp, nearest};
use bergfried_query::{Predicate, search};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::quiet::{QuietHours, time_of_day, zone};
use super::{Daily, Escalation, Listener, Route, fields};

const MAX_NAME: usize = 64;
const MAX_CHANNELS: usize = 32;
const MAX_GROUP_BY: usize = 8;
const MAX_ESCALATIONS: usize = 10;
const MAX_PER_HOUR: u32 = 10_000;
const HOUR: i64 = 3_600 * Timestamp::SECOND;
const LONGEST_WINDOW: i64 = 24 * HOUR;
const LONGEST_WAIT: i64 = 30 * 24 * HOUR;
const MINUTE: i64 = 60 * Timestamp::SECOND;

/// One `[[route]]` table.
///
/// Routes are asked in their order. The first one that wants an alert says who is told, and those
/// after it are asked only where it says `continue = true`.
///
/// ```toml
/// [[route]]
/// name = "nights"                         # shown by `bergfried notify route`
/// when = 'environment:Production -tags:lab'   # the search language over an alert; absent: each
/// min_severity = "high"                   # absent: what each channel says
/// channels = ["ops", "phone"]
/// continue = true                         # ask the next routes too
/// group_by = ["resource"]                 # alerts that share these become one message ...
/// group_window = "2m"                     # ... when so much time has passed since the first
/// max_per_hour = 20                       # messages on each channel; a digest tells of the rest
/// quiet_hours = "22:00-07:00"             # what comes then is told together at their end
/// quiet_days = ["mon", "tue"]             # on which they begin; absent: each
/// quiet_except = "severity:critical"      # what is told all the same
/// time_zone = "Europe/Berlin"             # of these hours and of the report; absent: UTC
/// resolved = false                        # do not tell when it is over (true unless said)
/// remind_every = "4h"                     # while it is open and nobody acknowledged it
/// escalate = [{ after = "15m", channels = ["boss"] }]   # where nobody acknowledged it
/// daily_report = "08:00"                  # of the last 24 hours, over these channels
/// hub_status = true                       # tell when the hub starts and stops
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is explained in the example above")]
pub struct RouteFile {
    pub name: Option<String>,
    pub when: Option<String>,
    #[serde(default)]
    pub channels: Vec<String>,
    #[serde(default, rename = "continue")]
    pub continues: bool,
    pub min_severity: Option<Severity>,
    #[serde(default)]
    pub group_by: Vec<String>,
    pub group_window: Option<String>,
    pub max_per_hour: Option<u32>,
    pub quiet_hours: Option<String>,
    #[serde(default)]
    pub quiet_days: Vec<String>,
    pub quiet_except: Option<String>,
    pub time_zone: Option<String>,
    pub resolved: Option<bool>,
    pub remind_every: Option<String>,
    #[serde(default)]
    pub escalate: Vec<EscalationFile>,
    pub daily_report: Option<String>,
    #[serde(default)]
    pub hub_status: bool,
}

/// One step of an escalation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationFile {
    /// How long after the first message, such as `15m`.
    pub after: String,
    /// Who is told then.
    pub channels: Vec<String>,
}

/// What is wrong with a route, and with which of its keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use route `{}`: {reason}", name.escape_debug())]
pub struct RouteError {
    /// The position of the route, from 0.
    pub index: usize,
    /// The route's name.
    pub name: String,
    /// The key at fault; none where it is the table.
    pub key: Option<&'static str>,
    /// What is wrong with it.
    pub reason: String,
}

type Checked<T> = Result<T, (Option<&'static str>, String)>;

impl RouteFile {
    /// Reads the route; `listeners` are the channels that there are.
    pub(super) fn check(&self, index: usize, listeners: &[Listener]) -> Result<Route, RouteError> {
        let name = self.name.clone().unwrap_or_else(|| format!("route-{}", index + 1));
        match self.checked(&name, listeners) {
            Ok(route) => Ok(route),
            Err((key, reason)) => Err(RouteError { index, name, key, reason }),
        }
    }

    fn checked(&self, name: &str, listeners: &[Listener]) -> Checked<Route> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_name) {
            let reason = format!("`name` must be 1 to {MAX_NAME} letters, digits, `.`, `_` or `-`");
            return Err((Some("name"), reason));
        }
        if self.channels.is_empty() {
            let key = (!self.channels.is_empty()).then_some("channels");
            return Err((key, "`channels` names no channel".to_owned()));
        }
        known_channels(&self.channels, listeners).map_err(|reason| (Some("channels"), reason))?;
        let zone = zone(self.time_zone.as_deref()).map_err(|reason| (Some("time_zone"), reason))?;
        let uses_zone = self.quiet_hours.is_some() || self.daily_report.is_some();
        needs(self.time_zone.is_some(), "time_zone", uses_zone, "quiet_hours or daily_report")?;
        Ok(Route {
            name: name.to_owned(),
            when: self.when.as_deref().map(|text| predicate("when", text)).transpose()?,
            channels: self.channels.clone(),
            continues: self.continues,
            min_severity: self.min_severity,
            group: self.group()?,
            max_per_hour: self.max_per_hour()?,
            quiet: self.quiet(&zone)?,
            quiet_except: self.quiet_except()?,
            resolved: self.resolved.unwrap_or(true),
            remind_every: self
                .remind_every
                .as_deref()
                .map(|text| span("remind_every", text, MINUTE, LONGEST_WAIT))
                .transpose()?,
            escalations: self.escalations(listeners)?,
            daily: self
                .daily_report
                .as_deref()
                .map(|text| {
                    let time =
                        time_of_day(text).map_err(|reason| (Some("daily_report"), reason))?;
                    Ok(Daily { time, zone: zone.clone() })
                })
                .transpose()?,
            hub_status: self.hub_status,
        })
    }

    fn group(&self) -> Checked<Option<super::Grouping>> {
        needs(!self.group_by.is_empty(), "group_by", self.group_window.is_some(), "group_window")?;
        let Some(window) = &self.group_window else { return Ok(None) };
        let window = span("group_window", window, Timestamp::SECOND, LONGEST_WINDOW)?;
        if self.group_by.len() > MAX_GROUP_BY {
            return Err((Some("group_by"), format!("there are more than {MAX_GROUP_BY} fields")));
        }
        let mut by = Vec::with_capacity(self.group_by.len());
        for name in &self.group_by {
            let field = bergfried_event::FieldName::new(name.clone());
            fields::check(&field).map_err(|reason| (Some("group_by"), reason))?;
            by.push(field);
        }
        Ok(Some(super::Grouping { by, window }))
    }

    fn max_per_hour(&self) -> Checked<Option<u32>> {
        match self.max_per_hour {
            Some(limit) if !(1..=MAX_PER_HOUR).contains(&limit) => {
                Err((Some("max_per_hour"), format!("it must be from 1 to {MAX_PER_HOUR}")))
            }
            limit => Ok(limit),
        }
    }

    fn quiet(&self, zone: &TimeZone) -> Checked<Option<QuietHours>> {
        let has_hours = self.quiet_hours.is_some();
        needs(!self.quiet_days.is_empty(), "quiet_days", has_hours, "quiet_hours")?;
        needs(self.quiet_except.is_some(), "quiet_except", has_hours, "quiet_hours")?;
        let Some(hours) = &self.quiet_hours else { return Ok(None) };
        // The days are at fault only where the hours alone will do.
        QuietHours::new(hours, &[], zone.clone())
            .map_err(|reason| (Some("quiet_hours"), reason))?;
        QuietHours::new(hours, &self.quiet_days, zone.clone())
            .map(Some)
            .map_err(|reason| (Some("quiet_days"), reason))
    }

    fn quiet_except(&self) -> Checked<Option<Predicate>> {
        self.quiet_except.as_deref().map(|text| predicate("quiet_except", text)).transpose()
    }

    fn escalations(&self, listeners: &[Listener]) -> Checked<Vec<Escalation>> {
        if self.escalate.len() > MAX_ESCALATIONS {
            return Err((Some("escalate"), format!("there are more than {MAX_ESCALATIONS} steps")));
        }
        let mut steps = Vec::with_capacity(self.escalate.len());
        let mut last = Duration::ZERO;
        for step in &self.escalate {
            let after = span("escalate", &step.after, Timestamp::SECOND, LONGEST_WAIT)?;
            if after <= last {
                let reason = format!(
                    "`after = \"{}\"` is not later than the step before; each counts from the \
                     first message",
                    step.after.escape_debug()
                );
                return Err((Some("escalate"), reason));
            }
            last = after;
            if step.channels.is_empty() {
                return Err((Some("escalate"), "a step names no channel".to_owned()));
            }
            known_channels(&step.channels, listeners)
                .map_err(|reason| (Some("escalate"), reason))?;
            steps.push(Escalation { after, channels: step.channels.clone() });
        }
        Ok(steps)
    }
}

/// A key that means nothing without another.
fn needs(given: bool, key: &'static str, other_given: bool, other: &str) -> Checked<()> {
    if given && !other_given {
        return Err((Some(key), format!("`{key}` does nothing without {other}")));
    }
    Ok(())
}

fn known_channels(names: &[String], listeners: &[Listener]) -> Result<(), String> {
    if names.len() > MAX_CHANNELS {
        return Err(format!("there are more than {MAX_CHANNELS} channels"));
    }
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|before| before == name) {
            return Err(format!("`{}` is named twice", name.escape_debug()));
        }
        let known = || listeners.iter().map(|listener| listener.channel.as_str());
        if known().any(|known| known == name) {
            continue;
        }
        let mut message = format!("there is no channel `{}`", name.escape_debug());
        match nearest(name, known()) {
            Some(meant) => message.push_str(&format!("; is `{meant}` meant?")),
            None if listeners.is_empty() => message.push_str(": there is no [[notify]]"),
            None => {
                let known: Vec<&str> = known().collect();
                message.push_str(&format!(", only {}", known.join(", ")));
            }
        }
        return Err(message);
    }
    Ok(())
}

fn span(key: &'static str, text: &str, least: i64, most: i64) -> Checked<Duration> {
    let micros = search::duration(text).ok_or_else(|| {
        let shown = text.escape_debug();
        (Some(key), format!("`{shown}` is no span of time, expected such as `15m` (s m h d w)"))
    })?;
    if !(least..=most).contains(&micros) {
        let seconds = |micros: i64| micros / Timestamp::SECOND;
        let reason = format!(
            "`{}` is not between {} s and {} s",
            text.escape_debug(),
            seconds(least),
            seconds(most)
        );
        return Err((Some(key), reason));
    }
    Ok(Duration::from_micros(micros.unsigned_abs()))
}

/// A condition over an alert. Times in it (`now-1h`) would count from when the configuration is read,
/// so there is no `now` worth giving.
fn predicate(key: &'static str, text: &str) -> Checked<Predicate> {
    let predicate = search::parse_with(text, Timestamp::from_micros(0), fields::NAMES)
        .map_err(|error| (Some(key), format!("cannot read `{key}`: {}", error.render(text))))?;
    fields::check_all(&predicate).map_err(|reason| (Some(key), reason))?;
    Ok(predicate)
}
