//! Searching events: pages, counts over time, most frequent values.

use axum::Json;
use axum::extract::State as Shared;
use bergfried_event::{Event, FieldName, Timestamp};
use bergfried_query::Predicate;
use bergfried_query::search::{duration, parse};
use bergfried_store::Search;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::turn::turn;
use crate::auth::Viewer;
use crate::error::{ApiError, ErrorBody};
use crate::request::Params;
use crate::router::State;
use crate::running::now;

/// The most events of one page.
const MAX_PAGE: usize = 1_000;
/// The most values of one top list.
const MAX_TOP: usize = 1_000;
/// The most buckets of one histogram.
const MAX_BUCKETS: i64 = 10_000;
const DAY: i64 = Timestamp::DAY;

/// What to look for, and when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Range {
    /// A search in the search language; empty finds everything
    q: String,
    /// From this time on (RFC 3339 or a date)
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Before this time (RFC 3339 or a date); now, and a day more for clocks ahead, where absent
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// The last span such as 15m, 24h or 7d, where `from` is absent (24h)
    last: Option<String>,
    /// At most so many: events 1 to 1000 (100), values 1 to 1000 (10)
    limit: Option<usize>,
    /// Events before this place: the `next` of the page before
    before: Option<String>,
    /// The field whose values are counted, by ECS name or alias
    field: Option<String>,
    /// The width of a bucket, such as 1m or 1h (1h)
    bucket: Option<String>,
}

impl Range {
    fn predicate(&self) -> Result<Predicate, ApiError> {
        parse(&self.q, now()).map_err(|error| ApiError::unreadable(&self.q, &error))
    }

    fn times(&self) -> Result<(Timestamp, Timestamp), ApiError> {
        times(self.from, self.to, self.last.as_deref())
    }

    fn limit(&self, default: usize, most: usize) -> Result<usize, ApiError> {
        match self.limit.unwrap_or(default) {
            limit if (1..=most).contains(&limit) => Ok(limit),
            _ => Err(ApiError::invalid(format!("`limit` must be 1 to {most}"))),
        }
    }
}

/// From when on and before when: 24 hours back where nothing says it, and a day more than now for
/// clocks ahead.
pub(crate) fn times(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    last: Option<&str>,
) -> Result<(Timestamp, Timestamp), ApiError> {
    let until = to.unwrap_or_else(|| now().plus_micros(DAY));
    let from = match (from, last) {
        (Some(_), Some(_)) => return Err(ApiError::invalid("give `from` or `last`, not both")),
        (Some(from), None) => from,
        (None, last) => {
            let last = span("last", last.unwrap_or("24h"))?;
            to.unwrap_or_else(now).plus_micros(-last)
        }
    };
    Ok((from, until))
}

fn span(name: &str, text: &str) -> Result<i64, ApiError> {
    duration(text)
        .filter(|span| *span > 0)
        .ok_or_else(|| ApiError::invalid(format!("`{name}` must be a span such as 15m, 24h or 7d")))
}

/// Events, latest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page {
    /// Flat ECS objects with `@timestamp`, `event.id` and `event.original`
    #[schema(value_type = Vec<serde_json::Value>)]
    events: Vec<Event<'static>>,
    /// The place to continue from, where there is more
    next: Option<String>,
}

/// Search events
#[utoipa::path(get, path = "/api/v1/search", tag = "events", params(Range),
    responses((status = 200, description = "Events, latest first", body = Page),
        (status = 400, description = "A search or parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn search(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(range): Params<Range>,
) -> Result<Json<Page>, ApiError> {
    let (from, to) = range.times()?;
    let search = Search {
        predicate: range.predicate()?,
        from,
        to,
        limit: range.limit(100, MAX_PAGE)?,
        before: range.before.as_deref().map(read_place).transpose()?,
    };
    let turn = turn(&state).await?;
    turn.run(move |reader, _| {
        let page = reader.search(&search)?;
        let last = page.events.last().filter(|_| page.more);
        let next = last.map(|last| format!("{}-{}", last.event.created().micros(), last.id));
        let events = page.events.into_iter().map(|stored| stored.event).collect();
        Ok(Json(Page { events, next }))
    })
    .await
}

fn read_place(text: &str) -> Result<(Timestamp, u64), ApiError> {
    text.rsplit_once('-')
        .and_then(|(micros, id)| {
            Some((Timestamp::from_micros(micros.parse().ok()?), id.parse().ok()?))
        })
        .ok_or_else(|| ApiError::invalid("`before` must be the `next` of an earlier page"))
}

/// How many events a bucket of time holds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Bucket {
    /// The start of the bucket
    #[schema(value_type = String)]
    pub(crate) time: Timestamp,
    /// Events in it
    pub(crate) count: u64,
}

/// Count events over time
#[utoipa::path(get, path = "/api/v1/histogram", tag = "events", params(Range),
    responses((status = 200, description = "Buckets that hold events, earliest first", body = Vec<Bucket>),
        (status = 400, description = "A search or parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn histogram(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(range): Params<Range>,
) -> Result<Json<Vec<Bucket>>, ApiError> {
    let (from, to) = range.times()?;
    let predicate = range.predicate()?;
    let bucket = span("bucket", range.bucket.as_deref().unwrap_or("1h"))?;
    if to.since(from) / bucket > MAX_BUCKETS {
        return Err(ApiError::invalid(format!(
            "that would be more than {MAX_BUCKETS} buckets, widen `bucket` or narrow the times"
        )));
    }
    let turn = turn(&state).await?;
    turn.run(move |reader, _| {
        let counts = reader.histogram(&predicate, from, to, bucket)?;
        Ok(Json(counts.into_iter().map(|(time, count)| Bucket { time, count }).collect()))
    })
    .await
}

/// How often a value occurs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TopValue {
    /// The value
    pub(crate) value: String,
    /// Events that hold it
    pub(crate) count: u64,
}

/// Count the most frequent values of a field
#[utoipa::path(get, path = "/api/v1/top", tag = "events", params(Range),
    responses((status = 200, description = "Values, most frequent first", body = Vec<TopValue>),
        (status = 400, description = "A search or parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn top(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(range): Params<Range>,
) -> Result<Json<Vec<TopValue>>, ApiError> {
    let (from, to) = range.times()?;
    let predicate = range.predicate()?;
    let limit = range.limit(10, MAX_TOP)?;
    let field = range
        .field
        .ok_or_else(|| ApiError::invalid("`field` is missing, such as field=source.ip"))?;
    let turn = turn(&state).await?;
    turn.run(move |reader, _| {
        let field = FieldName::new(field);
        let values = reader.top(&predicate, from, to, &field, limit)?;
        Ok(Json(values.into_iter().map(|(value, count)| TopValue { value, count }).collect()))
    })
    .await
}
