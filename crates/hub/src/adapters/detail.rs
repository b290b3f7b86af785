//! Errors in the form that FastAPI gives them, which clients of Watchtower and Heimdall know.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::ApiError;

/// An error body `{"detail": …}`.
#[derive(Debug)]
pub(crate) struct Detail {
    status: StatusCode,
    detail: Value,
    /// After how many seconds the same request may work, where it may.
    retry_after: Option<u32>,
}

impl Detail {
    fn new(status: StatusCode, detail: Value) -> Self {
        Detail { status, detail, retry_after: None }
    }

    pub(crate) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, json!(message))
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, json!(message))
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, json!(message))
    }

    pub(crate) fn no_such_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, json!("Method Not Allowed"))
    }

    /// What is wrong, as it is told.
    #[cfg(test)]
    pub(crate) fn detail(&self) -> &Value {
        &self.detail
    }

    /// 422 with one entry for each mistake.
    pub(crate) fn unprocessable(mistakes: Vec<Value>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, Value::Array(mistakes))
    }
}

/// One mistake: pydantic's type of error, where it is, what was expected, what was given.
pub(crate) fn mistake(kind: &str, place: &[&str], message: &str, input: Value) -> Value {
    json!({"type": kind, "loc": place, "msg": message, "input": input})
}

/// What is expected where an object must be.
pub(crate) const OBJECT: &str =
    "Input should be a valid dictionary or object to extract fields from";

/// The entry for what should be an object.
pub(crate) fn no_object(place: &[&str], input: Value) -> Value {
    mistake("model_attributes_type", place, OBJECT, input)
}

/// The entry for a body that is no JSON.
pub(crate) fn no_json(body: &[u8], error: &serde_json::Error) -> Value {
    let lines = body.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.take(error.line().saturating_sub(1)).map(<[u8]>::len).sum();
    let place = (before + error.column().saturating_sub(1)).min(body.len());
    json!({
        "type": "json_invalid",
        "loc": ["body", place],
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": error.to_string()},
    })
}

impl From<ApiError> for Detail {
    fn from(error: ApiError) -> Self {
        let retry_after = error.retry_after();
        Detail { retry_after, ..Self::new(error.status(), json!(error.message())) }
    }
}

impl IntoResponse for Detail {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({"detail": self.detail}))).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
