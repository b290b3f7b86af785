//! `DELETE /hosts/{host}`: a host that was retired is forgotten.
//!
//! What is stored is only ever added to, so nothing is removed from the store: a durable mark says
//! from when on a host is forgotten, and Heimdall's clients are shown nothing of it that was stored
//! before. What comes later counts as a new host's. Searches of the hub itself find everything.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::{Path, State as Shared};
use bergfried_control::{AuditChange, Control, ControlError, NewAudit};
use bergfried_event::{Field, Timestamp};
use bergfried_query::{Comparison, Condition, Pattern, Predicate};
use serde_json::{Value, json};

use super::hosts::MAX_NAME;
use super::kept;
use super::key::Administrator;
use crate::adapters::detail::Detail;
use crate::api::turn::turn;
use crate::auth::person;
use crate::error::{ApiError, blocking};
use crate::hosts;
use crate::router::State;
use crate::running::now;

/// Under which name the control store keeps the marks.
const KEPT: &str = "heimdall.forgotten";
/// The most hosts that are forgotten: each makes every request for events look at one thing more.
const MAX_FORGOTTEN: usize = 200;

/// The hosts that are forgotten, each with the time up to which.
#[derive(Debug, Default)]
pub(crate) struct Forgotten(Mutex<BTreeMap<String, Timestamp>>);

impl Forgotten {
    /// What an earlier process kept.
    ///
    /// # Errors
    /// Where the control store cannot be read.
    pub(crate) fn load(control: &Control) -> Result<Forgotten, ControlError> {
        Ok(Forgotten(Mutex::new(kept(control, KEPT)?)))
    }

    /// What must be met, without the events of hosts from before they were forgotten.
    pub(super) fn without(&self, predicate: Predicate) -> Predicate {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().fold(predicate, |predicate, (host, until)| {
            predicate.and(Predicate::Not(Box::new(of_host(host, *until))))
        })
    }

    /// Forgets a host up to now, durably.
    fn forget(&self, control: &Control, host: &str, now: Timestamp) -> Result<(), ApiError> {
        // Held over the write, so that no mark is lost to another at the same time.
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut marks = held.clone();
        if marks.len() >= MAX_FORGOTTEN && !marks.contains_key(host) {
            let message =
                format!("{MAX_FORGOTTEN} hosts are forgotten already, and no more can be");
            return Err(ApiError::new(axum::http::StatusCode::CONFLICT, message));
        }
        marks.insert(host.to_owned(), now);
        let text = serde_json::to_string(&marks).map_err(|error| ApiError::internal(&error))?;
        control.set_setting(KEPT, &text)?;
        *held = marks;
        Ok(())
    }
}

/// The events of a host that were stored until then.
fn of_host(host: &str, until: Timestamp) -> Predicate {
    let named = Condition::Text(Pattern::exact(host));
    #[expect(clippy::cast_precision_loss, reason = "microseconds of these centuries fit")]
    let before = Condition::Number(Comparison::LessOrEqual, until.micros() as f64);
    Predicate::field(Field::HostName, named).and(Predicate::field(Field::EventIngested, before))
}

pub(super) async fn delete(
    Administrator(who): Administrator,
    Shared(state): Shared<State>,
    Path(host): Path<String>,
) -> Result<Json<Value>, Detail> {
    if host.len() > MAX_NAME {
        let message = format!("The name of a host has at most {MAX_NAME} bytes");
        return Err(Detail::bad_request(&message));
    }
    let (asked, name) = (state.clone(), host.clone());
    let now = now();
    let known = Predicate::field(Field::HeimdallEventType, Condition::Exists);
    let shown = state.heimdall.forgotten.without(known.and(of_host(&host, now)));
    let counted = turn(&state).await?;
    let counted =
        counted.run(move |reader, _| Ok(reader.count(&shown, Timestamp::MIN, Timestamp::MAX)?));
    let hidden = counted.await?;
    let forgotten = blocking(move || {
        let shared = &state.heimdall.forgotten;
        let heard = state.hosts.get(&host, now);
        if hidden == 0 && heard.is_none() {
            return Err(ApiError::not_found("Host not found"));
        }
        let known = json!({
            "events_shown": hidden,
            "first_seen": heard.as_ref().map(|host| host.first_seen),
            "last_seen": heard.as_ref().map(|host| host.last_seen),
        });
        let done = NewAudit {
            who: person(who.name),
            action: "heimdall.host.delete".to_owned(),
            target: host.clone(),
            change: AuditChange::deleted(&known)?,
        };
        state.control.append_audits(&[done], now)?;
        if hidden > 0 {
            shared.forget(&state.control, &host, now)?;
        }
        Ok(json!({
            "success": true,
            "message": format!(
                "Host {host} is forgotten: {hidden} events are no longer shown here. They stay in \
                 the store, and the hub's own search finds them"
            ),
            "events_hidden": hidden,
        }))
    });
    let answer = forgotten.await?;
    // Nobody waits for it to be heard of any more.
    hosts::forget(&asked, &name).await?;
    Ok(Json(answer))
}

#[cfg(test)]
mod tests {
    use bergfried_event::Event;

    use super::*;

    #[test]
    fn a_host_is_forgotten_up_to_a_time_and_stays_so() {
        let directory = tempfile::tempdir().unwrap();
        let control = Control::open(&directory.path().join("control.db")).unwrap();
        let forgotten = Forgotten::load(&control).unwrap();
        let at = Timestamp::from_seconds;
        forgotten.forget(&control, "old", at(100)).unwrap();
        let stored = |host: &str, ingested: i64| {
            let mut event = Event::new(at(50), "line".to_owned());
            event.push(Field::HostName, host.to_owned());
            event.push(Field::EventIngested, at(ingested).to_string());
            event
        };
        let kept = Forgotten::load(&control).unwrap();
        let predicate = kept.without(Predicate::Constant(true));
        for (host, ingested, shown) in
            [("old", 99, false), ("old", 100, false), ("old", 101, true), ("older", 99, true)]
        {
            assert_eq!(predicate.matches(&stored(host, ingested)), shown, "{host} {ingested}");
        }
    }

    #[test]
    fn only_so_many_hosts_are_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let control = Control::open(&directory.path().join("control.db")).unwrap();
        let marks = (0..MAX_FORGOTTEN).map(|n| (format!("{n:0>255}"), Timestamp::MAX)).collect();
        let forgotten = Forgotten(Mutex::new(marks));
        assert!(forgotten.forget(&control, "one more", Timestamp::MAX).is_err());
        let again = format!("{:0>255}", 7);
        forgotten.forget(&control, &again, Timestamp::MAX).unwrap();
    }
}
