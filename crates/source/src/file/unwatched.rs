//! In place of inotify(7) where there is none: nothing wakes the reader up, it looks again and again.

use std::collections::BTreeSet;
use std::io;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

/// A watch that there is none of.
#[derive(Debug)]
pub(super) enum Watch {}

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn set(&mut self, _wanted: &BTreeSet<PathBuf>) {
        match *self {}
    }

    pub(super) fn drain(&mut self) -> bool {
        match *self {}
    }

    #[cfg(unix)]
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        match *self {}
    }
}
