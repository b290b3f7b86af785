//! `POST /api/v1/raw`: what anyone can send with curl, lines or JSON, without an agent.
//!
//! Nothing tells a body that is sent twice from one that happened twice, and people send by hand:
//! every request is stored.

pub(super) mod lines;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bergfried_event::{Origin, SourceKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::{ApiError, ErrorBody, blocking};
use crate::intake::{Intake, Piece};
use crate::request::Params;
use crate::router::State;
use crate::running::now;
use lines::Wrong;

/// The longest text of a parameter, in bytes: it is repeated in every event.
const MAX_TEXT: usize = 256;
const MAX_PATH: usize = 4_096;
const MAX_TAGS: usize = 64;

/// What the records are.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Description {
    /// The host of records that name none; absent: the sender's address
    host: Option<String>,
    /// The file that they are from, for `log.file.path`
    path: Option<String>,
    /// `auto` (the default: by content type, then each line by its looks), `syslog`, `journald` or
    /// `json`
    kind: Option<String>,
    /// The IANA time zone of stamps without an offset (`Europe/Berlin`); absent: UTC
    time_zone: Option<String>,
    /// Words for `tags`, with commas between them
    tags: Option<String>,
    /// The name for `input.name`; absent: `raw`
    input: Option<String>,
}

/// What was stored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// How many records are durable now
    records: usize,
    /// What became of the others, where there are any; send only them again
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Store lines or JSON objects, as they are
///
/// At most 32 MiB at once: lines of text, one record each, or with `Content-Type: application/json`
/// or `application/x-ndjson` objects of JSON, one after the other or in an array.
#[utoipa::path(post, path = "/api/v1/raw", tag = "records", params(Description),
    request_body(content = String, content_type = "text/plain",
        description = "Content-Encoding: gzip, zstd, deflate or identity"),
    responses(
        (status = 200, description = "Durable", body = Taken),
        (status = 400, description = "A wrong parameter, or no JSON", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "A form, or a content encoding that is not taken", body = ErrorBody),
        (status = 429, description = "Over the token's limits: try again after Retry-After", body = ErrorBody),
        (status = 503, description = "Busy: try again after Retry-After. Of a body of many MiB the \
            first records may be stored; then `records` says how many", body = Taken),
        (status = 507, description = "The disk is full", body = ErrorBody),
    ))]
pub(crate) async fn receive(
    Params(description): Params<Description>,
    Shared(state): Shared<State>,
    intake: Intake,
) -> Result<Response, ApiError> {
    let content_type = intake.header(header::CONTENT_TYPE).unwrap_or_default();
    // `curl -F`: the boundaries and headers of its parts would be stored as lines.
    if content_type.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "a form is not taken, send the file as the body: curl --data-binary @FILE, or -T FILE",
        ));
    }
    let json = is_json(content_type);
    let origin = description.origin(json, &intake)?;
    let (mut intake, weight) = blocking(move || {
        let weight = lines::weight(&intake.body, json);
        Ok((intake, weight))
    })
    .await?;
    intake.weigh(&state, weight).await?;
    let (intake, records) = blocking(move || {
        let records = match json {
            true => lines::values(&intake.body, now()),
            false => lines::lines(&intake.body, now()),
        };
        Ok((intake, records))
    })
    .await?;
    let records = records.map_err(refusal)?;
    let records = records.into_iter().map(|record| (0, record)).collect();
    let outcome =
        intake.store(&state, Piece { origins: vec![origin], records, once: false }).await?;
    let Some(error) = outcome.refused else {
        return Ok(Json(Taken { records: outcome.stored, error: None }).into_response());
    };
    if outcome.stored == 0 {
        return Err(error);
    }
    let told = Taken { records: outcome.stored, error: Some(error.message().to_owned()) };
    let status = error.status();
    let mut response = error.into_response();
    *response.body_mut() = (status, Json(told)).into_response().into_body();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    Ok(response)
}

impl Description {
    fn origin(self, json: bool, intake: &Intake) -> Result<Origin, ApiError> {
        let Description { host, path, kind, time_zone, tags, input } = self;
        let kind = match kind.as_deref().unwrap_or("auto") {
            "auto" if json => SourceKind::Json,
            // Every line by its looks.
            "auto" => SourceKind::File,
            "syslog" => SourceKind::Syslog,
            "journald" => SourceKind::Journald,
            "json" => SourceKind::Json,
            _ => return Err(ApiError::invalid("`kind` must be auto, syslog, journald or json")),
        };
        if let Some(zone) = &time_zone
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            return Err(ApiError::invalid("`time_zone` must be a name such as Europe/Berlin"));
        }
        let tags = tags.unwrap_or_default();
        let tags: Vec<String> = tags
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect();
        let host = host.unwrap_or_else(|| intake.peer_host());
        let input = input.unwrap_or_else(|| "raw".to_owned());
        let path = path.unwrap_or_default();
        if tags.len() > MAX_TAGS {
            return Err(ApiError::invalid(format!("`tags` has at most {MAX_TAGS} words")));
        }
        if path.len() > MAX_PATH || tags.iter().chain([&host, &input]).any(|t| t.len() > MAX_TEXT) {
            return Err(ApiError::invalid(format!(
                "`host`, `input` and each of `tags` have at most {MAX_TEXT} bytes, `path` {MAX_PATH}"
            )));
        }
        Ok(intake.origin(&input, Origin { time_zone, tags, ..Origin::new(kind, path, host) }))
    }
}

/// What a sender is told whose body is not taken.
pub(super) fn refusal(wrong: Wrong) -> ApiError {
    match wrong {
        Wrong::Json(_) => ApiError::invalid(wrong.to_string()),
        Wrong::TooMany => ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, wrong.to_string()),
    }
}

/// Whether a body of this type is JSON.
pub(super) fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        essence.as_str(),
        "application/json" | "application/x-ndjson" | "application/ndjson" | "application/jsonl"
    ) || essence.ends_with("+json")
}
