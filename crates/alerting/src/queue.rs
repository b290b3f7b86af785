//! What waits for the writer: commands, and findings in the order of their sequences.
//!
//! Both are bounded. Who brings a command waits for a place; who brings findings is told that there
//! is no room before there is none.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bergfried_event::Finding;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::command::Command;
use crate::error::Failed;

/// Places for commands; one takes a place and another for each [`PLACE`] bytes that it holds.
const PLACES: usize = 16_384;
/// How many bytes a place stands for.
const PLACE: usize = 4_096;
/// The most places that one command takes.
const MOST_PLACES: usize = 1_024;
/// The most findings that wait before their sender is told to hold back.
const MAX_FINDINGS: usize = 200_000;

/// Findings of one frame of the event store.
pub(crate) type Frame = (u64, Arc<[Finding]>);

#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    bell: Condvar,
    /// Rung when findings were taken off.
    room: Condvar,
    places: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Waiting {
    commands: VecDeque<(Command, OwnedSemaphorePermit)>,
    frames: VecDeque<Frame>,
    findings: usize,
    closed: bool,
}

/// What the writer takes at once.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) commands: Vec<(Command, OwnedSemaphorePermit)>,
    /// They stay in the queue until [`Queue::applied`].
    pub(crate) frames: Vec<Frame>,
    /// Nothing comes any more, and nothing is left.
    pub(crate) ended: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Queue {
            waiting: Mutex::default(),
            bell: Condvar::new(),
            room: Condvar::new(),
            places: Arc::new(Semaphore::new(PLACES)),
        }
    }
}

impl Queue {
    pub(crate) async fn send(&self, command: Command) -> Result<(), Failed> {
        let places = (1 + command.weight() / PLACE).min(MOST_PLACES);
        let places = u32::try_from(places).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.places).acquire_many_owned(places).await;
        let permit = permit.map_err(|_closed| Failed::Stopping)?;
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Failed::Stopping);
        }
        waiting.commands.push_back((command, permit));
        drop(waiting);
        self.bell.notify_one();
        Ok(())
    }

    /// Leaves a command where there is room for it at once.
    pub(crate) fn try_send(&self, command: Command) -> bool {
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else { return false };
        let mut waiting = self.lock();
        if waiting.closed {
            return false;
        }
        waiting.commands.push_back((command, permit));
        drop(waiting);
        self.bell.notify_one();
        true
    }

    pub(crate) fn send_findings(&self, sequence: u64, findings: Arc<[Finding]>) {
        let mut waiting = self.lock();
        waiting.findings = waiting.findings.saturating_add(findings.len());
        waiting.frames.push_back((sequence, findings));
        drop(waiting);
        self.bell.notify_one();
    }

    /// Waits until more findings may come; false where that takes too long.
    pub(crate) fn has_room(&self, patience: Duration) -> bool {
        let waiting = self.lock();
        let full = |waiting: &mut Waiting| waiting.findings >= MAX_FINDINGS && !waiting.closed;
        let (mut waiting, _) = self
            .room
            .wait_timeout_while(waiting, patience, full)
            .unwrap_or_else(PoisonError::into_inner);
        !full(&mut waiting)
    }

    /// Takes at most so many commands and about so many findings; waits for the first for at most
    /// `nap`. Frames are left alone where `with_frames` says so.
    pub(crate) fn take(
        &self,
        nap: Duration,
        commands: usize,
        findings: usize,
        with_frames: bool,
    ) -> Taken {
        let idle = |waiting: &mut Waiting| {
            let frames = with_frames && !waiting.frames.is_empty();
            waiting.commands.is_empty() && !frames && !waiting.closed
        };
        let waiting = self.lock();
        let (mut waiting, _) = self
            .bell
            .wait_timeout_while(waiting, nap, idle)
            .unwrap_or_else(PoisonError::into_inner);
        let many = waiting.commands.len().min(commands);
        let taken = waiting.commands.drain(..many).collect();
        let mut frames = Vec::new();
        if with_frames {
            let mut left = findings;
            for (sequence, of_frame) in &waiting.frames {
                frames.push((*sequence, Arc::clone(of_frame)));
                left = left.saturating_sub(of_frame.len());
                if left == 0 {
                    break;
                }
            }
        }
        let ended = waiting.closed && waiting.commands.is_empty() && many == 0;
        Taken { commands: taken, frames, ended }
    }

    /// Forgets the first frames: they are durable.
    pub(crate) fn applied(&self, frames: usize) {
        let mut waiting = self.lock();
        for _ in 0..frames {
            let Some((_, findings)) = waiting.frames.pop_front() else { break };
            waiting.findings = waiting.findings.saturating_sub(findings.len());
        }
        drop(waiting);
        self.room.notify_all();
    }

    /// Lets nothing more in.
    pub(crate) fn close(&self) {
        self.places.close();
        self.lock().closed = true;
        self.bell.notify_all();
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that holds it can leave it half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
