//! `bergfried alerts ack`, `close`, `shelve` and the other things that people do.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Alert, Client, path, text};
use crate::arguments::seconds;
use crate::terminal::plain;

#[derive(Subcommand, Debug)]
pub(super) enum Act {
    /// Acknowledge alerts: somebody looks at them
    Ack(ForATime),
    /// End the acknowledgement of alerts
    Unack(Why),
    /// Put alerts aside for a time
    Shelve(ForATime),
    /// Take alerts back from the shelf
    Unshelve(Why),
    /// Open alerts again
    Open(Why),
    /// Close alerts; what is found later opens them again
    Close(Why),
    /// Write down who alerts are for
    Assign {
        #[command(flatten)]
        ids: Ids,
        /// Who they are for
        #[arg(long, value_name = "NAME")]
        to: String,
    },
    /// Write a note beside alerts
    Note {
        #[command(flatten)]
        ids: Ids,
        /// What it says
        #[arg(long, short = 't', value_name = "TEXT")]
        text: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct Ids {
    /// Ids, or their beginnings
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

#[derive(Args, Debug)]
pub(super) struct Why {
    #[command(flatten)]
    ids: Ids,
    /// Why, for the history
    #[arg(long, short = 't', value_name = "TEXT")]
    text: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct ForATime {
    #[command(flatten)]
    why: Why,
    /// For how long, such as 30m, 2h or 7d [default: what the hub's settings say]
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    time: Option<u32>,
}

impl Act {
    /// The word in the API, the alerts and what to say of them.
    fn request(&self) -> (&'static str, &Ids, Value) {
        let why = |why: &Why, time: Option<u32>| {
            let mut body = serde_json::Map::new();
            body.extend(why.text.clone().map(|text| ("text".to_owned(), text.into())));
            body.extend(time.map(|time| ("timeout".to_owned(), time.into())));
            Value::Object(body)
        };
        match self {
            Act::Ack(act) => ("ack", &act.why.ids, why(&act.why, act.time)),
            Act::Shelve(act) => ("shelve", &act.why.ids, why(&act.why, act.time)),
            Act::Unack(act) => ("unack", &act.ids, why(act, None)),
            Act::Unshelve(act) => ("unshelve", &act.ids, why(act, None)),
            Act::Open(act) => ("open", &act.ids, why(act, None)),
            Act::Close(act) => ("close", &act.ids, why(act, None)),
            Act::Assign { ids, to } => {
                ("assign", ids, json!({"text": format!("assigned to {to}")}))
            }
            Act::Note { ids, text } => ("note", ids, json!({"text": text})),
        }
    }
}

/// Does it to each alert by itself: what one refuses, others may take.
pub(super) fn run(client: &Client, act: &Act, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let (word, ids, body) = act.request();
    let mut code = ExitCode::SUCCESS;
    for id in &ids.ids {
        match client.post::<Alert>(&path(id, &format!("/{word}")), Some(&body)) {
            Ok(alert) => {
                let short = text(&alert, "id").get(..8).unwrap_or_default();
                let said = format!("{short} {}: {}", text(&alert, "status"), text(&alert, "text"));
                writeln!(out, "{}", plain(&said))?;
            }
            Err(error) => {
                out.flush()?;
                crate::complain(&format!("cannot {word} {}: {error:#}", plain(id)));
                code = ExitCode::from(2);
            }
        }
    }
    Ok(code)
}
