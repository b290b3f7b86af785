//! An alert as Alerta's clients read and write it.
//!
//! Every field is always there, null where it is unset, in the order of the names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use bergfried_alert::{Alert, Entry, EntryKind, Incoming, Settings, Status, Trend};
use bergfried_event::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::document::{Document, scalar};
use super::error::Refusal;
use super::markup;
use super::request::Base;

/// Who says what names no sender.
static ORIGIN: LazyLock<String> = LazyLock::new(|| origin_of("bergfried"));

/// A program on this host, as Alerta's clients name who says something.
pub(super) fn origin_of(program: &str) -> String {
    format!("{program}/{}", rustix::system::uname().nodename().to_string_lossy())
}

/// A date as the API writes it: UTC, cut to milliseconds.
pub(crate) fn date(time: Timestamp) -> String {
    let whole = time.floor_to(Timestamp::SECOND);
    let millis = time.since(whole) / 1_000;
    let mut text = whole.to_string();
    text.truncate(text.len() - 1);
    text.push_str(&format!(".{millis:03}Z"));
    text
}

/// Serializes a date as [`date`] writes it.
pub(crate) fn as_date<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&date(*time))
}

/// Reads a date as clients write it: UTC, with one to six digits of a fraction.
pub(crate) fn read_date(text: &str) -> Option<Timestamp> {
    let fits = (22..=27).contains(&text.len())
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            19 => byte == b'.',
            _ if index + 1 == text.len() => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    fits.then(|| text.parse::<jiff::Timestamp>().ok()).flatten().map(Timestamp::from)
}

/// Who says what names no sender.
pub(crate) fn origin() -> &'static str {
    &ORIGIN
}

/// An id for what has none yet.
pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Which of an alert's longer parts are shown.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) history: bool,
    pub(crate) raw_data: bool,
}

impl Parts {
    pub(crate) const ALL: Parts = Parts { history: true, raw_data: true };
}

/// An alert as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertBody<'a> {
    attributes: Cow<'a, BTreeMap<String, Value>>,
    correlate: &'a [String],
    #[serde(serialize_with = "as_date")]
    create_time: Timestamp,
    customer: Option<&'a str>,
    duplicate_count: u64,
    environment: &'a str,
    event: &'a str,
    group: &'a str,
    history: Vec<EntryBody<'a>>,
    href: String,
    id: &'a str,
    last_receive_id: &'a str,
    #[serde(serialize_with = "as_date")]
    last_receive_time: Timestamp,
    origin: &'a str,
    previous_severity: &'a str,
    raw_data: Option<&'a str>,
    #[serde(serialize_with = "as_date")]
    receive_time: Timestamp,
    repeat: bool,
    resource: &'a str,
    service: &'a [String],
    severity: &'a str,
    status: Status,
    tags: &'a [String],
    text: Cow<'a, str>,
    timeout: u32,
    trend_indication: Trend,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(serialize_with = "as_date")]
    update_time: Timestamp,
    value: Option<&'a str>,
}

/// An entry of an alert's history as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryBody<'a> {
    event: &'a str,
    href: String,
    id: &'a str,
    severity: &'a str,
    status: Status,
    text: &'a str,
    timeout: u32,
    #[serde(rename = "type")]
    kind: EntryKind,
    #[serde(serialize_with = "as_date")]
    update_time: Timestamp,
    user: Option<&'a str>,
    value: Option<&'a str>,
}

/// An alert as the API shows it.
pub(crate) fn alert<'a>(alert: &'a Alert, base: &Base, parts: Parts) -> AlertBody<'a> {
    let history = if parts.history { alert.history.as_slice() } else { &[] };
    let (attributes, text) = match base.is_for_browser() {
        true => (markup::without_in(&alert.attributes), markup::without(&alert.text)),
        false => (Cow::Borrowed(&alert.attributes), Cow::Borrowed(alert.text.as_str())),
    };
    AlertBody {
        attributes,
        correlate: &alert.correlate,
        create_time: alert.create_time,
        customer: alert.customer.as_deref(),
        duplicate_count: alert.duplicate_count,
        environment: &alert.environment,
        event: &alert.event,
        group: &alert.group,
        history: history.iter().map(|entry| of_entry(entry, base)).collect(),
        href: base.href(&format!("/alert/{}", alert.id)),
        id: &alert.id,
        last_receive_id: &alert.last_receive_id,
        last_receive_time: alert.last_receive_time,
        origin: &alert.origin,
        previous_severity: &alert.previous_severity,
        raw_data: alert.raw_data.as_deref().filter(|_| parts.raw_data),
        receive_time: alert.receive_time,
        repeat: alert.repeat,
        resource: &alert.resource,
        service: &alert.service,
        severity: &alert.severity,
        status: alert.status,
        tags: &alert.tags,
        text,
        timeout: alert.timeout,
        trend_indication: alert.trend,
        kind: &alert.kind,
        update_time: alert.update_time,
        value: alert.value.as_deref(),
    }
}

fn of_entry<'a>(entry: &'a Entry, base: &Base) -> EntryBody<'a> {
    EntryBody {
        event: &entry.event,
        href: base.href(&format!("/alert/{}", entry.id)),
        id: &entry.id,
        severity: &entry.severity,
        status: entry.status,
        text: &entry.text,
        timeout: entry.timeout,
        kind: entry.kind,
        update_time: entry.time,
        user: entry.user.as_deref(),
        value: entry.value.as_deref(),
    }
}

/// What a client says of a matter; how much it may say is for [`Incoming::check`] to judge.
///
/// # Errors
/// 400 that names the field and what was expected.
pub(crate) fn incoming(
    document: &Document,
    settings: &Settings,
    now: Timestamp,
) -> Result<Incoming, Refusal> {
    let event = document.required("event")?;
    let mut correlate = document.words("correlate")?.unwrap_or_default();
    if !correlate.is_empty() && !correlate.contains(&event) {
        correlate.push(event.clone());
    }
    let customer = document.name("customer")?;
    if customer.as_deref() == Some("") {
        return Err(Refusal::field("customer", "a text that is not empty"));
    }
    Ok(Incoming {
        id: id(document)?.unwrap_or_else(new_id),
        environment: document.name("environment")?.unwrap_or_default(),
        resource: document.required("resource")?,
        severity: severity(document.name("severity")?, settings)?,
        correlate,
        status: status(document.name("status")?, settings)?,
        service: document.words("service")?.unwrap_or_default(),
        group: document.name("group")?.unwrap_or_else(|| "Misc".to_owned()),
        value: value(document)?,
        text: document.text("text")?.unwrap_or_default(),
        tags: document.words("tags")?.unwrap_or_default(),
        attributes: document.attributes("attributes")?.unwrap_or_default(),
        origin: document.name("origin")?.unwrap_or_else(|| ORIGIN.clone()),
        kind: document.name("type")?.unwrap_or_else(|| "exceptionAlert".to_owned()),
        create_time: document.date("createTime")?.unwrap_or(now),
        timeout: document.seconds("timeout")?.unwrap_or(settings.alert_timeout),
        raw_data: raw_data(document),
        customer,
        evidence: None,
        event,
    })
}

/// The id that the client wants; other hubs forward alerts with theirs.
fn id(document: &Document) -> Result<Option<String>, Refusal> {
    let Some(id) = document.name("id")? else { return Ok(None) };
    match uuid::Uuid::try_parse(&id) {
        Ok(id) => Ok(Some(id.to_string())),
        Err(_) => Err(Refusal::field("id", "a UUID, or absent")),
    }
}

fn severity(word: Option<String>, settings: &Settings) -> Result<String, Refusal> {
    match word.filter(|word| !word.is_empty()) {
        None => Ok(settings.model.normal.clone()),
        Some(word) => match settings.model.severity(&word) {
            Ok(known) => Ok(known.to_owned()),
            Err(unknown) => Err(Refusal::invalid(unknown.to_string())),
        },
    }
}

/// The status that the sender wants, or the one that its model gives where it says none.
fn status(word: Option<String>, settings: &Settings) -> Result<Status, Refusal> {
    match word.filter(|word| !word.is_empty()) {
        None => Ok(settings.model.default_status()),
        Some(word) => {
            let status = settings.model.status(&word);
            status.map_err(|unknown| Refusal::invalid(unknown.to_string()))
        }
    }
}

fn value(document: &Document) -> Result<Option<String>, Refusal> {
    let Some(value) = document.value("value") else { return Ok(None) };
    match scalar(value) {
        Some(text) => Ok(Some(text)),
        None => Err(Refusal::field("value", "a text, number or truth value")),
    }
}

fn raw_data(document: &Document) -> Option<String> {
    Some(match document.value("rawData")? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(mut fields: Value) -> Result<Incoming, Refusal> {
        let given = fields.as_object_mut().unwrap();
        for (name, value) in [("resource", "web1"), ("event", "Down")] {
            given.entry(name).or_insert(json!(value));
        }
        let document = Document::read(fields.to_string().as_bytes()).unwrap();
        incoming(&document, &Settings::default(), Timestamp::from_seconds(1))
    }

    #[test]
    fn dates_are_milliseconds_cut_off() {
        for (micros, text) in [
            (1_795_225_217_508_999, "2026-11-21T01:40:17.508Z"),
            (1_795_225_217_000_000, "2026-11-21T01:40:17.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(date(Timestamp::from_micros(micros)), text);
        }
        for (text, micros) in [
            ("2026-11-21T01:40:17.508Z", Some(1_795_225_217_508_000)),
            ("2026-11-21T01:40:17.508123Z", Some(1_795_225_217_508_123)),
            ("2026-11-21T01:40:17.5Z", Some(1_795_225_217_500_000)),
            ("2026-11-21T01:40:17Z", None),
            ("2026-11-21T01:40:17.508+00:00", None),
            ("2026-11-21 01:40:17.508Z", None),
            ("2026-13-21T01:40:17.508Z", None),
            ("2026-11-21T01:40:17.5081234Z", None),
            ("garbage", None),
            ("", None),
        ] {
            assert_eq!(read_date(text).map(Timestamp::micros), micros, "{text}");
        }
    }

    #[test]
    fn what_is_absent_has_its_default() {
        let said = read(json!({"group": null, "origin": null, "timeout": null})).unwrap();
        assert_eq!((said.severity.as_str(), said.status), ("normal", Status::Open));
        assert_eq!((said.group.as_str(), said.kind.as_str()), ("Misc", "exceptionAlert"));
        assert_eq!((said.timeout, said.create_time), (86_400, Timestamp::from_seconds(1)));
        assert_eq!((said.value, said.customer, said.raw_data), (None, None, None));
        assert!(said.origin.starts_with("bergfried/"), "{}", said.origin);
        assert_eq!(uuid::Uuid::parse_str(&said.id).unwrap().get_version_num(), 4);
    }

    #[test]
    fn what_is_sent_is_kept() {
        let id = "d5b0e8b1-1b2a-4c3d-9e4f-5a6b7c8d9e0f";
        let said = read(json!({
            "id": id, "severity": "information", "status": "ack", "value": 99.5, "rawData": {"a": 1},
            "correlate": ["Up"], "tags": ["a", 2], "attributes": {"x": {"y": [1]}}, "timeout": 0,
            "createTime": "2026-11-21T01:40:17.508Z", "type": "t", "unknown": "ignored",
        }))
        .unwrap();
        assert_eq!((said.id.as_str(), said.severity.as_str()), (id, "informational"));
        assert_eq!((said.status, said.value.as_deref()), (Status::Ack, Some("99.5")));
        assert_eq!(said.raw_data.as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(
            (said.correlate.join(" "), said.tags.join(" ")),
            ("Up Down".into(), "a 2".into())
        );
        assert_eq!(
            (said.timeout, date(said.create_time).as_str()),
            (0, "2026-11-21T01:40:17.508Z")
        );
        for (value, text) in [(json!(1), "1"), (json!(true), "true"), (json!("x"), "x")] {
            assert_eq!(read(json!({"value": value})).unwrap().value.as_deref(), Some(text));
        }
    }

    #[test]
    fn every_mistake_is_named() {
        for (fields, part) in [
            (json!({"resource": ""}), "`resource`"),
            (json!({"event": null}), "`event`"),
            (json!({"event": 1}), "`event` must be a text"),
            (json!({"resource": ["a"]}), "`resource` must be a text"),
            (json!({"severity": "majr"}), "expected one of security, critical"),
            (json!({"status": "opn"}), "is `open` meant?"),
            (json!({"correlate": "a"}), "`correlate` must be a list"),
            (json!({"service": "a"}), "`service` must be a list"),
            (json!({"tags": {"a": 1}}), "`tags` must be a list"),
            (json!({"tags": [["a"]]}), "`tags` must be a list"),
            (json!({"attributes": ["a"]}), "`attributes` must be an object"),
            (json!({"attributes": {"a.b": 1}}), "`attributes`"),
            (json!({"timeout": "10"}), "`timeout` must be an integer"),
            (json!({"timeout": -1}), "`timeout` must be an integer"),
            (json!({"timeout": 1.5}), "`timeout` must be an integer"),
            (json!({"customer": ""}), "`customer` must be a text"),
            (json!({"value": {"a": 1}}), "`value` must be a text"),
            (json!({"createTime": "2026"}), "dates must be ISO 8601 date format"),
            (json!({"id": "1"}), "`id` must be a UUID"),
            (json!({"text": "x".repeat(100_000)}), "`text` must be a text of at most"),
        ] {
            let refusal = read(fields.clone()).unwrap_err();
            assert_eq!(refusal.status(), axum::http::StatusCode::BAD_REQUEST);
            assert!(refusal.message().contains(part), "{fields}: {}", refusal.message());
        }
    }
}
