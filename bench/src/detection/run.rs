//! Runs an engine over generated events and takes the time.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use bergfried_bench::events::{Events, Kind};
use bergfried_bench::random::Random;
use clap::ValueEnum as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What to measure.
pub(crate) struct Plan {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) events: u32,
    pub(crate) seconds: f64,
    pub(crate) seed: u64,
    /// Events do not name their log source.
    pub(crate) untagged: bool,
}

/// What was measured of one engine.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Ids of the rules that it took, with their titles.
    pub(crate) rules: BTreeMap<String, String>,
    pub(crate) load_seconds: f64,
    /// The most memory up to the end of loading.
    pub(crate) load_peak_mib: f64,
    /// What is held after it.
    pub(crate) resident_mib: f64,
    pub(crate) kinds: Vec<Rates>,
}

/// Rates over one kind of events, in events per second of processor time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rates {
    pub(crate) kind: String,
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    /// The fastest configuration of the engine, which the rates are of.
    pub(crate) configuration: String,
    pub(crate) decoding: f64,
    pub(crate) matching: f64,
    pub(crate) both: f64,
    /// As `both`, and the findings made that people read.
    pub(crate) stating: f64,
    /// How often each rule matched, by its id.
    pub(crate) matches: BTreeMap<String, u64>,
}

/// An engine under measurement.
pub(crate) trait Subject {
    /// An event as decoded from a line.
    type Event<'l>;

    fn decode<'l>(&self, line: &'l str) -> anyhow::Result<Self::Event<'l>>;

    /// Shows an event to the rules; gives how many matched.
    fn detect(&mut self, event: &Self::Event<'_>) -> usize;

    /// As [`Subject::detect`], and makes the findings that people read.
    fn state(&mut self, event: &Self::Event<'_>) -> usize;

    /// Shows an event to the rules; adds to the count of each that matched.
    fn count(&mut self, event: &Self::Event<'_>, matches: &mut BTreeMap<String, u64>);
}

/// Decoded events are held so many at a time where matching is timed alone.
const CHUNK: usize = 1000;

/// The lines of a kind of events.
pub(crate) fn lines(plan: &Plan, kind: Kind) -> anyhow::Result<Vec<String>> {
    let start: Timestamp = "2026-01-05T08:00:00Z".parse()?;
    let mut events = Events::new(Random::new(plan.seed), start, kind);
    if plan.untagged {
        events = events.untagged();
    }
    (0..plan.events).map(|_| Ok(String::from_utf8(events.next_event()?.to_vec())?)).collect()
}

/// Takes the rates of an engine over these lines.
pub(crate) fn rates<S: Subject>(
    subject: &mut S,
    plan: &Plan,
    kind: Kind,
    lines: &[String],
    configuration: &str,
) -> anyhow::Result<Rates> {
    let mut matches = BTreeMap::new();
    for line in lines {
        let event = subject.decode(line)?;
        subject.count(&event, &mut matches);
    }
    let decoding = rate(plan, lines, |lines| {
        let clock = Clock::start();
        for line in lines {
            std::hint::black_box(subject.decode(line)?);
        }
        Ok(clock.seconds())
    })?;
    let matching = rate(plan, lines, |lines| {
        let mut seconds = 0.0;
        for chunk in lines.chunks(CHUNK) {
            let events =
                chunk.iter().map(|line| subject.decode(line)).collect::<Result<Vec<_>, _>>()?;
            let clock = Clock::start();
            for event in &events {
                std::hint::black_box(subject.detect(event));
            }
            seconds += clock.seconds();
        }
        Ok(seconds)
    })?;
    let both = rate(plan, lines, |lines| whole(subject, lines, S::detect))?;
    let stating = rate(plan, lines, |lines| whole(subject, lines, S::state))?;
    Ok(Rates {
        kind: kind.to_possible_value().map(|kind| kind.get_name().to_owned()).unwrap_or_default(),
        events: lines.len(),
        bytes: lines.iter().map(String::len).sum::<usize>() / lines.len().max(1),
        configuration: configuration.to_owned(),
        decoding,
        matching,
        both,
        stating,
        matches,
    })
}

/// The seconds of decoding each line and showing it to the rules.
fn whole<S: Subject>(
    subject: &mut S,
    lines: &[String],
    show: impl Fn(&mut S, &S::Event<'_>) -> usize,
) -> anyhow::Result<f64> {
    let clock = Clock::start();
    for line in lines {
        let event = subject.decode(line)?;
        std::hint::black_box(show(subject, &event));
    }
    Ok(clock.seconds())
}

/// Events per second: the median of passes over all lines, for the planned time.
fn rate(
    plan: &Plan,
    lines: &[String],
    mut pass: impl FnMut(&[String]) -> anyhow::Result<f64>,
) -> anyhow::Result<f64> {
    let (mut taken, mut total) = (Vec::new(), 0.0);
    while taken.is_empty() || total < plan.seconds {
        let seconds = pass(lines)?;
        taken.push(seconds);
        total += seconds;
    }
    taken.sort_by(f64::total_cmp);
    let median = taken.get(taken.len() / 2).copied().unwrap_or(f64::NAN);
    Ok(lines.len() as f64 / median)
}

/// Processor time of this thread where the system tells it, else the time that passed.
pub(crate) struct Clock {
    processor: Option<u64>,
    wall: Instant,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock { processor: processor_time(), wall: Instant::now() }
    }

    pub(crate) fn seconds(&self) -> f64 {
        match (self.processor, processor_time()) {
            (Some(before), Some(now)) => now.saturating_sub(before) as f64 / 1e9,
            _ => self.wall.elapsed().as_secs_f64(),
        }
    }
}

/// Nanoseconds that this thread ran (proc_pid_schedstat(5)).
fn processor_time() -> Option<u64> {
    // The kernel adds up what runs at its ticks and at a switch: a yield brings it up to date.
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}
