//! Events themselves as rows.

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_query::pipeline::{Pipeline, SortKey, Step};
use bergfried_store::{Column, Kind, Reader, Search};

use super::{Answer, MAX_ROWS, QueryError, shape};

/// The columns of events where nothing names others.
pub(crate) const COLUMNS: &[Field] =
    &[Field::Timestamp, Field::HostName, Field::ProcessName, Field::Message];

/// The latest events that the search finds, shaped by the steps.
pub(super) fn rows(
    reader: &Reader,
    pipeline: &Pipeline,
    (from, to): (Timestamp, Timestamp),
) -> Result<Answer, QueryError> {
    let asked = match pipeline.steps.iter().find(|step| !matches!(step, Step::Fields(_))) {
        Some(Step::Head(limit)) => Some(*limit),
        _ => None,
    };
    let limit = asked.unwrap_or(MAX_ROWS);
    let predicate = pipeline.predicate.clone();
    let page = reader.search(&Search { predicate, from, to, limit, before: None })?;
    let sorts = pipeline.steps.iter().any(|step| matches!(step, Step::Sort(_)));
    if page.more && sorts && asked.is_none() {
        return Err(QueryError::TooMuch(format!(
            "more than {MAX_ROWS} events are found, too many to sort: narrow the search or the \
             time, or put `head` before `sort` to sort the latest ones"
        )));
    }
    // Of large events a page holds fewer than it was asked for.
    let short = page.more && page.events.len() < limit;
    if short && sorts {
        return Err(QueryError::TooMuch(format!(
            "the {} latest of the events take all the memory that a search may take, so the others \
             cannot be sorted with them: narrow the search or the time",
            page.events.len()
        )));
    }
    let shown = shown(&pipeline.steps);
    // What is sorted by must be there until then.
    let mut columns = shown.clone();
    for key in pipeline.steps.iter().filter_map(sort_keys).flatten() {
        if !columns.contains(&key.column) {
            columns.push(key.column.clone());
        }
    }
    let fields: Vec<FieldName<'_>> =
        columns.iter().map(|name| FieldName::exact(name.as_str())).collect();
    let rows = page
        .events
        .iter()
        .map(|stored| fields.iter().map(|field| value(&stored.event, field)).collect())
        .collect();
    let columns = columns.iter().map(|name| column(name)).collect();
    let more = page.more && asked.is_none() || short;
    let mut answer = Answer { columns, rows, more, ..Answer::default() };
    let steps: Vec<Step> = pipeline
        .steps
        .iter()
        .filter(|step| !matches!(step, Step::Fields(_)))
        .cloned()
        .chain([Step::Fields(shown)])
        .collect();
    shape::apply(&mut answer, &steps);
    Ok(answer)
}

fn sort_keys(step: &Step) -> Option<&Vec<SortKey>> {
    match step {
        Step::Sort(keys) => Some(keys),
        _ => None,
    }
}

/// The columns at the end: those of the last `fields`.
fn shown(steps: &[Step]) -> Vec<String> {
    let named = steps.iter().rev().find_map(|step| match step {
        Step::Fields(columns) => Some(columns.clone()),
        _ => None,
    });
    named.unwrap_or_else(|| COLUMNS.iter().map(|field| field.name().to_owned()).collect())
}

/// A column that holds a field of events.
pub(crate) fn column(name: &str) -> Column {
    let is_time = matches!(Field::from_name(name), Some(Field::Timestamp | Field::EventIngested));
    let kind = if is_time { Kind::Time } else { Kind::Text };
    Column { name: name.to_owned(), kind, approximate: false }
}

/// The value of a field of an event; times as microseconds.
pub(crate) fn value(event: &Event<'static>, field: &FieldName<'_>) -> Value<'static> {
    match field {
        FieldName::Known(Field::Timestamp) => Value::Int(event.created().micros()),
        FieldName::Known(Field::EventOriginal) => Value::from(event.original().to_owned()),
        FieldName::Known(Field::EventIngested) => {
            let time = event.text(Field::EventIngested).and_then(|text| text.parse().ok());
            time.map_or(Value::Null, |time: Timestamp| Value::Int(time.micros()))
        }
        field => event.get_named(field).cloned().unwrap_or(Value::Null),
    }
}
