//! `GET /events`: the logins that were reported, newest first.

use axum::Json;
use axum::extract::{RawQuery, State as Shared};
use axum::http::HeaderMap;
use bergfried_event::{Event, Field, FieldName, Timestamp};
use bergfried_query::{Comparison, Condition, Pattern, Predicate};
use bergfried_store::{Search, StoredEvent};
use serde_json::{Value, json};

use super::require_admin;
use crate::adapters::detail::Detail;
use crate::adapters::query::{in_range, no_bool, read_bool};
use crate::api::turn::turn;
use crate::router::State;
use crate::running::now;

/// How many logins are looked through for one page, which is ordered by arrival.
const MAX_LOOKED_AT: usize = 20_000;
const HOUR: i64 = 3_600 * Timestamp::SECOND;

/// Query parameters that must equal a field.
const EQUALS: [(&str, &str); 5] = [
    ("user", "user.name"),
    ("hostname", "host.name"),
    ("region", "watchtower.region"),
    ("host_group", "watchtower.host_group"),
    ("severity", "watchtower.severity"),
];

pub(crate) async fn events(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<Value>>, Detail> {
    require_admin(&state, &headers).await?;
    let wanted = Wanted::read(query.as_deref().unwrap_or_default())?;
    let turn = turn(&state).await?;
    let listed = turn.run(move |reader, _| {
        let page = reader.search(&Search {
            predicate: wanted.predicate(now()),
            from: Timestamp::MIN,
            to: Timestamp::MAX,
            limit: MAX_LOOKED_AT,
            before: None,
        })?;
        let mut logins = page.events;
        logins.sort_by_key(|stored| std::cmp::Reverse(stored.id));
        logins.truncate(wanted.limit);
        Ok(logins.iter().map(document).collect())
    });
    Ok(Json(listed.await?))
}

#[derive(Debug, PartialEq)]
struct Wanted {
    equals: Vec<(&'static str, String)>,
    flagged: Option<bool>,
    hours: i64,
    limit: usize,
}

impl Wanted {
    fn read(query: &str) -> Result<Wanted, Detail> {
        let mut wanted = Wanted { equals: Vec::new(), flagged: None, hours: 24, limit: 100 };
        let mut mistakes = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Some((_, field)) = EQUALS.iter().find(|(parameter, _)| *parameter == name) {
                wanted.equals.push((field, value.into_owned()));
                continue;
            }
            match name.as_ref() {
                "flagged" => match read_bool(&value) {
                    Some(flagged) => wanted.flagged = Some(flagged),
                    None => mistakes.push(no_bool("flagged", &value)),
                },
                "hours" => match in_range("hours", &value, 168) {
                    Ok(hours) => wanted.hours = hours,
                    Err(mistake) => mistakes.push(mistake),
                },
                "limit" => match in_range("limit", &value, 1_000) {
                    Ok(limit) => wanted.limit = usize::try_from(limit).unwrap_or(100),
                    Err(mistake) => mistakes.push(mistake),
                },
                _ => {}
            }
        }
        if mistakes.is_empty() { Ok(wanted) } else { Err(Detail::unprocessable(mistakes)) }
    }

    fn predicate(&self, now: Timestamp) -> Predicate {
        let equals = |name: &'static str, value: &str| {
            Predicate::field(FieldName::new(name), Condition::Text(Pattern::exact(value)))
        };
        let since = now.plus_micros(-self.hours * HOUR);
        #[expect(clippy::cast_precision_loss, reason = "microseconds of these centuries fit")]
        let recent = Condition::Number(Comparison::GreaterOrEqual, since.micros() as f64);
        let mut predicate = equals("event.module", "watchtower")
            .and(Predicate::field(Field::EventIngested, recent));
        for (field, value) in &self.equals {
            predicate = predicate.and(equals(field, value));
        }
        match self.flagged {
            None => predicate,
            Some(flagged) => {
                let set = equals("watchtower.flagged", "true");
                predicate.and(if flagged { set } else { Predicate::Not(Box::new(set)) })
            }
        }
    }
}

/// A login as Watchtower documents it.
fn document(stored: &StoredEvent) -> Value {
    let event = &stored.event;
    json!({
        "id": stored.id,
        "created_at": stored.ingested,
        "event_timestamp": named(event, "watchtower.timestamp"),
        "hostname": named(event, "host.name"),
        "user": named(event, "user.name"),
        "method": named(event, "ssh.method"),
        "source_ip": event.text(Field::SourceIp).or_else(|| event.text(Field::SourceAddress)),
        "source_port": named(event, "watchtower.source_port"),
        "raw_message": event.text(Field::Message).unwrap_or_default(),
        "region": named(event, "watchtower.region"),
        "host_group": named(event, "watchtower.host_group"),
        "severity": named(event, "watchtower.severity"),
        "flagged": named(event, "watchtower.flagged").is_some_and(|flagged| flagged == "true"),
    })
}

fn named(event: &Event<'_>, name: &'static str) -> Option<String> {
    event.get_named(&FieldName::new(name)).map(|value| value.to_text().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_mistakes_named() {
        let wanted = Wanted::read("user=bob&flagged=true&hours=168&limit=1&other=x").unwrap();
        assert_eq!(wanted.equals, [("user.name", "bob".to_owned())]);
        assert_eq!((wanted.flagged, wanted.hours, wanted.limit), (Some(true), 168, 1));
        for query in ["hours=0", "hours=169", "limit=1001", "limit=x", "flagged=perhaps"] {
            assert!(Wanted::read(query).is_err(), "{query}");
        }
    }
}
