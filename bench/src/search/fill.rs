//! Makes the store: a week of lines of 200 attacked servers, parsed as the hub parses them.

use std::time::{Duration, Instant};

use bergfried_bench::lines::{Lines, Mix, StampFormat};
use bergfried_bench::random::Random;
use bergfried_event::{Event, SourceKind, Timestamp};
use bergfried_parse::Context;
use bergfried_store::{BatchId, NewBatch, Reader, Writer};

/// An address that few lines have.
pub(crate) const RARE_ADDRESS: &str = "198.51.100.77";
/// A word that few lines have.
pub(crate) const RARE_WORD: &str = "quicksilver";

const BATCH: u64 = 4_096;
const SECONDS: u64 = 7 * 86_400;
const HOSTS: u32 = 200;

/// The week that is stored.
pub(crate) struct Week {
    pub(crate) events: u64,
    per_second: u32,
    pub(crate) start: Timestamp,
    /// After the last event.
    pub(crate) end: Timestamp,
}

impl Week {
    /// A week of so many events; few of them are not spread over all of it.
    pub(crate) fn of(events: u64) -> Self {
        let per_second = u32::try_from(events.div_ceil(SECONDS)).unwrap_or(u32::MAX).max(1);
        let seconds = events.div_ceil(u64::from(per_second)).cast_signed();
        let start = Timestamp::from_seconds(1_767_571_200);
        let end = start.plus_micros(seconds * Timestamp::SECOND);
        Week { events, per_second, start, end }
    }
}

/// Stores the week; gives events per second.
pub(crate) fn fill(writer: &mut Writer, reader: &Reader, week: &Week) -> anyhow::Result<f64> {
    let start = jiff::Timestamp::from_microsecond(week.start.micros())?;
    let random = Random::new(1);
    let format = StampFormat::Iso8601;
    let mut lines = Lines::new(random, start, week.per_second, HOSTS, format, Mix::Attacked);
    let context =
        |received| Context { received, host: "", time_zone: jiff::tz::TimeZone::UTC, year: None };
    let began = Instant::now();
    // A rare line is in the place of one of a million, and of one of so few.
    let apart = (week.events / 8).min(1_000_000);
    for first in (0..week.events).step_by(BATCH as usize) {
        let mut texts = Vec::with_capacity(BATCH as usize);
        for number in first..week.events.min(first + BATCH) {
            let line = std::str::from_utf8(lines.next_line()?)?.trim_end();
            texts.push(match number % apart {
                7 => {
                    rare(line, &format!("sshd[4711]: Invalid user eve from {RARE_ADDRESS} port 9"))
                }
                9 => rare(line, &format!("kernel: {RARE_WORD} device found on bus 3")),
                _ => line.to_owned(),
            });
        }
        let parsed = |text| bergfried_parse::parse(SourceKind::Syslog, text, &context(week.end));
        let events: Vec<Event<'_>> = texts.iter().map(|text| parsed(text)).collect();
        let ingested = events.last().map_or(week.end, Event::created).plus_micros(500_000);
        let id = BatchId(u128::from(first).to_le_bytes());
        writer.append(vec![NewBatch { id, ingested, events, findings: [].into() }])?;
    }
    let seconds = began.elapsed().as_secs_f64();
    // What is full becomes a segment when more comes: an event outside of the week.
    let before = week.start.plus_micros(-Timestamp::DAY);
    let events = vec![Event::new(before, "the day before")];
    let id = BatchId([0xff; 16]);
    writer.append(vec![NewBatch { id, ingested: week.end, events, findings: [].into() }])?;
    writer.findings_applied(u64::MAX)?;
    while reader.stats().events_in_memory > 1 {
        std::thread::sleep(Duration::from_millis(20));
        writer.tick(week.end)?;
    }
    Ok(week.events as f64 / seconds)
}

/// Another message behind the same stamp and host.
fn rare(line: &str, message: &str) -> String {
    let head: Vec<&str> = line.splitn(3, ' ').take(2).collect();
    format!("{} {message}", head.join(" "))
}
