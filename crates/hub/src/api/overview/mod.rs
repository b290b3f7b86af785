//! `GET /api/v1/overview`: the figures of the console's first page, in one answer.
//!
//! Looking costs something, so an answer is kept for some seconds, longer where it took long: however
//! many pages are open, at most a tenth of the time goes into it.

mod alerts;
mod events;

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bergfried_event::{Field, Timestamp};
use bergfried_store::{Limits, Reader};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::alerts::{Alerts, alerts};
use self::events::{Events, Looking, events};
use super::turn::turn;
use crate::auth::Viewer;
use crate::error::{ApiError, ErrorBody};
use crate::request::Params;
use crate::router::State;
use crate::running::now;

/// An answer is good for so long at least.
const KEPT: Duration = Duration::from_secs(3);
/// And for so many times what it took.
const KEPT_TIMES: u32 = 10;
/// But not longer than this.
const KEPT_MOST: Duration = Duration::from_secs(60);
/// Over how long the rate of intake is taken, where somebody looked before.
const RATE_OVER: Duration = Duration::from_secs(60);
/// The most silent hosts that are named.
const MAX_SILENT: usize = 8;
/// How many of the events stored last tell how late they come.
const LAG_EVENTS: u64 = 64;
/// Older ones say nothing of the present.
const LAG_WITHIN: i64 = 300 * Timestamp::SECOND;

/// What the events of a minute are told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    /// What happened, in Heimdall's words
    #[default]
    Kind,
    /// The kind of system
    System,
    /// The host
    Host,
    /// The program that logged it
    Program,
}

impl By {
    const fn field(self) -> Field {
        match self {
            By::Kind => Field::HeimdallEventType,
            By::System => Field::HeimdallOsType,
            By::Host => Field::HostName,
            By::Program => Field::ProcessName,
        }
    }
}

/// How to show it.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// What the events of a minute are told apart by: `kind`, `system`, `host` or `program`
    by: By,
}

/// The last 24 hours.
#[derive(Serialize, ToSchema)]
pub(crate) struct Body {
    /// When this was looked up
    #[schema(value_type = String)]
    at: Timestamp,
    took_ms: u64,
    events: Events,
    alerts: Alerts,
    hosts: Hosts,
    ingest: Ingest,
    /// What wants a person's attention, each in one sentence
    problems: Vec<String>,
}

/// Which hosts speak.
#[derive(Serialize, ToSchema)]
struct Hosts {
    known: usize,
    online: usize,
    /// Those that do not, the one heard of last first; at most 8
    silent: Vec<SilentHost>,
}

#[derive(Serialize, ToSchema)]
struct SilentHost {
    name: String,
    #[schema(value_type = String)]
    last_seen: Timestamp,
}

/// How much arrives, and how late.
#[derive(Serialize, ToSchema)]
struct Ingest {
    /// Events stored in a second
    per_second: f64,
    /// Over how many seconds that is the mean
    over_seconds: u64,
    /// Seconds from when an event happened to when it was taken, in the middle of those stored last;
    /// null where none came in the last five minutes
    lag_seconds: Option<f64>,
    /// When the last event was taken
    #[schema(value_type = Option<String>)]
    newest: Option<Timestamp>,
}

/// What is kept between two answers.
#[derive(Default)]
pub(crate) struct Overview {
    answers: tokio::sync::Mutex<HashMap<By, Answer>>,
    looked: Mutex<VecDeque<(Instant, u64)>>,
    /// When each of the top sources was seen first, which does not change.
    first_seen: Arc<Mutex<HashMap<String, Timestamp>>>,
}

struct Answer {
    body: Bytes,
    until: Instant,
}

/// The last 24 hours at a glance
///
/// Figures of the last 24 hours and of the day before, events by minute, open alerts, sources, hosts
/// that are silent and how intake goes. An answer may be some seconds old.
#[utoipa::path(get, path = "/api/v1/overview", tag = "hub", params(Wanted),
    responses((status = 200, description = "The figures", body = Body),
        (status = 400, description = "A parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn overview(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(wanted): Params<Wanted>,
) -> Result<Response, ApiError> {
    // Whoever asks meanwhile waits for the answer that is being made.
    let mut answers = state.overview.answers.lock().await;
    let kept = answers.get(&wanted.by).filter(|answer| Instant::now() < answer.until);
    let body = match kept {
        Some(answer) => answer.body.clone(),
        None => {
            let begun = Instant::now();
            let (turn, looking) = (turn(&state).await?, state.clone());
            let body =
                turn.run(move |reader, limits| look(&looking, reader, limits, wanted.by)).await?;
            let good_for = (begun.elapsed() * KEPT_TIMES).clamp(KEPT, KEPT_MOST);
            let until = Instant::now() + good_for;
            answers.insert(wanted.by, Answer { body: body.clone(), until });
            body
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

fn look(state: &State, reader: &Reader, limits: &Limits, by: By) -> Result<Bytes, ApiError> {
    let begun = Instant::now();
    let now = now();
    let events = events(state, &Looking { reader, limits }, by, now)?;
    let body = Body {
        at: now,
        alerts: alerts(&state.alerting, now),
        hosts: hosts(state, now),
        ingest: ingest(state, now)?,
        problems: super::health::problems(state),
        events,
        took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let body = serde_json::to_vec(&body).map_err(|error| ApiError::internal(&error))?;
    Ok(body.into())
}

fn hosts(state: &State, now: Timestamp) -> Hosts {
    let hosts = state.hosts.list(now);
    let mut silent: Vec<SilentHost> = hosts
        .iter()
        .filter(|host| !host.online)
        .map(|host| SilentHost { name: host.name.clone(), last_seen: host.last_seen })
        .collect();
    let (known, online) = (hosts.len(), hosts.len() - silent.len());
    silent.sort_by_key(|host| Reverse(host.last_seen));
    silent.truncate(MAX_SILENT);
    Hosts { known, online, silent }
}

fn ingest(state: &State, now: Timestamp) -> Result<Ingest, ApiError> {
    let since_start = now.since(state.started) / Timestamp::SECOND;
    let (per_second, over_seconds) =
        state.overview.rate(Instant::now(), state.pipeline.counters().events, since_start);
    let last = state.reader.last_id();
    let mut newest = None;
    let mut lags = Vec::new();
    for id in (last.saturating_sub(LAG_EVENTS)..=last).rev() {
        let Some(stored) = state.reader.get(id)? else { continue };
        newest = newest.max(Some(stored.ingested));
        if now.since(stored.ingested) > LAG_WITHIN {
            break;
        }
        lags.push(stored.ingested.since(stored.event.created()).max(0));
    }
    lags.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a lag is far below 2^53 microseconds")]
    let lag_seconds = lags.get(lags.len() / 2).map(|micros| *micros as f64 / 1_000_000.0);
    Ok(Ingest { per_second, over_seconds, lag_seconds, newest })
}

impl Overview {
    /// How many events a second were stored since somebody looked about a minute ago, and over how
    /// many seconds that is; since the start where nobody did.
    #[expect(clippy::cast_precision_loss, reason = "a rate is no more exact than that")]
    fn rate(&self, at: Instant, events: u64, since_start: i64) -> (f64, u64) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        // The second may go only once the one behind it is old enough to count from.
        while looked.get(1).is_some_and(|(then, _)| at.duration_since(*then) >= RATE_OVER) {
            looked.pop_front();
        }
        let start = (since_start.max(1) as f64, 0);
        let (seconds, before) = looked
            .front()
            .map(|(then, count)| (at.duration_since(*then).as_secs_f64(), *count))
            .filter(|(seconds, _)| *seconds >= 1.0)
            .unwrap_or(start);
        if looked.back().is_none_or(|(then, _)| at.duration_since(*then) >= KEPT) {
            looked.push_back((at, events));
        }
        (events.saturating_sub(before) as f64 / seconds, seconds.round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_minute_once_somebody_looked() {
        let overview = Overview::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        for (seconds, events, expected) in [
            // Nobody looked before: since the start, 100 s ago.
            (0, 1_000, (10.0, 100)),
            (10, 1_200, (20.0, 10)),
            (40, 1_200, (5.0, 40)),
            // The look at 10 s is the oldest that is a minute away. That at 71 s is not kept.
            (70, 1_500, (5.0, 60)),
            (71, 1_500, (300.0 / 61.0, 61)),
            (1_000, 1_500, (0.0, 930)),
        ] {
            assert_eq!(overview.rate(at(seconds), events, 100), expected, "{seconds}");
        }
    }
}
