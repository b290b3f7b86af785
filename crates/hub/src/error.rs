//! Errors of the native API: a status, and a message that a person can act on.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bergfried_alerting::Failed;
use bergfried_control::ControlError;
use bergfried_pipeline::Refused;
use bergfried_query::search::SearchError;
use bergfried_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::query::QueryError;

/// An error of the native API.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    retry_after: Option<u32>,
    place: Option<Place>,
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What is wrong and what was expected.
    pub(crate) error: String,
    /// Which part of a search is at fault, where one cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Place>,
}

/// A part of a text, for those who mark it where it is typed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Place {
    /// The byte at which it starts.
    pub(crate) from: usize,
    /// The byte behind it; `from` where something is missing there.
    pub(crate) to: usize,
    /// What is wrong with it, without the text around.
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        ApiError { status, message: message.into(), retry_after: None, place: None }
    }

    /// 400: the request is at fault, and fails again as it is.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 400: this search cannot be read; the message shows the place, and the body tells it.
    pub(crate) fn unreadable(search: &str, error: &SearchError) -> Self {
        let message = format!("cannot read the search: {}", error.render(search));
        let place = Place {
            from: error.offset,
            to: error.offset.saturating_add(error.length),
            message: error.message.clone(),
        };
        ApiError { place: Some(place), ..Self::invalid(message) }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 401: no key, or a wrong one.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// 403: whoever asks may not.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// The same request works later.
    pub(crate) fn later(status: StatusCode, message: impl Into<String>, seconds: u32) -> Self {
        ApiError { retry_after: Some(seconds), ..Self::new(status, message) }
    }

    /// 507: the disk is full (RFC 4918, section 11.5).
    pub(crate) fn full() -> Self {
        Self::later(
            StatusCode::INSUFFICIENT_STORAGE,
            "the hub's disk is full, nothing was stored: free some space, the sender keeps its data",
            30,
        )
    }

    /// 503: the store failed, and nothing of the request is in it.
    pub(crate) fn not_stored() -> Self {
        Self::later(StatusCode::SERVICE_UNAVAILABLE, "nothing was stored, try again", 5)
    }

    /// 500, the cause only in the log.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the hub failed, its log says why under this request's id",
        )
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// After how many seconds the same request may work, where it may.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, axum::Json(ErrorBody { error: self.message, place: self.place }))
                .into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        Self::later(StatusCode::SERVICE_UNAVAILABLE, format!("{refused}, try again"), 1)
    }
}

impl From<Failed> for ApiError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Full => Self::full(),
            Failed::TooMany { .. } => Self::new(StatusCode::CONFLICT, failed.to_string()),
            Failed::TooMuch(_) | Failed::Heartbeat(_) => Self::invalid(failed.to_string()),
            Failed::Stopping | Failed::Store(_) => {
                Self::later(StatusCode::SERVICE_UNAVAILABLE, failed.to_string(), 5)
            }
        }
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Full => Self::full(),
            ControlError::Busy => {
                Self::later(StatusCode::SERVICE_UNAVAILABLE, "the hub is busy, try again", 1)
            }
            ControlError::Invalid { .. } => Self::invalid(error.to_string()),
            other => Self::internal(&other),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full { .. } => Self::full(),
            StoreError::TooMuch { .. } | StoreError::Aggregation(_) => {
                Self::invalid(error.to_string())
            }
            StoreError::Cancelled => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "the search was stopped")
            }
            other => Self::internal(&other),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Store(error) => error.into(),
            QueryError::TooMuch(message) => Self::invalid(message),
        }
    }
}

/// Runs work that blocks (disk, SQLite, parsing) off the threads that serve connections.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(result) => result,
        Err(error) => Err(ApiError::internal(&error)),
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;
    use bergfried_query::search::parse;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_search_is_placed() {
        let text = "größe AND user.nam:root";
        let error = parse(text, Timestamp::MIN).unwrap_err();
        let place = ApiError::unreadable(text, &error).place.unwrap();
        assert_eq!(text.get(place.from..place.to), Some("user.nam"));
        assert!(place.message.contains("`user.name`"), "{}", place.message);
        let body = serde_json::to_value(ErrorBody { error: String::new(), place: None }).unwrap();
        assert_eq!(body.get("place"), None);
    }
}
