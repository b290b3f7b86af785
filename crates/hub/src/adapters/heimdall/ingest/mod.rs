//! `POST /ingest`: events of an agent, all of them or none.
//!
//! What was sent before is known by its `event_id` and is skipped and counted, also where two
//! requests bring it at the same time, and over a restart. Events without an id are new each time, as
//! they are for Heimdall, which makes an id for each that comes.

mod body;
mod checks;
mod known;

use std::borrow::Cow;

use axum::Json;
use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use bergfried_event::{Origin, Record, SourceKind};
use serde_json::{Value, json};

use self::body::{Document, MAX_EVENTS, Wrong};
pub(crate) use self::known::Known;
use super::{PATH, key};
use crate::adapters::detail::Detail;
use crate::error::{ApiError, blocking};
use crate::intake::{Intake, Key, Piece};
use crate::router::State;
use crate::running::now;

/// What an event takes up in memory besides its document, about.
const EVENT: usize = 512;

pub(super) async fn ingest(
    Shared(state): Shared<State>,
    request: Request,
) -> Result<Json<Value>, Detail> {
    let mut intake = key::sent(&state, request).await?;
    let events = intake.body.iter().filter(|byte| **byte == b'{').count().min(MAX_EVENTS);
    let copied = intake.body.len();
    intake.weigh(&state, copied + events * EVENT).await?;
    let (intake, read) = blocking(move || {
        let read = body::read(&intake.body).map(prepare);
        Ok((intake, read))
    })
    .await?;
    let prepared = read.map_err(refusal)?;
    // Goes on where the client hangs up: what is stored must be known.
    let storing = tokio::spawn(store(state, intake, prepared));
    storing.await.map_err(|error| ApiError::internal(&error))?
}

/// A record, and the key of its id where it has one.
type Prepared = (Record<'static>, Option<Key>);

fn prepare(documents: Vec<Document<'_>>) -> Vec<Prepared> {
    let received = now();
    let record = |Document { id, raw }: Document<'_>| {
        let key = id.map(|id| known::key_of(&id));
        (Record { raw: Cow::Owned(raw.into_owned()), received, truncated: false }, key)
    };
    documents.into_iter().map(record).collect()
}

async fn store(
    state: State,
    intake: Intake,
    prepared: Vec<Prepared>,
) -> Result<Json<Value>, Detail> {
    let keys: Vec<_> = prepared.iter().map(|(_, key)| *key).collect();
    let ids = state.heimdall.known.ready().await?;
    let (claim, new) = ids.claim(&keys).await;
    let total = prepared.len();
    let (records, keys): (Vec<_>, Vec<_>) = prepared
        .into_iter()
        .zip(new)
        .filter(|(_, new)| *new)
        .map(|((record, key), _)| ((0, record), key))
        .unzip();
    let (events, skipped) = (records.len(), total - records.len());
    if events > 0 {
        let origin = Origin::new(SourceKind::Heimdall, PATH, intake.peer_host());
        let origins = vec![intake.origin("heimdall", origin)];
        let outcome = intake.store(&state, Piece { origins, records, once: false }).await?;
        claim.stored(keys.into_iter().take(outcome.stored).flatten());
        if let Some(error) = outcome.refused {
            return Err(partly(outcome.stored, error).into());
        }
    }
    let mut message = format!("Processed {events} events");
    if skipped > 0 {
        message.push_str(&format!(", {skipped} duplicates skipped"));
    }
    Ok(Json(json!({"success": true, "message": message, "events_processed": events})))
}

fn refusal(wrong: Wrong) -> Detail {
    match wrong {
        Wrong::Mistakes(mistakes) => Detail::unprocessable(mistakes),
        Wrong::TooMany => ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a body has at most {MAX_EVENTS} events, send less at once"),
        )
        .into(),
    }
}

/// What is told where the store refused the rest of a body of many MiB.
fn partly(stored: usize, error: ApiError) -> ApiError {
    if stored == 0 {
        return error;
    }
    let message = format!(
        "the first {stored} events are stored, the others are not ({}): send all of them again, \
         those with an event_id are not stored twice",
        error.message()
    );
    match error.retry_after() {
        Some(seconds) => ApiError::later(error.status(), message, seconds),
        None => ApiError::new(error.status(), message),
    }
}
