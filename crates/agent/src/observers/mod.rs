//! What only the host itself can see: each observer is a thread that looks, and says what it saw as a
//! record.
//!
//! An observer never judges: rules do, over its records. It keeps what it must remember over a restart
//! in a file of its own ([`Memory`]), written only after what it said is durable; one that reads
//! something from front to back has a place in it instead, which becomes durable with each record.

#[cfg(target_os = "linux")]
mod diff;
#[cfg(target_os = "linux")]
pub(crate) mod firewall;
#[cfg(not(target_os = "linux"))]
#[path = "firewall/options.rs"]
pub(crate) mod firewall;
#[cfg(target_os = "linux")]
pub(crate) mod integrity;
#[cfg(not(target_os = "linux"))]
#[path = "integrity/options.rs"]
pub(crate) mod integrity;
pub(crate) mod macos;
#[cfg(target_os = "linux")]
mod memory;
pub(crate) mod pihole;
pub(crate) mod record;
pub(crate) mod status;
#[cfg(target_os = "linux")]
pub(crate) mod tamper;
#[cfg(not(target_os = "linux"))]
#[path = "tamper/options.rs"]
pub(crate) mod tamper;
pub(crate) mod windows;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::config::{Config, Protocol};
use crate::error::AgentError;
use crate::outbox::Outbox;
use crate::spool::Gauge;
use crate::stop::Stop;
use crate::writers::Writers;

#[cfg(target_os = "linux")]
pub(crate) use memory::Memory;

/// How long an observer may take to end once the agent is stopped.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// What every observer gets.
#[derive(Clone)]
pub(crate) struct Scene {
    /// Where it leaves what it saw.
    pub(crate) outbox: Outbox,
    /// It ends soon after this says so.
    pub(crate) stop: Stop,
    /// Where a memory of its own lies.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "Linux's observers remember there")
    )]
    pub(crate) state_dir: PathBuf,
    /// Where it goes on in what it reads ([`Outbox::send_with`]); none at the first start.
    pub(crate) place: Option<String>,
}

/// One observer: its name, and what its thread does until the agent stops.
pub(crate) struct Observer {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn FnOnce(Scene) + Send>,
}

/// The observers that this configuration asks for. A new one is a line here, or in [`of_linux`].
fn observers(config: &Config, writers: &Writers, spool: &Gauge) -> Vec<Observer> {
    if let Protocol::Watchtower(_) = &config.protocol {
        // It takes logins alone.
        return Vec::new();
    }
    let windows =
        config.windows.is_on().then(|| windows::observer(config.windows.clone(), config.from));
    let status = config.status.enabled.then(|| status::observer(config.clone(), spool.clone()));
    let macos = config.macos.is_on().then(|| macos::observer(config.macos.clone(), config.from));
    let everywhere = [windows, macos, status].into_iter().flatten();
    of_linux(config, writers).into_iter().chain(everywhere).collect()
}

/// What only Linux has.
#[cfg(target_os = "linux")]
fn of_linux(config: &Config, writers: &Writers) -> Vec<Observer> {
    let firewall = config.firewall.enabled.then(|| firewall::observer(config.firewall.clone()));
    let tamper =
        config.tamper.enabled.then(|| tamper::observer(config.tamper.clone(), config.patterns()));
    let integrity = config.integrity.clone();
    let integrity = integrity.map(|options| integrity::observer(options, writers.clone()));
    let pihole =
        config.pihole.enabled.then(|| pihole::observer(config.pihole.clone(), config.from));
    [firewall, tamper, integrity, pihole].into_iter().flatten().collect()
}

#[cfg(not(target_os = "linux"))]
fn of_linux(_config: &Config, _writers: &Writers) -> Vec<Observer> {
    Vec::new()
}

/// Starts every observer on a thread of its own.
pub(crate) fn start(
    config: &Config,
    outbox: &Outbox,
    stop: &Stop,
    writers: &Writers,
    spool: &Gauge,
    places: &BTreeMap<String, String>,
) -> Result<Vec<JoinHandle<()>>, AgentError> {
    let mut threads = Vec::new();
    for observer in observers(config, writers, spool) {
        let scene = Scene {
            outbox: outbox.clone(),
            stop: stop.clone(),
            state_dir: config.state_dir.clone(),
            place: places.get(observer.name).cloned(),
        };
        let thread = thread::Builder::new()
            .name(observer.name.to_owned())
            .spawn(move || (observer.run)(scene))
            .map_err(|source| AgentError::System { what: "start a thread", source })?;
        threads.push(thread);
    }
    Ok(threads)
}

/// Waits for observers whose inbox is gone, but not for one that hangs: it has nothing more to say.
pub(crate) fn end(threads: Vec<JoinHandle<()>>) {
    let begun = Instant::now();
    while threads.iter().any(|thread| !thread.is_finished()) && begun.elapsed() < LAST_LOOK {
        thread::sleep(Duration::from_millis(5));
    }
    for thread in threads.into_iter().filter(JoinHandle::is_finished) {
        let name = thread.thread().name().unwrap_or_default().to_owned();
        if thread.join().is_err() {
            tracing::error!(
                observer = name,
                "an observer ended by a defect, and has not looked since"
            );
        }
    }
}
