//! The journal, made by systemd-journal-remote from entries in the export format.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::hub::{Answer, Hub};
use crate::running::Running;

const PROGRAM: &str = "/lib/systemd/systemd-journal-remote";
const LIMIT: Duration = Duration::from_secs(20);

fn tools_present() -> bool {
    let present =
        Path::new(PROGRAM).exists() && Command::new("journalctl").arg("--version").output().is_ok();
    if !present {
        eprintln!("journalctl or systemd-journal-remote is not installed, nothing tested");
    }
    present
}

/// Entries `from..to` as a journal file of their own: one per call, as journald makes when it rotates.
fn write_journal(directory: &Path, from: u64, to: u64) -> PathBuf {
    let mut text = String::new();
    for number in from..to {
        let micros = 1_795_227_972_000_000 + number * 1000;
        write!(
            text,
            "__REALTIME_TIMESTAMP={micros}\n__MONOTONIC_TIMESTAMP={number}\n\
             _BOOT_ID=0123456789abcdef0123456789abcdef\n_HOSTNAME=web1\nPRIORITY=6\n\
             SYSLOG_IDENTIFIER=sshd\n_PID=42\nMESSAGE=entry {number} \"__CURSOR\":\"forged\"\n\n"
        )
        .unwrap();
    }
    let path = directory.join(format!("part-{from}.journal"));
    let output = format!("--output={}", path.display());
    let mut child = Command::new(PROGRAM)
        .args([&output, "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    path
}

fn start(hub: &Hub, directory: &Path, journal: &Path) -> Running {
    let config = directory.join("agent.toml");
    let text = format!(
        "files = []\njournald = \"on\"\n[journalctl]\ndirectory = \"{}\"\n",
        journal.display()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Running::command(hub, directory);
    Running::spawn(command.arg("--config").arg(&config))
}

#[test]
fn each_entry_once_through_restarts() {
    if !tools_present() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("journal");
    std::fs::create_dir(&journal).unwrap();
    write_journal(&journal, 0, 300);
    let hub = Hub::start(Box::new(|number| match number {
        1 => Answer::StoreAndHangUp,
        _ => Answer::Store,
    }));
    let agent = start(&hub, directory.path(), &journal);
    hub.wait_for(300, LIMIT);
    agent.kill();
    write_journal(&journal, 300, 400);
    let agent = start(&hub, directory.path(), &journal);
    hub.wait_for(400, LIMIT);
    let (status, took) = agent.terminate();
    assert!(status.success() && took < Duration::from_secs(2), "{status} after {took:?}");
    let mut numbers: Vec<u64> = hub
        .lines()
        .iter()
        .map(|line| {
            assert_eq!(line.path, "journal");
            let entry: serde_json::Value = serde_json::from_slice(&line.raw).unwrap();
            let message = entry["MESSAGE"].as_str().unwrap();
            message.split(' ').nth(1).unwrap().parse().unwrap()
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..400).collect::<Vec<_>>());
}
