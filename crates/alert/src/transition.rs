//! The alarm models as state machines: what becomes of a status when something is received or done.
//!
//! This file has Alerta's own model; its eleven rules are numbered in the comments. ISA 18.2 has the
//! file beside it.

use std::fmt;

use crate::act::Action;
use crate::isa;
use crate::model::{Machine, Model};
use crate::status::Status;

/// Where an alert stands when something happens to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    /// Its status.
    pub(crate) status: Status,
    /// The status that it goes back to when what holds it ends, or when it comes again after it closed.
    pub(crate) back: Status,
    /// How bad it is now.
    pub(crate) severity: &'a str,
    /// How bad it was before this.
    pub(crate) previous_severity: &'a str,
}

/// What an action makes of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) status: Status,
    /// The severity, where the action changes it.
    pub(crate) severity: Option<String>,
}

impl From<Status> for Next {
    fn from(status: Status) -> Next {
        Next { status, severity: None }
    }
}

/// An action that makes no sense where the alert stands; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The alert has the status already that the action leads to.
    Already(Status),
    /// No way leads from the status by the action.
    Invalid {
        /// What was to be done.
        action: Action,
        /// Where the alert stands.
        status: Status,
    },
    /// The alarm model does not have this status.
    NoSuchStatus {
        /// The status.
        status: Status,
        /// The model's name.
        model: &'static str,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Already(status) => write!(f, "the alert has the status `{status}` already"),
            Refused::Invalid { action, status } => {
                write!(f, "cannot {} an alert whose status is `{status}`", action.name())
            }
            Refused::NoSuchStatus { status, model } => {
                write!(f, "the alarm model {model} has no status `{status}`")
            }
        }
    }
}

impl std::error::Error for Refused {}

/// The status after something was received that asks for the status `sent`.
pub(crate) fn received(model: &Model, standing: &Standing<'_>, sent: Status) -> Status {
    if model.machine == Machine::Isa182 {
        return isa::received(model, standing, sent);
    }
    let is_normal = model.is_normal(standing.severity);
    // Rule 2: the sender asks for a status.
    if sent != Status::Open {
        return if is_normal { Status::Closed } else { sent };
    }
    // Rule 9, for any status.
    if is_normal {
        return Status::Closed;
    }
    match standing.status {
        // Rule 5: what got worse than what was acknowledged wants attention.
        Status::Ack if is_worse(model, standing) => Status::Open,
        // Rule 7: the blackout is over.
        Status::Blackout => standing.back,
        // Rule 8.
        Status::Closed => standing.back,
        // Rule 10.
        Status::Expired => Status::Open,
        // Rules 4, 6 and 11.
        unchanged => unchanged,
    }
}

/// What an action of a person or a program makes of the alert.
pub(crate) fn acted(
    model: &Model,
    standing: &Standing<'_>,
    action: &Action,
) -> Result<Next, Refused> {
    // Rule 1: what the model does not know changes nothing.
    if matches!(action, Action::Other(_)) {
        return Ok(standing.status.into());
    }
    if model.machine == Machine::Isa182 {
        return isa::acted(model, standing, action).map(Next::from);
    }
    let status = standing.status;
    let invalid = || Refused::Invalid { action: action.clone(), status };
    match (status, action) {
        // Rule 3.
        (Status::Ack, Action::Unack) | (Status::Shelved, Action::Unshelve) => {
            Ok(back(model, standing).into())
        }
        (_, Action::Unack | Action::Unshelve) => Err(invalid()),
        // Rules 4 to 8: what leads nowhere new.
        (Status::Open, Action::Open)
        | (Status::Ack, Action::Ack)
        | (Status::Shelved, Action::Shelve)
        | (Status::Closed, Action::Close) => Err(Refused::Already(status)),
        // Rules 8 and 10: what is over can only be opened again.
        (Status::Closed | Status::Expired, Action::Open) => Ok(opened(model, standing)),
        (Status::Closed, Action::Ack | Action::Shelve) => Err(invalid()),
        (Status::Expired, _) => Err(invalid()),
        (Status::Shelved, Action::Ack) => Err(invalid()),
        // Rule 7: in a blackout only closing makes a difference.
        (_, Action::Close) => Ok(closed(model, standing)),
        (Status::Blackout, _) => Ok(back(model, standing).into()),
        (_, Action::Open) => Ok(Status::Open.into()),
        (_, Action::Ack) => Ok(Status::Ack.into()),
        (_, Action::Shelve) => Ok(Status::Shelved.into()),
        // Rule 11; to assign is to write down who it is for.
        (_, Action::Assign | Action::Other(_)) => Ok(status.into()),
    }
}

/// The status that an alert goes back to; one that is over is closed.
pub(crate) fn back(model: &Model, standing: &Standing<'_>) -> Status {
    match model.machine {
        Machine::Isa182 => isa::back(model, standing),
        Machine::Alerta if model.is_normal(standing.severity) => Status::Closed,
        Machine::Alerta => standing.back,
    }
}

/// Closing an alert says that the matter is over, and so what its severity is.
fn closed(model: &Model, standing: &Standing<'_>) -> Next {
    let is_normal = model.is_normal(standing.severity);
    Next { status: Status::Closed, severity: (!is_normal).then(|| model.normal.clone()) }
}

/// An alert that is opened by hand is as bad as it was before it was over.
fn opened(model: &Model, standing: &Standing<'_>) -> Next {
    let severity = model.is_normal(standing.severity).then(|| {
        let was_normal = model.is_normal(standing.previous_severity);
        if was_normal { model.previous.clone() } else { standing.previous_severity.to_owned() }
    });
    Next { status: Status::Open, severity }
}

/// Whether it got worse than it was; the severity that a new alert is said to have had does not count.
pub(crate) fn is_worse(model: &Model, standing: &Standing<'_>) -> bool {
    standing.previous_severity != model.previous
        && model.code(standing.severity) < model.code(standing.previous_severity)
}
