//! `/alert/{id}/note`: what people write beside an alert.

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, put};
use bergfried_alert::{Alert, Note};
use bergfried_alerting::Change;
use serde_json::{Value, json};

use super::caller::Caller;
use super::document::Document;
use super::error::Refusal;
use super::request::{Base, InPath};
use super::{find, reply, wire};
use crate::router::State;

pub(super) fn routes() -> Router<State> {
    Router::new()
        .route("/alert/{id}/note", put(add))
        .route("/alert/{id}/notes", get(list))
        .route("/alert/{id}/note/{note}", put(change).delete(remove))
}

async fn add(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let note = Note {
        id: wire::new_id(),
        text: text(&document)?,
        user: caller.name.clone(),
        created: state.alerting.now(),
        updated: None,
    };
    let id_of_note = note.id.clone();
    let alert = find::changed(&state, &caller, &id, Change::AddNote(note)).await?;
    let note = shown(&alert, &id_of_note, &base)?;
    let fields = [("id", json!(id_of_note)), ("note", note)];
    let mut response = reply::with_status(StatusCode::CREATED, fields);
    if let Ok(location) = HeaderValue::from_str(&address(&alert, &id_of_note, &base)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn list(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<Response, Refusal> {
    caller.require("read:alerts")?;
    let alert = find::alert(&state, &caller, &id)?;
    let notes: Vec<Value> = alert.notes.iter().map(|note| body(&alert, note, &base)).collect();
    Ok(reply::ok([("total", json!(notes.len())), ("notes", json!(notes))]))
}

async fn change(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    InPath((id, note)): InPath<(String, String)>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let wanted = Change::ChangeNote { id: note.clone(), text: text(&document)? };
    let alert = find::changed(&state, &caller, &id, wanted).await?;
    Ok(reply::ok([("note", shown(&alert, &note, &base)?)]))
}

async fn remove(
    caller: Caller,
    Shared(state): Shared<State>,
    InPath((id, note)): InPath<(String, String)>,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let wanted = Change::RemoveNote { id: note, user: caller.name.clone() };
    find::changed(&state, &caller, &id, wanted).await?;
    Ok(reply::ok([]))
}

/// What is written: `text`, or `note` as the web console sends it.
fn text(document: &Document) -> Result<String, Refusal> {
    let text = document.text("text")?.or(document.text("note")?);
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| Refusal::invalid("must supply the note as `text`, a text that is not empty"))
}

fn shown(alert: &Alert, id: &str, base: &Base) -> Result<Value, Refusal> {
    let note = alert.notes.iter().find(|note| note.id == id);
    note.map(|note| body(alert, note, base)).ok_or_else(Refusal::not_found)
}

fn address(alert: &Alert, id: &str, base: &Base) -> String {
    base.href(&format!("/alert/{}/note/{id}", alert.id))
}

fn body(alert: &Alert, note: &Note, base: &Base) -> Value {
    json!({
        "_links": {"alert": base.href(&format!("/alert/{}", alert.id))},
        "attributes": {
            "environment": alert.environment,
            "event": alert.event,
            "resource": alert.resource,
            "severity": alert.severity,
            "status": alert.status,
        },
        "createTime": wire::date(note.created),
        "customer": alert.customer,
        "href": address(alert, &note.id, base),
        "id": note.id,
        "related": {"alert": alert.id},
        "text": note.text,
        "type": "alert",
        "updateTime": note.updated.map(wire::date),
        "user": note.user,
    })
}
