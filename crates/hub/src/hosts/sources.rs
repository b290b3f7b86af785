//! What a host's agent collects and what is missing, read back from the event that says so.

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_query::{Condition, Part, Pattern, Predicate};
use bergfried_store::{Reader, Search, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

const DATASET: &str = "bergfried.sources";
/// Agents say it every six hours.
const WITHIN: i64 = 2 * Timestamp::DAY;
/// The most sources that are shown.
const MAX_SOURCES: usize = 64;

/// What an agent collects.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Sources {
    /// When it was so
    #[schema(value_type = String)]
    time: Timestamp,
    list: Vec<Source>,
}

/// A source of records.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Source {
    name: String,
    /// `collected`, `partly`, `unreadable`, `missing` or `off`
    state: String,
    /// One sentence
    detail: String,
    /// The command or the change that helps
    fix: Option<String>,
}

/// What the agent of this host said last.
///
/// # Errors
/// Where a file cannot be read or is damaged.
pub(crate) fn newest_sources(
    reader: &Reader,
    host: &str,
    now: Timestamp,
) -> Result<Option<Sources>, StoreError> {
    let is = |field: Field, text: &str| {
        let exactly = Pattern::new([Part::Literal(text.to_owned())], true);
        Predicate::field(field, Condition::Text(exactly))
    };
    let search = Search {
        predicate: is(Field::EventDataset, DATASET).and(is(Field::HostName, host)),
        from: now.plus_micros(-WITHIN),
        to: Timestamp::MAX,
        limit: 1,
        before: None,
    };
    let page = reader.search(&search)?;
    Ok(page.events.first().map(|stored| read(&stored.event)))
}

fn read(event: &Event<'_>) -> Sources {
    let texts = |name: &'static str| -> Vec<String> {
        let value = event.get_named(&FieldName::new(name));
        let values = match value {
            Some(Value::List(values)) => values.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        values.iter().take(MAX_SOURCES).map(|value| value.to_text().into_owned()).collect()
    };
    let (names, states) = (texts("agent.sources.name"), texts("agent.sources.state"));
    let (details, fixes) = (texts("agent.sources.detail"), texts("agent.sources.fix"));
    let at = |texts: &[String], place: usize| texts.get(place).cloned().unwrap_or_default();
    let source = |(place, name)| Source {
        name,
        state: at(&states, place),
        detail: at(&details, place),
        fix: Some(at(&fixes, place)).filter(|fix| !fix.is_empty()),
    };
    Sources { time: event.created(), list: names.into_iter().enumerate().map(source).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_beside_each_other_become_sources() {
        let mut event = Event::new(Timestamp::from_seconds(7), "");
        let words = |words: &[&'static str]| {
            Value::List(words.iter().map(|word| Value::from(*word)).collect())
        };
        event
            .set_named(FieldName::new("agent.sources.name"), words(&["journal", "audit log", "x"]));
        event.set_named(FieldName::new("agent.sources.state"), words(&["collected", "missing"]));
        event.set_named(FieldName::new("agent.sources.detail"), words(&["it is", "it is not"]));
        event.set_named(FieldName::new("agent.sources.fix"), words(&["", "apt install auditd"]));
        let sources = read(&event);
        let told: Vec<_> = sources
            .list
            .iter()
            .map(|source| (source.name.as_str(), source.state.as_str(), source.fix.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("journal", "collected", None),
                ("audit log", "missing", Some("apt install auditd")),
                ("x", "", None),
            ]
        );
        assert_eq!(read(&Event::new(Timestamp::from_seconds(7), "")).list, []);
    }
}
