//! Heimdall's protocol, as its agents and its dashboard use it.

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::http::{Answer, connect, read_answer, read_head, request};
use crate::support::hub::Hub;
use crate::support::lines::{ago, failed};

mod clients;
mod read;
mod sent;
mod shared;

const KEY: &str = "key-of-all-agents";
const ADMIN: &str = "key-of-the-administrator";

fn server(data: &Path) -> Hub {
    let mut command = Hub::command(data);
    command.env("SIEM_API_KEY", KEY).env("ADMIN_API_KEY", ADMIN);
    Hub::run(command, data)
}

fn ask_with(hub: &Hub, key: Option<&str>, method: &str, path: &str, body: &str) -> Answer {
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(key.map(|key| ("api-key", key)));
    request(&hub.url, method, path, &headers, body.as_bytes()).unwrap()
}

fn ask(hub: &Hub, method: &str, path: &str, body: &str) -> Answer {
    ask_with(hub, Some(KEY), method, path, body)
}

/// The document of a request that must succeed.
fn get(hub: &Hub, path: &str) -> Value {
    let answer = ask(hub, "GET", path, "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn ingest(hub: &Hub, events: &[Value]) -> Answer {
    ask(hub, "POST", "/ingest", &json!({"events": events}).to_string())
}

/// A failed login of this user so many seconds ago, with an id of this number.
fn event(number: u32, user: &str, seconds: i64) -> Value {
    json!({
        "event_id": format!("00000000-0000-4000-8000-{number:012}"),
        "timestamp": format!("{}.000000Z", &ago(seconds)[..19]), "source_host": "web", "os_type": "LINUX",
        "event_type": "LOGIN_FAIL", "severity": 3, "source_ip": "203.0.113.7", "user": user,
        "raw_message": format!("Failed password for {user} from 203.0.113.7 port 40022 ssh2"),
    })
}

/// The event with another value for a key.
fn with(mut event: Value, key: &str, value: impl Into<Value>) -> Value {
    event[key] = value.into();
    event
}
