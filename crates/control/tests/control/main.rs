//! The control store on real files: what lasts, what is applied once, what is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod book;
mod crash;
mod rest;
mod tokens;

use std::path::PathBuf;

use bergfried_control::{BookChanges, BookRow, Control, Letter, Telling};
use bergfried_event::Timestamp;
use tempfile::TempDir;

/// A store in a directory of its own, which can be closed and opened again.
struct Store {
    directory: TempDir,
}

impl Store {
    fn new() -> Store {
        Store { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("control.db")
    }

    fn open(&self) -> Control {
        Control::open(&self.path()).unwrap()
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}

/// What one frame of findings changes: an alert, and what a channel is told of it.
fn frame(sequence: u64, channel: &str, said: &[&str]) -> BookChanges {
    let letter = |text: &&str| {
        Telling::Letter(Letter {
            channel: channel.to_owned(),
            route: "default".to_owned(),
            bundle: None,
            alert: Some("7".to_owned()),
            body: serde_json::json!({"id": "7", "text": text}).to_string(),
            due: at(0),
        })
    };
    BookChanges {
        at: at(0),
        revision: sequence,
        number: 1,
        applied: Some(sequence),
        alerts: vec![BookRow { number: 1, body: Some(sequence.to_string()) }],
        telling: said.iter().map(letter).collect(),
        ..BookChanges::default()
    }
}
