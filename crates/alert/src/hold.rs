//! Why an alert does not stand open: what it goes back to afterwards, and when.
//!
//! Kept beside the history, because the history forgets its oldest entries and a shelved alert whose
//! sender is loud must come back all the same.

use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::status::Status;

/// One reason for which an alert does not stand open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Acknowledged, shelved or in a blackout, in the word of the model.
    pub status: Status,
    /// The status that it goes back to.
    pub back: Status,
    /// When it ends by itself; none: never.
    pub until: Option<Timestamp>,
}

/// How strongly a status holds an alert: a stronger one may lie over a weaker one.
fn strength(status: Status) -> Option<u8> {
    match status {
        Status::Open | Status::Assign | Status::Unacked | Status::Rtnun => Some(0),
        Status::Ack | Status::Acked => Some(1),
        Status::Shelved | Status::Shlvd => Some(2),
        Status::Blackout | Status::Dsupr | Status::Oosrv => Some(3),
        Status::Closed | Status::Expired | Status::Unknown | Status::Norm => None,
    }
}

/// Whether an alert may be held in this status.
pub(crate) fn holds(status: Status) -> bool {
    strength(status).is_some_and(|strength| strength > 0)
}

impl Alert {
    /// The status that it goes back to when what holds it ends.
    pub(crate) fn back(&self) -> Status {
        self.holds.last().map_or(Status::Open, |hold| hold.back)
    }

    /// When what holds it in its present status ends by itself.
    pub(crate) fn held_until(&self) -> Option<Timestamp> {
        self.holds.last().filter(|hold| hold.status == self.status)?.until
    }

    /// Whether it was shelved when it was closed, and would be still.
    pub(crate) fn is_shelved_beneath(&self, now: Timestamp) -> bool {
        let shelved = self.holds.last().filter(|hold| hold.status == Status::Shelved);
        shelved.is_some_and(|hold| hold.until.is_none_or(|until| until > now))
    }

    /// Gives it a status that holds it until then; what held it more weakly lies beneath.
    pub(crate) fn hold(&mut self, status: Status, until: Option<Timestamp>) {
        let is_isa =
            matches!(status, Status::Acked | Status::Shlvd | Status::Dsupr | Status::Oosrv);
        let beneath = self.holds.last().filter(|hold| hold.status == status).map(|hold| hold.back);
        let back = if let Some(back) = beneath.filter(|_| self.status == status) {
            self.holds.pop();
            back
        } else if strength(self.status) < strength(status) && strength(self.status).is_some() {
            self.status
        } else {
            self.holds.clear();
            if is_isa { Status::Unacked } else { Status::Open }
        };
        self.holds.push(Hold { status, back, until });
        self.status = status;
    }

    /// Gives it a status that does not start to hold it.
    pub(crate) fn leave(&mut self, status: Status) {
        if self.status == status {
            return;
        }
        let top = self.holds.last().map(|hold| (hold.status, hold.back));
        match top {
            // Back to what lies beneath.
            Some((from, back)) if from == self.status && back == status => {
                self.holds.pop();
            }
            // It is shelved again where it comes again.
            Some((Status::Shelved, _)) if status == Status::Closed => {}
            Some((Status::Shelved, _)) if status == Status::Shelved => {}
            _ => self.holds.clear(),
        }
        self.status = status;
    }
}
