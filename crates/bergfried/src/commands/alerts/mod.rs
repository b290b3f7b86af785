//! `bergfried alerts`: what people work on.

mod act;
mod list;
mod show;
mod why;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use bergfried_event::{Severity, Timestamp};
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::exceptions::{Except, except};
use super::printed::{objects, text};
use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::{colours, fit, paint, plain, width};

/// List alerts, explain them, and say what becomes of them.
///
/// An alert is named by its id, or by so much of the beginning that it is the only one (at least 8
/// characters); several may be named at once.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried alerts
  bergfried alerts list --status all --min-severity high --format json
  bergfried alerts list --query 'resource:web* AND NOT service:cron' --follow
  bergfried alerts why 4d1f0c2e
  bergfried alerts ack 4d1f0c2e 90b1a733 --text 'looking into it' --for 2h
  bergfried alerts shelve 4d1f0c2e --for 7d --text 'until the new firewall is here'
  bergfried alerts close 4d1f0c2e
  bergfried alerts except 4d1f0c2e --user --host --reason 'nightly backup' --for 30d")]
pub(crate) struct Alerts {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List alerts, the one seen last first (what `bergfried alerts` alone does)
    List(list::List),
    /// Show all that is known of alerts
    Show(show::Show),
    /// Explain an alert: its rule, what matched, the events, who is told, what is like it
    Why(why::Why),
    /// Never again, for a time: shows what an exception would have hidden, asks, and makes it
    Except(Except),
    #[command(flatten)]
    Act(act::Act),
}

pub(crate) fn run(arguments: &Alerts, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.action {
        None => list::run(&client, &list::List::default(), out)?,
        Some(Action::List(wanted)) => list::run(&client, wanted, out)?,
        Some(Action::Show(wanted)) => show::run(&client, wanted, out)?,
        Some(Action::Why(wanted)) => why::run(&client, wanted, out)?,
        Some(Action::Except(wanted)) => return except(&client, wanted, out),
        Some(Action::Act(act)) => return act::run(&client, act, out),
    }
    Ok(ExitCode::SUCCESS)
}

/// An alert as the hub's API shows it.
type Alert = Map<String, Value>;

/// The alert that an id, or the beginning of one, means.
fn get(client: &Client, id: &str) -> anyhow::Result<Alert> {
    client.get(&path(id, ""), &[])
}

/// The path of an alert; what is no part of a path is written as one.
fn path(id: &str, action: &str) -> String {
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("alerts/{}{action}", id.replace('+', "%20"))
}

/// An alert on one line of the terminal.
fn row(alert: &Alert, out: &mut dyn Write) -> std::io::Result<()> {
    let count = alert.get("count").and_then(Value::as_u64).unwrap_or(0);
    let mut rest = format!(
        "{:<8} {:<7} {count}x {} on {}",
        since(text(alert, "last_seen")),
        text(alert, "status"),
        text(alert, "event"),
        text(alert, "resource"),
    );
    for (word, field) in [("from", "sources"), ("user", "users")] {
        if let Some(names) = seen(alert, field) {
            rest = format!("{rest} · {word} {names}");
        }
    }
    let severity = severity(alert);
    writeln!(
        out,
        "{} {} {}",
        plain(text(alert, "id").get(..8).unwrap_or_default()),
        paint(severity, &format!("{:<13}", severity.name()), colours()),
        fit(&plain(&rest), width().saturating_sub(23))
    )
}

/// The first of the names that an alert has seen, and how many more there are.
fn seen(alert: &Alert, field: &str) -> Option<String> {
    let seen = alert.get(field)?;
    let names = seen.get("names")?.as_array()?;
    let first = names.first()?.as_str()?;
    let overflow = seen.get("overflow").and_then(Value::as_u64).unwrap_or(0);
    match names.len() as u64 - 1 + overflow {
        0 => Some(first.to_owned()),
        more => Some(format!("{first} and {more} more")),
    }
}

fn severity(alert: &Alert) -> Severity {
    text(alert, "severity").parse().unwrap_or_default()
}

/// How long ago a time is, in one unit.
fn since(time: &str) -> String {
    let now = Timestamp::from(jiff::Timestamp::now());
    time.parse::<Timestamp>().map_or_else(|_| "-".to_owned(), |time| ago(now.since(time)))
}

fn ago(micros: i64) -> String {
    let seconds = micros / Timestamp::SECOND;
    let (number, unit) = match seconds {
        // A clock may be a little ahead of the hub's.
        ..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "min"),
        3_600..86_400 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{number} {unit} ago")
}

/// A time and how long ago that is.
fn when(time: &str) -> String {
    let second = time.get(..19).unwrap_or(time).replace('T', " ");
    format!("{second} ({})", since(time))
}

/// The events of a stream, one after the other.
///
/// # Errors
/// Where the connection ends or what comes over it is no stream of events.
struct Stream<R> {
    lines: std::io::Lines<R>,
    /// The id of the last event.
    last: Option<String>,
}

impl<R: std::io::BufRead> Stream<R> {
    /// The next event's name and data; none where the stream ended.
    fn next(&mut self) -> anyhow::Result<Option<(String, Value)>> {
        let (mut event, mut data) = (String::new(), None);
        for line in self.lines.by_ref() {
            let line = line.context("the connection to the hub ended")?;
            if line.is_empty() {
                if let Some(data) = data.take() {
                    return Ok(Some((event, data)));
                }
                continue;
            }
            match line.split_once(": ") {
                Some(("id", id)) => self.last = Some(id.to_owned()),
                Some(("event", name)) => name.clone_into(&mut event),
                Some(("data", text)) => data = Some(serde_json::from_str(text)?),
                _ => {}
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufRead as _;

    use super::*;

    #[test]
    fn times_are_for_people() {
        for (seconds, said) in [
            (-5, "just now"),
            (59, "just now"),
            (61, "1 min ago"),
            (7_199, "1 h ago"),
            (200_000, "2 d ago"),
        ] {
            assert_eq!(ago(seconds * Timestamp::SECOND), said);
        }
    }

    #[test]
    fn a_stream_is_read_event_by_event() {
        let text = "retry: 5\n\nid: 7\nevent: alert\ndata: {\"id\":\"a\"}\n\n: still here\nid: 9\n\n\
                    event: end\ndata: {}\n\nevent: cut\ndata: 1\n";
        let mut stream = Stream { lines: text.as_bytes().lines(), last: None };
        let (event, data) = stream.next().unwrap().unwrap();
        assert_eq!(
            (event.as_str(), &data["id"], stream.last.as_deref()),
            ("alert", &"a".into(), Some("7"))
        );
        assert_eq!(stream.next().unwrap().unwrap().0, "end");
        assert_eq!(stream.last.as_deref(), Some("9"));
        assert_eq!(stream.next().unwrap(), None);
    }
}
