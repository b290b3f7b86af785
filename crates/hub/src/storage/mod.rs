//! The thread that looks after what is stored: joins small segments while little comes in, and removes
//! what retention says; and what people ask of it.

pub mod answer;
mod told;

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bergfried_alerting::Alerting;
use bergfried_control::Control;
use bergfried_event::Timestamp;
use bergfried_store::{Keeper, Reader, Removed, Stop, StoreError, Work};

use self::told::{Joined, Told, Verification};
use crate::config::RetentionPlan;
use crate::running::now;

/// How often it looks.
const ROUND: Duration = Duration::from_secs(60);
/// Fewer events than this since the last look, and the hub counts as idle.
const IDLE_EVENTS: u64 = 300_000;
/// Segments are joined at least so often, however busy the hub is.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// The most joins of one look.
const JOINS: usize = 8;
/// How the audit trail names whoever removes what is old.
const WHO: &str = "retention";

/// What it works with.
pub(crate) struct Parts {
    pub(crate) keeper: Keeper,
    pub(crate) reader: Reader,
    pub(crate) alerting: Alerting,
    pub(crate) control: Arc<Control>,
    pub(crate) plan: RetentionPlan,
}

/// What a person may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Prove that what is stored is what was written; the text is a value that the chain had once.
    Verify(String),
    /// Join all segments that are small.
    Compact,
}

impl Task {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Task::Verify(_) => "verify",
            Task::Compact => "compact",
        }
    }
}

/// Looks after what is stored.
pub(crate) struct Storekeeper {
    parts: Parts,
    stop: Stop,
    told: Mutex<Told>,
    /// What a person asked for is done one at a time.
    asked: Mutex<Option<(Task, JoinHandle<()>)>>,
    stopping: Mutex<bool>,
    bell: Condvar,
}

impl Storekeeper {
    pub(crate) fn new(parts: Parts) -> Self {
        Storekeeper {
            parts,
            stop: Stop::default(),
            told: Mutex::default(),
            asked: Mutex::default(),
            stopping: Mutex::default(),
            bell: Condvar::new(),
        }
    }

    /// Starts the thread; it ends soon after [`Storekeeper::stop`].
    pub(crate) fn start(self: &Arc<Self>) -> io::Result<JoinHandle<()>> {
        let keeper = Arc::clone(self);
        std::thread::Builder::new().name("storekeeper".to_owned()).spawn(move || keeper.run())
    }

    /// Ends the thread, and what people asked for.
    pub(crate) fn stop(&self) {
        self.stop.set();
        *lock(&self.stopping) = true;
        self.bell.notify_all();
        let asked = lock(&self.asked).take();
        if asked.is_some_and(|(_, thread)| thread.join().is_err()) {
            tracing::error!("what somebody asked of the store ended by a panic");
        }
    }

    pub(crate) fn keeper(&self) -> &Keeper {
        &self.parts.keeper
    }

    pub(crate) fn plan(&self) -> &RetentionPlan {
        &self.parts.plan
    }

    /// What it did since the hub was started.
    pub(crate) fn told(&self) -> Told {
        lock(&self.told).clone()
    }

    /// What somebody asked for and is not done.
    pub(crate) fn running(&self) -> Option<&'static str> {
        let asked = lock(&self.asked);
        asked.as_ref().filter(|(_, thread)| !thread.is_finished()).map(|(task, _)| task.name())
    }

    /// Begins what somebody asks for; false where something else is not done.
    pub(crate) fn ask(self: &Arc<Self>, task: Task, who: String) -> io::Result<bool> {
        let mut asked = lock(&self.asked);
        if self.stop.is_set() || asked.as_ref().is_some_and(|(_, thread)| !thread.is_finished()) {
            return Ok(false);
        }
        let (keeper, doing) = (Arc::clone(self), task.clone());
        let thread = std::thread::Builder::new().name("storekeeper-asked".to_owned());
        let thread = thread.spawn(move || keeper.do_asked(&doing, &who))?;
        *asked = Some((task, thread));
        Ok(true)
    }

    fn do_asked(&self, task: &Task, who: &str) {
        let (action, detail) = match task {
            Task::Verify(known) => {
                let result = self.parts.keeper.verify(known, &self.stop);
                if matches!(result, Err(StoreError::Cancelled)) {
                    return;
                }
                let verification = Verification::of(result, now());
                let detail = verification.sentence();
                lock(&self.told).verified = Some(verification);
                ("storage.verify", detail)
            }
            Task::Compact => match self.join_all(true, usize::MAX) {
                Ok(joined) => ("storage.compact", joined.sentence()),
                Err(error) => return self.complain("cannot join segments", &error),
            },
        };
        self.audit(who, action, &detail);
    }

    fn audit(&self, who: &str, action: &str, detail: &str) {
        // What was removed or joined is in the ledger too, whatever becomes of this.
        if let Err(error) = self.parts.control.append_audit(who, action, detail, now()) {
            tracing::error!(%error, "cannot write the audit trail");
        }
    }

    fn run(&self) {
        let (mut last_id, mut joined) = (self.parts.reader.last_id(), Instant::now());
        loop {
            let stopping = lock(&self.stopping);
            let waited = self.bell.wait_timeout_while(stopping, ROUND, |stopping| !*stopping);
            if *waited.unwrap_or_else(PoisonError::into_inner).0 {
                return;
            }
            self.expire(now());
            let is_at = self.parts.reader.last_id();
            let is_idle = is_at.saturating_sub(last_id) < IDLE_EVENTS;
            last_id = is_at;
            if is_idle || joined.elapsed() > PATIENCE {
                joined = Instant::now();
                let joins = if is_idle { JOINS } else { 1 };
                if let Err(error) = self.join_all(false, joins) {
                    self.complain("cannot join segments", &error);
                }
            }
        }
    }

    /// Removes what is due.
    fn expire(&self, now: Timestamp) {
        let retention = self.parts.plan.at(now);
        if !self.parts.keeper.is_due(&retention, now) {
            return;
        }
        let listed = self.behind_alerts();
        let work = Work { now, stop: &self.stop };
        loop {
            match self.parts.keeper.retain(&retention, &listed, work) {
                Ok(Some(removed)) => self.note(&removed, now),
                Ok(None) => return,
                Err(error) => return self.complain("cannot remove what is old", &error),
            }
        }
    }

    /// The ids of the events that alerts stand on, ascending.
    fn behind_alerts(&self) -> Vec<u64> {
        let book = self.parts.alerting.read();
        let evidence = book.iter().filter_map(|alert| alert.evidence.as_ref());
        let mut ids: Vec<u64> =
            evidence.flat_map(|evidence| evidence.event_ids.iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn note(&self, removed: &Removed, now: Timestamp) {
        lock(&self.told).add_removed(removed, now);
        let Removed { day, why, events, kept, bytes } = removed;
        let detail = format!("{day}: {events} events, {bytes} bytes; {kept} stay ({why})");
        tracing::info!(%detail, "retention removed events");
        self.audit(WHO, "storage.expire", &detail);
    }

    fn join_all(&self, eager: bool, most: usize) -> Result<Joined, StoreError> {
        let mut joined = Joined::default();
        let work = Work { now: now(), stop: &self.stop };
        for _ in 0..most {
            let Some(compacted) = self.parts.keeper.compact(eager, work)? else { break };
            joined.add(&compacted);
            lock(&self.told).add_joined(&compacted, work.now);
        }
        Ok(joined)
    }

    fn complain(&self, what: &'static str, error: &StoreError) {
        if matches!(error, StoreError::Cancelled) {
            return;
        }
        tracing::error!(%error, "{what}");
        lock(&self.told).problem = Some((now(), format!("{what}: {error}")));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
