//! The journal, made by systemd-journal-remote from entries in the export format.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::hub::{Answer, Hub};
use crate::running::Running;

const PROGRAM: &str = "/lib/systemd/systemd-journal-remote";
const LIMIT: Duration = Duration::from_secs(120);

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
    let fields = |number: u64| {
        format!("SYSLOG_IDENTIFIER=sshd\n_PID=42\nMESSAGE=entry {number} \"__CURSOR\":\"forged\"\n")
    };
    write_entries(directory, from, &(from..to).map(fields).collect::<Vec<_>>())
}

/// Entries of these fields, the first of them with this number.
fn write_entries(directory: &Path, from: u64, entries: &[String]) -> PathBuf {
    let mut text = String::new();
    for (number, fields) in (from..).zip(entries) {
        let micros = 1_795_227_972_000_000 + number * 1000;
        write!(
            text,
            "__REALTIME_TIMESTAMP={micros}\n__MONOTONIC_TIMESTAMP={number}\n\
             _BOOT_ID=0123456789abcdef0123456789abcdef\n_HOSTNAME=web1\nPRIORITY=6\n\
             {fields}\n"
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
    start_with(hub, directory, journal, "")
}

/// `keys`: further ones of the journalctl table.
fn start_with(hub: &Hub, directory: &Path, journal: &Path, keys: &str) -> Running {
    let config = directory.join("agent.toml");
    let text = format!(
        "files = []\njournald = \"on\"\n[firewall]\nenabled = false\n\
         [journalctl]\ndirectory = \"{}\"\n{keys}",
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
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
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

fn messages(hub: &Hub) -> Vec<String> {
    let lines = hub.lines();
    let entries = lines.iter().map(|line| serde_json::from_slice(&line.raw).unwrap());
    let text = |entry: serde_json::Value| match &entry["MESSAGE"] {
        serde_json::Value::String(text) => text.clone(),
        // What is not printable comes as numbers (systemd's Journal JSON Format).
        bytes => String::from_utf8(serde_json::from_value(bytes.clone()).unwrap()).unwrap(),
    };
    entries.map(text).collect()
}

#[test]
fn chosen_units_and_the_kernel_alone_are_read() {
    if !tools_present() {
        return;
    }
    let entries = [
        "_SYSTEMD_UNIT=ssh.service\nMESSAGE=of ssh\n",
        "_SYSTEMD_UNIT=cron.service\nMESSAGE=of cron\n",
        "_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=kernel\nMESSAGE=of the kernel\n",
        "_SYSTEMD_UNIT=init.scope\n_PID=1\nUNIT=ssh.service\nMESSAGE=about ssh\n",
        "_SYSTEMD_UNIT=cron.service\n_PID=7\nUNIT=ssh.service\nMESSAGE=forged\n",
        "_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=kernel\nMESSAGE=not of the kernel\n",
    ];
    for (keys, expected) in [
        ("units = [\"ssh\"]\n", &["of ssh", "about ssh"][..]),
        ("kernel = true\n", &["of the kernel"]),
        ("units = [\"ssh\", \"sshd\"]\nkernel = true\n", &["of ssh", "of the kernel", "about ssh"]),
        ("", &["of ssh", "of cron", "of the kernel", "about ssh", "forged", "not of the kernel"]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let journal = directory.path().join("journal");
        std::fs::create_dir(&journal).unwrap();
        write_entries(&journal, 0, &entries.map(str::to_owned));
        let hub = Hub::start(Box::new(|_| Answer::Store));
        let agent = start_with(&hub, directory.path(), &journal, keys);
        hub.wait_for(expected.len(), LIMIT);
        // One too many would be among those that were there already.
        std::thread::sleep(Duration::from_millis(300));
        agent.kill();
        assert_eq!(messages(&hub), expected, "{keys}");
    }
}

#[test]
fn text_of_the_journal_meets_no_shell_and_no_terminal() {
    if !tools_present() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("journal");
    std::fs::create_dir(&journal).unwrap();
    let touched = directory.path().join("touched");
    let hostile = [
        format!("$(touch {0}) `touch {0}` '; touch {0}; #", touched.display()),
        "\u{1b}]0;title\u{7}\u{1b}[2Jgone".to_owned(),
        "%s%n \\033[31m".to_owned(),
    ];
    let entries =
        hostile.clone().map(|text| format!("_SYSTEMD_UNIT=ssh.service\nMESSAGE={text}\n"));
    write_entries(&journal, 0, &entries);
    let hub = Hub::start(Box::new(|_| Answer::Store));
    // Nor does what a person writes: a unit's name is an argument, whatever it holds.
    let units = "units = [\"ssh\", \"$(touch${IFS}touched)\"]\n";
    let agent = start_with(&hub, directory.path(), &journal, units);
    hub.wait_for(hostile.len(), LIMIT);
    agent.kill();
    assert_eq!(messages(&hub), hostile);
    assert!(!touched.exists() && !Path::new("touched").exists());
    let lines = hub.lines();
    assert!(lines.iter().all(|line| !line.raw.contains(&0x1b)), "escaped, as JSON is");
}

#[test]
fn a_jump_in_the_journals_count_is_told_once() {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !is_root {
        eprintln!("only the superuser sees every entry, nothing tested");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (journal, bin) = (directory.path().join("journal"), directory.path().join("bin"));
    for made in [&journal, &bin] {
        std::fs::create_dir(made).unwrap();
    }
    std::fs::write(journal.join("system.journal"), "").unwrap();
    let hub = Hub::start(Box::new(|_| Answer::Store));
    let start = |entries: &[(&str, u64)]| {
        let mut script = "#!/bin/sh\n".to_owned();
        for (sequence, number) in entries {
            writeln!(
                script,
                "echo '{{\"__CURSOR\":\"s={sequence};i={number:x};b=1\",\"MESSAGE\":\"{number}\"}}'"
            )
            .unwrap();
        }
        script.push_str("exec sleep 60\n");
        let journalctl = bin.join("journalctl");
        std::fs::write(&journalctl, script).unwrap();
        std::fs::set_permissions(&journalctl, PermissionsExt::from_mode(0o755)).unwrap();
        let config = directory.path().join("agent.toml");
        let text = format!(
            "files = []\njournald = \"on\"\n[firewall]\nenabled = false\n[journalctl]\n\
             directory = \"{}\"\n",
            journal.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Running::command(&hub, directory.path());
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        Running::spawn(command.arg("--config").arg(&config))
    };
    let agent = start(&[("a", 9), ("a", 10), ("b", 2), ("b", 5)]);
    hub.wait_for(5, LIMIT);
    agent.kill();
    // Also what went missing while the agent was down.
    let agent = start(&[("b", 7), ("b", 8), ("c", 100)]);
    hub.wait_for(9, LIMIT);
    agent.kill();
    let gaps: Vec<String> = hub
        .lines()
        .iter()
        .filter(|line| line.path == "tamper")
        .map(|line| {
            let gap: serde_json::Value = serde_json::from_slice(&line.raw).unwrap();
            assert_eq!(gap["event.action"], "journal-gap");
            gap["message"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected = [
        "2 entries are missing in the journal: numbers 3 to 4",
        "1 entry is missing in the journal: numbers 6 to 6",
    ];
    assert_eq!(gaps, expected);
}

#[test]
fn without_a_journal_the_files_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    std::fs::write(&log, "a line\n").unwrap();
    let hub = Hub::start(Box::new(|_| Answer::Store));
    let mut command = Running::command(&hub, directory.path());
    // Nowhere is a journalctl; `auto` is what is done where nothing is said.
    command.env("PATH", directory.path()).arg("--file").arg(&log);
    let agent = Running::spawn(&mut command);
    hub.wait_for(1, LIMIT);
    agent.kill();
    assert_eq!(hub.lines()[0].raw, b"a line");
}
