//! The agent: reads this machine's logs and hands each line to the hub exactly once.
//!
//! One thread reads sources, takes what observers on threads of their own saw, and appends batches
//! to the spool on disk, together with the positions behind them; another sends what the spool holds.
//! Positions are kept nowhere else (docs/decisions/0003-delivery-and-checkpoints.md); what an observer
//! compares with, it keeps beside the spool. Nothing is dropped: a full spool stops the reading, and
//! the files themselves wait.

mod audit;
#[cfg(target_os = "linux")]
mod audit_rules;
mod backoff;
#[cfg(unix)]
mod command;
mod config;
mod disk;
mod error;
mod frame;
mod intake;
mod observers;
mod options;
mod outbox;
mod packages;
mod plan;
mod rejected;
#[cfg(target_os = "linux")]
mod replace;
mod run;
mod search;
mod secret;
mod signals;
mod sources;
mod spool;
mod stats;
mod stop;
mod stream;
mod tamper;
mod uplink;
mod wake;
mod watchtower;
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "integrity asks it, on Linux"))]
mod writers;

pub use audit::{AuditOptions, DEFAULT_AUDIT_LOG};
#[cfg(target_os = "linux")]
pub use audit_rules::{Arch, AuditRules};
pub use bergfried_source::From;
pub use config::{Config, Hub, Journald, Protocol, Watchtower};
pub use error::AgentError;
pub use observers::firewall::{FirewallOptions, FirewallTool};
pub use observers::integrity::Integrity;
pub use observers::macos::MacosOptions;
pub use observers::pihole::PiholeOptions;
pub use observers::status::StatusOptions;
pub use observers::tamper::TamperOptions;
pub use observers::windows::{CodePage, WindowsOptions};
pub use options::{AgentCommand, Options, main_with};
pub use plan::{WatchedSource, plan};
pub use run::{run, run_counted};
pub use secret::Secret;
#[cfg(unix)]
pub use signals::{on_hangup, stop_signals};
pub use sources::Sources;
pub use stats::{Counts, Stats};
pub use stop::Stop;
