//! Tells of each login, as the Watchtower collector does where a webhook is set in the environment.

use bergfried_alert::{of_finding, receive};
use bergfried_event::{Finding, Severity};
use bergfried_notify::{Change, Message, Notice};
use serde_json::{Map, Value};

use crate::error::blocking;
use crate::router::State;
use crate::running::now;

/// The rule id of these messages; no rule has it, for a login alone is no finding.
const RULE_ID: &str = "watchtower-login";

/// Queues a message about the login, where a channel is told of logins.
///
/// The login is stored already; a message that cannot be queued is logged and the login stays.
pub(super) async fn tell(state: &State, document: &Map<String, Value>, id: u64) {
    let Some(channel) = state.logins_to.clone() else { return };
    let finding = finding(document, id);
    let (control, telling) = (state.control.clone(), state.telling.clone());
    let settings = state.alerting.settings().clone();
    let queued = blocking(move || {
        // An alert that is kept nowhere: there is nothing to link to.
        let incoming = of_finding(&settings, &finding, String::new(), now());
        let (alert, _) = receive(&settings, None, incoming, now());
        let notice = Notice::new(&alert, &settings.model, Change::New, now());
        let message = Message::Alert(Box::new(notice));
        let letters = telling.teller().message(&[("logins", &channel)], &message, now());
        control.write_telling(&letters, now())?;
        telling.deliveries().ring();
        Ok(())
    });
    if let Err(error) = queued.await {
        tracing::error!(message = error.message(), "cannot queue a message about a login");
    }
}

fn finding(document: &Map<String, Value>, id: u64) -> Finding {
    let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
    let severity = match text("severity").as_deref() {
        Some(word) => word.parse().unwrap_or_default(),
        None => Severity::Informational,
    };
    Finding {
        rule_id: RULE_ID.to_owned(),
        rule_name: "Login".to_owned(),
        severity,
        host: text("hostname"),
        user: text("user"),
        source: text("source_ip"),
        program: None,
        count: 1,
        first_seen: now(),
        last_seen: now(),
        techniques: Vec::new(),
        tags: Vec::new(),
        falsepositives: Vec::new(),
        group: Vec::new(),
        matched: Vec::new(),
        example: Value::Object(document.clone()).to_string(),
        event_ids: vec![id],
        alert: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_login_keeps_its_own_severity() {
        for (severity, expected) in [
            (json!("critical"), Severity::Critical),
            (json!("info"), Severity::Informational),
            (json!("odd"), Severity::Informational),
            (Value::Null, Severity::Informational),
        ] {
            let document = json!({"hostname": "web", "user": "bob", "severity": severity});
            let finding = finding(document.as_object().unwrap(), 7);
            assert_eq!(finding.severity, expected);
            assert_eq!((finding.host.as_deref(), finding.event_ids), (Some("web"), vec![7]));
        }
    }
}
