//! The agent as a process, against a small hub.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "this is a test"
)]

mod audit;
mod back_pressure;
mod exactly_once;
mod hub;
mod integrity;
mod journal;
mod logrotate;
mod observers;
mod process;
mod running;
mod watchtower;
