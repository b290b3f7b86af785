//! The one thread that writes: takes what waits, many at once, works it out over the book, makes it
//! durable in one transaction, puts it into the book, answers.
//!
//! What cannot be written did not happen: commands are answered so, findings and steps of time stay
//! for the next try.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use bergfried_alert::{Blackout, Heartbeat, due};
use bergfried_control::ControlError;
use bergfried_event::Timestamp;

use crate::alerting::Shared;
use crate::beats::{Beat, MAX_AGENTS, MAX_BEATS};
use crate::change::change;
use crate::command::{Command, Housekept, Reply};
use crate::draft::{Draft, Finished};
use crate::error::Failed;
use crate::exceptions;
use crate::follow::{Happened, News};
use crate::queue::{Frame, Taken};
use crate::receive::{take_finding, take_in};
use crate::schedule::{Schedule, Task};
use crate::tell::{Cause, Teller};
use crate::time::{blackout_ended, delete, heard, housekeeping, silence, steps};

/// The most commands of one transaction.
const COMMANDS: usize = 512;
/// About the most findings of one transaction; a frame is never divided.
const FINDINGS: usize = 4_096;
/// The most steps of time in one transaction.
const STEPS: usize = 1_024;
/// The longest sleep, after which a clock that was set is noticed.
const NAP: Duration = Duration::from_secs(2);
/// How long findings and steps of time wait after a transaction that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How far the clock may run away from the time that passed before it counts as set.
const JUMP: i64 = 5 * Timestamp::SECOND;
/// The most blackouts.
const MAX_BLACKOUTS: usize = 10_000;
/// About how many bytes of memory a finding holds, which rules and caps of events keep small.
const OTHER_NEWS: usize = 4 << 10;

/// Sends an answer once it is known whether what it says is durable.
type Answer = Box<dyn FnOnce(Result<(), Failed>) + Send>;

pub(crate) struct Writer {
    shared: Arc<Shared>,
    teller: Box<dyn Teller>,
    schedule: Schedule,
    /// Since when the hub has heard whatever senders said: its start, or when its clock was set.
    listening_since: Timestamp,
    /// The time at the last turn, by the clock and by what passed.
    last: (Timestamp, Instant),
    /// Until when findings and steps of time wait.
    pause: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, teller: Box<dyn Teller>) -> Writer {
        let now = (shared.clock)();
        let mut writer = Writer {
            shared,
            teller,
            schedule: Schedule::default(),
            listening_since: now,
            last: (now, Instant::now()),
            pause: None,
        };
        writer.schedule_everything(now);
        writer
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            let now = self.look_at_the_clock();
            let paused = self.pause.is_some_and(|until| Instant::now() < until);
            let taken = self.shared.queue.take(self.nap(now, paused), COMMANDS, FINDINGS, !paused);
            // Findings that cannot be written stay with the event store, which brings them again.
            if taken.ended && (paused || taken.frames.is_empty()) {
                return;
            }
            self.turn(taken, paused);
        }
    }

    fn nap(&self, now: Timestamp, paused: bool) -> Duration {
        let due = [self.schedule.next(), self.teller.next()].into_iter().flatten().min();
        let due = due.filter(|_| !paused);
        let wait = due
            .map_or(NAP, |due| Duration::from_micros(u64::try_from(due.since(now)).unwrap_or(0)));
        wait.min(NAP)
    }

    /// A clock that was put forward (or a machine that slept) leaves senders no time to be heard.
    fn look_at_the_clock(&mut self) -> Timestamp {
        let (now, instant) = ((self.shared.clock)(), Instant::now());
        let (before, then) = self.last;
        let passed = i64::try_from((instant - then).as_micros()).unwrap_or(i64::MAX);
        if now.since(before).saturating_sub(passed) > JUMP || now < before {
            tracing::warn!(%before, %now, "the clock was set, senders get time to be heard");
            self.listening_since = now;
        }
        self.last = (now, instant);
        now
    }

    fn turn(&mut self, taken: Taken, paused: bool) {
        let now = self.look_at_the_clock();
        let shared = Arc::clone(&self.shared);
        let book = shared.book.read().unwrap_or_else(PoisonError::into_inner);
        let mut draft = Draft::over(&book);
        let done_frames = taken.frames.len();
        self.apply_frames(&mut draft, &taken.frames, now);
        let mut answers: Vec<Answer> = Vec::with_capacity(taken.commands.len());
        let mut places = Vec::with_capacity(taken.commands.len());
        for (command, place) in taken.commands {
            answers.push(self.perform(&mut draft, command, now));
            places.push(place);
        }
        let due = if paused { Vec::new() } else { self.time(&mut draft, now) };
        // Once for all of them: it looks at every alert.
        if draft.may_end_blackouts() {
            blackout_ended(&mut draft, &shared.settings, now);
        }
        let is_time_to_tell = !paused && self.teller.next().is_some_and(|time| time <= now);
        let finished = (is_time_to_tell || !draft.is_empty()).then(|| {
            let mut finished = draft.finish(shared.limits, now)?;
            self.teller.tell(&finished.told, &book, &mut finished.rows, now);
            Ok(finished)
        });
        drop(book);
        match self.write(finished) {
            Ok(()) => {
                shared.queue.applied(done_frames);
                if let Some((sequence, _)) = taken.frames.last() {
                    shared.applied.fetch_max(*sequence, Ordering::AcqRel);
                }
                for task in due {
                    // What is still due did not change for it.
                    self.schedule_one(task, now.plus_micros(Timestamp::SECOND));
                }
                answers.into_iter().for_each(|answer| answer(Ok(())));
            }
            Err(error) => {
                tracing::error!(%error, "cannot write alerts, trying again");
                self.pause = Some(Instant::now() + PAUSE);
                for task in due {
                    self.schedule.set(task, Some(now));
                }
                let failed = Failed::from(&error);
                answers.into_iter().for_each(|answer| answer(Err(failed.clone())));
            }
        }
    }

    /// Makes a transaction durable and puts it into the book.
    fn write(
        &mut self,
        finished: Option<Result<Finished, ControlError>>,
    ) -> Result<(), ControlError> {
        let Some(finished) = finished else { return Ok(()) };
        let written = finished.and_then(|finished| {
            self.shared.control.write_book(&finished.rows)?;
            Ok(finished)
        });
        self.teller.written(written.is_ok());
        self.take_over(written?);
        Ok(())
    }

    fn apply_frames(&self, draft: &mut Draft<'_>, frames: &[Frame], now: Timestamp) {
        let applied = self.shared.applied.load(Ordering::Acquire);
        for (sequence, findings) in frames.iter().filter(|(sequence, _)| *sequence > applied) {
            for finding in findings.iter() {
                if let Some(exception) = exceptions::covering(draft, finding, now) {
                    draft.suppressed(finding, &exception);
                    continue;
                }
                take_finding(draft, &self.shared.settings, finding, now);
                draft.found(finding);
            }
            draft.applied(*sequence);
        }
    }

    /// Works a command out; the answer is sent once that is durable.
    fn perform(&self, draft: &mut Draft<'_>, command: Command, now: Timestamp) -> Answer {
        let settings = &self.shared.settings;
        match command {
            Command::Receive(incoming, reply) => {
                answer(reply, Ok(take_in(draft, settings, *incoming, now)))
            }
            Command::Change(ids, wanted, reply) => {
                answer(reply, Ok(change(draft, settings, ids, &wanted, now)))
            }
            Command::Delete(ids, reply) => {
                let mut deleted = Vec::new();
                for id in ids {
                    if let Some(number) = draft.number_of(&id) {
                        delete(draft, number, Cause::Deleted);
                        deleted.push(id);
                    }
                }
                answer(reply, Ok(deleted))
            }
            Command::Heartbeat(heartbeat, reply) => {
                answer(reply, self.heartbeat(draft, *heartbeat, now))
            }
            Command::DeleteHeartbeat(id, reply) => {
                let number = draft.beat_number(&id);
                if let Some(number) = number {
                    draft.put_beat(number, None);
                }
                answer(reply, Ok(number.is_some()))
            }
            Command::PutBlackout(blackout, reply) => answer(reply, put_blackout(draft, *blackout)),
            Command::DeleteBlackout(id, reply) => {
                let number = blackout_number(draft, &id);
                if let Some(number) = number {
                    draft.put_blackout(number, None);
                }
                answer(reply, Ok(number.is_some()))
            }
            Command::AddException(exception, reply) => {
                answer(reply, exceptions::add(draft, *exception))
            }
            Command::DeleteException(id, reply) => {
                answer(reply, Ok(exceptions::delete(draft, &id)))
            }
            Command::Housekeeping { expired, info, reply } => {
                answer(reply, Ok(housekeeping(draft, settings, (expired, info), now)))
            }
        }
    }

    fn heartbeat(
        &self,
        draft: &mut Draft<'_>,
        mut heartbeat: Heartbeat,
        now: Timestamp,
    ) -> Result<Arc<Heartbeat>, Failed> {
        let sender = (heartbeat.origin.clone(), heartbeat.customer.clone());
        let known = draft.beat_of(&sender).map(|(number, beat)| (number, Arc::clone(beat)));
        let (number, told, told_at) = match known {
            Some((number, beat)) => {
                heartbeat.id.clone_from(&beat.heartbeat.id);
                (number, beat.told, beat.told_at)
            }
            None if draft.beat_count() >= MAX_BEATS => {
                return Err(Failed::TooMany { what: "heartbeats", most: MAX_BEATS });
            }
            None if heartbeat.agent().is_some() && draft.agent_count() >= MAX_AGENTS => {
                return Err(Failed::TooMany { what: "agents", most: MAX_AGENTS });
            }
            None => (draft.next_number(), bergfried_alert::Pulse::Ok, now),
        };
        let heartbeat = Arc::new(heartbeat);
        draft.put_beat(number, Some(Beat { heartbeat: Arc::clone(&heartbeat), told, told_at }));
        heard(draft, &self.shared.settings, number, now);
        Ok(heartbeat)
    }

    /// Does what is due, and says what was looked at.
    fn time(&mut self, draft: &mut Draft<'_>, now: Timestamp) -> Vec<Task> {
        let settings = &self.shared.settings;
        let mut looked_at = Vec::new();
        let mut kept = Housekept::default();
        while looked_at.len() < STEPS
            && let Some(task) = self.schedule.take(now)
        {
            match task {
                Task::Alert(number) => steps(draft, settings, number, now, &mut kept),
                Task::Beat(number) => {
                    silence(draft, settings, number, self.listening_since, now);
                }
                Task::Blackout(_) => draft.blackout_is_due(),
            }
            looked_at.push(task);
        }
        looked_at
    }

    /// Puts what became durable into the book and tells of it.
    fn take_over(&mut self, mut finished: Finished) {
        let news = news(&mut finished);
        let alerts: Vec<u64> = finished.alerts.iter().map(|(number, _)| *number).collect();
        let beats: Vec<u64> = finished.beats.keys().copied().collect();
        let blackouts: Vec<u64> = finished.blackouts.keys().copied().collect();
        self.shared.book.write().unwrap_or_else(PoisonError::into_inner).take(&mut finished);
        self.shared.ring.publish(news);
        let now = self.last.0;
        let alerts = alerts.into_iter().map(Task::Alert);
        let beats = beats.into_iter().map(Task::Beat);
        let blackouts = blackouts.into_iter().map(Task::Blackout);
        for task in alerts.chain(beats).chain(blackouts) {
            self.schedule_one(task, now);
        }
    }

    /// Schedules the next thing that time does, not before `earliest`.
    fn schedule_one(&mut self, task: Task, earliest: Timestamp) {
        let settings = &self.shared.settings;
        let book = self.shared.book.read().unwrap_or_else(PoisonError::into_inner);
        let next = match task {
            Task::Alert(number) => {
                book.alert(number).and_then(|alert| due(settings, alert)).map(|(time, _)| time)
            }
            Task::Beat(number) => {
                book.beat(number).and_then(|beat| beat.due(settings, self.listening_since))
            }
            Task::Blackout(number) => {
                book.blackouts.get(&number).and_then(|blackout| blackout.next_change(earliest))
            }
        };
        drop(book);
        self.schedule.set(task, next.map(|time| time.max(earliest)));
    }

    fn schedule_everything(&mut self, now: Timestamp) {
        let book = self.shared.book.read().unwrap_or_else(PoisonError::into_inner);
        let alerts = book.numbers().map(Task::Alert);
        let beats = book.beats().keys().copied().map(Task::Beat);
        let blackouts = book.blackouts.keys().copied().map(Task::Blackout);
        let tasks: Vec<Task> = alerts.chain(beats).chain(blackouts).collect();
        drop(book);
        for task in tasks {
            self.schedule_one(task, now);
        }
    }
}

fn answer<T: Send + 'static>(reply: Reply<T>, result: Result<T, Failed>) -> Answer {
    Box::new(move |durable| {
        // Who asked may have gone; what was done is done.
        let _gone = reply.send(durable.and(result));
    })
}

fn blackout_number(draft: &Draft<'_>, id: &str) -> Option<u64> {
    let found = draft.blackouts().find(|(_, blackout)| blackout.id == id);
    found.map(|(number, _)| number)
}

fn put_blackout(draft: &mut Draft<'_>, blackout: Blackout) -> Result<Arc<Blackout>, Failed> {
    let number = match blackout_number(draft, &blackout.id) {
        Some(number) => number,
        None if draft.blackouts().count() >= MAX_BLACKOUTS => {
            return Err(Failed::TooMany { what: "blackouts", most: MAX_BLACKOUTS });
        }
        None => draft.next_number(),
    };
    let blackout = Arc::new(blackout);
    draft.put_blackout(number, Some(Arc::clone(&blackout)));
    Ok(blackout)
}

/// What followers are told of a transaction, in the order of revisions.
fn news(finished: &mut Finished) -> Vec<(Happened, usize)> {
    let changed = finished.alerts.iter().filter_map(|(_, alert)| alert.as_ref());
    let changed = changed.map(|(alert, bytes)| {
        (Happened { id: alert.revision, news: News::Alert(Arc::clone(alert)) }, *bytes)
    });
    let others = std::mem::take(&mut finished.news).into_iter().map(|other| (other, OTHER_NEWS));
    let mut news: Vec<(Happened, usize)> = changed.chain(others).collect();
    news.sort_by_key(|(happened, _)| happened.id);
    news
}
