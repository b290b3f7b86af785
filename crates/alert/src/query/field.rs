//! The fields of an alert, by the names that clients use.

use std::fmt;

use bergfried_event::Timestamp;
use serde_json::Value;

use crate::alert::{Alert, Trend};

/// A field of an alert that one can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the fields are those of `Alert`")]
pub enum Field {
    Id,
    Resource,
    Event,
    Environment,
    Severity,
    Correlate,
    Status,
    Service,
    Group,
    Value,
    Text,
    Tags,
    /// One attribute, by its name.
    Attribute(String),
    Origin,
    Kind,
    CreateTime,
    Timeout,
    RawData,
    Customer,
    DuplicateCount,
    Repeat,
    PreviousSeverity,
    Trend,
    ReceiveTime,
    LastReceiveId,
    LastReceiveTime,
    UpdateTime,
}

/// Every field but attributes: its name in the API, and others that mean it.
const NAMES: &[(Field, &str, &[&str])] = &[
    (Field::Id, "id", &[]),
    (Field::Resource, "resource", &[]),
    (Field::Event, "event", &[]),
    (Field::Environment, "environment", &[]),
    (Field::Severity, "severity", &[]),
    (Field::Correlate, "correlate", &[]),
    (Field::Status, "status", &[]),
    (Field::Service, "service", &["services"]),
    (Field::Group, "group", &[]),
    (Field::Value, "value", &[]),
    (Field::Text, "text", &[]),
    (Field::Tags, "tags", &["tag"]),
    (Field::Origin, "origin", &[]),
    (Field::Kind, "type", &[]),
    (Field::CreateTime, "createTime", &["create_time"]),
    (Field::Timeout, "timeout", &[]),
    (Field::RawData, "rawData", &["raw_data"]),
    (Field::Customer, "customer", &[]),
    (Field::DuplicateCount, "duplicateCount", &["duplicate_count"]),
    (Field::Repeat, "repeat", &[]),
    (Field::PreviousSeverity, "previousSeverity", &["previous_severity"]),
    (Field::Trend, "trendIndication", &["trend_indication"]),
    (Field::ReceiveTime, "receiveTime", &["receive_time"]),
    (Field::LastReceiveId, "lastReceiveId", &["last_receive_id"]),
    (Field::LastReceiveTime, "lastReceiveTime", &["last_receive_time"]),
    (Field::UpdateTime, "updateTime", &["update_time"]),
];

/// What kind of values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, or nothing.
    Text,
    /// Several texts.
    List,
    /// A whole number that is not negative.
    Number,
    /// A point in time.
    Time,
    /// Yes or no.
    Flag,
    /// Any JSON value, or nothing.
    Any,
}

/// The value of a field in one alert, borrowed from it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held<'a> {
    Nothing,
    Text(&'a str),
    List(&'a [String]),
    Number(u64),
    Time(Timestamp),
    Flag(bool),
    Any(&'a Value),
}

impl Field {
    /// The field of this name, in camelCase or snake_case; `attributes.k` and `_.k` are attributes.
    pub fn named(name: &str) -> Option<Field> {
        let attribute = name.strip_prefix("attributes.").or_else(|| name.strip_prefix("_."));
        if let Some(key) = attribute {
            return (!key.is_empty()).then(|| Field::Attribute(key.to_owned()));
        }
        let found =
            NAMES.iter().find(|(_, known, others)| *known == name || others.contains(&name));
        found.map(|(field, ..)| field.clone())
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Field::Correlate | Field::Service | Field::Tags => Kind::List,
            Field::Timeout | Field::DuplicateCount => Kind::Number,
            Field::CreateTime | Field::ReceiveTime | Field::LastReceiveTime | Field::UpdateTime => {
                Kind::Time
            }
            Field::Repeat => Kind::Flag,
            Field::Attribute(_) => Kind::Any,
            _ => Kind::Text,
        }
    }

    pub(super) fn of<'a>(&self, alert: &'a Alert) -> Held<'a> {
        let optional = |text: &'a Option<String>| text.as_deref().map_or(Held::Nothing, Held::Text);
        match self {
            Field::Id => Held::Text(&alert.id),
            Field::Resource => Held::Text(&alert.resource),
            Field::Event => Held::Text(&alert.event),
            Field::Environment => Held::Text(&alert.environment),
            Field::Severity => Held::Text(&alert.severity),
            Field::Correlate => Held::List(&alert.correlate),
            Field::Status => Held::Text(alert.status.name()),
            Field::Service => Held::List(&alert.service),
            Field::Group => Held::Text(&alert.group),
            Field::Value => optional(&alert.value),
            Field::Text => Held::Text(&alert.text),
            Field::Tags => Held::List(&alert.tags),
            Field::Attribute(key) => match alert.attributes.get(key) {
                None | Some(Value::Null) => Held::Nothing,
                Some(value) => Held::Any(value),
            },
            Field::Origin => Held::Text(&alert.origin),
            Field::Kind => Held::Text(&alert.kind),
            Field::CreateTime => Held::Time(alert.create_time),
            Field::Timeout => Held::Number(alert.timeout.into()),
            Field::RawData => optional(&alert.raw_data),
            Field::Customer => optional(&alert.customer),
            Field::DuplicateCount => Held::Number(alert.duplicate_count),
            Field::Repeat => Held::Flag(alert.repeat),
            Field::PreviousSeverity => Held::Text(&alert.previous_severity),
            Field::Trend => Held::Text(trend(alert.trend)),
            Field::ReceiveTime => Held::Time(alert.receive_time),
            Field::LastReceiveId => Held::Text(&alert.last_receive_id),
            Field::LastReceiveTime => Held::Time(alert.last_receive_time),
            Field::UpdateTime => Held::Time(alert.update_time),
        }
    }
}

impl fmt::Display for Field {
    /// The name in the API.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Field::Attribute(key) = self {
            return write!(f, "attributes.{key}");
        }
        let found = NAMES.iter().find(|(field, ..)| field == self);
        f.write_str(found.map_or("", |(_, name, _)| *name))
    }
}

fn trend(trend: Trend) -> &'static str {
    match trend {
        Trend::MoreSevere => "moreSevere",
        Trend::NoChange => "noChange",
        Trend::LessSevere => "lessSevere",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_shown() {
        for (field, name, others) in NAMES {
            assert_eq!(field.to_string(), *name);
            for name in others.iter().chain([name]) {
                assert_eq!(Field::named(name).as_ref(), Some(field), "{name}");
            }
        }
        assert_eq!(Field::named("_.a.b"), Some(Field::Attribute("a.b".to_owned())));
        for name in ["", "attributes", "attributes.", "history", "Status", "lastreceivetime"] {
            assert_eq!(Field::named(name), None, "{name}");
        }
    }
}
