//! The slim agent for hosts: no store, no rules, no console.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use bergfried_agent::{Options, main_with};
use clap::Parser;
use tracing::level_filters::LevelFilter;

/// Read this machine's logs and send each line to the hub exactly once.
#[derive(Debug, Parser)]
#[command(name = "bergfried-agent", version)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let level = if line.options.verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .init();
    match main_with(line.options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(2)
        }
    }
}
