//! Directories that the kernel watches (inotify(7)), and what it says of them.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Instant;

use bergfried_event::Timestamp;
use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};

use super::dirty::Dirty;
use super::scope::{Place, Scope};

const BUFFER: usize = 32 << 10;

#[derive(Debug)]
pub(super) struct Watch {
    inotify: Inotify,
    paths: HashMap<WatchDescriptor, PathBuf>,
    descriptors: BTreeMap<PathBuf, WatchDescriptor>,
    /// Directories that the kernel would not watch, for want of watches.
    refused: u64,
    overflows: u64,
}

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Watch {
            inotify: Inotify::init().map_err(explained)?,
            paths: HashMap::new(),
            descriptors: BTreeMap::new(),
            refused: 0,
            overflows: 0,
        })
    }

    /// Watches a directory, its names alone or also what is done to what is in it; again and again
    /// does no harm.
    pub(super) fn add(&mut self, directory: &Path, contents_too: bool) {
        let names = WatchMask::CREATE | WatchMask::DELETE | WatchMask::MOVE;
        let contents = WatchMask::MODIFY | WatchMask::CLOSE_WRITE | WatchMask::ATTRIB;
        let how = WatchMask::ONLYDIR | WatchMask::DONT_FOLLOW | WatchMask::EXCL_UNLINK;
        let mask = if contents_too { names | contents | how } else { names | how };
        match self.inotify.watches().add(directory, mask) {
            Ok(descriptor) => {
                if let Some(before) =
                    self.descriptors.insert(directory.to_path_buf(), descriptor.clone())
                    && before != descriptor
                {
                    self.paths.remove(&before);
                }
                self.paths.insert(descriptor, directory.to_path_buf());
            }
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOSPC.raw_os_error()) => {
                self.refused += 1;
            }
            Err(error) => {
                tracing::debug!(directory = %directory.display(), %error, "cannot watch");
            }
        }
    }

    /// How many directories could not be watched since the last question.
    pub(super) fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }

    /// How often events were lost since the last question.
    pub(super) fn take_overflows(&mut self) -> u64 {
        std::mem::take(&mut self.overflows)
    }

    /// Takes what happened; bounded, the rest is taken the next time. Whether there may be more.
    pub(super) fn drain(&mut self, scope: &Scope, dirty: &mut Dirty) -> bool {
        let mut buffer = [0; BUFFER];
        let (now, at) = (Instant::now(), Timestamp::from(jiff::Timestamp::now()));
        for _ in 0..16 {
            let events = match self.inotify.read_events(&mut buffer) {
                Ok(events) => events,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) => {
                    tracing::warn!(%error, "cannot read what inotify says");
                    return false;
                }
            };
            let mut away = Vec::new();
            for event in events {
                if event.mask.contains(EventMask::Q_OVERFLOW) {
                    self.overflows += 1;
                    dirty.everything();
                    continue;
                }
                if event.mask.contains(EventMask::IGNORED) {
                    if let Some(path) = self.paths.remove(&event.wd)
                        && self.descriptors.get(&path) == Some(&event.wd)
                    {
                        self.descriptors.remove(&path);
                    }
                    continue;
                }
                let Some(directory) = self.paths.get(&event.wd) else { continue };
                if event.mask.contains(EventMask::UNMOUNT) {
                    dirty.tree(directory.clone());
                    continue;
                }
                let path = match event.name {
                    Some(name) => directory.join(name),
                    None => directory.clone(),
                };
                let place = scope.place(&path);
                if place == Place::Covered {
                    dirty.path(&path, now, at);
                }
                let comes_or_goes = EventMask::CREATE
                    | EventMask::DELETE
                    | EventMask::MOVED_FROM
                    | EventMask::MOVED_TO;
                let is_directory = event.mask.contains(EventMask::ISDIR) && event.name.is_some();
                if place != Place::Outside && is_directory && event.mask.intersects(comes_or_goes) {
                    if event.mask.contains(EventMask::MOVED_FROM) {
                        away.push(path.clone());
                    }
                    dirty.tree(path);
                }
            }
            for path in away {
                self.remove_below(&path);
            }
        }
        true
    }

    /// Watches a directory that was moved away no longer under its old name.
    fn remove_below(&mut self, directory: &Path) {
        let range = self.descriptors.range(directory.to_path_buf()..);
        let below = range.take_while(|(path, _)| path.starts_with(directory));
        let below: Vec<PathBuf> = below.map(|(path, _)| path.clone()).collect();
        for path in below {
            let Some(descriptor) = self.descriptors.remove(&path) else { continue };
            self.paths.remove(&descriptor);
            if let Err(error) = self.inotify.watches().remove(descriptor) {
                tracing::debug!(directory = %path.display(), %error, "watch was gone already");
            }
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// What the system says, and what helps where this user has too many of them.
fn explained(error: io::Error) -> io::Error {
    if error.raw_os_error() != Some(rustix::io::Errno::MFILE.raw_os_error()) {
        return error;
    }
    let help = "sysctl fs.inotify.max_user_instances=1024 gives more";
    io::Error::new(error.kind(), format!("{error}: {help}"))
}
