//! `bergfried up`: hub and agent in one process.

use std::path::Path;
use std::time::Duration;

use crate::support::hub::Hub;
use crate::support::lines::{ago, append, break_in, write_lines};
use crate::support::process::{bergfried, run_with};
use crate::support::wait_until;

fn numbered(from: usize, to: usize) -> String {
    (from..to).map(|number| format!("{} web1 app[7]: number {number}\n", ago(0))).collect()
}

#[test]
fn it_says_what_it_watches_and_alerts() {
    let directory = tempfile::tempdir().unwrap();
    let logs = directory.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    write_lines(&logs.join("auth.log"), &break_in("web", "bob", "203.0.113.7"));
    let hub = Hub::up(&directory.path().join("data"), &logs.join("*.log"));
    let out = hub.process.out();
    assert!(out.contains("Watching\n") && out.contains("logs/*.log"), "{out}");
    assert!(out.contains("console      http://127.0.0.1:") && !out.contains(&hub.key()), "{out}");
    wait_until("the alerts", || hub.alerts().len() == 2);
    assert_eq!(hub.alerts()[1]["event"], "SSH login after many failures from the same source");
    // A file that appears later.
    write_lines(&logs.join("later.log"), &break_in("db", "eve", "203.0.113.8"));
    wait_until("the later alerts", || hub.alerts().len() == 4);
    let agents = || hub.get("/api/v1/agents");
    wait_until("the agent to be listed", || agents().as_array().unwrap().len() == 1);
    assert_eq!(hub.stored(), 14);
}

#[test]
fn ctrl_c_and_kill_9_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (data, log) = (directory.path().join("data"), directory.path().join("app.log"));
    append(&log, &numbered(0, 500));
    for round in 1..=6 {
        let hub = Hub::up(&data, &log);
        append(&log, &numbered(round * 500, (round + 1) * 500));
        if round % 2 == 0 {
            hub.kill();
        } else {
            let (status, took) = hub.interrupt();
            assert!(status.success() && took < Duration::from_secs(10), "{status} in {took:?}");
        }
    }
    let hub = Hub::up(&data, &log);
    wait_until("all lines", || hub.stored() >= 3_500);
    let done = run_with(hub.client(&["search", "number", "--format", "raw", "-n", "9999"]), b"");
    let mut numbers: Vec<usize> =
        done.out.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    assert!(numbers == (0..3_500).collect::<Vec<_>>(), "{} lines", numbers.len());
    assert_eq!(hub.stored(), 3_500);
}

#[test]
fn a_line_in_two_files_is_judged_once() {
    let directory = tempfile::tempdir().unwrap();
    let lines = break_in("web", "bob", "203.0.113.7");
    for name in ["auth.log", "all.log"] {
        write_lines(&directory.path().join(name), &lines);
    }
    let hub = Hub::up(&directory.path().join("data"), &directory.path().join("*.log"));
    wait_until("both files", || hub.stored() == 14);
    wait_until("the alerts", || hub.alerts().len() == 2);
    assert_eq!(hub.alerts()[1]["count"], 7, "{:?}", hub.alerts());
    // A search finds both copies.
    assert_eq!(hub.search("event.outcome:success").len(), 2);
    assert_eq!(hub.search("event.outcome:success -log.flags:repeated").len(), 1);
}

#[test]
fn the_demo_shows_findings_at_once_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let samples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/logs"));
    let mut command = bergfried(&["up", "--listen", "127.0.0.1:0", "--demo"]);
    command.arg(samples).env("TMPDIR", directory.path());
    // Where the demonstration keeps its data is said, and changes with each run.
    let mut hub = Hub::run(command, directory.path());
    let out = hub.process.out();
    let data = out.lines().find_map(|line| line.trim().strip_prefix("data ")).unwrap().trim();
    assert!(out.contains(&format!("bergfried alerts --data-dir {data}")), "{out}");
    hub.data = data.into();
    wait_until("alerts of several kinds", || hub.alerts().len() >= 5);
    let fresh = hub.get("/api/v1/alerts?min_severity=high");
    assert!(!fresh["alerts"].as_array().unwrap().is_empty(), "{fresh}");
    let listed = run_with(bergfried(&["alerts", "--data-dir", data]), b"");
    assert!(listed.out.lines().count() >= 5, "{}", listed.out);
    let (status, took) = hub.interrupt();
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "something was left");
}
