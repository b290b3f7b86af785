//! `GET /api/v1/query`: searches with steps, and what a search reads.

use std::time::Instant;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_event::{Timestamp, Value};
use bergfried_query::pipeline::{self, Pipeline, Step};
use bergfried_store::{Column, Explanation, Kind, Parts, Search};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use super::search::times;
use super::turn::turn;
use crate::auth::Viewer;
use crate::error::{ApiError, ErrorBody};
use crate::query::answer;
use crate::query::write::Cell;
use crate::request::Params;
use crate::router::State;
use crate::running::now;

/// A search with its steps, and when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Asked {
    /// A search in the search language, such as `failed | top source.ip`
    q: String,
    /// From this time on (RFC 3339 or a date)
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Before this time (RFC 3339 or a date); now, and a day more for clocks ahead, where absent
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// The last span such as 15m, 24h or 7d, where `from` is absent (24h)
    last: Option<String>,
    /// Whether to say what was read for it (no)
    explain: bool,
}

impl Asked {
    pub(crate) fn times(&self) -> Result<(Timestamp, Timestamp), ApiError> {
        times(self.from, self.to, self.last.as_deref())
    }

    pub(crate) fn pipeline(&self) -> Result<Pipeline, ApiError> {
        read(&self.q)
    }
}

/// The search with its steps that a person typed.
pub(crate) fn read(text: &str) -> Result<Pipeline, ApiError> {
    pipeline::parse(text, now()).map_err(|error| ApiError::unreadable(text, &error))
}

/// A table.
#[derive(Serialize, ToSchema)]
pub(crate) struct Answered {
    /// The search without its steps
    search: String,
    /// Its columns
    columns: Vec<ColumnBody>,
    /// Its rows, with a value for each column; times are RFC 3339
    #[schema(value_type = Vec<Vec<serde_json::Value>>)]
    rows: Rows,
    /// Whether there are more rows than these
    more: bool,
    /// How long it took, in milliseconds
    took_ms: u64,
    /// What was read for it, where that was asked
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Explained>,
}

/// A column of a table.
#[derive(Serialize, ToSchema)]
pub(crate) struct ColumnBody {
    /// A field, `time`, or a figure such as `distinct(user.name)`
    name: String,
    /// `text`, `number` or `time`; a field of events may hold anything
    kind: &'static str,
    /// Whether its figures may be off by up to 1 percent
    approximate: bool,
}

impl ColumnBody {
    fn of(column: &Column) -> ColumnBody {
        let kind = match column.kind {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Time => "time",
        };
        ColumnBody { name: column.name.clone(), kind, approximate: column.approximate }
    }
}

/// Rows as arrays.
struct Rows(Vec<Kind>, Vec<Vec<Value<'static>>>);

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.1.len()))?;
        for row in &self.1 {
            let cells: Vec<Cell<'_>> =
                self.0.iter().zip(row).map(|(kind, value)| Cell(*kind, value)).collect();
            rows.serialize_element(&cells)?;
        }
        rows.end()
    }
}

/// Run a search with steps
///
/// Gives a table of at most 10,000 rows (50,000 points of a chart by a field, whose rarest values are
/// counted together as null). A search without steps gives its latest events as rows; `/search` gives
/// them whole.
#[utoipa::path(get, path = "/api/v1/query", tag = "events", params(Asked),
    responses((status = 200, description = "The table", body = Answered),
        (status = 400, description = "A search or parameter that cannot be read, or too much of it", body = ErrorBody),
        (status = 503, description = "It took too long", body = ErrorBody)))]
pub(crate) async fn query(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(asked): Params<Asked>,
) -> Result<Json<Answered>, ApiError> {
    let (pipeline, times) = (asked.pipeline()?, asked.times()?);
    let turn = turn(&state).await?;
    turn.run(move |reader, limits| {
        let started = Instant::now();
        let answer = answer(reader, &pipeline, times, limits)?;
        let explain = asked.explain.then(|| Explained::of(&answer.explanation, &pipeline));
        Ok(Json(Answered {
            columns: answer.columns.iter().map(ColumnBody::of).collect(),
            rows: Rows(answer.columns.iter().map(|column| column.kind).collect(), answer.rows),
            more: answer.more,
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            explain,
            search: pipeline.search,
        }))
    })
    .await
}

/// What a search read and what it could leave out.
#[derive(Serialize, ToSchema)]
pub(crate) struct Explained {
    /// What is looked for, in words
    condition: String,
    /// The steps, as they were understood
    steps: Vec<String>,
    /// Segment files
    segments: PartsBody,
    /// Row groups of segments, also of those that were left out whole
    row_groups: PartsBody,
    /// Blocks of the newest events, which are in memory
    blocks: PartsBody,
    /// Events that were answered from the index, unread
    events_from_index: u64,
    /// Events in what was read
    events_read: u64,
    /// Of them, events that were looked at one by one
    events_decoded: u64,
    /// Events found; where reading stopped early, so many until then
    events_matched: u64,
    /// Whether reading stopped because the page was full
    stopped_early: bool,
}

/// What became of some parts of the store.
#[derive(Serialize, ToSchema)]
pub(crate) struct PartsBody {
    /// How many there are
    all: u64,
    /// Left out by the time
    by_time: u64,
    /// Left out by the least and the greatest value
    by_statistics: u64,
    /// Left out because the Bloom filter has none of the values
    by_bloom_filter: u64,
    /// Left out because the token filter has none of the words
    by_token_filter: u64,
    /// Left out because the page was full before
    unneeded: u64,
    /// Answered from the index
    from_index: u64,
    /// Read
    read: u64,
}

impl From<Parts> for PartsBody {
    fn from(parts: Parts) -> Self {
        PartsBody {
            all: parts.all,
            by_time: parts.by_time,
            by_statistics: parts.by_statistics,
            by_bloom_filter: parts.by_bloom_filter,
            by_token_filter: parts.by_token_filter,
            unneeded: parts.unneeded,
            from_index: parts.from_index,
            read: parts.read,
        }
    }
}

impl Explained {
    fn of(explanation: &Explanation, pipeline: &Pipeline) -> Explained {
        Explained {
            condition: pipeline.predicate.to_string(),
            steps: pipeline.steps.iter().map(Step::to_string).collect(),
            segments: explanation.segments.into(),
            row_groups: explanation.row_groups.into(),
            blocks: explanation.blocks.into(),
            events_from_index: explanation.events_from_index,
            events_read: explanation.events_read,
            events_decoded: explanation.events_decoded,
            events_matched: explanation.events_matched,
            stopped_early: explanation.stopped_early,
        }
    }
}

/// Events of the page that is explained.
const PAGE: usize = 100;

/// Explain a search
///
/// Runs it for the first page of events, or for its table, and says what was read.
#[utoipa::path(get, path = "/api/v1/search/explain", tag = "events", params(Asked),
    responses((status = 200, description = "What was read", body = Explained),
        (status = 400, description = "A search or parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn explain(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(asked): Params<Asked>,
) -> Result<Json<Explained>, ApiError> {
    let (pipeline, times) = (asked.pipeline()?, asked.times()?);
    let turn = turn(&state).await?;
    turn.run(move |reader, limits| {
        let explanation = if pipeline.steps.first().is_some_and(Step::counts) {
            answer(reader, &pipeline, times, limits)?.explanation
        } else {
            let (from, to) = times;
            let predicate = pipeline.predicate.clone();
            reader.explain(&Search { predicate, from, to, limit: PAGE, before: None })?
        };
        Ok(Json(Explained::of(&explanation, &pipeline)))
    })
    .await
}
