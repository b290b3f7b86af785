//! From records to events, findings, a durable commit and alerts.
//!
//! One thread takes batches in the order in which they came: it parses each record, runs the chains
//! and the rules, commits events and findings together, and only then answers. Findings reach the alerts from the
//! committed frames, also after a crash. Nothing is answered as stored before it is durable, and a
//! batch that comes twice is stored once.

mod chains;
mod commit;
mod context;
mod counters;
mod desk;
mod heard;
mod hosts;
mod memory;
mod metrics;
mod moments;
mod origin;
mod outside;
mod remembered;
mod submission;
mod twins;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use bergfried_alerting::Alerting;
use bergfried_control::Control;
use bergfried_event::{Event, Timestamp};
use bergfried_heimdall::Metrics;
use bergfried_process::{ChainCounts, Chains};
use bergfried_rules::{Replaced, RuleSet};
use bergfried_store::{PendingFindings, Reader, Writer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, broadcast, oneshot};

use chains::ChainDesk;
pub use counters::{Counters, Snapshot};
use desk::Desk;
pub use desk::{Hours, RuleCounts, RuleReport, SecReport};
pub use hosts::{HostPolicy, HostState, Hosts, HostsShed, Via, Watch};
pub use memory::last_before;
use metrics::Figures;
pub use origin::mark;
pub use outside::{Nothing, Outside};
pub use submission::{Answer, Payload, Sender, Submission};

/// How many batches may wait; the sender of one more is told to come back. A batch has at most some
/// tens of MiB, so this bounds the memory that senders can take.
const QUEUE: usize = 16;
/// How many events a slow reader of [`Pipeline::watch`] may lag behind before it loses some.
const LIVE_QUEUE: usize = 8_192;

/// What the pipeline works with.
pub struct Parts {
    /// The event store's writing half.
    pub writer: Writer,
    /// The event store's reading half, from which the rules' state is rebuilt.
    pub reader: Reader,
    /// Findings that were durable when the program last stopped.
    pub pending: Vec<PendingFindings>,
    /// Tokens and agents.
    pub control: Arc<Control>,
    /// Where findings become alerts.
    pub alerting: Alerting,
    /// The hosts that are known, and when they count as silent.
    pub hosts: Arc<Hosts>,
    /// The chains that read more out of events, between the parsers and the rules.
    pub chains: Arc<Chains>,
    /// The rules that run.
    pub rules: Arc<RuleSet>,
    /// The file that holds what the rules remember over a restart; made where there is none.
    pub remembered: PathBuf,
    /// Does what rules of SEC ask for beside alerts, heartbeats and the log.
    pub outside: Box<dyn Outside>,
}

/// An event just committed.
#[derive(Clone, Debug)]
pub struct LiveEvent {
    /// Its id in the store.
    pub id: u64,
    /// The event.
    pub event: Arc<Event<'static>>,
}

/// The running pipeline. Dropping it without [`Pipeline::stop`] leaves its threads to end alone.
pub struct Pipeline {
    /// None once the pipeline stops; the thread ends when it has taken what was sent before.
    queue: RwLock<Option<SyncSender<Submission>>>,
    /// A permit for each batch that may wait in the queue.
    places: Arc<Semaphore>,
    live: broadcast::Sender<LiveEvent>,
    counters: Arc<Counters>,
    desk: Arc<Desk>,
    chains: Arc<ChainDesk>,
    figures: Arc<Figures>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Ends the process when its thread panics: a hub that takes nothing in must not look alive, and
/// what was answered is durable.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the pipeline panicked, ending the process");
            std::process::abort();
        }
    }
}

/// Why a batch was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too much is waiting already.
    #[error("the hub is busy")]
    Busy,
    /// The pipeline has stopped.
    #[error("the hub is stopping")]
    Stopped,
}

impl Pipeline {
    /// Applies what was durable but not yet an alert, rebuilds the rules' state and starts.
    ///
    /// # Errors
    /// Where the control store or the event store cannot be read, or no thread can be started.
    pub fn start(parts: Parts) -> Result<Pipeline, StartError> {
        let (queue, waiting) = sync_channel(QUEUE);
        let (live, _) = broadcast::channel(LIVE_QUEUE);
        let counters = Arc::new(Counters::default());
        let desk = Arc::new(Desk::new(Arc::clone(&parts.rules)));
        let chains = Arc::new(ChainDesk::new(Arc::clone(&parts.chains)));
        let figures = Arc::new(Figures::default());
        let shared = commit::Shared {
            live: live.clone(),
            counters: Arc::clone(&counters),
            desk: Arc::clone(&desk),
            chains: Arc::clone(&chains),
            figures: Arc::clone(&figures),
        };
        let (reader, first_new) = (parts.reader.clone(), parts.writer.next_event_id());
        let committer = commit::Committer::new(parts, shared)?;
        let committer =
            std::thread::Builder::new().name("pipeline".to_owned()).spawn(move || {
                let _guard = AbortOnPanic;
                committer.run(&waiting);
            })?;
        let past = figures.catch_up(reader, first_new)?;
        Ok(Pipeline {
            queue: RwLock::new(Some(queue)),
            places: Arc::new(Semaphore::new(QUEUE)),
            live,
            counters,
            desk,
            chains,
            figures,
            threads: Mutex::new(vec![committer, past]),
        })
    }

    /// Hands a batch in; the answer comes when it is durable or refused.
    ///
    /// # Errors
    /// Where the queue is full or the pipeline has stopped: try again later.
    pub fn submit(
        &self,
        payload: Payload,
        sender: Sender,
    ) -> Result<oneshot::Receiver<Answer>, Refused> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|error| match error {
            TryAcquireError::NoPermits => self.busy(),
            TryAcquireError::Closed => Refused::Stopped,
        })?;
        self.enqueue(payload, sender, place)
    }

    /// As [`Pipeline::submit`], but waits for a place in the queue; who waits longest comes first,
    /// also before those who do not wait.
    ///
    /// # Errors
    /// Where the pipeline has stopped.
    pub async fn submit_waiting(
        &self,
        payload: Payload,
        sender: Sender,
    ) -> Result<oneshot::Receiver<Answer>, Refused> {
        let place =
            Arc::clone(&self.places).acquire_owned().await.map_err(|_closed| Refused::Stopped)?;
        self.enqueue(payload, sender, place)
    }

    fn enqueue(
        &self,
        payload: Payload,
        sender: Sender,
        place: OwnedSemaphorePermit,
    ) -> Result<oneshot::Receiver<Answer>, Refused> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or(Refused::Stopped)?;
        let (reply, answer) = oneshot::channel();
        match queue.try_send(Submission { payload, sender, reply, place }) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(self.busy()),
            Err(TrySendError::Disconnected(_)) => Err(Refused::Stopped),
        }
    }

    fn busy(&self) -> Refused {
        self.counters.busy.fetch_add(1, Ordering::Relaxed);
        Refused::Busy
    }

    /// Events as they are committed, from now on. A reader that lags far behind loses some and is
    /// told how many.
    pub fn watch(&self) -> broadcast::Receiver<LiveEvent> {
        self.live.subscribe()
    }

    /// Runs these rules from the next batch on, within half a second. What rules that stay the same
    /// remember moves over to them; the answer says of how many that is so, and is lost where other
    /// rules follow first or the pipeline stops.
    pub fn replace_rules(&self, rules: Arc<RuleSet>) -> oneshot::Receiver<Replaced> {
        self.desk.leave(rules)
    }

    /// Runs these chains from the next batch on; their counters begin anew.
    pub fn replace_chains(&self, chains: Arc<Chains>) {
        self.chains.leave(chains);
    }

    /// What has been counted of each chain since it was loaded.
    pub fn chains(&self) -> Vec<ChainCounts> {
        self.chains.report()
    }

    /// What has been counted of each rule.
    pub fn rules(&self) -> RuleReport {
        self.desk.report(now())
    }

    /// What has been counted since the start.
    pub fn counters(&self) -> Snapshot {
        self.counters.snapshot()
    }

    /// The figures of the last 24 hours before `now`, of events that Heimdall knows; complete once
    /// what was stored before the start is counted.
    pub fn metrics(&self, now: Timestamp) -> Metrics {
        self.figures.metrics(now)
    }

    /// How many messages of this input named a host that their sender may not speak for.
    pub fn claimed_hosts(&self, input: &str) -> u64 {
        self.counters.claimed.of(input)
    }

    /// Takes nothing more, and returns when what waits is durable.
    pub fn stop(&self) {
        self.places.close();
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        self.figures.stop();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        threads.into_iter().for_each(joined);
    }
}

fn joined(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a pipeline thread ended by a panic");
    }
}

/// Why the pipeline cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The event store.
    #[error(transparent)]
    Store(#[from] bergfried_store::StoreError),
    /// The control store.
    #[error(transparent)]
    Control(#[from] bergfried_control::ControlError),
    /// No thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}
