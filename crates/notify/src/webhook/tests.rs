//! What a server gets over a webhook: signed, over a private authority's TLS, and each recipe of the
//! documentation as the product publishes that it wants it.

use std::process::Command;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::example;
use crate::stub::{Asked, Stub, answer, ok};

const DOCUMENTATION: &str = include_str!("../../../../docs/notify.md");

#[derive(Deserialize)]
struct File {
    notify: Vec<Channel>,
}

fn channel(text: &str) -> Channel {
    toml::from_str::<File>(text).unwrap().notify.remove(0)
}

fn send(channel: &Channel, message: &Message) -> Result<(), SendError> {
    let now = Timestamp::from_seconds(1_700_000_300);
    Client::new().send(channel, message, None, now).map(|memory| assert_eq!(memory, None))
}

#[test]
fn a_signature_says_who_sent_it_and_when() {
    let stub = Stub::start(|_| answer("204 No Content", "", ""));
    let table = format!(
        "[[notify]]\nname = 'x'\ntype = 'webhook'\nurl = '{}/hook'\nsecret = '0123456789abcdef'",
        stub.url
    );
    let channel = channel(&table);
    let message = example::every_kind().remove(0);
    send(&channel, &message).unwrap();
    send(&channel, &message).unwrap();
    let asked = stub.take();
    let first = &asked[0];
    assert_eq!(first.header("x-bergfried-timestamp"), "1700000300");
    let hex = first.header("x-bergfried-signature").strip_prefix("sha256=").unwrap();
    let tag: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"0123456789abcdef");
    let signed = |time: &str| format!("{time}.{}", first.body);
    hmac::verify(&key, signed("1700000300").as_bytes(), &tag).unwrap();
    assert!(hmac::verify(&key, signed("1700000301").as_bytes(), &tag).is_err());
    let delivery = first.header("x-bergfried-delivery");
    assert_eq!((delivery.len(), delivery), (32, asked[1].header("x-bergfried-delivery")));
    send(&channel, &example::every_kind().remove(1)).unwrap();
    assert_ne!(delivery, stub.take()[0].header("x-bergfried-delivery"));
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
#[test]
fn a_private_authority_vouches_for_its_servers_alone() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("skipped: there is no openssl program");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let made = |name: &str| {
        let arguments = format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
             -subj /CN=localhost -addext subjectAltName=DNS:localhost \
             -addext basicConstraints=critical,CA:FALSE -keyout {name}.key -out {name}.pem"
        );
        let mut command = Command::new("openssl");
        command.args(arguments.split_whitespace()).current_dir(directory.path());
        assert!(command.output().unwrap().status.success());
        directory.path().join(format!("{name}.pem"))
    };
    let (ours, other) = (made("ours"), made("other"));
    let read = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
    let stub = Stub::start_tls(&read("ours.pem"), &read("ours.key"));
    let table = |more: &str| {
        format!("[[notify]]\nname = 'x'\ntype = 'webhook'\nurl = '{}/'\n{more}", stub.url)
    };
    let message = example::every_kind().remove(0);
    let with = |path: &std::path::Path| channel(&table(&format!("ca = '{}'", path.display())));
    send(&with(&ours), &message).unwrap();
    assert_eq!(stub.take().len(), 1);
    for stranger in [with(&other), channel(&table(""))] {
        let error = send(&stranger, &message).unwrap_err();
        assert!(error.retryable && error.message.contains("TLS"), "{error:?}");
    }
    assert_eq!(stub.take().len(), 0);
}

#[test]
fn what_a_template_makes_nothing_of_is_not_sent() {
    let stub = Stub::start(|_| ok(""));
    let table = format!(
        "[[notify]]\nname = 'x'\ntype = 'webhook'\nurl = '{}/'\ncontent_type = 'text/plain'\n\
         body = '{{% if kind == \"alert\" %}}{{{{ alert.user }}}}{{% endif %}}'",
        stub.url
    );
    let channel = channel(&table);
    for message in example::every_kind() {
        send(&channel, &message).unwrap();
    }
    let asked = stub.take();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert_eq!((asked[0].body.as_str(), asked[0].header("content-type")), ("root", "text/plain"));
}

/// The recipe under a heading of the documentation, led to the stub.
fn recipe(heading: &str, stub: &Stub) -> Channel {
    let (_, after) = DOCUMENTATION.split_once(&format!("\n### {heading}\n")).unwrap();
    let (_, after) = after.split_once("```toml\n").unwrap();
    let (table, _) = after.split_once("```").unwrap();
    let line = table.lines().find(|line| line.starts_with("url = ")).unwrap();
    let (_, address) = line.split_once("https://").unwrap();
    let host = &address[..address.find('/').unwrap()];
    channel(&table.replace(&format!("https://{host}"), &stub.url))
}

/// What a recipe sends of messages of every kind, and of hostile ones.
fn tried(heading: &str) -> Vec<(Message, Option<Asked>)> {
    let stub = Stub::start(|_| ok("{}"));
    let channel = recipe(heading, &stub);
    let nasty =
        "\"}],<!channel> @everyone [x](https://evil.example) {{ title }} \u{1b}[2J\u{202e}\n*b*";
    let hostile = [nasty.to_owned(), nasty.repeat(300), String::new()];
    let hostile = hostile.iter().map(|text| crate::sample::hostile(text));
    let tried = example::every_kind().into_iter().chain(hostile).map(|message| {
        send(&channel, &message).unwrap();
        let mut asked = stub.take();
        assert!(asked.len() <= 1);
        if let Some(asked) = asked.first() {
            // A backslash of the text itself is doubled; one alone would be an escape.
            assert!(!asked.body.replace("\\\\", "").contains("\\u00"), "{}", asked.body);
            assert!(!asked.body.contains("https://evil"), "{}", asked.body);
        }
        (message, asked.pop())
    });
    tried.collect()
}

fn length(value: &Value) -> usize {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).encode_utf16().count()
}

/// <https://docs.ntfy.sh/publish/#publish-as-json>
#[test]
fn ntfy_is_told_as_it_documents() {
    for (_, asked) in tried("ntfy") {
        let asked = asked.unwrap();
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/"));
        assert!(asked.header("authorization").starts_with("Bearer tk_"));
        let body = asked.json();
        let known = ["topic", "title", "message", "priority", "click", "tags"];
        assert!(body.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())));
        assert_eq!(body["topic"], "my-secret-topic");
        assert!((1..=5).contains(&body["priority"].as_u64().unwrap()));
        assert!(body["message"].as_str().unwrap().len() <= 4096 && length(&body["title"]) <= 250);
        assert!(body["tags"][0].is_string());
    }
}

/// <https://discord.com/developers/docs/resources/webhook#execute-webhook>
#[test]
fn discord_is_told_as_it_documents() {
    for (_, asked) in tried("Discord") {
        let body = asked.unwrap().json();
        assert_eq!(body["allowed_mentions"]["parse"], Value::Array(Vec::new()));
        let embeds = body["embeds"].as_array().unwrap();
        assert_eq!(embeds.len(), 1);
        let embed = &embeds[0];
        let mut total = length(&embed["title"]) + length(&embed["description"]);
        assert!((1..=256).contains(&length(&embed["title"])));
        assert!(length(&embed["description"]) <= 4096);
        assert!(embed["color"].as_u64().unwrap() <= 0xff_ffff);
        let fields = embed["fields"].as_array().unwrap();
        assert!(fields.len() <= 25);
        for field in fields {
            assert!((1..=256).contains(&length(&field["name"])), "{field}");
            assert!((1..=1024).contains(&length(&field["value"])), "{field}");
            total += length(&field["name"]) + length(&field["value"]);
        }
        assert!(total <= 6000, "{total}");
        assert!(embed.get("url").is_none_or(|url| url.as_str().unwrap().starts_with("https://")));
    }
}

/// <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>
#[test]
fn teams_is_told_as_it_documents() {
    for (_, asked) in tried("Teams") {
        let asked = asked.unwrap();
        assert!(asked.path.contains("sig=2"));
        assert!(asked.body.len() < 28 * 1024, "{}", asked.body.len());
        let body = asked.json();
        assert_eq!(body["type"], "message");
        let card = &body["attachments"][0];
        assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
        let card = &card["content"];
        assert_eq!((&card["type"], &card["version"]), (&"AdaptiveCard".into(), &"1.4".into()));
        for block in card["body"].as_array().unwrap() {
            match block["type"].as_str().unwrap() {
                "TextBlock" => assert!(block["text"].is_string()),
                "FactSet" => {
                    for fact in block["facts"].as_array().unwrap() {
                        assert!(fact["title"].is_string() && fact["value"].is_string());
                    }
                }
                other => panic!("{other}"),
            }
        }
        for action in card["actions"].as_array().into_iter().flatten() {
            assert_eq!(action["type"], "Action.OpenUrl");
            assert!(action["title"].is_string() && action["url"].is_string());
        }
    }
}

/// <https://developer.pagerduty.com/api-reference/368ae3d938c9e-send-an-event-to-pager-duty>
#[test]
fn pagerduty_is_told_as_it_documents() {
    let mut actions = Vec::new();
    for (message, asked) in tried("PagerDuty") {
        let Some(asked) = asked else {
            assert!(matches!(message, Message::Digest(_) | Message::Report(_) | Message::Hub(_)));
            continue;
        };
        assert_eq!(asked.path, "/v2/enqueue");
        assert!(asked.body.len() < 512 * 1024, "{}", asked.body.len());
        let body = asked.json();
        assert_eq!(length(&body["routing_key"]), 32);
        assert!((1..=255).contains(&length(&body["dedup_key"])));
        let payload = &body["payload"];
        assert!((1..=1024).contains(&length(&payload["summary"])));
        assert!(payload["source"].is_string());
        let severity = payload["severity"].as_str().unwrap();
        assert!(["critical", "error", "warning", "info"].contains(&severity));
        assert!(payload["custom_details"].is_object());
        for link in body["links"].as_array().into_iter().flatten() {
            assert!(link["href"].is_string() && link["text"].is_string());
        }
        let action = body["event_action"].as_str().unwrap().to_owned();
        assert!(["trigger", "acknowledge", "resolve"].contains(&action.as_str()));
        if let Message::Alert(notice) = &message {
            assert_eq!(body["dedup_key"], format!("alert-{}", notice.id));
        }
        actions.push(action);
    }
    assert_eq!(actions[..3], ["trigger", "resolve", "acknowledge"]);
}

/// <https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid>
#[test]
fn matrix_is_told_as_it_documents() {
    let mut paths = std::collections::BTreeSet::new();
    for (_, asked) in tried("Matrix") {
        let asked = asked.unwrap();
        assert_eq!(asked.method, "PUT");
        let room = "/_matrix/client/v3/rooms/!room%3Aexample.org/send/m.room.message/";
        let transaction = asked.path.strip_prefix(room).unwrap();
        assert!(
            transaction.len() == 32 && transaction.bytes().all(|byte| byte.is_ascii_hexdigit())
        );
        assert!(paths.insert(asked.path.clone()), "a transaction of its own");
        assert!(asked.header("authorization").starts_with("Bearer "));
        let body = asked.json();
        let msgtype = body["msgtype"].as_str().unwrap();
        assert!(["m.text", "m.notice"].contains(&msgtype));
        assert!(body["body"].is_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a log says: JSON stays JSON of the same shape, and nothing in it acts.
    #[test]
    fn no_text_breaks_out_of_a_template(text in any::<String>()) {
        let source = "{\"t\": {{ title }}, \"u\": [{{ alert.user if alert else title }}, {{ lines | join(\"\\n\") }}]}";
        let template = Template::new("body", source.to_owned(), JSON).unwrap();
        let body = template.render(&crate::sample::hostile(&text), "0").unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(body.as_object().unwrap().len(), 2);
        prop_assert_eq!(body["u"].as_array().unwrap().len(), 2);
        for text in [&body["t"], &body["u"][0], &body["u"][1]] {
            let text = text.as_str().unwrap_or_default();
            prop_assert!(!text.replace('\n', "").contains(char::is_control), "{text:?}");
        }
    }
}
