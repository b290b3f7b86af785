//! The real logrotate, where it is installed.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::hub::{Answer, Hub};
use crate::running::Running;

const LINES: usize = 200;
const LIMIT: Duration = Duration::from_secs(120);

/// Rotates so many times, right behind the last line of each round.
fn rotates(rounds: usize, pause: Duration, directives: &str) {
    if Command::new("logrotate").arg("--version").output().is_err() {
        eprintln!("logrotate is not installed, nothing tested");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("app.log");
    let config = directory.path().join("logrotate.conf");
    let su = if is_root() { "su root root" } else { "" };
    let text = format!("{} {{\n  rotate 9\n  {su}\n  {directives}\n}}\n", log.display());
    std::fs::write(&config, text).unwrap();
    let hub = Hub::start(Box::new(|_| Answer::Store));
    let agent = Running::start(&hub, directory.path(), &[&log]);
    for round in 0..rounds {
        let mut file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        for line in 0..LINES {
            writeln!(file, "round {round} line {line}").unwrap();
            if line == 0 {
                // The copy of a file of which nothing was ever read could not be told from others.
                hub.wait_for(round * LINES + 1, LIMIT);
            }
        }
        drop(file);
        rotate(&config, directory.path());
        std::thread::sleep(pause);
    }
    hub.wait_for(rounds * LINES, LIMIT);
    agent.kill();
    let mut lines: Vec<Vec<u8>> = hub.lines().into_iter().map(|line| line.raw).collect();
    lines.sort();
    lines.dedup();
    assert_eq!((lines.len(), hub.line_count()), (rounds * LINES, rounds * LINES));
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

fn rotate(config: &Path, directory: &Path) {
    let state = directory.join("logrotate.state");
    let mut command = Command::new("logrotate");
    let output = command.arg("--force").arg("--state").arg(state).arg(config).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn by_rename() {
    rotates(5, Duration::ZERO, "nocreate");
}

#[test]
fn by_rename_with_dates() {
    // Two rotations in one second would have the same name.
    rotates(3, Duration::from_millis(1100), "create\n  dateext\n  dateformat -%Y%m%d-%s");
}

#[test]
fn by_copy() {
    rotates(5, Duration::ZERO, "copytruncate");
}
