//! From the sources into the spool.

mod batch;

use std::io;
use std::time::{Duration, Instant};

use bergfried_event::{SourceKind, Timestamp};
use bergfried_source::{Changes, Files, Flow, Journal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::error::AgentError;
use crate::frame::Description;
use crate::spool::Writer;
use crate::stats::Stats;
use crate::stop::Stop;
use batch::Batch;

/// A batch is stored at this age, and sooner where no further line came for [`QUIET`].
const LONGEST_AGE: Duration = Duration::from_millis(200);
const QUIET: Duration = Duration::from_millis(20);
/// How often names are compared where no event says that they changed.
const POLL: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

pub(crate) struct Intake {
    pub(crate) files: Files,
    pub(crate) journal: Option<Journal>,
    pub(crate) writer: Writer,
    pub(crate) batch: Batch,
    pub(crate) stats: Stats,
    pub(crate) stop: Stop,
}

pub(crate) use batch::Host;

impl Intake {
    pub(crate) fn new_batch(host: Host) -> Batch {
        Batch::new(host)
    }

    /// Reads until it is stopped, or until `healthy` says that nobody sends any more.
    pub(crate) fn run(mut self, healthy: &dyn Fn() -> bool) -> Result<(), AgentError> {
        let read = self.read_on(healthy);
        self.writer.close();
        read
    }

    fn read_on(&mut self, healthy: &dyn Fn() -> bool) -> Result<(), AgentError> {
        let mut changes = Changes::default();
        let mut begun = Instant::now();
        while healthy() && !self.stop.is_stopped() {
            let before = self.batch.records();
            let more = self.read();
            changes.extend(self.files.changes());
            if let Some(journal) = &mut self.journal {
                changes.extend(journal.changes());
            }
            let records = self.batch.records();
            if before == 0 && records > 0 {
                begun = Instant::now();
            }
            let quiet = records == before && !more;
            let due = self.batch.is_full() || quiet || begun.elapsed() >= LONGEST_AGE;
            if due && !(records == 0 && changes.is_empty()) {
                self.store(&mut changes)?;
            }
            if !more {
                self.wait()?;
                self.files.scan(Instant::now());
            }
        }
        if self.batch.records() > 0 && self.writer.has_room() {
            self.store(&mut changes)?;
        }
        Ok(())
    }

    fn read(&mut self) -> bool {
        let now = Instant::now();
        let received = Timestamp::from(jiff::Timestamp::now());
        let batch = &mut self.batch;
        let mut more = self.files.read(now, &mut |line| {
            batch.push(SourceKind::File, line, received);
            if batch.is_full() { Flow::Full } else { Flow::More }
        });
        if let Some(journal) = &mut self.journal
            && !batch.is_full()
        {
            more |= journal.read(now, &mut |line| {
                batch.push(SourceKind::Journald, line, received);
                if batch.is_full() { Flow::Full } else { Flow::More }
            });
        }
        more
    }

    /// Waits for a source to have more; with a batch begun only for a moment.
    fn wait(&self) -> Result<(), AgentError> {
        if self.batch.records() > 0 {
            self.stop.wait(QUIET);
            return Ok(());
        }
        let journal = self.journal.as_ref().and_then(Journal::fd);
        let mut fds: Vec<PollFd<'_>> = [self.files.fd(), journal, Some(self.stop.fd())]
            .into_iter()
            .flatten()
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        match poll(&mut fds, Some(&POLL)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(AgentError::System { what: "wait for logs", source: error.into() }),
        }
    }

    /// Makes the batch durable. Waits where the spool or the disk is full: nothing is dropped, and
    /// names are still followed, so that files rotated away meanwhile stay open.
    fn store(&mut self, changes: &mut Changes) -> Result<(), AgentError> {
        let records = self.batch.records();
        if records > 0 && !self.wait_for_room() {
            return Ok(());
        }
        let cut = self.batch.cut();
        let (batch, body) = self
            .batch
            .finish()
            .map_err(|source| AgentError::System { what: "make a batch", source })?;
        let description = Description { batch, records, changes: std::mem::take(changes) };
        let mut complained = false;
        while let Err(error) = self.writer.append(&description, &body) {
            self.stats.spool_errors(1);
            if !std::mem::replace(&mut complained, true) {
                tracing::error!(%error, "cannot write to the spool, trying again every second");
            }
            if self.stop.wait(Duration::from_secs(1)) {
                // Neither lines nor positions were kept: the next start reads them again.
                return Ok(());
            }
            self.files.scan(Instant::now());
        }
        self.stats.lines_read(records);
        self.stats.lines_cut(cut);
        Ok(())
    }

    /// False where the agent was stopped meanwhile.
    fn wait_for_room(&mut self) -> bool {
        if self.writer.has_room() {
            return true;
        }
        self.stats.spool_full(1);
        tracing::warn!("the spool is full, reading stops until the hub takes batches");
        while !self.writer.has_room() {
            if self.stop.wait(Duration::from_millis(250)) {
                return false;
            }
            self.files.scan(Instant::now());
        }
        tracing::info!("the spool has room again, reading goes on");
        true
    }
}

/// A batch id that no other batch has.
fn fresh_id() -> io::Result<[u8; 16]> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(id)
}
