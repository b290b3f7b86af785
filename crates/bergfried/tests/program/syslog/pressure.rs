//! More than the hub can take: senders wait, nothing is lost, memory stays flat.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{address, hub_with, input, stamped};
use crate::full_disk::Disk;
use crate::support::hub::Hub;
use crate::support::{wait_for, wait_until};

/// More than the hub holds of what it has not stored, and the sockets besides.
const LARGE: usize = 1_400;
/// How many bytes each of these messages has, about.
const LENGTH: usize = 60_000;

#[test]
fn senders_wait_while_the_disk_is_full_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let point = directory.path().join("disk");
    std::fs::create_dir(&point).unwrap();
    let Some(disk) = Disk::mount(&point, "300m") else {
        eprintln!("skipped: this user may not mount a small disk in a namespace (unshare --mount)");
        return;
    };
    let config = directory.path().join("hub.toml");
    let text = "[[input]]\nname = 'home'\ntype = 'syslog'\ntcp = '127.0.0.1:0'\n";
    std::fs::write(&config, text).unwrap();
    let hub = disk.start_hub_with(&["--config", config.to_str().unwrap()]);
    let at = address(&hub, "home", "tcp");
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(&stamped("<13>{STAMP} web1 app: before\n")).unwrap();
    wait_until("the first message", || hub.stored() == 1);

    let ballast = disk.fill();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let sending = std::thread::spawn(move || {
        for number in 0..LARGE {
            let line = format!("<13>{{STAMP}} web1 app: {number} large {}\n", "x".repeat(LENGTH));
            stream.write_all(&stamped(&line)).unwrap();
            counted.store(number + 1, Ordering::SeqCst);
        }
    });
    // It stands still when the same is sent at two looks, with the hub's own word that it is full.
    let mut before = 0;
    let held = wait_for("the sender to be held", || {
        std::thread::sleep(std::time::Duration::from_secs(1));
        let now = sent.load(Ordering::SeqCst);
        let stands = now > 0 && now == before;
        before = now;
        let problems = hub.get("/api/v1/health")["problems"].to_string();
        (stands && problems.contains("the disk is full: senders wait")).then_some(now)
    });
    assert!(held < LARGE, "the sender waits");
    // What compresses well finds room in the last block.
    assert!((hub.stored() as usize) < LARGE / 2, "{} stored on a full disk", hub.stored());

    std::fs::remove_file(ballast).unwrap();
    wait_until("all messages", || hub.stored() as usize == 1 + LARGE);
    sending.join().unwrap();
    let counters = input(&hub, "home")["counters"].clone();
    assert_eq!(counters["messages"], 1 + LARGE);
    assert!(counters["held_ms"].as_u64().unwrap() > 0);
    assert_eq!(hub.get("/api/v1/health")["status"], "ok");
    for number in [0, LARGE / 2, LARGE - 1] {
        assert_eq!(hub.search(&format!("\"{number} large\"")).len(), 1, "message {number}");
    }
}

/// What the process holds in memory, in bytes.
fn resident(hub: &Hub) -> usize {
    let status = format!("/proc/{}/status", hub.process.id());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn idle_senders_and_one_that_never_ends_its_line_take_little_memory() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with(
        directory.path(),
        "[[input]]\nname = 'home'\ntype = 'syslog'\ntcp = '127.0.0.1:0'\nmax_message = '1MiB'\n",
    );
    let at = address(&hub, "home", "tcp");
    let connections = || input(&hub, "home")["counters"]["connections"].as_u64().unwrap();
    let mut first = TcpStream::connect(at).unwrap();
    first.write_all(&stamped("<13>{STAMP} web1 app: warm\n")).unwrap();
    wait_until("the first message", || hub.stored() == 1);
    let before = resident(&hub);
    // As many as this process may open; a server in the field has 10,000.
    let mut idle = Vec::new();
    while idle.len() < 10_000 {
        let Ok(mut stream) = TcpStream::connect(at) else { break };
        // Half a line each: the worst that an idle sender does.
        stream.write_all(&stamped("<13>{STAMP} web1 app: half a li")).unwrap();
        idle.push(stream);
    }
    assert!(idle.len() >= 500, "{} connections", idle.len());
    wait_until("the connections", || connections() == idle.len() as u64 + 1);
    let with_idle = resident(&hub);
    let each = with_idle.saturating_sub(before) / idle.len();
    eprintln!("{} idle connections take {each} bytes each", idle.len());
    assert!(each < 8_192, "{each} bytes for each of {} connections", idle.len());

    let endless = vec![b'x'; 1 << 20];
    for _ in 0..200 {
        first.write_all(&endless).unwrap();
    }
    // What was written is read once the next message has come.
    first.write_all(&stamped("\n<13>{STAMP} web1 app: after\n")).unwrap();
    wait_until("the message behind", || hub.stored() == 3);
    let grown = resident(&hub).saturating_sub(with_idle);
    assert!(grown < 32 << 20, "{grown} bytes for one message without an end");
    assert_eq!(input(&hub, "home")["counters"]["cut"], 1);
}
