//! TLS from PEM files: configurations of servers and clients, and the names in a certificate.
//!
//! [`ServerTls`] and [`ClientTls`] are what a person writes; [`ServerSide`] and [`ClientSide`] are
//! what connections are made with. Their files are looked at again when a connection is made, at
//! most once a second: certificates that were renewed count from the next handshake on, and what
//! runs stays when the new files cannot be used. Versions are TLS 1.2 and 1.3, the only ones that
//! rustls speaks. Revocation lists are not read: short-lived certificates and a CA of its own for
//! the senders take their place.

mod client;
mod error;
mod names;
mod pem;
mod server;
mod verify;
mod watched;

pub use client::{ClientSide, ClientTls};
pub use error::TlsError;
pub use names::PeerNames;
pub use server::{ClientCertificate, MinVersion, ServerSide, ServerTls};

#[cfg(test)]
mod tests;
