//! The unified log of macOS, as log(1) prints it: from where it was read last (`log show`), then as it
//! is written (`log stream`).
//!
//! The stream begins before what is behind is shown, so that nothing falls between the two; what both
//! print is told once. How far the log was read becomes durable with each entry.

mod entry;
mod options;
mod place;

use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bergfried_event::{SourceKind, Timestamp};
use bergfried_source::From;

use super::{Observer, Scene};
use crate::backoff::{Backoff, random};
use crate::outbox::{Observed, Position, Stopped};
use crate::stop::Stop;
use crate::stream::{Limits, StreamError, stream};
use entry::{Line, Lines, line};
pub use options::MacosOptions;
use place::Place;

const NAME: &str = "macos";
/// A stream has no end; what is behind is shown at the speed of the disk.
const ENDLESS: Limits = Limits { time: Duration::MAX, output: usize::MAX };
/// How many lines of the stream wait for what is behind to be shown.
const WAITING: usize = 4_096;
/// How far back the first start looks, in seconds.
const RECENT: i64 = 3_600;
/// A program that ends at once is not hammered.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// The observer of the log; `from` says where its first start begins.
pub(super) fn observer(options: MacosOptions, from: From) -> Observer {
    let run = move |scene: Scene| {
        let place = scene.place.as_deref().and_then(Place::from_text);
        let place = place.unwrap_or_else(|| first(from, now()));
        let mut watch = Watch { options, place, scene, said: String::new() };
        if watch.run().is_err() {
            tracing::debug!("the log of macOS is no longer read");
        }
    };
    Observer { name: NAME, run: Box::new(run) }
}

fn first(from: From, now: Timestamp) -> Place {
    Place::from(match from {
        From::Start => None,
        From::Recent => Some(Timestamp::from_micros(now.micros() - RECENT * Timestamp::SECOND)),
        From::End => Some(now),
    })
}

fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}

/// Whether the program prints entries here.
pub(crate) fn probe(options: &MacosOptions) -> Result<(), String> {
    let mut words = options.words();
    words.extend(["show", "--style", "ndjson", "--last", "1s", "--predicate", &options.predicate]);
    let stop = Stop::new().map_err(|error| error.to_string())?;
    let limits = Limits { time: Duration::from_secs(10), output: 64 << 20 };
    let read = stream(&words, limits, &stop, &mut |_| ControlFlow::Continue(()));
    read.map_err(|error| error.to_string())
}

/// The thread that follows the stream; why it ended.
type Following = JoinHandle<Result<(), StreamError>>;

struct Watch {
    options: MacosOptions,
    place: Place,
    scene: Scene,
    /// What was said last of a program that ends.
    said: String,
}

impl Watch {
    fn run(&mut self) -> Result<(), Stopped> {
        self.reached()?;
        let mut backoff = Backoff::default();
        loop {
            let (lines, following) = self.follow();
            let caught_up = self.catch_up()?;
            let streamed = self.take_all(&lines)?;
            if streamed > 0 {
                backoff.reset();
            }
            let ended = following.map(JoinHandle::join);
            let reason = match ended {
                Some(Ok(Err(error))) => error.to_string(),
                Some(Ok(Ok(()))) => "the stream ended".to_owned(),
                _ => "a thread cannot be started".to_owned(),
            };
            self.complain(caught_up.err().map_or(reason, |error| error.to_string()));
            if self.scene.outbox.wait(backoff.next(Some(LEAST_PAUSE), random())) {
                return Err(Stopped);
            }
        }
    }

    /// Starts the stream on a thread of its own, which ends with the program, with the agent, or when
    /// nobody takes its lines any more.
    fn follow(&self) -> (Receiver<Vec<u8>>, Option<Following>) {
        let (sender, lines) = mpsc::sync_channel(WAITING);
        let (options, stop) = (self.options.clone(), self.scene.stop.clone());
        let started = thread::Builder::new()
            .name("macos-stream".to_owned())
            .spawn(move || stream_lines(&options, &stop, &sender));
        if let Err(error) = &started {
            tracing::warn!(%error, "cannot start a thread");
        }
        (lines, started.ok())
    }

    /// Hands on what was written since the place.
    fn catch_up(&mut self) -> Result<Result<(), StreamError>, Stopped> {
        let options = self.options.clone();
        let start = self.place.floor().map(start);
        let mut words = options.words();
        words.extend(["show", "--style", "ndjson", "--info", "--predicate", &options.predicate]);
        if let Some(start) = &start {
            words.extend(["--start", start]);
        }
        let stop = self.scene.stop.clone();
        let mut lines = Lines::default();
        let mut stopped = Ok(());
        let shown = stream(&words, ENDLESS, &stop, &mut |part| {
            lines.push(part, &mut |line| {
                stopped = self.hand_over(line, true).map(drop);
                if stopped.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
        });
        say_cut(&lines);
        stopped?;
        if stop.is_stopped() {
            return Err(Stopped);
        }
        if let Err(error) = &shown {
            tracing::warn!(%error, "what macOS logged before cannot be read, some may be missing");
        }
        Ok(shown)
    }

    /// Hands on what the stream brings until it ends; how many entries that were.
    fn take_all(&mut self, lines: &Receiver<Vec<u8>>) -> Result<u64, Stopped> {
        let mut entries = 0;
        loop {
            match lines.recv_timeout(Duration::from_millis(200)) {
                Ok(line) => entries += u64::from(self.hand_over(line, false)?),
                Err(RecvTimeoutError::Timeout) if self.scene.stop.is_stopped() => {
                    return Err(Stopped);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(entries),
            }
        }
    }

    /// Whether the line was an entry that is new.
    fn hand_over(&mut self, text: Vec<u8>, again: bool) -> Result<bool, Stopped> {
        let at = now();
        match line(&text) {
            Line::Entry(time, hash) if !self.place.knows(time, hash, again) => {
                self.place.take(time, hash, at);
            }
            Line::Broken(hash) if !self.place.knows_broken(hash) => self.place.take_broken(hash),
            Line::Other => {
                if !text.is_empty() {
                    let said = String::from_utf8_lossy(&text);
                    let said: String = said.chars().take(200).collect();
                    tracing::debug!(said = %said.escape_debug(), "no entry of the log");
                }
                return Ok(false);
            }
            Line::Entry(..) | Line::Broken(_) => return Ok(false),
        }
        self.said.clear();
        let observed = Observed { observer: NAME.into(), kind: SourceKind::Json, raw: text, at };
        match self.position() {
            Some(position) => self.scene.outbox.send_with(observed, position)?,
            None => self.scene.outbox.send(observed)?,
        }
        Ok(true)
    }

    /// Where an agent goes on that is killed before the first entry.
    fn reached(&self) -> Result<(), Stopped> {
        match self.position() {
            Some(position) => self.scene.outbox.reached(position),
            None => Ok(()),
        }
    }

    fn position(&self) -> Option<Position> {
        Some(Position { observer: NAME, place: self.place.to_text()? })
    }

    /// Says once why the log is not read.
    fn complain(&mut self, reason: String) {
        if reason != self.said {
            tracing::warn!(reason, "the log of macOS cannot be followed, trying again");
            self.said = reason;
        }
    }
}

fn stream_lines(
    options: &MacosOptions,
    stop: &Stop,
    sender: &SyncSender<Vec<u8>>,
) -> Result<(), StreamError> {
    let mut words = options.words();
    let level = ["--level", "info"];
    words.extend(["stream", "--style", "ndjson"].into_iter().chain(level));
    words.extend(["--predicate", &options.predicate]);
    let mut lines = Lines::default();
    let read = stream(&words, ENDLESS, stop, &mut |part| {
        lines.push(part, &mut |line| match sender.send(line) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
    });
    say_cut(&lines);
    read
}

fn say_cut(lines: &Lines) {
    if lines.cut > 0 {
        tracing::warn!(lines = lines.cut, "entries of the log were too long and left out");
    }
}

/// As log(1) reads a time: to the second, in UTC.
fn start(time: Timestamp) -> String {
    let second = Timestamp::from_seconds(time.micros().div_euclid(Timestamp::SECOND));
    let text = second.to_string();
    let (day, clock) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {}+0000", clock.trim_end_matches('Z'))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
