//! An event as Heimdall documents it.

use bergfried_event::{Event, Field, FieldName};
use bergfried_store::StoredEvent;
use serde::Serialize;

use crate::adapters::heimdall::PATH;
use crate::adapters::heimdall::time::Shown;

/// The address of what came from nowhere.
pub(super) const NO_ADDRESS: &str = "N/A";
/// The user of what nobody did.
pub(super) const NOBODY: &str = "system";

/// The nine fields of an event.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Document {
    event_id: String,
    timestamp: Shown,
    source_host: String,
    os_type: String,
    event_type: String,
    severity: i64,
    source_ip: String,
    user: String,
    raw_message: String,
}

/// The event in Heimdall's words.
pub(super) fn document(stored: &StoredEvent) -> Document {
    let event = &stored.event;
    let text = |field| event.text(field);
    let or_empty = |field| text(field).unwrap_or_default().to_owned();
    let address = text(Field::SourceIp).or_else(|| text(Field::SourceAddress));
    let user = text(Field::UserName).map(str::to_owned);
    let severity = event.get(Field::HeimdallSeverity).map(|value| value.to_text().parse());
    Document {
        event_id: named(event, "heimdall.event_id").unwrap_or_else(|| made_id(stored)),
        timestamp: Shown(event.created()),
        source_host: or_empty(Field::HostName),
        os_type: or_empty(Field::HeimdallOsType),
        event_type: or_empty(Field::HeimdallEventType),
        severity: severity.and_then(Result::ok).unwrap_or(1),
        source_ip: address.unwrap_or(NO_ADDRESS).to_owned(),
        user: user.or_else(|| named(event, "heimdall.user")).unwrap_or_else(|| NOBODY.to_owned()),
        raw_message: raw_message(event),
    }
}

/// The line: of a document of Heimdall's that which it carries, else the event's own.
fn raw_message(event: &Event<'_>) -> String {
    if event.text(Field::LogFilePath) != Some(PATH) {
        return event.original().to_owned();
    }
    let message = || event.text(Field::Message).unwrap_or_default().to_owned();
    named(event, "heimdall.raw_message").unwrap_or_else(message)
}

/// An id for an event that nobody gave one: always the same one for the same event (RFC 9562, UUID
/// version 8).
fn made_id(stored: &StoredEvent) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&stored.id.to_le_bytes());
    hasher.update(&stored.ingested.micros().to_le_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

fn named(event: &Event<'_>, name: &'static str) -> Option<String> {
    event.get_named(&FieldName::new(name)).map(|value| value.to_text().into_owned())
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;

    use super::*;

    #[test]
    fn an_event_that_names_nobody_has_nine_fields_all_the_same() {
        let created: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let mut event = Event::new(created, "the line itself".to_owned());
        event.push(Field::HeimdallEventType, "CRITICAL_ERROR");
        event.push(Field::HeimdallOsType, "LINUX");
        event.push(Field::HeimdallSeverity, 5);
        let stored = StoredEvent { id: 7, ingested: created, event };
        let shown = serde_json::to_value(document(&stored)).unwrap();
        let id = shown["event_id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap();
        assert_eq!((id.get_version_num(), id.get_variant()), (8, uuid::Variant::RFC4122));
        assert_eq!(document(&stored).event_id, shown["event_id"], "stable");
        let expected = serde_json::json!({
            "event_id": shown["event_id"], "timestamp": "2026-03-01T12:00:00.000000Z",
            "source_host": "", "os_type": "LINUX", "event_type": "CRITICAL_ERROR", "severity": 5,
            "source_ip": "N/A", "user": "system", "raw_message": "the line itself",
        });
        assert_eq!(shown, expected);
        assert_ne!(made_id(&StoredEvent { id: 8, ..stored.clone() }), shown["event_id"]);
    }
}
