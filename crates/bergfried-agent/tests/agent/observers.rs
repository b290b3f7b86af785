//! What the agent looks at itself reaches the hub, also what happened while it was not running.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::hub::{Answer, Hub};
use crate::running::Running;

const LIMIT: Duration = Duration::from_secs(120);

struct Host {
    hub: Hub,
    directory: tempfile::TempDir,
}

impl Host {
    fn new() -> Host {
        let host = Host {
            hub: Hub::start(Box::new(|_| Answer::Store)),
            directory: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(host.path("bin")).unwrap();
        fs::write(host.path("auth.log"), "Nov 20 10:00:00 web1 sshd[1]: hello\n").unwrap();
        host.firewall("Status: active");
        let config = format!(
            "files = [\"{}\"]\njournald = \"off\"\n[integrity]\nenabled = false\n[firewall]\n\
             interval_seconds = 1\ntools = [\"ufw\"]\n[tamper]\ninterval_seconds = 1\n",
            host.path("auth.log").display()
        );
        fs::write(host.path("agent.toml"), config).unwrap();
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What `ufw` prints from now on.
    fn firewall(&self, status: &str) {
        let script = self.path("new");
        fs::write(&script, format!("#!/bin/sh\necho '{status}'\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(script, self.path("bin/ufw")).unwrap();
    }

    fn start(&self) -> Running {
        let mut command = Running::command(&self.hub, self.directory.path());
        // Found before a real one.
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        Running::spawn(command.env("PATH", path).arg("--config").arg(self.path("agent.toml")))
    }

    /// The actions that the hub was told of by this observer, in their order.
    fn told(&self, observer: &str) -> Vec<String> {
        let of_it = |path: &Path| path == Path::new(observer);
        let lines = self.hub.lines();
        let records = lines.iter().filter(|line| of_it(Path::new(&line.path)));
        records
            .map(|line| {
                let record: Value = serde_json::from_slice(&line.raw).unwrap();
                record["event.action"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    /// Waits until the agent has written this down.
    fn wait_until_known(&self, file: &str, what: &str) {
        let (file, begun) = (self.path("state").join(file), Instant::now());
        while !fs::read_to_string(&file).is_ok_and(|text| text.contains(what)) {
            assert!(begun.elapsed() < LIMIT, "{what} is not in {}", file.display());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn wait_for(&self, observer: &str, expected: &[&str]) {
        let begun = Instant::now();
        while self.told(observer) != expected {
            assert!(begun.elapsed() < LIMIT, "{observer}: {:?}", self.told(observer));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn changes_are_told_once_over_a_kill_and_what_happened_meanwhile_at_the_start() {
    let host = Host::new();
    let agent = host.start();
    host.wait_for("firewall", &["firewall-state"]);
    host.wait_until_known("firewall.json", "Status: active");
    host.wait_until_known("tamper.json", "auth.log");
    fs::write(host.path("auth.log"), "").unwrap();
    host.wait_for("tamper", &["log-truncated"]);
    // Killed between saying and remembering, it would say it again.
    host.wait_until_known("tamper.json", "\"size\":0");
    agent.kill();

    fs::remove_file(host.path("auth.log")).unwrap();
    host.firewall("Status: inactive");
    let agent = host.start();
    host.wait_for("firewall", &["firewall-state", "firewall-disabled"]);
    host.wait_for("tamper", &["log-truncated", "log-missing"]);
    let (ended, _) = agent.terminate();
    assert!(ended.success());
    assert_eq!(host.told("firewall").len(), 2);
}
