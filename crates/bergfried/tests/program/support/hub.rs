//! A running hub, and the questions that tests ask it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use serde_json::Value;

use super::http::{Answer, escaped, request};
use super::process::{Process, bergfried};
use super::wait_for;

pub(crate) struct Hub {
    pub(crate) process: Process,
    pub(crate) url: String,
    pub(crate) data: PathBuf,
}

impl Hub {
    /// `bergfried hub` on this data directory.
    pub(crate) fn start(data: &Path) -> Hub {
        Hub::run(Hub::command(data), data)
    }

    /// `bergfried hub` with a configuration file.
    pub(crate) fn start_with_config(data: &Path, config: &Path) -> Hub {
        let mut command = Hub::command(data);
        command.arg("--config").arg(config);
        Hub::run(command, data)
    }

    /// `bergfried up`, which watches these files.
    pub(crate) fn up(data: &Path, files: &Path) -> Hub {
        Hub::run(Hub::up_command(data, files), data)
    }

    pub(crate) fn up_command(data: &Path, files: &Path) -> Command {
        let mut command = bergfried(&["up", "--listen", "127.0.0.1:0", "--journald", "off"]);
        command.arg("--data-dir").arg(data).arg("--file").arg(files);
        command
    }

    pub(crate) fn command(data: &Path) -> Command {
        let mut command = bergfried(&["hub", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(data);
        command
    }

    /// Starts it and waits until it says where it listens.
    pub(crate) fn run(mut command: Command, data: &Path) -> Hub {
        let mut process = Process::spawn(&mut command);
        let url = wait_for("the hub's address", || {
            let ended = process.has_ended();
            let out = process.out();
            if out.contains("\nCtrl-C stops") {
                return out
                    .lines()
                    .find_map(|line| line.trim().strip_prefix("console"))
                    .map(|address| address.trim().to_owned());
            }
            assert!(!ended, "the hub ended: {out}{}", process.err());
            None
        });
        let url = match url.starts_with("https:") {
            true => std::fs::read_to_string(data.join("hub.url")).unwrap().trim().to_owned(),
            false => url,
        };
        Hub { process, url, data: data.to_owned() }
    }

    pub(crate) fn key(&self) -> String {
        std::fs::read_to_string(self.data.join("admin.key")).unwrap().trim().to_owned()
    }

    pub(crate) fn agent_token(&self) -> String {
        std::fs::read_to_string(self.data.join("agent.token")).unwrap().trim().to_owned()
    }

    /// A request with the admin key.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.key());
        let mut headers = vec![("Authorization", bearer.as_str())];
        if !body.is_empty() {
            headers.push(("Content-Type", "application/json"));
        }
        request(&self.url, method, path, &headers, body.as_bytes()).unwrap()
    }

    /// The answer's JSON; the request must succeed.
    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Events of the last day that match, at most 1000.
    pub(crate) fn search(&self, query: &str) -> Vec<Value> {
        let path = format!("/api/v1/search?limit=1000&q={}", escaped(query));
        self.get(&path)["events"].as_array().unwrap().clone()
    }

    /// All alerts, in the order of their names.
    pub(crate) fn alerts(&self) -> Vec<Value> {
        let mut alerts =
            self.get("/api/v1/alerts?limit=1000")["alerts"].as_array().unwrap().clone();
        alerts.sort_by_key(|alert| (alert["event"].to_string(), alert["resource"].to_string()));
        alerts
    }

    /// How many events the store holds.
    /// The newest entry of the audit trail whose action is this, or begins so.
    pub(crate) fn audited(&self, action: &str) -> Value {
        self.get(&format!("/api/v1/audit?limit=1&action={action}"))["entries"][0].clone()
    }

    pub(crate) fn stored(&self) -> u64 {
        self.get("/api/v1/status")["store"]["events"].as_u64().unwrap()
    }

    /// Posts lines of this host as an agent does.
    pub(crate) fn send(&self, batch: &str, host: &str, lines: &[String]) -> Answer {
        self.send_body(&batch_of(batch, host, lines))
    }

    pub(crate) fn send_body(&self, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.agent_token());
        let headers = [("Authorization", bearer.as_str())];
        request(&self.url, "POST", "/api/v1/batches", &headers, body).unwrap()
    }

    /// The program's client commands, told about this hub by its data directory.
    pub(crate) fn client(&self, arguments: &[&str]) -> Command {
        let mut command = bergfried(arguments);
        command.env("BERGFRIED_DATA_DIR", &self.data);
        command
    }

    pub(crate) fn interrupt(mut self) -> (ExitStatus, Duration) {
        self.process.interrupt()
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }
}

/// A body in the native batch format.
pub(crate) fn batch_of(id: &str, host: &str, lines: &[String]) -> Vec<u8> {
    batch_from("test.log", id, host, lines)
}

/// As [`batch_of`], of the lines of this file.
pub(crate) fn batch_from(file: &str, id: &str, host: &str, lines: &[String]) -> Vec<u8> {
    let now = jiff::Timestamp::now().as_microsecond();
    let origin = serde_json::json!({"kind": "file", "path": file, "host": host});
    let id = format!("{id:0>32}");
    let header = serde_json::json!({
        "batch": id, "agent": host, "version": "1", "origins": [origin],
    });
    let mut body = header.to_string();
    for line in lines {
        let record = serde_json::json!({"o": 0, "t": now, "l": line});
        body.push_str(&format!("\n{record}"));
    }
    body.push('\n');
    body.into_bytes()
}
