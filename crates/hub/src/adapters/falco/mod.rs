//! `POST /falco`: the alerts that Falco's `http_output` sends, one JSON object in each request.
//!
//! Falco can set no header of its own, but libcurl makes a password in the URL an `Authorization:
//! Basic`: `url: https://falco:TOKEN@hub.example/falco`. It looks at no answer and sends again only
//! after a timeout, so that an alert is known by its bytes and stored once. Falcosidekick's webhook
//! sends the same objects.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use bergfried_event::{Origin, SourceKind};
use serde_json::{Value, json};

use crate::adapters::raw;
use crate::error::{ApiError, blocking};
use crate::intake::{Intake, Piece};
use crate::router::State;
use crate::running::now;

pub(crate) async fn receive(
    Shared(state): Shared<State>,
    mut intake: Intake,
) -> Result<Json<Value>, ApiError> {
    if !raw::is_json(intake.header(header::CONTENT_TYPE).unwrap_or_default()) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Falco's alerts are taken as JSON, set `json_output: true` in falco.yaml",
        ));
    }
    let weight = raw::lines::weight(&intake.body, true);
    intake.weigh(&state, weight).await?;
    let (intake, records) = blocking(move || {
        let records = raw::lines::values(&intake.body, now());
        Ok((intake, records))
    })
    .await?;
    let records = records.map_err(raw::refusal)?;
    let records = records.into_iter().map(|record| (0, record)).collect();
    let origin = intake.origin("falco", Origin::new(SourceKind::Json, "", intake.peer_host()));
    let outcome =
        intake.store(&state, Piece { origins: vec![origin], records, once: true }).await?;
    match outcome.refused {
        Some(error) => Err(error),
        None => Ok(Json(json!({ "records": outcome.stored }))),
    }
}
