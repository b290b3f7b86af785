//! `bergfried tail`: follows events as they arrive.

use std::io::{BufRead as _, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};

use crate::arguments::{HubChoice, check_search};
use crate::client::Client;

/// Follow events as a hub stores them, until Ctrl-C.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried tail
  bergfried tail 'event.outcome:failure -user:backup'
  bergfried tail host:web-01 --format ndjson | jq .message")]
pub(crate) struct Tail {
    /// Which events; empty follows all. The language is that of `bergfried search`
    #[arg(value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    /// How to print events
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines for people
    Table,
    /// One JSON object a line
    Ndjson,
}

pub(crate) fn run(arguments: &Tail, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    check_search(&arguments.query)?;
    let client = Client::new(&arguments.hub)?;
    let lines = client.follow("tail", &[("q", arguments.query.clone())])?;
    for line in lines.lines() {
        let line = line?;
        if line.is_empty() {
            // The hub says that it is still there.
            continue;
        }
        let event: Map<String, Value> = serde_json::from_str(&line)?;
        if let Some(lost) = event.get("lagged") {
            crate::complain(&format!("too slow to follow: {lost} events were left out"));
            continue;
        }
        match arguments.format {
            Format::Table => writeln!(out, "{}", super::search::line(&event))?,
            Format::Ndjson => writeln!(out, "{line}")?,
        }
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}
