//! `POST /api/v1/batches`: records from agents, answered when they are durable.

use std::time::Instant;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use bergfried_control::TokenKind;
use bergfried_event::SourceKind;
use bergfried_pipeline::{Answer, Payload, Sender};
use bergfried_wire::{Limits, Receipt, Status, id_to_hex};

use crate::error::{ApiError, ErrorBody};
use crate::intake::{Intake, limited};
use crate::router::State;

/// Store a batch of records
///
/// The body is newline-delimited JSON, at most 32 MiB as sent and decompressed: a header line
/// `{"batch":"<32 hex digits>","agent":"name","version":"…","origins":[{"kind":"file","path":"…",
/// "host":"…","time_zone":"…"}]}`, then one line a record `{"o":0,"t":<microseconds>,"l":"text"}`.
/// A batch id that was stored before is answered as a duplicate and stored once. A batch without records
/// says that the agent is alive, and is stored nowhere. The kind `event`, as one hub sends to another,
/// needs a hub token.
#[utoipa::path(post, path = "/api/v1/batches", tag = "records",
    request_body(content = String, content_type = "application/x-ndjson",
        description = "Content-Encoding: zstd, gzip, deflate or identity"),
    responses(
        (status = 200, description = "Durable, now or since an earlier try: \
            {\"status\":\"stored\"|\"duplicate\",\"batch\":\"…\",\"records\":N}", body = serde_json::Value),
        (status = 400, description = "No batch; the same bytes fail again", body = ErrorBody),
        (status = 401, description = "No agent token, or a wrong one", body = ErrorBody),
        (status = 403, description = "Events as another hub has them, with an agent's token", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "A content encoding that is not taken", body = ErrorBody),
        (status = 429, description = "Over the token's limits: keep it, try again after Retry-After", body = ErrorBody),
        (status = 503, description = "Busy: keep it, try again after Retry-After", body = ErrorBody),
        (status = 507, description = "The disk is full: keep it, try again after Retry-After", body = ErrorBody),
    ))]
pub(crate) async fn receive(
    Shared(state): Shared<State>,
    mut intake: Intake,
) -> Result<Json<Receipt>, ApiError> {
    let body = std::mem::take(&mut intake.body);
    // Such events say of themselves where they come from, and that is believed.
    if intake.token.kind != TokenKind::Hub
        && bergfried_wire::kinds(&body, &Limits::default()).contains(&SourceKind::Event)
    {
        let reason = "events of another hub need a token of `bergfried tokens create hub NAME`";
        return Err(ApiError::new(StatusCode::FORBIDDEN, reason));
    }
    // Line 1 is the header, every further one a record.
    let events = body.iter().filter(|byte| **byte == b'\n').count().saturating_sub(1);
    let (meter, bytes) = (&state.door.meter, body.len());
    meter.charge(&intake.token, events, bytes, Instant::now()).map_err(limited)?;
    let agent = intake.header(header::USER_AGENT).unwrap_or("unknown").chars().take(100).collect();
    let sender = Sender { address: Some(intake.peer.ip()), agent: Some(agent) };
    let answer = submit(&state, Payload::Wire(body), sender).await;
    if matches!(answer, Err(_) | Ok(Answer::Full | Answer::Failed)) {
        meter.give_back(&intake.token, events, bytes);
    }
    let (status, batch, records) = match answer? {
        Answer::Stored { batch, events, .. } => (Status::Stored, batch, events),
        Answer::Duplicate { batch, events, .. } => (Status::Duplicate, batch, events),
        Answer::Invalid(reason) => return Err(ApiError::invalid(reason)),
        Answer::Full => return Err(ApiError::full()),
        Answer::Failed => return Err(ApiError::not_stored()),
    };
    Ok(Json(Receipt { status, batch: id_to_hex(&batch), records }))
}

/// Hands a batch to the pipeline and waits until it is durable or refused.
pub(crate) async fn submit(
    state: &State,
    payload: Payload,
    sender: Sender,
) -> Result<Answer, ApiError> {
    state.pipeline.submit(payload, sender)?.await.map_err(|_| ApiError::not_stored())
}
