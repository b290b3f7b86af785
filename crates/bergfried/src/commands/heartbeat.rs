//! `bergfried heartbeat`: senders that should be heard of.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::printed::{Format, listed, text};
use crate::arguments::{HubChoice, seconds};
use crate::client::Client;
use crate::terminal::{fit, lasting, plain, width};

/// Say that something is alive, and see what has fallen silent.
///
/// Once something said that it is alive, the hub raises an alert when nothing is heard of it for
/// longer than it allowed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried heartbeat send backup/web-01 --timeout 25h     # at the end of a nightly job
  bergfried heartbeat send mail-queue --attribute severity=critical --attribute service=Mail
  bergfried heartbeat list --status expired
  bergfried heartbeat remove 4c2f93c0-6b0e-4d43-93b5-6f2c0f2b3f8e")]
pub(crate) struct Heartbeats {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Say that something is alive
    Send {
        /// What is alive, such as backup/web-01
        origin: String,
        /// How long it may be silent: 90s, 5m, 25h, 7d [default: what the hub says, a day]
        #[arg(long, value_name = "TIME", value_parser = seconds)]
        timeout: Option<u32>,
        /// A word that its alert carries; repeatable
        #[arg(long = "tag", value_name = "TAG")]
        tags: Vec<String>,
        /// What its alert carries; environment, severity, service and group shape it; repeatable
        #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = pair)]
        attributes: Vec<(String, String)>,
        /// Whose it is, where the hub serves several customers
        #[arg(long, value_name = "NAME")]
        customer: Option<String>,
    },
    /// List what said that it is alive
    List {
        /// Only what is in this state
        #[arg(long, value_enum)]
        status: Option<Status>,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Forget something: nobody is told any more that it is silent
    #[command(alias = "delete")]
    Remove {
        /// Its id, from `bergfried heartbeat list`
        id: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Status {
    /// Heard of in time
    Ok,
    /// Heard of in time, but what it sent was long on its way
    Slow,
    /// Silent for longer than it allowed
    Expired,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

pub(crate) fn run(arguments: &Heartbeats, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.action {
        Action::Send { origin, timeout, tags, attributes, customer } => {
            let attributes: Map<_, _> =
                attributes.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            let alive = json!({
                "origin": origin, "timeout": timeout, "tags": tags, "attributes": attributes,
                "customer": customer,
            });
            let kept: Map<String, Value> = client.post("heartbeats", Some(&alive))?;
            writeln!(out, "{}", plain(text(&kept, "id")))?;
        }
        Action::List { status, format } => {
            listed(&client, "heartbeats", *status, *format, row, out)?;
        }
        Action::Remove { id } => {
            client.delete(&format!("heartbeats/{}", in_path(id)?))?;
            writeln!(out, "removed: {}", plain(id))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An id as a part of a path.
pub(super) fn in_path(id: &str) -> anyhow::Result<&str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    if id.is_empty() || !id.chars().all(fits) {
        anyhow::bail!("`{}` is no id, expected one from the list", id.escape_debug());
    }
    Ok(id)
}

fn row(heartbeat: &Map<String, Value>, out: &mut dyn Write) -> std::io::Result<()> {
    let lasting = |name: &str| lasting(heartbeat.get(name).and_then(Value::as_u64).unwrap_or(0));
    let rest = format!(
        "{} · {} ago, may be silent for {}",
        text(heartbeat, "origin"),
        lasting("since"),
        lasting("timeout"),
    );
    let (id, status) = (plain(text(heartbeat, "id")), plain(text(heartbeat, "status")));
    writeln!(out, "{id} {status:<8} {}", fit(&plain(&rest), width().saturating_sub(46)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_mean_nothing_are_refused() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(pair("a").is_err() && pair("=b").is_err());
        for id in ["", "../tokens/1", "a b", "a?b"] {
            assert!(in_path(id).is_err(), "{id}");
        }
        assert_eq!(in_path("4c2f-1").unwrap(), "4c2f-1");
    }
}
