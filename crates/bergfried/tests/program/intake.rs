//! What every way in over HTTP has: tokens in any form, compressed bodies, limits; and the raw way.

use std::io::Write as _;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::http::{Answer, request};
use crate::support::hub::{Hub, batch_of};
use crate::support::lines::{ago, failed};
use crate::support::process::run_with;
use crate::support::wait_for;

fn raw(hub: &Hub, query: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let bearer = format!("Bearer {}", hub.agent_token());
    let mut all = vec![("Authorization", bearer.as_str())];
    all.extend_from_slice(headers);
    request(&hub.url, "POST", &format!("/api/v1/raw{query}"), &all, body).unwrap()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// A token with these limits.
fn limited(hub: &Hub, limits: Value) -> String {
    let new = json!({"kind": "agent", "name": "limited", "limits": limits});
    let made = hub.ask("POST", "/api/v1/tokens", &new.to_string());
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["secret"].as_str().unwrap().to_owned()
}

#[test]
fn curl_sends_a_log_file_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(&directory.path().join("data"));
    let log = directory.path().join("auth.log");
    let lines: Vec<String> =
        (0..7).map(|n| failed(&ago(60 - n), "web", "bob", "203.0.113.7")).collect();
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
    let url = format!("{}/api/v1/raw?path=/var/log/auth.log&tags=by-hand,test", hub.url);
    let bearer = format!("Authorization: Bearer {}", hub.agent_token());
    let file = log.display().to_string();
    let user = format!("{}:", hub.agent_token());
    for arguments in [
        vec!["-H", &bearer, "--data-binary", &format!("@{file}")],
        vec!["-u", &user, "-T", &file],
        vec!["-u", &format!("any{}", format_args!(":{}", hub.agent_token())), "-T", &file],
    ] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail-with-body"]).args(arguments).arg(&url);
        let done = run_with(curl, b"");
        assert_eq!((done.code, done.out.as_str()), (Some(0), r#"{"records":7}"#), "{}", done.err);
    }
    assert_eq!(hub.stored(), 21);
    let found = hub.search("user:bob source.ip:203.0.113.7 tags:by-hand input.name:raw");
    assert_eq!(found.len(), 21);
    assert_eq!(found[0]["log.file.path"], "/var/log/auth.log");
    assert_eq!(found[0]["observer.ip"], "127.0.0.1");
    // The token of the first start was given no name.
    assert_eq!(found[0].get("observer.name"), None);
    assert_eq!(found[0]["host.name"], "web");
    wait_for("an alert", || (!hub.alerts().is_empty()).then_some(()));
}

#[test]
fn raw_bodies_say_what_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let json_type = [("Content-Type", "application/json; charset=utf-8")];
    for (query, headers, body, records) in [
        ("?host=gate", &[][..], "plain words\n\n{\"user.name\":\"eve\"}\r\n", 2),
        (
            "?host=gate",
            &json_type[..],
            "[{\"user.name\":\"eve\"},\n{\"user.name\":\n\"mallory\"}]",
            2,
        ),
        ("?kind=syslog&time_zone=Europe/Berlin", &[], "<13>1 - h a - - - x", 1),
        ("", &[], "", 0),
    ] {
        let answer = raw(&hub, query, headers, body.as_bytes());
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        assert_eq!(answer.json(), json!({"records": records}), "{body}");
    }
    assert_eq!(hub.search("user:eve host:gate").len(), 2);
    assert_eq!(hub.search("user:mallory input.type:json").len(), 1);
    assert_eq!(hub.search("host:h input.type:syslog").len(), 1);
    let before = hub.stored();
    for (query, headers, body, status, said) in [
        ("?kind=xml", &[][..], "x", 400, "syslog, journald or json"),
        ("?time_zone=Mars/Base", &[], "x", 400, "Europe/Berlin"),
        ("?hots=x", &[], "x", 400, "hots"),
        ("", &json_type[..], "{\"a\":1}\n{\"b\"", 400, "line 2"),
        ("", &[("Content-Encoding", "br")], "x", 415, "expected gzip"),
        ("", &[("Content-Type", "multipart/form-data; boundary=x")], "x", 415, "--data-binary"),
        ("", &[("Content-Encoding", "gzip")], "x", 400, "cannot decompress"),
    ] {
        let answer = raw(&hub, query, headers, body.as_bytes());
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
        assert!(answer.error().contains(said), "{query}: {}", answer.error());
    }
    let unknown = request(&hub.url, "POST", "/api/v1/raw", &[], b"x").unwrap();
    assert_eq!(unknown.status, 401);
    assert_eq!(hub.stored(), before);
}

#[test]
fn a_large_compressed_file_is_stored_in_pieces_and_a_bomb_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let lines = "a line of a program that says little, again and again\n".repeat(120_000);
    let headers = [("Content-Encoding", "gzip")];
    let answer = raw(&hub, "", &headers, &gzip(lines.as_bytes()));
    assert_eq!(answer.json(), json!({"records": 120_000}));
    assert_eq!(hub.stored(), 120_000);
    let answer = raw(&hub, "", &headers, &gzip(&vec![b'\n'; (32 << 20) + 1]));
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.error().contains("decompressed"), "{}", answer.error());
    assert_eq!(hub.stored(), 120_000);
}

#[test]
fn a_token_is_held_to_its_limits() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("hub.toml");
    std::fs::write(&config, "token_limits = { max_body = 2000 }").unwrap();
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    let answer = raw(&hub, "", &[], &[b'x'; 2_001]);
    assert_eq!((answer.status, hub.stored()), (413, 0), "a token without limits of its own");
    let mut made = hub.client(&["tokens", "create", "agent", "lab"]);
    made.args(["--max-events-per-second", "5", "--max-body", "1KiB"]);
    let done = run_with(made, b"");
    assert_eq!(done.code, Some(0), "{}", done.err);
    let bearer = format!("Bearer {}", done.out.trim());
    let send = |path: &str, body: &[u8]| {
        let headers = [("Authorization", bearer.as_str())];
        request(&hub.url, "POST", path, &headers, body).unwrap()
    };
    let answer = send("/api/v1/raw", &[b'x'; 1_025]);
    assert_eq!((answer.status, hub.stored()), (413, 0), "{}", answer.text());
    assert!(answer.error().contains("1024"), "{}", answer.error());
    assert_eq!(send("/api/v1/raw", "x\n".repeat(25).as_bytes()).status, 200);
    // The debt is four seconds' worth; both ways in are refused until it is paid.
    for (path, body) in [
        ("/api/v1/raw", b"y\n".to_vec()),
        ("/api/v1/batches", batch_of("1", "web", &["z".to_owned()])),
    ] {
        let answer = send(path, &body);
        assert_eq!(answer.status, 429, "{path}: {}", answer.text());
        let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=5).contains(&wait), "{wait}");
    }
    assert_eq!(hub.stored(), 25);
    wait_for("the debt to be paid", || (send("/api/v1/raw", b"y\n").status == 200).then_some(()));
    assert_eq!(hub.stored(), 26);
    let listed = hub.get("/api/v1/tokens");
    assert_eq!(listed[0]["limits"]["max_events_per_second"], 5);
    assert_eq!(listed[0]["sent"]["events"], 26);
    assert!(listed[0]["sent"]["limited"].as_u64().unwrap() >= 2, "{listed}");
    let shown = run_with(hub.client(&["tokens", "list"]), b"").out;
    assert!(shown.contains("at most 5 events/s, 1024 bytes a body  refused"), "{shown}");

    let slow = limited(&hub, json!({"max_bytes_per_second": 1, "max_body": 100_000}));
    let headers = [("X-API-Key", slow.as_str())];
    let first = request(&hub.url, "POST", "/api/v1/raw", &headers, &[b'x'; 10_000]).unwrap();
    assert_eq!(first.status, 200);
    let second = request(&hub.url, "POST", "/api/v1/raw", &headers, b"x").unwrap();
    assert_eq!(second.status, 429);
    assert_eq!(second.header("retry-after"), Some("3600"));
    for (kind, limits, said) in [
        ("admin", json!({"max_body": 1}), "agent, hub and heimdall tokens only"),
        ("agent", json!({"max_body": 0}), "nonzero"),
        ("agent", json!({"max_bodies": 1}), "max_bodies"),
    ] {
        let new = json!({"kind": kind, "name": "x", "limits": limits});
        let answer = hub.ask("POST", "/api/v1/tokens", &new.to_string());
        assert_eq!(answer.status, 400, "{kind}");
        assert!(answer.error().contains(said), "{}", answer.error());
    }
}
