//! `GET /api/v1/tail`: events as they are committed.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bergfried_event::{Field, Value};
use bergfried_query::search::parse;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use utoipa::IntoParams;

use crate::auth::Admin;
use crate::error::{ApiError, ErrorBody};
use crate::request::Params;
use crate::router::State;
use crate::running::now;

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
/// One JSON object a line, until either side ends it. A reader that cannot keep up loses events and
/// gets a line `{"lagged": N}` that says how many.
#[utoipa::path(get, path = "/api/v1/tail", tag = "events", params(Follow),
    responses((status = 200, description = "Events as they are stored", body = String,
            content_type = "application/x-ndjson"),
        (status = 400, description = "A search that cannot be read", body = ErrorBody)))]
pub(crate) async fn tail(
    _admin: Admin,
    Shared(state): Shared<State>,
    Params(follow): Params<Follow>,
) -> Result<Response, ApiError> {
    let predicate = parse(&follow.q, now()).map_err(|error| {
        ApiError::invalid(format!("cannot read the search: {}", error.render(&follow.q)))
    })?;
    let mut events = state.pipeline.watch();
    let mut stopping = state.stopping.clone();
    let (lines, body) = tokio::sync::mpsc::channel::<Bytes>(64);
    tokio::spawn(async move {
        loop {
            let received = tokio::select! {
                received = events.recv() => received,
                _ = stopping.wait_for(|stopping| *stopping) => return,
                () = lines.closed() => return,
            };
            let line = match received {
                Ok(live) if !predicate.matches(&live.event) => continue,
                Ok(live) => {
                    let mut event = live.event.as_ref().clone();
                    let id = i64::try_from(live.id).unwrap_or(i64::MAX);
                    event.set(Field::EventId, Value::Int(id));
                    serde_json::to_vec(&event)
                }
                Err(RecvError::Lagged(lost)) => {
                    serde_json::to_vec(&serde_json::json!({"lagged": lost}))
                }
                Err(RecvError::Closed) => return,
            };
            let Ok(mut line) = line else { continue };
            line.push(b'\n');
            if lines.send(line.into()).await.is_err() {
                return;
            }
        }
    });
    let stream = Lines(body);
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(stream))
        .into_response())
}

/// The receiving end of a channel, as a stream of body chunks.
struct Lines(tokio::sync::mpsc::Receiver<Bytes>);

impl futures_core::Stream for Lines {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|line| line.map(Ok))
    }
}
