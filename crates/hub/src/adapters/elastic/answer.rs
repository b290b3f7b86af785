//! Answers in the shapes that clients of Elasticsearch check.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::filter::filtered;
use crate::error::ApiError;

/// Clients of version 7.14 and later refuse to talk to a server without it.
pub(super) const PRODUCT: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-elastic-product"), HeaderValue::from_static("Elasticsearch"));
const OWN_TYPE: &str = "application/vnd.elasticsearch+json";

/// How a client wants its answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    /// The major version in whose compatible form it asked, where it did.
    compatible_with: Option<u8>,
    /// `filter_path`.
    filter: Option<String>,
}

impl Wish {
    pub(super) fn of(headers: &HeaderMap, query: Option<&str>) -> Wish {
        let accept = text(headers, header::ACCEPT);
        let compatible_with = accept.contains(OWN_TYPE).then(|| {
            let version = accept.split_once("compatible-with=").map(|(_, version)| version);
            version.and_then(|version| version.get(..1)?.parse().ok()).unwrap_or(8)
        });
        let filter = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .find(|(name, _)| name == "filter_path")
            .map(|(_, value)| value.into_owned());
        Wish { compatible_with, filter }
    }

    pub(super) fn compatible_with(&self) -> Option<u8> {
        self.compatible_with
    }

    /// An answer, in the media type that the client asked for.
    pub(super) fn answer(&self, status: StatusCode, body: Value) -> Response {
        let body = match &self.filter {
            Some(patterns) => filtered(body, patterns).unwrap_or_else(|| json!({})),
            None => body,
        };
        let kind = match self.compatible_with {
            Some(version) => format!("{OWN_TYPE};compatible-with={version}"),
            None => "application/json".to_owned(),
        };
        (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
    }

    /// An error that concerns the request as a whole.
    pub(super) fn error(&self, error: &ApiError) -> Response {
        let (status, kind) = told(error);
        let cause = json!({"type": kind, "reason": error.message()});
        let mut whole = cause.clone();
        if let Some(whole) = whole.as_object_mut() {
            whole.insert("root_cause".to_owned(), json!([cause]));
        }
        // Not filtered: an error is always told.
        let wish = Wish { filter: None, ..self.clone() };
        let mut response = wish.answer(status, json!({"error": whole, "status": status.as_u16()}));
        let headers = response.headers_mut();
        if let Some(seconds) = error.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            for scheme in [r#"Basic realm="security", charset="UTF-8""#, "ApiKey"] {
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
            }
        }
        response
    }
}

/// Status and type of an error, by which clients decide whether to send again.
///
/// Elasticsearch says 429 where it is busy and where the disk is full; all its clients then wait and
/// send the same again, which not all of them do at 503 or 507.
pub(super) fn told(error: &ApiError) -> (StatusCode, &'static str) {
    match error.status() {
        StatusCode::UNAUTHORIZED => (StatusCode::UNAUTHORIZED, "security_exception"),
        StatusCode::NOT_FOUND => (StatusCode::NOT_FOUND, "resource_not_found_exception"),
        StatusCode::PAYLOAD_TOO_LARGE => {
            (StatusCode::PAYLOAD_TOO_LARGE, "content_too_long_exception")
        }
        StatusCode::INSUFFICIENT_STORAGE => {
            (StatusCode::TOO_MANY_REQUESTS, "cluster_block_exception")
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            (StatusCode::TOO_MANY_REQUESTS, "es_rejected_execution_exception")
        }
        status if status.is_server_error() => (status, "exception"),
        status => (status, "illegal_argument_exception"),
    }
}

pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
