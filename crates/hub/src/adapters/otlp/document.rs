//! A log record as the JSON document that the hub stores: names of OpenTelemetry become those of ECS
//! where both have a name for the same.
//!
//! | of the log record | field |
//! |---|---|
//! | body, a text or number | `message` |
//! | body, a map | fields of these names; a list is `message` as JSON |
//! | time, else the time observed | `@timestamp` |
//! | severity text, else by number | `log.level` |
//! | severity number | `event.severity` |
//! | trace and span id | `trace.id`, `span.id` |
//! | scope's name | `log.logger` |
//! | event name | `event.action` |
//! | attributes, of the record, its scope and its resource | by [`RENAMED`], else their own names |
//!
//! A name that is taken already is kept under `original.`: no attribute can pass for what the record
//! itself says, and the record's attributes stand before those of its resource.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::message::{AnyValue, KeyValue, LogRecord, Resource, Scope, any_value};

/// Values nested deeper than this are left out. Readers bound it too; this bounds the recursion.
const MAX_DEPTH: usize = 64;

/// Attributes that ECS calls otherwise.
const RENAMED: [(&str, &str); 21] = [
    ("code.file.path", "log.origin.file.name"),
    ("code.filepath", "log.origin.file.name"),
    ("code.function", "log.origin.function"),
    ("code.function.name", "log.origin.function"),
    ("code.line.number", "log.origin.file.line"),
    ("code.lineno", "log.origin.file.line"),
    ("deployment.environment", "service.environment"),
    ("deployment.environment.name", "service.environment"),
    ("enduser.id", "user.name"),
    ("exception.message", "error.message"),
    ("exception.stacktrace", "error.stack_trace"),
    ("exception.type", "error.type"),
    ("host.arch", "host.architecture"),
    ("network.peer.address", "source.address"),
    ("network.peer.port", "source.port"),
    ("os.type", "host.os.platform"),
    ("process.executable.name", "process.name"),
    ("process.executable.path", "process.executable"),
    ("process.parent_pid", "process.parent.pid"),
    ("service.instance.id", "service.node.name"),
    ("thread.id", "process.thread.id"),
];

/// The document of a record, as JSON.
pub(crate) fn document(
    record: &LogRecord,
    scope: Option<&Scope>,
    resource: Option<&Resource>,
) -> Vec<u8> {
    let mut fields = Map::new();
    let time = [record.time_unix_nano, record.observed_time_unix_nano];
    if let Some(time) = time.into_iter().find(|time| *time > 0).and_then(stamp) {
        fields.insert("@timestamp".to_owned(), Value::String(time));
    }
    if let Some(level) = level(record) {
        fields.insert("log.level".to_owned(), Value::String(level));
    }
    if record.severity_number != 0 {
        fields.insert("event.severity".to_owned(), json!(record.severity_number));
    }
    for (name, id) in [("trace.id", &record.trace_id), ("span.id", &record.span_id)] {
        // All zeros mean that there is none.
        if id.iter().any(|byte| *byte != 0) {
            fields.insert(name.to_owned(), Value::String(hex(id)));
        }
    }
    if !record.event_name.is_empty() {
        fields.insert("event.action".to_owned(), json!(record.event_name));
    }
    if let Some(scope) = scope {
        if !scope.name.is_empty() {
            fields.insert("log.logger".to_owned(), json!(scope.name));
        }
        if !scope.version.is_empty() {
            fields.insert("otel.scope.version".to_owned(), json!(scope.version));
        }
    }
    match record.body.as_ref().and_then(|body| body.value.as_ref()) {
        None => {}
        Some(any_value::Value::Map(map)) => add(&mut fields, &map.values),
        Some(any_value::Value::String(text)) => {
            fields.insert("message".to_owned(), json!(text));
        }
        Some(other) => {
            let text = plain(other, 0).to_string();
            fields.insert("message".to_owned(), Value::String(text));
        }
    }
    add(&mut fields, &record.attributes);
    add(&mut fields, scope.map_or(&[][..], |scope| &scope.attributes));
    add(&mut fields, resource.map_or(&[][..], |resource| &resource.attributes));
    Value::Object(fields).to_string().into_bytes()
}

fn add(fields: &mut Map<String, Value>, attributes: &[KeyValue]) {
    for KeyValue { key, value } in attributes {
        let Some(value) = value.as_ref().and_then(|value| value.value.as_ref()) else { continue };
        let renamed = RENAMED.iter().find(|(own, _)| own == key).map(|(_, ecs)| *ecs);
        let name = renamed.unwrap_or(key);
        let value = plain(value, 0);
        if !fields.contains_key(name) {
            fields.insert(name.to_owned(), value);
        } else if fields.get(name) != Some(&value) {
            // What comes first stays; a third one of the name is not told.
            fields.entry(format!("original.{key}")).or_insert(value);
        }
    }
}

fn plain(value: &any_value::Value, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    let below = |value: &AnyValue| {
        value.value.as_ref().map_or(Value::Null, |value| plain(value, depth + 1))
    };
    match value {
        any_value::Value::String(text) => Value::String(text.clone()),
        any_value::Value::Bool(truth) => Value::Bool(*truth),
        any_value::Value::Int(number) => json!(number),
        // NaN and the infinities are no JSON.
        any_value::Value::Double(number) if !number.is_finite() => {
            Value::String(number.to_string())
        }
        any_value::Value::Double(number) => json!(number),
        any_value::Value::Bytes(bytes) => Value::String(hex(bytes)),
        any_value::Value::Array(array) => Value::Array(array.values.iter().map(below).collect()),
        any_value::Value::Map(map) => Value::Object(
            map.values
                .iter()
                .map(|KeyValue { key, value }| {
                    (key.clone(), value.as_ref().map_or(Value::Null, below))
                })
                .collect(),
        ),
    }
}

/// RFC 3339, to the nanosecond.
fn stamp(nanoseconds: u64) -> Option<String> {
    let stamp = jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)).ok()?;
    Some(format!("{stamp:.9}"))
}

fn level(record: &LogRecord) -> Option<String> {
    if !record.severity_text.is_empty() {
        return Some(record.severity_text.to_lowercase());
    }
    let word = match record.severity_number {
        1..=4 => "trace",
        5..=8 => "debug",
        9..=12 => "info",
        13..=16 => "warn",
        17..=20 => "error",
        21..=24 => "fatal",
        _ => return None,
    };
    Some(word.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::json::read;
    use super::*;

    fn documents(body: &Value) -> Vec<Value> {
        let request = read(body.to_string().as_bytes()).unwrap();
        let mut documents = Vec::new();
        for logs in &request.resource_logs {
            for scoped in &logs.scope_logs {
                for record in &scoped.log_records {
                    let document = document(record, scoped.scope.as_ref(), logs.resource.as_ref());
                    documents.push(serde_json::from_slice(&document).unwrap());
                }
            }
        }
        documents
    }

    #[test]
    fn names_become_those_of_ecs_and_nothing_is_passed_off() {
        let attribute =
            |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let body = json!({"resourceLogs": [{
            "resource": {"attributes": [
                attribute("service.name", "shop"), attribute("host.name", "web"),
                attribute("service.instance.id", "shop-1"), attribute("user.name", "resource"),
            ]},
            "scopeLogs": [{
                "scope": {"name": "shop.login", "version": "2"},
                "logRecords": [{
                    "timeUnixNano": "1772362800123456789", "severityNumber": 13,
                    "body": {"stringValue": "a failure"}, "eventName": "login",
                    "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "0000000000000000",
                    "attributes": [
                        attribute("user.name", "bob"), attribute("message", "forged"),
                        attribute("@timestamp", "1999-01-01T00:00:00Z"),
                        attribute("exception.type", "Failure"),
                        {"key": "retries", "value": {"intValue": "3"}},
                        {"key": "list", "value": {"arrayValue": {"values": [{"intValue": 1}, {}]}}},
                        {"key": "blob", "value": {"bytesValue": "AP8="}},
                        {"key": "odd", "value": {"doubleValue": "NaN"}},
                        {"key": "nothing", "value": {}},
                    ],
                }],
            }],
        }]});
        assert_eq!(
            documents(&body),
            [json!({
                "@timestamp": "2026-03-01T11:00:00.123456789Z", "log.level": "warn",
                "event.severity": 13, "trace.id": "5b8efff798038103d269b633813fc60c",
                "event.action": "login", "log.logger": "shop.login", "otel.scope.version": "2",
                "message": "a failure", "user.name": "bob", "original.message": "forged",
                "original.@timestamp": "1999-01-01T00:00:00Z", "error.type": "Failure",
                "retries": 3, "list": [1, null], "blob": "00ff", "odd": "NaN",
                "service.name": "shop", "host.name": "web", "service.node.name": "shop-1",
                "original.user.name": "resource",
            })]
        );
    }

    #[test]
    fn bodies_of_every_kind() {
        let record = |body: Value| {
            documents(&json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": body}]}]}]}))
                .remove(0)
        };
        let map = json!({"kvlistValue": {"values": [
            {"key": "message", "value": {"stringValue": "inside"}},
            {"key": "user", "value": {"kvlistValue": {"values": [
                {"key": "name", "value": {"stringValue": "bob"}}]}}},
        ]}});
        for (body, expected) in [
            (json!({"stringValue": "text"}), json!({"message": "text"})),
            (json!({"intValue": 7}), json!({"message": "7"})),
            (json!({"boolValue": true}), json!({"message": "true"})),
            (json!({"arrayValue": {"values": [{"intValue": 7}]}}), json!({"message": "[7]"})),
            (map, json!({"message": "inside", "user": {"name": "bob"}})),
            (json!({}), json!({})),
            (Value::Null, json!({})),
        ] {
            assert_eq!(record(body.clone()), expected, "{body}");
        }
    }

    #[test]
    fn times_and_levels() {
        let mut record = LogRecord { observed_time_unix_nano: 1_000, ..LogRecord::default() };
        let get = |record: &LogRecord, name: &str| -> Value {
            serde_json::from_slice::<Value>(&document(record, None, None)).unwrap()[name].take()
        };
        assert_eq!(get(&record, "@timestamp"), "1970-01-01T00:00:00.000001000Z");
        record.time_unix_nano = u64::MAX;
        assert!(get(&record, "@timestamp").is_string());
        for (number, text, level) in [
            (1, "", json!("trace")),
            (24, "", json!("fatal")),
            (25, "", Value::Null),
            (9, "WARNING", json!("warning")),
        ] {
            record.severity_number = number;
            record.severity_text = text.to_owned();
            assert_eq!(get(&record, "log.level"), level);
        }
    }
}
