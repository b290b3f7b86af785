//! `GET /api/v1/search/complete`: what may stand at the cursor of a search that is being typed.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_event::{Field, FieldName, Timestamp};
use bergfried_query::pipeline::{self, Completion, Wanted};
use bergfried_query::search::parse;
use bergfried_query::{Condition, Part, Pattern, Predicate};
use bergfried_store::{Reader, Search};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::turn::turn;
use crate::auth::Viewer;
use crate::error::ApiError;
use crate::request::Params;
use crate::router::State;
use crate::running::now;

/// The most items.
const MAX_ITEMS: usize = 50;
/// The latest events that are asked for fields of their own.
const SAMPLE: usize = 200;
/// The longest value that is offered, in bytes.
const MAX_VALUE: usize = 256;

/// A half-typed search.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Typed {
    /// The text so far
    q: String,
    /// The byte of it at which the cursor stands; the end where absent
    at: Option<usize>,
}

/// What may stand at the cursor.
#[derive(Serialize, ToSchema)]
pub(crate) struct Completed {
    /// The byte at which the part starts whose place an item takes
    from: usize,
    /// The byte behind it
    to: usize,
    /// The items, the likeliest first
    items: Vec<Item>,
}

/// Something that may stand at the cursor.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Item {
    /// The text to put there
    text: String,
    /// `field`, `value`, `operator`, `step`, `function`, `span`, `column` or `keyword`
    kind: &'static str,
    /// What to show beside it
    detail: String,
}

/// Complete a search
///
/// Values are those that most events of the last day have, of those that the rest of the search finds.
#[utoipa::path(get, path = "/api/v1/search/complete", tag = "events", params(Typed),
    responses((status = 200, description = "What may stand at the cursor", body = Completed)))]
pub(crate) async fn complete(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(typed): Params<Typed>,
) -> Result<Json<Completed>, ApiError> {
    let completion = pipeline::complete(&typed.q, typed.at.unwrap_or(usize::MAX));
    let turn = turn(&state).await?;
    turn.run(move |reader, _limits| {
        let mut items = match &completion.wanted {
            Wanted::Value { field, others, .. } => values(reader, field, others, &completion)?,
            Wanted::Term => fields(reader, &completion.typed, ":")?,
            Wanted::Field => fields(reader, &completion.typed, "")?,
            _ => Vec::new(),
        };
        items.extend(words(&completion));
        items.truncate(MAX_ITEMS);
        Ok(Json(Completed { from: completion.from, to: completion.to, items }))
    })
    .await
}

/// The last day, and a day more for clocks ahead.
fn last_day() -> (Timestamp, Timestamp) {
    (now().plus_micros(-Timestamp::DAY), now().plus_micros(Timestamp::DAY))
}

/// The values of a field that begin as typed.
fn values(
    reader: &Reader,
    field: &FieldName<'static>,
    others: &str,
    completion: &Completion,
) -> Result<Vec<Item>, ApiError> {
    let (from, to) = last_day();
    // What stands before may be half-typed too; then it says nothing.
    let others = parse(others, now()).unwrap_or(Predicate::Constant(true));
    let pattern = Pattern::new([Part::Literal(completion.typed.clone()), Part::AnyRun], false);
    let begins = Predicate::field(field.clone(), Condition::Text(pattern));
    let found = reader.top(&others.and(begins), from, to, field, MAX_ITEMS)?;
    let typed = completion.typed.to_lowercase();
    Ok(found
        .into_iter()
        // Of an event with several values, one begins so.
        .filter(|(value, _)| value.to_lowercase().starts_with(&typed) && value.len() <= MAX_VALUE)
        .map(|(value, count)| Item {
            text: written(&value),
            kind: "value",
            detail: format!("{count} events"),
        })
        .collect())
}

/// A value as it is typed: in quotation marks where it would mean something else without.
fn written(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '/');
    let special = matches!(value, "AND" | "OR" | "NOT") || value.starts_with(['-', '/']);
    if !value.is_empty() && !special && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The fields that begin as typed, or of which a part does; those of events of the last day too.
fn fields(reader: &Reader, typed: &str, behind: &str) -> Result<Vec<Item>, ApiError> {
    let typed = typed.trim_start_matches('"').to_lowercase();
    let mut items = Vec::new();
    let mut begin = BTreeSet::new();
    for field in Field::ALL {
        let begins = field.name().starts_with(&typed);
        let alias = field.aliases().iter().find(|alias| alias.starts_with(&typed));
        let part = field.name().split('.').any(|part| part.starts_with(&typed));
        if begins || alias.is_some() || part {
            let exact = field.name() == typed || alias.is_some_and(|alias| **alias == typed);
            // Fields with a short name are those that people ask for.
            begin.insert((!exact, alias.is_none(), !begins, field.name()));
        }
    }
    for (.., name) in begin {
        let aliases = Field::from_name(name).map(Field::aliases).unwrap_or_default();
        let text = format!("{name}{behind}");
        items.push(Item { text, kind: "field", detail: aliases.join(", ") });
    }
    let (from, to) = last_day();
    let predicate = Predicate::Constant(true);
    let page = reader.search(&Search { predicate, from, to, limit: SAMPLE, before: None })?;
    let names = page.events.iter().flat_map(|stored| stored.event.fields());
    let others: BTreeSet<&str> = names
        .filter_map(|(name, _)| match name {
            FieldName::Other(name) => Some(name.as_ref()),
            FieldName::Known(_) => None,
        })
        .filter(|name| name.len() <= MAX_VALUE && name.to_lowercase().contains(&typed))
        .collect();
    items.extend(others.into_iter().map(|name| Item {
        // Its source's own name, which may look like a slip of another one.
        text: format!("\"{}\"{behind}", name.replace('\\', "\\\\").replace('"', "\\\"")),
        kind: "field",
        detail: String::new(),
    }));
    Ok(items)
}

/// The words of the language that begin as typed.
fn words(completion: &Completion) -> Vec<Item> {
    let kind = match completion.wanted {
        Wanted::Step => "step",
        Wanted::Function => "function",
        Wanted::Span => "span",
        Wanted::Column(_) => "column",
        Wanted::Term => "operator",
        _ => "keyword",
    };
    let typed = completion.typed.to_lowercase();
    completion
        .wanted
        .words()
        .into_iter()
        .filter(|(word, _)| word.to_lowercase().starts_with(&typed))
        .map(|(word, detail)| Item {
            text: word,
            kind,
            detail: if detail == kind { String::new() } else { detail.to_owned() },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_back_as_themselves() {
        for value in [
            "root",
            "web-01",
            "10.0.0.1",
            "a b",
            "-x",
            "/usr/bin/ls",
            "a\"b\\c",
            "OR",
            "",
            "a*",
            "2001:db8::1",
        ] {
            let text = format!("user:{}", written(value));
            let predicate = parse(&text, Timestamp::MIN).unwrap();
            let mut event = bergfried_event::Event::new(Timestamp::MIN, "x");
            event.set(Field::UserName, value.to_owned());
            assert!(predicate.matches(&event), "{text}");
            event.set(Field::UserName, format!("{value}x"));
            assert!(!predicate.matches(&event), "{text}");
        }
    }
}
