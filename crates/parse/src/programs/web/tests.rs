//! What a client sends comes out as it was sent, and moves nothing.

use bergfried_event::{Event, Field, FieldName, SourceKind, Value};
use proptest::prelude::*;

use super::*;
use crate::parse;

fn context() -> Context<'static> {
    Context {
        received: "2026-11-21T12:00:00Z".parse().unwrap(),
        host: "web1",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

fn read(line: &str) -> Event<'_> {
    parse(SourceKind::File, line, &context())
}

fn text<'e>(event: &'e Event<'_>, name: &'static str) -> Option<&'e str> {
    event.get_named(&FieldName::exact(name)).and_then(Value::as_str)
}

/// As nginx writes what a client sent between marks (ngx_http_log_escape: quotation marks, backslashes
/// and all that is not printable ASCII).
fn nginx_escaped(sent: &str) -> String {
    sent.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | 0..=0x1f | 0x7f.. => format!("\\x{byte:02X}"),
            byte => char::from(byte).to_string(),
        })
        .collect()
}

/// As Apache does (ap_escape_logitem).
fn apache_escaped(sent: &str) -> String {
    sent.bytes()
        .map(|byte| match byte {
            b'"' => "\\\"".to_owned(),
            b'\\' => "\\\\".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\r' => "\\r".to_owned(),
            b'\t' => "\\t".to_owned(),
            0..=0x1f | 0x7f.. => format!("\\x{byte:02x}"),
            byte => char::from(byte).to_string(),
        })
        .collect()
}

/// Pieces of lines that a client might want a hub to read.
fn sent() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\"",
        "\\",
        " ",
        "] \"",
        " - - [21/Nov/2026:11:11:11 +0000] \"GET /forged HTTP/1.1\" 200 1 \"-\" \"-\"",
        "192.0.2.66",
        "\\x22",
        "\\\"",
        ", client: 192.0.2.66, server: y",
        "é",
        "\n",
        "{\"a\":1}",
        "-",
    ]);
    let piece = prop_oneof![3 => pieces.prop_map(str::to_owned), 1 => "\\PC{0,6}"];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_was_sent_is_what_is_read(
        // A user of HTTP's own scheme holds no colon; `-` stands for nothing.
        user in sent().prop_map(|user| user.replace([':', '\n'], "")),
        query in sent().prop_map(|query| query.replace([' ', '\n', '#'], "")),
        referrer in sent(),
        agent in sent(),
        apache in any::<bool>(),
    ) {
        let escaped = if apache { apache_escaped } else { nginx_escaped };
        let said = |text: &str| if text.is_empty() { "-".to_owned() } else { escaped(text) };
        let line = format!(
            "203.0.113.9 - {} [21/Nov/2026:10:00:00 +0000] \"GET /x?{} HTTP/1.1\" 404 153 \"{}\" \"{}\"",
            said(&user), escaped(&query), said(&referrer), said(&agent),
        );
        let event = read(&line);
        prop_assert_eq!(text(&event, "source.ip"), Some("203.0.113.9"), "{}", line);
        prop_assert_eq!(event.created().to_string(), "2026-11-21T10:00:00Z", "{}", &line);
        let status = event.get_named(&FieldName::exact("http.response.status_code"));
        prop_assert_eq!(status, Some(&Value::Int(404)), "{}", &line);
        prop_assert_eq!(text(&event, "url.path"), Some("/x"), "{}", &line);
        let kept = |text: &str| Some(text.to_owned()).filter(|text| !matches!(text.as_str(), "" | "-"));
        let read = |name| text(&event, name).map(str::to_owned);
        prop_assert_eq!(read("url.query"), Some(query), "{}", &line);
        prop_assert_eq!(read("http.request.referrer"), kept(&referrer), "{}", &line);
        prop_assert_eq!(read("user_agent.original"), kept(&agent), "{}", &line);
        // Spaces at the ends of a user are lost, and marks around it are Apache's for an empty one.
        let user = user.trim_end_matches(' ');
        prop_assert_eq!(read("user.name"), kept(user), "{}", &line);
    }

    #[test]
    fn a_client_never_gets_another_address_into_the_error_log(
        path in sent().prop_map(|path| path.replace('\n', "")),
        referrer in sent().prop_map(|referrer| referrer.replace('\n', "")),
    ) {
        let line = format!(
            "2026/11/21 10:00:00 [error] 1#1: *1 open() \"/srv{path}\" failed (2: No such file or directory), client: 203.0.113.9, server: s, request: \"GET /x HTTP/1.1\", host: \"h\", referrer: \"{referrer}\"",
        );
        let event = read(&line);
        let address = text(&event, "source.ip");
        prop_assert!(address.is_none_or(|address| address == "203.0.113.9"), "{}", line);
        prop_assert_eq!(text(&event, "event.action"), Some("http-error"));
    }
}

#[test]
fn the_path_of_a_log_says_whose_it_is() {
    let line = "203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 612";
    for (path, module, program) in [
        ("/var/log/nginx/access.log", "nginx", Some("nginx")),
        ("/var/log/apache2/other_vhosts_access.log", "apache", Some("apache2")),
        ("/var/log/httpd/access_log", "apache", Some("httpd")),
        ("/var/log/lighttpd/access.log", "lighttpd", Some("lighttpd")),
        ("/srv/app/access.log", "web", None),
    ] {
        let mut event = read(line);
        name_server(&mut event, path);
        assert_eq!(event.text(Field::EventModule), Some(module), "{path}");
        assert_eq!(text(&event, "event.dataset"), Some(format!("{module}.access").as_str()));
        assert_eq!(event.text(Field::ProcessName), program, "{path}");
    }
    let mut event = read("<38>Nov 21 10:00:00 h sshd[1]: x");
    let before = event.clone();
    name_server(&mut event, "/var/log/nginx/access.log");
    assert_eq!(event, before);
}

#[test]
fn lines_that_only_look_alike_are_none_of_an_access_log() {
    for line in [
        "a b c d - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 612",
        "203.0.113.7 - - [21/Nov/2026:10:00:00] \"GET / HTTP/1.1\" 200 612",
        "203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] GET / HTTP/1.1 200 612",
        "203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1",
        "203.0.113.7 - - \"GET / HTTP/1.1\" 200 612",
        "203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" two hundred",
        "web1 app: backup [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" done",
        "[21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 612",
        r#"{"client_ip":"203.0.113.7","status":200,"path":"/var/lib/x"}"#,
        r#"{"client_ip":"203.0.113.7","status":2,"method":"GET","path":"/x"}"#,
        "<b> - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 612",
        "2026/11/21 10:00:00 [error] something, client: 203.0.113.9",
        "[Sat Nov 21 10:00:00 2026] something",
        "[Sat Nov 21 10:00:00 2026] [other] something",
        "[",
    ] {
        assert_eq!(read(line).text(Field::EventCategory), None, "{line}");
    }
}

#[test]
fn no_user_and_no_site_hides_a_request() {
    let users = [
        "-".to_owned(),
        "[".repeat(500),
        "x".repeat(6_000),
        "\\xff".repeat(6_000),
        "[21/Nov/2026:11:11:11 +0000] ".repeat(20),
        " - - ".to_owned(),
        "\"[21/Nov/2026:11:11:11 +0000] \"".to_owned(),
    ];
    let long = format!("{}.example ", "x".repeat(7_000));
    for site in ["", " ", "a!b.example ", "[::1]:443 ", "x'or'1 ", &long] {
        for user in &users {
            let line = format!(
                "{site}203.0.113.9 - {user} [21/Nov/2026:10:00:00 +0000] \"GET /x HTTP/1.1\" 200 5"
            );
            let event = read(&line);
            let about: String = line.chars().take(60).collect();
            assert_eq!(text(&event, "event.action"), Some("http-request"), "{about}");
            assert_eq!(text(&event, "source.ip"), Some("203.0.113.9"), "{about}");
            assert_eq!(text(&event, "url.path"), Some("/x"), "{about}");
        }
    }
}

#[test]
fn a_line_of_any_length_is_read_in_time() {
    let long = "/%41".repeat(250_000);
    let line = format!(
        "203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] \"GET {long} HTTP/1.1\" 414 0 \"-\" \"-\""
    );
    assert_eq!(text(&read(&line), "url.path"), Some(long.as_str()));
    // Brackets, clients and lists without end.
    for piece in ["[", ", client: 1", " - ", "\\", "[file \"", "] [", "\", host: \""] {
        let many = piece.repeat(100_000);
        for line in [
            format!("203.0.113.7 - {many}"),
            format!("2026/11/21 10:00:00 [error] 1#1: *1 open() \"{many}\", client: 1.2.3.4"),
            format!("2026/11/21 10:00:00 [error] 1#1: *1 ModSecurity: Warning. {many}"),
            format!("[Sat Nov 21 10:00:00 2026] [core:error] [client 1.2.3.4:5] {many}"),
        ] {
            assert_eq!(read(&line).original(), line);
        }
    }
}
