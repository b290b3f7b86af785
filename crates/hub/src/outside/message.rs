//! Messages that rules send to people (`notify`).

use bergfried_alert::{of_finding, receive};
use bergfried_control::ControlError;
use bergfried_event::{AlertShape, Finding, Severity};
use bergfried_notify::{Change, Message, Notice};

use super::Parts;
use crate::running::now;

/// The rule id of these messages, which are about no alert.
const RULE_ID: &str = "sec-notify";

/// Queues a message; a channel that is not there is noted when the message is to be delivered.
pub(super) fn notify(
    parts: &Parts,
    set: &str,
    channel: &str,
    text: String,
) -> Result<(), ControlError> {
    let Parts { control, telling, settings } = parts;
    // An alert that is kept nowhere: there is nothing to link to.
    let incoming = of_finding(settings, &finding(set, text), String::new(), now());
    let (alert, _) = receive(settings, None, incoming, now());
    let notice = Notice::new(&alert, &settings.model, Change::New, now());
    let message = Message::Alert(Box::new(notice));
    let letters = telling.teller().message(&[("rules", channel)], &message, now());
    control.write_telling(&letters, now())?;
    telling.deliveries().ring();
    Ok(())
}

fn finding(set: &str, text: String) -> Finding {
    Finding {
        rule_id: RULE_ID.to_owned(),
        rule_name: "Message of a rule".to_owned(),
        severity: Severity::Informational,
        host: None,
        user: None,
        source: None,
        program: None,
        count: 1,
        first_seen: now(),
        last_seen: now(),
        techniques: Vec::new(),
        tags: Vec::new(),
        falsepositives: Vec::new(),
        group: Vec::new(),
        matched: Vec::new(),
        example: String::new(),
        event_ids: Vec::new(),
        alert: Some(Box::new(AlertShape {
            resource: Some(set.to_owned()),
            text: Some(text),
            ..AlertShape::default()
        })),
    }
}
