//! Where output goes: to standard output, or into a file that is there only once it is whole.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Runs what prints; where a file is named, into it.
pub(super) fn into(
    path: Option<&Path>,
    out: &mut dyn Write,
    print: impl FnOnce(&mut dyn Write) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let Some(path) = path else { return print(out) };
    let mut name = path.file_name().context("--output names no file")?.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let failed = || format!("cannot write {}", part.display());
    // One that another run left behind is replaced.
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&part);
    let mut file = BufWriter::new(file.with_context(failed)?);
    let printed = print(&mut file).and_then(|code| {
        file.flush().with_context(failed)?;
        file.get_ref().sync_all().with_context(failed)?;
        Ok(code)
    });
    match printed {
        Ok(code) => {
            fs::rename(&part, path)
                .with_context(|| format!("cannot name the file {}", path.display()))?;
            Ok(code)
        }
        Err(error) => {
            // Half a file helps nobody; the error matters more than whether it could go.
            drop(fs::remove_file(&part));
            Err(error)
        }
    }
}
