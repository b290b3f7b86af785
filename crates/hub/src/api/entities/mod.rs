//! `GET /api/v1/entities/{kind}/{value}`: what is known of an address, a user or a host.
//!
//! What the store counts is counted by the store, in one pass over the events that name the entity; the
//! alerts are those of the book. Names come from logs: they are values here, never text of
//! a search.

mod alerts;
mod story;

use std::net::IpAddr;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_event::{Field, FieldName, Timestamp, Value};
use bergfried_query::{Condition, Pattern, Predicate};
use bergfried_store::{Aggregation, Figure, Key, Limits, Reader, Search, Sort};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::alerts::{Mentioned, mentioning};
pub(crate) use self::story::{__path_story, story};
use super::search::{Bucket, times};
use super::turn::turn;
use crate::auth::Viewer;
use crate::error::{ApiError, ErrorBody};
use crate::request::{InPath, Params};
use crate::router::State;
use crate::running::now;

/// The most values of a list.
const TOP: usize = 10;
/// The longest name of an entity, in bytes.
const MAX_VALUE: usize = 512;
/// About how many buckets a histogram has at most.
const BUCKETS: i64 = 200;
/// Widths of buckets, in seconds.
const WIDTHS: &[i64] = &[60, 300, 900, 3_600, 21_600, 86_400, 604_800];
/// The fields of each list: hosts, users, addresses, actions, processes.
const LISTS: [&[Field]; 5] = [
    &[Field::HostName],
    &[Field::UserName, Field::UserTargetName],
    &[Field::SourceIp, Field::DestinationIp],
    &[Field::EventAction],
    &[Field::ProcessName],
];
/// The most pairs of an address and its country that are looked at.
const MAX_PAIRS: usize = 10_000;
/// The field in which chains put where an address is, where a database says it.
const COUNTRIES: &[&str] = &["source.geo.country_name", "source.geo.country_iso_code"];

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// An address of the Internet Protocol
    Address,
    /// A user
    User,
    /// A host
    Host,
}

impl Kind {
    /// The fields in which events name such a thing.
    fn fields(self) -> &'static [Field] {
        match self {
            Kind::Address => &[Field::SourceIp, Field::DestinationIp, Field::SourceAddress],
            Kind::User => &[Field::UserName, Field::UserEffectiveName, Field::UserTargetName],
            Kind::Host => &[Field::HostName],
        }
    }
}

/// An entity that may be looked at.
#[derive(Clone, Debug)]
struct Entity {
    kind: Kind,
    value: String,
}

impl Entity {
    fn read(kind: Kind, value: String) -> Result<Entity, ApiError> {
        if value.is_empty() || value.len() > MAX_VALUE {
            return Err(ApiError::invalid(format!("a name has 1 to {MAX_VALUE} bytes")));
        }
        let value = match kind {
            Kind::Address => match value.parse::<IpAddr>() {
                Ok(address) => address.to_canonical().to_string(),
                Err(_) => return Err(ApiError::invalid("this is no address, expected an IP")),
            },
            Kind::User | Kind::Host => value,
        };
        Ok(Entity { kind, value })
    }

    /// The events that name it.
    fn predicate(&self) -> Predicate {
        let names = self.kind.fields().iter().map(|field| {
            let condition = match self.value.parse::<IpAddr>() {
                // An address of version 6 can be written in many ways.
                Ok(address) if self.kind == Kind::Address && address.is_ipv6() => {
                    Condition::Network(address.into())
                }
                _ => Condition::Text(Pattern::literal(self.value.clone())),
            };
            Predicate::field(FieldName::Known(*field), condition)
        });
        Predicate::Or(names.collect())
    }

    fn is(&self, name: &str) -> bool {
        match (self.kind, name.parse::<IpAddr>()) {
            (Kind::Address, Ok(address)) => address.to_canonical().to_string() == self.value,
            _ => name.to_lowercase() == self.value.to_lowercase(),
        }
    }
}

/// When to look.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct When {
    /// From this time on (RFC 3339 or a date)
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Before this time (RFC 3339 or a date); now, and a day more for clocks ahead, where absent
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// The last span such as 24h or 30d, where `from` is absent (7d)
    last: Option<String>,
}

impl When {
    fn times(&self) -> Result<(Timestamp, Timestamp), ApiError> {
        let last = self.last.as_deref().or(self.from.is_none().then_some("7d"));
        times(self.from, self.to, last)
    }
}

/// What is known of an entity.
#[derive(Serialize, ToSchema)]
pub(crate) struct EntityBody {
    kind: Kind,
    value: String,
    /// When the first of all stored events that name it happened; of a host, when it was first heard
    /// of, where that was before
    #[schema(value_type = Option<String>)]
    first_seen: Option<Timestamp>,
    /// When the last of them happened; of a host without any, when it was last heard of
    #[schema(value_type = Option<String>)]
    last_seen: Option<Timestamp>,
    /// Events in the time that was asked for; the lists below count these
    events: u64,
    /// The width of a bucket of the histogram, in seconds
    bucket: i64,
    /// Buckets that hold events, earliest first
    histogram: Vec<Bucket>,
    /// Alerts about it, latest first
    alerts: Vec<Mentioned>,
    hosts: Vec<Related>,
    users: Vec<Related>,
    addresses: Vec<Related>,
    actions: Vec<Related>,
    processes: Vec<Related>,
    /// Where the address is, where a chain of this hub looks that up
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
}

/// Something that stands in events beside an entity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Related {
    value: String,
    /// Events that have both
    count: u64,
    /// When the first of them happened, of those in the time that was asked for
    #[schema(value_type = Option<String>)]
    first_seen: Option<Timestamp>,
    /// When the last of them happened
    #[schema(value_type = Option<String>)]
    last_seen: Option<Timestamp>,
}

/// Look at an address, a user or a host
#[utoipa::path(get, path = "/api/v1/entities/{kind}/{value}", tag = "entities",
    params(("kind" = Kind, Path, description = "What it is"),
        ("value" = String, Path, description = "Its name"), When),
    responses((status = 200, description = "What is known of it", body = EntityBody),
        (status = 400, description = "An unknown kind, no address, or a parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn entity(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    InPath((kind, value)): InPath<(Kind, String)>,
    Params(when): Params<When>,
) -> Result<Json<EntityBody>, ApiError> {
    let entity = Entity::read(kind, value)?;
    let times = when.times()?;
    let turn = turn(&state).await?;
    turn.run(move |reader, limits| {
        let look = Look { reader, limits, predicate: entity.predicate(), times };
        let width = width(times);
        let Counted { histogram, lists, country } = look.counted(&entity, width)?;
        let [hosts, users, addresses, actions, processes] = lists;
        // Of hosts more is known than what retention left of their events.
        let heard = (entity.kind == Kind::Host).then(|| state.hosts.get(&entity.value, now()));
        let heard = heard.flatten();
        let first_heard = heard.as_ref().map(|host| host.first_seen);
        Ok(Json(EntityBody {
            first_seen: look.first()?.into_iter().chain(first_heard).min(),
            last_seen: look.last()?.or(heard.map(|host| host.last_seen)),
            events: histogram.iter().map(|bucket| bucket.count).sum(),
            bucket: width / Timestamp::SECOND,
            histogram,
            alerts: mentioning(&state, &entity, times),
            hosts,
            users,
            addresses,
            actions,
            processes,
            country,
            kind: entity.kind,
            value: entity.value,
        }))
    })
    .await
}

/// The narrowest width of a bucket that makes no more than about 200 of them.
fn width((from, to): (Timestamp, Timestamp)) -> i64 {
    let span = to.min(now().plus_micros(Timestamp::DAY)).since(from);
    let widths = WIDTHS.iter().map(|seconds| seconds * Timestamp::SECOND);
    let widest = Timestamp::DAY * 7;
    widths.into_iter().find(|width| span / width <= BUCKETS).unwrap_or(widest.max(span / BUCKETS))
}

/// The events that name an entity, in a time.
struct Look<'l> {
    reader: &'l Reader,
    limits: &'l Limits,
    predicate: Predicate,
    times: (Timestamp, Timestamp),
}

/// What the events say that name an entity.
struct Counted {
    histogram: Vec<Bucket>,
    lists: [Vec<Related>; LISTS.len()],
    country: Option<String>,
}

impl Look<'_> {
    /// Looks at the events once for all of it.
    fn counted(&self, entity: &Entity, width: i64) -> Result<Counted, ApiError> {
        let time = || FieldName::Known(Field::Timestamp);
        let of_field = |field: &Field| {
            let figures = vec![Figure::Count, Figure::Min(time()), Figure::Max(time())];
            self.counts(vec![Key::Field(FieldName::Known(*field))], figures, TOP + 1)
        };
        let countries = COUNTRIES.iter().map(|name| {
            let by = vec![Key::Field(Field::SourceIp.into()), Key::Field(FieldName::new(*name))];
            self.counts(by, vec![Figure::Count], MAX_PAIRS)
        });
        let countries = countries.filter(|_| entity.kind == Kind::Address);
        let buckets = self.counts(vec![Key::Time(width)], vec![Figure::Count], usize::MAX);
        let asked: Vec<Aggregation> = std::iter::once(buckets)
            .chain(LISTS.into_iter().flatten().map(of_field))
            .chain(countries)
            .collect();
        let mut tables = self.reader.aggregate_all(&asked, self.limits)?.into_iter();
        let mut rows = || tables.next().map(|table| table.rows).unwrap_or_default();
        let mut histogram: Vec<Bucket> = rows().iter().filter_map(|row| bucket(row)).collect();
        histogram.sort_unstable_by_key(|bucket| bucket.time);
        let lists = LISTS.map(|fields| {
            let found = fields.iter().map(|field| (*field, rows())).collect();
            related(entity, found)
        });
        // What is known of where a source is says nothing of where it connects to.
        let country = COUNTRIES.iter().find_map(|_| {
            rows().into_iter().find_map(|row| match row.as_slice() {
                [source, country, _] if entity.is(&source.to_text()) => {
                    Some(country.to_text().into_owned())
                }
                _ => None,
            })
        });
        Ok(Counted { histogram, lists, country })
    }

    /// The most frequent groups first.
    fn counts(&self, by: Vec<Key>, figures: Vec<Figure>, limit: usize) -> Aggregation {
        Aggregation {
            predicate: self.predicate.clone(),
            from: self.times.0,
            to: self.times.1,
            order: vec![Sort { column: by.len(), descending: true }],
            by,
            figures,
            limit,
        }
    }

    /// When the first of all stored events happened.
    fn first(&self) -> Result<Option<Timestamp>, ApiError> {
        let mut first = None;
        let (from, to) = (Timestamp::MIN, Timestamp::MAX);
        self.reader.replay_matching(&self.predicate, from, to, |stored| {
            first = Some(stored.event.created());
            std::ops::ControlFlow::Break(())
        })?;
        Ok(first)
    }

    /// When the last of them happened.
    fn last(&self) -> Result<Option<Timestamp>, ApiError> {
        let predicate = self.predicate.clone();
        let (from, to) = (Timestamp::MIN, Timestamp::MAX);
        let page = self.reader.search(&Search { predicate, from, to, limit: 1, before: None })?;
        Ok(page.events.first().map(|stored| stored.event.created()))
    }
}

fn bucket(row: &[Value<'static>]) -> Option<Bucket> {
    let [Value::Int(time), count] = row else { return None };
    let count = count.as_int()?.try_into().ok()?;
    Some(Bucket { time: Timestamp::from_micros(*time), count })
}

/// The values of some fields that most events have beside the entity, which itself is left out.
fn related(entity: &Entity, found: Vec<(Field, Vec<Vec<Value<'static>>>)>) -> Vec<Related> {
    let mut related: Vec<Related> = Vec::new();
    for (field, rows) in found {
        for row in rows.iter().filter_map(|row| Related::of(row)) {
            if entity.kind.fields().contains(&field) && entity.is(&row.value) {
                continue;
            }
            match related.iter_mut().find(|known| known.value == row.value) {
                Some(known) => known.absorb(row),
                None => related.push(row),
            }
        }
    }
    related.sort_by(|one, other| {
        other.count.cmp(&one.count).then_with(|| one.value.cmp(&other.value))
    });
    related.truncate(TOP);
    related
}

impl Related {
    fn of(row: &[Value<'static>]) -> Option<Related> {
        let [value, count, first, last] = row else { return None };
        let time = |value: &Value<'_>| value.as_int().map(Timestamp::from_micros);
        Some(Related {
            value: value.to_text().into_owned(),
            count: count.as_int()?.try_into().ok()?,
            first_seen: time(first),
            last_seen: time(last),
        })
    }

    fn absorb(&mut self, other: Related) {
        self.count += other.count;
        self.first_seen = [self.first_seen, other.first_seen].into_iter().flatten().min();
        self.last_seen = self.last_seen.max(other.last_seen);
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::Event;

    use super::*;

    #[test]
    fn events_that_name_an_entity_are_found_however_it_is_written() {
        for (kind, value, field, text, expected) in [
            (Kind::Address, "192.0.2.1", Field::SourceIp, "192.0.2.1", true),
            (Kind::Address, "192.0.2.1", Field::DestinationIp, "192.0.2.1", true),
            (Kind::Address, "192.0.2.1", Field::SourceIp, "192.0.2.10", false),
            (Kind::Address, "::ffff:192.0.2.1", Field::SourceIp, "192.0.2.1", true),
            (Kind::Address, "2001:DB8:0::1", Field::SourceIp, "2001:db8::1", true),
            (Kind::User, "Bob", Field::UserTargetName, "bob", true),
            (Kind::User, "b*", Field::UserName, "bob", false),
            (Kind::Host, "web OR db", Field::HostName, "web", false),
        ] {
            let entity = Entity::read(kind, value.to_owned()).unwrap();
            let mut event = Event::new(Timestamp::MIN, "x");
            event.set(field, text);
            assert_eq!(entity.predicate().matches(&event), expected, "{value} {text}");
        }
        assert!(Entity::read(Kind::Address, "web-01".to_owned()).is_err());
        assert!(Entity::read(Kind::User, String::new()).is_err());
        assert!(Entity::read(Kind::User, "x".repeat(513)).is_err());
    }

    #[test]
    fn histograms_have_as_many_buckets_as_fit_on_a_page() {
        let at = |seconds: i64| Timestamp::from_seconds(1_700_000_000 + seconds);
        for (span, expected) in
            [(3_600, 60), (86_400, 900), (7 * 86_400, 3_600), (90 * 86_400, 86_400)]
        {
            assert_eq!(width((at(0), at(span))), expected * Timestamp::SECOND, "{span}");
        }
    }
}
