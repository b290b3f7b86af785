//! Syslog as it travels: streams into messages, RELP frames, and messages written for others.
//!
//! Nothing here does I/O or reads a clock, and everything that holds bytes has a bound.

mod message;
pub mod relp;
mod stream;
pub mod write;

pub use message::{Message, datagram};
pub use stream::Splitter;
