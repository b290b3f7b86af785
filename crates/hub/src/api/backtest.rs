//! Trying a rule or a search over what is stored.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_event::Timestamp;
use bergfried_query::search::{duration, parse};
use bergfried_rules::sec::{Purpose, SecRule, Sets, SourceFile, Table};
use bergfried_rules::{Diagnostic, Rule, RuleSet, Source};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::Viewer;
use crate::backtest::{Backtest, Over, SecTrial, Trial, backtest, backtest_sec};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::history::{Bounds, GivesUp};
use crate::request::Body;
use crate::router::State;
use crate::running::now;

/// How long one waits for the one before it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take; a request as a whole has 30 s.
const TIME: Duration = Duration::from_secs(20);
/// The most events that it is shown.
const EVENTS: u64 = 10_000_000;
/// The longest span of time.
const MAX_SPAN: i64 = 3_660 * Timestamp::DAY;
/// The name of a file that is not written anywhere.
const UNWRITTEN: &str = "rule";

/// What to try, and when; one of `rule`, `sec`, `rule_id` and `query`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tried {
    /// Rules as YAML; they may refer to rules that run
    rule: Option<String>,
    /// Rules as a file of SEC, the Simple Event Correlator
    sec: Option<String>,
    /// The id of a rule that the hub has, also one that is switched off
    rule_id: Option<String>,
    /// A search: each event that it finds is a hit
    query: Option<String>,
    /// From this time on
    #[schema(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Before this time (now)
    #[schema(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// The last span such as 24h or 30d, where `from` is absent (7d)
    last: Option<String>,
}

enum Subject {
    Source(String),
    Sec(String),
    Id(String),
    Search(String),
}

impl Tried {
    fn times(&self) -> Result<(Timestamp, Timestamp), ApiError> {
        let to = self.to.unwrap_or_else(now);
        let from = match (self.from, self.last.as_deref()) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("give `from` or `last`, not both"));
            }
            (Some(from), None) => from,
            (None, last) => {
                let span = duration(last.unwrap_or("7d")).filter(|span| *span > 0);
                let span = span
                    .ok_or_else(|| ApiError::invalid("`last` must be a span such as 24h or 30d"))?;
                to.plus_micros(-span)
            }
        };
        if from >= to || to.since(from) > MAX_SPAN {
            return Err(ApiError::invalid("`from` must be before `to`, by at most ten years"));
        }
        Ok((from, to))
    }

    fn subject(self) -> Result<Subject, ApiError> {
        match (self.rule, self.sec, self.rule_id, self.query) {
            (Some(source), None, None, None) => Ok(Subject::Source(source)),
            (None, Some(source), None, None) => Ok(Subject::Sec(source)),
            (None, None, Some(id), None) => Ok(Subject::Id(id)),
            (None, None, None, Some(search)) => Ok(Subject::Search(search)),
            _ => Err(ApiError::invalid("give one of `rule`, `sec`, `rule_id` and `query`")),
        }
    }
}

/// Try a rule or a search over what is stored
///
/// Nothing is changed. The rules run through the same engine as over what comes in; findings fold
/// into alerts as they would have, but none is closed or expires meanwhile. One runs at a time, for at
/// most twenty seconds; `cut` says where that was too little.
#[utoipa::path(post, path = "/api/v1/backtest", tag = "rules", request_body = Tried,
    responses((status = 200, description = "What it would have found", body = Backtest),
        (status = 400, description = "Rules, a search or times that cannot be read", body = ErrorBody),
        (status = 404, description = "There is no rule of this id", body = ErrorBody),
        (status = 503, description = "Others are being tried", body = ErrorBody)))]
pub(crate) async fn run(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Body(tried): Body<Tried>,
) -> Result<Json<Backtest>, ApiError> {
    let (from, to) = tried.times()?;
    let subject = tried.subject()?;
    let turn = tokio::time::timeout(PATIENCE, state.previews.clone().acquire_owned()).await;
    let permit = match turn {
        Ok(permit) => permit.map_err(|error| ApiError::internal(&error))?,
        Err(_elapsed) => {
            let message = "other rules are being tried, try again";
            return Err(ApiError::later(StatusCode::SERVICE_UNAVAILABLE, message, 10));
        }
    };
    let bounds = Bounds { events: EVENTS, time: TIME, ..Bounds::default() };
    let stop = bounds.stop.clone();
    let _gives_up = GivesUp(stop.clone());
    let work = blocking(move || {
        let _permit = permit;
        let now = state.alerting.now();
        let exceptions = state.alerting.read().exceptions().cloned().collect::<Vec<_>>();
        let exceptions = exceptions.into_iter().filter(|one| one.is_live(now)).collect();
        let settings = state.alerting.settings();
        let over = Over { from, to, bounds, settings, exceptions };
        let told = match sets(&state, &subject)? {
            Some((sets, meant)) => {
                let meant = &*meant;
                let trial = SecTrial { sets, meant, over };
                backtest_sec(&state.reader, &trial)?
            }
            None => {
                let (rules, meant) = rules(&state, subject)?;
                let (rules, meant) = (Arc::new(rules), &*meant);
                let trial = Trial { rules, meant, over };
                backtest(&state.reader, &trial)?
            }
        };
        Ok(Json(told))
    });
    let mut work = pin!(work);
    match tokio::time::timeout(TIME, &mut work).await {
        Ok(done) => done,
        Err(_elapsed) => {
            // What was found until now is told soon.
            stop.set();
            work.await
        }
    }
}

type Meant = Box<dyn Fn(&Rule) -> bool>;

type SecMeant = Box<dyn Fn(&SecRule) -> bool>;

/// The rules of SEC that are tried, where it is such.
fn sets(state: &State, subject: &Subject) -> Result<Option<(Sets, SecMeant)>, ApiError> {
    match subject {
        Subject::Sec(text) => {
            let source = SourceFile { name: UNWRITTEN.to_owned(), text: text.clone().into_bytes() };
            let none = |name: &str| Err(format!("no table `{name}` was sent along"));
            let table = Table::named(UNWRITTEN);
            let (sets, said) = Sets::load(vec![(table, vec![source])], None, &none, Purpose::Check);
            if let Some(mistake) = said.iter().find(|said| said.is_error()) {
                let Diagnostic { line, message, .. } = mistake;
                return Err(ApiError::invalid(format!("line {line}: {message}")));
            }
            if sets.rules().next().is_none() {
                return Err(ApiError::invalid("there is no rule in the text"));
            }
            Ok(Some((sets, Box::new(|_: &SecRule| true))))
        }
        Subject::Id(id) => {
            let all = state.rules.now().all;
            let Some(rule) = all.sec().rules().find(|rule| rule.id == *id) else { return Ok(None) };
            let id = id.clone();
            let meant = Box::new(move |rule: &SecRule| rule.id == id);
            // The whole set: rules stop others, and stand on the contexts of others.
            Ok(all.sec().only(&rule.set).map(|sets| (sets, meant as SecMeant)))
        }
        Subject::Source(_) | Subject::Search(_) => Ok(None),
    }
}

/// The rules that are tried with those that they refer to, and which of them are meant.
fn rules(state: &State, subject: Subject) -> Result<(RuleSet, Meant), ApiError> {
    match subject {
        Subject::Id(id) => {
            let rules = state.rules.now().all.only(|rule| rule.id() == id);
            if rules.is_empty() {
                let id = id.escape_debug();
                return Err(ApiError::not_found(format!("there is no rule of the id `{id}`")));
            }
            Ok((rules, Box::new(move |rule: &Rule| rule.id() == id)))
        }
        Subject::Source(text) => {
            let source = Source { file: UNWRITTEN.to_owned(), text };
            let (rules, said) =
                state.rules.with(source).map_err(|error| ApiError::invalid(error.to_string()))?;
            if let Some(mistake) = said.iter().find(|said| said.is_error()) {
                let Diagnostic { line, column, message, .. } = mistake;
                return Err(ApiError::invalid(format!("line {line}, column {column}: {message}")));
            }
            let rules = rules.only(|rule| rule.file() == UNWRITTEN);
            if rules.is_empty() {
                return Err(ApiError::invalid("there is no rule in the text"));
            }
            Ok((rules, Box::new(|rule: &Rule| rule.file() == UNWRITTEN)))
        }
        // Tried by itself.
        Subject::Sec(_) => Err(ApiError::invalid("there is no rule in the text")),
        Subject::Search(search) => {
            let predicate =
                parse(&search, now()).map_err(|error| ApiError::unreadable(&search, &error))?;
            Ok((RuleSet::of_search(&search, predicate), Box::new(|_: &Rule| true)))
        }
    }
}
