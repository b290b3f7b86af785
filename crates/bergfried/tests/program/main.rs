//! The program as people use it: real processes, real files, real connections on the loopback.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on should say where"
)]

mod support;

mod agent_environment;
mod alerta;
mod alerts;
mod api;
mod backtest;
mod chains;
mod client;
mod durable;
mod elastic;
mod exceptions;
mod falco;
mod full_disk;
mod heimdall;
mod hosts;
mod https;
mod hub;
mod intake;
mod logstash;
mod notify;
mod otlp;
mod outputs;
mod parse;
mod people;
mod pihole;
mod recorded;
mod reload;
mod rule_commands;
mod rules;
mod scan;
mod search;
mod sec;
mod shippers;
mod storage;
mod syslog;
mod telling;
mod up;
mod watchtower;
mod windows;
