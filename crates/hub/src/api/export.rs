//! `GET /api/v1/search/export`: what a search finds, as a file.
//!
//! Events go out as they are read, so that a large export takes little memory; a client that goes away
//! ends it. An export that fails on its way ends without its last chunk, so that nobody takes it for
//! whole.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bergfried_event::Timestamp;
use bergfried_query::Predicate;
use bergfried_query::pipeline::Pipeline;
use bergfried_store::{Limits, Reader, StoreError};
use serde::Deserialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use utoipa::IntoParams;

use super::search::times;
use super::turn::turn;
use crate::auth::Viewer;
use crate::error::{ApiError, ErrorBody};
use crate::query::answer;
use crate::query::write::{Format, Shown, write, write_events};
use crate::request::Params;
use crate::router::State;

/// How many exports are written at once.
pub(crate) const EXPORTS: usize = 2;
/// The most events of one export.
const MAX_EVENTS: u64 = 1_000_000;
/// How long writing one may take.
const TIME: Duration = Duration::from_secs(600);
/// Bytes that are sent at once, and how many such pieces wait for a slow client.
const PIECE: usize = 64 << 10;
const WAITING: usize = 8;
const COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// What to export.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exported {
    /// A search in the search language, with its steps if it has any
    #[serde(default)]
    q: String,
    /// From this time on (RFC 3339 or a date)
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Before this time (RFC 3339 or a date); now, and a day more for clocks ahead, where absent
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// The last span such as 15m, 24h or 7d, where `from` is absent (24h)
    last: Option<String>,
    /// `csv`, `json`, `ndjson` or `parquet`
    #[param(inline)]
    format: Format,
}

/// Export what a search finds
///
/// Events come earliest first, at most 1,000,000 of them; `| fields …` says which fields. With steps
/// that count, sort or cut it is their table. Cells of comma-separated values that a spreadsheet
/// would run as a formula begin with `'`.
#[utoipa::path(get, path = "/api/v1/search/export", tag = "events", params(Exported),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 400, description = "A search or parameter that cannot be read, or too many events", body = ErrorBody),
        (status = 503, description = "Others are exporting", body = ErrorBody)))]
pub(crate) async fn export(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(exported): Params<Exported>,
) -> Result<Response, ApiError> {
    let Exported { q, from, to, last, format } = exported;
    let pipeline = super::query::read(&q)?;
    let (from, to) = times(from, to, last.as_deref())?;
    let Some(shown) = Shown::of(&pipeline.steps) else {
        return table(&state, pipeline, (from, to), format).await;
    };
    let predicate = pipeline.predicate;
    let turn = turn(&state).await?;
    let (predicate, count) = turn
        .run(move |reader, _limits| {
            let count = reader.count(&predicate, from, to)?;
            Ok((predicate, count))
        })
        .await?;
    if count > MAX_EVENTS {
        return Err(ApiError::invalid(format!(
            "the search finds {count} events, an export has at most {MAX_EVENTS}: narrow the search \
             or the time"
        )));
    }
    let permit = Arc::clone(&state.exports).try_acquire_owned().map_err(|_| {
        let message = "others are exporting, try again";
        ApiError::later(StatusCode::SERVICE_UNAVAILABLE, message, 10)
    })?;
    let (pieces, body) = channel(WAITING);
    let limits = Limits::default();
    let stop = limits.stop.clone();
    let reader = state.reader.within(&limits);
    tokio::spawn(async move {
        let mut work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let asked = Asked { predicate, times: (from, to), shown, format };
            let failed = asked.write(&reader, &pieces).err();
            if let Some(error) = failed {
                tracing::warn!(%error, "an export ended early");
                let error = io::Error::other("the export ended early");
                // Where nobody listens any more, nobody needs to be told.
                drop(pieces.blocking_send(Err(error)));
            }
        });
        if tokio::time::timeout(TIME, &mut work).await.is_err() {
            stop.set();
        }
    });
    Ok((headers(format, count), Body::from_stream(Pieces(body))).into_response())
}

/// The table that steps make, as a file.
async fn table(
    state: &State,
    pipeline: Pipeline,
    times: (Timestamp, Timestamp),
    format: Format,
) -> Result<Response, ApiError> {
    let turn = turn(state).await?;
    turn.run(move |reader, limits| {
        let answer = answer(reader, &pipeline, times, limits)?;
        if answer.more {
            return Err(ApiError::invalid(format!(
                "the table has more than {} rows: narrow the search or the time, or say with `head` \
                 how many you want",
                answer.rows.len()
            )));
        }
        let mut file = Vec::new();
        write(&answer, format, &mut file)?;
        Ok((headers(format, answer.rows.len() as u64), file).into_response())
    })
    .await
}

fn headers(format: Format, count: u64) -> [(HeaderName, HeaderValue); 3] {
    let name = match format {
        Format::Csv => "attachment; filename=\"bergfried.csv\"",
        Format::Json => "attachment; filename=\"bergfried.json\"",
        Format::Ndjson => "attachment; filename=\"bergfried.ndjson\"",
        Format::Parquet => "attachment; filename=\"bergfried.parquet\"",
    };
    [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.content_type())),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(name)),
        (COUNT, HeaderValue::from(count)),
    ]
}

/// Events to write.
struct Asked {
    predicate: Predicate,
    times: (Timestamp, Timestamp),
    shown: Shown,
    format: Format,
}

impl Asked {
    fn write(self, reader: &Reader, pieces: &Sender<io::Result<Bytes>>) -> Result<(), StoreError> {
        let out = BufWriter::with_capacity(PIECE, Pipe(pieces.clone()));
        write_events(reader, &self.predicate, self.times, (self.shown, self.format), out)
    }
}

/// The end of a channel that is written to; waits where the client is slow.
struct Pipe(Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_closed| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The other end, as the chunks of a body.
struct Pieces(Receiver<io::Result<Bytes>>);

impl futures_core::Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
