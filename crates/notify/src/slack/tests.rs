//! The message that Slack gets, and what hostile text becomes in it.

use super::*;
use crate::notice::Change;
use crate::sample;

#[test]
fn an_alert_as_slack_gets_it() {
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(message(&sample::message(Change::New)), @r#"
        {
          "blocks": [
            {
              "text": {
                "emoji": false,
                "text": "HIGH: SSH password guessing on web1",
                "type": "plain_text"
              },
              "type": "header"
            },
            {
              "text": {
                "emoji": false,
                "text": "SSH password guessing: 12 events on web1, user root, from 203.0.113.5, logged by sshd",
                "type": "plain_text"
              },
              "type": "section"
            },
            {
              "fields": [
                {
                  "emoji": false,
                  "text": "Change\nnew",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "Host\nweb1",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "User\nroot",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "Source\n203.0.113.5",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "Events\n12",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "First seen\n2023-11-14T22:15:00Z",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "Last seen\n2023-11-14T22:16:00Z",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "ATT&amp;CK\nT1110.001, T1078",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "Matched\nuser.name: root",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "False positives\nA script with an old password",
                  "type": "plain_text"
                }
              ],
              "type": "section"
            },
            {
              "text": {
                "emoji": false,
                "text": "Failed password for root from 203.0.113.5 port 4711 ssh2",
                "type": "plain_text"
              },
              "type": "section"
            },
            {
              "elements": [
                {
                  "emoji": false,
                  "text": "Production · rule 7b3c",
                  "type": "plain_text"
                },
                {
                  "text": "<https://hub.example/alerts/7|Open in Bergfried>",
                  "type": "mrkdwn",
                  "verbatim": true
                }
              ],
              "type": "context"
            }
          ],
          "mrkdwn": false,
          "text": "HIGH: SSH password guessing: 12 events on web1, user root, from 203.0.113.5, logged by sshd",
          "unfurl_links": false,
          "unfurl_media": false
        }
        "#);
    });
}

#[test]
fn a_watchtower_login_reads_as_its_users_know_it() {
    let mut notice = sample::notice(Change::Reopened);
    notice.evidence.as_mut().unwrap().example =
        r#"{"type":"user_login","timestamp":"2026-01-31T12:00:00+02:00",
        "hostname":"web1","user":"<!channel>","method":"password","source_ip":"192.0.2.7",
        "source_port":"50022"}"#
            .to_owned();
    let message = message(&Message::Alert(Box::new(notice)));
    assert_eq!(
        message["blocks"][3]["text"]["text"],
        "Login on web1: &lt;!channel&gt; from 192.0.2.7:50022 by password \
         at 2026-01-31T12:00:00+02:00"
    );
}

#[test]
fn what_changed_is_said() {
    let cases = [
        (Change::New, "Change\nnew"),
        (Change::Repeated, "Change\nrepeated"),
        (Change::Reopened, "Change\nreopened"),
        (
            Change::SeverityChanged { from: "low".to_owned(), to: "high".to_owned() },
            "Change\nseverity low → high",
        ),
    ];
    for (change, expected) in cases {
        let message = message(&sample::message(change));
        assert_eq!(message["blocks"][2]["fields"][0]["text"], expected);
    }
}

#[test]
fn hostile_text_stays_text_within_slacks_limits() {
    let nasty = "<!channel> @here <https://evil.example|bank> & \u{1b}[31m\u{202e}\r\n*b* `c`";
    for text in [nasty.to_owned(), nasty.repeat(500), "🔥&".repeat(5000), String::new()] {
        let message = message(&sample::hostile(&text));
        walk(&message, &mut |text| {
            assert!(!text.contains(['<', '>', '\u{1b}', '\u{202e}', '\r']), "{text}");
            assert!(!text.contains("://") && !text.contains("@here"), "{text}");
            assert!(!text.is_empty());
            assert!(text.encode_utf16().count() <= MAX_TEXT);
        });
        let header = message["blocks"][0]["text"]["text"].as_str().unwrap();
        assert!(header.encode_utf16().count() <= MAX_HEADER, "{header}");
        assert!(message["blocks"].as_array().unwrap().len() <= 50);
        for field in message["blocks"][2]["fields"].as_array().unwrap() {
            assert!(field["text"].as_str().unwrap().encode_utf16().count() <= MAX_FIELD);
        }
    }
}

fn walk(value: &Value, check: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => check(text),
        Value::Array(values) => values.iter().for_each(|value| walk(value, check)),
        Value::Object(map) => map.values().for_each(|value| walk(value, check)),
        _ => {}
    }
}
