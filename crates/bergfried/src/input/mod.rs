//! Opens what a person names on the command line: files, directories, compressed files, `-`.
//!
//! What a file holds is told by its content, never by its name: lines, records of Linux audit, objects
//! of JSON, events as XML, or an event log of Windows. Never holds more than one record of a file (of an
//! event log a few chunks, of an audit log the events that wait for their ends) and the decompressor's
//! window in memory.

mod audit_log;
mod elements;
mod event_log;
mod lines;
mod objects;
mod open;
mod records;

use std::io;
use std::path::{Path, PathBuf};

use bergfried_event::Timestamp;

pub(crate) use event_log::Decoders;
pub(crate) use records::{Current, Damage, Records};

/// The longest line or other record that is read whole, in bytes; what comes after is skipped and
/// counted.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// Where lines come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
}

impl Input {
    pub(crate) fn from_argument(argument: &Path) -> Input {
        if argument.as_os_str() == "-" { Input::Stdin } else { Input::File(argument.to_owned()) }
    }

    /// As a person would name it.
    pub(crate) fn name(&self) -> String {
        match self {
            Input::Stdin => "standard input".to_owned(),
            Input::File(path) => path.display().to_string(),
        }
    }
}

impl Input {
    /// When a file was last changed, but not after `now`; what year-less stamps are read against.
    pub(crate) fn last_written(&self, now: Timestamp) -> Timestamp {
        let Input::File(path) = self else { return now };
        path.metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|time| jiff::Timestamp::try_from(time).ok())
            .map_or(now, |time| Timestamp::from(time).min(now))
    }
}

/// A path that could not be read, and why.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) name: String,
    pub(crate) error: io::Error,
}

/// The files under the arguments, directories walked in name order; links to directories are not
/// followed, so that no walk is endless.
pub(crate) fn expand(arguments: &[PathBuf]) -> (Vec<Input>, Vec<Unreadable>) {
    let (mut inputs, mut unreadable) = (Vec::new(), Vec::new());
    for argument in arguments {
        match Input::from_argument(argument) {
            Input::File(path) if path.is_dir() => walk(&path, &mut inputs, &mut unreadable),
            input => inputs.push(input),
        }
    }
    (inputs, unreadable)
}

fn walk(directory: &Path, inputs: &mut Vec<Input>, unreadable: &mut Vec<Unreadable>) {
    let listed = std::fs::read_dir(directory)
        .and_then(|entries| entries.collect::<io::Result<Vec<std::fs::DirEntry>>>());
    let mut entries = match listed {
        Ok(entries) => entries,
        Err(error) => {
            unreadable.push(Unreadable { name: directory.display().to_string(), error });
            return;
        }
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), inputs, unreadable),
            Ok(kind) if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) => {
                inputs.push(Input::File(entry.path()));
            }
            Ok(_) => {}
            Err(error) => {
                unreadable.push(Unreadable { name: entry.path().display().to_string(), error });
            }
        }
    }
}
