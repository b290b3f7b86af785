//! `bergfried notify`: whether people are told, and which route an alert would take.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::plain;

/// Test notification channels, see what waits or was given up, and try routes without telling anybody.
#[derive(Args, Debug)]
#[command(
    after_help = "Channels and routes are configured in the hub's file (bergfried hub --config FILE):
  [[notify]]
  name = \"ops\"
  type = \"slack\"          # or email, telegram, webhook, exec
  url = \"https://hooks.slack.com/services/...\"
  min_severity = \"medium\"

  [[route]]
  when = \"environment:Production\"
  channels = [\"ops\"]
  quiet_hours = \"22:00-07:00\"

Examples:
  bergfried notify test ops
  bergfried notify list
  bergfried notify resend 12
  bergfried notify route --severity critical --service sshd
  bergfried notify route --alert 0190f1a2"
)]
pub(crate) struct Notify {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Send a test message over a channel, or over each, and say whether it was taken
    Test {
        /// The channel's name; absent: every channel
        name: Option<String>,
    },
    /// Show channels, routes, queues and dead letters as JSON
    List,
    /// Show dead letters
    Dead,
    /// Send a dead letter again
    Resend {
        /// The dead letter's id, from `bergfried notify dead`
        id: u64,
    },
    /// Say which routes an alert would take now, and why; nobody is told
    Route(Wanted),
}

/// The alert that it is about: one that there is, or one that is thought up.
#[derive(Args, Debug)]
struct Wanted {
    /// An alert that there is, by its id or the beginning of it
    #[arg(long, value_name = "ID", conflicts_with_all = ["severity", "environment", "resource", "event", "service", "group", "text", "field"])]
    alert: Option<String>,
    /// How bad it is
    #[arg(long, value_name = "WORD")]
    severity: Option<String>,
    /// Where it belongs
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// What it is about
    #[arg(long, value_name = "NAME")]
    resource: Option<String>,
    /// What happened there
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// What suffers; may be given several times
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,
    /// What kind of thing it is about
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// The sentence for a person
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Any other field that a route can ask for, such as tags=lab or user.name=root
    #[arg(value_name = "NAME=VALUE")]
    field: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Notify, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.action {
        Action::Test { name: Some(name) } => test(&client, name, out)?,
        Action::Test { name: None } => return test_all(&client, out),
        Action::List => print_json(&client.get::<Value>("notify", &[])?, out)?,
        Action::Dead => dead(&client, out)?,
        Action::Resend { id } => {
            client.post_empty(&format!("notify/dead/{id}/resend"))?;
            writeln!(out, "due again: {id}")?;
        }
        Action::Route(wanted) => route(&client, wanted, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn test(client: &Client, name: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    anyhow::ensure!(
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)),
        "a channel's name has only letters, digits, `.`, `_` and `-`"
    );
    client.post::<Value>(&format!("notify/{name}/test"), None)?;
    writeln!(out, "delivered over {name}")?;
    Ok(())
}

fn test_all(client: &Client, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let queues: Queues = client.get("notify", &[])?;
    anyhow::ensure!(!queues.channels.is_empty(), "no channel is configured");
    let mut failed = false;
    for channel in &queues.channels {
        if let Err(error) = test(client, &channel.name, out) {
            failed = true;
            writeln!(out, "{}", plain(&error.to_string()))?;
        }
    }
    Ok(if failed { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

#[derive(Deserialize)]
struct Queues {
    channels: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Dead {
    id: u64,
    channel: String,
    route: String,
    alert_id: Option<String>,
    created: String,
    attempts: u32,
    error: String,
}

fn dead(client: &Client, out: &mut dyn Write) -> anyhow::Result<()> {
    let letters: Vec<Dead> = client.get("notify/dead", &[])?;
    for letter in letters {
        let about = letter.alert_id.map(|id| format!(" about alert {id}")).unwrap_or_default();
        let said = format!(
            "{} {} over {} by route {}{about}, tried {} times: {}",
            letter.id, letter.created, letter.channel, letter.route, letter.attempts, letter.error
        );
        writeln!(out, "{}", plain(&said))?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Routes {
    routes: Vec<Explained>,
}

#[derive(Deserialize)]
struct Explained {
    route: String,
    takes: bool,
    skipped: bool,
    asked: Vec<Asked>,
    channels: Vec<Told>,
    then: Vec<String>,
    max_per_hour: Option<u32>,
    continues: bool,
}

#[derive(Deserialize)]
struct Asked {
    condition: String,
    saw: String,
    held: bool,
}

#[derive(Deserialize)]
struct Told {
    channel: String,
    told: bool,
    due: Option<String>,
    why: String,
}

fn route(client: &Client, wanted: &Wanted, out: &mut dyn Write) -> anyhow::Result<()> {
    let body = match &wanted.alert {
        Some(id) => json!({"alert": id}),
        None => json!({"fields": fields(wanted)?}),
    };
    let answer: Value = client.post("notify/route", Some(&body))?;
    if wanted.json {
        return print_json(&answer, out);
    }
    let answer: Routes = serde_json::from_value(answer)?;
    if answer.routes.is_empty() {
        writeln!(out, "there is no route and no channel: nobody is told")?;
    }
    for route in answer.routes {
        write_route(&route, out)?;
    }
    Ok(())
}

fn write_route(route: &Explained, out: &mut dyn Write) -> anyhow::Result<()> {
    let verdict = match (route.takes, route.skipped) {
        (true, _) if route.continues => "takes it, the next are asked too",
        (true, _) => "takes it",
        (false, true) => "is not asked, one before took it",
        (false, false) => "does not want it",
    };
    writeln!(out, "{}: {verdict}", plain(&route.route))?;
    for asked in &route.asked {
        let held = if asked.held { "yes" } else { "no " };
        writeln!(out, "  {held} {} (is {})", plain(&asked.condition), plain(&asked.saw))?;
    }
    for told in &route.channels {
        let channel = plain(&told.channel);
        match (&told.due, told.told) {
            (Some(due), true) => {
                writeln!(out, "  → {channel} at {}: {}", plain(due), plain(&told.why))?;
            }
            _ => writeln!(out, "  × {channel}: {}", plain(&told.why))?,
        }
    }
    if let (true, Some(limit)) = (route.takes, route.max_per_hour) {
        writeln!(out, "  at most {limit} messages an hour over each, a digest tells of the rest")?;
    }
    for then in &route.then {
        writeln!(out, "  then {}", plain(then))?;
    }
    Ok(())
}

fn fields(wanted: &Wanted) -> anyhow::Result<Vec<(String, String)>> {
    let mut fields = Vec::new();
    for (name, value) in [
        ("severity", &wanted.severity),
        ("environment", &wanted.environment),
        ("resource", &wanted.resource),
        ("event", &wanted.event),
        ("group", &wanted.group),
        ("text", &wanted.text),
    ] {
        if let Some(value) = value {
            fields.push((name.to_owned(), value.clone()));
        }
    }
    fields.extend(wanted.service.iter().map(|value| ("service".to_owned(), value.clone())));
    for field in &wanted.field {
        let Some((name, value)) = field.split_once('=') else {
            anyhow::bail!("`{}` is no NAME=VALUE", plain(field));
        };
        fields.push((name.to_owned(), value.to_owned()));
    }
    Ok(fields)
}

fn print_json(value: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)?;
    Ok(())
}
