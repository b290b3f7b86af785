//! `bergfried search`: looks into what the hub has stored.

use std::io::Write;
use std::process::ExitCode;

use bergfried_event::Timestamp;
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::arguments::{HubChoice, check_search};
use crate::client::Client;
use crate::terminal::{fit, plain, width};

/// Search the events that a hub has stored, latest first.
#[derive(Args, Debug)]
#[command(after_help = "The search language:
  failed password                  both words, in any case
  \"failed password\"                the phrase
  user:root source.ip:10.0.0.0/8   fields by ECS name or alias, networks; all must hold
  user:(root OR admin*) -host:lab  groups, wildcards, NOT or -
  source.port:>1024                comparisons and ranges [1 TO 1024]
  _exists_:user.name               the field is there

Examples:
  bergfried search 'failed user:root' --last 1h
  bergfried search 'source.ip:203.0.113.0/24' --last 7d --format ndjson
  bergfried search 'event.outcome:failure' --top source.ip
  bergfried search '' --histogram 1h")]
pub(crate) struct Search {
    /// What to look for; empty finds everything
    #[arg(value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    /// The span that ends now, such as 15m, 24h or 7d
    #[arg(long, value_name = "SPAN", default_value = "24h", conflicts_with = "since")]
    last: String,
    /// From this time on (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// At most so many events (or values)
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Count the most frequent values of a field instead of listing events
    #[arg(long, value_name = "FIELD")]
    top: Option<String>,
    /// Count events in buckets of this width instead of listing them
    #[arg(long, value_name = "SPAN", conflicts_with = "top")]
    histogram: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines for people
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
    /// The raw lines as they were logged
    Raw,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Map<String, Value>>,
    next: Option<String>,
}

/// The most events that the hub gives at once.
const PAGE: usize = 1_000;

pub(crate) fn run(arguments: &Search, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    check_search(&arguments.query)?;
    let client = Client::new(&arguments.hub)?;
    let mut parameters = vec![("q", arguments.query.clone())];
    match arguments.since {
        Some(since) => parameters.push(("from", since.to_string())),
        None => parameters.push(("last", arguments.last.clone())),
    }
    parameters.extend(arguments.until.map(|until| ("to", until.to_string())));
    if let Some(field) = &arguments.top {
        parameters.push(("field", field.clone()));
        parameters.push(("limit", arguments.limit.min(PAGE).to_string()));
        return counts(client.get("top", &parameters)?, "value", arguments.format, out);
    }
    if let Some(bucket) = &arguments.histogram {
        parameters.push(("bucket", bucket.clone()));
        return counts(client.get("histogram", &parameters)?, "time", arguments.format, out);
    }
    events(&client, parameters, arguments, out)
}

/// Page after page, printed as they come.
fn events(
    client: &Client,
    mut parameters: Vec<(&'static str, String)>,
    arguments: &Search,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let mut left = arguments.limit;
    let mut all = Vec::new();
    while left > 0 {
        let limit = left.min(PAGE);
        parameters.push(("limit", limit.to_string()));
        let page: Page = client.get("search", &parameters)?;
        left -= page.events.len().min(left);
        if arguments.format == Format::Json {
            all.extend(page.events);
        } else {
            for event in &page.events {
                print(event, arguments.format, out)?;
            }
        }
        let Some(next) = page.next else { break };
        parameters.retain(|(name, _)| !matches!(*name, "before" | "limit"));
        parameters.push(("before", next));
    }
    if arguments.format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, &all)?;
        writeln!(out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(event: &Map<String, Value>, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
    match format {
        Format::Table => writeln!(out, "{}", line(event))?,
        Format::Raw => writeln!(out, "{}", plain(text(event, "event.original")))?,
        Format::Json | Format::Ndjson => {
            serde_json::to_writer(&mut *out, event)?;
            writeln!(out)?;
        }
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

fn counts(
    rows: Vec<Map<String, Value>>,
    name: &str,
    format: Format,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &rows)?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            for row in &rows {
                serde_json::to_writer(&mut *out, row)?;
                writeln!(out)?;
            }
        }
        Format::Table | Format::Raw => {
            for row in &rows {
                let count = row.get("count").and_then(Value::as_u64).unwrap_or(0);
                writeln!(out, "{count:>10}  {}", plain(text(row, name)))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
