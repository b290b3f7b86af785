//! `bergfried rules backtest`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::sec;
use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::{fit, plain, width};

/// The longest bar of a day, in characters.
const BAR: u64 = 40;
/// How many alerts are printed.
const ALERTS: usize = 20;

/// Try a rule or a search over what the hub has stored: hits of each day, and the alerts.
///
/// RULE is the id of a rule of the hub, or a file of Sigma rules (.yml, .yaml) or of rules of SEC (any
/// other), which need not run anywhere yet.
/// Nothing is changed. Exceptions that count now are asked, but no alert is closed or expires.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules backtest ./new-rule.yml --last 30d
  bergfried rules backtest ./logins.sec --last 24h
  bergfried rules backtest 9b1cb4b0-d859-47da-873f-cbd0b005579e
  bergfried rules backtest --query 'user:root outcome:failure' --last 7d --json")]
pub(super) struct Backtest {
    /// The id of a rule, or a file of rules
    #[arg(value_name = "RULE", required_unless_present = "query")]
    rule: Option<String>,
    /// Try a search: each event that it finds is a hit
    #[arg(long, value_name = "SEARCH", conflicts_with = "rule")]
    query: Option<String>,
    /// The last span, such as 24h or 30d
    #[arg(long, value_name = "SPAN", default_value = "7d", conflicts_with = "from")]
    last: String,
    /// From this time on (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this time (RFC 3339, or a date) [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Told {
    to: String,
    cut: Option<String>,
    events: u64,
    hits: u64,
    findings: u64,
    silenced: u64,
    days: Vec<Day>,
    alerts: Vec<Alert>,
    more_alerts: u64,
    took_ms: u64,
}

#[derive(Deserialize)]
struct Day {
    day: String,
    hits: u64,
}

#[derive(Deserialize)]
struct Alert {
    resource: String,
    event: String,
    severity: String,
    count: u64,
    last: String,
}

pub(super) fn run(
    arguments: &Backtest,
    hub: &HubChoice,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let mut asked = json!({"to": arguments.to});
    let mut ask = |key: &str, value: &str| {
        if let Some(asked) = asked.as_object_mut() {
            asked.insert(key.to_owned(), value.into());
        }
    };
    match &arguments.from {
        Some(from) => ask("from", from),
        None => ask("last", &arguments.last),
    }
    match (&arguments.query, &arguments.rule) {
        (Some(query), _) => ask("query", query),
        (None, Some(rule)) if Path::new(rule).exists() => {
            let text =
                std::fs::read(rule).with_context(|| format!("cannot read {}", plain(rule)))?;
            let key = if sec::is_sec(Path::new(rule)) { "sec" } else { "rule" };
            ask(key, &String::from_utf8_lossy(&text));
        }
        (None, Some(rule)) => ask("rule_id", rule),
        (None, None) => {}
    }
    let told: Value = Client::new(hub)?.post("backtest", Some(&asked))?;
    if arguments.json {
        serde_json::to_writer_pretty(&mut *out, &told)?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let told = serde_json::from_value(told).context("cannot read what the hub answered")?;
    show(&told, out)?;
    Ok(ExitCode::SUCCESS)
}

fn show(told: &Told, out: &mut dyn Write) -> std::io::Result<()> {
    let most = told.days.iter().map(|day| day.hits).max().unwrap_or(0).max(1);
    for Day { day, hits } in &told.days {
        let bar = "█".repeat(usize::try_from(hits.saturating_mul(BAR).div_ceil(most)).unwrap_or(0));
        writeln!(out, "{:<10} {hits:>9} {bar}", plain(day))?;
    }
    let Told { events, hits, findings, silenced, took_ms, .. } = told;
    writeln!(
        out,
        "{hits} hits, {findings} findings of which exceptions silence {silenced}; {events} events \
         judged in {took_ms} ms"
    )?;
    if let Some(reason) = &told.cut {
        writeln!(out, "only until {}: {}", plain(&told.to), plain(reason))?;
    }
    let all = told.alerts.len();
    writeln!(out, "{} alerts", all as u64 + told.more_alerts)?;
    for alert in told.alerts.iter().rev().take(ALERTS) {
        let last = alert.last.get(..16).unwrap_or_default().replace('T', " ");
        let Alert { resource, event, severity, count, .. } = alert;
        let line = format!("{last} {severity:<13} {count:>7}× {resource}: {event}");
        writeln!(out, "  {}", fit(&plain(&line), width().saturating_sub(2)))?;
    }
    if all > ALERTS {
        writeln!(out, "  and {} before them", all - ALERTS)?;
    }
    Ok(())
}
