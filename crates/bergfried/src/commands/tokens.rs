//! `bergfried tokens`: keys and tokens of a hub.

use std::io::Write;
use std::num::NonZeroU64;
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
  bergfried tokens create agent lab --max-events-per-second 2000 --max-body 4MiB
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
        #[command(flatten)]
        limits: Limits,
    },
    /// List keys and tokens, without their secrets
    List,
    /// Revoke a token at once
    Revoke {
        /// The token's id, from `bergfried tokens list`
        id: u64,
    },
}

/// What the bearer of an agent, hub or heimdall token may send at most; more is answered with 429 and Retry-After.
#[derive(Args, Debug)]
struct Limits {
    /// Agent and heimdall tokens: the most records in a second, on average
    #[arg(long, value_name = "N")]
    max_events_per_second: Option<NonZeroU64>,
    /// Agent and heimdall tokens: the most bytes in a second, decompressed, on average (1000, 64KiB, 10MiB)
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_bytes_per_second: Option<NonZeroU64>,
    /// Agent and heimdall tokens: the largest body of one request, decompressed (at most 32MiB, as for all)
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_body: Option<NonZeroU64>,
}

impl Limits {
    fn to_json(&self) -> Value {
        let mut limits = Map::new();
        for (name, limit) in [
            ("max_events_per_second", self.max_events_per_second),
            ("max_bytes_per_second", self.max_bytes_per_second),
            ("max_body", self.max_body),
        ] {
            limits.extend(limit.map(|limit| (name.to_owned(), json!(limit))));
        }
        Value::Object(limits)
    }
}

/// A number of bytes: `1000`, `64KiB`, `10MiB`, `1GiB`.
fn size(text: &str) -> Result<NonZeroU64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("expected a number of bytes, or one with KiB, MiB or GiB".to_owned()),
    };
    let number: NonZeroU64 = digits.parse().map_err(|_| {
        "expected a whole number from 1 up, alone or with KiB, MiB or GiB".to_owned()
    })?;
    let unit = NonZeroU64::new(unit).unwrap_or(NonZeroU64::MIN);
    number.checked_mul(unit).ok_or_else(|| "the number is too large".to_owned())
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Send records
    Agent,
    /// Send events as another hub (`type = "bergfried"` in its hub.toml)
    Hub,
    /// Everything
    Admin,
    /// Report logins over the Watchtower protocol
    Watchtower,
    /// Send and read events over Heimdall's protocol (its `api-key`), and send records as an agent
    Heimdall,
}

pub(crate) fn run(arguments: &Tokens, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.action {
        Action::Create { kind, name, limits } => {
            let kind = match kind {
                Kind::Agent => "agent",
                Kind::Hub => "hub",
                Kind::Admin => "admin",
                Kind::Watchtower => "watchtower",
                Kind::Heimdall => "heimdall",
            };
            let new = json!({"kind": kind, "name": name, "limits": limits.to_json()});
            let made: Map<String, Value> = client.post("tokens", Some(&new))?;
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
                    "{:>4} {:<10} {state:<8} last used {:<27} {}{}",
                    text("id"),
                    text("kind"),
                    text("last_used"),
                    text("name"),
                    limits(&token)
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

/// The limits of a listed token, and how often they refused something; empty where it has none.
fn limits(token: &Map<String, Value>) -> String {
    let number = |group: &str, name: &str| token.get(group)?.get(name)?.as_u64();
    let mut text = String::new();
    for (name, unit) in [
        ("max_events_per_second", "events/s"),
        ("max_bytes_per_second", "bytes/s"),
        ("max_body", "bytes a body"),
    ] {
        if let Some(limit) = number("limits", name) {
            text.push_str(if text.is_empty() { "  at most " } else { ", " });
            text.push_str(&format!("{limit} {unit}"));
        }
    }
    if let Some(times @ 1..) = number("sent", "limited") {
        text.push_str(&format!("  refused {times}x"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("1", 1), ("7B", 7), ("64KiB", 65_536), ("10MiB", 10 << 20)] {
            assert_eq!(size(text).unwrap().get(), bytes, "{text}");
        }
        for text in ["", "0", "-1", "1.5MiB", "MiB", "1MB", "1 MiB", "99999999999999999GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
