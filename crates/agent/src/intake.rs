//! From the sources into the spool.

mod batch;

use std::io;
use std::time::{Duration, Instant};

use bergfried_event::{SourceKind, Timestamp};
use bergfried_source::{Changes, Checkpoint, Files, Flow, Journal, Line, Socket};

use crate::audit::{Audit, Ready};
use crate::error::AgentError;
use crate::frame::Description;
use crate::outbox::Inbox;
use crate::spool::Writer;
use crate::stats::Stats;
use crate::stop::Stop;
use crate::tamper;
use crate::writers::Writers;
use batch::Batch;

/// A batch is stored at this age, and sooner where no further line came for [`QUIET`].
const LONGEST_AGE: Duration = Duration::from_millis(200);
const QUIET: Duration = Duration::from_millis(20);
/// How often names are compared where no event says that they changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often the log says what was counted.
const SAY_EVERY: Duration = Duration::from_secs(3_600);

pub(crate) struct Intake {
    pub(crate) files: Files,
    pub(crate) journal: Option<Journal>,
    pub(crate) audit: Audit,
    pub(crate) socket: Option<Socket>,
    pub(crate) observed: Inbox,
    /// Learns from audit who changes files.
    pub(crate) writers: Writers,
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

    /// Takes up the audit events that were not complete when the agent ended.
    pub(crate) fn restore(&mut self, checkpoint: &Checkpoint) {
        let now = Timestamp::from(jiff::Timestamp::now());
        let Intake { batch, audit, writers, .. } = self;
        audit.restore(checkpoint, now, &mut |ready| push_audit(batch, writers, ready, now));
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
        let mut said = begun;
        while healthy() && !self.stop.is_stopped() {
            if said.elapsed() >= SAY_EVERY {
                said = Instant::now();
                tracing::info!("counted since the start: {}", self.stats.counts());
            }
            let before = self.batch.records();
            let more = self.read();
            changes.extend(self.files.changes());
            let (audit, others) = (self.audit.changes(), self.observed.positions());
            changes.extend(Changes { audit, others, ..Changes::default() });
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
        let Intake { batch, audit, files, journal, observed, writers, stats, socket, .. } = self;
        let mut more = files.read(now, &mut |line| {
            if audit.is_audit_log(line.path) {
                audit.push(line, received, &mut |ready| {
                    push_audit(batch, writers, ready, received);
                });
            } else {
                batch.push(SourceKind::File, line, received);
            }
            if batch.is_full() { Flow::Full } else { Flow::More }
        });
        if let Some(socket) = socket
            && !batch.is_full()
        {
            more |= socket.read(now, &mut |line| {
                audit.push(line, received, &mut |ready| {
                    push_audit(batch, writers, ready, received);
                });
                if batch.is_full() { Flow::Full } else { Flow::More }
            });
        }
        if !more {
            audit.caught_up(received, &mut |ready| push_audit(batch, writers, ready, received));
        }
        if let Some(journal) = journal.as_mut()
            && !batch.is_full()
        {
            more |= journal.read(now, &mut |line| {
                batch.push(SourceKind::Journald, line, received);
                if batch.is_full() { Flow::Full } else { Flow::More }
            });
        }
        for gap in journal.as_mut().map(Journal::gaps).unwrap_or_default() {
            stats.journal_entries_missing(gap.missing());
            let raw = tamper::journal_gap(&gap, received);
            let line = Line { path: tamper::ORIGIN, raw: &raw, truncated: false };
            batch.push(SourceKind::Json, line, received);
        }
        if !batch.is_full() {
            more |= observed.read(&mut |observed| {
                let line = Line { path: &observed.observer, raw: &observed.raw, truncated: false };
                batch.push(observed.kind, line, observed.at);
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
        self.wait_for_more()
    }

    #[cfg(unix)]
    fn wait_for_more(&self) -> Result<(), AgentError> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let journal = self.journal.as_ref().and_then(Journal::fd);
        let socket = self.socket.as_ref().and_then(Socket::fd);
        let mut fds: Vec<PollFd<'_>> =
            [self.files.fd(), journal, socket, Some(self.observed.fd()), Some(self.stop.fd())]
                .into_iter()
                .flatten()
                .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
                .collect();
        let most = Timespec { tv_sec: LOOK_EVERY.as_secs().cast_signed(), tv_nsec: 0 };
        match poll(&mut fds, Some(&most)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(AgentError::System { what: "wait for logs", source: error.into() }),
        }
    }

    /// Where nothing says that there is more, it is looked for.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "waiting for more can fail elsewhere")]
    fn wait_for_more(&self) -> Result<(), AgentError> {
        self.stop.wait(LOOK_EVERY / 4);
        Ok(())
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
        self.observed.durable();
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

/// Puts an event of audit into the batch; who changes files is learnt from it.
fn push_audit(batch: &mut Batch, writers: &Writers, ready: Ready<'_>, received: Timestamp) {
    if ready.kind == SourceKind::Audit {
        writers.offer(ready.line.raw, received);
    }
    batch.push(ready.kind, ready.line, received);
}

/// A batch id that no other batch has.
pub(crate) fn fresh_id() -> io::Result<[u8; 16]> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(id)
}
