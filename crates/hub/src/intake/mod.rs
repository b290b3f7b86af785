//! What every way in over HTTP shares: who sends, how much, decompressed, and stored before it is
//! answered.
//!
//! A handler takes [`Intake`]: by then the token is checked and within its limits, and the body is
//! there, decompressed, below every cap. Nothing of a stranger's body is kept. Adapters turn the
//! body into records and hand them to [`Intake::store`], which answers when they are durable.

mod drain;
mod encoding;
mod ids;
mod meter;
mod repeats;
mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts as _, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use bergfried_control::{TokenInfo, TokenLimits};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::Agent;
use crate::error::{ApiError, blocking};
use crate::router::State;
use drain::drain;
use encoding::Encoding;
pub(crate) use ids::{Ids, Key, key};
pub(crate) use meter::{Bucket, Meter, Sent, wait};
use repeats::Repeats;
pub(crate) use store::Piece;

/// The largest body, as sent and decompressed, in bytes.
pub(crate) const MAX_BODY: usize = 32 << 20;
/// The most bytes of bodies that are in memory together.
const MEMORY: usize = 256 << 20;
/// Memory is counted in units of so many bytes.
const UNIT: usize = 1 << 10;
/// The most bytes that are read of the body of a stranger, and forgotten.
const STRANGERS: usize = 1 << 20;
/// How long a request waits for memory before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// What intake shares between requests.
pub(crate) struct Door {
    memory: Arc<Semaphore>,
    pub(crate) meter: Meter,
    repeats: Repeats,
}

impl Door {
    /// With limits for the tokens that have none of their own.
    pub(crate) fn new(defaults: TokenLimits) -> Self {
        Door {
            memory: Arc::new(Semaphore::new(MEMORY / UNIT)),
            meter: Meter::new(defaults),
            repeats: Repeats::default(),
        }
    }

    async fn memory(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let waiting = Arc::clone(&self.memory).acquire_many_owned(units);
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(ApiError::later(
                StatusCode::SERVICE_UNAVAILABLE,
                "the hub is busy with other bodies, try again",
                1,
            )),
        }
    }
}

/// A body that came in, and from whom.
pub(crate) struct Intake {
    /// The sender's token.
    pub(crate) token: TokenInfo,
    /// Where the connection came from.
    pub(crate) peer: SocketAddr,
    /// The request's headers.
    pub(crate) headers: HeaderMap,
    /// The request's path and query.
    pub(crate) target: String,
    /// The body, decompressed.
    pub(crate) body: Vec<u8>,
    /// Held for as long as the body is.
    memory: OwnedSemaphorePermit,
}

impl FromRequest<State> for Intake {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &State) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let agent = Agent::from_request_parts(&mut parts, state).await;
        let request = Request::from_parts(parts, body);
        match agent {
            Ok(Agent(token)) => Intake::of(token, request, state).await,
            Err(refused) => {
                let stranger = refused.status() == StatusCode::UNAUTHORIZED;
                forget(request, if stranger { STRANGERS } else { 2 * MAX_BODY }).await;
                Err(refused)
            }
        }
    }
}

/// Reads the body of a request that was refused, so that its sender sees the answer.
async fn forget(request: Request, most: usize) {
    let (parts, body) = request.into_parts();
    drain(&parts.headers, body, most).await;
}

/// A request of which the headers are in order.
struct Admitted {
    token: TokenInfo,
    peer: SocketAddr,
    encoding: Encoding,
    /// The most bytes that its body may have.
    most: usize,
    memory: OwnedSemaphorePermit,
}

impl Admitted {
    async fn check(token: TokenInfo, parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        state.door.meter.admit(&token, Instant::now()).map_err(limited)?;
        let ConnectInfo(peer) = ConnectInfo::<SocketAddr>::from_request_parts(parts, state)
            .await
            .map_err(|error| ApiError::internal(&error))?;
        let encoding = Encoding::of(&parts.headers)?;
        let most = most(&state.door.meter.limits(&token));
        let announced = announced(&parts.headers);
        if announced.is_some_and(|bytes| bytes > most) {
            return Err(too_large(most));
        }
        let needed = match (encoding, announced) {
            (Encoding::Identity, Some(bytes)) => bytes,
            _ => MAX_BODY,
        };
        let memory = state.door.memory(needed).await?;
        Ok(Admitted { token, peer, encoding, most, memory })
    }

    async fn read(self, request: Request, state: &State) -> Result<Intake, ApiError> {
        let Admitted { token, peer, encoding, most, mut memory } = self;
        let (headers, target) = (request.headers().clone(), request.uri().to_string());
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(MAX_BODY),
            status => ApiError::new(status, rejection.body_text()),
        })?;
        let body = match encoding {
            Encoding::Identity => Vec::from(body),
            encoding => blocking(move || encoding.decode(&body, MAX_BODY)).await?,
        };
        if body.len() > most {
            return Err(too_large(most));
        }
        let spare = memory.num_permits().saturating_sub(body.len().div_ceil(UNIT));
        drop(memory.split(spare));
        Ok(Intake { token, peer, headers, target, body, memory })
    }
}

impl Intake {
    /// The body of a request of the bearer of this token, who may send.
    ///
    /// # Errors
    /// Where the token's limits or the hub's refuse it, or it cannot be read.
    pub(crate) async fn of(
        token: TokenInfo,
        request: Request,
        state: &State,
    ) -> Result<Intake, ApiError> {
        let (mut parts, body) = request.into_parts();
        let admitted = Admitted::check(token, &mut parts, state).await;
        let request = Request::from_parts(parts, body);
        match admitted {
            Ok(admitted) => admitted.read(request, state).await,
            Err(refused) => {
                forget(request, 2 * MAX_BODY).await;
                Err(refused)
            }
        }
    }

    /// Reads the body of a stranger's request, so that he sees the answer, and keeps nothing of it.
    pub(crate) async fn forget(request: Request) {
        forget(request, STRANGERS).await;
    }

    /// Takes memory for what the body is about to become, besides the body: a small one may hold a
    /// great many small things. Held as long as the body is.
    ///
    /// # Errors
    /// 503 where others hold it for too long.
    pub(crate) async fn weigh(&mut self, state: &State, bytes: usize) -> Result<(), ApiError> {
        let most = MEMORY - self.memory.num_permits() * UNIT;
        let more = state.door.memory(bytes.min(most)).await?;
        self.memory.merge(more);
        Ok(())
    }

    /// A header's text.
    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The largest body that the bearer of a token with these limits may send.
fn most(limits: &TokenLimits) -> usize {
    let own = limits.max_body.map(|most| usize::try_from(most.get()).unwrap_or(usize::MAX));
    own.unwrap_or(MAX_BODY).min(MAX_BODY)
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(most: usize) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("a body has at most {most} bytes, send less at once"),
    )
}

/// 429: the sender's token allows no more now.
pub(crate) fn limited(wait: Duration) -> ApiError {
    let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
    ApiError::later(
        StatusCode::TOO_MANY_REQUESTS,
        format!("the token's limit is reached, try again in {seconds} s"),
        seconds,
    )
}
