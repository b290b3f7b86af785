//! A thread for each channel, which delivers what the control store holds for it.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use bergfried_control::{Control, ControlError, Delivery, QueuedLetter};
use bergfried_event::Timestamp;
use bergfried_notify::routing::budget::Verdict;
use bergfried_notify::{Channel, Client, Memory, Message, SendError, Step, next_step};

use crate::compose::compose;
use crate::teller::{Teller, stored};

/// How long a channel sleeps at most; a new letter wakes it at once.
const NAP: Duration = Duration::from_secs(5);
const HOUR: i64 = 3_600 * Timestamp::SECOND;

/// Sends one message over a channel.
pub type Post = dyn Fn(&Channel, &Message, Option<&Memory>, Timestamp) -> Result<Option<Memory>, SendError>
    + Send
    + Sync;

/// What was counted of all channels since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages that were delivered.
    pub delivered: AtomicU64,
    /// Letters that these were.
    pub letters: AtomicU64,
    /// Attempts that failed and are made again.
    pub retried: AtomicU64,
    /// Letters that were given up.
    pub dead: AtomicU64,
    /// Letters that were held back by an hourly limit.
    pub held: AtomicU64,
}

/// The threads of all channels. Dropping it without [`Deliveries::stop`] leaves them to end alone.
pub struct Deliveries {
    control: Arc<Control>,
    teller: Arc<Teller>,
    clock: fn() -> Timestamp,
    counts: Arc<Counts>,
    running: Mutex<Vec<Running>>,
}

struct Running {
    name: String,
    stopping: Arc<AtomicBool>,
    thread: Thread,
    handle: JoinHandle<()>,
}

/// Lets a thread begin, once that of before it has ended.
type Begin = mpsc::Sender<Option<JoinHandle<()>>>;

/// Threads that can begin; dropping it ends them.
pub struct Prepared(Vec<(Running, Begin)>);

impl Deliveries {
    /// Starts a thread for each channel.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(
        channels: Vec<Channel>,
        control: Arc<Control>,
        teller: Arc<Teller>,
        clock: fn() -> Timestamp,
    ) -> std::io::Result<Deliveries> {
        let deliveries = Deliveries {
            control,
            teller,
            clock,
            counts: Arc::default(),
            running: Mutex::default(),
        };
        let prepared = deliveries.prepare(channels)?;
        deliveries.replace(prepared);
        Ok(deliveries)
    }

    /// Lets every channel look for letters at once.
    pub fn ring(&self) {
        for running in self.running.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            running.thread.unpark();
        }
    }

    /// What was counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Starts a thread for each of these channels, which does nothing until [`Deliveries::replace`].
    ///
    /// # Errors
    /// Where no thread can be started; then none of them is left.
    pub fn prepare(&self, channels: Vec<Channel>) -> std::io::Result<Prepared> {
        channels
            .into_iter()
            .map(|channel| self.spawn(channel))
            .collect::<Result<_, _>>()
            .map(Prepared)
    }

    /// Goes on with these channels. A message under way over a channel of before is awaited by the
    /// channel of that name, so that none is sent twice. What waits for a channel that is no more is
    /// given up.
    pub fn replace(&self, Prepared(channels): Prepared) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        for before in running.iter() {
            before.stopping.store(true, Ordering::Release);
            before.thread.unpark();
        }
        let names: Vec<&str> = channels.iter().map(|(next, _)| next.name.as_str()).collect();
        match self.control.letters_without_channel(&names) {
            Ok(0) => {}
            Ok(letters) => tracing::warn!(letters, "gave up letters of channels that are no more"),
            Err(error) => tracing::error!(%error, "cannot look for letters without a channel"),
        }
        let mut before: Vec<Running> = std::mem::take(&mut *running);
        for (next, begin) in channels {
            let predecessor = before.iter().position(|before| before.name == next.name);
            let predecessor = predecessor.map(|place| before.swap_remove(place).handle);
            if begin.send(predecessor).is_err() {
                tracing::error!(channel = next.name, "the thread of a channel ended by a panic");
            }
            running.push(next);
        }
    }

    fn spawn(&self, channel: Channel) -> std::io::Result<(Running, Begin)> {
        let (begin, begins) = mpsc::channel::<Option<JoinHandle<()>>>();
        let stopping = Arc::new(AtomicBool::new(false));
        let client = Client::new();
        let name = channel.name().to_owned();
        let worker = Worker {
            post: Box::new(move |channel, message, memory, now| {
                client.send(channel, message, memory, now)
            }),
            channel,
            control: Arc::clone(&self.control),
            teller: Arc::clone(&self.teller),
            clock: self.clock,
            counts: Arc::clone(&self.counts),
            stopping: Arc::clone(&stopping),
        };
        let handle =
            std::thread::Builder::new().name(format!("notify-{name}")).spawn(move || {
                // Nobody begins it where another thread could not be started.
                let Ok(predecessor) = begins.recv() else { return };
                if predecessor.is_some_and(|before| before.join().is_err()) {
                    tracing::error!("the thread of a channel ended by a panic");
                }
                worker.run();
            })?;
        Ok((Running { name, stopping, thread: handle.thread().clone(), handle }, begin))
    }

    /// Begins nothing more, and returns when what is under way is done or `patience` is over: what is
    /// cut off stays queued and is sent after the next start.
    pub fn stop(&self, patience: Duration) {
        let running =
            std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for one in &running {
            one.stopping.store(true, Ordering::Release);
            one.thread.unpark();
        }
        let deadline = Instant::now() + patience;
        for one in running {
            while !one.handle.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            if !one.handle.is_finished() {
                let channel = one.name;
                tracing::warn!(
                    channel,
                    "a message was under way at the stop, it is sent again later"
                );
            } else if one.handle.join().is_err() {
                tracing::error!(channel = one.name, "the thread of a channel ended by a panic");
            }
        }
    }
}

/// Delivers what waits for one channel.
pub(crate) struct Worker {
    pub(crate) post: Box<Post>,
    pub(crate) channel: Channel,
    pub(crate) control: Arc<Control>,
    pub(crate) teller: Arc<Teller>,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) counts: Arc<Counts>,
    pub(crate) stopping: Arc<AtomicBool>,
}

impl Worker {
    fn run(self) {
        let mut before = Timestamp::MAX;
        while !self.stopping.load(Ordering::Acquire) {
            let now = (self.clock)();
            if now < before {
                // At the start, and when the clock was set back.
                self.hurry(now);
            }
            before = now;
            match self.step(now) {
                Ok(true) => {}
                Ok(false) => std::thread::park_timeout(self.nap()),
                Err(error) => {
                    let channel = self.channel.name();
                    tracing::error!(channel, %error, "cannot use the queue of letters");
                    std::thread::park_timeout(NAP);
                }
            }
        }
    }

    /// Makes letters due that a clock which was ahead has put off until its own time.
    pub(crate) fn hurry(&self, now: Timestamp) {
        let channel = self.channel.name();
        match self.control.letters_of_the_future(channel, now) {
            Ok(0) => {}
            Ok(letters) => tracing::warn!(channel, letters, "the clock was ahead, sending letters"),
            Err(error) => tracing::error!(channel, %error, "cannot look for letters of the future"),
        }
    }

    /// Until the next letter is due, at most [`NAP`], after which a clock that was set is noticed.
    fn nap(&self) -> Duration {
        let next = self.control.next_letter(self.channel.name()).ok().flatten();
        let wait = next.map(|due| due.since((self.clock)()).max(1_000));
        wait.and_then(|micros| u64::try_from(micros).ok())
            .map_or(NAP, |micros| Duration::from_micros(micros).min(NAP))
    }

    /// Sends the message that is due first, or holds it back; false where none is due.
    pub(crate) fn step(&self, now: Timestamp) -> Result<bool, ControlError> {
        let name = self.channel.name();
        let letters = self.control.letters_due(name, now)?;
        let Some(first) = letters.first() else { return Ok(false) };
        let ids: Vec<u64> = letters.iter().map(|letter| letter.id).collect();
        let routing = self.teller.routing();
        let limited = routing.limit(&first.route).map(|_| first.route.as_str());
        let limited = limited.filter(|_| !first.refresh);
        if let Some(route) = limited {
            let sent = self.control.letters_sent(name, route, now.plus_micros(-HOUR))?;
            if let Verdict::Hold(until, bundle) = routing.may_send(route, &sent, now) {
                let held = self.control.hold_letters(name, route, until, &stored(bundle))?;
                add(&self.counts.held, held);
                return Ok(true);
            }
        }
        let message = match compose(&letters) {
            Ok(Some(Message::Report(mut report))) => {
                // Here, where nothing but this channel waits for it.
                report.stored = self.teller.stored(report.since, report.until);
                Message::Report(report)
            }
            Ok(Some(message)) => message,
            Ok(None) => return Ok(false),
            Err(error) => {
                let error = format!("it is no message: {error}");
                self.control.letters_dead(name, &ids, &error)?;
                add(&self.counts.dead, ids.len());
                return Ok(true);
            }
        };
        // What is kept nowhere, such as a login, is never told of again.
        let about = message.about().filter(|id| !id.is_empty());
        let memory = match about {
            Some(alert) => self.control.shown(name, alert)?,
            None => None,
        };
        // A memory of another kind of channel, which had this name before, does not read back.
        let memory: Option<Memory> = memory.and_then(|text| serde_json::from_str(&text).ok());
        let nothing_to_change = first.refresh && !memory.as_ref().is_some_and(is_live);
        let delivery = Delivery { channel: name, limited, shown: None, now };
        if nothing_to_change {
            self.control.letters_delivered(&ids, Delivery { limited: None, ..delivery })?;
            return Ok(true);
        }
        // Such a letter would come again and again, and end the thread each time.
        let posted = std::panic::catch_unwind(AssertUnwindSafe(|| {
            (self.post)(&self.channel, &message, memory.as_ref(), now)
        }));
        let fault = SendError {
            retryable: false,
            retry_after: None,
            message: "the hub has a fault that this message shows".to_owned(),
        };
        match posted.unwrap_or(Err(fault)) {
            Ok(remember) => {
                let shown = about.zip(remember.as_ref());
                let shown = shown.and_then(|(alert, memory)| {
                    Some((alert, serde_json::to_string(memory).ok()?, is_live(memory)))
                });
                let shown =
                    shown.as_ref().map(|(alert, memory, live)| (*alert, memory.as_str(), *live));
                self.control.letters_delivered(&ids, Delivery { shown, ..delivery })?;
                add(&self.counts.delivered, 1);
                add(&self.counts.letters, ids.len());
            }
            // A pause that was asked for begins with the answer, not with the question (RFC 9110,
            // section 10.2.3).
            Err(error) => {
                self.failed(&letters, &ids, &error, now.max((self.clock)()))?;
            }
        }
        Ok(true)
    }

    fn failed(
        &self,
        letters: &[QueuedLetter],
        ids: &[u64],
        error: &SendError,
        now: Timestamp,
    ) -> Result<(), ControlError> {
        let name = self.channel.name();
        let attempts = letters.iter().map(|letter| letter.attempts).max().unwrap_or_default();
        // From when the message could first be tried, as far as is known: what was held back until
        // now has not been waiting for the channel.
        let tried = attempts > 0;
        let oldest = letters.iter().map(|letter| letter.created).min().unwrap_or(now);
        let since = if tried { oldest } else { now };
        match next_step(attempts.saturating_add(1), since, now, error, random()) {
            Step::RetryAt(time) => {
                tracing::warn!(channel = name, %error, "cannot notify, trying again");
                self.control.letters_retry(ids, time, &error.to_string())?;
                add(&self.counts.retried, 1);
            }
            Step::GiveUp => {
                tracing::error!(channel = name, %error, "cannot notify, giving up");
                self.control.letters_dead(name, ids, &error.to_string())?;
                add(&self.counts.dead, ids.len());
            }
        }
        Ok(())
    }
}

/// Whether a channel can change what it showed.
fn is_live(memory: &Memory) -> bool {
    match memory {
        Memory::Slack { .. } | Memory::Telegram { .. } => true,
        Memory::Email { .. } => false,
    }
}

fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Jitter; where the system gives no random bytes, the clock's low digits do.
fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        u64::from(since.subsec_nanos())
    })
}
