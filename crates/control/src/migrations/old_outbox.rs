//! Messages that waited before there were letters: each becomes a letter, so that an upgrade loses
//! nothing that somebody was to be told.

use bergfried_alert::{Alert, Model, Status};
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde_json::{Value, json};

use super::old_alerts;
use crate::error::ControlError;

/// The steps before which they are converted: the first empties the table, the second drops it.
pub(super) const STEPS: [i64; 2] = [6, 8];
/// The route of a letter that no route asked for.
const ROUTE: &str = "default";

/// Puts every message of before among the letters, those that were given up too.
pub(super) fn convert(transaction: &Transaction<'_>) -> Result<(), ControlError> {
    let model = Model::alerta();
    let mut statement = transaction.prepare(
        "SELECT channel, outcome, alert, created, attempts, next_attempt, dead, error \
         FROM outbox ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (outcome, text): (String, String) = (row.get(1)?, row.get(2)?);
        let kept = kept(transaction, &text)?;
        // What cannot be read is given up by its channel, and so stays to be seen.
        let (alert, body) =
            letter(&model, &outcome, &text, kept.as_deref()).unwrap_or((None, text));
        transaction
            .prepare_cached(
                "INSERT INTO letter (channel, route, title, held, alert, refresh, body, created, \
                 due, attempts, dead, error) VALUES (?1, ?2, '', 0, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                row.get::<_, String>(0)?,
                ROUTE,
                alert,
                body,
                row.get::<_, i64>(3)?,
                row.get::<_, i64>(5)?,
                row.get::<_, i64>(4)?,
                row.get::<_, i64>(6)?,
                row.get::<_, Option<String>>(7)?
            ])?;
    }
    Ok(())
}

/// The alert that a message is about, which was converted before it.
fn kept(transaction: &Transaction<'_>, text: &str) -> Result<Option<String>, ControlError> {
    let message: Option<Value> = serde_json::from_str(text).ok();
    let number = message.as_ref().and_then(|message| message.get("id")).and_then(Value::as_i64);
    Ok(transaction
        .prepare_cached("SELECT body FROM book_alert WHERE number = ?1")?
        .query_row([number], |row| row.get(0))
        .optional()?)
}

/// The id of the alert that a message is about, and the message as it is written now.
fn letter(
    model: &Model,
    outcome: &str,
    text: &str,
    kept: Option<&str>,
) -> Result<(Option<String>, String), serde_json::Error> {
    // Of the last version that had an outbox, whose messages were those of now.
    if outcome.is_empty() {
        let message: Value = serde_json::from_str(text)?;
        let id = message.get("id").and_then(Value::as_str).map(str::to_owned);
        return Ok((id, text.to_owned()));
    }
    let mut alert = old_alerts::read(text, model)?;
    if let Some(kept) = kept {
        alert.id = serde_json::from_str::<Alert>(kept)?.id;
    }
    let body = notice(&alert, model, change(outcome, model)?).to_string();
    Ok((Some(alert.id), body))
}

/// What happened to the alert, in the words of now.
fn change(outcome: &str, model: &Model) -> Result<Value, serde_json::Error> {
    let mut change: Value = serde_json::from_str(outcome)?;
    for name in ["from", "to"] {
        let word = change.get_mut(name).map(Value::take);
        let severity = word.and_then(|word| serde_json::from_value(word).ok());
        if let Some(severity) = severity
            && let Some(place) = change.get_mut(name)
        {
            *place = Value::from(model.of_rule(severity));
        }
    }
    Ok(change)
}

/// A message about the alert; the tests of this crate read it as one.
fn notice(alert: &Alert, model: &Model, change: Value) -> Value {
    json!({
        "kind": "alert",
        "id": alert.id,
        "change": change,
        "loud": true,
        "time": alert.update_time,
        "by": null,
        "comment": null,
        "environment": alert.environment,
        "resource": alert.resource,
        "event": alert.event,
        "severity": model.as_rule(&alert.severity),
        "severity_word": alert.severity,
        "previous_severity": alert.previous_severity,
        "status": alert.status,
        "over": alert.status == Status::Closed,
        "service": alert.service,
        "group": alert.group,
        "value": alert.value,
        "text": alert.text,
        "tags": alert.tags,
        "attributes": alert.attributes,
        "origin": alert.origin,
        "customer": alert.customer,
        "times": alert.duplicate_count.saturating_add(1),
        "created": alert.receive_time,
        "last_received": alert.last_receive_time,
        "evidence": alert.evidence,
        "link": null,
    })
}
