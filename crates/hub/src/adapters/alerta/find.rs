//! Alerts that a caller may see, and what stands in the way of changing them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use bergfried_alert::Alert;
use bergfried_alert::query::{self, Filter, Glance, Listing, OutOfRange, QueryError};
use bergfried_alerting::{Change, ChangeError, Failed};
use serde::Serialize;

use super::caller::Caller;
use super::error::Refusal;
use super::request::Parameters;
use crate::auth::{alert_change, audit};
use crate::error::ApiError;
use crate::router::State;

/// How many lists are made at once.
pub(crate) const SCANS: usize = 4;
/// How long alerts are looked at by expressions before the question is refused.
const LONGEST_SCAN: Duration = Duration::from_secs(10);
/// How long the writer of alerts waits at most for one look at them.
const LONGEST_LOOK: Duration = Duration::from_millis(2);
/// The longest answer, in bytes: it is held in memory until the client has read it.
const LONGEST_ANSWER: usize = 64 << 20;

/// The alert with this id, or the only one whose id begins so.
///
/// # Errors
/// 404 where there is none, several, or one of a customer that the caller does not see.
pub(crate) fn alert(state: &State, caller: &Caller, id: &str) -> Result<Arc<Alert>, Refusal> {
    let book = state.alerting.read();
    let found = book.find(id, |alert| caller.sees(alert.customer.as_deref()));
    found.cloned().ok_or_else(Refusal::not_found)
}

/// Changes one alert; the alert as it is then.
///
/// # Errors
/// 404 as [`alert`]; 409 where its state does not allow the change; 400 where it is too much.
pub(crate) async fn changed(
    state: &State,
    caller: &Caller,
    id: &str,
    change: Change,
) -> Result<Arc<Alert>, Refusal> {
    let before = alert(state, caller, id)?;
    let action = action_of(&change);
    let mut changes = state.alerting.change(vec![before.id.clone()], change).await?;
    let changed = changes.pop().ok_or_else(Refusal::not_found)?.result?;
    let who = caller.name.as_deref().unwrap_or("anonymous");
    let change = alert_change(&before, &changed);
    audit(state, who, action, changed.id.clone(), change).await?;
    Ok(changed)
}

/// What the audit trail calls a change.
pub(super) fn action_of(change: &Change) -> &'static str {
    match change {
        Change::Act(_) => "alerta.alert.act",
        Change::Status(_) => "alerta.alert.status",
        Change::Tag(_) => "alerta.alert.tag",
        Change::Untag(_) => "alerta.alert.untag",
        Change::Attributes(_) => "alerta.alert.attributes",
        _ => "alerta.alert.note",
    }
}

/// What the parameters ask for, among the alerts that the caller may see.
///
/// # Errors
/// 400 where they mean nothing.
pub(crate) async fn listing(
    state: &State,
    caller: &Caller,
    parameters: &Parameters,
) -> Result<Listing, Refusal> {
    let has_expressions = |(name, value): &(String, String)| name == "q" || value.starts_with('~');
    let listing = if parameters.0.iter().any(has_expressions) {
        // Expressions take long to compile.
        let parameters = parameters.0.clone();
        scan(state, move |state| read(state, &parameters)).await?
    } else {
        read(state, &parameters.0)?
    };
    Ok(Listing { filter: listing.filter.for_customers(caller.customers.clone()), ..listing })
}

fn read(state: &State, parameters: &[(String, String)]) -> Result<Listing, Refusal> {
    Ok(query::listing(parameters, state.alerting.settings(), state.alerting.now())?)
}

/// Runs what takes long off the threads that serve connections, a few at a time. Its turn is taken
/// until it ends, also where nobody waits for it any more.
///
/// # Errors
/// Those of `look`; 500 where it panics.
pub(crate) async fn scan<T: Send + 'static>(
    state: &State,
    look: impl FnOnce(&State) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let turn = Arc::clone(&state.scans).acquire_owned().await;
    let turn = turn.map_err(|closed| ApiError::internal(&closed))?;
    let state = state.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let looked = look(&state);
        drop(turn);
        looked
    });
    match looked.await {
        Ok(found) => found,
        Err(error) => Err(ApiError::internal(&error).into()),
    }
}

/// Alerts with the glances at them, in the order of the book.
pub(crate) type Alerts<'a> = Box<dyn Iterator<Item = (&'a Arc<Alert>, &'a Glance)> + 'a>;

/// Asks something about the alerts that a listing may mean: about all of them where looking at each
/// is quick, else about those that match. Then the listing that is handed on filters nothing more.
///
/// # Errors
/// Those of `ask`; 503 where looking takes too long.
pub(crate) async fn over<T: Send + 'static>(
    state: &State,
    mut listing: Listing,
    ask: impl FnOnce(&State, Alerts<'_>, &Listing) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    scan(state, move |state| {
        if !listing.filter.is_costly() {
            return ask(state, Box::new(state.alerting.read().listed()), &listing);
        }
        let found = matching(state, &std::mem::take(&mut listing.filter))?;
        let found = found.iter().map(|(alert, glance)| (alert, glance));
        ask(state, Box::new(found), &listing)
    })
    .await
}

/// The alerts that match, looked at a few at a time: the writer of alerts waits while the book is
/// read, and with it everyone who sends one.
fn matching(state: &State, filter: &Filter) -> Result<Vec<(Arc<Alert>, Glance)>, Refusal> {
    let late = Instant::now() + LONGEST_SCAN;
    let mut found = Vec::new();
    let mut last = None;
    loop {
        let pause = Instant::now() + LONGEST_LOOK;
        let book = state.alerting.read();
        let mut has_more = false;
        for (number, alert, glance) in book.listed_after(last) {
            if filter.takes(alert, &glance) {
                found.push((Arc::clone(alert), glance));
            }
            last = Some(number);
            has_more = Instant::now() >= pause;
            if has_more {
                break;
            }
        }
        drop(book);
        if !has_more {
            return Ok(found);
        }
        if Instant::now() >= late {
            let seconds = LONGEST_SCAN.as_secs();
            let message = format!("the search takes longer than {seconds} s, make it narrower");
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message));
        }
    }
}

/// A document of JSON, where it is not too long for an answer.
///
/// # Errors
/// 400 where it is.
pub(crate) fn written(body: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    let mut answer = Bounded(Vec::new());
    match serde_json::to_writer(&mut answer, body) {
        Ok(()) => Ok(answer.0),
        Err(error) if error.is_io() => {
            let most = LONGEST_ANSWER >> 20;
            let message = format!("the answer is longer than {most} MiB, expected a smaller page");
            Err(Refusal::invalid(message))
        }
        Err(error) => Err(ApiError::internal(&error).into()),
    }
}

/// Bytes up to [`LONGEST_ANSWER`].
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST_ANSWER {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Refusal::invalid(error.to_string())
    }
}

impl From<OutOfRange> for Refusal {
    fn from(error: OutOfRange) -> Self {
        Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, error.to_string())
    }
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound | ChangeError::NoNote(_) => Refusal::not_found(),
            ChangeError::TooMuch(_) => Refusal::invalid(error.to_string()),
            ChangeError::Conflict(_) => Refusal::conflict(error.to_string()),
        }
    }
}

impl From<Failed> for Refusal {
    fn from(failed: Failed) -> Self {
        let later = |status, seconds: u32| {
            Refusal::new(status, failed.to_string())
                .with_header(header::RETRY_AFTER, seconds.into())
        };
        match &failed {
            Failed::Full => later(StatusCode::INSUFFICIENT_STORAGE, 30),
            Failed::Stopping | Failed::Store(_) => later(StatusCode::SERVICE_UNAVAILABLE, 5),
            Failed::TooMany { .. } => Refusal::conflict(failed.to_string()),
            Failed::TooMuch(_) | Failed::Heartbeat(_) => Refusal::invalid(failed.to_string()),
        }
    }
}
