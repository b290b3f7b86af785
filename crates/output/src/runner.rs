//! The thread of an output: reads on from its place, hands over, notes how far it came.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bergfried_event::{Event, Timestamp};
use bergfried_query::Predicate;
use bergfried_store::Reader;

use crate::backoff::{Backoff, random};
use crate::counters::{Counters, add};
use crate::files::Files;
use crate::hub::HubLink;
use crate::place::{Place, PlaceFile};
use crate::syslog::SyslogLink;

/// The most events that are read before they are handed over.
const PORTION: usize = 8_192;
/// How often a place is made durable while something is handed over ...
const SAVE: Duration = Duration::from_secs(1);
/// ... and while events are only passed over.
const SAVE_PASSED: Duration = Duration::from_secs(30);
/// How long to wait at most for the store to grow.
const IDLE: Duration = Duration::from_secs(60);

/// Why nothing could be handed over for now.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) reason: String,
    /// How long the receiver asks to wait.
    pub(crate) asked: Option<Duration>,
    /// The event behind which to begin again, where what was handed over may not have arrived.
    pub(crate) rewind: Option<u64>,
}

impl Trouble {
    pub(crate) fn new(reason: String) -> Trouble {
        Trouble { reason, asked: None, rewind: None }
    }
}

/// Where events go.
pub(crate) enum Sink {
    Files(Box<Files>),
    Syslog(Box<SyslogLink>),
    Hub(Box<HubLink>),
}

impl Sink {
    /// Takes an event; true where it is time to hand over.
    fn push(&mut self, received: Timestamp, event: &Event<'_>, counters: &Counters) -> bool {
        match self {
            Sink::Files(files) => files.push(event, received),
            Sink::Syslog(syslog) => syslog.push(event),
            Sink::Hub(hub) => hub.push(event, received, counters),
        }
    }

    /// The event at which a portion must end.
    fn until(&self) -> Option<u64> {
        match self {
            Sink::Files(_) | Sink::Syslog(_) => None,
            Sink::Hub(hub) => hub.until(),
        }
    }

    /// Hands over what was taken: the events behind `after` up to `until`. Returns how many got
    /// through; after an error the next call goes on.
    fn flush(&mut self, place: &mut PlaceFile, after: u64, until: u64) -> Result<usize, Trouble> {
        match self {
            Sink::Files(files) => files.flush(),
            Sink::Syslog(syslog) => syslog.flush(until),
            Sink::Hub(hub) => hub.flush(place, after, until),
        }
    }

    /// The last event of those up to `after` that need not be handed over again after a crash.
    fn settled(&mut self, after: u64) -> Result<u64, Trouble> {
        match self {
            Sink::Files(files) => files.settle().map(|()| after),
            Sink::Syslog(syslog) => syslog.settled(after),
            Sink::Hub(_) => Ok(after),
        }
    }

    fn reopen(&mut self) {
        match self {
            Sink::Files(files) => files.reopen(),
            // Certificates are read again for each connection.
            Sink::Syslog(_) | Sink::Hub(_) => {}
        }
    }
}

/// What others ask of the thread.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    stop: Mutex<bool>,
    changed: Condvar,
    reopen: AtomicBool,
}

impl Wishes {
    pub(crate) fn stop(&self) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(crate) fn reopen(&self) {
        self.reopen.store(true, Ordering::Release);
    }

    fn is_stopped(&self) -> bool {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits unless it is to stop.
    fn pause(&self, time: Duration) {
        let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(stop, time, |stop| !*stop);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

pub(crate) struct Runner {
    pub(crate) name: String,
    pub(crate) when: Option<Predicate>,
    pub(crate) reader: Reader,
    pub(crate) place: PlaceFile,
    pub(crate) sink: Sink,
    pub(crate) counters: Arc<Counters>,
    pub(crate) wishes: Arc<Wishes>,
    pub(crate) now: fn() -> Timestamp,
    pub(crate) progress: Progress,
}

/// How far the thread has come.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The last event that was handed over or passed over.
    after: u64,
    /// The last event that was read.
    read: u64,
    /// When the hub took it.
    received: Option<Timestamp>,
    /// When the place was made durable last.
    saved: Instant,
    /// Whether anything was handed over since then.
    handed: bool,
    /// Whether a portion was read that is not handed over yet.
    waiting: bool,
    backoff: Backoff,
}

impl Progress {
    pub(crate) fn from(after: u64) -> Progress {
        Progress {
            after,
            read: after,
            received: None,
            saved: Instant::now(),
            handed: false,
            waiting: false,
            backoff: Backoff::default(),
        }
    }
}

impl Runner {
    /// Works until it is told to stop.
    pub(crate) fn run(mut self) {
        self.counters.handled(self.progress.after, None);
        while !self.wishes.is_stopped() {
            if self.wishes.reopen.swap(false, Ordering::AcqRel) {
                self.sink.reopen();
            }
            let worked = self.work().and_then(|any| self.save(false).map(|()| any));
            match worked {
                Ok(true) => {}
                Ok(false) => {
                    self.reader.wait_past(self.progress.after, self.patience());
                }
                Err(trouble) => self.endure(&trouble),
            }
        }
        if !self.progress.waiting
            && let Err(trouble) = self.save(true)
        {
            tracing::warn!(
                output = self.name,
                trouble.reason,
                "cannot note how far an output came"
            );
        }
    }

    /// Reads a portion and hands it over; false where there was nothing.
    fn work(&mut self) -> Result<bool, Trouble> {
        if !self.progress.waiting && !self.read()? {
            return Ok(false);
        }
        let Progress { after, read, received, .. } = self.progress;
        let events = self.sink.flush(&mut self.place, after, read)?;
        add(&self.counters.sent, events);
        self.progress.waiting = false;
        self.progress.after = read;
        self.progress.handed |= events > 0;
        self.counters.handled(read, received);
        if events > 0 {
            self.well();
        }
        Ok(true)
    }

    fn read(&mut self) -> Result<bool, Trouble> {
        let (progress, sink) = (&mut self.progress, &mut self.sink);
        let (when, counters) = (self.when.as_ref(), &self.counters);
        let before = progress.read;
        let mut room = PORTION;
        let mut first = None;
        let until = sink.until();
        let stored = self.reader.last_id();
        self.reader
            .follow(before, |id, received, event| {
                // Ids have no gaps. Of a new output that begins at the beginning nothing is lost.
                let missing = id - progress.read - 1;
                if missing > 0 && progress.read > 0 {
                    counters.lost.fetch_add(missing, Ordering::Relaxed);
                }
                progress.read = id;
                progress.received = Some(received);
                first.get_or_insert(received);
                room -= 1;
                let wanted = when.is_none_or(|when| when.matches(event));
                let full = if wanted {
                    sink.push(received, event, counters)
                } else {
                    add(&counters.passed_over, 1);
                    false
                };
                if full || room == 0 || until.is_some_and(|until| id >= until) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .map_err(|error| Trouble::new(format!("cannot read the event store: {error}")))?;
        if progress.read == before && stored > before {
            // All of these were removed before they were read.
            let missing = if before > 0 { stored - before } else { 0 };
            counters.lost.fetch_add(missing, Ordering::Relaxed);
            progress.read = stored;
        }
        if let Some(first) = first {
            counters.waits(first);
        }
        progress.waiting = progress.read > before;
        Ok(progress.waiting)
    }

    /// Makes the place durable where that is due.
    fn save(&mut self, at_once: bool) -> Result<(), Trouble> {
        let interval = if self.progress.handed { SAVE } else { SAVE_PASSED };
        let saved = self.place.saved().map_or(0, |place| place.after);
        let new = self.place.saved().is_none();
        if !new && saved == self.progress.after && !self.progress.handed
            || !new && !at_once && self.progress.saved.elapsed() < interval
        {
            return Ok(());
        }
        let settled = self.sink.settled(self.progress.after)?;
        self.place
            .save(Place { after: settled, pending: None })
            .map_err(|error| Trouble::new(format!("cannot write the place: {error}")))?;
        self.progress.saved = Instant::now();
        self.progress.handed = settled < self.progress.after;
        Ok(())
    }

    /// How long to wait for the store to grow.
    fn patience(&self) -> Duration {
        let saved = self.place.saved().map_or(0, |place| place.after);
        let interval = match (self.progress.handed, saved < self.progress.after) {
            (true, _) => SAVE,
            (false, true) => SAVE_PASSED,
            (false, false) => IDLE,
        };
        interval
            .saturating_sub(self.progress.saved.elapsed())
            .clamp(Duration::from_millis(10), IDLE)
    }

    fn well(&mut self) {
        self.progress.backoff.reset();
        if self.counters.succeeded((self.now)()) {
            tracing::info!(output = self.name, "an output gets through again");
        }
    }

    /// Waits before the next try.
    fn endure(&mut self, trouble: &Trouble) {
        if let Some(rewind) = trouble.rewind {
            self.progress.after = rewind;
            self.progress.read = rewind;
            self.progress.waiting = false;
            self.counters.handled(rewind, None);
        }
        let pause = self.progress.backoff.next(trouble.asked, random());
        if self.counters.failed((self.now)(), &trouble.reason) {
            let (output, reason) = (&self.name, &trouble.reason);
            tracing::warn!(output, reason, ?pause, "an output does not get through, events wait");
        }
        self.wishes.pause(pause);
    }
}
