//! The queries that a Pi-hole answered, from its long-term database: each row once, by its id.
//!
//! It never makes Pi-hole wait, and changes nothing of its files.

#[cfg(target_os = "linux")]
mod database;
#[cfg(target_os = "linux")]
mod look;
#[cfg(target_os = "linux")]
mod observer;
mod options;
#[cfg(target_os = "linux")]
mod place;
#[cfg(target_os = "linux")]
mod reader;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
#[cfg(target_os = "linux")]
mod trouble;

#[cfg(target_os = "linux")]
pub(super) use observer::observer;
#[cfg(target_os = "linux")]
pub(crate) use observer::probe;
pub use options::PiholeOptions;
#[cfg(target_os = "linux")]
pub(crate) use trouble::Trouble;
