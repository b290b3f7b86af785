//! What is known of each output while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bergfried_event::Timestamp;
use serde::Serialize;

use crate::config::Kind;

/// An output that has not got through for so many microseconds wants a person's attention.
const TOO_LONG: i64 = 300 * Timestamp::SECOND;

/// Counted by an output's thread, read by anyone.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) sent: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) passed_over: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) retries: AtomicU64,
    /// The last event that was handled.
    pub(crate) after: AtomicU64,
    pub(crate) files: FileCounters,
    trouble: Mutex<Troubles>,
}

/// Of outputs to files.
#[derive(Debug, Default)]
pub(crate) struct FileCounters {
    /// Files open now.
    pub(crate) open: AtomicU64,
    /// Files and directories there are, as far as known.
    pub(crate) known: AtomicU64,
    pub(crate) made: AtomicU64,
    pub(crate) changed_names: AtomicU64,
    pub(crate) over_the_cap: AtomicU64,
    pub(crate) unusable: AtomicU64,
    pub(crate) rotated: AtomicU64,
    pub(crate) compressed: AtomicU64,
    pub(crate) removed: AtomicU64,
}

#[derive(Debug, Default)]
struct Troubles {
    /// When the hub took the last event that was handled.
    received: Option<Timestamp>,
    /// When it took the first of those that were read and are not handled.
    waiting: Option<Timestamp>,
    last_success: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    last_error: Option<(Timestamp, String)>,
}

/// How an output is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputReport {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// `ok`, or `failing` where the last try did not get through.
    pub state: &'static str,
    /// Events handed on since the start, those sent again included.
    pub sent: u64,
    /// Their bytes as written or sent, before compression and encryption.
    pub bytes: u64,
    /// Events that it does not want, by `when` or because they came from where they would go.
    pub passed_over: u64,
    /// Events that were removed from the store before they were handed on.
    pub lost: u64,
    /// Events that the receiver will never take.
    pub refused: u64,
    /// Tries that failed.
    pub retries: u64,
    /// Stored events that it has not come to yet.
    pub events_behind: u64,
    /// How long ago the hub took the oldest event that waits, in seconds; 0 where none does.
    pub seconds_behind: u64,
    /// When something last got through.
    pub last_success: Option<Timestamp>,
    /// Since when nothing gets through.
    pub failing_since: Option<Timestamp>,
    /// When the last try failed.
    pub last_error_at: Option<Timestamp>,
    /// Why.
    pub last_error: Option<String>,
    /// Of outputs to files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<FilesReport>,
}

/// The files of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FilesReport {
    /// Files open now.
    pub open: u64,
    /// Files and directories there are.
    pub known: u64,
    /// Files and directories made since the start.
    pub made: u64,
    /// Events with a value that could not be part of a name as it was.
    pub changed_names: u64,
    /// Events written to `_other.log` because there are as many files as may be.
    pub over_the_cap: u64,
    /// Events written to `_other.log` because their file is a link, a directory or not ours.
    pub unusable: u64,
    /// Files rotated.
    pub rotated: u64,
    /// Rotated files compressed.
    pub compressed: u64,
    /// Old files removed.
    pub removed: u64,
}

pub(crate) fn add(counter: &AtomicU64, amount: usize) {
    counter.fetch_add(amount as u64, Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn handled(&self, after: u64, received: Option<Timestamp>) {
        self.after.store(after, Ordering::Relaxed);
        if received.is_some() {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.received = received;
            trouble.waiting = None;
        }
    }

    /// Events were read that are to be handled, the first of which the hub took then.
    pub(crate) fn waits(&self, received: Timestamp) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).waiting = Some(received);
    }

    /// Something got through; true where before nothing did.
    pub(crate) fn succeeded(&self, now: Timestamp) -> bool {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.last_success = Some(now);
        trouble.failing_since.take().is_some()
    }

    /// A try failed; true where the reason is another than before.
    pub(crate) fn failed(&self, now: Timestamp, reason: &str) -> bool {
        self.retries.fetch_add(1, Ordering::Relaxed);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let first = trouble.failing_since.is_none();
        trouble.failing_since.get_or_insert(now);
        let last = trouble.last_error.replace((now, reason.to_owned()));
        first || last.is_none_or(|(_, last)| last != reason)
    }

    pub(crate) fn report(
        &self,
        name: &str,
        kind: Kind,
        last_id: u64,
        now: Timestamp,
    ) -> OutputReport {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let events_behind = last_id.saturating_sub(of(&self.after));
        let since = trouble.waiting.or(trouble.received);
        let age = since.map_or(0, |since| now.since(since) / Timestamp::SECOND);
        let files = &self.files;
        OutputReport {
            name: name.to_owned(),
            kind,
            state: if trouble.failing_since.is_some() { "failing" } else { "ok" },
            sent: of(&self.sent),
            bytes: of(&self.bytes),
            passed_over: of(&self.passed_over),
            lost: of(&self.lost),
            refused: of(&self.refused),
            retries: of(&self.retries),
            events_behind,
            seconds_behind: if events_behind > 0 { u64::try_from(age).unwrap_or(0) } else { 0 },
            last_success: trouble.last_success,
            failing_since: trouble.failing_since,
            last_error_at: trouble.last_error.as_ref().map(|(at, _)| *at),
            last_error: trouble.last_error.as_ref().map(|(_, reason)| reason.clone()),
            files: (kind == Kind::File).then(|| FilesReport {
                open: of(&files.open),
                known: of(&files.known),
                made: of(&files.made),
                changed_names: of(&files.changed_names),
                over_the_cap: of(&files.over_the_cap),
                unusable: of(&files.unusable),
                rotated: of(&files.rotated),
                compressed: of(&files.compressed),
                removed: of(&files.removed),
            }),
        }
    }
}

impl OutputReport {
    /// What wants a person's attention, each in one sentence.
    pub fn problems(&self, now: Timestamp) -> Vec<String> {
        let mut problems = Vec::new();
        let name = &self.name;
        if let Some(since) = self.failing_since
            && now.since(since) >= TOO_LONG
        {
            let reason = self.last_error.as_deref().unwrap_or("no reason is known");
            let behind = self.events_behind;
            problems.push(format!(
                "output `{name}` has not got through since {since}, {behind} events wait: {reason}"
            ));
        }
        if self.lost > 0 {
            let lost = self.lost;
            problems.push(format!(
                "output `{name}` lost {lost} events: they were removed before they were handed on"
            ));
        }
        if self.refused > 0 {
            let refused = self.refused;
            problems.push(format!("output `{name}`: the receiver refused {refused} events"));
        }
        if let Some(files) = self.files.filter(|files| files.over_the_cap > 0) {
            let over = files.over_the_cap;
            problems.push(format!(
                "output `{name}` has as many files as may be, {over} events went to _other.log"
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_fails_for_long_is_a_problem() {
        let counters = Counters::default();
        let at = Timestamp::from_seconds;
        assert!(counters.failed(at(1000), "connection refused"));
        assert!(!counters.failed(at(1100), "connection refused"));
        counters.handled(5, Some(at(990)));
        let report = counters.report("siem", Kind::Syslog, 9, at(1200));
        assert_eq!(
            (report.state, report.events_behind, report.seconds_behind),
            ("failing", 4, 210)
        );
        assert_eq!(report.problems(at(1200)), Vec::<String>::new());
        // The last may have come long before the first that waits; after a start there is no last.
        counters.waits(at(1150));
        assert_eq!(counters.report("siem", Kind::Syslog, 9, at(1200)).seconds_behind, 50);
        let started = Counters::default();
        started.waits(at(1150));
        assert_eq!(started.report("siem", Kind::Syslog, 9, at(1200)).seconds_behind, 50);
        let problems = report.problems(at(1300));
        assert!(problems.first().unwrap().contains("4 events wait: connection refused"));
        assert!(counters.succeeded(at(1301)));
        let report = counters.report("siem", Kind::Syslog, 5, at(1400));
        assert_eq!((report.state, report.seconds_behind), ("ok", 0));
        assert!(report.problems(at(9999)).is_empty());
    }
}
