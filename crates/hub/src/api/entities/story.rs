//! `GET /api/v1/entities/{kind}/{value}/story`: what an entity did and what was said of it, on one line
//! of time.

use axum::Json;
use axum::extract::State as Shared;
use bergfried_alert::{Alert, EntryKind, Model};
use bergfried_event::{Event, Field, FieldName, Severity, Timestamp};
use bergfried_heimdall::EventType;
use bergfried_query::{Condition, Pattern, Predicate};
use bergfried_store::{Reader, Search};
use serde::Serialize;
use utoipa::ToSchema;

use super::alerts::{about, span};
use super::{Entity, Kind, When, turn};
use crate::auth::Viewer;
use crate::error::{ApiError, ErrorBody};
use crate::request::{InPath, Params};
use crate::router::State;

/// The latest key events that are read.
const MAX_EVENTS: usize = 2_000;
/// The most steps of a story; the latest stay.
const MAX_STEPS: usize = 1_000;
/// The most entries of an alert's history that are told.
const MAX_ENTRIES: usize = 10;
/// The most ids of events of one step.
const MAX_IDS: usize = 100;
/// Events that say the same belong together where no more time lies between them.
const TOGETHER: i64 = 600 * Timestamp::SECOND;

/// What an entity did and what was said of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Story {
    /// In the order of time
    steps: Vec<Told>,
    /// Whether more happened before these
    more: bool,
}

/// One step of a story.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Told {
    #[schema(value_type = String)]
    time: Timestamp,
    /// When it ended, where that is later
    #[schema(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// `finding`: what a rule found. `alert`: what became of an alert. `event`: a login, a change of an
    /// account, a blocked connection and the like
    kind: &'static str,
    title: String,
    #[schema(value_type = String)]
    severity: Severity,
    /// How many events it stands on
    count: u64,
    /// ATT&CK tactics, such as `credential-access`
    tactics: Vec<String>,
    /// ATT&CK techniques, such as `T1110.001`
    techniques: Vec<String>,
    /// The last of the events
    event_ids: Vec<u64>,
    /// The id of the rule
    rule: Option<String>,
    /// The id of the alert
    alert: Option<String>,
    /// A sentence, or the line of the log
    text: String,
}

/// Tell the story of an address, a user or a host
///
/// What rules found about it, what became of the alerts, and its key events: logins, commands as
/// another user, changes of accounts and logs, blocked connections. Events that say the same within
/// ten minutes are one step.
#[utoipa::path(get, path = "/api/v1/entities/{kind}/{value}/story", tag = "entities",
    params(("kind" = Kind, Path, description = "What it is"),
        ("value" = String, Path, description = "Its name"), When),
    responses((status = 200, description = "The steps", body = Story),
        (status = 400, description = "An unknown kind, no address, or a parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn story(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    InPath((kind, value)): InPath<(Kind, String)>,
    Params(when): Params<When>,
) -> Result<Json<Story>, ApiError> {
    let entity = Entity::read(kind, value)?;
    let times = when.times()?;
    let turn = turn(&state).await?;
    turn.run(move |reader, _limits| {
        let (mut steps, mut more) = events(reader, &entity, times)?;
        let model = &state.alerting.settings().model;
        for alert in about(&state, &entity, times) {
            steps.extend(of_alert(&alert, model));
        }
        steps.retain(|step| step.time < times.1 && step.until.unwrap_or(step.time) >= times.0);
        steps.sort_by(|one, other| {
            (one.time, one.kind, &one.title).cmp(&(other.time, other.kind, &other.title))
        });
        let surplus = steps.len().saturating_sub(MAX_STEPS);
        more |= surplus > 0;
        steps.drain(..surplus);
        Ok(Json(Story { steps, more }))
    })
    .await
}

/// What the rules found, and what became of the alert.
fn of_alert(alert: &Alert, model: &Model) -> Vec<Told> {
    let mut steps = Vec::new();
    let plain = |time, kind, title: String, severity, text: String| Told {
        time,
        until: None,
        kind,
        title,
        severity,
        count: 0,
        tactics: Vec::new(),
        techniques: Vec::new(),
        event_ids: Vec::new(),
        rule: None,
        alert: Some(alert.id.clone()),
        text,
    };
    let severity = model.as_rule(&alert.severity);
    if let Some(evidence) = &alert.evidence {
        let (first, last) = span(alert);
        let text = alert.text.clone();
        steps.push(Told {
            until: (last > first).then_some(last),
            count: evidence.count,
            tactics: tactics(&evidence.tags),
            techniques: evidence.techniques.clone(),
            event_ids: evidence.event_ids.clone(),
            rule: Some(evidence.rule_id.clone()),
            ..plain(first, "finding", alert.event.clone(), severity, text)
        });
    }
    let changes = alert.history.iter().filter(|entry| {
        !matches!(entry.kind, EntryKind::Value | EntryKind::Note | EntryKind::Dismiss)
    });
    let changes: Vec<_> = changes.collect();
    let surplus = changes.len().saturating_sub(MAX_ENTRIES);
    for entry in changes.into_iter().skip(surplus) {
        let who = entry.user.as_deref().map(|who| format!(" by {who}")).unwrap_or_default();
        let title = match entry.kind {
            EntryKind::New => format!("{}: alert", entry.event),
            EntryKind::Severity => format!("{}: now {}", entry.event, entry.severity),
            _ => format!("{}: {}{who}", entry.event, entry.status.name()),
        };
        let severity = model.as_rule(&entry.severity);
        steps.push(plain(entry.time, "alert", title, severity, entry.text.clone()));
    }
    steps
}

/// The tactics among a rule's tags.
fn tactics(tags: &[String]) -> Vec<String> {
    let named = tags.iter().filter_map(|tag| tag.strip_prefix("attack."));
    named
        .filter(|tag| !tag.bytes().any(|byte| byte.is_ascii_digit()))
        .map(|tag| tag.replace('_', "-"))
        .collect()
}

/// The key events, with those that say the same in one step; and whether there are more.
fn events(
    reader: &Reader,
    entity: &Entity,
    (from, to): (Timestamp, Timestamp),
) -> Result<(Vec<Told>, bool), ApiError> {
    let kinds = EventType::ALL.iter().filter(|kind| title(**kind).is_some()).map(|kind| {
        let condition = Condition::Text(Pattern::exact(kind.name()));
        Predicate::field(FieldName::Known(Field::HeimdallEventType), condition)
    });
    let predicate = entity.predicate().and(Predicate::Or(kinds.collect()));
    let page = reader.search(&Search { predicate, from, to, limit: MAX_EVENTS, before: None })?;
    let steps = page.events.iter().rev().filter_map(|stored| of_event(stored.id, &stored.event));
    Ok((folded(steps), page.more))
}

/// What a kind of event is called in a story; none where it belongs in none.
fn title(kind: EventType) -> Option<&'static str> {
    Some(match kind {
        EventType::LoginFail => "Login failed",
        EventType::LoginSuccess => "Logged in",
        EventType::SudoEscalation => "Ran a command as another user",
        EventType::AccountCreate => "Account created",
        EventType::AccountDelete => "Account deleted",
        EventType::GroupAdd => "Added to a group",
        EventType::ServiceInstall => "Service installed",
        EventType::LogTampering => "Log tampered with",
        EventType::ConnectionBlocked => "Connection blocked",
        EventType::DnsBlock => "Name blocked",
        EventType::PortScan => "Ports scanned",
        EventType::WebAttack => "Web server attacked",
        EventType::SystemAlert => "System alert",
        EventType::CriticalError => "Critical error",
        EventType::ProcessExec => return None,
    })
}

fn of_event(id: u64, event: &Event<'_>) -> Option<Told> {
    let kind = EventType::from_name(event.text(Field::HeimdallEventType)?)?;
    let named = |field, before: &str| {
        event.text(field).map(|name| format!(" {before} {name}")).unwrap_or_default()
    };
    let title = format!(
        "{}{}{}{}",
        title(kind)?,
        named(Field::UserName, "as"),
        named(Field::SourceIp, "from"),
        named(Field::HostName, "on"),
    );
    let severity = match event.get(Field::HeimdallSeverity).and_then(|value| value.as_int()) {
        Some(5) => Severity::Critical,
        Some(4) => Severity::High,
        Some(3) => Severity::Medium,
        Some(2) => Severity::Low,
        _ => Severity::Informational,
    };
    Some(Told {
        time: event.created(),
        until: None,
        kind: "event",
        title,
        severity,
        count: 1,
        tactics: Vec::new(),
        techniques: Vec::new(),
        event_ids: vec![id],
        rule: None,
        alert: None,
        text: event.text(Field::Message).unwrap_or(event.original()).chars().take(500).collect(),
    })
}

/// Joins steps of events, given in the order of time, that say the same soon after each other.
fn folded(steps: impl Iterator<Item = Told>) -> Vec<Told> {
    let mut folded: Vec<Told> = Vec::new();
    for step in steps {
        // Of what happens at the same time, each thing is one step; few things do.
        let recent = folded.iter_mut().rev().take(16);
        let same = recent
            .filter(|known| known.title == step.title)
            .find(|known| step.time.since(known.until.unwrap_or(known.time)) <= TOGETHER);
        match same {
            Some(known) => {
                known.count += 1;
                known.until = Some(step.time);
                known.severity = known.severity.max(step.severity);
                known.event_ids.extend(step.event_ids);
                let surplus = known.event_ids.len().saturating_sub(MAX_IDS);
                known.event_ids.drain(..surplus);
                known.text = step.text;
            }
            None => folded.push(step),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(id: u64, second: i64, user: &str) -> Told {
        let mut event = Event::new(Timestamp::from_seconds(second), "line");
        event.set(Field::HeimdallEventType, "LOGIN_FAIL");
        event.set(Field::HeimdallSeverity, 3_i64);
        event.set(Field::UserName, user.to_owned());
        event.set(Field::HostName, "web");
        event.set(Field::Message, format!("attempt {id}"));
        of_event(id, &event).unwrap()
    }

    #[test]
    fn what_says_the_same_soon_is_one_step() {
        let steps = [
            failed(1, 0, "root"),
            failed(2, 10, "bob"),
            failed(3, 20, "root"),
            failed(4, 619, "root"),
            failed(5, 1_300, "root"),
        ];
        let told: Vec<_> = folded(steps.into_iter())
            .into_iter()
            .map(|step| (step.title, step.count, step.event_ids, step.text))
            .collect();
        let root = "Login failed as root on web".to_owned();
        assert_eq!(
            told,
            [
                (root.clone(), 3, vec![1, 3, 4], "attempt 4".to_owned()),
                ("Login failed as bob on web".to_owned(), 1, vec![2], "attempt 2".to_owned()),
                (root, 1, vec![5], "attempt 5".to_owned()),
            ]
        );
    }

    #[test]
    fn tags_name_tactics() {
        let tags = ["attack.credential-access", "attack.t1110", "attack.lateral_movement", "cve.1"];
        assert_eq!(tactics(&tags.map(str::to_owned)), ["credential-access", "lateral-movement"]);
    }
}
