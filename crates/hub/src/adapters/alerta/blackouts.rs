//! Blackouts: times in which alerts are not wanted, once or, beyond the original, again and again.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bergfried_alert::{Alert, Blackout, BlackoutState, InvalidSchedule, Schedule};
use bergfried_control::AuditChange;
use bergfried_event::Timestamp;
use serde_json::{Value, json};

use super::caller::Caller;
use super::document::Document;
use super::error::Refusal;
use super::request::{Base, Parameters};
use super::resource::record;
use super::{reply, shadow, wire};
use crate::router::State;

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/blackout", post(create))
        .route("/blackout/{id}", get(show).put(change).delete(delete))
        .route("/blackouts", get(list))
}

async fn create(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:blackouts")?;
    let now = state.alerting.now();
    let lasts = state.alerta.policy.blackout_duration;
    let mut blackout = read(&document, lasts, now)?;
    blackout.user = caller.name.clone();
    blackout.customer = caller.customer_of_new(blackout.customer)?;
    let kept = state.alerting.put_blackout(blackout).await?;
    record(&state, &caller, "alerta.blackout.create", &kept.id, AuditChange::created(&kept))
        .await?;
    let location = [(header::LOCATION, base.href(&format!("/blackout/{}", kept.id)))];
    let fields = [("id", json!(kept.id)), ("blackout", of(&kept, now, &base))];
    Ok((location, reply::with_status(StatusCode::CREATED, fields)).into_response())
}

async fn show(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.require("read:blackouts")?;
    let blackout = find(&state, &caller, &id)?;
    Ok(reply::ok([("blackout", of(&blackout, state.alerting.now(), &base)), ("total", json!(1))]))
}

async fn change(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:blackouts")?;
    let known = find(&state, &caller, &id)?;
    let mut blackout = changed(&known, &document)?;
    if blackout.customer != known.customer {
        blackout.customer = caller.customer_of_new(blackout.customer)?;
    }
    let kept = state.alerting.put_blackout(blackout).await?;
    let change = AuditChange::between(&known, &kept);
    record(&state, &caller, "alerta.blackout.change", &kept.id, change).await?;
    Ok(reply::ok([("blackout", of(&kept, state.alerting.now(), &base))]))
}

async fn delete(
    caller: Caller,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.require("write:blackouts")?;
    let known = find(&state, &caller, &id)?;
    if !state.alerting.delete_blackout(&id).await? {
        return Err(Refusal::not_found());
    }
    let gone = AuditChange::deleted(&known);
    record(&state, &caller, "alerta.blackout.delete", &id, gone).await?;
    Ok(reply::ok([]))
}

async fn list(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    caller.require("read:blackouts")?;
    let (settings, now) = (state.alerting.settings(), state.alerting.now());
    let states = shadow::states(&parameters, &BlackoutState::ALL, BlackoutState::name)?;
    let mut blackouts: Vec<_> = state.alerting.read().blackouts().cloned().collect();
    blackouts.retain(|one| states.is_empty() || states.contains(&one.state(now)));
    let body = |blackout: &Arc<Blackout>| of(blackout, now, &base);
    let list = shadow::List { items: &blackouts, name: "blackouts", shadow: seen, body };
    list.page(&caller, settings, now, parameters)
}

/// A blackout of the callers' customers.
fn find(state: &State, caller: &Caller, id: &str) -> Result<Arc<Blackout>, Refusal> {
    let found = state.alerting.read().blackout(id).cloned();
    found.filter(|one| caller.sees(one.customer.as_deref())).ok_or_else(Refusal::not_found)
}

/// A new blackout; it lasts `lasts` seconds where nothing else is said.
fn read(document: &Document, lasts: u32, now: Timestamp) -> Result<Blackout, Refusal> {
    let start = document.date("startTime")?.unwrap_or(now);
    let end = match (document.date("endTime")?, duration(document)?) {
        (Some(end), _) => end,
        (None, seconds) => after(start, seconds.unwrap_or(lasts)),
    };
    let recurrence = word(document, "recurrence")?;
    let time_zone = word(document, "timeZone")?;
    Ok(Blackout {
        id: wire::new_id(),
        environment: document.required("environment")?,
        service: document.words("service")?.unwrap_or_default(),
        resource: word(document, "resource")?,
        event: word(document, "event")?,
        group: word(document, "group")?,
        tags: document.words("tags")?.unwrap_or_default(),
        origin: word(document, "origin")?,
        customer: word(document, "customer")?,
        schedule: schedule(start, end, recurrence.as_deref(), time_zone.as_deref())?,
        user: None,
        create_time: now,
        text: document.text("text")?.unwrap_or_default(),
    })
}

/// A known blackout with the fields that the document has; a null takes the value away.
fn changed(known: &Blackout, document: &Document) -> Result<Blackout, Refusal> {
    let has = |name: &str| document.0.contains_key(name);
    let or = |name: &str, known: Option<&str>| match has(name) {
        true => word(document, name),
        false => Ok(known.map(str::to_owned)),
    };
    let words = |name: &str, known: &[String]| match has(name) {
        true => document.words(name).map(Option::unwrap_or_default),
        false => Ok(known.to_vec()),
    };
    let old = &known.schedule;
    let start = document.date("startTime")?.unwrap_or(old.start());
    let end = match (document.date("endTime")?, duration(document)?) {
        // Who sends back what they were shown, with one of the two changed, means the changed one.
        (Some(end), Some(seconds)) if wire::date(end) == wire::date(old.end()) => {
            if i64::from(seconds) == old.duration() { end } else { after(start, seconds) }
        }
        (Some(end), _) => end,
        (None, Some(seconds)) => after(start, seconds),
        (None, None) => old.end(),
    };
    let recurrence = or("recurrence", old.recurrence())?;
    let known_zone = old.time_zone().filter(|_| recurrence.is_some());
    let time_zone = or("timeZone", known_zone)?;
    Ok(Blackout {
        id: known.id.clone(),
        environment: match has("environment") {
            true => document.required("environment")?,
            false => known.environment.clone(),
        },
        service: words("service", &known.service)?,
        resource: or("resource", known.resource.as_deref())?,
        event: or("event", known.event.as_deref())?,
        group: or("group", known.group.as_deref())?,
        tags: words("tags", &known.tags)?,
        origin: or("origin", known.origin.as_deref())?,
        customer: or("customer", known.customer.as_deref())?,
        schedule: schedule(start, end, recurrence.as_deref(), time_zone.as_deref())?,
        user: known.user.clone(),
        create_time: known.create_time,
        text: match has("text") {
            true => document.text("text")?.unwrap_or_default(),
            false => known.text.clone(),
        },
    })
}

/// A word; an empty one is the same as none.
fn word(document: &Document, name: &str) -> Result<Option<String>, Refusal> {
    Ok(document.name(name)?.filter(|word| !word.is_empty()))
}

/// Seconds that it lasts; 0 is the same as nothing said.
fn duration(document: &Document) -> Result<Option<u32>, Refusal> {
    Ok(document.seconds("duration")?.filter(|seconds| *seconds != 0))
}

fn after(start: Timestamp, seconds: u32) -> Timestamp {
    start.plus_micros(i64::from(seconds) * Timestamp::SECOND)
}

fn schedule(
    start: Timestamp,
    end: Timestamp,
    recurrence: Option<&str>,
    time_zone: Option<&str>,
) -> Result<Schedule, Refusal> {
    Schedule::new(start, end, recurrence, time_zone).map_err(|error| {
        let field = match &error {
            InvalidSchedule::Times(_) => "endTime",
            InvalidSchedule::Recurrence(_) => "recurrence",
            InvalidSchedule::TimeZone(_) => "timeZone",
        };
        Refusal::invalid(format!("cannot use `{field}`: {error}"))
    })
}

/// A blackout as JSON; `recurrence` and `timeZone` are ours.
fn of(blackout: &Blackout, now: Timestamp, base: &Base) -> Value {
    let schedule = &blackout.schedule;
    json!({
        "createTime": wire::date(blackout.create_time),
        "customer": blackout.customer,
        "duration": schedule.duration(),
        "endTime": wire::date(schedule.end()),
        "environment": blackout.environment,
        "event": blackout.event,
        "group": blackout.group,
        "href": base.href(&format!("/blackout/{}", blackout.id)),
        "id": blackout.id,
        "origin": blackout.origin,
        "priority": blackout.priority(),
        "recurrence": schedule.recurrence(),
        "remaining": blackout.remaining(now),
        "resource": blackout.resource,
        "service": blackout.service,
        "startTime": wire::date(schedule.start()),
        "status": blackout.state(now).name(),
        "tags": blackout.tags,
        "text": blackout.text,
        "timeZone": schedule.time_zone(),
        "user": blackout.user,
    })
}

/// What of a blackout an alert has too.
fn seen(blackout: &Arc<Blackout>) -> Alert {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Alert {
        environment: blackout.environment.clone(),
        resource: text(&blackout.resource),
        event: text(&blackout.event),
        group: text(&blackout.group),
        origin: text(&blackout.origin),
        service: blackout.service.clone(),
        tags: blackout.tags.clone(),
        text: blackout.text.clone(),
        customer: blackout.customer.clone(),
        create_time: blackout.create_time,
        ..shadow::blank(&blackout.id, blackout.schedule.start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-21T10:00:00Z";

    fn document(fields: Value) -> Document {
        Document::read(fields.to_string().as_bytes()).unwrap()
    }

    fn new(fields: Value) -> Result<Blackout, Refusal> {
        read(&document(fields), 3_600, NOW.parse().unwrap())
    }

    #[test]
    fn what_is_sent_is_shown_with_what_follows_from_it() {
        let base = Base::at("/api");
        let blackout = new(json!({
            "environment": "Production", "service": ["Web"], "resource": "web1", "tags": ["dc"],
            "duration": 600, "text": "new disks", "event": "", "group": null,
        }))
        .unwrap();
        let expected = json!({
            "createTime": "2026-11-21T10:00:00.000Z", "customer": null, "duration": 600,
            "endTime": "2026-11-21T10:10:00.000Z", "environment": "Production", "event": null,
            "group": null, "href": format!("/api/blackout/{}", blackout.id), "id": blackout.id,
            "origin": null, "priority": 2, "recurrence": null, "remaining": 599,
            "resource": "web1", "service": ["Web"], "startTime": "2026-11-21T10:00:00.000Z",
            "status": "active", "tags": ["dc"], "text": "new disks", "timeZone": null, "user": null,
        });
        assert_eq!(of(&blackout, "2026-11-21T10:00:01Z".parse().unwrap(), &base), expected);
    }

    #[test]
    fn times_are_said_in_any_of_the_ways() {
        for (fields, start, seconds) in [
            (json!({}), NOW, 3_600),
            (json!({"duration": 60}), NOW, 60),
            (json!({"duration": 0}), NOW, 3_600),
            (json!({"startTime": "2026-12-01T00:00:00.000Z"}), "2026-12-01T00:00:00Z", 3_600),
            (json!({"endTime": "2026-11-21T12:00:00.000Z", "duration": 60}), NOW, 7_200),
        ] {
            let mut fields = fields;
            fields["environment"] = json!("Production");
            let schedule = new(fields.clone()).unwrap().schedule;
            assert_eq!(schedule.start().to_string(), start, "{fields}");
            assert_eq!(schedule.duration(), seconds, "{fields}");
        }
    }

    #[test]
    fn every_mistake_is_named() {
        for (fields, part) in [
            (json!({"environment": ""}), "`environment`"),
            (json!({"environment": null}), "`environment`"),
            (json!({"service": "Web"}), "`service` must be a list"),
            (json!({"tags": 1}), "`tags` must be a list"),
            (json!({"resource": []}), "`resource` must be a text"),
            (json!({"duration": "60"}), "`duration` must be an integer"),
            (json!({"duration": -60}), "`duration` must be an integer"),
            (json!({"startTime": "now"}), "dates must be ISO 8601"),
            (json!({"endTime": "2026-11-21T09:00:00.000Z"}), "`endTime`: the end"),
            (json!({"recurrence": "daily"}), "`recurrence`: `daily`"),
            (json!({"recurrence": 7}), "`recurrence` must be a text"),
            (json!({"recurrence": "FREQ=DAILY", "timeZone": "Mars"}), "`timeZone`: unknown"),
            (json!({"timeZone": "Europe/Berlin"}), "`timeZone`: a time zone means"),
            (json!({"recurrence": "FREQ=HOURLY", "duration": 7200}), "`endTime`: it lasts 7200"),
        ] {
            let mut whole = json!({"environment": "Production"});
            whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let refusal = new(whole).unwrap_err();
            assert_eq!(refusal.status(), StatusCode::BAD_REQUEST);
            assert!(refusal.message().contains(part), "{fields}: {}", refusal.message());
        }
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let known = new(json!({
            "environment": "Production", "resource": "web1", "duration": 600, "text": "why",
            "recurrence": "FREQ=DAILY", "timeZone": "Europe/Berlin", "customer": "acme",
        }))
        .unwrap();
        let change = |fields: Value| changed(&known, &document(fields));
        assert_eq!(change(json!({})).unwrap(), known);
        assert_eq!(change(of(&known, known.create_time, &Base::at(""))).unwrap(), known);
        let other = change(json!({"resource": null, "event": "Down", "duration": 60})).unwrap();
        assert_eq!((other.resource.as_deref(), other.event.as_deref()), (None, Some("Down")));
        assert_eq!((other.schedule.duration(), other.text.as_str()), (60, "why"));
        assert_eq!(other.schedule.time_zone(), Some("Europe/Berlin"));
        let once = change(json!({"recurrence": null})).unwrap().schedule;
        assert_eq!((once.recurrence(), once.time_zone()), (None, None));
        let longer = change(json!({"endTime": "2026-11-21T11:00:00.000Z"})).unwrap().schedule;
        assert_eq!(longer.duration(), 3_600);
        assert!(change(json!({"environment": null})).is_err());
        assert!(change(json!({"startTime": "2026-11-21T12:00:00.000Z"})).is_err());
    }
}
