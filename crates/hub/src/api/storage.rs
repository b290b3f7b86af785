//! What is stored, how long it is kept, and whether it is whole.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{Admin, Person, Viewer};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::MaybeBody;
use crate::router::State;
use crate::running::now;
use crate::storage::Task;
use crate::storage::answer::{
    ChainBody, DueBody, ProblemBody, RetentionBody, ShareBody, StorageBody,
};

/// The longest value of a chain that anybody has.
const MAX_HEAD: usize = 128;

/// What is stored, by day and class, and how long it is kept
#[utoipa::path(get, path = "/api/v1/storage", tag = "hub",
    responses((status = 200, description = "Sizes, retention and the chain", body = StorageBody)))]
pub(crate) async fn show(
    _viewer: Viewer,
    Shared(state): Shared<State>,
) -> Result<Json<StorageBody>, ApiError> {
    blocking(move || {
        let stats = state.reader.stats();
        let storage = &state.storage;
        let told = storage.told();
        let plan = storage.plan();
        let (changes, head) = storage.keeper().chain();
        Ok(Json(StorageBody {
            events: stats.events,
            events_in_memory: stats.events_in_memory,
            segments: stats.segments,
            bytes: stats.bytes_on_disk,
            wal_bytes: stats.wal_bytes,
            oldest: stats.oldest,
            newest: stats.newest,
            days: storage.keeper().shares().into_iter().map(ShareBody::of).collect(),
            retention: RetentionBody::of(plan),
            next: storage.keeper().due(&plan.at(now())).map(DueBody::of),
            chain: ChainBody { changes, head },
            verified: told.verified,
            joined: told.joined.map(|(_, joined)| joined),
            joined_at: told.joined.map(|(at, _)| at),
            removed: told.removed,
            running: storage.running().map(str::to_owned),
            problem: told.problem.map(|(at, message)| ProblemBody { at, message }),
        }))
    })
    .await
}

/// What runs now.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunningBody {
    /// `verify` or `compact`
    running: &'static str,
}

/// What to verify.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyBody {
    /// A value that the chain had once, as it was written down elsewhere
    #[serde(default)]
    known: String,
}

/// Prove that what is stored is what was written, less what retention and archives took; the result is
/// in `GET /api/v1/storage`
#[utoipa::path(post, path = "/api/v1/storage/verify", tag = "hub", request_body = Option<VerifyBody>,
    responses((status = 202, description = "It runs", body = RunningBody),
        (status = 409, description = "Something that was asked for runs already", body = ErrorBody)))]
pub(crate) async fn verify(
    Admin(person): Admin,
    Shared(state): Shared<State>,
    MaybeBody(body): MaybeBody<VerifyBody>,
) -> Result<(StatusCode, Json<RunningBody>), ApiError> {
    if body.known.len() > MAX_HEAD || !body.known.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ApiError::invalid("`known` is no value of a chain: 64 hexadecimal digits"));
    }
    begin(&state, Task::Verify(body.known.to_ascii_lowercase()), person)
}

/// Join small segments now; the result is in `GET /api/v1/storage`
#[utoipa::path(post, path = "/api/v1/storage/compact", tag = "hub",
    responses((status = 202, description = "It runs", body = RunningBody),
        (status = 409, description = "Something that was asked for runs already", body = ErrorBody)))]
pub(crate) async fn compact(
    Admin(person): Admin,
    Shared(state): Shared<State>,
) -> Result<(StatusCode, Json<RunningBody>), ApiError> {
    begin(&state, Task::Compact, person)
}

fn begin(
    state: &State,
    task: Task,
    person: Person,
) -> Result<(StatusCode, Json<RunningBody>), ApiError> {
    let running = task.name();
    match state.storage.ask(task, person.name) {
        Ok(true) => Ok((StatusCode::ACCEPTED, Json(RunningBody { running }))),
        Ok(false) => {
            let message = "segments are verified or joined already, wait for the end of that";
            Err(ApiError::later(StatusCode::CONFLICT, message, 5))
        }
        Err(error) => Err(ApiError::internal(&error)),
    }
}
