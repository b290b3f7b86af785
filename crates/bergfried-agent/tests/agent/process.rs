//! Starting, stopping and misuse.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::hub::{Answer, Hub};
use crate::running::Running;

const LIMIT: Duration = Duration::from_secs(120);

fn always_store() -> Hub {
    Hub::start(Box::new(|_| Answer::Store))
}

#[test]
fn odd_lines_arrive_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let hub = always_store();
    let log = directory.path().join("odd.log");
    let long = vec![b'x'; (1 << 20) + 1000];
    let text: [&[u8]; 5] = [b"caf\xe9\r\n", b"\n", &long, b"\nafter\n", b"half"];
    std::fs::write(&log, text.concat()).unwrap();
    let agent = Running::start(&hub, directory.path(), &[&log]);
    hub.wait_for(4, LIMIT);
    let lines = hub.lines();
    assert!(lines.iter().all(|line| line.path == log.to_str().unwrap()));
    assert_eq!(lines[0].raw, b"caf\xe9");
    assert_eq!(lines[1].raw, b"");
    assert_eq!((lines[2].raw.len(), lines[2].truncated), (1 << 20, true));
    assert_eq!((lines[3].raw.as_slice(), lines[3].truncated), (&b"after"[..], false));
    // The half line is held until it is whole.
    std::fs::OpenOptions::new().append(true).open(&log).unwrap().write_all(b" line\n").unwrap();
    hub.wait_for(5, LIMIT);
    assert_eq!(hub.lines()[4].raw, b"half line");
    agent.kill();
}

#[test]
fn a_term_signal_stops_it_at_once_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("a.log");
    let down = Arc::new(AtomicBool::new(true));
    let hub = Hub::start(Box::new({
        let down = Arc::clone(&down);
        move |_| if down.load(Ordering::SeqCst) { Answer::Status(503) } else { Answer::Store }
    }));
    std::fs::write(&log, "one\ntwo\n").unwrap();
    let agent = Running::start(&hub, directory.path(), &[&log]);
    let begun = Instant::now();
    while hub.requests.load(Ordering::SeqCst) == 0 {
        assert!(begun.elapsed() < LIMIT, "the agent sent nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (status, took) = agent.terminate();
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
    // What was read before waits in the spool, even when the file is gone.
    std::fs::remove_file(&log).unwrap();
    down.store(false, Ordering::SeqCst);
    let agent = Running::start(&hub, directory.path(), &[&log]);
    hub.wait_for(2, LIMIT);
    assert_eq!(hub.line_count(), 2);
    agent.kill();
}

#[test]
fn a_refused_batch_is_set_aside_and_the_next_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("a.log");
    let hub = Hub::start(Box::new(|n| if n == 0 { Answer::Status(422) } else { Answer::Store }));
    std::fs::write(&log, "one\n").unwrap();
    let agent = Running::start(&hub, directory.path(), &[&log]);
    let rejected = directory.path().join("state/rejected");
    let begun = Instant::now();
    while !rejected.exists() {
        assert!(begun.elapsed() < LIMIT, "nothing was set aside");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::OpenOptions::new().append(true).open(&log).unwrap().write_all(b"two\n").unwrap();
    hub.wait_for(1, LIMIT);
    assert_eq!(hub.lines()[0].raw, b"two");
    assert_eq!(std::fs::read_dir(&rejected).unwrap().count(), 1);
    agent.kill();
}

#[test]
fn files_that_appear_later_are_read_from_their_start() {
    let directory = tempfile::tempdir().unwrap();
    let hub = always_store();
    let glob = directory.path().join("logs/*/app-?.log");
    let agent = Running::start(&hub, directory.path(), &[&glob]);
    std::thread::sleep(Duration::from_millis(300));
    std::fs::create_dir_all(directory.path().join("logs/x")).unwrap();
    std::fs::write(directory.path().join("logs/x/app-1.log"), "one\n").unwrap();
    std::fs::write(directory.path().join("logs/x/other.log"), "no\n").unwrap();
    hub.wait_for(1, LIMIT);
    std::fs::write(directory.path().join("logs/x/app-2.log"), "two\n").unwrap();
    hub.wait_for(2, LIMIT);
    let mut raw: Vec<Vec<u8>> = hub.lines().into_iter().map(|line| line.raw).collect();
    raw.sort();
    assert_eq!(raw, [b"one", b"two"]);
    agent.kill();
}

#[test]
fn a_line_reaches_the_hub_well_within_a_second() {
    let directory = tempfile::tempdir().unwrap();
    let hub = always_store();
    let log = directory.path().join("a.log");
    let mut file = std::fs::File::create(&log).unwrap();
    let agent = Running::start(&hub, directory.path(), &[&log]);
    file.write_all(b"first\n").unwrap();
    hub.wait_for(1, LIMIT);
    for number in 2..12 {
        let begun = Instant::now();
        file.write_all(b"another\n").unwrap();
        hub.wait_for(number, LIMIT);
        let took = begun.elapsed();
        assert!(took < Duration::from_millis(900), "{took:?}");
    }
    agent.kill();
}

#[test]
fn misuse_is_said_plainly() {
    let directory = tempfile::tempdir().unwrap();
    let hub = always_store();
    let config = directory.path().join("agent.toml");
    std::fs::write(&config, "name = \"web1\"\n\n[spool]\nmax_byte = 1\n").unwrap();
    let _running = Running::start(&hub, directory.path(), &[&directory.path().join("a.log")]);
    let lock = directory.path().join("state/lock");
    let begun = Instant::now();
    while !lock.exists() {
        assert!(begun.elapsed() < LIMIT, "the first agent does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    let file = config.to_str().unwrap();
    let wrong_key = format!("{file}:4:1: unknown field `max_byte`, expected `max_bytes`");
    for (arguments, code, said) in [
        (vec!["--config", file], 2, wrong_key.as_str()),
        (vec!["--hub", "ftp://x"], 2, "`ftp://x` is no http:// or https:// address"),
        (vec!["--hub", "http://x", "--token-file", "/nowhere"], 2, "cannot use /nowhere"),
        (vec![], 2, "another agent is running on it"),
    ] {
        let mut command = Running::command(&hub, directory.path());
        // The last of a flag that is given twice would be an error: start from nothing.
        if !arguments.is_empty() {
            command = std::process::Command::new(env!("CARGO_BIN_EXE_bergfried-agent"));
            command.env_clear().env("BERGFRIED_TOKEN", "x").args(&arguments);
        }
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn memory_stays_small_whatever_it_ships() {
    const LINES: usize = 100_000;
    let directory = tempfile::tempdir().unwrap();
    let hub = always_store();
    let log = directory.path().join("a.log");
    let filler = "some text that makes the line as long as lines of a log mostly are";
    let lines: Vec<String> = (0..LINES).map(|n| format!("{n} {filler} {filler}\n")).collect();
    std::fs::write(&log, lines.concat()).unwrap();
    // The longest lines are the dearest.
    let long = directory.path().join("b.log");
    std::fs::write(&long, format!("{}\n", "z".repeat(1 << 20)).repeat(5)).unwrap();
    let agent = Running::start(&hub, directory.path(), &[&log, &long]);
    hub.wait_for(LINES + 5, Duration::from_secs(120));
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.id())).unwrap();
    let kilobytes = |name: &str| -> u64 {
        let value = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        value.trim().trim_end_matches(" kB").parse().unwrap()
    };
    // How much of a program's own file the kernel maps around what it runs is the kernel's choice,
    // and a build for debugging is ten times the size of the one that is shipped.
    let peak = kilobytes("VmHWM:") - kilobytes("RssFile:");
    assert!(peak < 16 * 1024, "{peak} kB at its peak: {status}");
    agent.kill();
}
