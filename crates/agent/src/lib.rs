//! The agent: reads this machine's logs and hands each line to the hub exactly once.
//!
//! One thread reads sources and appends batches to the spool on disk, together with the positions
//! behind them; another sends what the spool holds. The spool is the only state: see
//! docs/decisions/0003-delivery-and-checkpoints.md. Nothing is dropped: a full spool stops the
//! reading, and the files themselves wait.

mod backoff;
mod config;
mod error;
mod frame;
mod intake;
mod options;
mod plan;
mod rejected;
mod run;
mod secret;
mod spool;
mod stats;
mod stop;
mod uplink;
mod watchtower;

pub use bergfried_source::From;
pub use config::{Config, Hub, Journald, Protocol, Watchtower};
pub use error::AgentError;
pub use options::{Options, main_with};
pub use plan::{WatchedSource, plan};
pub use run::{run, run_counted};
pub use secret::Secret;
pub use stats::{Counts, Stats};
pub use stop::{Stop, on_hangup, stop_signals};
