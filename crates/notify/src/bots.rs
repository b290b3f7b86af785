//! Bots that change what they wrote: Slack and Telegram as they answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use crate::channel::Channel;
use crate::example;
use crate::message::{Memory, Message};
use crate::notice::{Change, Notice};
use crate::send::{Client, SendError};
use crate::stub::{Stub, answer, ok};
use bergfried_event::Timestamp;

#[derive(Deserialize)]
struct File {
    notify: Vec<Channel>,
}

fn slack(stub: &Stub) -> Channel {
    channel("slack", "xoxb-hidden", "channel = 'ops'", stub)
}

fn telegram(stub: &Stub) -> Channel {
    channel("telegram", "12:hidden", "chat = '-7'", stub)
}

fn channel(kind: &str, token: &str, to: &str, stub: &Stub) -> Channel {
    let text = format!(
        "[[notify]]\nname = 'x'\ntype = '{kind}'\ntoken = '{token}'\n{to}\napi = '{}/api/'",
        stub.url
    );
    toml::from_str::<File>(&text).unwrap().notify.remove(0)
}

fn send(
    channel: &Channel,
    message: &Message,
    memory: Option<&Memory>,
) -> Result<Option<Memory>, SendError> {
    Client::new().send(channel, message, memory, Timestamp::from_seconds(1_700_000_000))
}

fn alert(change: Change, loud: bool) -> Message {
    Message::Alert(Box::new(Notice { loud, ..example::notice("web1", change) }))
}

#[test]
fn slack_changes_its_message_and_answers_where_people_are_called() {
    let numbers = AtomicUsize::new(0);
    let stub = Stub::start(move |_| {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        ok(&json!({ "ok": true, "channel": "C1", "ts": format!("1.{number}") }).to_string())
    });
    let channel = slack(&stub);
    let memory = send(&channel, &alert(Change::New, true), None).unwrap();
    let posted = Memory::Slack { channel: "C1".to_owned(), ts: "1.0".to_owned() };
    assert_eq!(memory, Some(posted.clone()));
    let asked = stub.take();
    assert_eq!(asked[0].path, "/api/chat.postMessage");
    assert_eq!(asked[0].header("authorization"), "Bearer xoxb-hidden");
    let body = asked[0].json();
    assert_eq!(body["channel"], "ops");
    assert!(body["text"].is_string() && body["blocks"].is_array());

    let kept = send(&channel, &alert(Change::Closed, false), Some(&posted)).unwrap();
    assert_eq!(kept, Some(posted.clone()));
    let asked = stub.take();
    assert_eq!((asked.len(), asked[0].path.as_str()), (1, "/api/chat.update"));
    assert_eq!(
        (&asked[0].json()["channel"], &asked[0].json()["ts"]),
        (&json!("C1"), &json!("1.0"))
    );

    send(&channel, &alert(Change::Reminder { after: 900 }, true), Some(&posted)).unwrap();
    let asked = stub.take();
    let paths: Vec<&str> = asked.iter().map(|asked| asked.path.as_str()).collect();
    assert_eq!(paths, ["/api/chat.update", "/api/chat.postMessage"]);
    let reply = asked[1].json();
    assert_eq!((&reply["thread_ts"], &reply["reply_broadcast"]), (&json!("1.0"), &json!(true)));

    let again = send(&channel, &alert(Change::Reopened, true), Some(&posted)).unwrap();
    assert_ne!(again, Some(posted), "what is opened again begins anew");
    let test = example::every_kind().pop().unwrap();
    assert_eq!(send(&channel, &test, None).unwrap(), None, "there is no alert to remember");
}

#[test]
fn what_slack_refuses() {
    let memory = Memory::Slack { channel: "C1".to_owned(), ts: "1.0".to_owned() };
    for (status, body, retryable, message) in [
        (
            "200 OK",
            json!({"ok": false, "error": "ratelimited"}),
            true,
            "Slack answered ratelimited",
        ),
        (
            "200 OK",
            json!({"ok": false, "error": "invalid_auth"}),
            false,
            "Slack answered invalid_auth",
        ),
        (
            "200 OK",
            json!({"ok": false, "error": "channel_not_found"}),
            false,
            "Slack answered channel_not_found",
        ),
        ("200 OK", json!("hidden"), true, "Slack answered what is no answer of Slack"),
        (
            "200 OK",
            json!({"ok": false, "error": "Token hidden"}),
            false,
            "Slack answered what is no answer of Slack",
        ),
        ("503 Busy", json!({}), true, "the server answered 503"),
    ] {
        let stub = Stub::start(move |_| answer(status, "", &body.to_string()));
        let error = send(&slack(&stub), &alert(Change::New, true), None).unwrap_err();
        assert_eq!((error.retryable, error.message.as_str()), (retryable, message));
    }
    let stub = Stub::start(|_| answer("429 Slow", "Retry-After: 30\r\n", ""));
    let error = send(&slack(&stub), &alert(Change::Closed, false), Some(&memory)).unwrap_err();
    assert_eq!((error.retryable, error.retry_after), (true, Some(Duration::from_secs(30))));
    // A message that somebody deleted is written again.
    let stub = Stub::start(|asked| match asked.path.ends_with("update") {
        true => ok(&json!({"ok": false, "error": "message_not_found"}).to_string()),
        false => ok(&json!({"ok": true, "channel": "C1", "ts": "2.0"}).to_string()),
    });
    let again = send(&slack(&stub), &alert(Change::Closed, false), Some(&memory)).unwrap();
    assert_eq!(again, Some(Memory::Slack { channel: "C1".to_owned(), ts: "2.0".to_owned() }));
}

#[test]
fn telegram_changes_its_message_and_answers_where_people_are_called() {
    let stub = Stub::start(|_| ok(&json!({"ok": true, "result": {"message_id": 42}}).to_string()));
    let channel = telegram(&stub);
    let memory = send(&channel, &alert(Change::New, true), None).unwrap().unwrap();
    assert_eq!(memory, Memory::Telegram { chat: "-7".to_owned(), message: 42 });
    let asked = stub.take().remove(0);
    assert_eq!(asked.path, "/api/bot12:hidden/sendMessage");
    let body = asked.json();
    assert_eq!((&body["chat_id"], &body["parse_mode"]), (&json!("-7"), &json!("HTML")));
    assert_eq!(body["disable_notification"], false);
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with("<b>HIGH: SSH password guessing on web1</b>\n"), "{text}");
    assert!(text.ends_with("c11\">Open in Bergfried</a>"), "{text}");

    send(&channel, &alert(Change::Closed, false), Some(&memory)).unwrap();
    let asked = stub.take();
    assert_eq!((asked.len(), &asked[0].json()["message_id"]), (1, &json!(42)));
    assert!(asked[0].path.ends_with("/editMessageText"));

    send(&channel, &alert(Change::Escalated { step: 1, after: 900 }, true), Some(&memory)).unwrap();
    let asked = stub.take();
    assert_eq!(asked[1].json()["reply_parameters"]["message_id"], 42);
    let quiet = example::every_kind().swap_remove(8);
    send(&channel, &quiet, None).unwrap();
    assert_eq!(stub.take()[0].json()["disable_notification"], true);
}

#[test]
fn what_telegram_refuses() {
    let refuse = |status: &'static str, description: &str, parameters: serde_json::Value| {
        let body = json!({"ok": false, "description": description, "parameters": parameters});
        Stub::start(move |_| answer(status, "", &body.to_string()))
    };
    let busy = refuse("429 Too Many Requests", "Too Many Requests", json!({"retry_after": 17}));
    let error = send(&telegram(&busy), &alert(Change::New, true), None).unwrap_err();
    assert_eq!((error.retryable, error.retry_after), (true, Some(Duration::from_secs(17))));
    let wrong = refuse("400 Bad Request", "Bad Request: chat not found\u{1b}", json!({}));
    let error = send(&telegram(&wrong), &alert(Change::New, true), None).unwrap_err();
    let message = "the server answered 400: Bad Request: chat not found\\u{1b}";
    assert_eq!((error.retryable, error.message.as_str()), (false, message));
    let echo = refuse("404 Not Found", "no such page: /bot12:hidden/sendMessage", json!({}));
    let error = send(&telegram(&echo), &alert(Change::New, true), None).unwrap_err();
    assert_eq!(error.message, "the server answered 404");
    // The same text again is no failure, a message that is gone is written anew.
    let memory = Memory::Telegram { chat: "-7".to_owned(), message: 1 };
    let same = refuse("400 Bad Request", "Bad Request: message is not modified: …", json!({}));
    let kept = send(&telegram(&same), &alert(Change::Closed, false), Some(&memory)).unwrap();
    assert_eq!(kept, Some(memory.clone()));
    let gone = Stub::start(|asked| match asked.path.ends_with("editMessageText") {
        true => answer(
            "400 Bad Request",
            "",
            r#"{"ok":false,"description":"message to edit not found"}"#,
        ),
        false => ok(r#"{"ok":true,"result":{"message_id":2}}"#),
    });
    let again = send(&telegram(&gone), &alert(Change::Closed, false), Some(&memory)).unwrap();
    assert_eq!(again, Some(Memory::Telegram { chat: "-7".to_owned(), message: 2 }));
}

#[test]
fn messages_of_every_kind_fit() {
    let nasty = "<b>&\"' @here https://evil.example \u{1b}[31m\u{202e}🔥\n".repeat(200);
    let mut all = example::every_kind();
    all.push(crate::sample::hostile(&nasty));
    if let Message::Group(group) = &mut all[3] {
        group.notices = vec![example::notice(&nasty, Change::New); 200];
    }
    for message in all {
        let text = crate::telegram::render(&message);
        assert!(text.encode_utf16().count() <= 4096, "{}", text.len());
        assert!(!text.contains("https://evil") && !text.contains('\u{1b}'));
        let blocks = crate::slack::message(&message);
        assert!(blocks["text"].as_str().unwrap().encode_utf16().count() <= 3000);
        for block in blocks["blocks"].as_array().into_iter().flatten() {
            let text = block["text"]["text"].as_str().unwrap_or("-");
            assert!((1..=3000).contains(&text.encode_utf16().count()), "{text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever a log says, Telegram sees our tags alone, closed in order.
    #[test]
    fn no_text_breaks_out_of_html(text in any::<String>()) {
        let html = crate::telegram::render(&crate::sample::hostile(&text));
        prop_assert!(!html.replace('\n', "").contains(char::is_control));
        let mut open = Vec::new();
        for tag in html.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').unwrap();
            match tag.strip_prefix('/') {
                Some(closed) => prop_assert_eq!(open.pop(), Some(closed)),
                None => {
                    prop_assert!(["b", "i", "code"].contains(&tag), "{tag}");
                    open.push(tag);
                }
            }
        }
        prop_assert!(open.is_empty());
    }
}
