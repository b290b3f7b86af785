//! The same records through auditd's own reader, ausearch(8): the same events, the same decoded
//! values.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what is wrong so")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use bergfried_audit::{Joiner, parse};
use bergfried_event::Timestamp;
use serde_json::Value;

/// Where Debian puts it; not in everybody's path.
const AUSEARCH: &str = "/usr/sbin/ausearch";

/// The cases of the corpus that hold whole records, and the logs of the shared corpora.
fn logs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let own = ["commands", "files", "connections", "people", "policy"];
    let own = own.map(|case| root.join("corpus/parse/audit").join(case).join("input.log"));
    let shared = root.join("../shared/corpora/auditd/laurel_process_tree.log");
    own.into_iter().chain(Some(shared).filter(|path| path.exists())).collect()
}

fn ausearch(log: &Path, arguments: &[&str]) -> Vec<String> {
    let output = Command::new(AUSEARCH)
        .args(arguments)
        .arg("-if")
        .arg(log)
        .env("TZ", "UTC")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split("----\n").filter(|block| !block.trim().is_empty()).map(str::to_owned).collect()
}

/// The types of the records in a block, in the order of their names, and the serial of the event.
fn shape(block: &str) -> (String, Vec<String>) {
    let mut serial = String::new();
    let mut types = Vec::new();
    for line in block.lines().filter(|line| line.contains("type=")) {
        let (_, rest) = line.split_once("type=").unwrap();
        let (name, rest) = rest.split_once(' ').unwrap();
        let (_, rest) = rest.split_once("audit(").unwrap();
        let (stamp, _) = rest.split_once(')').unwrap();
        serial = stamp.rsplit(':').next().unwrap().to_owned();
        if name != "EOE" {
            types.push(name.to_owned());
        }
    }
    types.sort();
    (serial, types)
}

#[test]
fn events_are_those_of_ausearch() {
    if !Path::new(AUSEARCH).exists() {
        eprintln!("skipped: no {AUSEARCH} here");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let generated = directory.path().join("audit.log");
    std::fs::write(&generated, interleaved(400)).unwrap();
    for log in logs().into_iter().chain([generated]) {
        let text = std::fs::read_to_string(&log).unwrap();
        let expected: BTreeSet<_> = ausearch(&log, &[]).iter().map(|block| shape(block)).collect();
        let mut found: BTreeSet<_> =
            Joiner::groups(&text).iter().map(|(_, group)| shape(group)).collect();
        // A record of AppArmor alone is malformed to ausearch 3, which leaves it out.
        found.retain(|event| expected.contains(event) || event.1 != ["AVC"]);
        assert_eq!(found, expected, "{}", log.display());
    }
}

/// A log as a busy machine writes it: the records of two events in turn.
fn interleaved(events: u32) -> String {
    let mut log = String::new();
    for pair in 0..events / 2 {
        let stamp = |serial: u32| {
            let milliseconds = pair * 7;
            format!(
                "audit({}.{:03}:{serial})",
                1_795_262_400 + milliseconds / 1000,
                milliseconds % 1000
            )
        };
        let (a, b) = (stamp(pair * 2 + 1), stamp(pair * 2 + 2));
        for kind in ["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"] {
            for (stamp, skipped) in [(&a, "EXECVE"), (&b, "CWD")] {
                let body = match kind {
                    "SYSCALL" => {
                        "arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=0 items=1 ppid=1 pid=2 auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=1 comm=\"x\" exe=\"/x\" key=(null)"
                    }
                    "EXECVE" => "argc=1 a0=\"x\"",
                    "CWD" => "cwd=\"/\"",
                    "PATH" => {
                        "item=0 name=\"/x\" inode=1 dev=fd:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL"
                    }
                    _ => "proctitle=\"x\"",
                };
                if kind != skipped {
                    writeln!(log, "type={kind} msg={stamp}: {body}").unwrap();
                }
            }
        }
    }
    log
}

#[test]
fn values_are_those_of_ausearch() {
    if !Path::new(AUSEARCH).exists() {
        eprintln!("skipped: no {AUSEARCH} here");
        return;
    }
    let mut compared = 0;
    for log in logs() {
        let text = std::fs::read_to_string(&log).unwrap();
        let blocks: BTreeMap<String, String> =
            ausearch(&log, &["-i"]).into_iter().map(|block| (shape(&block).0, block)).collect();
        for (_, group) in Joiner::groups(&text) {
            let event = parse(&group, Timestamp::from_seconds(0), "h");
            let found = serde_json::to_value(&event).unwrap();
            let Some(block) = blocks.get(&found["event.sequence"].to_string()) else {
                assert!(group.contains("apparmor="), "{group}");
                continue;
            };
            for expected in spelled(&found) {
                assert!(block.contains(&expected), "{expected} is not in\n{block}\n{found:#}");
                compared += 1;
            }
        }
    }
    assert!(compared > 150, "{compared}");
}

/// What we read, as ausearch spells it.
fn spelled(found: &Value) -> Vec<String> {
    let text = |field: &str| found.get(field).and_then(Value::as_str);
    let mut spelled = Vec::new();
    for (field, name) in [
        ("process.executable", "exe"),
        ("process.name", "comm"),
        ("process.title", "proctitle"),
        ("process.working_directory", "cwd"),
        ("auditd.data.arch", "arch"),
        ("auditd.syscall", "syscall"),
        ("auditd.exit", "exit"),
        ("auditd.data.acct", "acct"),
        ("auditd.data.cmd", "cmd"),
        ("auditd.data.op", "op"),
        ("auditd.data.unit", "unit"),
        ("auditd.data.terminal", "terminal"),
        ("auditd.data.addr", "addr"),
        ("auditd.data.tcontext", "tcontext"),
        ("user.audit.name", "auid"),
        ("auditd.success", "success"),
    ] {
        // One word for all: of programs it is `res=success`, and res=1 is `yes`.
        let is_result = field == "auditd.success" && text("auditd.syscall").is_none();
        if let Some(value) = text(field).filter(|_| !is_result) {
            spelled.push(format!("{name}={value}"));
        }
    }
    // As the record has it: not joined with the working directory.
    if let Some(name) = text("auditd.summary.object.primary")
        && text("auditd.summary.object.type") == Some("file")
    {
        spelled.push(format!("name={name}"));
    }
    if text("event.action") == Some("executed") {
        for (place, argument) in found["process.args"].as_array().into_iter().flatten().enumerate()
        {
            let record = format!("a{place}={}", argument.as_str().unwrap());
            // A long one stands there in pieces.
            if !found["event.original"].as_str().unwrap().contains(&format!("a{place}_len=")) {
                spelled.push(record);
            }
        }
    }
    if let (Some(address), Some(port)) =
        (text("auditd.data.socket_addr"), text("auditd.data.socket_port"))
    {
        spelled.push(format!("laddr={address} lport={port}"));
    }
    if let Some(path) = text("auditd.data.socket_path") {
        spelled.push(format!("path={path}"));
    }
    spelled
}
