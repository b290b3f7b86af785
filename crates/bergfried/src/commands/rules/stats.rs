//! `bergfried rules stats` and `reload`: what the rules of the running hub do.

use std::cmp::Reverse;
use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::plain;

/// Show what each rule of the running hub does: hits, findings, last hit and cost.
///
/// The cost is what a rule's condition takes for each event in nanoseconds, on average of a sample
/// of all events; rules that the matcher can pass over cost nearly nothing.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules stats
  bergfried rules stats --sort cost -n 10
  bergfried rules stats --format json | jq '.[] | select(.hits == 0) | .title'")]
pub(super) struct Stats {
    /// Which rules come first
    #[arg(long, value_enum, default_value_t = Sort::Hits)]
    sort: Sort,
    /// At most so many
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    limit: usize,
    /// How to print the counts
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    /// The most hits
    Hits,
    /// The most nanoseconds an event
    Cost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One line a rule
    Table,
    /// One JSON array
    Json,
}

/// Let the hub read its rule files again.
///
/// It also does so by itself when a file changes, and on SIGHUP. A set with a mistake is not taken:
/// what is wrong is printed, the rules of before run on, and the status is 2.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules reload")]
pub(super) struct Reload {}

/// What the hub counted of a rule.
#[derive(Deserialize, Serialize)]
struct Counts {
    id: String,
    title: String,
    hits: u64,
    findings: u64,
    last_hit: Option<String>,
    nanoseconds_per_event: f64,
    evaluated_per_thousand: f64,
    evicted: u64,
    late: u64,
}

/// What the hub says of a change of the rules.
#[derive(Deserialize)]
pub(super) struct Reloaded {
    status: String,
    reason: Option<String>,
    at: Option<String>,
    diagnostics: Vec<Told>,
    kept: usize,
    anew: usize,
    rules: usize,
}

#[derive(Deserialize)]
struct Told {
    file: String,
    line: usize,
    column: usize,
    message: String,
}

pub(super) fn run(
    arguments: &Stats,
    hub: &HubChoice,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let mut counts: Vec<Counts> = Client::new(hub)?.get("rules/stats", &[])?;
    match arguments.sort {
        Sort::Hits => counts.sort_by_key(|rule| Reverse(rule.hits)),
        Sort::Cost => {
            counts.sort_by(|a, b| b.nanoseconds_per_event.total_cmp(&a.nanoseconds_per_event))
        }
    }
    counts.truncate(arguments.limit);
    match arguments.format {
        Format::Table => {
            let head = ["hits", "findings", "ns/event", "last hit", "rule"];
            let [hits, findings, cost, last, rule] = head;
            writeln!(out, "{hits:>10} {findings:>10} {cost:>10} {last:<28} {rule}")?;
            for rule in &counts {
                let Counts { hits, findings, nanoseconds_per_event: cost, .. } = rule;
                let last = plain(rule.last_hit.as_deref().unwrap_or("-"));
                let title = plain(&rule.title);
                writeln!(out, "{hits:>10} {findings:>10} {cost:>10.1} {last:<28} {title}")?;
            }
        }
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &counts)?;
            writeln!(out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn reload(hub: &HubChoice, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let reloaded: Reloaded = Client::new(hub)?.post("rules/reload", None)?;
    let Reloaded { rules, kept, anew, .. } = &reloaded;
    match reloaded.status.as_str() {
        "changed" => writeln!(
            out,
            "{rules} rules run; of those over several events {kept} remember what they saw, {anew} \
             start anew"
        )?,
        "unchanged" => writeln!(out, "the files are as they were, {rules} rules run")?,
        _ => {
            reloaded.complain();
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Reloaded {
    /// Says on standard error why the rules of before run on.
    pub(super) fn complain(&self) {
        for Told { file, line, column, message } in &self.diagnostics {
            crate::complain(&plain(&format!("{file}:{line}:{column}: {message}")));
        }
        let at = self.at.as_deref().unwrap_or_default();
        let reason = self.reason.as_deref().unwrap_or_default();
        crate::complain(&plain(&format!(
            "the hub did not take the change of the rules at {at}, those of before run on: {reason}"
        )));
    }
}
