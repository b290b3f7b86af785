//! What is known of one listener from outside.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::config::Place;
use crate::counters::{Counters, add};
use crate::kernel;

/// How long a listener that cannot start waits before it tries again.
pub(crate) const RETRY: Duration = Duration::from_secs(5);
/// How long drops of the kernel are spoken of.
const RECENT: Duration = Duration::from_secs(300);

/// One listener: where it should listen, and how that goes.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) place: Place,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bound: Result<Bound, String>,
    drops: u64,
    dropped_last: Option<Instant>,
}

/// A socket that is open.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    /// The address or path.
    pub(crate) address: String,
    /// The number of a datagram socket in the kernel's tables.
    pub(crate) inode: Option<u64>,
    /// What the kernel holds of datagrams that wait, in bytes.
    pub(crate) receive_buffer: Option<usize>,
}

/// One listener as it is now.
#[derive(Clone, Debug, Serialize)]
pub struct ListenerReport {
    /// `udp`, `tcp`, `tls`, `relp`, `relp_tls` or `unix`.
    pub transport: &'static str,
    /// Where it listens, or should.
    pub address: String,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What the kernel holds of datagrams that wait, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_buffer: Option<usize>,
    /// Whether the kernel dropped datagrams within the last five minutes.
    #[serde(skip)]
    pub(crate) drops_now: bool,
}

impl Listener {
    pub(crate) fn new(place: Place) -> Listener {
        let bound = Err("it was not started yet".to_owned());
        Listener { place, state: Mutex::new(State { bound, drops: 0, dropped_last: None }) }
    }

    /// Notes how the start went, and says so where it is new.
    pub(crate) fn note(&self, bound: Result<Bound, String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let transport = self.place.transport.name();
        match (&bound, &state.bound) {
            (Ok(bound), _) => tracing::info!(transport, address = bound.address, "listening"),
            (Err(error), Err(before)) if error == before => {}
            (Err(error), _) => {
                tracing::error!(transport, address = %self.place.address, error, "cannot listen");
            }
        }
        *state = State { bound, drops: 0, dropped_last: state.dropped_last };
    }

    /// Reads how many datagrams the kernel has dropped, and counts the new ones.
    pub(crate) fn count_drops(&self, counters: &Counters) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(Bound { inode: Some(inode), .. }) = state.bound else { return };
        let Some(drops) = kernel::drops(inode) else { return };
        if drops > state.drops {
            add(&counters.kernel_drops, drops - state.drops);
            state.drops = drops;
            state.dropped_last = Some(Instant::now());
        }
    }

    pub(crate) fn report(&self) -> ListenerReport {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let drops_now = state.dropped_last.is_some_and(|last| last.elapsed() < RECENT);
        let transport = self.place.transport.name();
        match &state.bound {
            Ok(bound) => ListenerReport {
                transport,
                address: bound.address.clone(),
                problem: None,
                receive_buffer: bound.receive_buffer,
                drops_now,
            },
            Err(problem) => ListenerReport {
                transport,
                address: self.place.address.to_string(),
                problem: Some(problem.clone()),
                receive_buffer: None,
                drops_now,
            },
        }
    }
}

/// The number of a socket in the kernel's tables.
pub(crate) fn inode(socket: impl AsFd) -> io::Result<u64> {
    Ok(rustix::fs::fstat(socket)?.st_ino)
}
