//! Events, page after page, printed as they come.

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Map, Value};

use super::Format;
use super::source::{Asked, Page, Source};
use crate::terminal::{fit, plain, width};

/// How many events are printed where nothing says it.
pub(super) const LIMIT: usize = 100;
/// The most events that the hub gives at once.
pub(super) const PAGE: usize = 1_000;

pub(super) fn print(
    source: &Source,
    asked: &Asked<'_>,
    limit: usize,
    format: Format,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let (mut left, mut place) = (limit, None);
    let mut all = Vec::new();
    while left > 0 {
        let Page { events, next } = source.page(asked, left.min(PAGE), place)?;
        left -= events.len().min(left);
        if format == Format::Json {
            all.extend(events);
        } else {
            for event in &events {
                one(event, format, out)?;
            }
        }
        if next.is_none() {
            break;
        }
        place = next;
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
