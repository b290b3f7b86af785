//! A hub's life: first start, later starts, stopping, and what it bears from clients.

use std::io::{BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::http::{connect, read_answer, read_head, request};
use crate::support::hub::Hub;
use crate::support::lines::{ago, break_in};
use crate::support::process::run_with;
use crate::support::wait_until;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_start_makes_secrets_and_later_ones_keep_everything() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("made/by/the/hub");
    let hub = Hub::start(&data);
    assert_eq!(mode(&data), 0o700);
    let (key, token) = (hub.key(), hub.agent_token());
    assert!(key.len() >= 32 && token.len() >= 32 && key != token);
    for file in ["admin.key", "agent.token", "control.sqlite", "hub.url"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    assert_eq!(std::fs::read_to_string(data.join("hub.url")).unwrap().trim(), hub.url);
    let out = hub.process.out();
    assert_eq!(out.matches("(made just now, only you can read it)").count(), 2, "{out}");
    assert!(out.contains(data.join("admin.key").to_str().unwrap()), "{out}");
    assert_eq!(hub.send("1", "web", &break_in("web", "bob", "203.0.113.7")).status, 200);
    wait_until("the alerts", || hub.alerts().len() == 2);
    let (alerts, events) = (hub.alerts(), hub.search(""));
    let said = hub.process.out() + &hub.process.err();
    assert!(!said.contains(&key) && !said.contains(&token), "a secret was printed: {said}");
    let (status, took) = hub.interrupt();
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");

    let hub = Hub::start(&data);
    assert_eq!((hub.key(), hub.agent_token()), (key.clone(), token.clone()));
    let out = hub.process.out() + &hub.process.err();
    assert!(
        !out.contains("made just now") && !out.contains(&key) && !out.contains(&token),
        "{out}"
    );
    assert_eq!((hub.alerts(), hub.search("")), (alerts, events));
    assert_eq!(
        hub.send("1", "web", &break_in("web", "bob", "203.0.113.7")).json()["status"],
        "duplicate"
    );
}

#[test]
fn an_admin_key_may_be_given() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Hub::command(directory.path());
    command.env("ADMIN_API_KEY", "from-the-environment");
    let hub = Hub::run(command, directory.path());
    let status = |key: &str| {
        let bearer = format!("Bearer {key}");
        let headers = [("Authorization", bearer.as_str())];
        request(&hub.url, "GET", "/api/v1/status", &headers, b"").unwrap().status
    };
    assert_eq!((status("from-the-environment"), status("another")), (200, 401));
    assert!(!hub.process.out().contains("from-the-environment"));
}

#[test]
fn a_data_directory_serves_one_hub() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let second = run_with(Hub::command(directory.path()), b"");
    assert_eq!(second.code, Some(2));
    assert!(second.err.contains("another hub is using it"), "{}", second.err);
    assert_eq!(hub.stored(), 0);
}

#[test]
fn a_bad_configuration_is_placed() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("hub.toml");
    for (text, said) in [
        ("enviroment = 'x'\n", "hub.toml:1:1: unknown field `enviroment`"),
        ("\n[[notify]]\nname = 'x'\ntype = 'pager'\n", "hub.toml:4:8: unknown variant `pager`"),
        ("rules = ['/nowhere']\n", "/nowhere"),
    ] {
        std::fs::write(&config, text).unwrap();
        let mut command = Hub::command(&directory.path().join("data"));
        command.arg("--config").arg(&config);
        let done = run_with(command, b"");
        assert_eq!(done.code, Some(2), "{text}");
        assert!(done.err.contains(said), "{text}: {}", done.err);
    }
}

#[test]
fn it_stops_at_once_with_a_tail_open() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let mut stream = connect(&hub.url).unwrap();
    let head = format!(
        "GET /api/v1/tail HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {}\r\n\r\n",
        hub.key()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    assert_eq!(read_head(&mut reader).unwrap().0, 200);
    let (status, took) = hub.interrupt();
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
    let mut rest = Vec::new();
    let _cut = reader.read_to_end(&mut rest);
}

#[test]
fn clients_that_dawdle_or_shout_are_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    // Headers that never end: one byte now and then, until the hub has had enough.
    let mut slow = connect(&hub.url).unwrap();
    let begun = Instant::now();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: hub\r\nX-Slow: ").unwrap();
    slow.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut byte = [0];
    wait_until("the slow client to be cut off", || {
        let written = slow.write_all(b"z");
        match slow.read(&mut byte) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => written.is_err(),
            Err(_) => true,
        }
    });
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());

    // Headers without measure.
    let huge = "z".repeat(1 << 20);
    match request(&hub.url, "GET", "/healthz", &[("X-Huge", &huge)], b"") {
        Ok(answer) => assert_eq!(answer.status, 431),
        // Cut off before the answer could be read.
        Err(error) => assert!(error.kind() != std::io::ErrorKind::WouldBlock, "{error}"),
    }
    let healthy = request(&hub.url, "GET", "/healthz", &[], b"").unwrap();
    assert_eq!((healthy.status, healthy.text().as_str()), (200, r#"{"status":"ok"}"#));
}

#[test]
fn nonsense_on_the_wire_is_answered_or_ended() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\r\n\r\n\r\n",
        b"GET /healthz SMTP/9\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: hub\r\nContent-Length: -1\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let mut stream = connect(&hub.url).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        if let Ok(answer) = read_answer(stream) {
            assert!((400..500).contains(&answer.status), "{bytes:?}: {}", answer.status);
        }
    }
    assert_eq!(hub.send("1", "web", &[format!("{} web app: fine", ago(1))]).status, 200);
}
