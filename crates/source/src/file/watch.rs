//! Waking up when a directory with watched files changes (inotify(7)).
//!
//! Only a hint: a change that is missed is found by the next scan a second later.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};

#[derive(Debug)]
pub(super) struct Watch {
    inotify: Inotify,
    directories: BTreeMap<PathBuf, WatchDescriptor>,
}

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Watch { inotify: Inotify::init()?, directories: BTreeMap::new() })
    }

    /// Watches these directories and no others; those that do not exist are tried again later.
    pub(super) fn set(&mut self, wanted: &BTreeSet<PathBuf>) {
        let mask = WatchMask::MODIFY
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::ONLYDIR;
        self.directories.retain(|directory, descriptor| {
            let keep = wanted.contains(directory);
            if !keep && let Err(error) = self.inotify.watches().remove(descriptor.clone()) {
                tracing::debug!(directory = %directory.display(), %error, "watch was gone already");
            }
            keep
        });
        for directory in wanted {
            // Added again each time: a directory that was replaced has a new inode.
            match self.inotify.watches().add(directory, mask) {
                Ok(descriptor) => {
                    self.directories.insert(directory.clone(), descriptor);
                }
                Err(error) => {
                    tracing::debug!(directory = %directory.display(), %error, "cannot watch");
                }
            }
        }
    }

    /// Takes what has happened; whether names came or went, not just contents.
    pub(super) fn drain(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let mut names_changed = false;
        // Bounded: a busy directory must not hold up the reading of files.
        for _ in 0..64 {
            match self.inotify.read_events(&mut buffer) {
                Ok(events) => {
                    for event in events {
                        names_changed |= event.mask != EventMask::MODIFY;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return true,
            }
        }
        names_changed
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}
