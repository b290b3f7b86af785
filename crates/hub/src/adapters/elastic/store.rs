//! `_bulk` and single documents: each becomes a record of JSON, exactly as it was sent.
//!
//! A whole body is answered after it is durable. An item that cannot be stored says why in its place,
//! and the others are stored all the same.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bergfried_event::{Origin, Record, SourceKind};
use serde_json::{Value, json};

use super::answer::{Wish, told};
use super::bulk::{self, Item, Operation, Wrong};
use crate::error::{ApiError, blocking};
use crate::intake::{Ids, Intake, Key, Piece, key};
use crate::router::State;
use crate::running::now;

/// The most indices of one body that are kept as such; documents of further ones lose the name.
const MAX_INDICES: usize = 1_000;
/// What an item takes up in memory besides its document, about.
const ITEM: usize = 1_536;
/// Types of data streams: such an index is named `type-dataset-namespace`.
const STREAMS: [&str; 4] = ["logs", "metrics", "traces", "synthetics"];

/// `POST /_bulk`, `POST /{index}/_bulk`, `POST /{index}/_doc/_bulk`
pub(super) async fn many(
    index: Option<Path<String>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Shared(state): Shared<State>,
    intake: Result<Intake, ApiError>,
) -> Response {
    several(index.map(|Path(index)| index), query.as_deref(), &headers, &state, intake).await
}

/// `POST /{index}/{type}/_bulk`
pub(super) async fn many_of_type(
    Path((index, _type)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Shared(state): Shared<State>,
    intake: Result<Intake, ApiError>,
) -> Response {
    several(Some(index), query.as_deref(), &headers, &state, intake).await
}

async fn several(
    index: Option<String>,
    query: Option<&str>,
    headers: &HeaderMap,
    state: &State,
    intake: Result<Intake, ApiError>,
) -> Response {
    let wish = Wish::of(headers, query);
    let begun = Instant::now();
    let read = move |intake: &Intake, ids: &Ids| {
        let items = bulk::read(&intake.body, index.as_deref());
        let items = items.map_err(|error| ApiError::invalid(error.to_string()))?;
        Ok(Prepared::new(items, intake, ids))
    };
    match store(state, intake, read).await {
        Ok(items) => {
            let errors = items.iter().any(|item| item.body.get("error").is_some());
            let items: Vec<Value> =
                items.into_iter().map(|item| json!({item.operation.name(): item.body})).collect();
            let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            wish.answer(StatusCode::OK, json!({"took": took, "errors": errors, "items": items}))
        }
        Err(error) => wish.error(&error),
    }
}

/// `POST /{index}/_doc`
pub(super) async fn one(
    Path(index): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Shared(state): Shared<State>,
    intake: Result<Intake, ApiError>,
) -> Response {
    single(Operation::Index, index, None, query.as_deref(), &headers, &state, intake).await
}

/// `PUT /{index}/_doc/{id}`
pub(super) async fn put(
    Path((index, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Shared(state): Shared<State>,
    intake: Result<Intake, ApiError>,
) -> Response {
    single(Operation::Index, index, Some(id), query.as_deref(), &headers, &state, intake).await
}

/// `PUT /{index}/_create/{id}`
pub(super) async fn create(
    Path((index, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Shared(state): Shared<State>,
    intake: Result<Intake, ApiError>,
) -> Response {
    single(Operation::Create, index, Some(id), query.as_deref(), &headers, &state, intake).await
}

async fn single(
    operation: Operation,
    index: String,
    id: Option<String>,
    query: Option<&str>,
    headers: &HeaderMap,
    state: &State,
    intake: Result<Intake, ApiError>,
) -> Response {
    let wish = Wish::of(headers, query);
    let read = move |intake: &Intake, ids: &Ids| {
        let item = bulk::item(operation, Some(index), id, Some(intake.body.trim_ascii()));
        Ok(Prepared::new(vec![item], intake, ids))
    };
    match store(state, intake, read).await {
        Ok(items) => match items.into_iter().next() {
            Some(Told { status, body, .. }) => wish.answer(status, body),
            None => wish.error(&ApiError::not_stored()),
        },
        Err(error) => wish.error(&error),
    }
}

/// The items of a body, and the records of those that can be stored.
struct Prepared {
    items: Vec<Ready>,
    origins: Vec<Origin>,
    records: Vec<(u16, Record<'static>)>,
    /// What makes up ids for documents that bring none.
    made_up: String,
}

struct Ready {
    operation: Operation,
    index: String,
    id: Option<String>,
    /// Remembered once the document is stored.
    key: Option<Key>,
    /// The position of its record, or why there is none.
    record: Result<usize, Refusal>,
}

#[derive(Clone, Copy)]
enum Refusal {
    Wrong(Wrong),
    /// A document of this id was created before.
    Exists,
}

/// What the client is told of one item.
struct Told {
    operation: Operation,
    status: StatusCode,
    body: Value,
}

impl Prepared {
    fn new(items: Vec<Item<'_>>, intake: &Intake, ids: &Ids) -> Prepared {
        let received = now();
        let mut prepared = Prepared {
            items: Vec::with_capacity(items.len()),
            origins: Vec::new(),
            records: Vec::new(),
            made_up: blake3::hash(&intake.body).to_hex().chars().take(12).collect(),
        };
        let mut known: HashMap<String, u16> = HashMap::new();
        let mut created = HashSet::new();
        for Item { operation, index, id, document } in items {
            let index = index.unwrap_or_default();
            let key = match (&id, operation) {
                (Some(id), Operation::Create) => Some(key_of(intake.token.id, &index, id)),
                _ => None,
            };
            let record = match document {
                Err(wrong) => Err(Refusal::Wrong(wrong)),
                Ok(_) if key.is_some_and(|key| ids.knows(&key) || !created.insert(key)) => {
                    Err(Refusal::Exists)
                }
                Ok(document) => {
                    let origin = prepared.origin(&index, &mut known, intake);
                    let raw = Cow::Owned(document.to_vec());
                    prepared.records.push((origin, Record { raw, received, truncated: false }));
                    Ok(prepared.records.len() - 1)
                }
            };
            prepared.items.push(Ready { operation, index, id, key, record });
        }
        prepared
    }

    /// The position of the origin of documents of this index.
    fn origin(&mut self, index: &str, known: &mut HashMap<String, u16>, intake: &Intake) -> u16 {
        let name = if known.len() < MAX_INDICES || known.contains_key(index) { index } else { "" };
        if let Some(position) = known.get(name) {
            return *position;
        }
        let position = u16::try_from(self.origins.len()).unwrap_or_default();
        let origin = Origin::new(SourceKind::Json, "", intake.peer_host());
        let fields = fields_of(name);
        self.origins.push(intake.origin("elasticsearch", Origin { fields, ..origin }));
        known.insert(name.to_owned(), position);
        position
    }

    /// What is told of each item where the first `stored` records are durable, and the others were
    /// refused so.
    fn told(self, stored: usize, refused: Option<&ApiError>) -> Vec<Told> {
        let made_up = self.made_up;
        let tell = |(number, item): (usize, Ready)| {
            let id = item.id.unwrap_or_else(|| format!("{made_up}{number:08x}"));
            let (status, outcome) = match item.record {
                Ok(position) if position < stored => (
                    StatusCode::CREATED,
                    json!({
                        "_version": 1, "result": "created", "_seq_no": number, "_primary_term": 1,
                        "_shards": {"total": 1, "successful": 1, "failed": 0},
                    }),
                ),
                Ok(_) => {
                    let unknown = ApiError::not_stored();
                    let error = refused.unwrap_or(&unknown);
                    let (status, kind) = told(error);
                    (status, json!({"error": {"type": kind, "reason": error.message()}}))
                }
                Err(refusal) => {
                    let (status, kind, reason) = said(refusal);
                    (status, json!({"error": {"type": kind, "reason": reason}}))
                }
            };
            let mut body = json!({"_index": item.index, "_id": id, "status": status.as_u16()});
            if let (Some(body), Value::Object(outcome)) = (body.as_object_mut(), outcome) {
                body.extend(outcome);
            }
            Told { operation: item.operation, status, body }
        };
        self.items.into_iter().enumerate().map(tell).collect()
    }
}

/// Reads a body off the threads that serve, and stores what it holds.
async fn store(
    state: &State,
    intake: Result<Intake, ApiError>,
    read: impl FnOnce(&Intake, &Ids) -> Result<Prepared, ApiError> + Send + 'static,
) -> Result<Vec<Told>, ApiError> {
    let mut intake = intake?;
    // An item and its answer take so much besides the document, and two lines of the body.
    intake.weigh(state, lines(&intake.body) / 2 * ITEM).await?;
    let ids = Arc::clone(&state.document_ids);
    let (intake, mut prepared) = blocking(move || {
        let prepared = read(&intake, &ids)?;
        Ok((intake, prepared))
    })
    .await?;
    let records = std::mem::take(&mut prepared.records);
    if records.is_empty() {
        return Ok(prepared.told(0, None));
    }
    let origins = std::mem::take(&mut prepared.origins);
    let outcome = intake.store(state, Piece { origins, records, once: true }).await?;
    if outcome.stored == 0
        && let Some(error) = outcome.refused
    {
        return Err(error);
    }
    let stored = |item: &&Ready| item.record.is_ok_and(|position| position < outcome.stored);
    state.document_ids.stored(prepared.items.iter().filter(stored).filter_map(|item| item.key));
    Ok(prepared.told(outcome.stored, outcome.refused.as_ref()))
}

/// An id is a document's own within its index, and the tokens of different senders do not meet.
fn key_of(token: u64, index: &str, id: &str) -> Key {
    key(&[&token.to_le_bytes(), index.as_bytes(), id.as_bytes()])
}

fn lines(body: &[u8]) -> usize {
    body.iter().filter(|byte| **byte == b'\n').count()
}

/// The index in fields: as a label, and its parts where it is a data stream.
fn fields_of(index: &str) -> Vec<(String, String)> {
    if index.is_empty() {
        return Vec::new();
    }
    let mut fields = vec![("labels.index".to_owned(), index.to_owned())];
    let mut parts = index.splitn(3, '-');
    if let (Some(kind), Some(dataset), Some(namespace)) = (parts.next(), parts.next(), parts.next())
        && STREAMS.contains(&kind)
    {
        for (name, value) in [
            ("data_stream.type", kind),
            ("data_stream.dataset", dataset),
            ("data_stream.namespace", namespace),
            ("event.dataset", dataset),
        ] {
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    fields
}

fn said(refusal: Refusal) -> (StatusCode, &'static str, &'static str) {
    let bad = StatusCode::BAD_REQUEST;
    match refusal {
        Refusal::Exists => (
            StatusCode::CONFLICT,
            "version_conflict_engine_exception",
            "version conflict, document already exists",
        ),
        Refusal::Wrong(Wrong::NoObject) => {
            (bad, "document_parsing_exception", "failed to parse: the document is no JSON object")
        }
        Refusal::Wrong(Wrong::TooLong) => {
            (bad, "document_parsing_exception", "the document is longer than 1 MiB")
        }
        Refusal::Wrong(Wrong::OnlyAdding) => (
            bad,
            "illegal_argument_exception",
            "only create and index are taken: what is logged is neither changed nor removed",
        ),
        Refusal::Wrong(Wrong::NoIndex) => {
            (bad, "action_request_validation_exception", "Validation Failed: 1: index is missing;")
        }
        Refusal::Wrong(Wrong::BadName) => {
            (bad, "illegal_argument_exception", "an index has 1 to 255 bytes, an id 1 to 512")
        }
    }
}
