//! One log file: what is known of it, and what became of it since.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bergfried_source::{Fingerprint, Rotated, begins_as, fingerprint, rotated};
use serde::{Deserialize, Serialize};

/// The most files rotated away from one that are remembered.
const MOST_ROTATED: usize = 256;
/// Anyone may write.
pub(super) const WORLD_WRITABLE: u32 = 0o002;

/// What is known of a log file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Log {
    pub(super) inode: u64,
    pub(super) size: u64,
    /// Permissions alone.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) modified: (i64, i64),
    head: Fingerprint,
    /// Inode, length and time of what was rotated away from it and is still there.
    rotated: Vec<(u64, u64, (i64, i64))>,
    /// It is gone, and that was said.
    #[serde(default)]
    pub(super) is_gone: bool,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is as it was, or has grown.
    Same,
    /// Rotated: this is it now.
    Rotated(PathBuf),
    /// There is nothing at its path.
    Missing,
    /// Another file, or something that is no file, lies at its path.
    Replaced,
    /// It is shorter, or begins otherwise than it did.
    Truncated,
}

/// What lies at a path now; none where the system does not say.
pub(super) enum Seen {
    Nothing,
    /// A directory, a device, a pipe.
    NoFile(Log),
    File(Log),
}

/// Looks at a path; fails where it may not be looked at.
pub(super) fn look(path: &Path, rotated_to: &[PathBuf]) -> io::Result<Seen> {
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error)
            if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) =>
        {
            return Ok(Seen::Nothing);
        }
        Err(error) => return Err(error),
    };
    if !about.is_file() {
        return Ok(Seen::NoFile(Log::of(&about)));
    }
    let siblings = rotated(path, rotated_to);
    let mut log = Log::of(&about);
    log.rotated = siblings.iter().take(MOST_ROTATED).map(mark).collect();
    // One that may not be read is still known by its length and inode.
    log.head = fingerprint(path).unwrap_or_default();
    Ok(Seen::File(log))
}

fn mark(sibling: &Rotated) -> (u64, u64, (i64, i64)) {
    (sibling.inode, sibling.size, sibling.modified)
}

impl Log {
    fn of(about: &Metadata) -> Log {
        Log {
            inode: about.ino(),
            size: about.len(),
            mode: about.mode() & 0o7777,
            uid: about.uid(),
            gid: about.gid(),
            modified: (about.mtime(), about.mtime_nsec()),
            ..Log::default()
        }
    }

    pub(super) fn gone(self) -> Log {
        Log { is_gone: true, ..self }
    }

    /// What became of it, with what is seen now at its path.
    pub(super) fn fate(
        &self,
        path: &Path,
        seen: &Seen,
        rotated_to: &[PathBuf],
        was_down: bool,
    ) -> Fate {
        let suspicion = match seen {
            Seen::Nothing => Fate::Missing,
            Seen::NoFile(_) => return Fate::Replaced,
            Seen::File(now) if now.inode != self.inode => Fate::Replaced,
            Seen::File(now) if now.size < self.size => Fate::Truncated,
            Seen::File(now) if !self.is_begun_by(path, now) => Fate::Truncated,
            Seen::File(_) => return Fate::Same,
        };
        let siblings = rotated(path, rotated_to);
        match siblings.into_iter().find(|one| self.went_on_as(one, was_down)) {
            Some(sibling) => Fate::Rotated(sibling.path),
            None => suspicion,
        }
    }

    fn is_begun_by(&self, path: &Path, now: &Log) -> bool {
        // Nothing to compare, or it may not be read now.
        self.head.bytes == 0 || now.head.bytes == 0 || begins_as(path, &self.head)
    }

    /// Whether a file that was rotated away holds what this one held.
    fn went_on_as(&self, sibling: &Rotated, was_down: bool) -> bool {
        if self.rotated.contains(&mark(sibling)) {
            // It was there before.
            return false;
        }
        if sibling.compressed {
            // Not unpacked for a look at it: it is new, and was last written to after this one.
            return sibling.size > 0 && sibling.modified.0 >= self.modified.0;
        }
        let whole = sibling.size >= self.size && begins_as(&sibling.path, &self.head);
        // Several rotations may have passed meanwhile, and the oldest files with them.
        whole || (was_down && sibling.size > 0 && sibling.modified >= self.modified)
    }

    /// Whether more may be done with the file than before, or others own it.
    pub(super) fn is_looser_than(&self, before: &Log) -> bool {
        let more = self.mode & !before.mode & 0o066;
        more != 0 || self.uid != before.uid || self.gid != before.gid
    }
}
