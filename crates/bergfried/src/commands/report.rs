//! `bergfried report`: what happened in the last day.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::{bold, colours, fit, plain, width};

/// Show what happened in a span of time: alerts, hosts, kinds of events, where they came from.
///
/// It is what a route with `daily_report` sends each day.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried report
  bergfried report --since 7d
  bergfried report --format json | jq .sources")]
pub(crate) struct Report {
    /// The span before now: 90m, 24h, 7d, at most 31d
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
}

pub(crate) fn run(arguments: &Report, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    let report: Value = client.get("report", &[("since", arguments.since.clone())])?;
    match arguments.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &report)?;
            writeln!(out)?;
        }
        Format::Text => show(&report, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(report: &Value, out: &mut dyn Write) -> io::Result<()> {
    let word = |path: &str| plain(report.pointer(path).and_then(Value::as_str).unwrap_or("-"));
    let number = |path: &str| report.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let title = |text: &str| bold(text, colours());
    writeln!(out, "{}  {} to {}", title("report"), word("/since"), word("/until"))?;
    writeln!(out, "  events   {}", number("/events"))?;
    writeln!(out, "  hosts    {} online, {} silent", number("/online"), number("/silent"))?;
    writeln!(
        out,
        "  alerts   new: {}; ended: {}; open now: {}",
        severities(report.pointer("/alerts/new")),
        number("/alerts/closed"),
        severities(report.pointer("/alerts/open")),
    )?;
    for (name, path) in [
        ("events by host", "/hosts"),
        ("events by kind", "/kinds"),
        ("events by action", "/actions"),
        ("events by source address", "/sources"),
        ("alerts, what most", "/alerts/top_events"),
        ("alerts, where most", "/alerts/top_resources"),
    ] {
        let list = report.pointer(path).and_then(Value::as_array);
        let Some(list) = list.filter(|list| !list.is_empty()) else { continue };
        writeln!(out, "{}", title(name))?;
        for entry in list {
            let count = entry.get("count").and_then(Value::as_u64).unwrap_or(0);
            let value = plain(entry.get("name").and_then(Value::as_str).unwrap_or("-"));
            writeln!(out, "  {count:>10}  {}", fit(&value, width().saturating_sub(14)))?;
        }
    }
    let silent = report.pointer("/alerts/silent_agents").and_then(Value::as_array);
    for (place, name) in silent.into_iter().flatten().filter_map(Value::as_str).enumerate() {
        if place == 0 {
            writeln!(out, "{}", title("nothing is heard of"))?;
        }
        writeln!(out, "  {}", fit(&plain(name), width().saturating_sub(2)))?;
    }
    Ok(())
}

/// `2 critical, 1 high`, the worst first.
fn severities(counts: Option<&Value>) -> String {
    let count = |name: &&str| counts.and_then(|counts| counts.get(*name)?.as_u64());
    let parts: Vec<String> = ["critical", "high", "medium", "low", "informational"]
        .iter()
        .filter_map(|name| Some(format!("{} {name}", count(name).filter(|count| *count > 0)?)))
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_is_short_and_acts_on_no_terminal() {
        let report = json!({
            "since": "2026-11-20T00:00:00Z", "until": "2026-11-21T00:00:00Z", "events": 12,
            "online": 2, "silent": 1, "hosts": [{"name": "we\u{1b}[2Jb", "count": 7}], "kinds": [],
            "alerts": {"new": {"high": 2, "low": 0}, "closed": 1, "open": {},
                "silent_agents": ["db\u{7}1"]},
        });
        let mut shown = Vec::new();
        show(&report, &mut shown).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        for part in ["new: 2 high; ended: 1; open now: none", "2 online, 1 silent", "db\\u{7}1"] {
            assert!(shown.contains(part), "no {part:?} in {shown}");
        }
        assert!(!shown.contains('\u{1b}') && !shown.contains("by kind"), "{shown}");
    }
}
