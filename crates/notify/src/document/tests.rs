//! The document that a webhook gets, and what hostile text becomes in it.

use super::*;
use crate::notice::Change;
use crate::sample;

#[test]
fn an_alert_as_a_webhook_gets_it() {
    let change = Change::SeverityChanged { from: "low".to_owned(), to: "high".to_owned() };
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(document(&sample::message(change)), @r#"
        {
          "action": "trigger",
          "alert": {
            "attributes": {},
            "by": null,
            "changed": "2023-11-14T22:16:40Z",
            "comment": null,
            "count": 12,
            "created": "2023-11-14T22:15:00Z",
            "customer": null,
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
            "group": "Misc",
            "grouped_by": [
              {
                "field": "source.ip",
                "value": "203.0.113.5"
              }
            ],
            "host": "web1",
            "id": "7",
            "last_received": "2023-11-14T22:16:40Z",
            "last_seen": "2023-11-14T22:16:00Z",
            "matched": [
              {
                "field": "user.name",
                "value": "root"
              }
            ],
            "origin": "bergfried",
            "over": false,
            "previous_severity": null,
            "program": "sshd",
            "received": 1,
            "resource": "web1",
            "rule_id": "7b3c",
            "service": [
              "sshd"
            ],
            "severity": "high",
            "severity_word": "high",
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
            ],
            "value": null
          },
          "change": {
            "from": "low",
            "kind": "severity_changed",
            "to": "high"
          },
          "facts": [
            {
              "name": "Change",
              "value": "severity low → high"
            },
            {
              "name": "Host",
              "value": "web1"
            },
            {
              "name": "User",
              "value": "root"
            },
            {
              "name": "Source",
              "value": "203.0.113.5"
            },
            {
              "name": "Events",
              "value": "12"
            },
            {
              "name": "First seen",
              "value": "2023-11-14T22:15:00Z"
            },
            {
              "name": "Last seen",
              "value": "2023-11-14T22:16:00Z"
            },
            {
              "name": "ATT&CK",
              "value": "T1110.001, T1078"
            },
            {
              "name": "Matched",
              "value": "user.name: root"
            },
            {
              "name": "False positives",
              "value": "A script with an old password"
            }
          ],
          "key": "alert-7",
          "kind": "alert",
          "severity": "high",
          "summary": "HIGH: SSH password guessing: 12 events on web1, user root, from 203.0.113.5, logged by sshd",
          "text": "SSH password guessing: 12 events on web1, user root, from 203.0.113.5, logged by sshd",
          "title": "HIGH: SSH password guessing on web1",
          "url": "https://hub.example/alerts/7",
          "version": 2
        }
        "#);
    });
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "<!channel> @here https://evil.example \u{1b}[31m\u{202e}";
    let document = document(&sample::hostile(hostile));
    let alert = &document["alert"];
    assert_eq!(alert["user"], "<!channel> @here https://evil.example \\u{1b}[31m\\u{202e}");
    let text = alert["text"].as_str().unwrap();
    assert!(!text.contains("@here") && !text.contains("://"), "{text}");
    let whole = document.to_string();
    assert!(!whole.replace("\\\\", "").contains("\\u00") && !whole.contains('\u{202e}'), "{whole}");
}
