//! Standard output.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Counters, WAITING};
use crate::log::{Log, level};

/// What a pipe that says that it is ready takes without waiting (`PIPE_BUF`).
const PIECE: usize = 4_096;

/// Standard output.
pub(crate) struct Stdout {
    /// Whether it is waited for.
    patient: bool,
    /// Whether it always takes what it gets at once: a file.
    quick: bool,
    waiting: VecDeque<u8>,
    counters: Counters,
    failed: bool,
}

impl Stdout {
    /// Standard output as this process was given it.
    pub(crate) fn new(patient: bool) -> Self {
        let quick = rustix::fs::fstat(rustix::stdio::stdout()).is_ok_and(|stat| {
            let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
            kind == rustix::fs::FileType::RegularFile
        });
        let waiting = VecDeque::new();
        Self { patient, quick, waiting, counters: Counters::default(), failed: false }
    }

    /// Writes a text.
    pub(crate) fn write(&mut self, text: &[u8], log: &mut Log) {
        let written = if self.patient || self.quick {
            all(text)
        } else if self.waiting.len() + text.len() > WAITING {
            self.counters.dropped += 1;
            if self.counters.dropped.is_power_of_two() {
                let text = format!(
                    "standard output is not read quickly enough: {} events dropped",
                    self.counters.dropped
                );
                log.say(level::WARNING, &text);
            }
            return;
        } else {
            self.waiting.extend(text);
            self.go_on()
        };
        match written {
            Ok(()) => self.counters.written += 1,
            Err(error) => self.fail(&error, log),
        }
    }

    fn fail(&mut self, error: &io::Error, log: &mut Log) {
        self.counters.dropped += 1;
        self.waiting.clear();
        if !std::mem::replace(&mut self.failed, true) {
            log.say(level::WARNING, &format!("cannot write to standard output: {error}"));
        }
    }

    /// Writes on what waits, as much as is taken at once.
    pub(crate) fn flush(&mut self, log: &mut Log) {
        if let Err(error) = self.go_on() {
            self.fail(&error, log);
        }
    }

    fn go_on(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            let mut asked = [PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::OUT)];
            if poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? == 0 {
                return Ok(());
            }
            let (piece, _) = self.waiting.as_slices();
            let piece = piece.get(..piece.len().min(PIECE)).unwrap_or_default();
            let count = rustix::io::write(rustix::stdio::stdout(), piece)?;
            self.waiting.drain(..count);
        }
        Ok(())
    }

    /// Writes what waits, as long as a reader takes it in this time.
    pub(crate) fn end(&mut self, most: Duration) {
        let since = Instant::now();
        while self.go_on().is_ok() && !self.waiting.is_empty() && since.elapsed() < most {
            let mut asked = [PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::OUT)];
            // However it ends, writing is tried again.
            poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 100_000_000 })).ok();
        }
    }

    /// What to wait for, where something waits to be written.
    pub(crate) fn waits_for(&self) -> Option<BorrowedFd<'static>> {
        (!self.waiting.is_empty()).then(rustix::stdio::stdout)
    }

    /// Counts.
    pub(crate) const fn counters(&self) -> Counters {
        self.counters
    }
}

/// Writes all of a text, however long that takes.
fn all(mut text: &[u8]) -> io::Result<()> {
    while !text.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), text) {
            Ok(count) => text = text.get(count..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let mut asked = [PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::OUT)];
                poll(&mut asked, None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
