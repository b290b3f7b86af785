//! `bergfried blackout`: times in which alerts are not wanted.

use std::io::Write;
use std::process::ExitCode;

use bergfried_event::Timestamp;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::heartbeat::in_path;
use super::printed::{Format, listed, text};
use crate::arguments::{HubChoice, seconds};
use crate::client::Client;
use crate::terminal::{fit, plain, width};

/// Make, list and remove times in which alerts are not wanted.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried blackout add --resource web-01 --for 2h --reason 'new disks'
  bergfried blackout add --environment Development --start 2026-12-24 --until 2026-12-27
  bergfried blackout add --service Backup --start 2026-11-22T02:00:00+01:00 --for 90m \\
      --every 'FREQ=WEEKLY;BYDAY=SU' --time-zone Europe/Berlin
  bergfried blackout list --status active
  bergfried blackout remove 4c2f93c0-6b0e-4d43-93b5-6f2c0f2b3f8e")]
pub(crate) struct Blackouts {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Make a blackout, of alerts that have everything that is named
    Add(Box<Add>),
    /// List blackouts
    List {
        /// Only those in this state
        #[arg(long, value_enum)]
        status: Option<Status>,
        /// How to print them
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// End a blackout for good
    Remove {
        /// Its id, from `bergfried blackout list`
        id: String,
    },
}

#[derive(Args, Debug)]
struct Add {
    /// Which environment [default: the hub's own, Production]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Which resource, such as a host
    #[arg(long, value_name = "NAME")]
    resource: Option<String>,
    /// Which event
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// Which group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Which service; of several, an alert must have all
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,
    /// Which tag; of several, an alert must have all
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// From which origin
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// Whose alerts, where the hub serves several customers
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// When it begins, such as 2026-11-22 or 2026-11-22T02:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// How long it lasts: 90s, 45m, 2h, 1d 12h [default: an hour]
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    lasts: Option<u32>,
    /// When it ends
    #[arg(long, value_name = "TIME", conflicts_with = "lasts")]
    until: Option<Timestamp>,
    /// How it comes again: an iCalendar RRULE such as FREQ=WEEKLY;BYDAY=SU
    #[arg(long, value_name = "RRULE")]
    every: Option<String>,
    /// The time zone that --every counts in, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "every")]
    time_zone: Option<String>,
    /// Why, for those who wonder
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Status {
    /// It begins later, or begins again
    Pending,
    /// It is now
    Active,
    /// It is over for good
    Expired,
}

pub(crate) fn run(arguments: &Blackouts, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.action {
        Action::Add(add) => {
            let new = json!({
                "environment": add.environment, "resource": add.resource, "event": add.event,
                "group": add.group, "service": add.service, "tags": add.tags,
                "origin": add.origin, "customer": add.customer, "start": add.start,
                "end": add.until, "duration": add.lasts, "recurrence": add.every,
                "time_zone": add.time_zone, "text": add.reason,
            });
            let kept: Map<String, Value> = client.post("blackouts", Some(&new))?;
            writeln!(out, "{}", plain(text(&kept, "id")))?;
        }
        Action::List { status, format } => {
            listed(&client, "blackouts", *status, *format, row, out)?;
        }
        Action::Remove { id } => {
            client.delete(&format!("blackouts/{}", in_path(id)?))?;
            writeln!(out, "removed: {}", plain(id))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(blackout: &Map<String, Value>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut rest = text(blackout, "environment").to_owned();
    for name in ["resource", "event", "group", "origin", "customer"] {
        if let Some(Value::String(value)) = blackout.get(name) {
            rest.push_str(&format!(" · {name} {value}"));
        }
    }
    for name in ["service", "tags"] {
        let words = blackout.get(name).and_then(Value::as_array).into_iter().flatten();
        let words: Vec<_> = words.filter_map(Value::as_str).collect();
        if !words.is_empty() {
            rest.push_str(&format!(" · {name} {}", words.join(" and ")));
        }
    }
    match (blackout.get("recurrence").and_then(Value::as_str), text(blackout, "next_change")) {
        (None, _) => {
            let (start, end) = (stamp(text(blackout, "start")), stamp(text(blackout, "end")));
            rest.push_str(&format!(" · {start} to {end}"));
        }
        (Some(rule), "-") => rest.push_str(&format!(" · {rule}")),
        (Some(rule), change) => {
            let word = if text(blackout, "status") == "active" { "until" } else { "from" };
            rest.push_str(&format!(" · {word} {} · {rule}", stamp(change)));
        }
    }
    if !text(blackout, "text").is_empty() {
        rest.push_str(&format!(" · {}", text(blackout, "text")));
    }
    let (id, status) = (plain(text(blackout, "id")), plain(text(blackout, "status")));
    writeln!(out, "{id} {status:<8} {}", fit(&plain(&rest), width().saturating_sub(46)))
}

/// A time in UTC to the second, as lists show it.
fn stamp(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}
