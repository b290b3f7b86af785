//! A hub that is away for longer than the spool can bridge.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::hub::{Answer, Hub};
use crate::running::Running;

const LIMIT: Duration = Duration::from_secs(60);
const ROUNDS: usize = 4;
const LINES: usize = 6_000;

/// Lines of a kilobyte that hardly compress.
fn lines(round: usize) -> String {
    let mut state = 1 + round as u64;
    let mut text = String::new();
    for line in 0..LINES {
        write!(text, "{round} {line} ").unwrap();
        for _ in 0..60 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            write!(text, "{:016x}", state ^ (state >> 31)).unwrap();
        }
        text.push('\n');
    }
    text
}

fn bytes_in(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|about| about.len()).sum()
}

#[test]
fn a_full_spool_stops_the_reading_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("a.log");
    let config = directory.path().join("agent.toml");
    std::fs::write(&config, "journald = \"off\"\n[spool]\nmax_bytes = 8388608\n").unwrap();
    let down = Arc::new(AtomicBool::new(true));
    let hub = Hub::start(Box::new({
        let down = Arc::clone(&down);
        move |_| if down.load(Ordering::SeqCst) { Answer::Status(503) } else { Answer::Store }
    }));
    let mut command = Running::command(&hub, directory.path());
    command.arg("--config").arg(&config).arg("--file").arg(&log);
    let agent = Running::spawn(&mut command);
    let spool = directory.path().join("state/spool");
    for round in 0..ROUNDS {
        std::fs::write(&log, lines(round)).unwrap();
        if round == 1 {
            let begun = Instant::now();
            while bytes_in(&spool) < 4 << 20 {
                assert!(begun.elapsed() < LIMIT, "the spool does not fill");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        if round + 1 < ROUNDS {
            // Times of files are as coarse as the kernel's tick.
            std::thread::sleep(Duration::from_millis(20));
            std::fs::rename(&log, format!("{}.{}", log.display(), ROUNDS - round)).unwrap();
        }
    }
    assert!(bytes_in(&spool) <= 8 << 20, "{} bytes", bytes_in(&spool));
    down.store(false, Ordering::SeqCst);
    hub.wait_for(ROUNDS * LINES, LIMIT);
    agent.kill();
    let mut arrived: Vec<Vec<u8>> = hub.lines().into_iter().map(|line| line.raw).collect();
    arrived.sort();
    arrived.dedup();
    assert_eq!((arrived.len(), hub.line_count()), (ROUNDS * LINES, ROUNDS * LINES));
}
