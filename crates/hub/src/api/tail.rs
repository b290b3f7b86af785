//! `GET /api/v1/tail`: events as they are committed.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bergfried_event::{Field, Value};
use bergfried_query::search::parse;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, interval_at};
use utoipa::IntoParams;

use crate::auth::{Viewer, ended};
use crate::error::{ApiError, ErrorBody};
use crate::lines::Lines;
use crate::request::Params;
use crate::router::State;
use crate::running::now;

/// How often something is said at least, so that nobody in between takes the connection for dead.
const ALIVE: Duration = Duration::from_secs(15);

/// What to follow.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Follow {
    /// A search in the search language; empty follows everything
    q: String,
}

/// Follow events live
///
/// One JSON object a line, until either side ends it; an empty line where nothing came for 15 seconds. A reader that cannot keep up loses events and
/// gets a line `{"lagged": N}` that says how many.
#[utoipa::path(get, path = "/api/v1/tail", tag = "events", params(Follow),
    responses((status = 200, description = "Events as they are stored", body = String,
            content_type = "application/x-ndjson"),
        (status = 400, description = "A search that cannot be read", body = ErrorBody)))]
pub(crate) async fn tail(
    Viewer(person): Viewer,
    Shared(state): Shared<State>,
    Params(follow): Params<Follow>,
) -> Result<Response, ApiError> {
    let predicate =
        parse(&follow.q, now()).map_err(|error| ApiError::unreadable(&follow.q, &error))?;
    let mut events = state.pipeline.watch();
    let mut stopping = state.stopping.clone();
    let signed_out = ended(state.clone(), person);
    let (lines, body) = tokio::sync::mpsc::channel::<Bytes>(64);
    tokio::spawn(async move {
        let mut signed_out = std::pin::pin!(signed_out);
        let mut alive = interval_at(Instant::now() + ALIVE, ALIVE);
        loop {
            let received = tokio::select! {
                received = events.recv() => Some(received),
                _ = alive.tick() => None,
                _ = stopping.wait_for(|stopping| *stopping) => return,
                () = &mut signed_out => return,
                () = lines.closed() => return,
            };
            let line = match received {
                None => Ok(Vec::new()),
                Some(Ok(live)) if !predicate.matches(&live.event) => continue,
                Some(Ok(live)) => {
                    let mut event = live.event.as_ref().clone();
                    let id = i64::try_from(live.id).unwrap_or(i64::MAX);
                    event.set(Field::EventId, Value::Int(id));
                    serde_json::to_vec(&event)
                }
                Some(Err(RecvError::Lagged(lost))) => {
                    serde_json::to_vec(&serde_json::json!({"lagged": lost}))
                }
                Some(Err(RecvError::Closed)) => return,
            };
            let Ok(mut line) = line else { continue };
            line.push(b'\n');
            if lines.send(line.into()).await.is_err() {
                return;
            }
            alive.reset();
        }
    });
    let stream = Lines::new(body);
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(stream))
        .into_response())
}
