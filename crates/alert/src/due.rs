//! What time does to an alert.

use bergfried_event::Timestamp;

use crate::alert::Alert;
use crate::history::{Entry, EntryKind};
use crate::model::Machine;
use crate::settings::Settings;
use crate::status::Status;
use crate::transition::{self, Standing};

/// Something that time does to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// It is forgotten; for the caller to do.
    Delete,
    /// Nothing was heard of it for too long.
    Expire,
    /// It is no longer put aside.
    Unshelve,
    /// Nobody looks at it any longer.
    Unack,
}

/// The next thing that time does to the alert, and when; a time that has passed means now.
///
/// After [`step`] there is another one, later or none: doing all that is due ends after a few steps.
pub fn due(settings: &Settings, alert: &Alert) -> Option<(Timestamp, Step)> {
    [
        deletion(settings, alert).map(|time| (time, Step::Delete)),
        expiry(settings, alert).map(|time| (time, Step::Expire)),
        release(alert),
    ]
    .into_iter()
    .flatten()
    .min()
}

/// Does what is due; [`Step::Delete`] is the caller's to do.
///
/// A step that has nothing to do any more, because the alert changed since it was due, does nothing.
pub fn step(settings: &Settings, alert: &mut Alert, step: Step, id: String, now: Timestamp) {
    let standing = Standing {
        status: alert.status,
        back: alert.back(),
        severity: &alert.severity,
        previous_severity: &alert.previous_severity,
    };
    let (status, kind, text) = match (step, alert.status) {
        (Step::Expire, status) if may_expire(settings, status) => {
            let text = format!("nothing was heard of it for {} seconds", alert.timeout);
            (Status::Expired, EntryKind::Expired, text)
        }
        (Step::Unshelve, Status::Shelved | Status::Shlvd) => {
            let status = transition::back(&settings.model, &standing);
            (status, EntryKind::Timeout, "it was shelved for long enough".to_owned())
        }
        (Step::Unack, Status::Ack | Status::Acked) => {
            let status = transition::back(&settings.model, &standing);
            (status, EntryKind::Timeout, "it was acknowledged for long enough".to_owned())
        }
        _ => return,
    };
    alert.leave(status);
    alert.update_time = now;
    let entry = Entry { id, text, kind, ..Entry::of(alert, now) };
    alert.record(settings, entry);
}

/// What is over is kept for a while from when it was over, what only informs from when it came.
fn deletion(settings: &Settings, alert: &Alert) -> Option<Timestamp> {
    let over = matches!(alert.status, Status::Closed | Status::Expired | Status::Norm);
    let over = over
        .then_some(settings.delete_expired_after)
        .and_then(|seconds| after(alert.update_time.max(alert.last_receive_time), seconds));
    let informs = alert.severity == "informational";
    let informs = informs.then_some(settings.delete_info_after);
    let informs = informs.and_then(|seconds| after(alert.last_receive_time, seconds));
    [over, informs].into_iter().flatten().min()
}

fn expiry(settings: &Settings, alert: &Alert) -> Option<Timestamp> {
    let may = may_expire(settings, alert.status);
    may.then(|| after(alert.last_receive_time, alert.timeout)).flatten()
}

fn may_expire(settings: &Settings, status: Status) -> bool {
    settings.model.machine == Machine::Alerta && status != Status::Expired
}

fn release(alert: &Alert) -> Option<(Timestamp, Step)> {
    let until = alert.held_until()?;
    match alert.status {
        Status::Shelved | Status::Shlvd => Some((until, Step::Unshelve)),
        Status::Ack | Status::Acked => Some((until, Step::Unack)),
        _ => None,
    }
}

/// So many seconds later; 0 is never.
fn after(time: Timestamp, seconds: u32) -> Option<Timestamp> {
    let later = time.plus_micros(i64::from(seconds).saturating_mul(Timestamp::SECOND));
    (seconds > 0).then_some(later)
}
