//! Senders that say regularly that they are alive, and what is said of one that does not.
//!
//! A heartbeat alert has the values that Alerta's command-line client gives it, so that an alert is
//! the same whether the client said it or the hub.

use std::collections::BTreeMap;
use std::fmt;

use bergfried_event::{Severity, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bounds::{MAX_LIST, MAX_NAME, TooMuch};
use crate::incoming::Incoming;
use crate::model::{Model, UnknownSeverity};
use crate::settings::Settings;
use crate::status::Status;

/// The last that was heard of a sender; there is one for each origin and customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Its id, a UUID; it stays while the sender is heard of.
    pub id: String,
    /// Who is alive.
    pub origin: String,
    /// Words without values.
    pub tags: Vec<String>,
    /// Anything else; `environment`, `severity`, `service` and `group` shape the alert when it fails.
    pub attributes: BTreeMap<String, Value>,
    /// When the sender made it.
    pub create_time: Timestamp,
    /// When it was received.
    pub receive_time: Timestamp,
    /// Seconds after which the sender counts as silent; 0: never.
    pub timeout: u32,
    /// Whose it is.
    pub customer: Option<String>,
}

/// How well a sender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pulse {
    /// It was heard of in time.
    Ok,
    /// It was heard of in time, but what it sent was long on its way.
    Slow,
    /// It was not heard of for longer than it allowed.
    Expired,
}

impl Pulse {
    /// Every pulse.
    pub const ALL: [Pulse; 3] = [Pulse::Ok, Pulse::Slow, Pulse::Expired];

    /// The word: `ok`, `slow` or `expired`.
    pub fn name(self) -> &'static str {
        match self {
            Pulse::Ok => "ok",
            Pulse::Slow => "slow",
            Pulse::Expired => "expired",
        }
    }

    /// The event of the alert that says so.
    pub fn event(self) -> &'static str {
        match self {
            Pulse::Ok => "HeartbeatOK",
            Pulse::Slow => "HeartbeatSlow",
            Pulse::Expired => "HeartbeatFail",
        }
    }
}

impl fmt::Display for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Heartbeat {
    /// Milliseconds between making and receiving; negative where the sender's clock is ahead.
    pub fn latency(&self) -> i64 {
        self.receive_time.since(self.create_time) / 1_000
    }

    /// Whole seconds since it was last heard of; none while the clock stands before that.
    pub fn since(&self, now: Timestamp) -> u64 {
        u64::try_from(now.since(self.receive_time) / Timestamp::SECOND).unwrap_or(0)
    }

    /// How well the sender is now.
    pub fn pulse(&self, settings: &Settings, now: Timestamp) -> Pulse {
        if self.due().is_some_and(|due| now >= due) {
            Pulse::Expired
        } else if self.latency() > i64::from(settings.heartbeat_max_latency) {
            Pulse::Slow
        } else {
            Pulse::Ok
        }
    }

    /// When the sender counts as silent unless it is heard of before; none: never.
    pub fn due(&self) -> Option<Timestamp> {
        let allowed = i64::from(self.timeout) * Timestamp::SECOND;
        // "Longer than the timeout": the moment after it.
        (self.timeout != 0).then(|| self.receive_time.plus_micros(allowed + 1))
    }

    /// The alert that says how well the sender is, as Alerta's client would send it now.
    pub fn alert(&self, settings: &Settings, pulse: Pulse, id: String, now: Timestamp) -> Incoming {
        let model = &settings.model;
        let mut attributes = self.attributes.clone();
        let environment = text(attributes.remove("environment"));
        let service = texts(attributes.remove("service"));
        let group = text(attributes.remove("group"));
        let bad = text(attributes.remove("severity"));
        let bad = bad.as_deref().and_then(|word| model.severity(word).ok());
        let bad = bad.unwrap_or_else(|| model.of_rule(Severity::High));
        let (severity, value, text) = match pulse {
            Pulse::Ok => (model.normal.as_str(), String::new(), "Heartbeat OK".to_owned()),
            Pulse::Slow => {
                let most = settings.heartbeat_max_latency;
                let text = format!("Heartbeat took more than {most}ms to be processed");
                (bad, format!("{}ms", self.latency()), text)
            }
            Pulse::Expired => {
                let text = format!("Heartbeat not received in {} seconds", self.timeout);
                (bad, clock(self.since(now)), text)
            }
        };
        Incoming {
            id,
            environment: environment.unwrap_or_else(|| "Production".to_owned()),
            resource: self.origin.clone(),
            event: pulse.event().to_owned(),
            severity: severity.to_owned(),
            correlate: ["HeartbeatFail", "HeartbeatSlow", "HeartbeatOK"]
                .map(str::to_owned)
                .to_vec(),
            status: Status::Open,
            service: service.unwrap_or_else(|| vec!["Alerta".to_owned()]),
            group: group.unwrap_or_else(|| "System".to_owned()),
            value: Some(value),
            text,
            tags: self.tags.clone(),
            attributes,
            origin: settings.heartbeat_origin.clone(),
            kind: "heartbeatAlert".to_owned(),
            create_time: now,
            timeout: settings.alert_timeout,
            raw_data: None,
            customer: self.customer.clone(),
            evidence: None,
        }
    }
}

/// Why a heartbeat is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitHeartbeat {
    /// It holds more than there may be.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// An attribute that shapes its alert is of a kind that no alert has.
    #[error("`attributes` must have as `{name}` {expected}")]
    Shape {
        /// The attribute.
        name: &'static str,
        /// What it should be.
        expected: String,
    },
    /// Its alert would have a severity that there is not.
    #[error("`attributes` must have as `severity` one that there is: {0}")]
    Severity(UnknownSeverity),
}

impl Heartbeat {
    /// It, where it is within the bounds, as it stays in memory, and where what shapes its alert can
    /// do so: Alerta's client sends it as an alert, and ends at the first that is refused. A service
    /// by itself becomes a list of it.
    ///
    /// # Errors
    /// The first that is unfit.
    pub fn fit(mut self, model: &Model) -> Result<Heartbeat, UnfitHeartbeat> {
        self.check_bounds()?;
        if let Some(service) = self.attributes.get_mut("service")
            && service.is_string()
        {
            *service = Value::Array(vec![service.take()]);
        }
        let is_name = |value: &Value| value.as_str().is_some_and(|text| text.len() <= MAX_NAME);
        for name in ["environment", "severity", "group"] {
            if !self.shape(name).is_none_or(is_name) {
                let expected = format!("a text of at most {MAX_NAME} bytes");
                return Err(UnfitHeartbeat::Shape { name, expected });
            }
        }
        let is_list = |value: &Value| {
            let list = value.as_array();
            list.is_some_and(|list| list.len() <= MAX_LIST && list.iter().all(is_name))
        };
        if !self.shape("service").is_none_or(is_list) {
            let expected =
                format!("a list of at most {MAX_LIST} texts of at most {MAX_NAME} bytes each");
            return Err(UnfitHeartbeat::Shape { name: "service", expected });
        }
        if let Some(word) = self.shape("severity").and_then(Value::as_str) {
            model.severity(word).map_err(UnfitHeartbeat::Severity)?;
        }
        Ok(self)
    }

    /// What an attribute says, where it says anything.
    fn shape(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name).filter(|value| !value.is_null())
    }
}

/// `0:02:05`, with the days before it where there are any: `1 day, 0:02:05`.
fn clock(seconds: u64) -> String {
    let (days, left) = (seconds / 86_400, seconds % 86_400);
    let of_day = format!("{}:{:02}:{:02}", left / 3_600, left / 60 % 60, left % 60);
    match days {
        0 => of_day,
        1 => format!("1 day, {of_day}"),
        _ => format!("{days} days, {of_day}"),
    }
}

/// The text of an attribute that holds one.
fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// The texts of an attribute that holds one or a list of them.
fn texts(value: Option<Value>) -> Option<Vec<String>> {
    let texts = match value? {
        Value::Array(values) => values.into_iter().filter_map(|value| text(Some(value))).collect(),
        single => text(Some(single)).into_iter().collect::<Vec<_>>(),
    };
    (!texts.is_empty()).then_some(texts)
}

#[cfg(test)]
mod tests;
