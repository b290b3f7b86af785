//! What a scan saw: lines, programs, sources, users, and when.

use std::time::Duration;

use bergfried_event::{Event, Field, Timestamp};

use super::counter::Counter;

/// Buckets that the histogram never exceeds; it widens them instead.
const MAX_BUCKETS: usize = 48;

#[derive(Default)]
pub(super) struct Summary {
    pub(super) lines: u64,
    pub(super) bytes: u64,
    /// Lines longer than the limit, read up to it.
    pub(super) cut: u64,
    /// Events too deep, too large or with too many fields to be kept whole (`log.flags`).
    pub(super) in_part: u64,
    pub(super) unreadable: usize,
    /// Records of damaged event logs.
    pub(super) lost: u64,
    /// Whether any input was an event log.
    pub(super) event_logs: bool,
    /// Bytes read, before decompression and decoding.
    pub(super) taken: u64,
    pub(super) took: Duration,
    /// Lines of which more than host, program and text was understood, by program.
    pub(super) parsed: Counter,
    /// Lines that stayed text, by program.
    pub(super) unparsed: Counter,
    pub(super) sources: Counter,
    pub(super) users: Counter,
    pub(super) times: Histogram,
}

impl Summary {
    pub(super) fn count(&mut self, event: &Event<'_>) {
        self.lines += 1;
        let in_part = event.dropped_fields() > 0 || event.get(Field::LogFlags).is_some();
        self.in_part += u64::from(in_part);
        // Of an event of Windows the provider wrote it; the process is what it tells of.
        let program = [Field::EventProvider, Field::ProcessName];
        let program = program.into_iter().find_map(|field| event.text(field));
        let program = program.unwrap_or("(no program)");
        let understood = event.get(Field::EventCategory).is_some();
        let programs = if understood { &mut self.parsed } else { &mut self.unparsed };
        programs.add(program, 1);
        if let Some(source) =
            event.text(Field::SourceIp).or_else(|| event.text(Field::SourceAddress))
        {
            self.sources.add(source, 1);
        }
        if let Some(user) = event.text(Field::UserName) {
            self.users.add(user, 1);
        }
        self.times.add(event.created());
    }
}

/// Counts over time in at most [`MAX_BUCKETS`] buckets whose width doubles as the span grows.
#[derive(Default)]
pub(super) struct Histogram {
    /// Width of a bucket in microseconds; zero before the first time.
    width: i64,
    /// Counts by bucket number (time divided by width).
    counts: std::collections::BTreeMap<i64, u64>,
}

impl Histogram {
    fn add(&mut self, time: Timestamp) {
        if self.width == 0 {
            self.width = 60 * Timestamp::SECOND;
        }
        *self.counts.entry(time.micros().div_euclid(self.width)).or_default() += 1;
        while self.span() > MAX_BUCKETS as i64 {
            self.widen();
        }
    }

    fn span(&self) -> i64 {
        match (self.counts.first_key_value(), self.counts.last_key_value()) {
            (Some((first, _)), Some((last, _))) => last - first + 1,
            _ => 0,
        }
    }

    /// To the next width that people count in: minutes, hours, days, then doublings.
    fn widen(&mut self) {
        const MINUTE: i64 = 60 * Timestamp::SECOND;
        let steps = [1, 5, 15, 60, 180, 360, 720, 1_440].map(|minutes| minutes * MINUTE);
        let wider = steps.into_iter().find(|step| *step > self.width && step % self.width == 0);
        let wider = wider.unwrap_or_else(|| self.width.saturating_mul(2));
        let factor = wider / self.width;
        let mut counts = std::collections::BTreeMap::new();
        for (bucket, count) in std::mem::take(&mut self.counts) {
            *counts.entry(bucket.div_euclid(factor)).or_default() += count;
        }
        self.counts = counts;
        self.width = wider;
    }

    /// Every bucket from the first to the last, empty ones too, with its start.
    pub(super) fn buckets(&self) -> Vec<(Timestamp, u64)> {
        let (Some((first, _)), Some((last, _))) =
            (self.counts.first_key_value(), self.counts.last_key_value())
        else {
            return Vec::new();
        };
        (*first..=*last)
            .map(|bucket| {
                let start = Timestamp::from_micros(bucket.saturating_mul(self.width));
                (start, self.counts.get(&bucket).copied().unwrap_or(0))
            })
            .collect()
    }

    pub(super) fn width_text(&self) -> String {
        let minutes = self.width / (60 * Timestamp::SECOND);
        match minutes {
            ..60 => format!("{minutes} min"),
            60..1_440 => format!("{} h", minutes / 60),
            _ => format!("{} d", minutes / 1_440),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histogram_widens_and_loses_nothing() {
        let mut histogram = Histogram::default();
        for hour in 0..1_000 {
            histogram.add(Timestamp::from_seconds(1_700_000_000 + hour * 3_600));
        }
        let buckets = histogram.buckets();
        assert!(buckets.len() <= MAX_BUCKETS, "{}", buckets.len());
        assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), 1_000);
        assert_eq!(histogram.width_text(), "1 d");
    }

    #[test]
    fn histogram_bears_any_times() {
        let mut histogram = Histogram::default();
        for time in [Timestamp::MAX, Timestamp::MIN, Timestamp::from_seconds(0)] {
            histogram.add(time);
        }
        assert!(histogram.buckets().len() <= MAX_BUCKETS);
    }
}
