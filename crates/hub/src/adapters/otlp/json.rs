//! The same messages as JSON: the mapping of proto3, with ids in hex (OTLP 1, "JSON Protobuf
//! Encoding").
//!
//! Members are found by their names in lowerCamelCase or as in the protocol's files; unknown ones
//! are passed over, null is as absent, 64-bit numbers are texts or numbers.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::message::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, LogRecord, Request, Resource, ResourceLogs,
    Scope, ScopeLogs, any_value,
};

/// Reads a request.
///
/// # Errors
/// Where it is no JSON, or a member is not what it must be, by its name.
pub(crate) fn read(body: &[u8]) -> Result<Request, String> {
    let value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    request(&value)
}

type Read<T> = Result<T, String>;

fn request(value: &Value) -> Read<Request> {
    let request = object(value, "the request")?;
    Ok(Request { resource_logs: list(request, "resourceLogs", "resource_logs", resource_logs)? })
}

fn resource_logs(value: &Value) -> Read<ResourceLogs> {
    let logs = object(value, "resourceLogs")?;
    let resource = match member(logs, "resource", "resource") {
        None => None,
        Some(resource) => {
            let resource = object(resource, "resource")?;
            Some(Resource { attributes: list(resource, "attributes", "attributes", key_value)? })
        }
    };
    Ok(ResourceLogs { resource, scope_logs: list(logs, "scopeLogs", "scope_logs", scope_logs)? })
}

fn scope_logs(value: &Value) -> Read<ScopeLogs> {
    let logs = object(value, "scopeLogs")?;
    let scope = match member(logs, "scope", "scope") {
        None => None,
        Some(scope) => {
            let scope = object(scope, "scope")?;
            Some(Scope {
                name: text(scope, "name", "name")?,
                version: text(scope, "version", "version")?,
                attributes: list(scope, "attributes", "attributes", key_value)?,
            })
        }
    };
    Ok(ScopeLogs { scope, log_records: list(logs, "logRecords", "log_records", log_record)? })
}

fn log_record(value: &Value) -> Read<LogRecord> {
    let record = object(value, "logRecords")?;
    let number = |camel, snake| -> Read<u64> {
        let Some(value) = member(record, camel, snake) else { return Ok(0) };
        digits(value).ok_or_else(|| format!("`{camel}` must be a whole number"))
    };
    let id = |camel, snake| -> Read<Vec<u8>> {
        let text = text(record, camel, snake)?;
        hex(&text).ok_or_else(|| format!("`{camel}` must be hex digits"))
    };
    let body = member(record, "body", "body").map(any_value).transpose()?;
    Ok(LogRecord {
        time_unix_nano: number("timeUnixNano", "time_unix_nano")?,
        observed_time_unix_nano: number("observedTimeUnixNano", "observed_time_unix_nano")?,
        severity_number: member(record, "severityNumber", "severity_number")
            .and_then(severity)
            .unwrap_or_default(),
        severity_text: text(record, "severityText", "severity_text")?,
        body,
        attributes: list(record, "attributes", "attributes", key_value)?,
        trace_id: id("traceId", "trace_id")?,
        span_id: id("spanId", "span_id")?,
        event_name: text(record, "eventName", "event_name")?,
    })
}

fn key_value(value: &Value) -> Read<KeyValue> {
    let pair = object(value, "attributes")?;
    let value = member(pair, "value", "value").map(any_value).transpose()?;
    Ok(KeyValue { key: text(pair, "key", "key")?, value })
}

/// The nesting is bounded by that of the JSON, which its reader bounds.
fn any_value(value: &Value) -> Read<AnyValue> {
    let any = object(value, "value")?;
    let get = |camel, snake| member(any, camel, snake);
    let wrong = |name: &str| format!("`{name}` is not what its name says");
    let value = if let Some(text) = get("stringValue", "string_value") {
        let text = text.as_str().ok_or_else(|| wrong("stringValue"))?;
        Some(any_value::Value::String(text.to_owned()))
    } else if let Some(truth) = get("boolValue", "bool_value") {
        Some(any_value::Value::Bool(truth.as_bool().ok_or_else(|| wrong("boolValue"))?))
    } else if let Some(number) = get("intValue", "int_value") {
        let number = number.as_i64().or_else(|| number.as_str()?.parse().ok());
        Some(any_value::Value::Int(number.ok_or_else(|| wrong("intValue"))?))
    } else if let Some(number) = get("doubleValue", "double_value") {
        // `NaN`, `Infinity` and `-Infinity` come as texts.
        let number = number.as_f64().or_else(|| number.as_str()?.parse().ok());
        Some(any_value::Value::Double(number.ok_or_else(|| wrong("doubleValue"))?))
    } else if let Some(array) = get("arrayValue", "array_value") {
        let array = object(array, "arrayValue")?;
        let values = list(array, "values", "values", any_value)?;
        Some(any_value::Value::Array(ArrayValue { values }))
    } else if let Some(map) = get("kvlistValue", "kvlist_value") {
        let map = object(map, "kvlistValue")?;
        let values = list(map, "values", "values", key_value)?;
        Some(any_value::Value::Map(KeyValueList { values }))
    } else if let Some(bytes) = get("bytesValue", "bytes_value") {
        let bytes = bytes.as_str().and_then(base64).ok_or_else(|| wrong("bytesValue"))?;
        Some(any_value::Value::Bytes(bytes))
    } else {
        None
    };
    Ok(AnyValue { value })
}

fn object<'v>(value: &'v Value, name: &str) -> Read<&'v Map<String, Value>> {
    value.as_object().ok_or_else(|| format!("`{name}` must be an object"))
}

fn member<'v>(object: &'v Map<String, Value>, camel: &str, snake: &str) -> Option<&'v Value> {
    object.get(camel).or_else(|| object.get(snake)).filter(|value| !value.is_null())
}

fn list<T>(
    object: &Map<String, Value>,
    camel: &str,
    snake: &str,
    read: impl Fn(&Value) -> Read<T>,
) -> Read<Vec<T>> {
    match member(object, camel, snake) {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(read).collect(),
        Some(_) => Err(format!("`{camel}` must be a list")),
    }
}

fn text(object: &Map<String, Value>, camel: &str, snake: &str) -> Read<String> {
    match member(object, camel, snake) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("`{camel}` must be a text")),
    }
}

fn digits(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A number, or the name of an enumeration's value (`SEVERITY_NUMBER_INFO2`).
fn severity(value: &Value) -> Option<i32> {
    if let Some(number) = value.as_i64() {
        return i32::try_from(number).ok();
    }
    let name = value.as_str()?.strip_prefix("SEVERITY_NUMBER_")?;
    let letters = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let first = match letters {
        "TRACE" => 1,
        "DEBUG" => 5,
        "INFO" => 9,
        "WARN" => 13,
        "ERROR" => 17,
        "FATAL" => 21,
        _ => return None,
    };
    let step: i32 = match name.get(letters.len()..)? {
        "" => 1,
        step => step.parse().ok().filter(|step| (2..=4).contains(step))?,
    };
    Some(first + step - 1)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ids_and_bytes_are_read_in_every_form() {
        for (body, expected) in [
            (
                r#"{"timeUnixNano":"7","severityNumber":9,"traceId":"0a0B"}"#,
                LogRecord {
                    time_unix_nano: 7,
                    severity_number: 9,
                    trace_id: vec![10, 11],
                    ..LogRecord::default()
                },
            ),
            (
                r#"{"time_unix_nano":7,"severity_number":"SEVERITY_NUMBER_WARN3","body":null,"x":[]}"#,
                LogRecord { time_unix_nano: 7, severity_number: 15, ..LogRecord::default() },
            ),
        ] {
            assert_eq!(log_record(&serde_json::from_str(body).unwrap()).unwrap(), expected);
        }
        for (body, expected) in [
            (r#"{"stringValue":"a"}"#, any_value::Value::String("a".to_owned())),
            (r#"{"intValue":"-7"}"#, any_value::Value::Int(-7)),
            (r#"{"int_value":7}"#, any_value::Value::Int(7)),
            (r#"{"doubleValue":1.5}"#, any_value::Value::Double(1.5)),
            (r#"{"doubleValue":"-Infinity"}"#, any_value::Value::Double(f64::NEG_INFINITY)),
            (r#"{"boolValue":false}"#, any_value::Value::Bool(false)),
            (r#"{"bytesValue":"AP8="}"#, any_value::Value::Bytes(vec![0, 255])),
            (r#"{"bytesValue":"AP8"}"#, any_value::Value::Bytes(vec![0, 255])),
        ] {
            let value = any_value(&serde_json::from_str(body).unwrap()).unwrap();
            assert_eq!(value.value, Some(expected), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, said) in [
            ("", "EOF"),
            ("[]", "the request"),
            (r#"{"resourceLogs":{}}"#, "resourceLogs"),
            (r#"{"resourceLogs":[{"scopeLogs":[7]}]}"#, "scopeLogs"),
            (
                r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"x"}]}]}]}"#,
                "timeUnixNano",
            ),
            (r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"xyz"}]}]}]}"#, "traceId"),
            (r#"{"resourceLogs":[{"resource":{"attributes":[{"key":7}]}}]}"#, "key"),
        ] {
            let error = read(body.as_bytes()).unwrap_err();
            assert!(error.contains(said), "{body}: {error}");
        }
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(deep.as_bytes()).is_err());
    }
}
