//! `bergfried notify`: whether people are told.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::arguments::HubChoice;
use crate::client::Client;

/// Test notification channels, and see what waits or was given up.
#[derive(Args, Debug)]
#[command(after_help = "Channels are configured in the hub's file (bergfried hub --config FILE):
  [[notify]]
  name = \"ops\"
  type = \"slack\"          # or \"webhook\"
  url = \"https://hooks.slack.com/services/...\"
  min_severity = \"medium\"

Examples:
  bergfried notify test ops
  bergfried notify list
  bergfried notify resend 12")]
pub(crate) struct Notify {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Send a test message over a channel, and say whether it was taken
    Test {
        /// The channel's name
        name: String,
    },
    /// Show channels, queues and dead letters as JSON
    List,
    /// Send a dead letter again
    Resend {
        /// The dead letter's id, from `bergfried notify list`
        id: u64,
    },
}

pub(crate) fn run(arguments: &Notify, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.action {
        Action::Test { name } => {
            anyhow::ensure!(
                name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)),
                "a channel's name has only letters, digits, `.`, `_` and `-`"
            );
            client.post::<Value>(&format!("notify/{name}/test"), None)?;
            writeln!(out, "delivered over {name}")?;
        }
        Action::List => {
            let queues: Value = client.get("notify", &[])?;
            serde_json::to_writer_pretty(&mut *out, &queues)?;
            writeln!(out)?;
        }
        Action::Resend { id } => {
            client.post_empty(&format!("notify/dead/{id}/resend"))?;
            writeln!(out, "due again: {id}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
