//! Rotated files: compressed and removed by a thread of low priority, so that lines do not wait.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bergfried_event::Timestamp;
use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Uid, openat, renameat, unlinkat};

use super::rotate::{Rotated, State, suffix, superfluous};
use crate::config::{Compress, FileOptions};
use crate::counters::{Counters, add};

/// How often everything is looked at.
const SWEEP: Duration = Duration::from_secs(3_600);
/// So many directories are noted one by one; past that all are looked at.
const MAX_NOTED: usize = 1_024;

/// The thread, and what it is to look at.
pub(super) struct History {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Desk {
    noted: Mutex<Noted>,
    changed: Condvar,
}

#[derive(Default)]
struct Noted {
    /// Directories below the root, as paths, in which something was rotated.
    directories: BTreeSet<String>,
    everything: bool,
    stop: bool,
}

impl History {
    /// Starts the thread, which first looks at everything.
    pub(super) fn start(
        name: &str,
        options: Arc<FileOptions>,
        counters: Arc<Counters>,
        now: fn() -> Timestamp,
    ) -> io::Result<History> {
        let desk = Arc::new(Desk::default());
        desk.noted.lock().unwrap_or_else(PoisonError::into_inner).everything = true;
        let mine = Arc::clone(&desk);
        let worker = Worker { options, counters, desk: mine, now };
        let thread = std::thread::Builder::new()
            .name(format!("rotated {name}"))
            .spawn(move || worker.run())?;
        Ok(History { desk, thread: Some(thread) })
    }

    /// Says that something was rotated into this directory below the root.
    pub(super) fn note(&self, directory: &str) {
        let mut noted = self.desk.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.directories.len() < MAX_NOTED {
            noted.directories.insert(directory.to_owned());
        } else {
            noted.everything = true;
        }
        self.desk.changed.notify_all();
    }
}

impl Drop for History {
    /// Ends the thread; a file half compressed is begun anew at the next start.
    fn drop(&mut self) {
        self.desk.noted.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.desk.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of rotated files ended by a panic");
        }
    }
}

struct Worker {
    options: Arc<FileOptions>,
    counters: Arc<Counters>,
    desk: Arc<Desk>,
    now: fn() -> Timestamp,
}

/// Names below a root.
type Names = Vec<String>;

impl Worker {
    fn run(self) {
        // On Linux the priority is that of the calling thread.
        if let Err(error) = rustix::process::setpriority_process(None, 19) {
            tracing::debug!(%error, "cannot lower the priority of a thread");
        }
        loop {
            let noted = {
                let noted = self.desk.noted.lock().unwrap_or_else(PoisonError::into_inner);
                let nothing = |noted: &mut Noted| {
                    !noted.everything && !noted.stop && noted.directories.is_empty()
                };
                let (mut noted, waited) = self
                    .desk
                    .changed
                    .wait_timeout_while(noted, SWEEP, nothing)
                    .unwrap_or_else(PoisonError::into_inner);
                noted.everything |= waited.timed_out();
                Noted { stop: noted.stop, ..std::mem::take(&mut *noted) }
            };
            if noted.stop {
                return;
            }
            if noted.everything {
                self.sweep();
                continue;
            }
            for directory in noted.directories {
                let names: Names = directory
                    .split('/')
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect();
                self.tidy(&names);
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.desk.noted.lock().unwrap_or_else(PoisonError::into_inner).stop
    }

    /// Looks at every directory that files of this output can be in, and counts what is there.
    fn sweep(&self) {
        let mut known = 0;
        let mut waiting: Vec<Names> = vec![Vec::new()];
        while let Some(directory) = waiting.pop() {
            if self.is_stopped() {
                return;
            }
            let Some((fd, entries)) = self.list(&directory) else { continue };
            let depth = directory.len() + 1;
            for (name, kind) in entries {
                let mut names = directory.clone();
                names.push(name.clone());
                let is_history = self.options.history.as_deref() == Some(&name);
                if kind == FileType::Directory && is_history {
                    self.tidy(&names);
                } else if kind == FileType::Directory && depth < self.options.path.depth() {
                    known += 1;
                    waiting.push(names);
                } else if kind == FileType::RegularFile && Rotated::of(&name).is_none() {
                    known += 1;
                    if self.is_outdated(&fd, &names) && self.remove(&fd, &name) {
                        known -= 1;
                    }
                }
            }
            if self.options.history.is_none() {
                self.tidy(&directory);
            }
        }
        self.counters.files.known.store(known, Ordering::Relaxed);
    }

    /// Whether a file that was never rotated is one of a day long past.
    fn is_outdated(&self, directory: &OwnedFd, names: &[String]) -> bool {
        let (Some(age), true) = (self.options.keep_age, self.options.path.has_date()) else {
            return false;
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let Some(name) = names.last() else { return false };
        let stat = rustix::fs::statat(directory, *name, AtFlags::SYMLINK_NOFOLLOW);
        self.options.path.could_be(&names)
            && stat
                .is_ok_and(|stat| (self.now)().since(Timestamp::from_seconds(stat.st_mtime)) > age)
    }

    /// Compresses the rotated files of a directory, and removes those that are too many or too old.
    fn tidy(&self, directory: &[String]) {
        let Some((fd, entries)) = self.list(directory) else { return };
        let mut rotated = Vec::new();
        for (name, kind) in entries {
            if kind != FileType::RegularFile {
                continue;
            }
            let Some(file) = Rotated::of(&name) else { continue };
            let mut names = directory.to_vec();
            if self.options.history.is_some() {
                names.pop();
            }
            names.push(file.base.clone());
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if !self.options.path.could_be(&names) && file.base != super::OVERFLOW {
                continue;
            }
            match file.state {
                State::Unfinished => {
                    self.remove(&fd, &name);
                }
                State::Plain | State::Compressed => rotated.push(file),
            }
        }
        let old =
            superfluous(rotated.clone(), self.options.keep, self.options.keep_age, (self.now)());
        for file in &old {
            self.remove(&fd, &file.name);
        }
        if self.options.compress == Compress::None {
            return;
        }
        for file in rotated {
            if file.state != State::Plain || old.contains(&file) || self.is_stopped() {
                continue;
            }
            match self.compress(&fd, &file.name) {
                Ok(()) => add(&self.counters.files.compressed, 1),
                Err(error) => {
                    tracing::warn!(file = file.name, %error, "cannot compress, trying again later");
                }
            }
        }
    }

    fn compress(&self, directory: &OwnedFd, name: &str) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mut plain = File::from(openat(directory, name, flags, Mode::empty())?);
        let done = format!("{name}{}", suffix(self.options.compress));
        let beside = format!("{done}.new");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let target = openat(directory, &beside, flags, Mode::from_raw_mode(0o600))?;
        let written = self.pack(&mut plain, target.as_fd()).and_then(|()| {
            renameat(directory, &beside, directory, &done)?;
            Ok(())
        });
        match written {
            Ok(()) => Ok(unlinkat(directory, name, AtFlags::empty())?),
            Err(error) => {
                self.remove(directory, &beside);
                Err(error)
            }
        }
    }

    fn pack(&self, plain: &mut File, target: std::os::fd::BorrowedFd<'_>) -> io::Result<()> {
        let target = File::from(target.try_clone_to_owned()?);
        let stat = rustix::fs::fstat(&*plain)?;
        let target = match self.options.compress {
            Compress::Gzip => {
                let mut packer =
                    flate2::write::GzEncoder::new(target, flate2::Compression::default());
                self.copy(plain, &mut packer)?;
                packer.finish()?
            }
            Compress::Zstd | Compress::None => {
                let mut packer = zstd::stream::write::Encoder::new(target, 6)?;
                packer.include_checksum(true)?;
                self.copy(plain, &mut packer)?;
                packer.finish()?
            }
        };
        // Whose it is may not be ours to give; the mode is.
        let owner = (Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)));
        if let Err(error) = rustix::fs::fchown(&target, owner.0, owner.1) {
            tracing::debug!(%error, "cannot give a compressed file its owner");
        }
        rustix::fs::fchmod(&target, Mode::from_raw_mode(stat.st_mode & 0o777))?;
        target.sync_all()
    }

    /// Copies in pieces, so that a stop does not wait for a large file.
    fn copy(&self, from: &mut File, to: &mut impl io::Write) -> io::Result<()> {
        let mut piece = vec![0; 256 << 10];
        loop {
            if self.is_stopped() {
                return Err(io::Error::other("the hub is stopping"));
            }
            match from.read(&mut piece)? {
                0 => return Ok(()),
                read => to.write_all(piece.get(..read).unwrap_or_default())?,
            }
        }
    }

    fn remove(&self, directory: &OwnedFd, name: &str) -> bool {
        match unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) => {
                add(&self.counters.files.removed, 1);
                true
            }
            Err(error) => {
                tracing::warn!(name, %error, "cannot remove an old file");
                false
            }
        }
    }

    /// Opens a directory below the root and lists it; `None` where it is not there (any more).
    fn list(&self, names: &[String]) -> Option<(OwnedFd, Vec<(String, FileType)>)> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut at = rustix::fs::open(self.options.path.root(), flags, Mode::empty()).ok()?;
        for name in names {
            at = openat(&at, name, flags | OFlags::NOFOLLOW, Mode::empty()).ok()?;
        }
        let mut entries = Vec::new();
        for entry in Dir::read_from(&at).ok()? {
            let Ok(entry) = entry else { break };
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => {
                    let stat = rustix::fs::statat(&at, name, AtFlags::SYMLINK_NOFOLLOW);
                    stat.map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
                }
                kind => kind,
            };
            entries.push((name.to_owned(), kind));
        }
        Some((at, entries))
    }
}
