//! `bergfried db`: what is stored, and what is done with it as a whole.
//!
//! Each works on the directory of a hub that is stopped. `status`, `verify` and `compact` ask the hub
//! where one is running, `backup` copies beside it, `export` lets it write.

mod archive;
mod backup;
mod export;
mod look;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::{Context as _, bail};
use bergfried_event::Timestamp;
use bergfried_store::{Keeper, Stop, StoreError, Work};
use clap::{Args, Subcommand};

use crate::arguments::{HubChoice, default_data_dir};

/// Nothing here is stopped halfway but by a signal that ends the process: what was begun leaves no
/// trace then.
static STOP: LazyLock<Stop> = LazyLock::new(Stop::default);

/// Look after what is stored: sizes, proof, compaction, export, archive, backup.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried db status
  bergfried db verify
  bergfried db backup /srv/backup/bergfried-monday
  bergfried db restore /srv/backup/bergfried-monday --data-dir /var/lib/bergfried
  bergfried db archive --older-than 90d /srv/archive/bergfried
  bergfried db export 'user:root' --last 30d --format parquet --output root.parquet")]
pub(crate) struct Db {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Say what is stored of each day
    Status,
    /// Prove that nothing was altered or removed but by retention and archives
    Verify {
        /// A value that the chain had once, as `status` or `verify` said it then
        #[arg(long, value_name = "HEX", default_value = "", hide_default_value = true)]
        known: String,
    },
    /// Join small segments now
    Compact,
    /// Write what a search finds to a file that other programs read
    Export(export::Export),
    /// Move old events into another directory, and remove them here once they are safe there
    Archive(archive::Archive),
    /// Copy everything to a new directory, also while the hub runs
    Backup {
        /// The directory to make
        #[arg(value_name = "DIR")]
        to: PathBuf,
    },
    /// Put a backup into an empty data directory, after every file of it was checked
    Restore {
        /// The backup
        #[arg(value_name = "BACKUP")]
        from: PathBuf,
    },
}

pub(crate) fn run(arguments: &Db, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let hub = &arguments.hub;
    match &arguments.action {
        Action::Status => look::status(hub, out)?,
        Action::Verify { known } => return look::verify(hub, known, out),
        Action::Compact => look::compact(hub, out)?,
        Action::Export(export) => export::run(hub, export, out)?,
        Action::Archive(archive) => archive::run(&data_dir(hub), archive, out)?,
        Action::Backup { to } => backup::backup(&data_dir(hub), to, out)?,
        Action::Restore { from } => backup::restore(from, &data_dir(hub), out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn data_dir(hub: &HubChoice) -> PathBuf {
    hub.data_dir.clone().unwrap_or_else(default_data_dir)
}

/// The store of a hub that is stopped; `None` where one is running, here or at the URL given.
fn at_rest(hub: &HubChoice) -> anyhow::Result<Option<Keeper>> {
    if hub.url.is_some() {
        return Ok(None);
    }
    let events = events(&data_dir(hub))?;
    match Keeper::at_rest(&events) {
        Ok(keeper) => Ok(Some(keeper)),
        Err(StoreError::Locked { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The events of a data directory.
fn events(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let events = data_dir.join("events");
    if !events.is_dir() {
        bail!("cannot use {}: no hub or archive keeps its events there", data_dir.display());
    }
    Ok(events)
}

fn work() -> Work<'static> {
    Work { now: now(), stop: &STOP }
}

fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}

/// A span of time such as `90d` before now.
fn ago(text: &str) -> anyhow::Result<Timestamp> {
    let micros = bergfried_query::search::duration(text)
        .with_context(|| format!("`{}` is no span of time such as 90d", text.escape_debug()))?;
    Ok(now().plus_micros(-micros))
}

/// As [`ago`], at the start of its day.
fn days_ago(text: &str) -> anyhow::Result<Timestamp> {
    let day = ago(text)?.day();
    Ok(Timestamp::from_micros(day.saturating_mul(Timestamp::DAY)))
}
