//! Whether what comes in is about an alert that is there already.

use crate::alert::Alert;
use crate::incoming::Incoming;

/// How something that comes in is about an alert that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It says the same once more: the same event with the same severity.
    Duplicate,
    /// It says how the same matter is now: another severity, or an event that the alert names as its own.
    Correlated,
}

/// How `incoming` is about `stored`, if it is.
///
/// Environment, resource and customer are the same. Which other events are the same matter is for the
/// stored alert to say; what the incoming one says of it does not count.
pub fn relation(stored: &Alert, incoming: &Incoming) -> Option<Relation> {
    let same_place = stored.environment == incoming.environment
        && stored.resource == incoming.resource
        && stored.customer == incoming.customer;
    if !same_place {
        return None;
    }
    if stored.event == incoming.event {
        let same_severity = stored.severity == incoming.severity;
        return Some(if same_severity { Relation::Duplicate } else { Relation::Correlated });
    }
    stored.correlate.contains(&incoming.event).then_some(Relation::Correlated)
}

/// The one of these alerts that `incoming` is about.
///
/// A duplicate goes before a correlated one; among equals the one last heard of is meant, the others
/// stay as they are.
pub fn related<'a>(
    stored: impl IntoIterator<Item = &'a Alert>,
    incoming: &Incoming,
) -> Option<(&'a Alert, Relation)> {
    let related = stored.into_iter().filter_map(|alert| Some((alert, relation(alert, incoming)?)));
    related.max_by_key(|(alert, relation)| {
        (*relation == Relation::Duplicate, alert.last_receive_time, alert.revision)
    })
}
