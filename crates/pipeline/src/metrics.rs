//! The figures of the last 24 hours for Heimdall's dashboard: events are counted once they are
//! durable, those that were stored before the start by asking the store, on a thread of its own.
//!
//! The store is asked for ids below the first that the pipeline gives, so nothing counts twice and
//! nothing is left out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bergfried_event::{Field, FieldName, Timestamp};
use bergfried_heimdall::tally::{slots, window};
use bergfried_heimdall::{EventType, Metrics, Notes, OsType, Tally};
use bergfried_query::{Comparison, Condition, Pattern, Predicate};
use bergfried_store::{Reader, StoreError};

use crate::now;

/// How many different addresses or domains of one slot of ten minutes are taken from the store.
const DISTINCT: usize = 20_000;
const MINUTE: i64 = 60 * Timestamp::SECOND;

/// The running tally, shared by the pipeline's thread, that which reads the past, and who asks.
#[derive(Default)]
pub(crate) struct Figures {
    tally: Mutex<Tally>,
    stopped: AtomicBool,
}

impl Figures {
    /// Counts events that are durable.
    pub(crate) fn take(&self, notes: &Notes, now: Timestamp) {
        self.tally().take(notes, now);
    }

    pub(crate) fn metrics(&self, now: Timestamp) -> Metrics {
        self.tally().metrics(now)
    }

    /// Ends the reading of the past.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Counts what the store holds of ids below `first_new`, on a thread of its own.
    pub(crate) fn catch_up(
        self: &Arc<Self>,
        reader: Reader,
        first_new: u64,
    ) -> std::io::Result<JoinHandle<()>> {
        let figures = Arc::clone(self);
        std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            let past = Past { figures: &figures, reader: &reader, first_new };
            match past.read(now()) {
                Ok(true) => figures.tally().set_complete(),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot count the stored events of the last 24 hours");
                }
            }
        })
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        // A panic leaves at worst an event uncounted.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was stored before the pipeline started.
struct Past<'p> {
    figures: &'p Figures,
    reader: &'p Reader,
    first_new: u64,
}

impl Past<'_> {
    /// True where all of it was counted.
    fn read(&self, now: Timestamp) -> Result<bool, StoreError> {
        let (from, to) = window(now);
        for os in OsType::ALL {
            let of_os = self.stored(Field::HeimdallOsType, is(os.name()));
            let minutes = self.reader.histogram(&of_os, from, to, MINUTE)?;
            let mut tally = self.figures.tally();
            for (minute, count) in minutes {
                tally.add(minute, *os, count, now);
            }
        }
        let known = self.stored(Field::HeimdallOsType, Condition::Exists);
        let blocks = self.stored(Field::HeimdallEventType, is(EventType::DnsBlock.name()));
        let any_blocks = self.reader.count(&blocks, from, to)? > 0;
        for (start, end) in slots(now) {
            if self.figures.stopped.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let addresses = self.top(&known, start, end, Field::SourceIp)?;
            let domains = match any_blocks {
                true => self.top(&blocks, start, end, Field::DnsQuestionName)?,
                false => Vec::new(),
            };
            let mut tally = self.figures.tally();
            for (address, count) in addresses {
                tally.add_address(start, &address, count, now);
            }
            for (domain, count) in domains {
                tally.add_domain(start, &domain, count, now);
            }
        }
        Ok(true)
    }

    fn top(
        &self,
        predicate: &Predicate,
        from: Timestamp,
        to: Timestamp,
        field: Field,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        self.reader.top(predicate, from, to, &FieldName::Known(field), DISTINCT)
    }

    /// Events that meet the condition and were stored before the pipeline started.
    fn stored(&self, field: Field, condition: Condition) -> Predicate {
        let before = Condition::Number(Comparison::Less, self.first_new as f64);
        Predicate::field(field, condition).and(Predicate::field(Field::EventId, before))
    }
}

fn is(word: &str) -> Condition {
    Condition::Text(Pattern::literal(word))
}
