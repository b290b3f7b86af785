//! Alerts as they were stored before the book: each becomes an alert of the book.

use bergfried_alert::{Alert, Entry, EntryKind, Evidence, Model, Seen, Status, Trend};
use bergfried_event::{Severity, Timestamp};
use rusqlite::{Transaction, params};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::ControlError;

/// The step before which they are converted.
pub(super) const STEP: i64 = 6;
/// Alerts of before did not expire, so an upgrade lets none; what is said of one next has a timeout.
const NEVER: u32 = 0;
/// The most entries of a history.
const HISTORY: usize = 100;

/// An alert of before.
#[derive(Deserialize)]
struct Old {
    environment: String,
    resource: String,
    event: String,
    severity: Severity,
    previous_severity: Option<Severity>,
    status: Status,
    count: u64,
    received: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    updated: Timestamp,
    rule_id: String,
    text: String,
    host: Option<String>,
    user: Option<String>,
    source: Option<String>,
    program: Option<String>,
    users: Seen,
    sources: Seen,
    techniques: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    falsepositives: Vec<String>,
    group: Vec<(String, String)>,
    #[serde(default)]
    matched: Vec<(String, String)>,
    event_ids: Vec<u64>,
    example: String,
    history: Vec<OldChange>,
}

/// A change in its history; `to` is a severity or a status.
#[derive(Deserialize)]
struct OldChange {
    at: Timestamp,
    to: String,
    text: String,
}

/// Puts every alert of before into the book; one that cannot be read is said in no other place, so
/// it stops the step and nothing is lost.
pub(super) fn convert(transaction: &Transaction<'_>) -> Result<(), ControlError> {
    let model = Model::alerta();
    let mut statement = transaction.prepare("SELECT id, body FROM alert ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut last = 0;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let body: String = row.get(1)?;
        let alert = alert(serde_json::from_str(&body)?, &model, number.unsigned_abs());
        transaction
            .prepare_cached("INSERT INTO book_alert (number, body) VALUES (?1, ?2)")?
            .execute(params![number, serde_json::to_string(&alert)?])?;
        last = number;
    }
    transaction.execute(
        "UPDATE book SET number = max(number, ?1), revision = max(revision, ?1)",
        [last],
    )?;
    Ok(())
}

/// An alert of before, from its JSON.
pub(super) fn read(body: &str, model: &Model) -> Result<Alert, serde_json::Error> {
    Ok(alert(serde_json::from_str(body)?, model, 0))
}

fn alert(old: Old, model: &Model, revision: u64) -> Alert {
    let id = Uuid::new_v4().to_string();
    let word = |severity: Severity| model.of_rule(severity).to_owned();
    let closed = old.status == Status::Closed;
    let severity = word(old.severity);
    let history = history(&old, &id, &severity);
    let mut tags = old.techniques.clone();
    tags.extend(old.tags.iter().filter(|tag| !old.techniques.contains(tag)).cloned());
    let evidence = Evidence {
        rule_id: old.rule_id,
        count: old.count,
        received: old.received,
        first_seen: old.first_seen,
        last_seen: old.last_seen,
        host: old.host,
        user: old.user,
        source: old.source,
        program: old.program,
        users: old.users,
        sources: old.sources,
        techniques: old.techniques,
        tags: old.tags,
        falsepositives: old.falsepositives,
        group: old.group,
        matched: old.matched,
        event_ids: old.event_ids,
        example: old.example,
    };
    Alert {
        last_receive_id: id.clone(),
        id,
        environment: old.environment,
        resource: old.resource,
        event: old.event,
        severity: if closed { model.normal.clone() } else { severity.clone() },
        correlate: Vec::new(),
        status: old.status,
        service: evidence.program.iter().cloned().collect(),
        group: "Misc".to_owned(),
        value: Some(old.count.to_string()),
        text: old.text,
        tags,
        attributes: evidence.attributes(),
        origin: "bergfried".to_owned(),
        kind: "findingAlert".to_owned(),
        create_time: old.last_seen,
        timeout: NEVER,
        raw_data: None,
        customer: None,
        duplicate_count: old.received.saturating_sub(1),
        repeat: old.received > 1,
        previous_severity: match old.previous_severity {
            _ if closed => severity,
            Some(previous) => word(previous),
            None => model.previous.clone(),
        },
        trend: Trend::NoChange,
        receive_time: old.first_seen,
        last_receive_time: old.updated,
        update_time: old.updated,
        history,
        notes: Vec::new(),
        holds: Vec::new(),
        evidence: Some(Box::new(evidence)),
        revision,
    }
}

/// What changed, as far as the old history says it: an entry names a severity or a status.
fn history(old: &Old, id: &str, severity: &str) -> Vec<Entry> {
    let surplus = old.history.len().saturating_sub(HISTORY);
    let entry = |(index, change): (usize, &OldChange)| {
        let status: Option<Status> = change.to.parse().ok();
        Entry {
            id: id.to_owned(),
            event: old.event.clone(),
            severity: severity.to_owned(),
            status: status.unwrap_or(Status::Open),
            value: None,
            text: change.text.clone(),
            kind: match status {
                Some(_) => EntryKind::Status,
                None if index == 0 => EntryKind::New,
                None => EntryKind::Severity,
            },
            time: change.at,
            user: None,
            timeout: NEVER,
        }
    };
    old.history.iter().enumerate().skip(surplus).map(entry).collect()
}
