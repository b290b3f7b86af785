//! What the tests share: the program as a process, a hub, HTTP, log lines.

pub(crate) mod certificates;
pub(crate) mod chromium;
pub(crate) mod dice;
pub(crate) mod http;
pub(crate) mod hub;
pub(crate) mod lines;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod receiver;
pub(crate) mod relay;
pub(crate) mod rsyslog;

use std::time::{Duration, Instant};

/// How long anything is waited for; far more than it takes, for machines that are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again and again until there is something to return.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// As [`wait_for`], until a condition holds.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}
