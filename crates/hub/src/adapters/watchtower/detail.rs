//! Errors in the form that FastAPI gives them, which Watchtower's clients know.

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
    retry_after: bool,
}

impl Detail {
    pub(super) fn unauthorized(message: &str) -> Self {
        Detail { status: StatusCode::UNAUTHORIZED, detail: json!(message), retry_after: false }
    }

    /// 422 with one entry for each mistake.
    pub(super) fn unprocessable(mistakes: Vec<Value>) -> Self {
        Detail {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: Value::Array(mistakes),
            retry_after: false,
        }
    }
}

/// One mistake: pydantic's type of error, where it is, what was expected, what was given.
pub(super) fn mistake(kind: &str, place: [&str; 2], message: &str, input: Value) -> Value {
    json!({"type": kind, "loc": place, "msg": message, "input": input})
}

impl From<ApiError> for Detail {
    fn from(error: ApiError) -> Self {
        let retry_after = matches!(
            error.status(),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE
        );
        Detail { status: error.status(), detail: json!(error.message()), retry_after }
    }
}

impl IntoResponse for Detail {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({"detail": self.detail}))).into_response();
        if self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
