//! Tells people by routes: what is to be told goes into the transaction of the change.

use std::collections::HashMap;
use std::sync::Arc;

use bergfried_alert::Alert;
use bergfried_control::{BookChanges, Control, Telling};
use bergfried_event::Timestamp;
use bergfried_telling::{By, Deliveries, Stood};

use crate::alerting::Clock;
use crate::book::Book;
use crate::tell::{Cause, Teller, Told};

/// Writes letters, which channels then deliver.
pub struct Letters {
    teller: Arc<bergfried_telling::Teller>,
    deliveries: Arc<Deliveries>,
    control: Arc<Control>,
    clock: Clock,
    /// What was given last and is not known to be durable.
    given: Vec<Telling>,
}

impl Letters {
    /// By this teller's routes; `deliveries` are woken when there is something to deliver.
    pub fn new(
        teller: Arc<bergfried_telling::Teller>,
        deliveries: Arc<Deliveries>,
        control: Arc<Control>,
        clock: Clock,
    ) -> Letters {
        Letters { teller, deliveries, control, clock, given: Vec::new() }
    }
}

impl Teller for Letters {
    fn next(&self) -> Option<Timestamp> {
        let next = self.teller.next_due(&self.control, (self.clock)());
        next.inspect_err(|error| tracing::error!(%error, "cannot read what is to be told when"))
            .ok()
            .flatten()
    }

    fn tell(&mut self, told: &[Told], book: &Book, rows: &mut BookChanges, now: Timestamp) {
        self.given.clear();
        for one in told {
            if one.cause == Cause::Deleted {
                self.given.push(self.teller.deleted(&one.alert.id));
                continue;
            }
            let before = one.before.as_ref();
            let before =
                before.map(|before| Stood { status: before.status, severity: &before.severity });
            self.given.extend(self.teller.changed(before, &one.alert, by(&one.cause), now));
        }
        // The book is as it was before: what somebody acknowledges right now is not escalated, and
        // the report of a day knows what this transaction changes.
        let changed: HashMap<&str, Option<&Arc<Alert>>> = told
            .iter()
            .map(|one| {
                let is_there = one.cause != Cause::Deleted;
                (one.alert.id.as_str(), is_there.then_some(&one.alert))
            })
            .collect();
        let find = |id: &str| match changed.get(id) {
            Some(alert) => alert.cloned(),
            None => book.get(id).cloned(),
        };
        let each = |look: &mut dyn FnMut(&Alert)| {
            let others = book.iter().filter(|alert| !changed.contains_key(alert.id.as_str()));
            let now_so = changed.values().flatten().copied();
            others.chain(now_so).for_each(|alert| look(alert));
        };
        match self.teller.due(&self.control, find, each, now) {
            Ok(due) => self.given.extend(due),
            Err(error) => tracing::error!(%error, "cannot read what is to be told now"),
        }
        rows.telling.clone_from(&self.given);
        rows.at = now;
    }

    fn written(&mut self, durable: bool) {
        if durable && !self.given.is_empty() {
            self.teller.written(&self.given);
            self.deliveries.ring();
        }
        self.given.clear();
    }
}

fn by(cause: &Cause) -> By<'_> {
    match cause {
        Cause::Acted { user, text, .. }
        | Cause::Status { user, text }
        | Cause::Noted { user, text } => By { user: user.as_deref(), comment: Some(text.as_str()) },
        Cause::Received(_)
        | Cause::Step(_)
        | Cause::BlackoutEnded
        | Cause::Edited
        | Cause::Deleted => By::default(),
    }
}
