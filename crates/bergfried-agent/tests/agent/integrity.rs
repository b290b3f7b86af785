//! Changes of files, told by a real agent: over kill -9, in a storm, and without watches.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::hub::{Answer, Hub};
use crate::running::Running;

const PATIENCE: Duration = Duration::from_secs(120);

/// A directory that is watched, a log beside it, and the configuration that says so.
struct Place {
    directory: tempfile::TempDir,
    watched: PathBuf,
    log: PathBuf,
}

impl Place {
    fn new() -> Place {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        let (watched, log) = (base.join("watched"), base.join("a.log"));
        fs::create_dir(&watched).unwrap();
        fs::write(&log, "").unwrap();
        let table = format!("[integrity]\nenabled = true\npaths = ['{}']\n", watched.display());
        fs::write(base.join("agent.toml"), table).unwrap();
        Place { directory, watched, log }
    }

    fn command(&self, hub: &Hub) -> Command {
        let mut command = Running::command(hub, self.directory.path());
        command.args(["--journald", "off"]).arg("--file").arg(&self.log);
        command.arg("--config").arg(self.directory.path().join("agent.toml"));
        command
    }
}

/// What the observer told the hub.
fn told(hub: &Hub) -> Vec<Value> {
    let lines = hub.lines().into_iter().filter(|line| line.path == "integrity");
    lines.map(|line| serde_json::from_slice(&line.raw).unwrap()).collect()
}

fn wait_until(hub: &Hub, what: &str, is_told: impl Fn(&[Value]) -> bool) {
    let begun = Instant::now();
    while !is_told(&told(hub)) {
        assert!(begun.elapsed() < PATIENCE, "{what} was not told: {:#?}", told(hub).last());
        thread::sleep(Duration::from_millis(20));
    }
}

fn has(told: &[Value], action: &str) -> bool {
    told.iter().any(|one| one["event.action"] == action)
}

#[test]
fn no_change_is_lost_by_kill_nine() {
    let place = Place::new();
    let hub = Hub::start(Box::new(|_| Answer::Store));
    for number in 0..20 {
        fs::write(place.watched.join(number.to_string()), "before").unwrap();
    }
    let running = Running::spawn(&mut place.command(&hub));
    wait_until(&hub, "the baseline", |told| has(told, "baseline"));
    running.kill();
    for round in 0..8_u64 {
        let running = Running::spawn(&mut place.command(&hub));
        // Some are changed while it starts, some while it looks, some while it tells.
        for number in 0..20_u64 {
            let content = format!("round {round}, {}", "x".repeat(20 - number as usize));
            fs::write(place.watched.join(number.to_string()), content).unwrap();
            thread::sleep(Duration::from_millis((round * 7 + number * 3) % 40));
        }
        running.kill();
    }
    let _running = Running::spawn(&mut place.command(&hub));
    let last: BTreeMap<String, u64> = fs::read_dir(&place.watched)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.to_str().unwrap().to_owned(), fs::metadata(&path).unwrap().len()))
        .collect();
    wait_until(&hub, "the last of each file", |told| {
        last.iter().all(|(path, size)| {
            let newest = told.iter().rev().find(|one| one["file.path"] == **path);
            newest.is_some_and(|one| one["file.size"] == *size)
        })
    });
    // What is told goes from what was told before, without a gap.
    let mut sizes = BTreeMap::new();
    for one in told(&hub).iter().filter(|one| one["event.action"] == "updated") {
        let path = one["file.path"].as_str().unwrap().to_owned();
        let hash = |name: &str| one[name].as_str().unwrap().to_owned();
        let before = hash("file_integrity.before.hash.blake3");
        let known: &mut Vec<String> = sizes.entry(path).or_default();
        assert!(known.is_empty() || known.contains(&before), "{one:#}");
        known.extend([before, hash("file.hash.blake3")]);
    }
}

#[test]
fn logs_are_read_on_in_a_storm_of_changes() {
    let place = Place::new();
    let hub = Hub::start(Box::new(|_| Answer::Store));
    let _running = Running::spawn(&mut place.command(&hub));
    wait_until(&hub, "the baseline", |told| has(told, "baseline"));
    let goes_on = Arc::new(AtomicBool::new(true));
    let storm = thread::spawn({
        let (goes_on, watched) = (Arc::clone(&goes_on), place.watched.clone());
        move || {
            let mut number = 0_u64;
            while goes_on.load(Ordering::Relaxed) {
                fs::write(watched.join((number % 3_000).to_string()), number.to_string()).unwrap();
                number += 1;
            }
        }
    });
    wait_until(&hub, "the storm", |told| has(told, "created"));
    let mut log = fs::OpenOptions::new().append(true).open(&place.log).unwrap();
    for number in 0..500 {
        writeln!(log, "line {number}").unwrap();
    }
    let begun = Instant::now();
    let arrived = || hub.lines().iter().filter(|line| line.raw.starts_with(b"line ")).count();
    while arrived() < 500 && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(20));
    }
    assert!(!storm.is_finished());
    goes_on.store(false, Ordering::Relaxed);
    storm.join().unwrap();
    assert_eq!(arrived(), 500, "while the storm went on");
}

#[test]
fn without_watches_it_says_so_and_looks_all_the_same() {
    const FEW: &str = "echo 8 > /proc/sys/user/max_inotify_watches";
    let few = Command::new("unshare").args(["-Ur", "sh", "-c", FEW]).output();
    if !few.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this kernel lets nobody make a user namespace with few watches");
        return;
    }
    let place = Place::new();
    for number in 0..20 {
        fs::create_dir(place.watched.join(number.to_string())).unwrap();
    }
    let hub = Hub::start(Box::new(|_| Answer::Store));
    let limited = || {
        let agent = place.command(&hub);
        let mut command = Command::new("unshare");
        command.args(["-Ur", "sh", "-c", &format!("{FEW}; exec \"$@\""), "sh"]);
        command.arg(agent.get_program()).args(agent.get_args());
        command
    };
    let running = Running::spawn(&mut limited());
    wait_until(&hub, "the limit", |told| has(told, "watch-limit") && has(told, "baseline"));
    let all = told(&hub);
    let limit = all.iter().find(|one| one["event.action"] == "watch-limit").unwrap();
    let message = limit["message"].as_str().unwrap();
    assert!(message.contains("sysctl fs.inotify.max_user_watches="), "{message}");
    running.kill();
    let hidden: &Path = &place.watched.join("19/hidden");
    fs::write(hidden, "x").unwrap();
    let _running = Running::spawn(&mut limited());
    wait_until(&hub, "what no watch saw", |told| {
        told.iter().any(|one| one["file.path"] == hidden.to_str().unwrap())
    });
}
