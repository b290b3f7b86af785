//! `GET /api/v1/search/fields`: which fields the events that a search finds have, with what values.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_event::{Event, FieldName, Value};
use bergfried_store::Search;
use serde::Serialize;
use utoipa::ToSchema;

use super::query::Asked;
use super::search::TopValue;
use super::turn::turn;
use crate::auth::Viewer;
use crate::error::{ApiError, ErrorBody};
use crate::request::Params;
use crate::router::State;

/// The latest events that are looked at.
const SAMPLE: usize = 1_000;
/// The most fields that are told.
const MAX_FIELDS: usize = 200;
/// The most values of a field that are told.
const TOP: usize = 5;
/// The longest value that is told whole, in characters.
const MAX_VALUE: usize = 200;

/// Which fields events have.
#[derive(Serialize, ToSchema)]
pub(crate) struct Facets {
    /// How many events were looked at: the latest, at most 1000
    events: usize,
    /// Whether the search finds more than these
    more: bool,
    /// The fields, those that most events have first
    fields: Vec<Facet>,
}

/// A field of events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Facet {
    /// Its name
    name: String,
    /// How many of the events have it
    count: u64,
    /// Which part of the events has it, 0 to 1
    share: f64,
    /// How many different values it has in them
    distinct: usize,
    /// The values that most of them have
    top: Vec<TopValue>,
}

/// Which fields a search's events have
///
/// Of the latest 1000 events that it finds; steps behind it change nothing here. `/top` counts one
/// field over all of them.
#[utoipa::path(get, path = "/api/v1/search/fields", tag = "events", params(Asked),
    responses((status = 200, description = "The fields", body = Facets),
        (status = 400, description = "A search or parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn fields(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(asked): Params<Asked>,
) -> Result<Json<Facets>, ApiError> {
    let (pipeline, (from, to)) = (asked.pipeline()?, asked.times()?);
    let turn = turn(&state).await?;
    turn.run(move |reader, _limits| {
        let predicate = pipeline.predicate;
        let page = reader.search(&Search { predicate, from, to, limit: SAMPLE, before: None })?;
        let fields = facets(page.events.iter().map(|stored| &stored.event));
        Ok(Json(Facets { events: page.events.len(), more: page.more, fields }))
    })
    .await
}

fn facets<'e>(events: impl Iterator<Item = &'e Event<'static>>) -> Vec<Facet> {
    let mut found: HashMap<&FieldName<'static>, (u64, HashMap<String, u64>)> = HashMap::new();
    let mut all: u64 = 0;
    for event in events {
        all += 1;
        for (name, value) in event.fields() {
            let (count, values) = found.entry(name).or_default();
            *count += 1;
            each(value, &mut |text| *values.entry(text).or_default() += 1);
        }
    }
    let mut facets: Vec<Facet> = found
        .into_iter()
        .map(|(name, (count, values))| {
            let distinct = values.len();
            let mut top: Vec<(String, u64)> = values.into_iter().collect();
            top.sort_unstable_by(|one, other| {
                other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0))
            });
            top.truncate(TOP);
            #[expect(clippy::cast_precision_loss, reason = "both are at most a thousand")]
            let share = count as f64 / all as f64;
            let top = top.into_iter().map(|(value, count)| TopValue { value, count }).collect();
            Facet { name: name.as_str().to_owned(), count, share, distinct, top }
        })
        .collect();
    facets.sort_unstable_by(|one, other| {
        other.count.cmp(&one.count).then_with(|| one.name.cmp(&other.name))
    });
    facets.truncate(MAX_FIELDS);
    facets
}

/// Each value of a field as text; of long ones, the beginning.
fn each(value: &Value<'_>, add: &mut impl FnMut(String)) {
    match value {
        Value::Null => {}
        Value::List(values) => values.iter().for_each(|value| each(value, add)),
        value => add(value.to_text().chars().take(MAX_VALUE).collect()),
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Field, Timestamp};

    use super::*;

    #[test]
    fn fields_are_told_by_how_many_have_them() {
        let mut one = Event::new(Timestamp::MIN, "x");
        one.set(Field::UserName, "root");
        one.set(Field::Tags, Value::List(vec!["a".into(), "b".into()]));
        let mut two = Event::new(Timestamp::MIN, "y");
        two.set(Field::UserName, "root");
        two.set(Field::SourcePort, Value::Int(22));
        let facets = facets([&one, &two].into_iter());
        let told: Vec<_> = facets
            .iter()
            .map(|facet| (facet.name.as_str(), facet.count, facet.distinct, facet.share))
            .collect();
        assert_eq!(
            told,
            [("user.name", 2, 1, 1.0), ("source.port", 1, 1, 0.5), ("tags", 1, 2, 0.5)]
        );
        let top = &facets.first().unwrap().top;
        assert_eq!(
            top.iter().map(|top| (&*top.value, top.count)).collect::<Vec<_>>(),
            [("root", 2)]
        );
    }
}
