//! How this host is: processors, memory, file systems, interfaces and the busiest processes, now and
//! then; and what it has to collect, when that changed.
//!
//! Nothing is remembered: what was not said while the agent was not running, nobody knows.

mod disks;
mod look;
mod options;
mod record;
mod sources;

use std::time::Duration;

use bergfried_event::Timestamp;

use super::{Observer, Scene};
use crate::config::Config;
use crate::outbox::Stopped;
use crate::spool::Gauge;
use look::Looker;
pub use options::StatusOptions;
use record::record;
use sources::Sources;

const NAME: &str = "status";
/// Shares of a processor's time need two looks; the first of them tells nothing.
const FIRST: Duration = Duration::from_secs(2);

/// The observer of the host itself.
pub(super) fn observer(config: Config, spool: Gauge) -> Observer {
    let run = move |scene: Scene| match run(config, &spool, &scene) {
        Ok(()) | Err(Stopped) => tracing::debug!("how the host is, is no longer looked at"),
    };
    Observer { name: NAME, run: Box::new(run) }
}

fn run(config: Config, spool: &Gauge, scene: &Scene) -> Result<(), Stopped> {
    let mut looker = match Looker::new() {
        Ok(looker) => looker,
        Err(reason) => {
            tracing::warn!(reason, "cannot tell how this host is");
            return Ok(());
        }
    };
    let interval = Duration::from_secs(config.status.interval_seconds);
    let mut sources = Sources::new(config);
    let mut pause = FIRST;
    while !scene.outbox.wait(pause) {
        let status = looker.look();
        let at = Timestamp::from(jiff::Timestamp::now());
        let record = record(&status, at).with("agent.spool.bytes", spool.waiting());
        scene.outbox.send(record.observed(NAME))?;
        if let Some(record) = sources.look(at) {
            scene.outbox.send(record.observed(NAME))?;
        }
        pause = interval;
    }
    Err(Stopped)
}

#[cfg(test)]
mod tests;
