//! A disk that fills up: the hub says so and takes nothing, the agent keeps its lines, and when
//! there is room again everything arrives.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::dice::Dice;
use crate::support::http::request;
use crate::support::hub::Hub;
use crate::support::lines::{ago, append, failed};
use crate::support::process::{Process, bergfried, run_with};
use crate::support::relay::Relay;
use crate::support::{wait_for, wait_until};

pub(crate) const KEY: &str = "key-of-the-administrator";

/// A small disk in a mount namespace of its own; gone with the process that holds it.
pub(crate) struct Disk {
    holder: Process,
    point: PathBuf,
}

impl Disk {
    /// None where this user may not mount.
    pub(crate) fn mount(point: &Path, size: &str) -> Option<Disk> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c"]);
        let script = "mount -t tmpfs -o size=\"$1\" tmpfs \"$0\" && echo mounted && exec sleep 600";
        command.arg(script).arg(point).arg(size).stdin(Stdio::null());
        if !Command::new("unshare")
            .arg("--version")
            .output()
            .is_ok_and(|done| done.status.success())
        {
            return None;
        }
        let mut holder = Process::spawn(&mut command);
        wait_for("the mount", || {
            let mounted = holder.out().contains("mounted");
            (mounted || holder.has_ended()).then_some(mounted)
        })
        .then(|| Disk { holder, point: point.to_owned() })
    }

    /// The mount point as it is seen from outside.
    pub(crate) fn seen(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.point.strip_prefix("/").unwrap())
    }

    pub(crate) fn start_hub(&self) -> Hub {
        self.start_hub_with(&[])
    }

    /// As [`Disk::start_hub`], with these further arguments.
    pub(crate) fn start_hub_with(&self, more: &[&str]) -> Hub {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()));
        command.arg(env!("CARGO_BIN_EXE_bergfried"));
        command.args(["hub", "--listen", "127.0.0.1:0", "--data-dir"]).arg(self.point.join("data"));
        command.args(more);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("ADMIN_API_KEY", KEY).env("WATCHTOWER_AGENT_TOKEN", "of-the-agents");
        Hub::run(command, &self.seen().join("data"))
    }

    /// The same command, where the disk is mounted.
    pub(crate) fn within(&self, command: &Command) -> Command {
        let mut outer = Command::new("nsenter");
        outer.arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()));
        outer.arg(command.get_program()).args(command.get_args());
        outer.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        outer
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self) -> PathBuf {
        let ballast = self.seen().join("ballast");
        for piece in [1 << 20, 4096, 1] {
            while write_more(&ballast, piece) {}
        }
        ballast
    }
}

fn write_more(path: &Path, bytes: usize) -> bool {
    use std::io::Write as _;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.unwrap().write_all(&vec![0; bytes]).is_ok()
}

fn line(number: usize) -> String {
    format!("{} web1 app[77]: line {number} {}", ago(0), "with some text ".repeat(8))
}

#[test]
fn a_full_disk_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let point = directory.path().join("disk");
    std::fs::create_dir(&point).unwrap();
    let Some(disk) = Disk::mount(&point, "16m") else {
        eprintln!("skipped: this user may not mount a small disk in a namespace (unshare --mount)");
        return;
    };
    let hub = disk.start_hub();
    let relay = Relay::start();
    relay.lead_to(&hub.url);
    let token = directory.path().join("token");
    std::fs::write(&token, hub.agent_token()).unwrap();
    let log = directory.path().join("app.log");
    let mut command = bergfried(&["agent", "--from", "start", "--journald", "off"]);
    command.args(["--hub", &relay.url]).arg("--token-file").arg(&token);
    command.arg("--state-dir").arg(directory.path().join("state")).arg("--file").arg(&log);
    let _agent = Process::spawn(&mut command);
    let write = |numbers: std::ops::Range<usize>| {
        append(&log, &numbers.map(|number| line(number) + "\n").collect::<String>());
    };
    write(0..2_000);
    wait_until("the first lines", || hub.stored() == 2_000);

    let ballast = disk.fill();
    let big: Vec<String> =
        (0..2_000).map(|n| format!("{} web1 big: {n} {}", ago(0), "z".repeat(200))).collect();
    let refused = hub.send("b16", "web1", &big);
    assert!([503, 507].contains(&refused.status), "{} {}", refused.status, refused.text());
    assert!(refused.header("retry-after").is_some());
    if refused.status == 507 {
        assert!(refused.error().contains("disk is full"), "{}", refused.error());
    }
    write(2_000..6_000);
    wait_until("the agent to be refused", || {
        let counters = hub.get("/api/v1/status")["counters"].clone();
        counters["not_stored"].as_u64().unwrap() >= 2
    });
    // What compresses well might find room in the last block.
    let mut dice = Dice(3);
    let noise: String =
        (0..100_000).map(|_| char::from(b' ' + u8::try_from(dice.roll(90)).unwrap())).collect();
    let login = json!({
        "type": "user_login", "timestamp": ago(0), "hostname": "web", "user": "bob",
        "method": "publickey", "source_ip": "203.0.113.7", "source_port": "40022",
        "raw_message": noise,
    });
    let headers = [("X-Login-Alert-Token", "of-the-agents"), ("Content-Type", "application/json")];
    let login =
        request(&hub.url, "POST", "/login", &headers, login.to_string().as_bytes()).unwrap();
    assert!([503, 507].contains(&login.status), "{} {}", login.status, login.text());
    assert!(login.json()["detail"].is_string(), "{}", login.text());
    // What was stored is there to be read all the while.
    assert_eq!(hub.stored(), 2_000);
    assert_eq!(hub.search("\"line 1999\"").len(), 1);

    // Killed on a full disk, and started again on it or when there is room: nothing is half there.
    hub.kill();
    std::fs::remove_file(ballast).unwrap();
    let hub = disk.start_hub();
    assert_eq!(hub.stored(), 2_000);
    let ballast = disk.fill();
    let refused = hub.send("b17", "web1", &big);
    assert!([503, 507].contains(&refused.status), "{}", refused.text());
    std::fs::remove_file(ballast).unwrap();
    relay.lead_to(&hub.url);
    // Without another restart: the very hub that was full takes batches again.
    wait_until("all lines", || hub.stored() >= 6_000);
    let mut all = hub.client(&["search", "line", "--format", "raw", "-n", "100000"]);
    all.env("BERGFRIED_KEY", KEY);
    let all = run_with(all, b"");
    let mut numbers: Vec<usize> =
        all.out.lines().map(|line| line.split(' ').nth(4).unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    assert!(numbers == (0..6_000).collect::<Vec<_>>(), "{} lines", numbers.len());
    assert_eq!(hub.send("b16", "web1", &big).json()["status"], "stored");
    let guesses: Vec<String> =
        (0..5).map(|n| failed(&ago(9 - n), "web", "bob", "203.0.113.7")).collect();
    assert_eq!(hub.send("b18", "web", &guesses).status, 200);
    wait_until("an alert", || hub.alerts().len() == 1);
}

/// Clients of other products wait and send again only where they are told so in their own words.
#[test]
fn a_full_disk_is_told_to_each_client_in_its_words() {
    let directory = tempfile::tempdir().unwrap();
    let point = directory.path().join("disk");
    std::fs::create_dir(&point).unwrap();
    let Some(disk) = Disk::mount(&point, "16m") else {
        eprintln!("skipped: this user may not mount a small disk in a namespace (unshare --mount)");
        return;
    };
    let hub = disk.start_hub();
    let bearer = format!("Bearer {}", hub.agent_token());
    let mut dice = Dice(4);
    let noise: String =
        (0..300_000).map(|_| char::from(b'a' + u8::try_from(dice.roll(26)).unwrap())).collect();
    let bulk = format!("{{\"create\":{{}}}}\n{{\"message\":\"{noise}\"}}\n");
    let record = json!({"body": {"stringValue": noise}});
    let otlp = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).to_string();
    let send = |path: &str, body: &str| {
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        request(&hub.url, "POST", path, &headers, body.as_bytes()).unwrap()
    };
    let ballast = disk.fill();
    for (path, body, statuses) in [
        ("/app/_bulk", &bulk, &[429][..]),
        ("/v1/logs", &otlp, &[503]),
        ("/api/v1/raw", &record.to_string(), &[503, 507]),
    ] {
        let answer = send(path, body);
        assert!(statuses.contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
        assert!(answer.header("retry-after").is_some(), "{path}");
        if path == "/app/_bulk" {
            let kind = answer.json()["error"]["type"].clone();
            assert!(kind == "cluster_block_exception" || kind == "es_rejected_execution_exception");
        }
    }
    assert_eq!(hub.stored(), 0);
    std::fs::remove_file(ballast).unwrap();
    for (number, path, body) in [(1, "/app/_bulk", &bulk), (2, "/v1/logs", &otlp)] {
        wait_until("room again", || send(path, body).status == 200);
        assert_eq!(hub.stored(), number, "{path}");
    }
}
