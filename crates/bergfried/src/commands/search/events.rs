//! Events, page after page, printed as they come.

use std::io::Write;
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Format;
use crate::client::Client;
use crate::terminal::{fit, plain, width};

/// How many events are printed where nothing says it.
pub(super) const LIMIT: usize = 100;
/// The most events that the hub gives at once.
pub(super) const PAGE: usize = 1_000;

#[derive(Deserialize)]
struct Page {
    events: Vec<Map<String, Value>>,
    next: Option<String>,
}

pub(super) fn print(
    client: &Client,
    mut parameters: Vec<(&'static str, String)>,
    limit: usize,
    format: Format,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let mut left = limit;
    let mut all = Vec::new();
    while left > 0 {
        let limit = left.min(PAGE);
        parameters.push(("limit", limit.to_string()));
        let page: Page = client.get("search", &parameters)?;
        left -= page.events.len().min(left);
        if format == Format::Json {
            all.extend(page.events);
        } else {
            for event in &page.events {
                one(event, format, out)?;
            }
        }
        let Some(next) = page.next else { break };
        parameters.retain(|(name, _)| !matches!(*name, "before" | "limit"));
        parameters.push(("before", next));
    }
    if format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, &all)?;
        writeln!(out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn one(event: &Map<String, Value>, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
    match format {
        Format::Ndjson => {
            serde_json::to_writer(&mut *out, event)?;
            writeln!(out)?;
        }
        Format::Raw => writeln!(out, "{}", plain(text(event, "event.original")))?,
        _ => writeln!(out, "{}", line(event))?,
    }
    Ok(())
}

/// One event on one line of the terminal.
pub(crate) fn line(event: &Map<String, Value>) -> String {
    let line = format!(
        "{} {} {}: {}",
        text(event, "@timestamp"),
        text(event, "host.name"),
        text(event, "process.name"),
        // An object of JSON need not have a message.
        text(event, if event.contains_key("message") { "message" } else { "event.original" })
    );
    fit(&plain(&line), width())
}

fn text<'e>(event: &'e Map<String, Value>, name: &str) -> &'e str {
    event.get(name).and_then(Value::as_str).unwrap_or("-")
}
