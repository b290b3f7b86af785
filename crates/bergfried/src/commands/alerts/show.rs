//! `bergfried alerts show`.

use std::io::Write;

use clap::Args;
use serde_json::Value;

use super::{Alert, Client, get, severity, text, when};
use crate::terminal::{bold, colours, paint, plain};

#[derive(Args, Debug)]
pub(super) struct Show {
    /// Ids, or their beginnings
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// How to print alerts
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// How alerts are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Lines for people
    Table,
    /// JSON: an array of them
    Json,
}

pub(super) fn run(client: &Client, wanted: &Show, out: &mut dyn Write) -> anyhow::Result<()> {
    let alerts = wanted.ids.iter().map(|id| get(client, id)).collect::<Result<Vec<_>, _>>()?;
    if wanted.format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, &alerts)?;
        writeln!(out)?;
        return Ok(());
    }
    for (index, alert) in alerts.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        heading(alert, out)?;
        fields(alert, out)?;
        history(alert, out)?;
    }
    Ok(())
}

/// What it is, in two lines.
pub(super) fn heading(alert: &Alert, out: &mut dyn Write) -> std::io::Result<()> {
    let (severity, colours) = (severity(alert), colours());
    let title = bold(&plain(text(alert, "event")), colours);
    let status = plain(text(alert, "status"));
    writeln!(out, "{} {title} ({status})", paint(severity, severity.name(), colours))?;
    writeln!(out, "{}", plain(text(alert, "text")))
}

fn fields(alert: &Alert, out: &mut dyn Write) -> std::io::Result<()> {
    for (name, value) in alert {
        let shown = match (name.as_str(), value) {
            ("event" | "text" | "severity" | "status" | "history" | "notes" | "links", _) => {
                continue;
            }
            (_, Value::Null) => continue,
            (_, Value::Array(values)) if values.is_empty() => continue,
            (_, Value::Object(values)) if values.is_empty() => continue,
            ("users" | "sources", value) => match super::seen(alert, name) {
                Some(_) => names(value),
                None => continue,
            },
            ("first_seen" | "last_seen" | "last_received" | "updated", Value::String(time)) => {
                when(time)
            }
            (_, Value::Array(values)) if values.iter().all(Value::is_string) => names_of(values),
            (_, Value::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        };
        writeln!(out, "  {name:<18} {}", plain(&shown))?;
    }
    Ok(())
}

fn names(seen: &Value) -> String {
    let named = seen.get("names").and_then(Value::as_array).map(Vec::as_slice);
    let named = names_of(named.unwrap_or_default());
    match seen.get("overflow").and_then(Value::as_u64).unwrap_or(0) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn names_of(values: &[Value]) -> String {
    values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

/// What happened to it, oldest first, and what people wrote.
pub(super) fn history(alert: &Alert, out: &mut dyn Write) -> std::io::Result<()> {
    let list = |name: &str| alert.get(name).and_then(Value::as_array).into_iter().flatten();
    for change in list("history").filter_map(Value::as_object) {
        let what = [text(change, "kind"), text(change, "severity"), text(change, "status")];
        let said = format!("{} · {}", what.join(" "), text(change, "text"));
        writeln!(out, "  {} {}", second(text(change, "at")), plain(&said))?;
    }
    for note in list("notes").filter_map(Value::as_object) {
        let said = format!("note by {}: {}", text(note, "user"), text(note, "text"));
        writeln!(out, "  {} {}", second(text(note, "created")), plain(&said))?;
    }
    Ok(())
}

fn second(time: &str) -> String {
    plain(&time.get(..19).unwrap_or(time).replace('T', " "))
}
