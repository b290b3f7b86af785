//! The handle: commands go to the writer, reads to the book.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use bergfried_alert::exception::Exception;
use bergfried_alert::{Blackout, Heartbeat, Incoming, Settings};
use bergfried_control::Control;
use bergfried_event::{Finding, Timestamp};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::book::Book;
use crate::command::{Change, Changed, Command, Housekept, Receipt, Reply};
use crate::draft::{Limits, fresh_id};
use crate::error::{Failed, StartError};
use crate::follow::{Followed, Happened, News, Ring};
use crate::queue::Queue;
use crate::tell::{Silent, Teller};
use crate::writer::Writer;

/// The most alerts that are kept.
const MAX_ALERTS: usize = 200_000;
/// The most bytes of alerts, as JSON.
const MAX_BYTES: usize = 512 << 20;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the book is opened with.
pub struct Parts {
    /// Its durable form.
    pub control: Arc<Control>,
    /// What the owner decides.
    pub settings: Settings,
    /// The last sequence that the event store has, where there is one: findings beyond it are new,
    /// whatever was applied before, for the store was emptied or restored from an older copy.
    pub last_sequence: Option<u64>,
    /// The time; [`clock`] but in tests.
    pub clock: Clock,
    /// Who tells people; [`Silent`] tells nobody.
    pub teller: Box<dyn Teller>,
    /// The most alerts that are kept; what is over goes first, then what was quiet for longest.
    pub max_alerts: usize,
    /// The most bytes of alerts as JSON.
    pub max_bytes: usize,
}

impl Parts {
    /// With the system's clock and the usual bounds; nobody is told.
    pub fn new(control: Arc<Control>, settings: Settings) -> Parts {
        Parts {
            control,
            settings,
            last_sequence: None,
            clock: clock(),
            teller: Box::new(Silent),
            max_alerts: MAX_ALERTS,
            max_bytes: MAX_BYTES,
        }
    }
}

/// The system's clock.
pub fn clock() -> Clock {
    Arc::new(|| Timestamp::from(jiff::Timestamp::now()))
}

/// The one writer of alerts; cheap to clone.
#[derive(Clone)]
pub struct Alerting(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) control: Arc<Control>,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) book: RwLock<Book>,
    pub(crate) queue: Queue,
    pub(crate) ring: Ring,
    /// The last sequence of the event store whose findings are in the book.
    pub(crate) applied: AtomicU64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Ends the process when the writer panics: a hub that writes no alerts must not look alive, and
/// what was answered is durable.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the writer of alerts panicked, ending the process");
            std::process::abort();
        }
    }
}

impl Alerting {
    /// Reads the book and starts its writer.
    ///
    /// # Errors
    /// Where the control store cannot be read, or no thread can be started.
    pub fn start(parts: Parts) -> Result<Alerting, StartError> {
        if let Some(last) = parts.last_sequence
            && parts.control.lower_applied_sequence(last)?
        {
            tracing::warn!(
                "the event store is younger than the alerts: it was emptied or restored; \
                 alerts of before stay, new findings count from now on"
            );
        }
        let (book, applied) = crate::load::load(&parts.control, &parts.settings.model)?;
        let shared = Arc::new(Shared {
            ring: Ring::new(book.revision()),
            book: RwLock::new(book),
            settings: parts.settings,
            control: parts.control,
            clock: parts.clock,
            limits: Limits { alerts: parts.max_alerts, bytes: parts.max_bytes },
            queue: Queue::default(),
            applied: AtomicU64::new(applied),
            thread: Mutex::default(),
        });
        let writer = Writer::new(Arc::clone(&shared), parts.teller);
        let thread = std::thread::Builder::new().name("alerts".to_owned()).spawn(move || {
            let _guard = AbortOnPanic;
            writer.run();
        })?;
        *shared.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(Alerting(shared))
    }

    /// What the owner decides.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The time by the clock that alerts go by.
    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// Everything as it is now. The writer waits while this is held: not longer than a scan takes,
    /// and never over an await.
    pub fn read(&self) -> impl Deref<Target = Book> {
        self.0.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what is said of a matter; durable when it is answered.
    ///
    /// # Errors
    /// Where it could not be written, or is too much: nothing was changed.
    pub async fn receive(&self, incoming: Incoming) -> Result<Receipt, Failed> {
        incoming.check()?;
        self.ask(|reply| Command::Receive(Box::new(incoming), reply)).await
    }

    /// Changes alerts in one transaction, in this order.
    ///
    /// # Errors
    /// Where it could not be written: none was changed.
    pub async fn change(&self, ids: Vec<String>, change: Change) -> Result<Vec<Changed>, Failed> {
        self.ask(|reply| Command::Change(ids, change, reply)).await
    }

    /// Deletes alerts in one transaction; the ids of those that there were.
    ///
    /// # Errors
    /// Where it could not be written: none was deleted.
    pub async fn delete(&self, ids: Vec<String>) -> Result<Vec<String>, Failed> {
        self.ask(|reply| Command::Delete(ids, reply)).await
    }

    /// Notes that a sender was heard of; the answer has the id of its first heartbeat.
    ///
    /// # Errors
    /// Where it could not be written, is unfit, or there are too many senders already.
    pub async fn heartbeat(&self, heartbeat: Heartbeat) -> Result<Arc<Heartbeat>, Failed> {
        let heartbeat = heartbeat.fit(&self.0.settings.model)?;
        self.ask(|reply| Command::Heartbeat(Box::new(heartbeat), reply)).await
    }

    /// Notes that an agent was heard of, and that it counts as silent so many seconds from now, without
    /// waiting until that is durable; false where there is no room for it now.
    pub fn agent_heard(&self, agent: &str, timeout: u32) -> bool {
        let heartbeat =
            Heartbeat::of_agent(&self.0.settings, agent, timeout, fresh_id(), self.now());
        let (reply, _unread) = oneshot::channel();
        self.0.queue.try_send(Command::Heartbeat(Box::new(heartbeat), reply))
    }

    /// Notes that a sender was heard of, as a rule says, without waiting until that is durable; without
    /// a time it is missed as late as any. False where there is no room for it now.
    ///
    /// # Errors
    /// Where the name is unfit.
    pub fn heard(&self, origin: &str, timeout: Option<u32>) -> Result<bool, Failed> {
        let (settings, now) = (&self.0.settings, self.now());
        let environment = Value::from(settings.default_environment.as_str());
        let heartbeat = Heartbeat {
            id: fresh_id(),
            origin: origin.to_owned(),
            tags: Vec::new(),
            attributes: BTreeMap::from([("environment".to_owned(), environment)]),
            create_time: now,
            receive_time: now,
            timeout: timeout.unwrap_or(settings.heartbeat_timeout),
            customer: None,
        };
        let heartbeat = heartbeat.fit(&settings.model)?;
        let (reply, _unread) = oneshot::channel();
        Ok(self.0.queue.try_send(Command::Heartbeat(Box::new(heartbeat), reply)))
    }

    /// As [`Alerting::agent_heard`], of a host without an agent of Bergfried's; `timeout` 0: its
    /// silence is not told any more.
    pub fn host_heard(&self, host: &str, timeout: u32) -> bool {
        let heartbeat = Heartbeat::of_host(&self.0.settings, host, timeout, fresh_id(), self.now());
        let (reply, _unread) = oneshot::channel();
        self.0.queue.try_send(Command::Heartbeat(Box::new(heartbeat), reply))
    }

    /// Forgets a sender; false where there is none of this id.
    ///
    /// # Errors
    /// Where it could not be written.
    pub async fn delete_heartbeat(&self, id: &str) -> Result<bool, Failed> {
        self.ask(|reply| Command::DeleteHeartbeat(id.to_owned(), reply)).await
    }

    /// Makes a blackout, or changes the one with the same id.
    ///
    /// # Errors
    /// Where it could not be written, is too much, or there are too many already.
    pub async fn put_blackout(&self, blackout: Blackout) -> Result<Arc<Blackout>, Failed> {
        blackout.check()?;
        self.ask(|reply| Command::PutBlackout(Box::new(blackout), reply)).await
    }

    /// Ends a blackout for good; false where there is none of this id.
    ///
    /// # Errors
    /// Where it could not be written.
    pub async fn delete_blackout(&self, id: &str) -> Result<bool, Failed> {
        self.ask(|reply| Command::DeleteBlackout(id.to_owned(), reply)).await
    }

    /// Makes an exception. Findings that come from then on are judged by it; alerts stay.
    ///
    /// # Errors
    /// Where it could not be written, or there are too many already.
    pub async fn add_exception(&self, exception: Exception) -> Result<Arc<Exception>, Failed> {
        self.ask(|reply| Command::AddException(Box::new(exception), reply)).await
    }

    /// Takes an exception away by its whole id, and says what it was; none where there was none.
    ///
    /// # Errors
    /// Where it could not be written.
    pub async fn delete_exception(&self, id: &str) -> Result<Option<Arc<Exception>>, Failed> {
        self.ask(|reply| Command::DeleteException(id.to_owned(), reply)).await
    }

    /// Does at once what time would do, with other ages in seconds for what is deleted, where given.
    ///
    /// # Errors
    /// Where it could not be written: nothing was done.
    pub async fn housekeeping(
        &self,
        expired: Option<u32>,
        info: Option<u32>,
    ) -> Result<Housekept, Failed> {
        self.ask(|reply| Command::Housekeeping { expired, info, reply }).await
    }

    /// Leaves the findings of one frame of the event store; they are in the book once
    /// [`Alerting::applied`] says so. Frames come with rising sequences; one that was applied before
    /// changes nothing.
    pub fn apply_findings(&self, sequence: u64, findings: Arc<[Finding]>) {
        self.0.queue.send_findings(sequence, findings);
    }

    /// Waits until there is room for findings; false where there is none within `patience`.
    pub fn has_room(&self, patience: Duration) -> bool {
        self.0.queue.has_room(patience)
    }

    /// The last sequence of the event store whose findings are durably in the book.
    pub fn applied(&self) -> u64 {
        self.0.applied.load(Ordering::Acquire)
    }

    /// What happened after the change with this id, and what happens from now on.
    pub fn follow(&self, after: Option<u64>) -> Followed {
        let mut followed = self.0.ring.after(after);
        if let (true, Some(after)) = (followed.gap, after) {
            // The ring was read first: what changes in between comes live, and only so.
            let first = followed.past.first().map_or(u64::MAX, |happened| happened.id);
            let before = first.min(followed.at.saturating_add(1));
            let book = self.read();
            let missed = book.iter().filter(|alert| (after..before).contains(&alert.revision));
            let mut missed: Vec<Happened> = missed
                .filter(|alert| alert.revision > after)
                .map(|alert| Happened { id: alert.revision, news: News::Alert(Arc::clone(alert)) })
                .collect();
            missed.sort_by_key(|happened| happened.id);
            missed.append(&mut followed.past);
            followed.past = missed;
        }
        followed
    }

    /// Takes nothing more, and returns when what waits is durable.
    pub fn stop(&self) {
        self.0.queue.close();
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer of alerts ended by a panic");
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Failed> {
        let (reply, answer) = oneshot::channel();
        self.0.queue.send(command(reply)).await?;
        answer.await.unwrap_or(Err(Failed::Stopping))
    }
}
