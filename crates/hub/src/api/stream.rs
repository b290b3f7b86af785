//! `GET /api/v1/stream`: what happens to alerts, and what rules find, as server-sent events.
//!
//! The format is that of the HTML standard, section "Server-sent events". Ids are revisions of the
//! alerts: they rise, over restarts too, so `Last-Event-ID` goes on where a connection ended.
//!
//! A connection holds a few messages at most. A reader that lets them lie, or that falls too far
//! behind what happens, gets a last event that says so and is let go; it may come back with the id
//! that it read last.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bergfried_alert::query::Filter;
use bergfried_alert::{Alert, Model};
use bergfried_alerting::{Followed, Happened, News};
use bergfried_event::{Event, Field, FieldName, Finding};
use bergfried_query::Predicate;
use bergfried_query::search::parse;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::{OwnedPermit, Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use utoipa::IntoParams;

use super::alerts::{AlertBody, read_filter};
use crate::auth::{AlertViewer, Person, ended};
use crate::error::{ApiError, ErrorBody};
use crate::request::Params;
use crate::router::State;
use crate::running::now;

/// How many streams are open at once.
pub(crate) const STREAMS: usize = 64;
/// How many messages wait for one reader; one may be an alert with all its notes.
const WAITING: usize = 8;
/// How long a reader may let them lie.
const PATIENCE: Duration = Duration::from_secs(30);
/// After how long without news a comment shows that both sides are there.
const QUIET: Duration = Duration::from_secs(15);
/// What browsers' own clients wait before they come back, in milliseconds.
const RETRY: u32 = 2_000;

/// What to follow.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Follow {
    /// `alerts` or `findings`; both where absent
    kind: Option<Kind>,
    /// With `kind` only. Of alerts, a query as for their list; of findings, a search over `rule.id`,
    /// `rule.name`, `severity`, `host.name`, `user.name`, `source.ip`, `process.name`, what the rule
    /// grouped by and what matched
    q: Option<String>,
    /// The id to go on after, where `Last-Event-ID` cannot be sent
    after: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Alerts,
    Findings,
}

/// Follow alerts and findings live
///
/// Server-sent events: `alert` (an alert as it is now, as `/api/v1/alerts/{id}` shows it), `deleted`
/// (`{"id"}`), `finding`, `suppressed` (`{"exception", "finding"}`: no alert was made of it), `gap`
/// (the connection came back too late: findings and deletions are missing, every alert that changed
/// since follows), `ready` (from here on it is live) and, last, `end` (`{"reason", "next"}`).
#[utoipa::path(get, path = "/api/v1/stream", tag = "alerts",
    params(Follow, ("Last-Event-ID" = Option<u64>, Header, description = "The id to go on after")),
    responses((status = 200, description = "Events as they happen", body = String,
            content_type = "text/event-stream"),
        (status = 400, description = "A parameter or an id that cannot be read", body = ErrorBody),
        (status = 503, description = "There are too many streams open", body = ErrorBody)))]
pub(crate) async fn stream(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    headers: HeaderMap,
    Params(follow): Params<Follow>,
) -> Result<Response, ApiError> {
    let wanted = Wanted::read(&state, &follow, person.clone())?;
    let after = match headers.get("last-event-id") {
        Some(id) => Some(read_id(id)?),
        None => follow.after,
    };
    let Ok(permit) = state.streams.clone().try_acquire_owned() else {
        return Err(ApiError::later(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("there are {STREAMS} streams open, which is as many as there may be"),
            10,
        ));
    };
    // One place is kept for the last event, which so always finds room.
    let (messages, receiver) = channel(WAITING + 1);
    let last =
        messages.clone().reserve_owned().await.map_err(|error| ApiError::internal(&error))?;
    let followed = state.alerting.follow(after);
    let out = Out { messages, last, wanted, stopping: state.stopping.clone() };
    let signed_out = ended(state.clone(), person);
    tokio::spawn(out.run(followed, signed_out));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies of the nginx kind would keep events back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let body = Body::from_stream(Messages { receiver, _permit: permit });
    Ok((headers, body).into_response())
}

fn read_id(id: &HeaderValue) -> Result<u64, ApiError> {
    let id = id.to_str().ok().and_then(|id| id.trim().parse().ok());
    id.ok_or_else(|| {
        ApiError::invalid("`Last-Event-ID` must be the `id` of an event of this stream")
    })
}

/// What one reader wants to hear of.
struct Wanted {
    /// Which alerts.
    alerts: Option<Filter>,
    /// Which findings.
    findings: Option<Predicate>,
    model: Model,
    /// Who wants it.
    person: Person,
}

impl Wanted {
    fn read(state: &State, follow: &Follow, person: Person) -> Result<Wanted, ApiError> {
        if follow.kind.is_none() && follow.q.is_some() {
            return Err(ApiError::invalid("`q` needs `kind=alerts` or `kind=findings` beside it"));
        }
        let of = |kind| follow.kind.is_none_or(|wanted| wanted == kind);
        let alerts = of(Kind::Alerts).then(|| read_filter(state, [("q", follow.q.clone())]));
        let search = follow.q.as_deref().unwrap_or_default();
        // A finding is of events, which are everyone's.
        let may_find = !person.is_limited();
        if follow.kind == Some(Kind::Findings) && !may_find {
            return Err(ApiError::forbidden(
                "you see the alerts of some customers only, no findings",
            ));
        }
        let findings = (may_find && of(Kind::Findings))
            .then(|| parse(search, now()).map_err(|error| ApiError::unreadable(search, &error)));
        Ok(Wanted {
            alerts: alerts.transpose()?.map(|filter| filter.for_customers(person.customers())),
            findings: findings.transpose()?,
            model: state.alerting.settings().model.clone(),
            person,
        })
    }

    /// What to say of it, where the reader wants to hear of it.
    fn message(&self, happened: &Happened) -> Option<Bytes> {
        let id = Some(happened.id);
        match &happened.news {
            News::Alert(alert) => self.is_wanted(alert).then(|| {
                let alert = AlertBody::of(alert, &self.model);
                message(id, "alert", &alert)
            }),
            News::Deleted { id: alert, customer } => {
                let wanted = self.alerts.is_some() && self.person.sees(customer.as_deref());
                wanted.then(|| message(id, "deleted", &json!({"id": alert})))
            }
            News::Finding(finding) => {
                let findings = self.findings.as_ref()?;
                findings
                    .matches(&as_event(finding))
                    .then(|| message(id, "finding", finding.as_ref()))
            }
            News::Suppressed { finding, exception } => {
                let findings = self.findings.as_ref()?;
                let finding = finding.as_ref();
                let suppressed = || message(id, "suppressed", &Suppressed { exception, finding });
                findings.matches(&as_event(finding)).then(suppressed)
            }
        }
    }

    fn is_wanted(&self, alert: &Alert) -> bool {
        self.alerts.as_ref().is_some_and(|filter| filter.matches(alert))
    }
}

/// A finding of which an exception lets no alert be made.
#[derive(Serialize)]
struct Suppressed<'a> {
    /// The id of the exception.
    exception: &'a str,
    finding: &'a Finding,
}

/// A finding as a search sees it.
fn as_event(finding: &Finding) -> Event<'_> {
    let mut event = Event::new(finding.last_seen, finding.example.as_str());
    let named = finding.group.iter().chain(&finding.matched);
    for (field, value) in named {
        event.set_named(FieldName::new(field.as_str()), value.as_str());
    }
    event.set(Field::Message, finding.example.as_str());
    event.set_named(FieldName::new("severity"), finding.severity.name());
    event.set_named(FieldName::new("rule.id"), finding.rule_id.as_str());
    event.set_named(FieldName::new("rule.name"), finding.rule_name.as_str());
    for (field, value) in [
        (Field::HostName, &finding.host),
        (Field::UserName, &finding.user),
        (Field::SourceIp, &finding.source),
        (Field::ProcessName, &finding.program),
    ] {
        if let Some(value) = value {
            event.set(field, value.as_str());
        }
    }
    event
}

/// One event in the format of the stream. JSON has no line break in it, so the data is one line.
fn message(id: Option<u64>, event: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_else(|error| {
        tracing::error!(%error, event, "cannot write an event of a stream");
        "null".to_owned()
    });
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    format!("{id}event: {event}\ndata: {data}\n\n").into()
}

/// The sending side of one stream.
struct Out {
    messages: Sender<Bytes>,
    last: OwnedPermit<Bytes>,
    wanted: Wanted,
    stopping: watch::Receiver<bool>,
}

/// Why a stream ends.
enum End {
    /// The reader has gone; there is nobody to tell.
    Gone,
    /// The reader let messages lie.
    Stuck,
    /// So many changes were overwritten before they could be sent.
    Lagged(u64),
    /// The hub stops.
    Stopping,
    /// The session of the reader is over.
    SignedOut,
}

impl Out {
    async fn run(mut self, followed: Followed, signed_out: impl Future<Output = ()>) {
        let end = tokio::select! {
            told = self.tell(followed) => match told {
                Ok(never) => match never {},
                Err(end) => end,
            },
            () = signed_out => End::SignedOut,
        };
        let reason = match end {
            End::Gone => return,
            End::Stuck => format!("nothing was read for {} s", PATIENCE.as_secs()),
            End::Lagged(lost) => format!("too slow: {lost} changes went by meanwhile"),
            End::Stopping => "the hub is stopping".to_owned(),
            End::SignedOut => "your session is over".to_owned(),
        };
        let next = "come back with the last id";
        self.last.send(message(None, "end", &json!({"reason": reason, "next": next})));
    }

    async fn tell(&mut self, followed: Followed) -> Result<Infallible, End> {
        let Followed { gap, past, at, mut live } = followed;
        self.send(format!("retry: {RETRY}\n\n").into()).await?;
        if gap {
            let said = "findings and deleted alerts may be missing here";
            self.send(message(None, "gap", &json!({"reason": said}))).await?;
        }
        for happened in past {
            if let Some(message) = self.wanted.message(&happened) {
                self.send(message).await?;
            }
        }
        self.send(message(Some(at), "ready", &json!({"revision": at}))).await?;
        let (mut id, mut sent) = (at, Instant::now());
        loop {
            let received = tokio::select! {
                received = live.recv() => received,
                () = stopped(&mut self.stopping) => return Err(End::Stopping),
                () = self.messages.closed() => return Err(End::Gone),
                () = tokio::time::sleep_until(sent + QUIET) => {
                    // An id alone is no event; it spares whoever comes back what was not for it.
                    self.send(format!(": still here\nid: {id}\n\n").into()).await?;
                    sent = Instant::now();
                    continue;
                }
            };
            match received {
                Ok(happened) => {
                    id = happened.id;
                    if let Some(message) = self.wanted.message(&happened) {
                        self.send(message).await?;
                        sent = Instant::now();
                    }
                }
                Err(RecvError::Lagged(lost)) => return Err(End::Lagged(lost)),
                Err(RecvError::Closed) => return Err(End::Stopping),
            }
        }
    }

    async fn send(&mut self, message: Bytes) -> Result<(), End> {
        tokio::select! {
            sent = self.messages.send(message) => sent.map_err(|_| End::Gone),
            () = stopped(&mut self.stopping) => Err(End::Stopping),
            () = tokio::time::sleep(PATIENCE) => Err(End::Stuck),
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Whoever would say so has gone as well when the channel is closed.
    let _stopped = stopping.wait_for(|stopping| *stopping).await;
}

/// The receiving end, as a stream of body chunks; the stream counts as open until it is dropped.
struct Messages {
    receiver: Receiver<Bytes>,
    _permit: OwnedSemaphorePermit,
}

impl futures_core::Stream for Messages {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(context).map(|message| message.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;
    use tokio::sync::broadcast;

    use super::*;

    fn deleted(id: u64) -> Happened {
        Happened { id, news: News::Deleted { id: format!("alert {id}\n\u{85}"), customer: None } }
    }

    fn out(room: usize) -> (Out, Receiver<Bytes>, watch::Sender<bool>) {
        let (messages, receiver) = channel(room + 1);
        let last = messages.clone().try_reserve_owned().unwrap();
        let (stop, stopping) = watch::channel(false);
        let wanted = Wanted {
            alerts: Some(Filter::default()),
            findings: None,
            model: Model::alerta(),
            person: Person::of_key(1, String::new()),
        };
        (Out { messages, last, wanted, stopping }, receiver, stop)
    }

    async fn rest(receiver: &mut Receiver<Bytes>) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(message) = receiver.recv().await {
            all.push(String::from_utf8(message.to_vec()).unwrap());
        }
        all
    }

    #[tokio::test]
    async fn who_falls_behind_is_told_and_let_go() {
        let (out, mut receiver, _stop) = out(16);
        let (live, behind) = broadcast::channel(2);
        for id in 1..=5 {
            live.send(deleted(id)).unwrap();
        }
        out.run(
            Followed { gap: true, past: vec![deleted(0)], at: 0, live: behind },
            std::future::pending(),
        )
        .await;
        let said = rest(&mut receiver).await;
        let events: Vec<&str> = said
            .iter()
            .filter_map(|said| said.lines().find(|line| line.starts_with("event")))
            .collect();
        assert_eq!(events, ["event: gap", "event: deleted", "event: ready", "event: end"]);
        assert!(said[4].contains("3 changes went by"), "{said:?}");
        // A name with line breaks stays on its line.
        assert_eq!(said[2].lines().count(), 4, "{said:?}");
        assert!(
            said[2].starts_with("id: 0\nevent: deleted\ndata: {") && said[2].ends_with("}\n\n")
        );
    }

    #[tokio::test]
    async fn the_last_event_finds_room_when_nobody_reads() {
        let (out, mut receiver, stop) = out(1);
        let (_live, behind) = broadcast::channel(2);
        let past = vec![deleted(1), deleted(2), deleted(3)];
        let running = tokio::spawn(
            out.run(Followed { gap: false, past, at: 3, live: behind }, std::future::pending()),
        );
        stop.send_replace(true);
        running.await.unwrap();
        let said = rest(&mut receiver).await;
        assert!(said.len() <= 2, "{said:?}");
        assert!(said.last().unwrap().contains("event: end\n"), "{said:?}");
        assert!(said.last().unwrap().contains("the hub is stopping"), "{said:?}");
    }

    #[test]
    fn a_search_sees_findings() {
        let at = Timestamp::from_micros(0);
        let finding: Finding = serde_json::from_value(json!({
            "rule.id": "r1", "rule.name": "Guessing", "severity": "high", "host.name": "web",
            "user.name": "bob", "source.ip": "192.0.2.7", "process.name": "sshd", "count": 3,
            "first_seen": at, "last_seen": at, "threat.technique.id": [],
            "group": [["source.port", "22"]], "example": "Failed password for bob",
        }))
        .unwrap();
        let event = as_event(&finding);
        for (search, finds) in [
            ("", true),
            ("rule.id:r1 severity:high", true),
            ("source.ip:192.0.2.0/24 user:bob", true),
            ("source.port:>20 \"failed password\"", true),
            ("host:db", false),
            ("severity:low", false),
        ] {
            let parsed = parse(search, at).map(|predicate| predicate.matches(&event));
            assert_eq!(parsed.ok(), Some(finds), "{search}");
        }
    }
}
