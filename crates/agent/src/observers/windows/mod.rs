//! Events of Windows, as `wevtutil` prints them: each channel by the numbers of its records.
//!
//! Nothing of a rendered message is asked for: what an event says stands in its data, which are the
//! same in every language. How far a channel was read becomes durable with the record itself: after a
//! restart each event was told exactly once.

mod channel;
mod code_page;
mod elements;
mod options;
mod query;
mod text;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bergfried_event::{SourceKind, Timestamp};
use bergfried_source::From;

use super::{Observer, Scene};
use crate::outbox::{Observed, Position, Stopped};
use crate::stop::Stop;
use channel::{Cursor, News};
pub use options::WindowsOptions;
use query::{Answer, Query};
pub use text::CodePage;

const NAME: &str = "windows";
/// The longest pause before a channel is asked again that gave no answer, such as that of a program
/// that is not installed.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// How far each channel was read, by name.
type Cursors = BTreeMap<String, Cursor>;

/// The observer of these channels.
pub(super) fn observer(options: WindowsOptions, from: From) -> Observer {
    let run = move |scene: Scene| {
        let cursors = cursors(scene.place.as_deref());
        let channels = options.channels.keys().map(|name| Channel::new(name)).collect();
        let mut watch = Watch { options, from, cursors, channels, scene };
        if watch.run().is_err() {
            tracing::debug!("events of Windows are no longer asked for");
        }
    };
    Observer { name: NAME, run: Box::new(run) }
}

/// How far channels were read, as it was written down.
fn cursors(place: Option<&str>) -> Cursors {
    let Some(place) = place else { return Cursors::default() };
    serde_json::from_str(place).unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot read how far events of Windows were read, beginning anew");
        Cursors::default()
    })
}

/// What a channel says to the question for its newest event: nothing where it is empty.
pub(crate) fn newest(options: &WindowsOptions, channel: &str) -> Result<Option<String>, String> {
    let stop = Stop::new().map_err(|error| error.to_string())?;
    let options = WindowsOptions { timeout_seconds: 5, ..options.clone() };
    let answer = query::ask(&options, channel, Query::Newest, &stop);
    match (answer.entries.into_iter().next_back(), answer.error) {
        (Some(entry), _) => Ok(Some(entry.time)),
        (None, Some(error)) => Err(error.to_string()),
        (None, None) => Ok(None),
    }
}

/// How it goes with one channel since the start of the agent.
#[derive(Debug)]
struct Channel {
    name: String,
    due: Instant,
    failures: u32,
    /// What was said of it last.
    said: String,
}

struct Watch {
    options: WindowsOptions,
    from: From,
    cursors: Cursors,
    channels: Vec<Channel>,
    scene: Scene,
}

impl Watch {
    fn run(&mut self) -> Result<(), Stopped> {
        loop {
            let mut channels = std::mem::take(&mut self.channels);
            for channel in &mut channels {
                if channel.due <= Instant::now() {
                    let read = self.read(&channel.name)?;
                    channel.settle(read, Duration::from_secs(self.options.interval_seconds));
                }
            }
            self.channels = channels;
            let due = self.channels.iter().map(|channel| channel.due).min();
            let pause = due.unwrap_or_else(Instant::now).saturating_duration_since(Instant::now());
            if self.scene.outbox.wait(pause) {
                return Err(Stopped);
            }
        }
    }

    /// Reads one batch of a channel.
    fn read(&mut self, name: &str) -> Result<News, Stopped> {
        let stop = &self.scene.stop;
        let mut ask = |query: Query<'_>| -> Answer { query::ask(&self.options, name, query, stop) };
        let codes = self.options.channels.get(name).map(Vec::as_slice).unwrap_or_default();
        let cursor = match self.cursors.get(name) {
            Some(cursor) => cursor.clone(),
            None => match channel::begin(self.from, &mut ask) {
                Ok(cursor) => cursor,
                Err(news) => return Ok(news),
            },
        };
        let mut news = channel::read(&cursor, codes, &mut ask);
        if stop.is_stopped() {
            return Err(Stopped);
        }
        let at = Timestamp::from(jiff::Timestamp::now());
        let path = format!("wevtutil:{name}");
        if let Some((first, last)) = news.missing {
            let raw = crate::tamper::event_log_gap(name, (first, last), at);
            let observer = path.clone().into();
            let reached = Cursor { id: last, time: String::new() };
            let observed = Observed { observer, kind: SourceKind::Json, raw, at };
            let position = self.reached(name, reached);
            self.scene.outbox.send_with(observed, position)?;
        }
        for entry in news.entries.drain(..) {
            let raw = entry.xml.into_bytes();
            let observer = path.clone().into();
            let reached = Cursor { id: entry.id, time: entry.time };
            let observed = Observed { observer, kind: SourceKind::File, raw, at };
            let position = self.reached(name, reached);
            self.scene.outbox.send_with(observed, position)?;
        }
        // Further than the last record where those behind it are of other kinds.
        let reached = news.cursor.clone().unwrap_or(cursor);
        if self.cursors.get(name) != Some(&reached) {
            let position = self.reached(name, reached);
            self.scene.outbox.reached(position)?;
        }
        Ok(news)
    }
}

impl Watch {
    /// How far all channels are read, with this one as far as this.
    fn reached(&mut self, name: &str, cursor: Cursor) -> Position {
        self.cursors.insert(name.to_owned(), cursor);
        let place = serde_json::to_string(&self.cursors).unwrap_or_default();
        Position { observer: NAME, place }
    }
}

impl Channel {
    fn new(name: &str) -> Channel {
        Channel { name: name.to_owned(), due: Instant::now(), failures: 0, said: String::new() }
    }

    /// Says what is to be said of an answer, and when to ask again.
    fn settle(&mut self, news: News, interval: Duration) {
        let channel = self.name.as_str();
        if news.began_anew {
            tracing::info!(channel, "the log was cleared or made anew, it is read from its start");
        }
        if let Some((first, last)) = news.missing {
            tracing::warn!(
                channel,
                first,
                last,
                "the log wrote over records before they were read"
            );
        }
        if news.broken > 0 {
            let broken = news.broken;
            tracing::warn!(channel, broken, "what stands for events is no whole event, left out");
        }
        // Events that came in spite of an error are on their way.
        let Some(error) = news.error.filter(|_| news.cursor.is_none()) else {
            self.failures = 0;
            self.said.clear();
            self.due = if news.more { Instant::now() } else { Instant::now() + interval };
            return;
        };
        if error != self.said {
            tracing::warn!(channel, %error, "cannot read events of Windows, trying again less often");
            self.said = error;
        }
        self.failures = self.failures.saturating_add(1);
        let pause = interval.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.due = Instant::now() + pause.max(interval);
    }
}

#[cfg(test)]
mod tests;
