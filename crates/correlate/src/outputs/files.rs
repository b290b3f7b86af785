//! Files that rules write: they stay open between events.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::{Counters, WAITING};
use crate::inputs::shown;
use crate::log::{Log, level};

/// How many files are open at most; the one that was written longest ago is closed for another.
const OPEN: usize = 256;

/// Open files by name.
#[derive(Default)]
pub(crate) struct Files {
    open: HashMap<Vec<u8>, Output>,
    /// How many writes there were: the age of each.
    clock: u64,
    counters: Counters,
}

struct Output {
    file: File,
    /// Of a FIFO: what was not taken yet.
    waiting: VecDeque<u8>,
    used: u64,
}

impl Files {
    /// Appends to a file, which stays open.
    pub(crate) fn write(&mut self, name: &[u8], text: &[u8], log: &mut Log) {
        self.clock += 1;
        if !self.open.contains_key(name) {
            let file = match open(name) {
                Ok(file) => file,
                Err(error) => return self.refused(name, &error, log),
            };
            self.make_room();
            let output = Output { file, waiting: VecDeque::new(), used: 0 };
            self.open.insert(name.to_vec(), output);
        }
        let Some(output) = self.open.get_mut(name) else { return };
        output.used = self.clock;
        match output.write(text) {
            Ok(true) => self.counters.written += 1,
            Ok(false) => {
                let text = format!("{} is not read quickly enough, event dropped", shown(name));
                self.counters.dropped += 1;
                log.say(level::WARNING, &text);
            }
            Err(error) => {
                self.open.remove(name);
                self.refused(name, &error, log);
            }
        }
    }

    /// Appends to a file that is opened and closed for it.
    pub(crate) fn write_closed(&mut self, name: &[u8], text: &[u8], log: &mut Log) {
        match open(name).and_then(|mut file| file.write_all(text)) {
            Ok(()) => self.counters.written += 1,
            Err(error) => self.refused(name, &error, log),
        }
    }

    fn refused(&mut self, name: &[u8], error: &io::Error, log: &mut Log) {
        self.counters.dropped += 1;
        // A FIFO that nobody reads is no fault.
        let nobody = error.raw_os_error() == Some(libc::ENXIO);
        let level = if nobody { level::DEBUG } else { level::WARNING };
        if log.wants(level) {
            log.say(level, &format!("cannot write to {}: {error}", shown(name)));
        }
    }

    fn make_room(&mut self) {
        if self.open.len() < OPEN {
            return;
        }
        let oldest = self.open.iter().min_by_key(|(_, output)| output.used);
        if let Some(name) = oldest.map(|(name, _)| name.clone()) {
            self.open.remove(&name);
        }
    }

    /// Closes a file.
    pub(crate) fn close(&mut self, name: &[u8], log: &mut Log) {
        if self.open.remove(name).is_none() {
            log.say(level::WARNING, &format!("file {} is not open, cannot close it", shown(name)));
        }
    }

    /// Closes all files; they are opened again where rules write.
    pub(crate) fn close_all(&mut self) {
        self.open.clear();
    }

    /// Writes on what waits, as much as is taken at once.
    pub(crate) fn flush(&mut self) {
        let dropped = &mut self.counters.dropped;
        self.open.retain(|_, output| {
            let alive = output.waiting.is_empty() || output.go_on().is_ok();
            *dropped += u64::from(!alive);
            alive
        });
    }

    /// What to wait for, where something waits to be written.
    pub(crate) fn waits_for(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let waiting = self.open.values().filter(|output| !output.waiting.is_empty());
        waiting.map(|output| output.file.as_fd())
    }

    /// Names of open files.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.open.keys().map(Vec::as_slice)
    }

    /// Counts.
    pub(crate) const fn counters(&self) -> Counters {
        self.counters
    }
}

impl Output {
    /// Whether there was room for it.
    fn write(&mut self, text: &[u8]) -> io::Result<bool> {
        if self.waiting.is_empty() {
            let written = write(&mut self.file, text)?;
            self.waiting.extend(text.get(written..).unwrap_or_default());
            return Ok(true);
        }
        if self.waiting.len() + text.len() > WAITING {
            return Ok(false);
        }
        self.waiting.extend(text);
        self.go_on()?;
        Ok(true)
    }

    fn go_on(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            let (piece, _) = self.waiting.as_slices();
            match write(&mut self.file, piece)? {
                0 => break,
                count => drop(self.waiting.drain(..count)),
            }
        }
        Ok(())
    }
}

/// How much of a text was taken.
fn write(file: &mut File, text: &[u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = text.get(done..).filter(|rest| !rest.is_empty()) {
        match file.write(rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

fn open(name: &[u8]) -> io::Result<File> {
    let path = Path::new(std::ffi::OsStr::from_bytes(name));
    let is_fifo = fs::metadata(path).is_ok_and(|file| file.file_type().is_fifo());
    let mut options = OpenOptions::new();
    if is_fifo {
        // Without a reader, opening fails instead of waiting for one.
        options.write(true);
    } else {
        options.append(true).create(true);
    }
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed()).open(path)
}
