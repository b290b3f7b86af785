//! The alarm model of ANSI/ISA-18.2 (management of alarm systems for the process industries).
//!
//! Normal, unacknowledged, acknowledged, returned to normal unacknowledged, shelved, suppressed by
//! design and out of service. An alarm stands until its process is normal again and somebody saw it,
//! so nothing expires here.

use crate::act::Action;
use crate::model::Model;
use crate::status::Status;
use crate::transition::{Refused, Standing};

/// The status after something was received that asks for the status `sent`.
pub(crate) fn received(model: &Model, standing: &Standing<'_>, sent: Status) -> Status {
    if sent != Status::Norm {
        return sent;
    }
    let is_normal = model.is_normal(standing.severity);
    let is_worse = model.code(standing.severity) < model.code(standing.previous_severity);
    match (standing.status, is_normal) {
        (Status::Norm, false) | (Status::Rtnun, false) => Status::Unacked,
        (Status::Unacked, true) => Status::Rtnun,
        (Status::Acked, true) => Status::Norm,
        (Status::Acked, false) if is_worse => Status::Unacked,
        // The sender says with each message whether it is suppressed or out of service.
        (Status::Dsupr | Status::Oosrv, _) => back(model, standing),
        (unchanged, _) => unchanged,
    }
}

/// The status after an action.
pub(crate) fn acted(
    model: &Model,
    standing: &Standing<'_>,
    action: &Action,
) -> Result<Status, Refused> {
    let status = standing.status;
    match (status, action) {
        (Status::Unacked, Action::Ack) => Ok(Status::Acked),
        (Status::Rtnun, Action::Ack) => Ok(Status::Norm),
        (Status::Acked, Action::Unack) => Ok(Status::Unacked),
        (Status::Shlvd, Action::Shelve) | (Status::Acked, Action::Ack) => {
            Err(Refused::Already(status))
        }
        (_, Action::Shelve) => Ok(Status::Shlvd),
        (Status::Shlvd, Action::Unshelve) => Ok(back(model, standing)),
        (_, Action::Other(_)) => Ok(status),
        _ => Err(Refused::Invalid { action: action.clone(), status }),
    }
}

/// What follows shelving and suppression: only the process says whether there is an alarm.
pub(crate) fn back(model: &Model, standing: &Standing<'_>) -> Status {
    if standing.status == Status::Acked {
        return Status::Unacked;
    }
    if model.is_normal(standing.severity) { Status::Norm } else { Status::Unacked }
}
