//! What is answered where a request cannot be served, in the form that Alerta's clients read.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::ApiError;
use crate::request::RequestId;

/// An error of Alerta's API: a status, and a message that a person can act on.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
    errors: Option<Vec<String>>,
    /// The id of what was refused, where it has one.
    id: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body; its fields stand in the order of their names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    code: u16,
    errors: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    message: &'a str,
    request_id: Option<&'a str>,
    status: &'static str,
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let mut headers = refusal.headers.iter();
        let after = headers.find(|(name, _)| *name == header::RETRY_AFTER);
        match after.and_then(|(_, value)| value.to_str().ok()?.parse().ok()) {
            Some(seconds) => ApiError::later(refusal.status, refusal.message, seconds),
            None => ApiError::new(refusal.status, refusal.message),
        }
    }
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Refusal { status, message, errors: None, id: None, headers: Vec::new() }
    }

    /// 400: the request is at fault, and fails again as it is.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 400: a field holds what it may not.
    pub(crate) fn field(name: &str, expected: &str) -> Self {
        Self::invalid(format!("`{name}` must be {expected}"))
    }

    /// 401: nobody known.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// 403: known, but may not.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404: there is no such thing, or it is another customer's.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found")
    }

    /// 409: it cannot be done to this thing now.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// With a list of what is wrong.
    pub(crate) fn with_errors(self, errors: Vec<String>) -> Self {
        Refusal { errors: Some(errors), ..self }
    }

    /// With the id of what was refused.
    pub(crate) fn with_id(self, id: impl Into<String>) -> Self {
        Refusal { id: Some(id.into()), ..self }
    }

    /// With a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    fn body(&self, request_id: Option<&str>) -> Response {
        let body = Body {
            code: self.status.as_u16(),
            errors: self.errors.as_deref(),
            id: self.id.as_deref(),
            message: &self.message,
            request_id,
            status: "error",
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        for (name, value) in &self.headers {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }
}

impl IntoResponse for Refusal {
    /// [`named`] writes the body anew, with the id of the request.
    fn into_response(self) -> Response {
        let mut response = self.body(None);
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let refusal = Self::new(error.status(), error.message());
        match error.retry_after() {
            Some(seconds) => refusal.with_header(header::RETRY_AFTER, seconds.into()),
            None => refusal,
        }
    }
}

/// Puts the id of the request into the body of a refusal.
pub(super) async fn named(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Refusal>() {
        None => response,
        Some(refusal) => refusal.body(id.as_ref().and_then(|RequestId(id)| id.to_str().ok())),
    }
}

/// Nothing is at this path.
pub(crate) async fn no_such_path() -> Refusal {
    let known = "there is nothing at this path of Alerta's API";
    Refusal::not_found().with_errors(vec![known.to_owned()])
}

/// This path does not take that method.
pub(super) async fn no_such_method() -> Refusal {
    let known = "this path of Alerta's API does not take that method";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
        .with_errors(vec![known.to_owned()])
}
