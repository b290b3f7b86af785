//! What people may want to hear of.

use std::sync::Arc;

use bergfried_alert::{Action, Alert, Received, Status, Step};
use bergfried_control::BookChanges;
use bergfried_event::Timestamp;

use crate::book::Book;

/// Why an alert changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// Something was received.
    Received(Received),
    /// A person did something.
    Acted {
        /// What.
        action: Action,
        /// Who.
        user: Option<String>,
        /// What they said.
        text: String,
    },
    /// Somebody set its status.
    Status {
        /// Who.
        user: Option<String>,
        /// What they said.
        text: String,
    },
    /// Time did.
    Step(Step),
    /// A blackout ended in which it had come.
    BlackoutEnded,
    /// Somebody wrote something beside it.
    Noted {
        /// Who.
        user: Option<String>,
        /// What.
        text: String,
    },
    /// Its tags, attributes or notes were changed.
    Edited,
    /// It was deleted.
    Deleted,
}

/// How an alert stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its status.
    pub status: Status,
    /// Its severity.
    pub severity: String,
    /// Its event.
    pub event: String,
}

impl Before {
    pub(crate) fn of(alert: &Alert) -> Before {
        let (severity, event) = (alert.severity.clone(), alert.event.clone());
        Before { status: alert.status, severity, event }
    }

    /// Whether the alert stands as it did.
    pub(crate) fn is_as(&self, alert: &Alert) -> bool {
        self.status == alert.status && self.severity == alert.severity && self.event == alert.event
    }
}

/// A change of an alert; that it was merely said again is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// How it stood; none: there was none.
    pub before: Option<Before>,
    /// The alert as it is, or was when it was deleted.
    pub alert: Arc<Alert>,
    /// Why it changed.
    pub cause: Cause,
}

/// Tells people: what is to be sent goes into the same transaction as the change that it tells of.
///
/// It works in the writer's thread, so it does no more than look and add rows.
pub trait Teller: Send {
    /// When it next has something to tell by itself, such as a reminder.
    fn next(&self) -> Option<Timestamp>;

    /// Adds what is to be sent because of these changes, and what is due by itself, to `rows`. The
    /// book is as it was before the changes.
    fn tell(&mut self, told: &[Told], book: &Book, rows: &mut BookChanges, now: Timestamp);

    /// The rows of the last [`Teller::tell`] are durable, or not: then it is asked again.
    fn written(&mut self, durable: bool);
}

/// Tells nobody.
pub struct Silent;

impl Teller for Silent {
    fn next(&self) -> Option<Timestamp> {
        None
    }

    fn tell(&mut self, _told: &[Told], _book: &Book, _rows: &mut BookChanges, _now: Timestamp) {}

    fn written(&mut self, _durable: bool) {}
}
