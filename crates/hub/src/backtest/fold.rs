//! Findings that fold into alerts, as in the book of the running hub but for time and people: none
//! of them is closed, expires or falls into a blackout.

use std::collections::HashMap;

use bergfried_alert::{Alert, Relation, Settings, of_finding, receive, relation, update};
use bergfried_event::{Finding, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// The most alerts that are told one by one.
const MAX_ALERTS: usize = 1_000;
/// The most alerts of one resource among which one that is the same matter is looked for.
const MAX_EVENTS: usize = 100;

/// An alert that there would be.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TriedAlert {
    pub(crate) resource: String,
    pub(crate) event: String,
    /// In a word of the hub's model
    pub(crate) severity: String,
    /// Events that it stands on
    pub(crate) count: u64,
    /// How often it would have been told of again
    pub(crate) duplicates: u64,
    /// When the first of the events happened
    #[schema(value_type = String)]
    pub(crate) first: Timestamp,
    /// When the last of them happened
    #[schema(value_type = String)]
    pub(crate) last: Timestamp,
    /// One sentence for a person, of the last finding
    pub(crate) text: String,
}

pub(super) struct Fold<'s> {
    settings: &'s Settings,
    /// By environment and resource.
    alerts: HashMap<(String, String), Vec<Alert>>,
    kept: usize,
    left_out: u64,
}

impl<'s> Fold<'s> {
    pub(super) fn new(settings: &'s Settings) -> Fold<'s> {
        Fold { settings, alerts: HashMap::new(), kept: 0, left_out: 0 }
    }

    pub(super) fn take(&mut self, finding: &Finding) {
        let now = finding.last_seen;
        let incoming = of_finding(self.settings, finding, String::new(), now);
        let place = (incoming.environment.clone(), incoming.resource.clone());
        let of_place = self.alerts.entry(place).or_default();
        let related = of_place.iter().enumerate().filter_map(|(index, alert)| {
            let relation = relation(alert, &incoming)?;
            Some((relation == Relation::Duplicate, alert.last_receive_time, index, relation))
        });
        let same = related.max_by_key(|(duplicate, last, ..)| (*duplicate, *last));
        let same =
            same.and_then(|(.., index, relation)| Some((of_place.get_mut(index)?, relation)));
        if let Some((alert, relation)) = same {
            update(self.settings, alert, relation, incoming, now);
        } else if self.kept >= MAX_ALERTS || of_place.len() >= MAX_EVENTS {
            self.left_out += 1;
        } else {
            of_place.push(receive(self.settings, None, incoming, now).0);
            self.kept += 1;
        }
    }

    /// The alerts by their first event, and how many findings made others that were left out.
    pub(super) fn end(self) -> (Vec<TriedAlert>, u64) {
        let mut told: Vec<TriedAlert> =
            self.alerts.into_values().flatten().map(TriedAlert::of).collect();
        told.sort_by(|a, b| {
            (a.first, &a.resource, &a.event).cmp(&(b.first, &b.resource, &b.event))
        });
        (told, self.left_out)
    }
}

impl TriedAlert {
    fn of(alert: Alert) -> TriedAlert {
        let evidence = alert.evidence.unwrap_or_default();
        TriedAlert {
            resource: alert.resource,
            event: alert.event,
            severity: alert.severity,
            count: evidence.count,
            duplicates: evidence.received.saturating_sub(1),
            first: evidence.first_seen,
            last: evidence.last_seen,
            text: alert.text,
        }
    }
}
