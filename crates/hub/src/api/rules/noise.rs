//! How much people hear of each rule: its alerts in the book, and the exceptions that name it.

use std::collections::HashMap;

use bergfried_alert::Status;
use bergfried_alerting::Alerting;

/// What there is of one rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    /// Alerts that were raised in the last 24 hours.
    pub(super) new: u64,
    /// Alerts that are neither closed nor expired.
    pub(super) open: u64,
    /// Exceptions that count and name it.
    pub(super) exceptions: usize,
}

pub(super) struct Noise(HashMap<String, Heard>);

impl Noise {
    pub(super) fn of(alerting: &Alerting) -> Noise {
        let mut heard: HashMap<String, Heard> = HashMap::new();
        let now = alerting.now();
        let book = alerting.read();
        for (rule, raised) in book.raised_in_day(0, now) {
            heard.entry(rule.to_owned()).or_default().new = raised;
        }
        for alert in book.iter() {
            let Some(evidence) = &alert.evidence else { continue };
            let of_rule = heard.entry(evidence.rule_id.clone()).or_default();
            let is_over = matches!(alert.status, Status::Closed | Status::Expired | Status::Norm);
            of_rule.open += u64::from(!is_over);
        }
        for exception in book.exceptions().filter(|exception| exception.is_live(now)) {
            for rule in exception.scope.rules() {
                heard.entry(rule.clone()).or_default().exceptions += 1;
            }
        }
        Noise(heard)
    }

    pub(super) fn of_rule(&self, id: &str) -> Heard {
        self.0.get(id).copied().unwrap_or_default()
    }
}
