//! `db export`: what a search finds, as a file that other programs read.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use bergfried_event::Timestamp;
use bergfried_hub::query::answer;
use bergfried_hub::query::write::{Format as Written, Shown, write, write_events};
use bergfried_store::{Limits, Options, Reader, StoreError, open};
use clap::Args;

use super::{ago, data_dir, events};
use crate::arguments::{HubChoice, read_search};
use crate::client::Client;

/// What to export.
#[derive(Args, Debug)]
pub(super) struct Export {
    /// What to look for, with its steps if it has any; empty finds everything
    #[arg(value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    /// The span that ends now, such as 24h or 30d
    #[arg(long, value_name = "SPAN", default_value = "24h", conflicts_with = "since")]
    last: String,
    /// From this time on (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// The file to write, which must not be there [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One JSON object a line
    Ndjson,
    /// One JSON array
    Json,
    /// The usual fields in columns
    Csv,
    /// Every field, in columns
    Parquet,
}

impl Format {
    fn as_written(self) -> Written {
        match self {
            Format::Ndjson => Written::Ndjson,
            Format::Json => Written::Json,
            Format::Csv => Written::Csv,
            Format::Parquet => Written::Parquet,
        }
    }
}

/// Where an export goes.
type Target = Box<dyn Write + Send>;

pub(super) fn run(hub: &HubChoice, arguments: &Export, out: &mut dyn Write) -> anyhow::Result<()> {
    read_search(&arguments.query)?;
    let Some(path) = &arguments.output else {
        out.flush()?;
        return export(hub, arguments, Box::new(io::stdout()));
    };
    let failed = || format!("cannot write {}", path.display());
    let file = File::options().write(true).create_new(true).open(path).with_context(failed)?;
    let kept = file.try_clone().with_context(failed)?;
    let exported = export(hub, arguments, Box::new(file)).and_then(|()| Ok(kept.sync_all()?));
    if exported.is_err() {
        // Half an export must not be taken for a whole one.
        std::fs::remove_file(path).with_context(failed)?;
    }
    exported
}

fn export(hub: &HubChoice, arguments: &Export, target: Target) -> anyhow::Result<()> {
    if hub.url.is_some() {
        return from_hub(hub, arguments, target);
    }
    match open(&events(&data_dir(hub))?, Options::default()) {
        Ok((writer, reader, _)) => {
            from_store(&reader, arguments, target)?;
            Ok(writer.close()?)
        }
        Err(StoreError::Locked { .. }) => from_hub(hub, arguments, target),
        Err(error) => Err(error.into()),
    }
}

fn from_hub(hub: &HubChoice, arguments: &Export, mut target: Target) -> anyhow::Result<()> {
    let format = match arguments.format {
        Format::Ndjson => "ndjson",
        Format::Json => "json",
        Format::Csv => "csv",
        Format::Parquet => "parquet",
    };
    let mut parameters = vec![("q", arguments.query.clone()), ("format", format.to_owned())];
    match arguments.since {
        Some(since) => parameters.push(("from", since.to_string())),
        None => parameters.push(("last", arguments.last.clone())),
    }
    parameters.extend(arguments.until.map(|until| ("to", until.to_string())));
    let mut answer = Client::new(hub)?.follow("search/export", &parameters)?;
    io::copy(&mut answer, &mut target).context("the export ends early")?;
    Ok(())
}

fn from_store(reader: &Reader, arguments: &Export, target: Target) -> anyhow::Result<()> {
    let from = match arguments.since {
        Some(since) => since,
        None => ago(&arguments.last)?,
    };
    let times = (from, arguments.until.unwrap_or(Timestamp::MAX));
    let pipeline = read_search(&arguments.query)?;
    let format = arguments.format.as_written();
    let out = BufWriter::new(target);
    let Some(shown) = Shown::of(&pipeline.steps) else {
        let answer = answer(reader, &pipeline, times, &Limits::default())?;
        if answer.more {
            bail!(
                "the table has more than {} rows: narrow the search or the time, or say with \
                 `head` how many you want",
                answer.rows.len()
            );
        }
        return Ok(write(&answer, format, out)?);
    };
    Ok(write_events(reader, &pipeline.predicate, times, (shown, format), out)?)
}
