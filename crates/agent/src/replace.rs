//! Putting a file in place of another, whole: after a crash there is either the one or the other.
//!
//! What lies where it is written first, such as a link of somebody else's, is removed and never
//! written through.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use crate::disk::{set_mode, sync_names};

/// Writes beside `path` what `write` says, makes it durable, and gives it the name. `mode`: the
/// permissions of the new file.
pub(crate) fn replace(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = Path::new(&name);
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    set_mode(&mut options, mode);
    let file = options.open(beside)?;
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    fs::rename(beside, path)?;
    match path.parent() {
        Some(directory) => sync_names(directory),
        None => Ok(()),
    }
}
