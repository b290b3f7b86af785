//! `db archive`: moves old events into another data directory.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bergfried_store::{Keeper, StoreError};
use clap::Args;

use super::{days_ago, events, work};

/// Which events, and where to.
#[derive(Args, Debug)]
pub(super) struct Archive {
    /// Events that happened so long ago, in whole days: 90d, 26w
    #[arg(long, value_name = "SPAN")]
    older_than: String,
    /// The archive: a data directory that `bergfried hub --data-dir` serves and `bergfried db` reads
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

pub(super) fn run(data_dir: &Path, arguments: &Archive, out: &mut dyn Write) -> anyhow::Result<()> {
    let before = days_ago(&arguments.older_than)?;
    let keeper = match Keeper::at_rest(&events(data_dir)?) {
        Err(StoreError::Locked { .. }) => {
            bail!("a hub uses {}: stop it, then archive", data_dir.display())
        }
        keeper => keeper?,
    };
    private(&arguments.to).with_context(|| format!("cannot make {}", arguments.to.display()))?;
    let archived = keeper.archive(&arguments.to.join("events"), before, work())?;
    writeln!(
        out,
        "{} events of before {} in {} segments ({} bytes) are in {}, and no longer here",
        archived.events,
        before.to_string().get(..10).unwrap_or_default(),
        archived.segments,
        archived.bytes,
        arguments.to.display()
    )?;
    Ok(())
}

/// Makes a directory that only its owner may look into.
pub(super) fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
