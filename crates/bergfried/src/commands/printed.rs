//! Objects that a hub listed, printed for people or programs.

use std::io::{self, Write};

use serde_json::{Map, Value};

use crate::client::Client;

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
}

/// Asks for a list, of those in one state where one is given, and prints it.
pub(crate) fn listed<S: clap::ValueEnum>(
    client: &Client,
    what: &str,
    status: Option<S>,
    format: Format,
    row: fn(&Map<String, Value>, &mut dyn Write) -> io::Result<()>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let word = status.and_then(|status| status.to_possible_value());
    let parameters: Vec<_> =
        word.map(|word| ("status", word.get_name().to_owned())).into_iter().collect();
    let list: Vec<Map<String, Value>> = client.get(what, &parameters)?;
    objects(&list, format, &format!("no {what}"), row, out)
}

/// Prints a list; `none` is what people are told where it is empty.
pub(crate) fn objects(
    list: &[Map<String, Value>],
    format: Format,
    none: &str,
    row: fn(&Map<String, Value>, &mut dyn Write) -> io::Result<()>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, list)?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            for object in list {
                serde_json::to_writer(&mut *out, object)?;
                writeln!(out)?;
            }
        }
        Format::Table if list.is_empty() => writeln!(out, "{none}")?,
        Format::Table => list.iter().try_for_each(|object| row(object, out))?,
    }
    Ok(())
}

/// The text of a field; `-` where it has none.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or("-")
}
