//! `bergfried tokens`: keys and tokens of a hub.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::plain;

/// Make, list and revoke the keys and tokens of a hub.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried tokens create agent web-01     # prints the token, once
  bergfried tokens list
  bergfried tokens revoke 4")]
pub(crate) struct Tokens {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Make a token and print it; it is not kept and cannot be shown again
    Create {
        /// What it is for
        kind: Kind,
        /// Whose it is
        name: String,
    },
    /// List keys and tokens, without their secrets
    List,
    /// Revoke a token at once
    Revoke {
        /// The token's id, from `bergfried tokens list`
        id: u64,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Send records
    Agent,
    /// Everything
    Admin,
    /// Report logins over the Watchtower protocol
    Watchtower,
}

pub(crate) fn run(arguments: &Tokens, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.action {
        Action::Create { kind, name } => {
            let kind = match kind {
                Kind::Agent => "agent",
                Kind::Admin => "admin",
                Kind::Watchtower => "watchtower",
            };
            let made: Map<String, Value> =
                client.post("tokens", Some(&json!({"kind": kind, "name": name})))?;
            writeln!(
                out,
                "{}",
                plain(made.get("secret").and_then(Value::as_str).unwrap_or_default())
            )?;
        }
        Action::List => {
            for token in client.get::<Vec<Map<String, Value>>>("tokens", &[])? {
                let text = |name: &str| match token.get(name) {
                    None | Some(Value::Null) => "-".to_owned(),
                    Some(Value::String(text)) => plain(text),
                    Some(other) => other.to_string(),
                };
                let state = if text("revoked") == "-" { "live" } else { "revoked" };
                writeln!(
                    out,
                    "{:>4} {:<10} {state:<8} last used {:<27} {}",
                    text("id"),
                    text("kind"),
                    text("last_used"),
                    text("name")
                )?;
            }
        }
        Action::Revoke { id } => {
            client.delete(&format!("tokens/{id}"))?;
            writeln!(out, "revoked: {id}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
