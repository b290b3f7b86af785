//! `bergfried users`: who may sign in to a hub, whether it runs or not.

use std::io::{BufRead as _, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bergfried_control::Secret;
use bergfried_hub::{AlertaSettings, StoppedHub};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::arguments::{HubChoice, default_data_dir};
use crate::client::Client;
use crate::terminal::plain;

/// List, make and delete the people who may sign in, and set their passwords.
///
/// The password is the first line of the standard input; on a terminal one is made and printed.
/// Asks the hub; where none runs on the data directory, changes it there, with the settings of
/// Alerta's API that the hub runs with: which roles there are depends on them.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried users add ann --role operator          # makes a password and prints it
  pass show ann | bergfried users add ann --role admin
  bergfried users passwd ann
  bergfried users list")]
pub(crate) struct Users {
    #[command(subcommand)]
    action: Action,
    /// Settings of Alerta's API that the hub runs with (JSON), for where it does not run
    #[arg(long, value_name = "FILE", global = true)]
    alerta_config: Option<PathBuf>,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Make a user
    Add {
        /// What they sign in with
        name: String,
        /// What they may do
        #[arg(long, value_enum, default_value = "viewer")]
        role: Role,
    },
    /// List the users
    List,
    /// Set a user's password, which signs them out everywhere
    Passwd {
        /// What they sign in with
        name: String,
    },
    /// Delete a user
    Delete {
        /// What they sign in with
        name: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// Read
    Viewer,
    /// Also work on alerts
    Operator,
    /// Everything
    Admin,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

/// The hub, as it is reached.
enum Hub {
    Running(Box<Client>),
    Stopped(Box<StoppedHub>),
}

pub(crate) fn run(arguments: &Users, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let hub = match stopped(&arguments.hub, arguments.alerta_config.as_deref())? {
        Some(hub) => Hub::Stopped(Box::new(hub)),
        None => Hub::Running(Box::new(Client::new(&arguments.hub)?)),
    };
    match &arguments.action {
        Action::Add { name, role } => {
            let password = password()?;
            let role = role.name();
            match &hub {
                Hub::Stopped(hub) => hub.add_user(name, role, password.text())?,
                Hub::Running(client) => {
                    let new = json!({"name": name, "role": role, "password": password.text()});
                    client.post::<Value>("users", Some(&new)).map(drop)?;
                }
            }
            password.tell(out)?;
            writeln!(out, "made: {}, {role}", plain(name))?;
        }
        Action::Passwd { name } => {
            let password = password()?;
            match &hub {
                Hub::Stopped(hub) => hub.set_password(name, password.text())?,
                Hub::Running(client) => {
                    let changed = json!({"password": password.text()});
                    client.patch::<Value>(&path(name), &changed).map(drop)?;
                }
            }
            password.tell(out)?;
            writeln!(out, "changed: {}", plain(name))?;
        }
        Action::Delete { name } => {
            match &hub {
                Hub::Stopped(hub) => hub.delete_user(name)?,
                Hub::Running(client) => client.delete(&path(name))?,
            }
            writeln!(out, "deleted: {}", plain(name))?;
        }
        Action::List => {
            let users = match &hub {
                Hub::Stopped(hub) => hub.users(),
                Hub::Running(client) => client.get::<Vec<Value>>("users", &[])?,
            };
            for user in &users {
                list(user.as_object().unwrap_or(&Map::new()), out)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The hub of the data directory, where none runs on it and none is named.
pub(crate) fn stopped(
    choice: &HubChoice,
    alerta_config: Option<&Path>,
) -> anyhow::Result<Option<StoppedHub>> {
    if choice.url.is_some() {
        return Ok(None);
    }
    let settings = alerta_config.map(AlertaSettings::read).transpose()?.unwrap_or_default();
    let data_dir = choice.data_dir.clone().unwrap_or_else(default_data_dir);
    Ok(StoppedHub::open(&data_dir, settings)?)
}

fn path(name: &str) -> String {
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    format!("users/{encoded}")
}

/// A password, and whether nobody knows it yet.
enum Password {
    Given(Secret),
    Made(Secret),
}

impl Password {
    fn text(&self) -> &str {
        match self {
            Password::Given(secret) | Password::Made(secret) => secret.expose(),
        }
    }

    fn tell(&self, out: &mut dyn Write) -> std::io::Result<()> {
        match self {
            Password::Given(_) => Ok(()),
            Password::Made(secret) => writeln!(out, "password: {}", secret.expose()),
        }
    }
}

/// The first line of the standard input; from a terminal, where it would be seen, none is read.
fn password() -> anyhow::Result<Password> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Ok(Password::Made(Secret::random()?));
    }
    let mut line = String::new();
    input.lock().read_line(&mut line).context("cannot read the password")?;
    Ok(Password::Given(Secret::new(line.trim_end_matches(['\r', '\n']))))
}

fn list(user: &Map<String, Value>, out: &mut dyn Write) -> std::io::Result<()> {
    let text = |name: &str| match user.get(name) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => plain(text),
        Some(other) => other.to_string(),
    };
    let state = if user.get("active") == Some(&Value::Bool(true)) { "active" } else { "locked" };
    writeln!(
        out,
        "{:<24} {:<9} {state:<7} last login {}",
        text("name"),
        text("role"),
        text("last_login")
    )
}
