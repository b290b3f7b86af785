//! `POST /v1/logs`: OpenTelemetry's protocol for logs over HTTP (OTLP 1), as protobuf or JSON.
//!
//! A log record becomes a record of JSON; see [`document`]. Answers and errors come in the form of
//! the request. What works later is 429 or 503 with `Retry-After`, which exporters honour; all else
//! they drop, as the protocol says. A body of which some records are stored and then the disk fails
//! is sent again whole: those that are stored are known by their bytes and stored once.

mod document;
mod json;
mod message;
mod weigh;

use std::borrow::Cow;

use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bergfried_event::{Origin, Record, SourceKind};
use bergfried_wire::MAX_RAW;
use prost::Message as _;
use serde_json::{Value, json};

use crate::error::{ApiError, blocking};
use crate::intake::{Intake, Piece};
use crate::router::State;
use crate::running::now;

/// The most log records of one request.
const MAX_RECORDS: usize = 100_000;

/// The most bytes of all documents of a request: a resource is written into each of them, so that a
/// small request could become a large one.
const MAX_SIZE: usize = 64 << 20;

/// In which form the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Protobuf,
    Json,
}

pub(crate) async fn receive(
    headers: HeaderMap,
    Shared(state): Shared<State>,
    intake: Result<Intake, ApiError>,
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let form = match essence.to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Some(Form::Protobuf),
        "application/json" => Some(Form::Json),
        _ => None,
    };
    let stored = match (form, intake) {
        (_, Err(error)) => Err(error),
        (None, Ok(_)) => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content type must be application/x-protobuf or application/json",
        )),
        (Some(form), Ok(intake)) => store(&state, form, intake).await,
    };
    let form = form.unwrap_or(Form::Json);
    match stored {
        Ok(rejected) => form.accepted(rejected),
        Err(error) => form.refused(&error),
    }
}

/// Stores what a request holds; how many of its records were too long to be taken.
async fn store(state: &State, form: Form, intake: Intake) -> Result<usize, ApiError> {
    let (mut intake, weight) = blocking(move || {
        let weight = match form {
            Form::Protobuf => weigh::weight(&intake.body),
            Form::Json => weigh::weight_json(&intake.body),
        };
        Ok((intake, weight))
    })
    .await?;
    let too_many = || too_large("a request has too many attributes and values");
    intake.weigh(state, weight.ok_or_else(too_many)?).await?;
    let (intake, records, rejected) = blocking(move || {
        let (records, rejected) = read(form, &intake.body)?;
        Ok((intake, records, rejected))
    })
    .await?;
    if records.is_empty() {
        return Ok(rejected);
    }
    let origin = intake.origin("otlp", Origin::new(SourceKind::Json, "", intake.peer_host()));
    let outcome = intake.store(state, Piece { origins: vec![origin], records, once: true }).await?;
    outcome.refused.map_or(Ok(rejected), Err)
}

type Records = Vec<(u16, Record<'static>)>;

fn read(form: Form, body: &[u8]) -> Result<(Records, usize), ApiError> {
    let request = match form {
        Form::Protobuf => message::Request::decode(body).map_err(|error| error.to_string()),
        Form::Json => json::read(body),
    };
    let request = request
        .map_err(|reason| ApiError::invalid(format!("cannot read the request: {reason}")))?;
    let scopes = request.resource_logs.iter().flat_map(|logs| &logs.scope_logs);
    if scopes.map(|scope| scope.log_records.len()).sum::<usize>() > MAX_RECORDS {
        return Err(too_large("a request has more than 100000 log records"));
    }
    let received = now();
    let (mut records, mut rejected) = (Vec::new(), 0);
    let mut size = 0;
    for logs in &request.resource_logs {
        for scoped in &logs.scope_logs {
            for record in &scoped.log_records {
                let raw = document::document(record, scoped.scope.as_ref(), logs.resource.as_ref());
                size += raw.len();
                if size > MAX_SIZE {
                    return Err(too_large(
                        "the attributes of resources, which every log record carries, swell a \
                         request too much",
                    ));
                }
                if raw.len() > MAX_RAW {
                    rejected += 1;
                    continue;
                }
                let raw = Cow::Owned(raw);
                records.push((0, Record { raw, received, truncated: false }));
            }
        }
    }
    Ok((records, rejected))
}

fn too_large(what: &str) -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("{what}, send less at once"))
}

impl Form {
    fn accepted(self, rejected: usize) -> Response {
        let partial_success = (rejected > 0).then(|| message::PartialSuccess {
            rejected_log_records: i64::try_from(rejected).unwrap_or(i64::MAX),
            error_message: "log records are longer than 1 MiB".to_owned(),
        });
        match self {
            Form::Protobuf => {
                self.answer(StatusCode::OK, message::Response { partial_success }.encode_to_vec())
            }
            Form::Json => {
                let body = match partial_success {
                    None => json!({}),
                    Some(partial) => json!({"partialSuccess": {
                        "rejectedLogRecords": partial.rejected_log_records.to_string(),
                        "errorMessage": partial.error_message,
                    }}),
                };
                self.answer(StatusCode::OK, body.to_string().into_bytes())
            }
        }
    }

    /// An error as google.rpc.Status. The protocol lets exporters try again at 429, 502, 503 and 504
    /// only, so that a full disk is 503 here.
    fn refused(self, error: &ApiError) -> Response {
        let status = match error.status() {
            StatusCode::INSUFFICIENT_STORAGE => StatusCode::SERVICE_UNAVAILABLE,
            status => status,
        };
        let code = match status {
            StatusCode::UNAUTHORIZED => 16,
            StatusCode::TOO_MANY_REQUESTS => 8,
            StatusCode::SERVICE_UNAVAILABLE => 14,
            status if status.is_server_error() => 13,
            _ => 3,
        };
        let message = error.message().to_owned();
        let mut response = match self {
            Form::Protobuf => {
                self.answer(status, message::Status { code, message }.encode_to_vec())
            }
            Form::Json => {
                let body: Value = json!({"code": code, "message": message});
                self.answer(status, body.to_string().into_bytes())
            }
        };
        let headers = response.headers_mut();
        if let Some(seconds) = error.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    fn answer(self, status: StatusCode, body: Vec<u8>) -> Response {
        let kind = match self {
            Form::Protobuf => "application/x-protobuf",
            Form::Json => "application/json",
        };
        (status, [(header::CONTENT_TYPE, kind)], body).into_response()
    }
}
