//! `GET /events`: every event that has Heimdall's words, whoever sent it, newest first.

mod document;
mod wanted;

use axum::Json;
use axum::extract::{FromRequestParts as _, State as Shared};
use axum::http::request::Parts;
use bergfried_event::Timestamp;
use bergfried_query::Predicate;
use bergfried_store::{Reader, Search, StoreError, StoredEvent};
use serde::Serialize;

use self::document::{Document, document};
use self::wanted::Wanted;
pub(crate) use self::wanted::names_own;
use super::key::Keyholder;
use crate::adapters::detail::Detail;
use crate::api::turn::turn;
use crate::router::State;

/// The most events that the store gives at once.
const STORE_PAGE: usize = 10_000;
/// How finely events are counted to find the place of an offset.
const BUCKET: i64 = 60 * Timestamp::SECOND;

#[derive(Serialize)]
pub(crate) struct Listed {
    success: bool,
    total_count: u64,
    offset: u64,
    limit: usize,
    count: usize,
    events: Vec<Document>,
}

pub(crate) async fn events(
    Shared(state): Shared<State>,
    parts: &mut Parts,
) -> Result<Json<Listed>, Detail> {
    Keyholder::from_request_parts(parts, &state).await?;
    let wanted = Wanted::read(parts.uri.query().unwrap_or_default())?;
    let turn = turn(&state).await?;
    let listed = turn.run(move |reader, _| {
        let predicate = state.heimdall.forgotten.without(wanted.predicate());
        let (total_count, found) = page(reader, &wanted, &predicate)?;
        let events: Vec<_> = found.iter().map(document).collect();
        let Wanted { offset, limit, .. } = wanted;
        Ok(Listed { success: true, total_count, offset, limit, count: events.len(), events })
    });
    Ok(Json(listed.await?))
}

/// How many events match, and those of the page.
fn page(
    reader: &Reader,
    wanted: &Wanted,
    predicate: &Predicate,
) -> Result<(u64, Vec<StoredEvent>), StoreError> {
    let (from, mut to) = (wanted.from, wanted.to);
    if wanted.offset == 0 {
        let total = reader.count(predicate, from, to)?;
        return Ok((total, first(reader, predicate, (from, to), 0, wanted.limit)?));
    }
    let counts = reader.histogram(predicate, from, to, BUCKET)?;
    let total = counts.iter().map(|(_, count)| count).sum();
    if wanted.offset >= total {
        return Ok((total, Vec::new()));
    }
    // Whole buckets are passed over unread.
    let mut skip = wanted.offset;
    for (start, count) in counts.into_iter().rev() {
        if skip < count {
            break;
        }
        skip -= count;
        to = start;
    }
    Ok((total, first(reader, predicate, (from, to), skip, wanted.limit)?))
}

/// The newest events after the first `skip` ones.
fn first(
    reader: &Reader,
    predicate: &Predicate,
    (from, to): (Timestamp, Timestamp),
    mut skip: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut found = Vec::new();
    let mut before = None;
    while found.len() < limit {
        let skipped = usize::try_from(skip).unwrap_or(usize::MAX);
        let search = Search {
            predicate: predicate.clone(),
            from,
            to,
            limit: skipped.saturating_add(limit - found.len()).min(STORE_PAGE),
            before,
        };
        let page = reader.search(&search)?;
        before = page.events.last().map(|last| (last.event.created(), last.id));
        skip = skip.saturating_sub(page.events.len() as u64);
        found.extend(page.events.into_iter().skip(skipped));
        if !page.more {
            break;
        }
    }
    Ok(found)
}
