//! What a person may write in a `[[notify]]` table.

use super::*;

#[derive(Debug, Deserialize)]
struct File {
    notify: Vec<Channel>,
}

fn read(text: &str) -> Result<Vec<Channel>, String> {
    toml::from_str::<File>(text).map(|file| file.notify).map_err(|error| error.message().to_owned())
}

#[test]
fn a_table_becomes_a_channel() {
    let channels = read(
        r#"
        [[notify]]
        name = "ops"
        type = "slack"
        url = "https://hooks.slack.example/services/T0/B0/secret"
        [[notify]]
        name = "tickets"
        type = "webhook"
        url = "http://127.0.0.1:9000/hook?key=secret"
        min_severity = "high"
        timeout_seconds = 3
        headers = { Authorization = "Bearer secret" }
        "#,
    )
    .unwrap();
    let told: Vec<_> = channels
        .iter()
        .map(|channel| {
            let seconds = channel.timeout().as_secs();
            (channel.name(), channel.kind(), channel.min_severity(), seconds)
        })
        .collect();
    assert_eq!(
        told,
        [("ops", Kind::Slack, Severity::Medium, 10), ("tickets", Kind::Webhook, Severity::High, 3)]
    );
    assert_eq!(channels[1].destination().host(), "127.0.0.1");
    assert!(!format!("{channels:?}").contains("secret"));
}

#[test]
fn what_is_wrong_is_said_without_the_secret() {
    let table = |lines: &str| format!("[[notify]]\nname = \"ops\"\n{lines}");
    let slack = |url: &str| table(&format!("type = \"slack\"\nurl = \"{url}\""));
    let webhook =
        |more: &str| table(&format!("type = \"webhook\"\nurl = \"http://h/secret\"\n{more}"));
    let cases = [
        (slack("ftp://h/secret"), "`url` must start with http:// or https://"),
        (slack("/secret"), "`url` must start with http:// or https://"),
        (slack("http:secret"), "`url` must start with http:// or https://"),
        (slack("http:///secret"), "`url` is no URL"),
        (slack("https://h/sec ret"), "`url` is no URL"),
        (slack("https://user:secret@h/"), "`url` must hold no user or password"),
        (slack(&format!("https://h/{}", "secret".repeat(400))), "`url` is longer than 2048"),
        (webhook("timeout_seconds = 0"), "`timeout_seconds` must be from 1 to 60"),
        (webhook("timeout_seconds = 61"), "`timeout_seconds` must be from 1 to 60"),
        (webhook("headers = { \"X Y\" = \"secret\" }"), "`X Y` is no header name"),
        (webhook("headers = { X = \"secret\\n\" }"), "header `X` has no valid value"),
        (webhook("headers = { Host = \"secret\" }"), "header `Host` cannot be set"),
        (webhook("min_severity = \"urgent\""), "unknown variant `urgent`"),
        (webhook("colour = \"red\""), "unknown field `colour`"),
        (slack("https://h/secret") + "\nheaders = { X = \"y\" }", "`headers` is for"),
        (webhook("").replace("webhook", "pager"), "unknown variant `pager`"),
        (webhook("").replace("ops", "o p s"), "`name` must be 1 to 64"),
        (table("type = \"slack\""), "missing field `url`"),
    ];
    for (text, expected) in cases {
        let message = read(&text).unwrap_err();
        assert!(message.contains(expected), "{message}\nfor {text}");
        assert!(!message.contains("secret"), "{message}");
    }
}

#[test]
fn a_watchtower_url_becomes_a_slack_channel_that_hears_everything() {
    let channel = Channel::from_webhook_url("watchtower", "https://hooks.example/x").unwrap();
    assert_eq!((channel.kind(), channel.min_severity()), (Kind::Slack, Severity::Informational));
    let error = Channel::from_webhook_url("watchtower", "hooks.example/secret").unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(error.to_string().starts_with("cannot use notification channel `watchtower`: "));
}

#[test]
fn a_test_message_says_that_it_is_one() {
    let now = Timestamp::from_seconds(1_700_000_000);
    let slack = Channel::from_webhook_url("ops", "https://hooks.example/x").unwrap();
    let text = "Test message from Bergfried for the notification channel ops, \
                sent at 2023-11-14T22:13:20Z";
    assert_eq!(slack.test_message(now).json()["text"], text);
    let webhook = Channel { kind: Kind::Webhook, ..slack };
    let document = webhook.test_message(now);
    assert_eq!(document.json()["kind"], "test");
    assert_eq!(document.json()["text"], text);
}
