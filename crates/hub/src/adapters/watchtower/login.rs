//! `POST /login`: an agent reports a login.

use std::borrow::Cow;
use std::net::SocketAddr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, FromRequestParts, State as Shared};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bergfried_control::TokenKind;
use bergfried_event::{Origin, Record, SourceKind};
use bergfried_pipeline::{Answer, Payload, Sender};
use bergfried_wire::Batch;
use serde_json::{Map, Value, json};

use super::notice;
use super::repeats::Key;
use super::{header, token};
use crate::adapters::detail::{Detail, mistake, no_json, no_object};
use crate::adapters::query::read_bool;
use crate::api::batches::submit;
use crate::auth::check;
use crate::error::ApiError;
use crate::router::State;
use crate::running::now;

/// Fields that every login has, and that are texts.
const REQUIRED: [&str; 7] =
    ["type", "timestamp", "hostname", "user", "method", "source_ip", "source_port"];
/// Fields that may be absent or null, and are texts.
const OPTIONAL: [&str; 4] = ["raw_message", "region", "host_group", "severity"];

/// The bearer of a token with which logins may be reported; nothing of a stranger's body is read.
pub(super) struct Reporter;

impl FromRequestParts<State> for Reporter {
    type Rejection = Detail;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Detail> {
        if may_report(state, header(&parts.headers, "x-login-alert-token")).await? {
            Ok(Reporter)
        } else {
            Err(Detail::unauthorized("Invalid token"))
        }
    }
}

pub(super) async fn login(
    _reporter: Reporter,
    Shared(state): Shared<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Detail> {
    let body =
        body.map_err(|rejection| ApiError::new(rejection.status(), rejection.body_text()))?;
    let document = read(&body)?;
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    let key = Key::new([
        text("hostname"),
        text("user"),
        text("source_ip"),
        text("source_port"),
        text("raw_message"),
        text("timestamp"),
    ]);
    let _turn = state.repeats.turn(&key).await;
    if let Some(id) = state.repeats.first_id(&key, now()) {
        return Ok(created(id));
    }
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| ApiError::internal(&error))?;
    let host = text("hostname").to_owned();
    let raw = serde_json::to_vec(&document).map_err(|error| ApiError::internal(&error))?;
    let batch = Batch {
        id,
        agent: String::new(),
        origins: vec![Origin::new(SourceKind::Watchtower, "watchtower", host)],
        records: vec![(0, Record { raw: Cow::Owned(raw), received: now(), truncated: false })],
    };
    let sender = Sender { address: Some(peer.ip()), agent: None };
    match submit(&state, Payload::Batch(batch), sender).await? {
        Answer::Stored { first_event_id, .. } | Answer::Duplicate { first_event_id, .. } => {
            state.repeats.remember(key, first_event_id, now());
            notice::tell(&state, &document, first_event_id).await;
            Ok(created(first_event_id))
        }
        Answer::Full => Err(ApiError::full().into()),
        Answer::Invalid(_) | Answer::Failed => Err(ApiError::not_stored().into()),
    }
}

fn created(id: u64) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({"status": "ok", "id": id})))
}

/// A Watchtower token; before the first rotation, an agent token too.
async fn may_report(state: &State, presented: String) -> Result<bool, ApiError> {
    if check(state, TokenKind::Watchtower, presented.clone()).await?.is_some() {
        return Ok(true);
    }
    Ok(!token::has_rotated(state).await?
        && check(state, TokenKind::Agent, presented).await?.is_some())
}

/// The login document, with every mistake that it has.
fn read(body: &[u8]) -> Result<Map<String, Value>, Detail> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Detail::unprocessable(vec![no_json(body, &error)]))?;
    let Value::Object(document) = value else {
        return Err(Detail::unprocessable(vec![no_object(&["body"], value)]));
    };
    let mistakes: Vec<Value> = REQUIRED
        .iter()
        .filter_map(|name| match document.get(*name) {
            None => Some(mistake("missing", &["body", name], "Field required", json!(document))),
            Some(value) => not_text(name, value),
        })
        .chain(OPTIONAL.iter().filter_map(|name| {
            document
                .get(*name)
                .filter(|value| !value.is_null())
                .and_then(|value| not_text(name, value))
        }))
        .chain(document.get("flagged").and_then(not_bool))
        .collect();
    if mistakes.is_empty() { Ok(document) } else { Err(Detail::unprocessable(mistakes)) }
}

fn not_text(name: &str, value: &Value) -> Option<Value> {
    (!value.is_string()).then(|| {
        mistake("string_type", &["body", name], "Input should be a valid string", value.clone())
    })
}

fn not_bool(value: &Value) -> Option<Value> {
    let acceptable = match value {
        Value::Bool(_) | Value::Null => true,
        Value::Number(number) => matches!(number.as_i64(), Some(0 | 1)),
        Value::String(text) => read_bool(text).is_some(),
        _ => false,
    };
    (!acceptable).then(|| {
        mistake(
            "bool_parsing",
            &["body", "flagged"],
            "Input should be a valid boolean, unable to interpret input",
            value.clone(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named() {
        for (body, places) in [
            ("{}", REQUIRED.to_vec()),
            (
                r#"{"type":"user_login","timestamp":"now","hostname":"h","user":"u","method":"m","source_ip":"1.2.3.4","source_port":22}"#,
                vec!["source_port"],
            ),
            (
                r#"{"type":"user_login","timestamp":"now","hostname":"h","user":"u","method":"m","source_ip":"1.2.3.4","source_port":"22","region":7,"flagged":"perhaps"}"#,
                vec!["region", "flagged"],
            ),
        ] {
            let Err(detail) = read(body.as_bytes()) else { panic!("{body} was taken") };
            let detail = serde_json::to_value(format!("{detail:?}")).unwrap();
            for place in places {
                assert!(detail.as_str().unwrap().contains(place), "{body}: {place}");
            }
        }
        assert!(read(b"[1]").is_err() && read(b"{").is_err());
    }

    #[test]
    fn a_whole_document_is_taken() {
        let body = r#"{"type":"user_login","timestamp":"now","hostname":"h","user":"u","method":"m","source_ip":"1.2.3.4","source_port":"22","region":null,"flagged":true}"#;
        assert!(read(body.as_bytes()).is_ok());
    }
}
