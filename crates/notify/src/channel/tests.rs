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
        url = "https://hooks.slack.example/services/T0/B0/hidden"
        [[notify]]
        name = "tickets"
        type = "webhook"
        url = "http://127.0.0.1:9000/hook?key=hidden"
        min_severity = "high"
        timeout_seconds = 3
        headers = { Authorization = "Bearer hidden" }
        secret = "hidden-of-sixteen-bytes"
        body = '{"a": {{ title }}, "b": "hidden"}'
        [[notify]]
        name = "mail"
        type = "email"
        server = "mail.example.org"
        user = "hub"
        password = "hidden"
        from = "Hub <hub@example.org>"
        to = ["ops@example.org"]
        [[notify]]
        name = "phone"
        type = "telegram"
        token = "1:hidden"
        chat = "-100"
        [[notify]]
        name = "bot"
        type = "slack"
        token = "xoxb-hidden"
        channel = "C1"
        [[notify]]
        name = "own"
        type = "exec"
        command = ["/usr/local/bin/tell", "all"]
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
        [
            ("ops", Kind::Slack, Severity::Medium, 10),
            ("tickets", Kind::Webhook, Severity::High, 3),
            ("mail", Kind::Email, Severity::Medium, 10),
            ("phone", Kind::Telegram, Severity::Medium, 10),
            ("bot", Kind::Slack, Severity::Medium, 10),
            ("own", Kind::Exec, Severity::Medium, 10),
        ]
    );
    assert!(format!("{channels:?}").contains("127.0.0.1"));
    assert!(!format!("{channels:?}").contains("hidden"), "{channels:?}");
}

fn table(lines: &str) -> String {
    format!("[[notify]]\nname = \"ops\"\n{lines}")
}

fn slack(url: &str) -> String {
    table(&format!("type = \"slack\"\nurl = \"{url}\""))
}

#[test]
fn what_is_wrong_is_said_without_the_secret() {
    let webhook =
        |more: &str| table(&format!("type = \"webhook\"\nurl = \"http://h/hidden\"\n{more}"));
    let slack_and = |more: &str| slack("https://h/hidden") + "\n" + more;
    let cases = [
        (slack("ftp://h/hidden"), "`url` must start with http:// or https://"),
        (slack("/hidden"), "`url` must start with http:// or https://"),
        (slack("http:hidden"), "`url` must start with http:// or https://"),
        (slack("http:///hidden"), "`url` is no URL"),
        (slack("https://h/sec ret"), "`url` is no URL"),
        (slack("https://user:hidden@h/"), "`url` must hold no user or password"),
        (slack(&format!("https://h/{}", "hidden".repeat(400))), "`url` is longer than 2048"),
        (webhook("timeout_seconds = 0"), "`timeout_seconds` must be from 1 to 60"),
        (webhook("timeout_seconds = 61"), "`timeout_seconds` must be from 1 to 60"),
        (webhook("headers = { \"X Y\" = \"hidden\" }"), "`X Y` is no header name"),
        (webhook("headers = { X = \"hidden\\n\" }"), "header `X` has no valid value"),
        (webhook("headers = { Host = \"hidden\" }"), "header `Host` cannot be set"),
        (webhook("headers = { X-Bergfried-Signature = 'hidden' }"), "cannot be set"),
        (webhook("headers = { X = { env = 'A', file = 'b' } }"), "`headers.X` needs `file` or"),
        (webhook("headers = { X = { fil = 'b' } }"), "expected a text, { file = "),
        (webhook("min_severity = \"urgent\""), "unknown variant `urgent`"),
        (webhook("colour = \"red\""), "unknown field `colour`"),
        (webhook("method = 'GET'"), "`method` must be `POST`, `PUT` or `PATCH`"),
        (webhook("secret = 'hidden'"), "`secret` must have at least 16 bytes"),
        (webhook("content_type = 'text/plain'"), "`content_type` goes with `body`"),
        (webhook("content_type = 'plain'\nbody = ''"), "`content_type` is no media type"),
        (webhook("ca = '/nowhere/at/all'"), "`ca`: cannot read /nowhere/at/all"),
        (webhook("body = ''\nbody_file = 'x'"), "`body` and `body_file` exclude each other"),
        (webhook("body_file = '/nowhere/at/all'"), "cannot read /nowhere/at/all"),
        (webhook("").replace("webhook", "pager"), "unknown variant `pager`"),
        (webhook("").replace("ops", "o p s"), "`name` must be 1 to 64"),
        (slack_and("headers = { X = \"y\" }"), "`headers` is for the type webhook"),
        (slack_and("channel = 'C1'"), "`channel` goes with `token`"),
        (slack_and("token = 'x'"), "`url` and `token` exclude each other"),
        (slack_and("url_env = 'X'"), "`url`, `url_file` and `url_env` exclude each other"),
        (table("type = \"slack\""), "missing field `url`"),
        (table("type = \"slack\"\ntoken = \"hidden\""), "`channel` is missing"),
        (table("type = \"slack\"\nurl_env = \"NOT_AT_ALL\""), "has no `NOT_AT_ALL`"),
        (table("type = \"slack\"\nurl_file = \"/not/at/all\""), "cannot read /not/at/all"),
    ];
    refused(&cases);
}

fn refused(cases: &[(String, &str)]) {
    for (text, expected) in cases {
        let message = read(text).unwrap_err();
        assert!(message.contains(expected), "{message}\nfor {text}");
        assert!(!message.contains("hidden"), "{message}");
    }
}

#[test]
fn what_is_wrong_with_the_other_types_is_said_too() {
    let telegram = |more: &str| table(&format!("type = \"telegram\"\n{more}"));
    let email = |more: &str| {
        let server = "server = 'mx.example'\nfrom = 'Hub <hub@example.org>'";
        table(&format!("type = \"email\"\n{server}\n{more}"))
    };
    let exec = |command: &str| table(&format!("type = \"exec\"\ncommand = {command}"));
    let cases = [
        (telegram("token = 'a/hidden'\nchat = '1'"), "`token` is no token of a Telegram bot"),
        (telegram("token = '1:hidden'"), "`chat` is missing"),
        (telegram("token = '1:hidden'\nchat = 'me'"), "`chat` must be a number or the @name"),
        (telegram("token = '1:hidden'\nchat = '1'\napi = 'x'"), "`api` must start with http"),
        (telegram("chat = '1'"), "`token` is missing"),
        (email("to = []"), "`to` must have 1 to 50"),
        (email("to = ['a b']"), "`to` has `a b`, which is no mail address"),
        (email("to = [\"x@y.z\\r\\nBcc: z@y.z\"]"), "`to` has"),
        (email("to = [\"\\\"x\\r\\nBcc: a@b.c\\\" <x@y.z>\"]"), "`to` has"),
        (email("to = ['x@y.z']\nsecurity = 'none'"), "for a server on this machine alone"),
        (email("to = ['x@y.z']\nsecurity = 'ssl'"), "unknown variant `ssl`"),
        (email("to = ['x@y.z']\nuser = 'me'"), "`user` needs a `password`"),
        (email("to = ['x@y.z']\npassword = 'hidden'"), "`password` needs a `user`"),
        (email("to = ['x@y.z']\nhello = 'a b'"), "`hello` must be the name of a host"),
        (email("to = ['x@y.z']").replace("mx.example", "mx.example:x"), "`server` must be"),
        (email("to = ['x@y.z']").replace("hub@", "hub"), "`from` has"),
        (exec("[]"), "`command` must begin with the absolute path"),
        (exec("['true']"), "`command` must begin with the absolute path"),
        (exec("['/bin/x', \"a\\u0000\"]"), "a part with a NUL"),
        (exec("['/bin/x']\nurl = 'http://h/hidden'"), "`url` is for the type slack or webhook"),
    ];
    refused(&cases);
}

#[test]
fn a_broken_template_is_refused_with_its_line() {
    let webhook = |more: &str| table(&format!("type = 'webhook'\nurl = 'http://h/x'\n{more}"));
    let body = |text: &str| webhook(&format!("body = '''\n{text}'''"));
    let cases = [
        (body("{\n\"a\": {{ titel }}}"), "`body` line 2: undefined value"),
        (body("\n\n{% if %}"), "`body` line 3: syntax error"),
        (body("{{ title }} x"), "`body` makes no JSON of a message of the kind \"alert\""),
        (body("{% for i in range(99999) %}{{ [i] }}{% endfor %}"), "fuel"),
        (
            body("[{% for i in range(2000) %}{{ range(100)|list }},{% endfor %}1]"),
            "the body is longer than 262144 bytes",
        ),
        (body("{% include 'other' %}"), "`body` line 1"),
        (body("{{ alert.user }}"), "`body` line 1: undefined value"),
    ];
    refused(&cases);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("body.j2");
    std::fs::write(&file, "{\"a\":\n{{ titel }}}").unwrap();
    let message = read(&webhook(&format!("body_file = '{}'", file.display()))).unwrap_err();
    assert!(message.contains("body.j2` line 2: undefined value"), "{message}");
}

#[test]
fn a_watchtower_url_becomes_a_slack_channel_that_hears_everything() {
    let channel = Channel::from_webhook_url("watchtower", "https://hooks.example/x").unwrap();
    assert_eq!((channel.kind(), channel.min_severity()), (Kind::Slack, Severity::Informational));
    let error = Channel::from_webhook_url("watchtower", "hooks.example/hidden").unwrap_err();
    assert!(!error.to_string().contains("hidden"), "{error}");
    assert!(error.to_string().starts_with("cannot use notification channel `watchtower`: "));
}

#[test]
fn a_test_message_says_that_it_is_one() {
    let now = Timestamp::from_seconds(1_700_000_000);
    let slack = Channel::from_webhook_url("ops", "https://hooks.example/x").unwrap();
    let text = "Test message from Bergfried for the notification channel ops, \
                sent at 2023-11-14T22:13:20Z";
    let message = slack.test_message(now);
    assert_eq!(crate::slack::message(&message)["text"], text);
    let document = crate::document::document(&message);
    assert_eq!((&document["kind"], &document["text"]), (&"test".into(), &text.into()));
}

#[test]
fn secrets_may_stand_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("url");
    std::fs::write(&file, "https://hooks.example/hidden\n").unwrap();
    let at = |key: &str| format!("{key} = '{}'", file.display());
    let given = read(&slack("https://hooks.example/hidden")).unwrap();
    let kept = read(&table(&format!("type = 'slack'\n{}", at("url_file")))).unwrap();
    assert_eq!(kept, given);
    let headers = |value: &str| {
        read(&table(&format!("type = 'webhook'\nurl = 'http://h/x'\nheaders = {{ X = {value} }}")))
            .unwrap()
    };
    // Cargo sets this one for every test.
    let from_environment = headers("{ env = 'CARGO_PKG_NAME' }");
    assert_eq!(from_environment, headers(&format!("'{}'", env!("CARGO_PKG_NAME"))));
    let from_file = headers(&format!("{{ {} }}", at("file")));
    assert_eq!(from_file, headers("'https://hooks.example/hidden'"));
    assert!(!format!("{from_file:?} {kept:?}").contains("hidden"));
}
