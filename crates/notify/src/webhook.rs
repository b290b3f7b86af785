//! The JSON document that a generic webhook gets. Its shape is a promise: within one `version`,
//! keys are added but never renamed or removed.
//!
//! ```json
//! { "version": 1, "kind": "alert",
//!   "change": { "kind": "new" },
//!   "alert": { "id": 7, "environment": "Production", "resource": "web1", "…": "…" },
//!   "url": "https://hub.example/alerts/7" }
//! ```
//! `change.kind` is `new`, `repeated`, `reopened` or `severity_changed` (then with `from` and `to`);
//! `url` is null where the hub does not know its own address. Times are RFC 3339 in UTC. A test
//! message has `"kind": "test"` with `text` and `sent` instead.

use bergfried_alert::{Alert, Outcome};
use bergfried_event::Timestamp;
use serde_json::{Value, json};

use crate::neutral::{inert, visible};

const VERSION: u8 = 1;
const MAX_TEXT: usize = 4096;

/// The document about a change of an alert.
///
/// Names and lines are values for programs, so only what acts on a screen is made visible in them;
/// `text`, which receivers like to hand on to a chat, is made inert.
pub(crate) fn document(alert: &Alert, change: Outcome, url: Option<&str>) -> Value {
    let text = |text: &String| visible(text, MAX_TEXT);
    let optional = |value: &Option<String>| value.as_ref().map(text);
    let pairs = |pairs: &[(String, String)]| -> Vec<Value> {
        let pair = |(field, value): &(_, _)| json!({ "field": text(field), "value": text(value) });
        pairs.iter().map(pair).collect()
    };
    json!({
        "version": VERSION,
        "kind": "alert",
        "change": change,
        "alert": {
            "id": alert.id,
            "environment": text(&alert.environment),
            "resource": text(&alert.resource),
            "event": text(&alert.event),
            "severity": alert.severity,
            "previous_severity": alert.previous_severity,
            "status": alert.status,
            "text": inert(&alert.text, MAX_TEXT),
            "count": alert.count,
            "received": alert.received,
            "first_seen": alert.first_seen,
            "last_seen": alert.last_seen,
            "rule_id": text(&alert.rule_id),
            "host": optional(&alert.host),
            "user": optional(&alert.user),
            "source": optional(&alert.source),
            "program": optional(&alert.program),
            "users": alert.users.names.iter().map(text).collect::<Vec<_>>(),
            "sources": alert.sources.names.iter().map(text).collect::<Vec<_>>(),
            "techniques": alert.techniques.iter().map(text).collect::<Vec<_>>(),
            "tags": alert.tags.iter().map(text).collect::<Vec<_>>(),
            "falsepositives": alert.falsepositives.iter().map(text).collect::<Vec<_>>(),
            "group": pairs(&alert.group),
            "matched": pairs(&alert.matched),
            "event_ids": alert.event_ids,
            "example": text(&alert.example),
        },
        "url": url,
    })
}

/// The document of a test message.
pub(crate) fn test(text: &str, now: Timestamp) -> Value {
    json!({ "version": VERSION, "kind": "test", "text": inert(text, MAX_TEXT), "sent": now })
}

#[cfg(test)]
mod tests {
    use bergfried_event::Severity;

    use super::*;
    use crate::sample;

    #[test]
    fn an_alert_as_a_webhook_gets_it() {
        let change = Outcome::SeverityChanged { from: Severity::Low, to: Severity::High };
        let url = Some("https://hub.example/alerts/7");
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(document(&sample::alert(), change, url), @r#"
            {
              "alert": {
                "count": 12,
                "environment": "Production",
                "event": "SSH password guessing",
                "event_ids": [
                  1,
                  2
                ],
                "example": "Failed password for root from 203.0.113.5 port 4711 ssh2",
                "falsepositives": [
                  "A script with an old password"
                ],
                "first_seen": "2023-11-14T22:15:00Z",
                "group": [
                  {
                    "field": "source.ip",
                    "value": "203.0.113.5"
                  }
                ],
                "host": "web1",
                "id": 7,
                "last_seen": "2023-11-14T22:16:00Z",
                "matched": [
                  {
                    "field": "user.name",
                    "value": "root"
                  }
                ],
                "previous_severity": null,
                "program": "sshd",
                "received": 1,
                "resource": "web1",
                "rule_id": "7b3c",
                "severity": "high",
                "source": "203.0.113.5",
                "sources": [
                  "203.0.113.5"
                ],
                "status": "open",
                "tags": [
                  "attack.credential-access",
                  "attack.t1110.001"
                ],
                "techniques": [
                  "T1110.001",
                  "T1078"
                ],
                "text": "SSH password guessing: 12 events on web1, user root, from 203.0.113.5, logged by sshd",
                "user": "root",
                "users": [
                  "root"
                ]
              },
              "change": {
                "from": "low",
                "kind": "severity_changed",
                "to": "high"
              },
              "kind": "alert",
              "url": "https://hub.example/alerts/7",
              "version": 1
            }
            "#);
        });
    }

    #[test]
    fn hostile_text_stays_text() {
        let hostile = "<!channel> @here https://evil.example \u{1b}[31m\u{202e}";
        let document = document(&sample::hostile(hostile), Outcome::New, None);
        let alert = &document["alert"];
        assert_eq!(alert["user"], "<!channel> @here https://evil.example \\u{1b}[31m\\u{202e}");
        let text = alert["text"].as_str().unwrap();
        assert!(!text.contains("@here") && !text.contains("://"), "{text}");
        let whole = document.to_string();
        assert!(!whole.contains("\\u001b") && !whole.contains('\u{202e}'), "{whole}");
    }
}
