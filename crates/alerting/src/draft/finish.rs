//! The end of a transaction: what it changed as rows, what there is no room for, and the book with it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bergfried_alert::exception::Exception;
use bergfried_alert::{Alert, Blackout};
use bergfried_control::{BookChanges, BookHeartbeat, BookRow, ControlError};
use bergfried_event::Timestamp;

use super::Draft;
use crate::beats::Beat;
use crate::book::{Book, weight};
use crate::crowds::TooMany;
use crate::follow::Happened;
use crate::raised::oldest;
use crate::tell::Told;

/// How many alerts, and how many bytes of them, the book may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) alerts: usize,
    pub(crate) bytes: usize,
}

/// An alert with the bytes that it takes as JSON; none where it is to go.
pub(crate) type Weighed = Option<(Arc<Alert>, usize)>;

/// The changes of one transaction, ready to be written and then put into the book.
pub(crate) struct Finished {
    pub(crate) rows: BookChanges,
    pub(crate) alerts: Vec<(u64, Weighed)>,
    pub(crate) beats: BTreeMap<u64, Option<Arc<Beat>>>,
    pub(crate) blackouts: BTreeMap<u64, Option<Arc<Blackout>>>,
    pub(crate) exceptions: BTreeMap<u64, Option<Arc<Exception>>>,
    pub(crate) told: Vec<Told>,
    /// What followers are told but for the changed alerts.
    pub(crate) news: VecDeque<Happened>,
}

impl Draft<'_> {
    /// Everything as rows; alerts that there is no room for go.
    pub(crate) fn finish(
        mut self,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Finished, ControlError> {
        let mut alerts = BTreeMap::new();
        let mut bodies = BTreeMap::new();
        for (number, alert) in &self.alerts {
            let body = alert.as_deref().map(serde_json::to_string).transpose()?;
            let weigh = |alert: &Alert| weight(alert, body.as_ref().map_or(0, String::len));
            let bytes = alert.as_deref().map_or(0, weigh);
            alerts.insert(*number, alert.as_ref().map(|alert| (Arc::clone(alert), bytes)));
            bodies.insert(*number, body);
        }
        let dropped = self.surplus(&alerts, limits);
        for number in &dropped {
            self.mourn(*number);
            alerts.insert(*number, None);
            bodies.insert(*number, None);
        }
        let row = |(number, body)| BookRow { number, body };
        let mut heartbeats = Vec::new();
        for (number, beat) in &self.beats {
            heartbeats.push(match beat {
                Some(beat) => beat.row(*number)?,
                None => BookHeartbeat {
                    row: BookRow { number: *number, body: None },
                    told: String::new(),
                    told_at: 0,
                },
            });
        }
        let mut blackouts = Vec::new();
        for (number, blackout) in &self.blackouts {
            let body =
                blackout.as_ref().map(|blackout| serde_json::to_string(&**blackout)).transpose()?;
            blackouts.push(row((*number, body)));
        }
        let mut exceptions = Vec::new();
        for (number, exception) in &self.exceptions {
            let body = exception.as_deref().map(serde_json::to_string).transpose()?;
            exceptions.push(row((*number, body)));
        }
        let rows = BookChanges {
            at: now,
            revision: self.revision,
            number: self.number,
            applied: self.applied,
            alerts: bodies.into_iter().map(row).collect(),
            dropped: dropped.len(),
            heartbeats,
            blackouts,
            exceptions,
            raised: self.raised.rows(),
            raised_since: oldest(now),
            telling: Vec::new(),
        };
        Ok(Finished {
            rows,
            alerts: alerts.into_iter().collect(),
            beats: self.beats,
            blackouts: self.blackouts,
            exceptions: self.exceptions,
            told: self.told,
            news: self.news,
        })
    }

    /// The alerts that have to go: of those that this transaction did not touch, of the customer who
    /// has most, what is over first, then what was quiet for longest.
    fn surplus(&self, changed: &BTreeMap<u64, Weighed>, limits: Limits) -> Vec<u64> {
        let mut count = self.book.len();
        let mut bytes = self.book.bytes();
        for (number, alert) in changed {
            count = count.saturating_sub(usize::from(self.book.alert(*number).is_some()))
                + usize::from(alert.is_some());
            bytes = bytes.saturating_sub(self.book.size_of(*number))
                + alert.as_ref().map_or(0, |(_, bytes)| *bytes);
        }
        let mut gone = Vec::new();
        let is_over = |count, bytes| count > limits.alerts || bytes > limits.bytes;
        if !is_over(count, bytes) {
            return gone;
        }
        let too_many = if bytes > limits.bytes { TooMany::Bytes } else { TooMany::Alerts };
        let candidates = self.book.first_to_go(too_many);
        let mut candidates = candidates.filter(|number| !changed.contains_key(number));
        while is_over(count, bytes) {
            let Some(number) = candidates.next() else { break };
            count -= 1;
            bytes = bytes.saturating_sub(self.book.size_of(number));
            gone.push(number);
        }
        gone
    }
}

impl Book {
    /// Takes in what has become durable.
    pub(crate) fn take(&mut self, finished: &mut Finished) {
        self.revision = finished.rows.revision;
        self.number = finished.rows.number;
        self.raised.absorb(&finished.rows.raised);
        self.raised.forget_before(finished.rows.raised_since);
        for (number, alert) in std::mem::take(&mut finished.alerts) {
            self.put(number, alert);
        }
        for (number, beat) in std::mem::take(&mut finished.beats) {
            self.put_beat(number, beat);
        }
        for (number, blackout) in std::mem::take(&mut finished.blackouts) {
            match blackout {
                Some(blackout) => self.blackouts.insert(number, blackout),
                None => self.blackouts.remove(&number),
            };
        }
        for (number, exception) in std::mem::take(&mut finished.exceptions) {
            match exception {
                Some(exception) => self.exceptions.insert(number, exception),
                None => self.exceptions.remove(&number),
            };
        }
    }
}
