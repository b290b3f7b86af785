//! Every line exactly once: through rotation, kill -9, and a hub that fails in every way it can.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::hub::{Answer, Hub};
use crate::running::Running;

const LINES: usize = 20_000;

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn assert_each_once(hub: &Hub, expected: usize, name: &str) {
    let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
    for line in hub.lines() {
        *seen.entry(line.raw).or_default() += 1;
    }
    let missing: Vec<usize> =
        (0..expected).filter(|n| !seen.contains_key(text(name, *n).as_bytes())).collect();
    let twice = seen.iter().filter(|(_, count)| **count > 1).count();
    assert!(
        missing.is_empty() && twice == 0 && seen.len() == expected,
        "{} missing (first {:?}), {twice} twice, {} in all",
        missing.len(),
        missing.iter().take(5).collect::<Vec<_>>(),
        seen.len()
    );
}

fn text(name: &str, number: usize) -> String {
    format!(
        "Nov 21 04:31:28 web1 {name}[77]: line {number} with some text to make it as long as others"
    )
}

#[derive(Clone, Copy)]
enum Rotation {
    Rename,
    Copy,
}

/// Moves `app.log.N` up by one, then the log itself to `app.log.1`; keeps all of them.
fn rotate(log: &Path, rotation: Rotation) {
    let name = |n: usize| PathBuf::from(format!("{}.{n}", log.display()));
    let last = (1..).find(|n| !name(*n).exists()).unwrap();
    for n in (1..last).rev() {
        std::fs::rename(name(n), name(n + 1)).unwrap();
    }
    match rotation {
        Rotation::Rename => std::fs::rename(log, name(1)).unwrap(),
        Rotation::Copy => {
            std::fs::copy(log, name(1)).unwrap();
            OpenOptions::new().write(true).truncate(true).open(log).unwrap();
        }
    }
}

/// Writes lines in uneven pieces, so that half lines are seen, and rotates now and then.
fn write_lines(log: &Path, rotation: Rotation, done: &Mutex<usize>) {
    let mut dice = Dice(7);
    let append = || OpenOptions::new().create(true).append(true).open(log).unwrap();
    let mut file: File = append();
    for number in 0..LINES {
        let line = text("app", number) + "\n";
        if dice.roll(50) == 0 {
            let (first, second) = line.as_bytes().split_at(dice.roll(line.len() as u64) as usize);
            file.write_all(first).unwrap();
            thread::sleep(Duration::from_millis(1));
            file.write_all(second).unwrap();
        } else {
            file.write_all(line.as_bytes()).unwrap();
        }
        *done.lock().unwrap() = number + 1;
        if number % 1500 == 1499 {
            // What is written between the last read and a copy is found in the copy.
            rotate(log, rotation);
            file = append();
        }
        if number % 40 == 0 {
            thread::sleep(Duration::from_millis(8));
        }
    }
}

fn survives(rotation: Rotation) {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("app.log");
    let hub = Hub::start(Box::new(|number| match number % 7 {
        2 => Answer::Status(503),
        4 => Answer::StoreAndHangUp,
        _ => Answer::Store,
    }));
    let done = Arc::new(Mutex::new(0));
    let writer = thread::spawn({
        let (log, done) = (log.clone(), Arc::clone(&done));
        move || write_lines(&log, rotation, &done)
    });
    let mut dice = Dice(11);
    let mut kills = 0;
    while *done.lock().unwrap() < LINES {
        let agent = Running::start(&hub, directory.path(), &[&log]);
        thread::sleep(Duration::from_millis(20 + dice.roll(400)));
        agent.kill();
        kills += 1;
        thread::sleep(Duration::from_millis(dice.roll(150)));
    }
    writer.join().unwrap();
    let agent = Running::start(&hub, directory.path(), &[&log]);
    hub.wait_for(LINES, Duration::from_secs(60));
    agent.kill();
    assert_each_once(&hub, LINES, "app");
    assert!(kills >= 5, "only {kills} kills");
    assert!(hub.duplicates() > 0, "no batch was ever sent twice, so nothing was proven");
}

#[test]
fn through_kills_and_rotation_by_rename() {
    survives(Rotation::Rename);
}

#[test]
fn through_kills_and_rotation_by_copy() {
    survives(Rotation::Copy);
}
