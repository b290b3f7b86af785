//! The state of the host's firewall: what its tools print, looked at again and again.
//!
//! It never changes a rule, needs no shell and keeps no tool running. What it saw last is remembered, so
//! that what changed while the agent was not running is told at its next start.

mod firewalld;
mod iptables;
mod judge;
mod nftables;
mod options;
mod reader;
mod state;
mod ufw;

use std::path::Path;
use std::time::{Duration, Instant};

use bergfried_event::Timestamp;
use glob::Pattern;

use super::{Memory, Observer, Scene};
use crate::outbox::Stopped;
use crate::search::search_path;
pub use options::{FirewallOptions, FirewallTool};

use judge::{Known, Look};
pub(crate) use reader::Reader;
use reader::Readings;

const NAME: &str = "firewall";
/// A change is looked at again after this time: it may be half done.
const SETTLE: Duration = Duration::from_secs(1);
/// How often, where it goes on.
const SETTLINGS: usize = 3;

/// The observer of this configuration.
pub(super) fn observer(options: FirewallOptions) -> Observer {
    let run = move |scene: Scene| {
        let mut watch = Watch {
            memory: Memory::new(&scene.state_dir, NAME),
            reader: Reader::new(&options, search_path(), Path::new("/")),
            unattended: options
                .unattended
                .iter()
                .filter_map(|text| Pattern::new(text).ok())
                .collect(),
            interval: Duration::from_secs(options.interval_seconds),
            scene,
        };
        if watch.run().is_err() {
            tracing::debug!("the firewall is no longer looked at");
        }
    };
    Observer { name: NAME, run: Box::new(run) }
}

struct Watch {
    memory: Memory<Known>,
    reader: Reader,
    unattended: Vec<Pattern>,
    interval: Duration,
    scene: Scene,
}

impl Watch {
    fn run(&mut self) -> Result<(), Stopped> {
        let mut known = self.memory.recall().unwrap_or_default();
        let mut is_first = true;
        loop {
            let readings = self.settled(&known)?;
            let mut now = known.clone();
            let look = Look {
                at: Timestamp::from(jiff::Timestamp::now()),
                is_first,
                unattended: &self.unattended,
                install: &crate::packages::install("nftables"),
            };
            for record in now.judge(&readings, look) {
                self.scene.outbox.send(record.observed(NAME))?;
            }
            if now != known {
                self.scene.outbox.flush()?;
                if let Err(error) = self.memory.remember(&now) {
                    tracing::error!(%error, "cannot write down the firewall's rules");
                }
                known = now;
            }
            is_first = false;
            if self.scene.outbox.wait(self.interval) {
                return Err(Stopped);
            }
        }
    }

    /// What the tools say; where that is new, once they say the same twice.
    fn settled(&mut self, known: &Known) -> Result<Readings, Stopped> {
        let mut readings = self.reader.read(&known.tools, Instant::now());
        for _ in 0..SETTLINGS {
            let is_known = |(tool, read): (_, &Result<_, _>)| match read {
                Ok(state) => known.tools.get(tool).is_none_or(|before| before == state),
                Err(_) => true,
            };
            if readings.iter().all(is_known) {
                break;
            }
            if self.scene.stop.wait(SETTLE) {
                return Err(Stopped);
            }
            let again = self.reader.read(&known.tools, Instant::now());
            let is_same = again == readings;
            readings = again;
            if is_same {
                break;
            }
        }
        Ok(readings)
    }
}

#[cfg(test)]
mod real_tools;
#[cfg(test)]
mod tests;
