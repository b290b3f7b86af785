//! `db backup` and `db restore`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context as _, bail};
use bergfried_control::Control;
use bergfried_store::{Bundle, Keeper, StoreError};

use super::archive::private;
use super::{STOP, events, now};

/// The control database in a data directory.
const CONTROL: &str = "control.sqlite";
/// What else of a data directory a hub needs to go on as it was. The state of an agent beside it and
/// the address are of this machine, what rules remember is of this moment.
const FILES: [&str; 2] = ["admin.key", "agent.token"];
const FOLDERS: [&str; 2] = ["outputs", "rules"];

pub(super) fn backup(data_dir: &Path, to: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let events = events(data_dir)?;
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("cannot back up to {}: something is there already", to.display());
    }
    private(to).with_context(|| format!("cannot make {}", to.display()))?;
    let (control, copy) = (data_dir.join(CONTROL), to.join(CONTROL));
    bergfried_store::backup(&events, &to.join("events"), &STOP, || {
        // Before the events, so that no alert stands on an event that is not in the copy.
        let copied = snapshot(&control, &copy);
        copied.map_err(|source| StoreError::Io { action: "copy", path: control.clone(), source })
    })?;
    for name in FILES {
        if data_dir.join(name).is_file() {
            copy_file(&data_dir.join(name), &to.join(name))?;
        }
    }
    for name in FOLDERS {
        if data_dir.join(name).is_dir() {
            copy_folder(&data_dir.join(name), &to.join(name))?;
        }
    }
    let Bundle { files, bytes, .. } = bergfried_store::bundle(to, now(), &STOP)?;
    writeln!(out, "{files} files, {bytes} bytes are in {}", to.display())?;
    Ok(())
}

pub(super) fn restore(from: &Path, data_dir: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let bundle = bergfried_store::restore(from, data_dir, &STOP)?;
    let verified = Keeper::at_rest(&events(data_dir)?)?.verify("", &STOP)?;
    writeln!(
        out,
        "{} files as of {} are in {}; whole: {} segments with {} events",
        bundle.files,
        bundle.made,
        data_dir.display(),
        verified.segments,
        verified.events
    )?;
    Ok(())
}

/// Copies the database as it is at one moment; an archive has none.
fn snapshot(from: &Path, to: &Path) -> io::Result<()> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    if !from.exists() {
        return Ok(());
    }
    Control::snapshot(from, to).map_err(io::Error::other)
}

fn copy_file(from: &Path, to: &Path) -> anyhow::Result<()> {
    // Rights are copied too: secrets stay private.
    let copied = fs::copy(from, to).and_then(|_| fs::File::open(to)?.sync_all());
    copied.with_context(|| format!("cannot copy {}", from.display()))
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot copy {}", from.display());
    private(to).with_context(failed)?;
    for entry in fs::read_dir(from).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().with_context(failed)?;
        // Links lead elsewhere, and what they lead to is not of this directory.
        if kind.is_dir() {
            copy_folder(&path, &target)?;
        } else if kind.is_file() {
            copy_file(&path, &target)?;
        }
    }
    Ok(())
}
