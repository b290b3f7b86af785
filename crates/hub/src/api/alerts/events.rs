//! `GET /api/v1/alerts/{id}/events`: the events that an alert stands on.

use axum::Json;
use axum::extract::State as Shared;
use bergfried_event::Event;
use serde::Serialize;
use utoipa::ToSchema;

use super::find;
use crate::api::turn::turn;
use crate::auth::Viewer;
use crate::error::{ApiError, ErrorBody};
use crate::request::InPath;
use crate::router::State;

/// The events behind an alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct Behind {
    /// Flat ECS objects with `@timestamp`, `event.id` and `event.original`, latest first
    #[schema(value_type = Vec<serde_json::Value>)]
    events: Vec<Event<'static>>,
    /// How many events the alert stands on in all; it names the last of them, at most 100
    count: u64,
    /// Ids that it names and that are stored no more: retention took them
    gone: Vec<u64>,
    /// What is not there and why, for a person
    note: Option<String>,
}

/// The events that an alert stands on
#[utoipa::path(get, path = "/api/v1/alerts/{id}/events", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id, or the only one that begins so")),
    responses((status = 200, description = "What is still stored of them", body = Behind),
        (status = 404, description = "There is none of this id", body = ErrorBody)))]
pub(crate) async fn events(
    Viewer(person): Viewer,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<Json<Behind>, ApiError> {
    let alert = find(&state, &person, &id)?;
    let turn = turn(&state).await?;
    turn.run(move |reader, _| {
        let Some(evidence) = &alert.evidence else {
            let note = "no rule made this alert, its sender did: it stands on no events";
            let note = Some(note.to_owned());
            return Ok(Json(Behind { events: Vec::new(), count: 0, gone: Vec::new(), note }));
        };
        let mut ids = evidence.event_ids.clone();
        ids.sort_unstable_by(|one, other| other.cmp(one));
        ids.dedup();
        let (mut events, mut gone) = (Vec::with_capacity(ids.len()), Vec::new());
        for id in ids {
            match reader.get(id)? {
                Some(stored) => events.push(stored.event),
                None => gone.push(id),
            }
        }
        let note = note(evidence.count, events.len(), gone.len());
        Ok(Json(Behind { events, count: evidence.count, gone, note }))
    })
    .await
}

fn note(count: u64, found: usize, gone: usize) -> Option<String> {
    let named = (found + gone) as u64;
    let mut parts = Vec::new();
    if named < count {
        parts.push(format!("an alert names the last of its events: {named} of {count}"));
    }
    if gone > 0 {
        parts.push(format!("{gone} of these are stored no more, retention took them"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        for (count, found, gone, said) in [
            (3, 3, 0, None),
            (300, 100, 0, Some("an alert names the last of its events: 100 of 300")),
            (2, 0, 2, Some("2 of these are stored no more, retention took them")),
            (
                9,
                3,
                1,
                Some(
                    "an alert names the last of its events: 4 of 9; \
                 1 of these are stored no more, retention took them",
                ),
            ),
        ] {
            assert_eq!(note(count, found, gone).as_deref(), said);
        }
    }
}
