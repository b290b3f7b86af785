//! The reading end of the spool: frames in order, each until it is acknowledged.

use std::fs::File;
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::ack::{AckFile, Mark};
use super::{Gauge, Shared};
use crate::frame::{self, Frame};

#[derive(Debug)]
pub(crate) struct Reader {
    shared: Arc<Shared>,
    ack: AckFile,
    mark: Mark,
    open: Option<(u64, File)>,
}

/// What there is to send.
#[derive(Debug)]
pub(crate) enum Next {
    /// The first batch that is not acknowledged.
    Batch(Frame),
    /// Nothing came for so long.
    Nothing,
    /// The spool is closed, whatever it still holds.
    Closed,
}

/// Where the mark stands.
enum At {
    Data,
    EndOfSegment { next: u64 },
    Nothing,
    Closed,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, ack: AckFile, mark: Mark) -> Self {
        Reader { shared, ack, mark, open: None }
    }

    /// Tells from elsewhere how much waits.
    pub(crate) fn gauge(&self) -> Gauge {
        Gauge(Arc::downgrade(&self.shared))
    }

    /// The first batch that is not acknowledged; waits for one at most so long.
    pub(crate) fn next(&mut self, patience: Duration) -> io::Result<Next> {
        let deadline = Instant::now() + patience;
        loop {
            match self.wait(deadline) {
                At::Closed => return Ok(Next::Closed),
                At::Nothing => return Ok(Next::Nothing),
                At::EndOfSegment { next } => self.leave_segment(next)?,
                At::Data => match self.read()? {
                    Some(frame) if frame.description.records > 0 => {
                        return Ok(Next::Batch(frame));
                    }
                    Some(positions_only) => self.mark.offset += positions_only.length,
                    None => self.pass_over_damage(),
                },
            }
        }
    }

    /// How many records of the current batch were done before.
    pub(crate) fn done(&self) -> u64 {
        self.mark.done
    }

    /// Notes that so many records of the current batch are done.
    pub(crate) fn set_done(&mut self, done: u64) -> io::Result<()> {
        self.mark.done = done;
        self.ack.write(self.mark)
    }

    /// Notes that the batch needs not be sent again.
    pub(crate) fn acknowledge(&mut self, frame: &Frame) -> io::Result<()> {
        self.mark.offset += frame.length;
        self.mark.done = 0;
        self.shared.state().mark = self.mark;
        self.ack.write(self.mark)
    }

    fn wait(&self, deadline: Instant) -> At {
        let mut state = self.shared.state();
        loop {
            if state.closed {
                return At::Closed;
            }
            let size = state.segments.get(&self.mark.segment).copied().unwrap_or_default();
            if self.mark.offset < size {
                return At::Data;
            }
            if let Some((&next, _)) = state.segments.range(self.mark.segment + 1..).next() {
                return At::EndOfSegment { next };
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return At::Nothing;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn read(&mut self) -> io::Result<Option<Frame>> {
        if self.open.as_ref().is_none_or(|(segment, _)| *segment != self.mark.segment) {
            let file = File::open(self.shared.path(self.mark.segment))?;
            self.open = Some((self.mark.segment, file));
        }
        match &self.open {
            Some((_, file)) => frame::read(file, self.mark.offset),
            None => Ok(None),
        }
    }

    /// The mark moves first: a crash in between leaves a file that the next start removes.
    fn leave_segment(&mut self, next: u64) -> io::Result<()> {
        let left = self.mark.segment;
        self.mark = Mark { segment: next, ..Mark::default() };
        self.ack.write(self.mark)?;
        self.open = None;
        {
            let mut state = self.shared.state();
            state.segments.remove(&left);
            state.mark = self.mark;
        }
        match std::fs::remove_file(self.shared.path(left)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn pass_over_damage(&mut self) {
        let size = self.shared.state().segments.get(&self.mark.segment).copied();
        self.shared.stats.spool_cuts(1);
        tracing::error!(
            segment = self.mark.segment,
            offset = self.mark.offset,
            "the spool is damaged, passing over the rest of the segment"
        );
        self.mark.offset = size.unwrap_or(self.mark.offset).max(self.mark.offset);
    }
}
