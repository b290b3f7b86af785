//! The JSON document of a webhook without a template of its own, and of `exec`. Its shape is a
//! promise: within one `version`, keys are added but never renamed or removed.
//!
//! ```json
//! { "version": 2, "kind": "alert", "title": "HIGH: …", "text": "…", "severity": "high",
//!   "change": { "kind": "new" },
//!   "alert": { "id": "6ff1…", "environment": "Production", "resource": "web1", "…": "…" },
//!   "url": "https://hub.example/alerts/6ff1…" }
//! ```
//! `kind` is `alert`, `group`, `digest`, `report`, `agent`, `hub` or `test`; `change.kind` is one of
//! [`Change`](crate::Change). `url` is null where the hub does not know its own address. Times are
//! RFC 3339 in UTC.

use bergfried_alert::Evidence;
use serde_json::{Map, Value, json};

use crate::message::{Message, Stored};
use crate::neutral::{inert, visible};
use crate::notice::Notice;
use crate::outline::Outline;

const VERSION: u8 = 2;
/// As long as PagerDuty takes one.
const MAX_KEY: usize = 255;
const MAX_TEXT: usize = 4096;
/// How deep the values of attributes may be; what lies deeper is left out.
const MAX_DEPTH: usize = 16;

/// The document of a message.
///
/// Names and lines are values for programs, so only what acts on a screen is made visible in them;
/// `title`, `summary` and `text`, which receivers like to hand on to a chat, are made inert.
pub(crate) fn document(message: &Message) -> Value {
    let outline = Outline::of(message);
    let mut document = json!({
        "version": VERSION,
        "title": inert(&outline.headline, MAX_TEXT),
        "summary": inert(&outline.summary, MAX_TEXT),
        "text": inert(&outline.text, MAX_TEXT),
        "severity": message.severity(),
        "action": message.action(),
        "key": visible(&message.key(), MAX_KEY),
        "facts": facts(&outline),
        "url": outline.link,
    });
    let (kind, more) = match message {
        Message::Alert(notice) => (
            "alert",
            json!({
                "change": change(notice),
                "alert": alert(notice),
            }),
        ),
        Message::Group(group) => (
            "group",
            json!({
                "group": visible(&group.title, MAX_TEXT),
                "since": group.since,
                "until": group.until,
                "alerts": alerts(&group.notices),
                "more": group.more,
            }),
        ),
        Message::Digest(digest) => (
            "digest",
            json!({
                "reason": visible(&digest.reason, MAX_TEXT),
                "since": digest.since,
                "until": digest.until,
                "counts": digest.counts,
                "alerts": alerts(&digest.notices),
                "more": digest.more,
            }),
        ),
        Message::Report(report) => {
            let stored = |list: fn(&Stored) -> &Vec<(String, u64)>| {
                report.stored.as_ref().map(|stored| ranked(list(stored))).unwrap_or_default()
            };
            (
                "report",
                json!({
                    "since": report.since,
                    "until": report.until,
                    "events": report.stored.as_ref().map(|stored| stored.events),
                    "hosts_online": report.stored.as_ref().map(|stored| stored.online),
                    "hosts_silent": report.stored.as_ref().map(|stored| stored.silent),
                    "hosts": stored(|stored| &stored.hosts),
                    "kinds": stored(|stored| &stored.kinds),
                    "actions": stored(|stored| &stored.actions),
                    "sources": stored(|stored| &stored.sources),
                    "new": report.new,
                    "closed": report.closed,
                    "open": report.open,
                    "top_events": ranked(&report.top_events),
                    "top_resources": ranked(&report.top_resources),
                    "silent_agents": texts(&report.silent_agents),
                    "alerts": alerts(&report.worst),
                }),
            )
        }
        Message::Agent(agent) => (
            "agent",
            json!({
                "agent": visible(&agent.name, MAX_TEXT),
                "online": agent.online,
                "last_seen": agent.last_seen,
                "time": agent.time,
            }),
        ),
        Message::Hub(hub) => (
            "hub",
            json!({
                "hub": visible(&hub.name, MAX_TEXT),
                "started": hub.started,
                "hub_version": visible(&hub.version, MAX_TEXT),
                "time": hub.time,
            }),
        ),
        Message::Test(test) => ("test", json!({ "channel": test.channel, "sent": test.time })),
    };
    if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
        document.insert("kind".to_owned(), kind.into());
        document.extend(more);
    }
    document
}

fn facts(outline: &Outline) -> Vec<Value> {
    let fact = |(name, value): &(String, String)| json!({ "name": inert(name, MAX_TEXT), "value": inert(value, MAX_TEXT) });
    outline.facts.iter().map(fact).collect()
}

fn alerts(notices: &[Notice]) -> Vec<Value> {
    let one = |notice: &Notice| {
        let mut alert = alert(notice);
        if let Some(alert) = alert.as_object_mut() {
            alert.insert("change".to_owned(), change(notice));
            alert.insert("url".to_owned(), json!(notice.link));
        }
        alert
    };
    notices.iter().map(one).collect()
}

fn alert(notice: &Notice) -> Value {
    let optional = |value: &Option<String>| value.as_deref().map(text);
    let mut alert = json!({
        "id": text(&notice.id),
        "environment": text(&notice.environment),
        "resource": text(&notice.resource),
        "event": text(&notice.event),
        "severity": notice.severity,
        "severity_word": text(&notice.severity_word),
        "previous_severity": optional(&notice.previous_severity),
        "status": notice.status,
        "over": notice.over,
        "by": optional(&notice.by),
        "comment": optional(&notice.comment),
        "service": texts(&notice.service),
        "group": text(&notice.group),
        "value": optional(&notice.value),
        "text": inert(&notice.text, MAX_TEXT),
        "tags": texts(&notice.tags),
        "attributes": attributes(notice),
        "origin": text(&notice.origin),
        "customer": optional(&notice.customer),
        "received": notice.times,
        "created": notice.created,
        "last_received": notice.last_received,
        "changed": notice.time,
    });
    // Without evidence too, so that a template may name any of these.
    let nothing = Evidence {
        count: notice.times,
        received: notice.times,
        first_seen: notice.created,
        last_seen: notice.last_received,
        ..Evidence::default()
    };
    let evidence = notice.evidence.as_deref().unwrap_or(&nothing);
    let found = json!({
        "count": evidence.count,
        "first_seen": evidence.first_seen,
        "last_seen": evidence.last_seen,
        "rule_id": text(&evidence.rule_id),
        "host": optional(&evidence.host),
        "user": optional(&evidence.user),
        "source": optional(&evidence.source),
        "program": optional(&evidence.program),
        "users": texts(&evidence.users.names),
        "sources": texts(&evidence.sources.names),
        "techniques": texts(&evidence.techniques),
        "falsepositives": texts(&evidence.falsepositives),
        "grouped_by": pairs(&evidence.group),
        "matched": pairs(&evidence.matched),
        "event_ids": evidence.event_ids,
        "example": text(&evidence.example),
    });
    if let (Some(alert), Value::Object(found)) = (alert.as_object_mut(), found) {
        alert.extend(found);
    }
    alert
}

/// What happened; the words in it may be a sender's.
fn change(notice: &Notice) -> Value {
    shown(&json!(notice.change), MAX_DEPTH)
}

fn attributes(notice: &Notice) -> Map<String, Value> {
    notice.attributes.iter().map(|(name, value)| (text(name), shown(value, MAX_DEPTH))).collect()
}

/// A value with every text in it made visible.
fn shown(value: &Value, depth: usize) -> Value {
    match value {
        Value::String(string) => text(string).into(),
        Value::Array(_) | Value::Object(_) if depth == 0 => Value::Null,
        Value::Array(values) => values.iter().map(|value| shown(value, depth - 1)).collect(),
        Value::Object(map) => {
            map.iter().map(|(name, value)| (text(name), shown(value, depth - 1))).collect()
        }
        other => other.clone(),
    }
}

fn text(text: &str) -> String {
    visible(text, MAX_TEXT)
}

fn texts(all: &[String]) -> Vec<String> {
    all.iter().map(|one| text(one)).collect()
}

fn pairs(pairs: &[(String, String)]) -> Vec<Value> {
    let pair =
        |(field, value): &(String, String)| json!({ "field": text(field), "value": text(value) });
    pairs.iter().map(pair).collect()
}

fn ranked(counts: &[(String, u64)]) -> Vec<Value> {
    counts.iter().map(|(name, count)| json!({ "name": text(name), "count": count })).collect()
}

#[cfg(test)]
mod tests;
