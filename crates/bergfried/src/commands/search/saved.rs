//! `bergfried searches`: searches that are kept by a name.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use bergfried_event::{Timestamp, nearest};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::source::{Asked, Source};
use super::{Shown, Times, found};
use crate::arguments::{HubChoice, read_search};
use crate::client::Client;
use crate::commands::printed::{self, objects, text};
use crate::terminal::plain;

/// List, run and delete searches that are kept on the hub.
#[derive(Args, Debug)]
#[command(after_help = "Keep one with `bergfried search QUERY --save NAME`.

Examples:
  bergfried searches list
  bergfried searches run 'who fails' --last 7d
  bergfried searches delete 'who fails'")]
pub(crate) struct Searches {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Your searches, and those that others share
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t = printed::Format::Table)]
        format: printed::Format,
    },
    /// Run a search
    Run {
        /// Its name or number
        #[arg(value_name = "NAME")]
        name: String,
        /// Another span than the kept one, such as 15m, 24h or 7d
        #[arg(long, value_name = "SPAN")]
        last: Option<String>,
        #[command(flatten)]
        shown: Shown,
    },
    /// Forget a search
    Delete {
        /// Its name or number
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// A search as the hub lists it.
#[derive(Deserialize)]
struct Saved {
    id: u64,
    name: String,
    query: String,
    last: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    yours: bool,
}

impl Saved {
    /// Over which time it is to run, where no other span is said.
    fn times(&self, last: Option<&String>) -> Times {
        let span = last.or(self.last.as_ref()).cloned().unwrap_or_else(|| "24h".to_owned());
        let fixed = if last.is_some() { (None, None) } else { (self.from, self.to) };
        Times { last: span, since: fixed.0, until: fixed.1 }
    }
}

pub(crate) fn run(arguments: &Searches, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.command {
        Command::List { format } => {
            let list: Vec<Map<String, Value>> = client.get("searches", &[])?;
            objects(&list, *format, "no searches", row, out)?;
        }
        Command::Run { name, last, shown } => {
            let saved = named(&client, name)?;
            let pipeline = read_search(&saved.query)?;
            let times = saved.times(last.as_ref());
            let asked = Asked { query: &saved.query, pipeline: &pipeline, times: &times };
            let (source, output) = (Source::Hub(client), shown.output.as_deref());
            return found(&source, &asked, None, shown.format, output, out);
        }
        Command::Delete { name } => {
            let saved = named(&client, name)?;
            client.delete(&format!("searches/{}", saved.id))?;
            writeln!(out, "deleted {}", plain(&saved.name))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Keeps a search on the hub; says so on standard error, since the output is what is found.
pub(super) fn keep(
    client: &Client,
    name: &str,
    query: &str,
    times: &Times,
    shared: bool,
) -> anyhow::Result<()> {
    let body = match times.since {
        Some(since) => json!({
            "name": name, "query": query, "shared": shared, "from": since, "to": times.until,
        }),
        None => json!({"name": name, "query": query, "shared": shared, "last": times.last}),
    };
    let saved: Saved = client.post("searches", Some(&body))?;
    crate::complain(&format!("kept as search {}, {}", saved.id, plain(&saved.name)));
    Ok(())
}

/// The search of this name or number; of two of one name, one's own.
fn named(client: &Client, name: &str) -> anyhow::Result<Saved> {
    let mut list: Vec<Saved> = client.get("searches", &[])?;
    let place = list
        .iter()
        .position(|saved| saved.name == name && saved.yours)
        .or_else(|| list.iter().position(|saved| saved.name == name))
        .or_else(|| list.iter().position(|saved| saved.id.to_string() == name));
    match place {
        Some(place) => Ok(list.swap_remove(place)),
        None => {
            let near = nearest(name, list.iter().map(|saved| saved.name.as_str()));
            let hint = near.map(|near| format!(", did you mean `{}`?", plain(near)));
            bail!("there is no search `{}`{}", plain(name), hint.unwrap_or_default())
        }
    }
}

fn row(search: &Map<String, Value>, out: &mut dyn Write) -> std::io::Result<()> {
    let shared = search.get("shared").and_then(Value::as_bool).unwrap_or(false);
    let seen = if shared { format!("shared by {}", text(search, "owner")) } else { "yours".into() };
    let name = plain(text(search, "name"));
    let time = match (text(search, "from"), text(search, "to")) {
        ("-", _) => text(search, "last").to_owned(),
        (from, "-") => format!("since {from}"),
        (from, to) => format!("{from} to {to}"),
    };
    let (query, time) = (plain(text(search, "query")), plain(&time));
    writeln!(out, "{name:<24} {:<20} {time:>5}  {query}", plain(&seen))
}
