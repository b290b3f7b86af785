//! `bergfried search`: looks into what the hub has stored.

mod chart;
mod events;
mod explain;
mod file;
pub(crate) mod saved;
mod source;
mod table;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use bergfried_event::Timestamp;
use bergfried_hub::query::write::Format as Written;
use clap::Args;

pub(crate) use self::events::line;
use self::source::{Asked, Source};
use crate::arguments::{HubChoice, read_search};
use crate::client::Client;

/// Search the events that a hub has stored, latest first, or count them.
#[derive(Args, Debug)]
#[command(after_help = "The search language:
  failed password                  both words, in any case
  \"failed password\"                the phrase
  user:root source.ip:10.0.0.0/8   fields by ECS name or alias, networks; all must hold
  user:(root OR admin*) -host:lab  groups, wildcards, NOT or -
  source.port:>1024                comparisons and ranges [1 TO 1024]
  _exists_:user.name               the field is there

Steps, behind a bar:
  | top 5 source.ip                the values that most events have; `rare` for the fewest
  | count by user, host            how many events of each
  | timechart 1h by event.action   counts over time
  | stats count, distinct(user), avg(source.port), p95(source.port) by host
  | sort -count | head 3           then the rows in order, and the first of them
  | fields user, source.ip         these columns alone

Examples:
  bergfried search 'failed user:root' --last 1h
  bergfried search 'failed | top source.ip' --last 7d
  bergfried search '* | timechart 1h by event.action'
  bergfried search 'event.outcome:failure | count by user, host' --format csv --output failed.csv
  bergfried search 'source.ip:203.0.113.0/24' --last 30d --format parquet --output net.parquet
  bergfried search 'failed | top source.ip' --save 'who fails'
  bergfried searches run 'who fails'")]
pub(crate) struct Search {
    /// What to look for, and steps that make a table of it; empty finds everything
    #[arg(value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    #[command(flatten)]
    times: Times,
    /// At most so many events or values (100); a file has all that are found
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<usize>,
    /// Count the most frequent values of a field instead of listing events
    #[arg(long, value_name = "FIELD")]
    top: Option<String>,
    /// Count events in buckets of this width instead of listing them
    #[arg(long, value_name = "SPAN", conflicts_with = "top")]
    histogram: Option<String>,
    #[command(flatten)]
    shown: Shown,
    /// Say what is read for it, and what could be left out, instead of what is found
    #[arg(long, conflicts_with_all = ["top", "histogram", "output"])]
    explain: bool,
    /// Keep the search by this name too, see `bergfried searches`
    #[arg(long, value_name = "NAME")]
    save: Option<String>,
    /// Let everyone see the search that is kept
    #[arg(long, requires = "save")]
    shared: bool,
    #[command(flatten)]
    hub: HubChoice,
}

/// When to look.
#[derive(Args, Clone, Debug)]
struct Times {
    /// The span that ends now, such as 15m, 24h or 7d
    #[arg(long, value_name = "SPAN", default_value = "24h", conflicts_with = "since")]
    last: String,
    /// From this time on (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

impl Times {
    /// The query and the times, as the API takes them.
    fn parameters(&self, query: &str) -> Vec<(&'static str, String)> {
        let mut parameters = vec![("q", query.to_owned())];
        match self.since {
            Some(since) => parameters.push(("from", since.to_string())),
            None => parameters.push(("last", self.last.clone())),
        }
        parameters.extend(self.until.map(|until| ("to", until.to_string())));
        parameters
    }
}

/// How to print.
#[derive(Args, Clone, Debug)]
struct Shown {
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write into this file, which is there only once it is whole
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines and tables for people
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values, earliest first; what a spreadsheet would run begins with '
    Csv,
    /// A file of Apache Parquet, earliest first
    Parquet,
    /// The raw lines as they were logged
    Raw,
}

impl Format {
    /// The hub's word, where it is written as a file.
    fn as_file(self) -> Option<(&'static str, Written)> {
        match self {
            Format::Csv => Some(("csv", Written::Csv)),
            Format::Parquet => Some(("parquet", Written::Parquet)),
            Format::Json => Some(("json", Written::Json)),
            Format::Ndjson => Some(("ndjson", Written::Ndjson)),
            Format::Table | Format::Raw => None,
        }
    }
}

pub(crate) fn run(arguments: &Search, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let pipeline = read_search(&arguments.query)?;
    if !pipeline.steps.is_empty() && (arguments.top.is_some() || arguments.histogram.is_some()) {
        bail!("--top and --histogram go with a search without steps");
    }
    if let Some(name) = &arguments.save {
        let client = Client::new(&arguments.hub)?;
        saved::keep(&client, name, &arguments.query, &arguments.times, arguments.shared)?;
    }
    let source = Source::of(&arguments.hub)?;
    let asked = Asked { query: &arguments.query, pipeline: &pipeline, times: &arguments.times };
    if arguments.explain {
        return explain::print(&source.explain(&asked)?, out);
    }
    let Shown { format, output } = &arguments.shown;
    if arguments.top.is_some() || arguments.histogram.is_some() {
        return file::into(output.as_deref(), out, |out| counts(arguments, &source, &asked, out));
    }
    found(&source, &asked, arguments.limit, *format, output.as_deref(), out)
}

/// Prints what a search finds.
fn found(
    source: &Source,
    asked: &Asked<'_>,
    limit: Option<usize>,
    format: Format,
    output: Option<&std::path::Path>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let steps = !asked.pipeline.steps.is_empty();
    if steps && limit.is_some() {
        bail!("--limit goes with a search without steps: say `| head N`");
    }
    if steps && format == Format::Raw {
        bail!("--format raw goes with a search without steps: a table has no raw lines");
    }
    let exported = matches!(format, Format::Csv | Format::Parquet);
    if exported && limit.is_some() {
        bail!(
            "--limit goes with --format table, json, ndjson and raw: a file has all that is found"
        );
    }
    if format == Format::Parquet && output.is_none() && file::is_terminal() {
        bail!("Parquet is nothing for a terminal: say --output FILE");
    }
    file::into(output, out, |out| match format.as_file() {
        Some(written) if exported || steps => {
            source.file(asked, written, out)?;
            Ok(ExitCode::SUCCESS)
        }
        _ if steps => table::print(&source.table(asked)?, asked.pipeline, out),
        _ => events::print(source, asked, limit.unwrap_or(events::LIMIT), format, out),
    })
}

/// What `--top` and `--histogram` count.
fn counts(
    arguments: &Search,
    source: &Source,
    asked: &Asked<'_>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let format = arguments.shown.format;
    if let Some(field) = &arguments.top {
        let limit = arguments.limit.unwrap_or(events::LIMIT).min(events::PAGE);
        return table::counts(source.top(asked, field, limit)?, "value", format, out);
    }
    let bucket = arguments.histogram.as_deref().unwrap_or("1h");
    table::counts(source.histogram(asked, bucket)?, "time", format, out)
}
