//! The hub: listens, authenticates, answers; adapters speak the protocols of other products.
//!
//! It owns the pipeline and the stores while it runs. Every error is JSON with a message that a
//! person can act on; nothing is answered without a key but the health checks and the sign-in page.

mod adapters;
mod api;
mod auth;
mod backtest;
mod chains;
mod config;
mod data_dir;
mod error;
mod history;
mod hosts;
mod intake;
mod lines;
mod outside;
mod page;
mod preview;
pub mod query;
mod request;
mod router;
mod rules;
mod running;
mod serve;
pub mod storage;
mod telling;

pub use adapters::alerta::{AlertaSettings, SettingsError};
pub use api::openapi;
pub use auth::{SessionSpan, SessionTimes, SessionsFile, StoppedHub, UserRefused};
pub use chains::{ChainFiles, ChainsError};
pub use config::{
    AlertaFile, AllowWord, Config, ConfigError, HostsFile, HubFile, RetentionFile, RetentionPlan,
    SearchFile, SearchLimits, SecFile,
};
pub use data_dir::{DataDir, FirstStart, HubAddress};
pub use rules::{RuleFileError, RuleFiles, RuleTexts, SecFiles, TableError, read_rules, read_sec};
pub use running::{Hub, HubError};
pub use telling::{TellingError, TellingFiles};
