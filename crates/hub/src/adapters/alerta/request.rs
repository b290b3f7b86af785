//! What requests of Alerta's clients bring: query parameters, a document, and the address under which
//! they reached the hub.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::document::Document;
use super::error::Refusal;
use crate::router::State;

/// The most query parameters.
const MAX_PARAMETERS: usize = 1_000;

/// The query parameters as they were sent, in their order, with those that come more than once.
pub(crate) struct Parameters(pub(crate) Vec<(String, String)>);

impl Parameters {
    /// The last value of a parameter, where it is there.
    pub(crate) fn last(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.0.iter().filter(move |(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let pairs = form_urlencoded::parse(query);
        let pairs: Vec<_> = pairs.take(MAX_PARAMETERS + 1).map(owned).collect();
        if pairs.len() > MAX_PARAMETERS {
            let message = format!("a request has at most {MAX_PARAMETERS} query parameters");
            return Err(Refusal::invalid(message));
        }
        Ok(Parameters(pairs))
    }
}

fn owned(
    (name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>),
) -> (String, String) {
    (name.into_owned(), value.into_owned())
}

impl FromRequest<State> for Document {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &State) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must be JSON, sent with `Content-Type: application/json`",
            ));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            Refusal::new(rejection.status(), rejection.body_text().to_lowercase())
        })?;
        Document::read(&body)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// What stands in the path; what cannot be read there is a 400 that says why.
pub(crate) struct InPath<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<State> for InPath<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let crate::request::InPath(value) =
            crate::request::InPath::from_request_parts(parts, state).await?;
        Ok(InPath(value))
    }
}

/// Where the API stands, as a part of the request's path: `/api`, or nothing at the root.
#[derive(Clone)]
pub(super) struct Prefix(pub(super) std::sync::Arc<str>);

/// How the API was reached, and by whom.
pub(crate) struct Base {
    /// The address of the API, without a slash at its end.
    address: String,
    /// Whether a browser asks.
    browser: bool,
}

impl Base {
    /// At this address, for a program.
    #[cfg(test)]
    pub(crate) fn at(address: &str) -> Base {
        Base { address: address.to_owned(), browser: false }
    }

    /// The address alone.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Whether the answer is for a browser. Alerta's web console puts some texts into its page as
    /// markup, and whoever writes a log may write some of them.
    pub(crate) fn is_for_browser(&self) -> bool {
        self.browser
    }

    /// The address of something in the API; `path` begins with a slash.
    pub(crate) fn href(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

impl FromRequestParts<State> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        // Every browser begins its name so, and no page can change what it says.
        let browser = text(header::USER_AGENT).is_some_and(|name| name.starts_with("Mozilla/"))
            || text(header::ORIGIN).is_some();
        if !state.alerta.base_url.is_empty() {
            return Ok(Base { address: state.alerta.base_url.clone(), browser });
        }
        let prefix = parts.extensions.get::<Prefix>().map_or("", |Prefix(prefix)| prefix);
        let address = match text(header::HOST) {
            // The hub's own listener says what is spoken; a proxy before it is told by BASE_URL.
            Some(host) => {
                let scheme = if state.tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{host}{prefix}")
            }
            None => prefix.to_owned(),
        };
        Ok(Base { address, browser })
    }
}
