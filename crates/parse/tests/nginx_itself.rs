//! nginx itself, from Debian: what clients send it is read from each of its logs, field by field.
//!
//! Skips with a message where there is no nginx.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking"
)]

mod nginx;

use bergfried_event::{SourceKind, Timestamp, readable};
use bergfried_parse::{Context, parse};
use nginx::Nginx;
use serde_json::Value as Json;

fn read(line: &str) -> Json {
    let context = Context {
        received: Timestamp::from_seconds(0),
        host: "web1",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    serde_json::to_value(parse(SourceKind::File, line, &context)).unwrap()
}

/// A request: its line, its headers, and the user that its `Authorization` names.
struct Sent {
    line: &'static [u8],
    headers: &'static [(&'static str, &'static [u8])],
    user: Option<&'static str>,
}

const fn plain(line: &'static [u8]) -> Sent {
    Sent { line, headers: &[("User-Agent", b"test/1")], user: None }
}

const FORGED: &[u8] =
    b"\" 192.0.2.66 - - [21/Nov/2026:10:00:00 +0000] \"GET /forged HTTP/1.1\" 200 \\x22 \\";

const SENT: &[Sent] = &[
    plain(b"GET /index.html?lang=de HTTP/1.1"),
    plain(b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1"),
    plain(b"GET /any?f=..%252f..%252fetc%252fpasswd HTTP/1.1"),
    plain(b"GET /any?q=1'+or+'1'='1 HTTP/1.1"),
    plain(b"GET /caf%C3%A9 HTTP/1.1"),
    plain("GET /any/café HTTP/1.1".as_bytes()),
    plain(b"GET /any/\xff\xfe HTTP/1.1"),
    plain(b"GET /any/\"quoted\"?a=\\x22 HTTP/1.1"),
    plain(b"GET http://other.example/any?y HTTP/1.1"),
    plain(b"HEAD /any HTTP/1.1"),
    plain(b"PUT /shell.php HTTP/1.1"),
    plain(b"PROPFIND / HTTP/1.1"),
    plain(b"OPTIONS * HTTP/1.1"),
    plain(b"POST /login HTTP/1.1"),
    plain(b"GET /forbidden HTTP/1.1"),
    Sent { line: b"GET /any HTTP/1.0", headers: &[], user: None },
    Sent {
        line: b"GET /missing HTTP/1.1",
        headers: &[("User-Agent", FORGED), ("Referer", FORGED)],
        user: None,
    },
    Sent {
        line: b"GET /any HTTP/1.1",
        headers: &[
            ("User-Agent", "ünïcode \u{1f600}\u{7}".as_bytes()),
            ("Referer", b"\xff\t{\"a\":1}"),
        ],
        user: None,
    },
    Sent {
        line: b"GET /private HTTP/1.1",
        headers: &[("Authorization", b"Basic YW5uYTp3cm9uZw==")],
        user: Some("anna"),
    },
    Sent {
        line: b"GET /private HTTP/1.1",
        headers: &[("Authorization", b"Basic YW5uYTpzZWNyZXQ=")],
        user: Some("anna"),
    },
    Sent {
        line: b"GET /private HTTP/1.1",
        headers: &[(
            "Authorization",
            b"Basic ZXZlIiB3YXMgbm90IGZvdW5kIGluICJ4LCB5IFsyMS9Ob3ZdIC0gLTpw",
        )],
        user: Some("eve\" was not found in \"x, y [21/Nov] - -"),
    },
    plain(b"GET /any,%20client:%20192.0.2.66,%20server:%20y HTTP/1.1"),
    plain(b"GET /none,%20client:%20192.0.2.66,%20server:%20y HTTP/1.1"),
];

/// What is no request of HTTP.
const GARBAGE: &[&[u8]] = &[
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n",
    b"EHLO \"mail\" \\\r\n\r\n",
    b"\"; DROP TABLE logs\r\n\r\n",
];

impl Sent {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.line, b"\r\nHost: www.example.org\r\nConnection: close\r\n"].concat();
        bytes.extend(b"X-Test-Client: 203.0.113.9\r\nX-Forwarded-For: 198.51.100.3\r\n");
        for (name, value) in self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend(b"\r\n");
        bytes
    }

    fn header(&self, name: &str) -> Json {
        let found = self.headers.iter().find(|(known, _)| *known == name);
        found.map_or(Json::Null, |(_, value)| readable(value).into())
    }
}

#[test]
fn every_request_is_read_from_each_of_its_logs() {
    let Some(nginx) = Nginx::start(env!("CARGO_TARGET_TMPDIR"), "requests") else { return };
    let began = jiff::Timestamp::now();
    let answers: Vec<Option<i64>> = SENT.iter().map(|sent| nginx.send(&sent.bytes())).collect();
    let ended = jiff::Timestamp::now();
    for log in ["access.log", "site.log", "json.log", "careless.log"] {
        let lines = nginx.lines(log, SENT.len());
        for ((sent, status), line) in SENT.iter().zip(&answers).zip(&lines) {
            let event = read(line);
            let words = readable(sent.line).into_owned();
            let (method, rest) = words.split_once(' ').unwrap();
            let (url, version) = rest.rsplit_once(" HTTP/").unwrap();
            let (front, query) = url.split_once('?').map_or((url, None), |(a, b)| (a, Some(b)));
            let path = front.strip_prefix("http://other.example").unwrap_or(front);
            // nginx without `escape=json` leaves bytes beyond ASCII escaped in JSON.
            let is_ascii = sent.bytes().is_ascii();
            let whole = log != "careless.log" || is_ascii;
            assert_eq!(event["event.action"], "http-request", "{log}: {line}");
            // What is refused at its first line is answered before the headers are read.
            let is_refused = *status == Some(400);
            let client = if is_refused { "127.0.0.1" } else { "203.0.113.9" };
            let header = |name| if is_refused { Json::Null } else { sent.header(name) };
            assert_eq!(event["source.ip"], client, "{log}: {line}");
            assert_eq!(event["http.request.method"], method, "{log}: {line}");
            assert_eq!(event["http.version"], version, "{log}: {line}");
            assert_eq!(event["http.response.status_code"], (*status).unwrap(), "{log}: {line}");
            let outcome = if status.unwrap() < 400 { "success" } else { "failure" };
            assert_eq!(event["event.outcome"], outcome, "{log}: {line}");
            assert_eq!(event["user.name"], Json::from(sent.user), "{log}: {line}");
            if whole {
                assert_eq!(event["url.original"], url, "{log}: {line}");
                assert_eq!(event["url.path"], path, "{log}: {line}");
                assert_eq!(event["url.query"], Json::from(query), "{log}: {line}");
                assert_eq!(event["http.request.referrer"], header("Referer"), "{log}: {line}");
                assert_eq!(event["user_agent.original"], header("User-Agent"), "{log}: {line}");
            }
            let at: jiff::Timestamp = event["@timestamp"].as_str().unwrap().parse().unwrap();
            let near = jiff::SignedDuration::from_secs(1);
            assert!(at >= began - near && at <= ended + near, "{log}: {line}");
            assert_eq!(event["host.name"], "web1", "{log}: {line}");
        }
    }
}

#[test]
fn garbage_is_an_event_without_a_request() {
    let Some(nginx) = Nginx::start(env!("CARGO_TARGET_TMPDIR"), "garbage") else { return };
    for bytes in GARBAGE {
        nginx.send(bytes);
    }
    for log in ["access.log", "site.log", "json.log", "careless.log"] {
        for line in nginx.lines(log, GARBAGE.len()) {
            let event = read(&line);
            assert_eq!(event["source.ip"], "127.0.0.1", "{log}: {line}");
            assert_eq!(event["http.response.status_code"], 400, "{log}: {line}");
            assert_eq!(event["url.original"], Json::Null, "{log}: {line}");
            assert_eq!(event["http.request.method"], Json::Null, "{log}: {line}");
        }
    }
}

#[test]
fn the_error_log_names_the_client_and_the_user() {
    let Some(nginx) = Nginx::start(env!("CARGO_TARGET_TMPDIR"), "errors") else { return };
    for sent in SENT {
        nginx.send(&sent.bytes());
    }
    nginx.lines("access.log", SENT.len());
    let log = nginx.log("error.log");
    let events: Vec<Json> = log.lines().map(read).collect();
    let is_of_nginx = |event: &Json| event["event.dataset"] == "nginx.error";
    for (event, line) in events.iter().zip(log.lines()) {
        assert!(is_of_nginx(event), "{line}");
        let client = &event["source.ip"];
        assert!(client.is_null() || client == "203.0.113.9" || client == "127.0.0.1", "{line}");
    }
    let users: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event["event.action"] == "web_login")
        .map(|event| {
            assert_eq!(event["source.ip"], "203.0.113.9", "{event}");
            assert_eq!(event["url.original"], "/private", "{event}");
            assert_eq!(event["event.outcome"], "failure", "{event}");
            (event["user.name"].as_str().unwrap(), event["event.reason"].as_str().unwrap())
        })
        .collect();
    let expected = [
        ("anna", "password mismatch"),
        ("eve\" was not found in \"x, y [21/Nov] - -", "unknown user"),
    ];
    assert_eq!(users, expected);
    let denied = events.iter().filter(|event| event["event.action"] == "http-denied").count();
    assert_eq!(denied, 1);
    let missing: Vec<&Json> =
        events.iter().filter(|event| event["url.original"] == "/missing").collect();
    assert!(missing.iter().all(|event| event["source.ip"] == "203.0.113.9"), "{missing:?}");
}
