//! Nothing is lost and nothing counted twice: kill -9 of either side, rotation, garbage.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::dice::Dice;
use crate::support::hub::{Hub, batch_from, batch_of};
use crate::support::lines::{accepted, ago, append, break_in, failed};
use crate::support::process::{Process, bergfried, run_with};
use crate::support::relay::Relay;
use crate::support::{wait_for, wait_until};

const LINES: usize = 20_000;

fn text(number: usize) -> String {
    format!("{} web1 app[77]: line {number} with some text to make it as long as others", ago(0))
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

/// A program that logs for some seconds and is rotated now and then.
fn start_writing(log: &Path, rotation: Rotation) -> Arc<AtomicBool> {
    let (log, done) = (log.to_owned(), Arc::new(AtomicBool::new(false)));
    let written = Arc::clone(&done);
    thread::spawn(move || {
        let append =
            || -> File { OpenOptions::new().create(true).append(true).open(&log).unwrap() };
        let mut file = append();
        for number in 0..LINES {
            writeln!(file, "{}", text(number)).unwrap();
            if number % 3_000 == 2_999 {
                rotate(&log, rotation);
                file = append();
            }
            if number % 40 == 0 {
                thread::sleep(Duration::from_millis(8));
            }
        }
        written.store(true, Ordering::Release);
    });
    done
}

fn agent(relay: &Relay, token: &Path, state: &Path, log: &Path) -> Process {
    let mut command = bergfried(&["agent", "--from", "start", "--journald", "off"]);
    command.args(["--hub", &relay.url]).arg("--token-file").arg(token);
    command.arg("--state-dir").arg(state).arg("--file").arg(log);
    Process::spawn(&mut command)
}

/// Every line is found by a search, each once.
fn assert_each_once(hub: &Hub) {
    wait_until("all lines", || hub.stored() >= LINES as u64);
    let mut command = hub.client(&["search", "", "--format", "raw", "-n", "1000000"]);
    command.env_remove("BERGFRIED_URL");
    let done = run_with(command, b"");
    let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
    for line in done.out.lines() {
        let number = line.split(' ').nth(4).unwrap_or_else(|| panic!("half a line: {line}"));
        *seen.entry(number.parse().unwrap()).or_default() += 1;
    }
    let missing: Vec<usize> = (0..LINES).filter(|number| !seen.contains_key(number)).collect();
    let twice: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).take(5).collect();
    assert!(
        missing.is_empty() && twice.is_empty() && seen.len() == LINES,
        "{} missing {:?}, more than once {twice:?}, {} in all",
        missing.len(),
        missing.iter().take(5).collect::<Vec<_>>(),
        seen.len()
    );
    assert_eq!(hub.stored(), LINES as u64);
}

#[test]
fn every_line_once_while_the_hub_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let (data, log) = (directory.path().join("data"), directory.path().join("app.log"));
    let relay = Relay::start();
    let mut hub = Hub::start(&data);
    relay.lead_to(&hub.url);
    let token = data.join("agent.token");
    let _agent = agent(&relay, &token, &directory.path().join("state"), &log);
    let written = start_writing(&log, Rotation::Rename);
    let mut dice = Dice(5);
    let mut kills = 0;
    while !written.load(Ordering::Acquire) || kills < 5 {
        let before = hub.stored();
        wait_until("the agent to come back", || {
            hub.stored() > before || written.load(Ordering::Acquire)
        });
        thread::sleep(Duration::from_millis(dice.roll(300)));
        hub.kill();
        kills += 1;
        hub = Hub::start(&data);
        relay.lead_to(&hub.url);
    }
    assert_each_once(&hub);
    hub.kill();
    assert_each_once(&Hub::start(&data));
}

#[test]
fn every_line_once_while_the_agent_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let (data, log) = (directory.path().join("data"), directory.path().join("app.log"));
    let relay = Relay::start();
    let hub = Hub::start(&data);
    relay.lead_to(&hub.url);
    let (token, state) = (data.join("agent.token"), directory.path().join("state"));
    let written = start_writing(&log, Rotation::Copy);
    let mut dice = Dice(6);
    let mut kills = 0;
    while !written.load(Ordering::Acquire) || kills < 5 {
        let mut agent = agent(&relay, &token, &state, &log);
        thread::sleep(Duration::from_millis(20 + dice.roll(500)));
        agent.kill();
        kills += 1;
    }
    let _agent = agent(&relay, &token, &state, &log);
    assert_each_once(&hub);
}

/// What an alert says, without the clock of the hub that made it and the id that it gave it.
fn told(hub: &Hub) -> Vec<Value> {
    let mut alerts = hub.alerts();
    for alert in &mut alerts {
        let alert = alert.as_object_mut().unwrap();
        for own in ["updated", "last_received", "id", "links", "revision"] {
            alert.remove(own);
        }
        for change in alert["history"].as_array_mut().unwrap() {
            change.as_object_mut().unwrap().remove("at");
        }
    }
    alerts
}

/// An hour of attacks on three hosts.
fn attacks() -> Vec<String> {
    let mut dice = Dice(7);
    (0..3_000)
        .map(|n| {
            let stamp = ago(3_600 - n);
            let host = format!("host{}", dice.roll(3));
            let source = format!("203.0.113.{}", dice.roll(8));
            let user = format!("user{}", dice.roll(12));
            match dice.roll(40) {
                0 => accepted(&stamp, &host, &user, &source),
                1 => {
                    format!("{stamp} {host} useradd[9]: new user: name={user}x, UID=1002, GID=1002")
                }
                2 => format!(
                    "{stamp} {host} sudo: {user} : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; \
                     USER=root ; COMMAND=/bin/sh"
                ),
                3..20 => failed(&stamp, &host, &user, &source),
                _ => format!("{stamp} {host} app[7]: nothing special, number {n}"),
            }
        })
        .collect()
}

#[test]
fn alerts_after_kill_9_are_those_of_an_undisturbed_run() {
    let directory = tempfile::tempdir().unwrap();
    let lines = attacks();
    let batches: Vec<Vec<u8>> = lines
        .chunks(40)
        .enumerate()
        .map(|(number, lines)| batch_of(&format!("{number}"), "gate", lines))
        .collect();

    let calm = Hub::start(&directory.path().join("calm"));
    for batch in &batches {
        assert_eq!(calm.send_body(batch).status, 200);
    }
    let expected = wait_for("alerts that rest", || {
        let alerts = told(&calm);
        thread::sleep(Duration::from_millis(700));
        (alerts == told(&calm) && !alerts.is_empty()).then_some(alerts)
    });
    assert!(expected.len() >= 15, "{}", expected.len());

    let data = directory.path().join("troubled");
    let mut hub = Hub::start(&data);
    let mut dice = Dice(8);
    let mut resent = 0;
    for batch in &batches {
        if dice.roll(12) == 0 {
            // Killed while the batch is on its way, or just before, or just after.
            let sent = thread::scope(|scope| {
                let sending = scope.spawn(|| try_send(&hub, batch));
                thread::sleep(Duration::from_micros(dice.roll(6_000)));
                hub.process.kill_shared();
                sending.join().unwrap()
            });
            hub.kill();
            hub = Hub::start(&data);
            if sent {
                // What was acknowledged is there.
                let again = hub.send_body(batch).json();
                assert_eq!(again["status"], "duplicate");
                continue;
            }
            resent += 1;
        }
        assert_eq!(hub.send_body(batch).status, 200);
    }
    assert!(resent > 0, "no batch was cut off, so nothing was proven");
    assert_eq!(hub.stored(), lines.len() as u64);
    wait_until("the alerts of an undisturbed run", || told(&hub).len() == expected.len());
    let mut got = told(&hub);
    wait_until("alerts that rest", || {
        thread::sleep(Duration::from_millis(700));
        let now = told(&hub);
        std::mem::replace(&mut got, now) == got
    });
    for (got, expected) in got.iter().zip(&expected) {
        assert_eq!(got, expected);
    }
}

/// The windows of logs that are older than any history which is read again after a start.
#[test]
fn windows_go_on_over_a_stop_and_kill_9_however_old_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let send = |hub: &Hub, second: i64| {
        let line = failed(&ago(400 * 86_400 - second), "web", "bob", "203.0.113.7");
        assert_eq!(hub.send(&second.to_string(), "web", &[line]).status, 200);
    };
    let hub = Hub::start(directory.path());
    send(&hub, 0);
    send(&hub, 10);
    assert!(hub.interrupt().0.success());
    let hub = Hub::start(directory.path());
    send(&hub, 20);
    send(&hub, 30);
    hub.kill();
    let hub = Hub::start(directory.path());
    assert_eq!(hub.alerts(), Vec::<Value>::new());
    send(&hub, 40);
    let alerts =
        wait_for("the fifth failure", || Some(hub.alerts()).filter(|alerts| !alerts.is_empty()));
    assert_eq!(alerts[0]["count"], 5, "{alerts:?}");
    hub.kill();

    // Where the file cannot be used, the hub says so and reads the history.
    std::fs::write(directory.path().join("rules.state"), b"something else").unwrap();
    let hub = Hub::start(directory.path());
    wait_until("a word about the file", || hub.process.err().contains("it is damaged"));
    let fresh = break_in("web", "eve", "203.0.113.8");
    assert_eq!(hub.send("99", "web", &fresh).status, 200);
    wait_until("an alert", || hub.alerts().len() > 1);
}

#[test]
fn a_line_that_comes_again_over_another_way_counts_once_after_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let lines = break_in("web", "bob", "203.0.113.7");
    let hub = Hub::start(directory.path());
    assert_eq!(hub.send_body(&batch_from("auth.log", "1", "web", &lines)).status, 200);
    hub.kill();
    let hub = Hub::start(directory.path());
    assert_eq!(hub.send_body(&batch_from("all.log", "2", "web", &lines)).status, 200);
    assert_eq!(hub.search("log.flags:repeated").len(), lines.len());
    assert_eq!(hub.alerts()[1]["count"], 7, "{:?}", hub.alerts());
}

/// Whether the hub acknowledged the batch before it died.
fn try_send(hub: &Hub, batch: &[u8]) -> bool {
    let bearer = format!("Bearer {}", hub.agent_token());
    let headers = [("Authorization", bearer.as_str())];
    crate::support::http::request(&hub.url, "POST", "/api/v1/batches", &headers, batch)
        .is_ok_and(|answer| answer.status == 200)
}

#[test]
fn garbage_as_a_log_becomes_events() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("garbage.log");
    let mut dice = Dice(9);
    let mut bytes: Vec<u8> = (0..200_000).map(|_| dice.roll(256) as u8).collect();
    bytes.extend_from_slice(b"\n\0\0\0\n\r\n");
    bytes.extend(vec![0xff; 3 << 20]);
    bytes.push(b'\n');
    std::fs::write(&log, &bytes).unwrap();
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    let hub = Hub::up(&directory.path().join("data"), &log);
    wait_until("the garbage", || hub.stored() >= lines);
    append(&log, &format!("{}\n", failed(&ago(1), "web", "bob", "203.0.113.7")));
    wait_until("a line after the garbage", || hub.stored() > lines);
    assert_eq!(hub.stored(), lines + 1);
    assert_eq!(hub.search("user:bob").len(), 1);
    let cut = hub.search("log.flags:truncated");
    assert_eq!(cut.len(), 1);
    assert!(cut[0]["event.original"].as_str().unwrap().starts_with("\\xff\\xff"));
    assert_eq!(hub.get("/api/v1/status")["counters"]["cut"], json!(1));
    for event in hub.search("-user:bob") {
        assert!(event["event.original"].is_string() && event["message"].is_string());
    }
}
