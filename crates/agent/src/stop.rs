//! Asking the agent to stop, from any thread.

#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::wake::Wake;

/// A handle that stops the agent; clones stop the same one.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stopped: Mutex<bool>,
    changed: Condvar,
    /// Readable from the stop on, for whoever waits in poll(2).
    event: Wake,
}

impl Stop {
    /// A handle that nobody has used yet. Fails where the process is out of file descriptors.
    pub fn new() -> std::io::Result<Self> {
        let event = Wake::new()?;
        Ok(Stop(Arc::new(Inner { stopped: Mutex::new(false), changed: Condvar::new(), event })))
    }

    /// Asks the agent to stop; it does within two seconds.
    pub fn stop(&self) {
        *self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
        self.0.event.raise();
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

    #[cfg(unix)]
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.event.fd()
    }
}
