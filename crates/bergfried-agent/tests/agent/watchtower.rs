//! Accepted logins to a Watchtower collector.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::running::Running;

/// Answers 503 first, then 201, then 200; hands on what came with each request.
fn collector() -> (String, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/login", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
            let head = head.to_ascii_lowercase();
            let length = head.split("content-length:").nth(1).unwrap();
            let length = length.lines().next().unwrap().trim().parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let status = [503, 201, 200][number.min(2)];
            let reply = format!(
                "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
            );
            stream.write_all(reply.as_bytes()).unwrap();
            if sender.send((head, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (url, receiver)
}

#[test]
fn logins_alone_are_reported_and_again_after_a_failure() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    let lines = "\
2026-11-20T10:00:00.5+01:00 web1 sshd[7]: Failed password for root from 192.0.2.7 port 4711 ssh2
2026-11-20T10:00:01.5+01:00 web1 sshd[7]: Accepted publickey for alice from 192.0.2.8 port 4712 ssh2: ED25519 SHA256:abc
2026-11-20T10:00:02.5+01:00 web1 app[8]: Accepted password for eve from 192.0.2.9 port 1 ssh2
2026-11-20T10:00:03.5+01:00 web1 sshd[9]: Accepted password for bob from 2001:db8::1 port 4713 ssh2
";
    std::fs::write(&log, lines).unwrap();
    let (url, received) = collector();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bergfried-agent"));
    command
        .env_clear()
        .envs([("WATCHTOWER_COLLECTOR_URL", url.as_str()), ("WATCHTOWER_TOKEN", "secret")])
        .envs([("WATCHTOWER_REGION", "eu"), ("WATCHTOWER_FLAGGED", "true")])
        .args(["--protocol", "watchtower", "--journald", "off", "--from", "start"])
        .arg("--state-dir")
        .arg(directory.path().join("state"))
        .arg("--file")
        .arg(&log);
    let agent = Running::spawn(&mut command);
    let next = || received.recv_timeout(Duration::from_secs(20)).unwrap();
    let (refused, again, second) = (next(), next(), next());
    assert!(refused.0.starts_with("post /login "), "{}", refused.0);
    assert!(refused.0.contains("x-login-alert-token: secret"), "{}", refused.0);
    assert_eq!(refused.1, again.1);
    assert_eq!(
        again.1,
        json!({
            "type": "user_login",
            "timestamp": "2026-11-20T09:00:01.500000Z",
            "hostname": "web1",
            "user": "alice",
            "method": "publickey",
            "source_ip": "192.0.2.8",
            "source_port": "4712",
            "raw_message": "Accepted publickey for alice from 192.0.2.8 port 4712 ssh2: ED25519 SHA256:abc",
            "region": "eu",
            "severity": "info",
            "flagged": true,
        })
    );
    assert_eq!(second.1["user"], "bob");
    assert_eq!(second.1["source_ip"], "2001:db8::1");
    assert!(received.recv_timeout(Duration::from_millis(300)).is_err(), "a login too many");
    agent.kill();
}
