//! Looking at one path: what it names, its hash, and its text where that may be kept.
//!
//! No link is followed, nothing but regular files is opened, and a file that changes while it is
//! read is looked at again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{
    CWD, IFlags, Mode, OFlags, ResolveFlags, fstat, ioctl_getflags, lstat, openat2, readlink,
};
use rustix::io::Errno;

use super::capabilities;
use super::entry::{Entry, Hash, Kind, Rare};
use super::options::Integrity;
use super::scope::Patterns;
use super::secrets;
use crate::outbox::{Outbox, Stopped};

const PIECE: usize = 64 << 10;
/// What is hashed at either end of a file that is too large.
const END: u64 = 1 << 20;

/// How closely to look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How {
    /// Reads contents also where nothing seems to have changed.
    pub(super) anew: bool,
    /// Takes a file that changes meanwhile as it is.
    pub(super) hurried: bool,
}

/// What a look showed.
#[derive(Debug)]
pub(super) enum Look {
    Gone,
    /// As it was remembered.
    Same,
    Seen(Box<Seen>),
    /// It changes right now.
    Moving,
}

#[derive(Debug)]
pub(super) struct Seen {
    pub(super) entry: Entry,
    /// The text of a small text file that is no secret, without what looks like a password.
    pub(super) text: Option<String>,
}

/// Looks at files, at no more bytes a second than it may.
#[derive(Debug)]
pub(super) struct Eye {
    secrets: Patterns,
    max_file_size: u64,
    diff_max_size: u64,
    pace: Pace,
    piece: Vec<u8>,
}

#[derive(Debug)]
struct Pace {
    per_second: u64,
    paid_until: Instant,
    outbox: Outbox,
}

impl Pace {
    /// Counts bytes that were read, and waits where they were too many.
    fn pay(&mut self, bytes: usize) -> Result<(), Stopped> {
        let now = Instant::now();
        let cost = Duration::from_secs_f64(bytes as f64 / self.per_second as f64);
        self.paid_until = self.paid_until.max(now) + cost;
        let ahead = self.paid_until - now;
        if ahead > Duration::from_millis(100) && self.outbox.wait(ahead) {
            return Err(Stopped);
        }
        Ok(())
    }
}

impl Eye {
    pub(super) fn new(options: &Integrity, secrets: Patterns, outbox: Outbox) -> Self {
        let pace =
            Pace { per_second: options.bytes_per_second, paid_until: Instant::now(), outbox };
        Eye {
            secrets,
            max_file_size: options.max_file_size,
            diff_max_size: options.diff_max_size,
            pace,
            piece: vec![0; PIECE],
        }
    }

    /// Looks at the path; contents are read where something seems to have changed.
    pub(super) fn look(
        &mut self,
        path: &Path,
        known: Option<&Entry>,
        how: How,
    ) -> Result<Look, Stopped> {
        let stat = match lstat(path) {
            Ok(stat) => stat,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Look::Gone),
            // What is hidden for now is not known to be gone.
            Err(_) => return Ok(Look::Same),
        };
        let mut entry = Entry::of(&stat);
        if !how.anew && known.is_some_and(|known| known.looks_like(&entry)) {
            return Ok(Look::Same);
        }
        let mut text = None;
        match entry.kind {
            Kind::Symlink => match readlink(path, Vec::new()) {
                Ok(target) => {
                    let target = Some(target.to_string_lossy().into_owned());
                    entry.rare = Some(Box::new(Rare { target, ..Rare::default() }));
                }
                Err(_) if !how.hurried => return Ok(Look::Moving),
                Err(_) => {}
            },
            Kind::File => match open(path) {
                Ok((file, is_safe)) => match self.read(path, &file, &mut entry, (is_safe, how))? {
                    Some(read) => text = read,
                    None => return Ok(Look::Moving),
                },
                Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) if !how.hurried => {
                    return Ok(Look::Moving);
                }
                // What may not be read is still watched from outside.
                Err(_) => {}
            },
            Kind::Dir | Kind::Fifo | Kind::Socket | Kind::Device => {}
        }
        if known == Some(&entry) {
            return Ok(Look::Same);
        }
        Ok(Look::Seen(Box::new(Seen { entry, text })))
    }

    /// Hashes an opened file; the text that may be kept, or `None` where the file changed meanwhile.
    fn read(
        &mut self,
        path: &Path,
        file: &File,
        entry: &mut Entry,
        (is_safe, how): (bool, How),
    ) -> Result<Option<Option<String>>, Stopped> {
        let is_as_before = |entry: &Entry| {
            let found = fstat(file).map(|stat| Entry::of(&stat));
            found.is_ok_and(|found| {
                found.looks_like(entry) || how.hurried && found.is_same_inode(entry)
            })
        };
        if !is_as_before(entry) {
            return Ok(None);
        }
        // Another name of the file may be that of a secret.
        let keeps = is_safe
            && entry.size <= self.diff_max_size
            && entry.links == 1
            && self.diff_max_size > 0
            && !self.secrets.cover(path);
        let mut content = Vec::new();
        let mut hasher = blake3::Hasher::new();
        let partial = entry.size > self.max_file_size;
        let parts = if partial {
            hasher.update(&entry.size.to_le_bytes());
            vec![(0, END), (entry.size - END, entry.size)]
        } else {
            vec![(0, entry.size)]
        };
        for (mut at, end) in parts {
            while at < end {
                let wanted = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
                let piece = self.piece.get_mut(..wanted).unwrap_or_default();
                match file.read_at(piece, at) {
                    Ok(0) if how.hurried => break,
                    Ok(0) => return Ok(None),
                    Ok(read) => {
                        let piece = piece.get(..read).unwrap_or_default();
                        hasher.update(piece);
                        if keeps {
                            content.extend_from_slice(piece);
                        }
                        at += read as u64;
                        self.pace.pay(read)?;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return Ok(Some(None)),
                }
            }
        }
        let capabilities =
            if entry.mode & 0o111 == 0 { Vec::new() } else { capabilities::of(file) };
        let flags = ioctl_getflags(file).unwrap_or(IFlags::empty());
        if !is_as_before(entry) {
            return Ok(None);
        }
        entry.hash = Some(Hash(*hasher.finalize().as_bytes()));
        let rare = Rare {
            target: None,
            capabilities,
            immutable: flags.contains(IFlags::IMMUTABLE),
            append_only: flags.contains(IFlags::APPEND),
            partial,
        };
        if rare != Rare::default() {
            entry.rare = Some(Box::new(rare));
        }
        Ok(Some(keeps.then(|| secrets::shown(&content)).flatten()))
    }
}

/// Opens a regular file for reading; whether it is certain that no link was followed on the way.
fn open(path: &Path) -> Result<(File, bool), Errno> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let (resolve, mode) = (ResolveFlags::NO_SYMLINKS, Mode::empty());
    match openat2(CWD, path, flags, mode, resolve) {
        Ok(file) => Ok((File::from(file), true)),
        // Before Linux 5.6, and where a container forbids it.
        Err(Errno::NOSYS | Errno::PERM) => {
            rustix::fs::open(path, flags, mode).map(|file| (File::from(file), false))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
