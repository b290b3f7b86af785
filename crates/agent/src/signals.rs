//! Being asked to stop by whoever started the process.

#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
#[cfg(unix)]
use signal_hook::flag;
#[cfg(unix)]
use signal_hook::iterator::Signals;

use crate::error::AgentError;
use crate::stop::Stop;

/// The exit status of a process that was asked to stop twice, as shells give it for SIGINT.
#[cfg(unix)]
const ASKED_TWICE: i32 = 130;

/// SIGINT and SIGTERM, to be waited for. The second of them ends the process at once: nothing
/// durable is lost by that, and nobody is left with a stop that hangs.
#[cfg(unix)]
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
#[cfg(unix)]
pub fn on_hangup(act: impl Fn() + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGHUP])?;
    std::thread::Builder::new().name("hangup".to_owned()).spawn(move || {
        for _ in signals.forever() {
            act();
        }
    })?;
    Ok(())
}

/// Stops the agent once the process is asked to stop, while it lives.
#[cfg(unix)]
pub(crate) struct Watching {
    handle: signal_hook::iterator::Handle,
    thread: std::thread::JoinHandle<()>,
}

#[cfg(unix)]
impl Watching {
    pub(crate) fn begin(stop: &Stop) -> Result<Watching, AgentError> {
        let system = |what| move |source| AgentError::System { what, source };
        let mut signals = stop_signals().map_err(system("take signals"))?;
        let handle = signals.handle();
        let stop = stop.clone();
        let thread = std::thread::Builder::new()
            .name("signals".to_owned())
            .stack_size(64 << 10)
            .spawn(move || {
                if signals.forever().next().is_some() {
                    stop.stop();
                }
            })
            .map_err(system("start a thread"))?;
        Ok(Watching { handle, thread })
    }

    pub(crate) fn end(self) -> Result<(), AgentError> {
        self.handle.close();
        self.thread.join().map_err(|_| AgentError::Thread("signals"))
    }
}

/// Stops the agent at Ctrl-C, and when its console is closed or the system shuts down.
#[cfg(not(unix))]
pub(crate) struct Watching;

#[cfg(not(unix))]
impl Watching {
    pub(crate) fn begin(stop: &Stop) -> Result<Watching, AgentError> {
        let stop = stop.clone();
        ctrlc::set_handler(move || stop.stop()).map(|()| Watching).map_err(|error| {
            AgentError::System {
                what: "take signals",
                source: std::io::Error::other(error.to_string()),
            }
        })
    }

    #[expect(clippy::unnecessary_wraps, reason = "ending it can fail elsewhere")]
    pub(crate) fn end(self) -> Result<(), AgentError> {
        Ok(())
    }
}
