//! Falco's `http_output`, as libcurl sends it: one object in each request, the token as a password in
//! the URL.

use std::process::Command;

use serde_json::json;

use crate::support::hub::Hub;

const ALERT: &str = r#"{"hostname":"node1","output":"10:00:00.445995: Critical A shell (user=root)","output_fields":{"container.id":"ee97d9c4186f","proc.cmdline":"sh -c id","user.name":"root"},"priority":"Critical","rule":"Terminal shell in container","source":"syscall","tags":["T1059"],"time":"2026-11-21T10:00:00.445995Z"}"#;

/// The status that curl sees.
fn post(hub: &Hub, token: &str, kind: &str, body: &str) -> Option<String> {
    let url = hub.url.replace("://", &format!("://falco:{token}@")) + "/falco";
    let header = format!("Content-Type: {kind}");
    let sent = Command::new("curl")
        .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-A", "falcosecurity/falco"])
        .args(["-H", &header, "--data-binary", body, &url])
        .output();
    match sent {
        Ok(sent) => Some(String::from_utf8_lossy(&sent.stdout).into_owned()),
        Err(error) => {
            eprintln!("skipped: cannot run curl: {error}");
            None
        }
    }
}

#[test]
fn an_alert_that_falco_posts_is_stored_once_and_searched_by_its_fields() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let token = hub.agent_token();
    let Some(status) = post(&hub, &token, "application/json", ALERT) else { return };
    assert_eq!(status, "200");
    // Sent again after a timeout.
    assert_eq!(post(&hub, &token, "application/json", ALERT).as_deref(), Some("200"));
    let other = ALERT.replace("Critical", "Notice");
    assert_eq!(post(&hub, &token, "application/json", &other).as_deref(), Some("200"));
    assert_eq!(post(&hub, "nonsense", "application/json", ALERT).as_deref(), Some("401"));
    assert_eq!(post(&hub, &token, "text/plain", "10:00:00: Notice x").as_deref(), Some("415"));
    assert_eq!(post(&hub, &token, "application/json", "{").as_deref(), Some("400"));
    assert_eq!(hub.stored(), 2);
    let found = hub.search("falco.priority:Critical");
    assert_eq!(found.len(), 1);
    for (name, value) in [
        ("rule.name", json!("Terminal shell in container")),
        ("host.name", json!("node1")),
        ("event.module", json!("falco")),
        ("process.command_line", json!("sh -c id")),
        ("falco.output_fields.user.name", json!("root")),
        ("input.name", json!("falco")),
        ("@timestamp", json!("2026-11-21T10:00:00.445995Z")),
    ] {
        assert_eq!(found[0][name], value, "{name}: {}", found[0]);
    }
}
