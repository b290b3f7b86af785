//! What people do to alerts: acknowledge, shelve, close, assign, write a note.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_alert::{Act, Action, Note, Status};
use bergfried_alerting::{Change, ChangeError};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AlertBody, find, no_alert};
use crate::auth::{AlertOperator, Person, alert_change, audit};
use crate::error::{ApiError, ErrorBody};
use crate::request::{Body, InPath, MaybeBody};
use crate::router::State;

/// Why, and for how long.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Why, for a person; who did it stands beside it anyway
    text: Option<String>,
    /// Seconds after which an acknowledgement or shelving ends, 0 for never; else what the hub's
    /// settings say
    timeout: Option<u32>,
}

/// What to write beside an alert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNote {
    /// Not empty, at most 16 KiB
    text: String,
}

macro_rules! actions {
    ($($name:ident $path:literal $action:ident $done:literal $about:literal,)*) => {
        $(
            #[doc = $about]
            #[utoipa::path(post, path = $path, tag = "alerts",
                params(("id" = String, Path,
                    description = "The alert's id, or the only one that begins so")),
                request_body(content = Option<Wanted>, description = "May be left out"),
                responses(
                    (status = 200, description = "The alert as it is now", body = serde_json::Value),
                    (status = 400, description = "A body that cannot be read", body = ErrorBody),
                    (status = 404, description = "There is none of this id", body = ErrorBody),
                    (status = 409, description = "It makes no sense for the alert as it stands",
                        body = ErrorBody)))]
            pub(crate) async fn $name(
                AlertOperator(by): AlertOperator,
                Shared(state): Shared<State>,
                InPath(id): InPath<String>,
                MaybeBody(wanted): MaybeBody<Wanted>,
            ) -> Result<Json<AlertBody>, ApiError> {
                let act = Acting { action: Action::$action, name: stringify!($name), done: $done };
                act.run(&state, id, wanted, by).await
            }
        )*
    };
}

actions! {
    ack "/api/v1/alerts/{id}/ack" Ack "acknowledged"
        "Acknowledge an alert: somebody looks at it; it opens again when it gets worse",
    unack "/api/v1/alerts/{id}/unack" Unack "acknowledgement ended"
        "End the acknowledgement of an alert",
    shelve "/api/v1/alerts/{id}/shelve" Shelve "shelved"
        "Put an alert aside for a time, whatever is heard of it meanwhile",
    unshelve "/api/v1/alerts/{id}/unshelve" Unshelve "taken from the shelf"
        "Take an alert back from the shelf",
    open "/api/v1/alerts/{id}/open" Open "opened"
        "Open an alert again",
    close "/api/v1/alerts/{id}/close" Close "closed"
        "Close an alert; what is found later opens it again",
    assign "/api/v1/alerts/{id}/assign" Assign "assigned"
        "Write down in the history of an alert, with the text, who it is for",
}

/// Something that is done to an alert.
struct Acting {
    action: Action,
    name: &'static str,
    /// What was done, in its history.
    done: &'static str,
}

impl Acting {
    async fn run(
        self,
        state: &State,
        id: String,
        wanted: Wanted,
        by: Person,
    ) -> Result<Json<AlertBody>, ApiError> {
        let Acting { action, name, done } = self;
        if wanted.timeout.is_some() && !matches!(action, Action::Ack | Action::Shelve) {
            return Err(ApiError::invalid("`timeout` is for `ack` and `shelve`"));
        }
        // Asked for again without saying anything new, it is done already.
        let goal = goal(&action).filter(|_| wanted.timeout.is_none());
        let act = Act {
            action,
            text: wanted.text.unwrap_or_else(|| format!("{done} by {}", by.name)),
            timeout: wanted.timeout,
            user: Some(by.name.clone()),
            id: Uuid::new_v4().to_string(),
        };
        change(state, &by, id, (name, Change::Act(act)), goal).await
    }
}

/// The status of an alert to which this was done already; doing it again says nothing new.
pub(super) fn goal(action: &Action) -> Option<Status> {
    match action {
        Action::Ack => Some(Status::Ack),
        Action::Shelve => Some(Status::Shelved),
        Action::Open => Some(Status::Open),
        Action::Close => Some(Status::Closed),
        _ => None,
    }
}

/// Write a note beside an alert
#[utoipa::path(post, path = "/api/v1/alerts/{id}/note", tag = "alerts", request_body = NewNote,
    params(("id" = String, Path, description = "The alert's id, or the only one that begins so")),
    responses((status = 200, description = "The alert as it is now", body = serde_json::Value),
        (status = 400, description = "No text, or too much", body = ErrorBody),
        (status = 404, description = "There is none of this id", body = ErrorBody)))]
pub(crate) async fn note(
    AlertOperator(by): AlertOperator,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
    Body(wanted): Body<NewNote>,
) -> Result<Json<AlertBody>, ApiError> {
    if wanted.text.trim().is_empty() {
        return Err(ApiError::invalid("`text` is empty: write what the note says"));
    }
    let note = Note {
        id: Uuid::new_v4().to_string(),
        text: wanted.text,
        user: Some(by.name.clone()),
        created: state.alerting.now(),
        updated: None,
    };
    change(&state, &by, id, ("note", Change::AddNote(note)), None).await
}

/// Changes one alert; a conflict with one that has the status `goal` already is none.
async fn change(
    state: &State,
    by: &Person,
    id: String,
    (name, change): (&str, Change),
    goal: Option<Status>,
) -> Result<Json<AlertBody>, ApiError> {
    let before = find(state, by, &id)?;
    let changed = state.alerting.change(vec![id.clone()], change).await?;
    let alert = match changed.into_iter().next().map(|changed| changed.result) {
        Some(Ok(alert)) => alert,
        None | Some(Err(ChangeError::NotFound)) => {
            return Err(no_alert(&state.alerting.read(), by, &id));
        }
        Some(Err(ChangeError::Conflict(reason))) => match find(state, by, &id)? {
            alert if Some(alert.status) == goal => alert,
            _ => return Err(ApiError::new(StatusCode::CONFLICT, reason)),
        },
        Some(Err(error)) => return Err(ApiError::invalid(error.to_string())),
    };
    let change = alert_change(&before, &alert);
    audit(state, &by.name, &format!("alert.{name}"), alert.id.clone(), change).await?;
    Ok(Json(AlertBody::of(&alert, &state.alerting.settings().model)))
}
