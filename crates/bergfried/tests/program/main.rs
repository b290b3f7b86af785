//! The program as people use it: real processes, real files, real connections on the loopback.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on should say where"
)]

mod support;

mod api;
mod browser;
mod chains;
mod client;
mod durable;
mod elastic;
mod full_disk;
mod https;
mod hub;
mod intake;
mod logstash;
mod notify;
mod otlp;
mod outputs;
mod parse;
mod recorded;
mod reload;
mod rule_commands;
mod rules;
mod scan;
mod shippers;
mod syslog;
mod up;
mod watchtower;
mod windows;
