//! `bergfried alerts`: what people work on.

use std::io::Write;
use std::process::ExitCode;

use bergfried_event::Severity;
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::{bold, colours, fit, paint, plain, width};

/// List, show and close alerts.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried alerts
  bergfried alerts list --status all --min-severity high --format json
  bergfried alerts show 7
  bergfried alerts close 7")]
pub(crate) struct Alerts {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List alerts, the one seen last first (what `bergfried alerts` alone does)
    List(List),
    /// Show one alert with its history
    Show {
        /// The alert's id
        id: u64,
    },
    /// Close an alert; a new finding opens it again
    Close {
        /// The alert's id
        id: u64,
    },
}

#[derive(Args, Debug)]
struct List {
    /// Which alerts
    #[arg(long, value_enum, default_value_t = Status::Open)]
    status: Status,
    /// Only alerts at least this severe
    #[arg(long, value_name = "SEVERITY", default_value = "informational")]
    min_severity: Severity,
    /// At most so many, 1 to 1000
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    limit: usize,
    /// How to print alerts
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Default for List {
    fn default() -> Self {
        List {
            status: Status::Open,
            min_severity: Severity::Informational,
            limit: 100,
            format: Format::Table,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Status {
    Open,
    Closed,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines for people
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
}

#[derive(Deserialize)]
struct Page {
    alerts: Vec<Map<String, Value>>,
}

pub(crate) fn run(arguments: &Alerts, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.action {
        None => list(&client, &List::default(), out)?,
        Some(Action::List(wanted)) => list(&client, wanted, out)?,
        Some(Action::Show { id }) => {
            show(&client.get::<Map<String, Value>>(&format!("alerts/{id}"), &[])?, out)?;
        }
        Some(Action::Close { id }) => {
            let alert: Map<String, Value> = client.post(&format!("alerts/{id}/close"), None)?;
            writeln!(out, "closed: {}", plain(text(&alert, "text")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(client: &Client, wanted: &List, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut parameters = vec![
        ("min_severity", wanted.min_severity.to_string()),
        ("limit", wanted.limit.to_string()),
    ];
    match wanted.status {
        Status::Open => parameters.push(("status", "open".to_owned())),
        Status::Closed => parameters.push(("status", "closed".to_owned())),
        Status::All => {}
    }
    let page: Page = client.get("alerts", &parameters)?;
    match wanted.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &page.alerts)?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            for alert in &page.alerts {
                serde_json::to_writer(&mut *out, alert)?;
                writeln!(out)?;
            }
        }
        Format::Table => {
            for alert in &page.alerts {
                row(alert, out)?;
            }
            if page.alerts.is_empty() {
                writeln!(out, "no alerts")?;
            }
        }
    }
    Ok(())
}

fn row(alert: &Map<String, Value>, out: &mut dyn Write) -> std::io::Result<()> {
    let number = |name: &str| alert.get(name).and_then(Value::as_u64).unwrap_or(0);
    let mut rest = format!(
        "{} {} · {}x {} on {}",
        text(alert, "last_seen").get(..19).unwrap_or_default().replace('T', " "),
        text(alert, "status"),
        number("count"),
        text(alert, "event"),
        text(alert, "resource"),
    );
    for (word, field) in [("from", "sources"), ("user", "users")] {
        if let Some(names) = seen(alert, field) {
            rest = format!("{rest} · {word} {names}");
        }
    }
    let severity = severity(alert);
    writeln!(
        out,
        "{:>5} {} {}",
        number("id"),
        paint(severity, &format!("{:<13}", severity.name()), colours()),
        fit(&plain(&rest), width().saturating_sub(20))
    )
}

/// The first of the names that an alert has seen, and how many more there are.
fn seen(alert: &Map<String, Value>, field: &str) -> Option<String> {
    let seen = alert.get(field)?;
    let names = seen.get("names")?.as_array()?;
    let first = names.first()?.as_str()?;
    let overflow = seen.get("overflow").and_then(Value::as_u64).unwrap_or(0);
    match names.len() as u64 - 1 + overflow {
        0 => Some(first.to_owned()),
        more => Some(format!("{first} and {more} more")),
    }
}

fn show(alert: &Map<String, Value>, out: &mut dyn Write) -> anyhow::Result<()> {
    let colours = colours();
    let severity = severity(alert);
    let title = bold(&plain(text(alert, "event")), colours);
    writeln!(out, "{} {title}", paint(severity, severity.name(), colours))?;
    writeln!(out, "{}", plain(text(alert, "text")))?;
    for (name, value) in alert {
        let shown = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if !matches!(name.as_str(), "event" | "text" | "severity" | "history") {
            writeln!(out, "  {name:<18} {}", plain(&shown))?;
        }
    }
    for change in alert.get("history").and_then(Value::as_array).into_iter().flatten() {
        let Some(change) = change.as_object() else { continue };
        writeln!(out, "  {} {}", text(change, "at"), plain(text(change, "text")))?;
    }
    Ok(())
}

fn severity(alert: &Map<String, Value>) -> Severity {
    text(alert, "severity").parse().unwrap_or_default()
}

fn text<'a>(alert: &'a Map<String, Value>, name: &str) -> &'a str {
    alert.get(name).and_then(Value::as_str).unwrap_or("-")
}
