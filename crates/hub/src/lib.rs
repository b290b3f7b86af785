//! The hub: listens, authenticates, answers; adapters speak the protocols of other products.
//!
//! It owns the pipeline and the stores while it runs. Every error is JSON with a message that a
//! person can act on; nothing is answered without a key but the health checks and the sign-in page.

mod adapters;
mod api;
mod auth;
mod chains;
mod config;
mod data_dir;
mod error;
mod intake;
mod page;
mod request;
mod router;
mod rules;
mod running;
mod serve;

pub use api::openapi;
pub use chains::{ChainFiles, ChainsError};
pub use config::{Config, ConfigError, HubFile};
pub use data_dir::{DataDir, FirstStart, HubAddress};
pub use rules::{RuleFileError, RuleFiles, RuleTexts, TableError, read_rules};
pub use running::{Hub, HubError};
