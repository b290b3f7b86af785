//! RELP: syslog messages that are answered once they are durable.
//!
//! A client that does not hear that a message is durable sends it again in its next session. What
//! was stored all the same is recognised (`resent.rs`), so that every message is stored once, also
//! over restarts of either side.

mod answers;
mod connection;
mod memory;
mod rebuilt;
mod resent;

pub use memory::Memory;

pub(crate) use connection::{Fault, Terms, serve};

/// What events of RELP have in `log.file.path`; by it the memory is rebuilt.
pub(crate) const PATH: &str = "relp";
/// The same over TLS.
pub(crate) const PATH_TLS: &str = "relp/tls";
