//! An alert as this API shows it, and where to go on from it.

use std::collections::BTreeMap;

use bergfried_alert::{Alert, Entry, EntryKind, Evidence, Model, Note, Seen, Status};
use bergfried_event::{Severity, Timestamp};
use serde::Serialize;

/// An alert in the words of this API: the rule's five severities, and what rules found beside the
/// alert's own fields.
#[derive(Serialize)]
pub(crate) struct AlertBody {
    id: String,
    environment: String,
    resource: String,
    event: String,
    severity: Severity,
    /// The alert's own word for it.
    severity_word: String,
    previous_severity: String,
    status: Status,
    count: u64,
    received: u64,
    duplicates: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    last_received: Timestamp,
    updated: Timestamp,
    rule_id: Option<String>,
    text: String,
    value: Option<String>,
    service: Vec<String>,
    category: String,
    host: Option<String>,
    user: Option<String>,
    source: Option<String>,
    program: Option<String>,
    users: Seen,
    sources: Seen,
    techniques: Vec<String>,
    tags: Vec<String>,
    attributes: BTreeMap<String, serde_json::Value>,
    falsepositives: Vec<String>,
    group: Vec<(String, String)>,
    matched: Vec<(String, String)>,
    event_ids: Vec<u64>,
    example: String,
    origin: String,
    customer: Option<String>,
    timeout: u32,
    notes: Vec<Note>,
    history: Vec<ChangeBody>,
    links: Links,
    revision: u64,
}

/// An entry of an alert's history.
#[derive(Serialize)]
struct ChangeBody {
    at: Timestamp,
    kind: EntryKind,
    status: Status,
    severity: String,
    text: String,
    user: Option<String>,
}

impl AlertBody {
    pub(crate) fn of(alert: &Alert, model: &Model) -> AlertBody {
        let links = Links::of(alert);
        let evidence = alert.evidence.as_deref().cloned();
        let is_finding = evidence.is_some();
        let evidence = evidence.unwrap_or_default();
        let times = alert.duplicate_count.saturating_add(1);
        let entry = |entry: &Entry| ChangeBody {
            at: entry.time,
            kind: entry.kind,
            status: entry.status,
            severity: entry.severity.clone(),
            text: entry.text.clone(),
            user: entry.user.clone(),
        };
        AlertBody {
            id: alert.id.clone(),
            environment: alert.environment.clone(),
            resource: alert.resource.clone(),
            event: alert.event.clone(),
            severity: model.as_rule(&alert.severity),
            severity_word: alert.severity.clone(),
            previous_severity: alert.previous_severity.clone(),
            status: alert.status,
            count: if is_finding { evidence.count } else { times },
            received: if is_finding { evidence.received } else { times },
            duplicates: alert.duplicate_count,
            first_seen: if is_finding { evidence.first_seen } else { alert.create_time },
            last_seen: last_seen(alert),
            last_received: alert.last_receive_time,
            updated: alert.update_time.max(alert.last_receive_time),
            rule_id: is_finding.then_some(evidence.rule_id),
            text: alert.text.clone(),
            value: alert.value.clone(),
            service: alert.service.clone(),
            category: alert.group.clone(),
            host: evidence.host,
            user: evidence.user,
            source: evidence.source,
            program: evidence.program,
            users: evidence.users,
            sources: evidence.sources,
            techniques: evidence.techniques,
            tags: alert.tags.clone(),
            attributes: alert.attributes.clone(),
            falsepositives: evidence.falsepositives,
            group: evidence.group,
            matched: evidence.matched,
            event_ids: evidence.event_ids,
            example: evidence.example,
            origin: alert.origin.clone(),
            customer: alert.customer.clone(),
            timeout: alert.timeout,
            notes: alert.notes.clone(),
            history: alert.history.iter().map(entry).collect(),
            links,
            revision: alert.revision,
        }
    }
}

/// When the last of what an alert is about happened.
pub(super) fn last_seen(alert: &Alert) -> Timestamp {
    alert.evidence.as_ref().map_or(alert.last_receive_time, |evidence| evidence.last_seen)
}

/// Where to go on from an alert; paths of this hub.
#[derive(Serialize)]
struct Links {
    /// For a person.
    page: String,
    events: String,
    similar: String,
    /// Where a rule made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// What else happened to the same host, user and source meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<SearchLink>,
}

/// A search as a person would type it, and its path.
#[derive(Debug, PartialEq, Serialize)]
struct SearchLink {
    q: String,
    from: Timestamp,
    to: Timestamp,
    href: String,
}

impl Links {
    fn of(alert: &Alert) -> Links {
        let id = escaped(&alert.id);
        let evidence = alert.evidence.as_deref();
        let rule = evidence.filter(|evidence| !evidence.rule_id.is_empty());
        Links {
            page: format!("/alerts/{id}"),
            events: format!("/api/v1/alerts/{id}/events"),
            similar: format!("/api/v1/alerts/{id}/similar"),
            rule: rule.map(|evidence| format!("/api/v1/rules/{}", escaped(&evidence.rule_id))),
            search: evidence.and_then(search),
        }
    }
}

/// How long before and after the events of an alert a search for what else happened looks.
const AROUND: i64 = 5 * 60 * Timestamp::SECOND;

/// What is the same in all events of an alert, over the time in which they happened and around it.
fn search(evidence: &Evidence) -> Option<SearchLink> {
    let only = |seen: &Seen| match (seen.names.as_slice(), seen.overflow) {
        ([name], 0) => Some(name.clone()),
        _ => None,
    };
    let mut fields = vec![
        ("host.name".to_owned(), evidence.host.clone()),
        ("user.name".to_owned(), only(&evidence.users)),
        ("source.ip".to_owned(), only(&evidence.sources)),
    ];
    let group = evidence.group.iter().map(|(field, value)| (field.clone(), Some(value.clone())));
    for (field, value) in group {
        if fields.iter().all(|(known, _)| *known != field) {
            fields.push((field, value));
        }
    }
    let terms: Vec<String> = fields
        .into_iter()
        .filter_map(|(field, value)| Some(format!("{field}:\"{}\"", quotable(&value?))))
        .collect();
    if terms.is_empty() {
        return None;
    }
    let q = terms.join(" ");
    let (from, to) =
        (evidence.first_seen.plus_micros(-AROUND), evidence.last_seen.plus_micros(AROUND));
    let mut href = form_urlencoded::Serializer::new(String::new());
    href.append_pair("q", &q);
    href.append_pair("from", &from.to_string()).append_pair("to", &to.to_string());
    let href = format!("/api/v1/search?{}", href.finish());
    Some(SearchLink { q, from, to, href })
}

/// Text between quotation marks of the search language.
fn quotable(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Text as one part of a path.
fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Event, Field};

    use super::*;

    #[test]
    fn the_search_finds_what_the_alert_is_about() {
        for name in ["bob", "b\"o\\b", "a b", "*", "x OR y", "(", "größe:1", "\\"] {
            let at = Timestamp::from_micros(1_700_000_000_000_000);
            let evidence = Evidence {
                host: Some("web 1".to_owned()),
                users: Seen { names: vec![name.to_owned()], overflow: 0 },
                sources: Seen {
                    names: vec!["192.0.2.1".to_owned(), "::1".to_owned()],
                    overflow: 0,
                },
                group: vec![("user.name".to_owned(), "other".to_owned())],
                first_seen: at,
                last_seen: at,
                ..Evidence::default()
            };
            let link = search(&evidence).unwrap();
            let predicate = bergfried_query::search::parse(&link.q, at);
            let predicate = predicate.unwrap_or_else(|error| panic!("{}: {error}", link.q));
            let event = |user: &str| {
                let mut event = Event::new(at, "x".to_owned());
                event.set(Field::HostName, "web 1".to_owned());
                event.set(Field::UserName, user.to_owned());
                event
            };
            assert!(predicate.matches(&event(name)), "{}", link.q);
            assert!(!predicate.matches(&event("somebody else")), "{}", link.q);
            let around = 300 * Timestamp::SECOND;
            assert_eq!((link.from, link.to), (at.plus_micros(-around), at.plus_micros(around)));
        }
        assert_eq!(search(&Evidence::default()), None);
    }
}
