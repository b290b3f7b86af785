//! `GET /api/v1/alerts/{id}/similar`: alerts that may belong to the same story.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_alert::{Alert, Evidence, Model, Seen, Status};
use bergfried_event::{Severity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{find, last_seen};
use crate::api::turn::turn;
use crate::auth::AlertViewer;
use crate::error::{ApiError, ErrorBody};
use crate::request::{InPath, Params};
use crate::router::State;

/// The most similar alerts of one answer.
const MAX_SIMILAR: usize = 100;

/// How many.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// 1 to 100 (20)
    limit: Option<usize>,
}

/// An alert that has something in common with another one.
#[derive(Serialize, ToSchema)]
pub(crate) struct Like {
    id: String,
    environment: String,
    resource: String,
    event: String,
    #[schema(value_type = String)]
    severity: Severity,
    #[schema(value_type = String)]
    status: Status,
    #[schema(value_type = String)]
    last_seen: Timestamp,
    text: String,
    /// The sum of what the reasons weigh; the list has the highest first
    score: u32,
    reasons: Vec<Reason>,
}

/// What two alerts have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Reason {
    /// rule (4), event (3), source (3), user (2) or host (2)
    what: &'static str,
    /// What is the same; of several names the first
    value: String,
}

/// Alerts like this one
///
/// Those of the same rule or event elsewhere, and those about the same source, user or host.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/similar", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id, or the only one that begins so"),
        Wanted),
    responses((status = 200, description = "The most similar first", body = Vec<Like>),
        (status = 400, description = "A parameter that cannot be read", body = ErrorBody),
        (status = 404, description = "There is none of this id", body = ErrorBody)))]
pub(crate) async fn similar(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Vec<Like>>, ApiError> {
    let limit = match wanted.limit.unwrap_or(20) {
        limit if (1..=MAX_SIMILAR).contains(&limit) => limit,
        _ => return Err(ApiError::invalid(format!("`limit` must be 1 to {MAX_SIMILAR}"))),
    };
    let alert = find(&state, &person, &id)?;
    let turn = turn(&state).await?;
    turn.run(move |_, _| {
        // Comparing takes longer than the writer should wait.
        let mut others: Vec<Arc<Alert>> = state.alerting.read().iter().cloned().collect();
        others.retain(|other| person.sees(other.customer.as_deref()));
        let model = &state.alerting.settings().model;
        let found = most_similar(&alert, &others, limit);
        Ok(Json(
            found.into_iter().map(|(other, reasons)| Like::of(other, reasons, model)).collect(),
        ))
    })
    .await
}

impl Like {
    fn of(alert: &Alert, reasons: Vec<Reason>, model: &Model) -> Like {
        Like {
            id: alert.id.clone(),
            environment: alert.environment.clone(),
            resource: alert.resource.clone(),
            event: alert.event.clone(),
            severity: model.as_rule(&alert.severity),
            status: alert.status,
            last_seen: last_seen(alert),
            text: alert.text.clone(),
            score: score(&reasons),
            reasons,
        }
    }
}

/// The first `limit` by what they have in common, then by when they were last seen.
fn most_similar<'a>(
    alert: &Alert,
    others: &'a [Arc<Alert>],
    limit: usize,
) -> Vec<(&'a Arc<Alert>, Vec<Reason>)> {
    let traits = Traits::of(alert);
    let others = others.iter().filter(|other| other.id != alert.id);
    let mut scored: Vec<(u32, Timestamp, &Arc<Alert>)> = others
        .map(|other| (score(&traits.shared_with(other)), last_seen(other), other))
        .filter(|(score, ..)| *score > 0)
        .collect();
    scored.sort_by(|one, other| {
        (other.0, other.1).cmp(&(one.0, one.1)).then_with(|| one.2.id.cmp(&other.2.id))
    });
    scored.truncate(limit);
    scored.into_iter().map(|(.., other)| (other, traits.shared_with(other))).collect()
}

fn score(reasons: &[Reason]) -> u32 {
    let weight = |reason: &Reason| match reason.what {
        "rule" => 4,
        "event" | "source" => 3,
        _ => 2,
    };
    reasons.iter().map(weight).sum()
}

/// What another alert may have in common with this one.
struct Traits<'a> {
    customer: Option<&'a str>,
    rule: Option<&'a str>,
    event: &'a str,
    resource: &'a str,
    host: Option<&'a str>,
    sources: HashSet<&'a str>,
    users: HashSet<&'a str>,
}

impl<'a> Traits<'a> {
    fn of(alert: &'a Alert) -> Traits<'a> {
        let evidence = alert.evidence.as_deref();
        Traits {
            customer: alert.customer.as_deref(),
            rule: rule(alert),
            event: &alert.event,
            resource: &alert.resource,
            host: evidence.and_then(|evidence| evidence.host.as_deref()),
            sources: names(evidence.map(|evidence| &evidence.sources)).collect(),
            users: names(evidence.map(|evidence| &evidence.users)).collect(),
        }
    }

    /// Nothing where the other one belongs to another customer: names then mean different things.
    fn shared_with(&self, other: &Alert) -> Vec<Reason> {
        if other.customer.as_deref() != self.customer {
            return Vec::new();
        }
        let evidence: Option<&Evidence> = other.evidence.as_deref();
        let in_common = |mine: &HashSet<&'a str>, theirs: Option<&Seen>| {
            let found = names(theirs).find(|name| mine.contains(*name));
            found.map(str::to_owned)
        };
        let same_rule = self.rule.filter(|rule| Some(*rule) == self::rule(other));
        let same_event = (same_rule.is_none() && self.event == other.event).then_some(self.event);
        let host = evidence.and_then(|evidence| evidence.host.as_deref());
        let places = [Some(other.resource.as_str()), host];
        let mine = [Some(self.resource), self.host];
        let same_place = mine.into_iter().flatten().find(|mine| places.contains(&Some(mine)));
        [
            ("rule", same_rule.map(str::to_owned)),
            ("event", same_event.map(str::to_owned)),
            ("source", in_common(&self.sources, evidence.map(|evidence| &evidence.sources))),
            ("user", in_common(&self.users, evidence.map(|evidence| &evidence.users))),
            ("host", same_place.map(str::to_owned)),
        ]
        .into_iter()
        .filter_map(|(what, value)| Some(Reason { what, value: value? }))
        .collect()
    }
}

fn rule(alert: &Alert) -> Option<&str> {
    alert.evidence.as_deref().map(|evidence| evidence.rule_id.as_str()).filter(|id| !id.is_empty())
}

fn names(seen: Option<&Seen>) -> impl Iterator<Item = &str> {
    seen.into_iter().flat_map(|seen| &seen.names).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use bergfried_alert::{Received, Settings, of_finding, receive};
    use bergfried_event::Finding;
    use serde_json::json;

    use super::*;

    fn alert(id: &str, rule: &str, host: &str, user: &str, source: &str) -> Arc<Alert> {
        let at = Timestamp::from_micros(1_700_000_000_000_000);
        let finding: Finding = serde_json::from_value(json!({
            "rule.id": rule, "rule.name": rule, "severity": "high", "host.name": host,
            "user.name": user, "source.ip": source, "process.name": null, "count": 1,
            "first_seen": at, "last_seen": at, "threat.technique.id": [], "example": "x",
        }))
        .unwrap();
        let settings = Settings::default();
        let incoming = of_finding(&settings, &finding, id.to_owned(), at);
        let (alert, received) = receive(&settings, None, incoming, at);
        assert_eq!(received, Received::New);
        Arc::new(alert)
    }

    #[test]
    fn what_has_more_in_common_comes_first() {
        let one = alert("one", "r1", "web", "bob", "192.0.2.1");
        let others = [
            alert("host", "r2", "web", "eve", "192.0.2.9"),
            alert("nothing", "r3", "db", "eve", "192.0.2.9"),
            alert("rule", "r1", "db", "eve", "192.0.2.9"),
            alert("all", "r1", "web", "bob", "192.0.2.1"),
            alert("source", "r2", "db", "bob", "192.0.2.1"),
            Arc::clone(&one),
        ];
        let found = most_similar(&one, &others, 10);
        let found: Vec<(&str, Vec<&str>)> = found
            .iter()
            .map(|(other, reasons)| {
                (other.id.as_str(), reasons.iter().map(|reason| reason.what).collect())
            })
            .collect();
        assert_eq!(
            found,
            [
                ("all", vec!["rule", "source", "user", "host"]),
                ("source", vec!["source", "user"]),
                ("rule", vec!["rule"]),
                ("host", vec!["host"]),
            ]
        );
        assert_eq!(most_similar(&one, &others, 2).len(), 2);
        let mut theirs = (*others[3]).clone();
        theirs.customer = Some("another".to_owned());
        assert!(most_similar(&one, &[Arc::new(theirs)], 10).is_empty());
    }
}
