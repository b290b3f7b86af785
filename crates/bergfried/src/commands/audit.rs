//! `bergfried audit`: who did what, and whether that is still as it was written.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};

use super::users::stopped;
use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::plain;

/// Show the audit trail of a hub, newest first.
///
/// Asks the hub; where none runs on the data directory, reads it there. With --verify the exit status is
/// 1 where an entry was changed or removed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried audit --limit 20
  bergfried audit --verify
  bergfried audit --json | jq .target")]
pub(crate) struct Audit {
    /// Say only whether every entry is there as it was written
    #[arg(long, conflicts_with_all = ["limit", "json"])]
    verify: bool,
    /// The most entries
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    hub: HubChoice,
}

pub(crate) fn run(arguments: &Audit, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let limit = if arguments.verify { 1 } else { arguments.limit };
    let page: Map<String, Value> = match stopped(&arguments.hub, None)? {
        Some(hub) => {
            let check = hub.verify_audit()?;
            let entries = serde_json::to_value(hub.audit(usize::from(limit))?)?;
            let total = Value::from(check.entries);
            let broken = check.broken.map_or(Value::Null, Value::from);
            let fields = [("entries", entries), ("total", total), ("broken", broken)];
            fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
        }
        None => {
            let client = Client::new(&arguments.hub)?;
            client.get("audit", &[("limit", limit.to_string())])?
        }
    };
    let broken = page.get("broken").and_then(Value::as_u64);
    if arguments.verify {
        let total = page.get("total").and_then(Value::as_u64).unwrap_or(0);
        match broken {
            None => writeln!(out, "all {total} entries are as they were written")?,
            Some(id) => writeln!(out, "broken: entry {id} was changed or removed")?,
        }
        return Ok(if broken.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    for entry in page.get("entries").and_then(Value::as_array).into_iter().flatten() {
        if arguments.json {
            writeln!(out, "{entry}")?;
            continue;
        }
        let text = |name: &str| match entry.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => plain(text),
            Some(other) => plain(&other.to_string()),
        };
        let (at, who, action) = (text("at"), text("who"), text("action"));
        writeln!(out, "{:>6} {at:<27} {who:<16} {action:<22} {}", text("id"), text("target"))?;
        for (mark, state) in [('-', text("before")), ('+', text("after"))] {
            if !state.is_empty() {
                writeln!(out, "       {mark} {state}")?;
            }
        }
    }
    if let Some(id) = broken {
        crate::complain(&format!("the audit trail is broken: entry {id} was changed or removed"));
    }
    Ok(ExitCode::SUCCESS)
}
