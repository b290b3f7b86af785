//! Tells people: one thread for each channel, fed from the outbox, so that a slow or dead channel
//! never delays another, nor detection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use bergfried_control::{ChannelFilter, Control, ControlError, OutboxItem};
use bergfried_notify::{Channel, Client, Step, next_step};

use crate::counters::{Counters, add};
use crate::now;

/// How many notifications a channel takes from the outbox at once.
const AT_ONCE: usize = 16;
/// How long a channel sleeps at most; a new alert wakes it at once.
const NAP: Duration = Duration::from_secs(5);

/// The channels, and the console's address that messages link to.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    /// Every channel; names are unique.
    pub list: Vec<Channel>,
    /// The console's URL.
    pub console: Option<String>,
}

impl Channels {
    /// How bad an alert must be for each channel.
    pub(crate) fn filters(&self) -> Vec<ChannelFilter> {
        self.list
            .iter()
            .map(|channel| ChannelFilter {
                name: channel.name().to_owned(),
                min_severity: channel.min_severity(),
            })
            .collect()
    }
}

/// Wakes the channels.
#[derive(Clone, Default)]
pub(crate) struct Alarm {
    threads: Vec<Thread>,
}

impl Alarm {
    pub(crate) fn ring(&self) {
        for thread in &self.threads {
            thread.unpark();
        }
    }
}

/// Starts a thread for each channel; they end soon after `stopping` is set and they are unparked.
pub(crate) fn start(
    channels: &Channels,
    control: &Arc<Control>,
    counters: &Arc<Counters>,
    stopping: &Arc<AtomicBool>,
) -> std::io::Result<(Alarm, Vec<JoinHandle<()>>)> {
    let mut alarm = Alarm::default();
    let mut threads = Vec::new();
    for channel in &channels.list {
        let worker = Worker {
            client: Client::new(),
            channel: channel.clone(),
            console: channels.console.clone(),
            control: Arc::clone(control),
            counters: Arc::clone(counters),
            stopping: Arc::clone(stopping),
        };
        let thread = std::thread::Builder::new()
            .name(format!("notify-{}", channel.name()))
            .spawn(move || worker.run())?;
        alarm.threads.push(thread.thread().clone());
        threads.push(thread);
    }
    Ok((alarm, threads))
}

struct Worker {
    client: Client,
    channel: Channel,
    console: Option<String>,
    control: Arc<Control>,
    counters: Arc<Counters>,
    stopping: Arc<AtomicBool>,
}

impl Worker {
    fn run(self) {
        while !self.stopping.load(Ordering::Acquire) {
            match self.control.outbox_due(self.channel.name(), now(), AT_ONCE) {
                Ok(due) if due.is_empty() => std::thread::park_timeout(self.nap()),
                Ok(due) => {
                    for item in due {
                        if self.stopping.load(Ordering::Acquire) {
                            return;
                        }
                        if let Err(error) = self.deliver(&item) {
                            tracing::error!(channel = self.channel.name(), %error, "cannot use the outbox");
                            std::thread::park_timeout(NAP);
                        }
                    }
                }
                Err(error) => {
                    tracing::error!(channel = self.channel.name(), %error, "cannot read the outbox");
                    std::thread::park_timeout(NAP);
                }
            }
        }
    }

    /// Until the next notification is due, at most [`NAP`].
    fn nap(&self) -> Duration {
        let next = self.control.outbox_next(self.channel.name()).ok().flatten();
        let wait = next.map(|due| due.since(now()).max(1_000));
        wait.and_then(|micros| u64::try_from(micros).ok())
            .map_or(NAP, |micros| Duration::from_micros(micros).min(NAP))
    }

    fn deliver(&self, item: &OutboxItem) -> Result<(), ControlError> {
        // An alert without an id is not kept, so there is nothing to link to.
        let console = self.console.as_deref().filter(|_| item.alert.id != 0);
        let payload = self.channel.render(&item.alert, item.outcome, console);
        let error = match self.client.send(&self.channel, &payload) {
            Ok(()) => {
                self.control.outbox_delivered(item.id)?;
                add(&self.counters.notified, 1);
                return Ok(());
            }
            Err(error) => error,
        };
        let name = self.channel.name();
        match next_step(item.attempts.saturating_add(1), item.created, now(), &error, random()) {
            Step::RetryAt(time) => {
                tracing::warn!(channel = name, %error, "cannot notify, trying again");
                self.control.outbox_retry(item.id, time, &error.to_string())?;
                add(&self.counters.retried, 1);
            }
            Step::GiveUp => {
                tracing::error!(channel = name, %error, "cannot notify, giving up");
                self.control.outbox_dead(item.id, &error.to_string())?;
                add(&self.counters.dead, 1);
            }
        }
        Ok(())
    }
}

/// Jitter; where the system gives no random bytes, the clock's low digits do.
fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| now().micros().unsigned_abs())
}
