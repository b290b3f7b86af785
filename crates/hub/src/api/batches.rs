//! `POST /api/v1/batches`: records from agents, answered when they are durable.

use std::net::SocketAddr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use bergfried_pipeline::{Answer, Payload, Sender};
use bergfried_wire::{Receipt, Status, id_to_hex};

use crate::auth::Agent;
use crate::error::{ApiError, ErrorBody, blocking};
use crate::router::State;

/// The largest body as sent, in bytes.
pub(crate) const MAX_BODY: usize = 8 << 20;
/// The largest body when decompressed, in bytes.
const MAX_DECOMPRESSED: usize = 32 << 20;

/// Store a batch of records
///
/// The body is newline-delimited JSON, at most 8 MiB as sent and 32 MiB decompressed: a header line
/// `{"batch":"<32 hex digits>","agent":"name","version":"…","origins":[{"kind":"file","path":"…",
/// "host":"…","time_zone":"…"}]}`, then one line a record `{"o":0,"t":<microseconds>,"l":"text"}`.
/// A batch id that was stored before is answered as a duplicate and stored once.
#[utoipa::path(post, path = "/api/v1/batches", tag = "records",
    request_body(content = String, content_type = "application/x-ndjson",
        description = "Content-Encoding: zstd or identity"),
    responses(
        (status = 200, description = "Durable, now or since an earlier try: \
            {\"status\":\"stored\"|\"duplicate\",\"batch\":\"…\",\"records\":N}", body = serde_json::Value),
        (status = 400, description = "No batch; the same bytes fail again", body = ErrorBody),
        (status = 401, description = "No agent token, or a wrong one", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "A content encoding that is not taken", body = ErrorBody),
        (status = 503, description = "Busy: keep it, try again after Retry-After", body = ErrorBody),
        (status = 507, description = "The disk is full: keep it, try again after Retry-After", body = ErrorBody),
    ))]
pub(crate) async fn receive(
    _agent: Agent,
    Shared(state): Shared<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Receipt>, ApiError> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a batch has at most {MAX_BODY} bytes"),
        ),
        status => ApiError::new(status, rejection.body_text()),
    })?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let body = match text(header::CONTENT_ENCODING) {
        None | Some("identity") => body.to_vec(),
        Some("zstd") => blocking(move || decompressed(&body)).await?,
        Some(other) => {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!(
                    "content encoding `{}` is not taken, expected zstd or identity",
                    other.escape_debug()
                ),
            ));
        }
    };
    let agent = text(header::USER_AGENT).unwrap_or("unknown").chars().take(100).collect();
    let sender = Sender { address: Some(peer.ip()), agent: Some(agent) };
    let (status, batch, records) = match submit(&state, Payload::Wire(body), sender).await? {
        Answer::Stored { batch, events, .. } => (Status::Stored, batch, events),
        Answer::Duplicate { batch, events, .. } => (Status::Duplicate, batch, events),
        Answer::Invalid(reason) => return Err(ApiError::invalid(reason)),
        Answer::Full => return Err(ApiError::full()),
        Answer::Failed => return Err(not_stored()),
    };
    Ok(Json(Receipt { status, batch: id_to_hex(&batch), records }))
}

fn decompressed(body: &[u8]) -> Result<Vec<u8>, ApiError> {
    bergfried_wire::decompress(body, MAX_DECOMPRESSED).map_err(|error| match error {
        bergfried_wire::WireError::TooLarge { .. } => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
        }
        error => ApiError::invalid(error.to_string()),
    })
}

/// Hands a batch to the pipeline and waits until it is durable or refused.
pub(crate) async fn submit(
    state: &State,
    payload: Payload,
    sender: Sender,
) -> Result<Answer, ApiError> {
    state.pipeline.submit(payload, sender)?.await.map_err(|_| not_stored())
}

pub(crate) fn not_stored() -> ApiError {
    ApiError::later(StatusCode::SERVICE_UNAVAILABLE, "nothing was stored, try again", 5)
}
