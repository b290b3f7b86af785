//! Says in the audit trail what a handler did.

use std::collections::BTreeMap;

use bergfried_alert::{Alert, Status};
use bergfried_control::{AuditChange, ControlError, NewAudit};
use serde::Serialize;
use serde_json::Value;

use crate::error::{ApiError, blocking};
use crate::router::State;
use crate::running::now;

/// Appends what somebody did to the audit trail.
///
/// # Errors
/// Where it cannot be made to last.
pub(crate) async fn audit(
    state: &State,
    who: &str,
    action: &str,
    target: impl Into<String>,
    change: Result<AuditChange, ControlError>,
) -> Result<(), ApiError> {
    let (who, action, target) = (who.to_owned(), action.to_owned(), target.into());
    let done = NewAudit { who, action, target, change: change? };
    audit_all(state, vec![done]).await
}

/// As [`audit`], of several things at once.
///
/// # Errors
/// As [`audit`].
pub(crate) async fn audit_all(state: &State, done: Vec<NewAudit>) -> Result<(), ApiError> {
    if done.is_empty() {
        return Ok(());
    }
    let control = state.control.clone();
    blocking(move || Ok(control.append_audits(&done, now())?)).await
}

/// What somebody changed of an alert.
///
/// # Errors
/// Where it cannot be written as JSON.
pub(crate) fn alert_change(before: &Alert, after: &Alert) -> Result<AuditChange, ControlError> {
    AuditChange::between(&Worked::of(before), &Worked::of(after))
}

/// What of an alert people change; the rest comes from its senders.
#[derive(Serialize)]
struct Worked<'a> {
    status: Status,
    severity: &'a str,
    timeout: u32,
    tags: &'a [String],
    attributes: &'a BTreeMap<String, Value>,
    notes: Vec<&'a str>,
}

impl Worked<'_> {
    fn of(alert: &Alert) -> Worked<'_> {
        Worked {
            status: alert.status,
            severity: &alert.severity,
            timeout: alert.timeout,
            tags: &alert.tags,
            attributes: &alert.attributes,
            notes: alert.notes.iter().map(|note| note.text.as_str()).collect(),
        }
    }
}
