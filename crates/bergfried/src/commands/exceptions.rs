//! `bergfried exceptions`: findings of which no alert is made; and `bergfried alerts except`, which
//! makes them.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::heartbeat::in_path;
use super::printed::{Format, objects, text};
use crate::arguments::{HubChoice, seconds};
use crate::client::Client;
use crate::terminal::{fit, plain, width};

/// List and remove exceptions: findings of which no alert is made.
///
/// `bergfried alerts except` makes one from an alert.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried alerts except 4d1f0c2e --user --host --reason 'nightly backup' --for 30d
  bergfried exceptions list
  bergfried exceptions remove 4c2f93c0")]
pub(crate) struct Exceptions {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List exceptions, also expired ones
    List {
        /// How to print them
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Take an exception away: such findings make alerts again
    Remove {
        /// Its id, or its first 8 characters or more
        id: String,
    },
}

/// Which findings of an alert's rule are an exception, why, and for how long.
#[derive(Args, Debug)]
pub(super) struct Except {
    /// The alert's id, or its first 8 characters or more
    id: String,
    /// Of the alert's user [default: user and host]
    #[arg(long)]
    user: bool,
    /// On the alert's host
    #[arg(long)]
    host: bool,
    /// From the alert's source
    #[arg(long)]
    source: bool,
    /// Where another field is as in the alert, such as process.command_line
    #[arg(long = "field", value_name = "NAME")]
    fields: Vec<String>,
    /// Why such findings mean nothing
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who answers for it [default: the name of the key]
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// When it ends by itself: 12h, 30d, at most three years
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    lasts: u32,
    /// How many days the preview looks back
    #[arg(long, value_name = "N", default_value_t = 30)]
    days: u32,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(arguments: &Exceptions, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.action {
        Action::List { format } => {
            let exceptions: Vec<Map<String, Value>> = client.get("exceptions", &[])?;
            objects(&exceptions, *format, "no exceptions", row, out)?;
        }
        Action::Remove { id } => {
            client.delete(&format!("exceptions/{}", in_path(id)?))?;
            writeln!(out, "removed: {}", plain(id))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows what an exception would have hidden, asks, and makes it.
pub(super) fn except(
    client: &Client,
    wanted: &Except,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let named =
        [(wanted.user, "user.name"), (wanted.host, "host.name"), (wanted.source, "source.ip")];
    let named = named.iter().filter(|(named, _)| *named).map(|(_, name)| (*name).to_owned());
    let fields: Vec<String> = named.chain(wanted.fields.iter().cloned()).collect();
    let tried = json!({"alert": wanted.id, "fields": fields, "days": wanted.days});
    let preview: Map<String, Value> = client.post("exceptions/preview", Some(&tried))?;
    show(&preview, wanted.days, out)?;
    if !wanted.yes && !agreed(out)? {
        writeln!(out, "nothing was changed")?;
        return Ok(ExitCode::FAILURE);
    }
    // What was shown is what is made, also if the alert has changed since.
    let new = json!({
        "rules": preview.get("rules"), "when": preview.get("when"), "owner": wanted.owner,
        "reason": wanted.reason, "for": format!("{}s", wanted.lasts),
    });
    let made: Map<String, Value> = client.post("exceptions", Some(&new))?;
    writeln!(out, "exception {} until {}", text(&made, "id"), text(&made, "expires"))?;
    Ok(ExitCode::SUCCESS)
}

fn show(preview: &Map<String, Value>, days: u32, out: &mut dyn Write) -> anyhow::Result<()> {
    let number = |name: &str| preview.get(name).and_then(Value::as_u64).unwrap_or(0);
    writeln!(out, "no alert of {} where {}", rules(preview), plain(text(preview, "when")))?;
    writeln!(
        out,
        "in the last {days} days: {} findings, of which {} would have been hidden and {} stay",
        number("findings"),
        number("hidden"),
        number("stay"),
    )?;
    if let Some(Value::String(reason)) = preview.get("cut") {
        writeln!(out, "only until {}: {}", text(preview, "to"), plain(reason))?;
    }
    for (word, name) in [("hidden", "hidden_examples"), ("stays", "stay_examples")] {
        for finding in preview.get(name).and_then(Value::as_array).into_iter().flatten() {
            let Some(finding) = finding.as_object() else { continue };
            let time = text(finding, "last_seen").get(..19).unwrap_or_default().replace('T', " ");
            let line = format!("{time} {}", text(finding, "example"));
            writeln!(out, "  {word:<6} {}", fit(&plain(&line), width().saturating_sub(9)))?;
        }
    }
    Ok(())
}

/// Whether a person says yes; no answer is no.
fn agreed(out: &mut dyn Write) -> anyhow::Result<bool> {
    write!(out, "make this exception? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn row(exception: &Map<String, Value>, out: &mut dyn Write) -> io::Result<()> {
    let live = exception.get("live").and_then(Value::as_bool).unwrap_or(false);
    let rest = format!(
        "{} {} · {} hits · {}: {} · {} where {}",
        if live { "until" } else { "ended" },
        text(exception, "expires").get(..10).unwrap_or_default(),
        exception.get("hits").and_then(Value::as_u64).unwrap_or(0),
        text(exception, "owner"),
        text(exception, "reason"),
        rules(exception),
        text(exception, "when"),
    );
    let id = text(exception, "id").get(..8).unwrap_or_default();
    writeln!(out, "{id} {}", fit(&plain(&rest), width().saturating_sub(9)))
}

fn rules(object: &Map<String, Value>) -> String {
    let rules = object.get("rules").and_then(Value::as_array).into_iter().flatten();
    let rules: Vec<&str> = rules.filter_map(Value::as_str).collect();
    if rules.is_empty() { "any rule".to_owned() } else { plain(&rules.join(", ")) }
}
