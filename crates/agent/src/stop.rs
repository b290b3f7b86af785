//! Asking the agent to stop, from any thread.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// The exit status of a process that was asked to stop twice, as shells give it for SIGINT.
const ASKED_TWICE: i32 = 130;

/// SIGINT and SIGTERM, to be waited for. The second of them ends the process at once: nothing
/// durable is lost by that, and nobody is left with a stop that hangs.
pub fn stop_signals() -> std::io::Result<Signals> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag not set yet.
        flag::register_conditional_shutdown(signal, ASKED_TWICE, Arc::clone(&asked))?;
        flag::register(signal, Arc::clone(&asked))?;
    }
    Signals::new([SIGINT, SIGTERM])
}

/// Runs `act` at each SIGHUP, on a thread that lives as long as the process.
pub fn on_hangup(act: impl Fn() + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGHUP])?;
    std::thread::Builder::new().name("hangup".to_owned()).spawn(move || {
        for _ in signals.forever() {
            act();
        }
    })?;
    Ok(())
}

/// A handle that stops the agent; clones stop the same one.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stopped: Mutex<bool>,
    changed: Condvar,
    /// Readable from the stop on, for whoever waits in poll(2).
    event: OwnedFd,
}

impl Stop {
    /// A handle that nobody has used yet. Fails where the process is out of file descriptors.
    pub fn new() -> std::io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Stop(Arc::new(Inner { stopped: Mutex::new(false), changed: Condvar::new(), event })))
    }

    /// Asks the agent to stop; it does within two seconds.
    pub fn stop(&self) {
        *self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
        if let Err(error) = rustix::io::write(&self.0.event, &1_u64.to_ne_bytes()) {
            tracing::debug!(%error, "the stop event was raised before");
        }
    }

    /// Whether it was asked.
    pub fn is_stopped(&self) -> bool {
        *self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits this long, or until it is asked to stop; whether it was.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let stopped = self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.changed.wait_timeout_while(stopped, time, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }
}
