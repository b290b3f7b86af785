//! From the observers to the intake: records that no file holds, each until it is durable.
//!
//! An observer hands over what it saw and waits until that is in the spool before it remembers that
//! it said so: what was not durable when the agent died is seen, and said, again.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bergfried_event::{SourceKind, Timestamp};
use bergfried_source::Flow;

use crate::wake::Wake;

/// How many records, and how many bytes of them, wait before their observers do.
const RECORDS: usize = 1_024;
const BYTES: usize = 4 << 20;

/// What an observer saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Observed {
    /// The observer's name, or what it reads: stands where the path of a file would.
    pub(crate) observer: Cow<'static, str>,
    /// How its bytes are read.
    pub(crate) kind: SourceKind,
    /// The record: for most observers one JSON object of ECS fields, in one line.
    pub(crate) raw: Vec<u8>,
    /// When it was seen.
    pub(crate) at: Timestamp,
}

/// The agent stops: nothing more is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the agent is stopping")]
pub(crate) struct Stopped;

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Readable while something may wait.
    event: Wake,
}

/// Where an observer will go on, in words of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) observer: &'static str,
    pub(crate) place: String,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Option<Observed>, Option<Position>)>,
    bytes: usize,
    /// How far observers are with what was taken.
    positions: BTreeMap<String, String>,
    /// How many were ever handed over, taken, and made durable.
    sent: u64,
    taken: u64,
    durable: u64,
    stopped: bool,
}

/// An observer's end; clones share one queue.
#[derive(Clone, Debug)]
pub(crate) struct Outbox(Arc<Shared>);

/// The intake's end. Dropped, it stops the observers.
#[derive(Debug)]
pub(crate) struct Inbox(Arc<Shared>);

/// Both ends of an empty queue.
pub(crate) fn outbox() -> std::io::Result<(Outbox, Inbox)> {
    let event = Wake::new()?;
    let state = Mutex::new(State::default());
    let shared = Arc::new(Shared { state, changed: Condvar::new(), event });
    Ok((Outbox(Arc::clone(&shared)), Inbox(shared)))
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'l>(
        &'l self,
        state: MutexGuard<'l, State>,
        mut condition: impl FnMut(&mut State) -> bool,
    ) -> Result<MutexGuard<'l, State>, Stopped> {
        let holds = |state: &mut State| !state.stopped && condition(state);
        let state = self.changed.wait_while(state, holds).unwrap_or_else(PoisonError::into_inner);
        if state.stopped { Err(Stopped) } else { Ok(state) }
    }
}

fn bytes((observed, position): &(Option<Observed>, Option<Position>)) -> usize {
    observed.as_ref().map_or(0, |observed| observed.raw.len())
        + position.as_ref().map_or(0, |position| position.place.len())
}

impl Outbox {
    /// Hands a record over; waits while too much waits already.
    pub(crate) fn send(&self, observed: Observed) -> Result<(), Stopped> {
        self.push((Some(observed), None))
    }

    /// Hands a record over together with where its observer goes on behind it. Both become durable at
    /// once: after a restart the observer finds the place in its [`crate::observers::Scene`], and has
    /// said everything before it exactly once.
    pub(crate) fn send_with(&self, observed: Observed, position: Position) -> Result<(), Stopped> {
        self.push((Some(observed), Some(position)))
    }

    /// Says where the observer goes on, with nothing more to say before that.
    pub(crate) fn reached(&self, position: Position) -> Result<(), Stopped> {
        self.push((None, Some(position)))
    }

    fn push(&self, entry: (Option<Observed>, Option<Position>)) -> Result<(), Stopped> {
        let is_full = |state: &mut State| state.waiting.len() >= RECORDS || state.bytes >= BYTES;
        let mut state = self.0.wait_while(self.0.lock(), is_full)?;
        state.bytes += bytes(&entry);
        state.waiting.push_back(entry);
        state.sent += 1;
        drop(state);
        self.0.event.raise();
        Ok(())
    }

    /// Waits this long, or until the agent stops; whether it does.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let goes_on = |state: &mut State| !state.stopped;
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), time, goes_on);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopped
    }

    /// Waits until everything that was handed over before is durable.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "Linux's observers wait for it")
    )]
    pub(crate) fn flush(&self) -> Result<(), Stopped> {
        let state = self.0.lock();
        let sent = state.sent;
        self.0.wait_while(state, |state| state.durable < sent).map(drop)
    }
}

impl Inbox {
    /// Becomes readable when there is more.
    #[cfg(unix)]
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.event.fd()
    }

    /// Hands records to the sink until it is full or none is left; true where more is left.
    pub(crate) fn read(&self, sink: &mut dyn FnMut(Observed) -> Flow) -> bool {
        let mut state = self.0.lock();
        let mut flow = Flow::More;
        while flow == Flow::More
            && let Some(entry) = state.waiting.pop_front()
        {
            state.bytes -= bytes(&entry);
            state.taken += 1;
            let (observed, position) = entry;
            if let Some(observed) = observed {
                flow = sink(observed);
            }
            if let Some(Position { observer, place }) = position {
                state.positions.insert(observer.to_owned(), place);
            }
        }
        let more = !state.waiting.is_empty();
        drop(state);
        self.0.changed.notify_all();
        if !more {
            // What is sent from here on raises it again.
            self.0.event.clear();
        }
        more || !self.0.lock().waiting.is_empty()
    }

    /// How far observers are with what was taken, as far as that changed since it was last asked.
    pub(crate) fn positions(&self) -> BTreeMap<String, String> {
        std::mem::take(&mut self.0.lock().positions)
    }

    /// Everything that was taken is durable now.
    pub(crate) fn durable(&self) {
        let mut state = self.0.lock();
        state.durable = state.taken;
        drop(state);
        self.0.changed.notify_all();
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.0.lock().stopped = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn observed(number: i64) -> Observed {
        let (raw, at) = (vec![b' '; 10], Timestamp::from_micros(number));
        Observed { observer: "test".into(), kind: SourceKind::Json, raw, at }
    }

    #[test]
    fn senders_wait_for_room_and_for_durability() {
        let (outbox, inbox) = outbox().unwrap();
        let records = 3 * RECORDS;
        let sender = thread::spawn(move || {
            for number in 0..i64::try_from(records).unwrap() {
                outbox.send(observed(number)).unwrap();
            }
            outbox.flush()
        });
        let mut taken = Vec::new();
        while taken.len() < records {
            inbox.read(&mut |observed| {
                taken.push(observed.at);
                if taken.len() % 100 == 0 { Flow::Full } else { Flow::More }
            });
            assert!(inbox.0.lock().waiting.len() <= RECORDS);
        }
        assert!(taken.is_sorted());
        assert!(!sender.is_finished(), "nothing is durable yet");
        inbox.durable();
        assert_eq!(sender.join().unwrap(), Ok(()));
    }

    #[test]
    fn a_position_comes_with_its_record_and_not_before() {
        let (outbox, inbox) = outbox().unwrap();
        let position = |place: &str| Position { observer: "test", place: place.to_owned() };
        outbox.reached(position("0")).unwrap();
        for number in 1..=3 {
            outbox.send_with(observed(number), position(&number.to_string())).unwrap();
        }
        let mut taken = Vec::new();
        inbox.read(&mut |observed| {
            taken.push(observed.at.micros());
            if taken.len() == 2 { Flow::Full } else { Flow::More }
        });
        let reached = |place: &str| BTreeMap::from([("test".to_owned(), place.to_owned())]);
        assert_eq!((taken.as_slice(), inbox.positions()), ([1, 2].as_slice(), reached("2")));
        assert_eq!(inbox.positions(), BTreeMap::new());
        inbox.read(&mut |_| Flow::More);
        assert_eq!(inbox.positions(), reached("3"));
        assert_eq!(inbox.0.lock().bytes, 0);
    }

    #[test]
    fn nobody_waits_for_an_agent_that_stopped() {
        let (outbox, inbox) = outbox().unwrap();
        outbox.send(observed(1)).unwrap();
        let waiting = thread::spawn({
            let outbox = outbox.clone();
            move || outbox.flush()
        });
        drop(inbox);
        assert_eq!(waiting.join().unwrap(), Err(Stopped));
        assert_eq!(outbox.send(observed(2)), Err(Stopped));
        assert!(outbox.wait(Duration::MAX));
    }

    #[test]
    fn the_event_is_raised_while_something_waits() {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let (outbox, inbox) = outbox().unwrap();
        let is_raised = || {
            let mut fds = [PollFd::from_borrowed_fd(inbox.fd(), PollFlags::IN)];
            poll(&mut fds, Some(&Timespec::default())).unwrap() == 1
        };
        assert!(!is_raised());
        for number in 0..2 {
            outbox.send(observed(number)).unwrap();
        }
        assert!(inbox.read(&mut |_| Flow::Full), "one is left");
        assert!(is_raised());
        assert!(!inbox.read(&mut |_| Flow::More));
        assert!(!is_raised());
    }
}
