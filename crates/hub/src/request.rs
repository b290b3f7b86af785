//! What every request goes through: an id, a time limit, a line in the log; and its parameters.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use crate::error::ApiError;
use crate::router::State;

/// How long a handler may take before its answer begins, where it asks for no more.
const TIME_LIMIT: Duration = Duration::from_secs(30);
const REQUEST_ID: &str = "x-request-id";
/// What Amazon's load balancers call it.
const TRACE_ID: &str = "x-amzn-trace-id";

tokio::task_local! {
    /// Until when the handler of this request may take.
    static UNTIL: Cell<Instant>;
}

/// Lets the handler that asks for it take this long from now on, where it had less left.
pub(crate) fn allow(time: Duration) {
    let longer = |until: &Cell<Instant>| until.set(until.get().max(Instant::now() + time));
    // Work of no request has no end that could be moved.
    UNTIL.try_with(longer).unwrap_or_default();
}

/// The id of a request, among its extensions.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) HeaderValue);

/// Gives the request an id (the client's own where it is sane), limits its time, and logs it.
///
/// Neither headers nor query are logged: they may hold secrets.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let id = id_of(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = Instant::now();
    // Whatever is logged meanwhile carries the id that the client is told.
    let span = tracing::error_span!("request", id = id.to_str().unwrap_or_default());
    let handled = next.run(request).instrument(span);
    let until = Cell::new(started + TIME_LIMIT);
    let mut response = UNTIL.scope(until, in_time(handled)).await.unwrap_or_else(|| {
        let seconds = started.elapsed().as_secs();
        let message = format!("no answer within {seconds} s, try a narrower request or later");
        ApiError::later(StatusCode::SERVICE_UNAVAILABLE, message, 5).into_response()
    });
    tracing::debug!(
        id = id.to_str().unwrap_or_default(),
        %method,
        path,
        status = response.status().as_u16(),
        micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// What a handler answers; none where its time is over before.
async fn in_time(handled: impl Future<Output = Response>) -> Option<Response> {
    let mut handled = pin!(handled);
    loop {
        let until = UNTIL.with(Cell::get);
        match timeout_at(until, &mut handled).await {
            Ok(response) => return Some(response),
            Err(_elapsed) if UNTIL.with(Cell::get) > until => {}
            Err(_elapsed) => return None,
        }
    }
}

/// The id that the client gave, or a new one.
fn id_of(headers: &HeaderMap) -> HeaderValue {
    let given = |name| {
        let id: &HeaderValue = headers.get(name)?;
        let sane = id.len() <= 128 && id.as_bytes().iter().all(u8::is_ascii_graphic);
        sane.then(|| id.clone())
    };
    given(REQUEST_ID).or_else(|| given(TRACE_ID)).unwrap_or_else(new_id)
}

fn new_id() -> HeaderValue {
    let id = uuid::Uuid::new_v4().to_string();
    HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("-"))
}

/// Query parameters; a wrong or unknown one is a 400 that names it.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<State> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Params(params)),
            Err(rejection) => {
                let text = rejection.body_text();
                let reason = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, r)| r);
                Err(ApiError::invalid(format!("cannot read the query parameters: {reason}")))
            }
        }
    }
}

/// What stands in the path; what cannot be read there is a 400 that says why.
pub(crate) struct InPath<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<State> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(InPath(value)),
            Err(rejection) => {
                let text = rejection.body_text();
                let reason = text.trim_start_matches("Invalid URL: ");
                Err(ApiError::invalid(format!("cannot read the path: {reason}")))
            }
        }
    }
}

/// A JSON body; a wrong one is a 400 (or 413, 415) that says what and where.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<State> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &State) -> Result<Self, ApiError> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Body(body)),
            Err(rejection) => {
                let status = match rejection.status() {
                    StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
                    status => status,
                };
                Err(ApiError::new(status, rejection.body_text()))
            }
        }
    }
}

/// As [`Body`], where it may be left out.
pub(crate) struct MaybeBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<State> for MaybeBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &State) -> Result<Self, ApiError> {
        if request.body().is_end_stream() {
            return Ok(MaybeBody(T::default()));
        }
        Body::from_request(request, state).await.map(|Body(body)| MaybeBody(body))
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::sleep_until;

    use super::*;

    /// What becomes of a handler that is given so little.
    async fn within_little(handled: impl Future<Output = ()>) -> Option<Response> {
        let until = Instant::now() + Duration::from_millis(20);
        let answer = async {
            handled.await;
            StatusCode::OK.into_response()
        };
        UNTIL.scope(Cell::new(until), in_time(answer)).await
    }

    #[tokio::test]
    async fn a_handler_has_the_time_that_it_asks_for() {
        let over = || Instant::now() + Duration::from_millis(60);
        let patient = async {
            allow(Duration::from_secs(3_600));
            sleep_until(over()).await;
        };
        assert!(within_little(patient).await.is_some());
        assert!(within_little(pending()).await.is_none(), "who asks for nothing has an end");
        let modest = async {
            allow(Duration::from_millis(1));
            pending().await
        };
        assert!(within_little(modest).await.is_none(), "nor does it go on for ever");
    }
}
