//! The events of the first page: how many, when, of what kind and from where.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;

use bergfried_event::{Field, FieldName, Timestamp, Value};
use bergfried_query::{Condition, Part, Pattern, Predicate};
use bergfried_store::{Aggregation, Figure, Key, Limits, Reader, Sort};
use serde::Serialize;
use utoipa::ToSchema;

use super::By;
use crate::error::ApiError;
use crate::router::State;

const MINUTE: i64 = 60 * Timestamp::SECOND;
/// How many minutes are told: a day and the one that runs.
const MINUTES: usize = 24 * 60 + 1;
/// The most that the events of a minute are told apart into, besides the rest.
const MAX_SERIES: usize = 7;
/// The most sources that are named.
const MAX_SOURCES: usize = 8;
/// The first sighting of a source is looked for so far back.
const FIRST_SEEN_WITHIN: i64 = 90 * Timestamp::DAY;
/// How many first sightings are remembered; then all are looked up anew.
const MAX_REMEMBERED: usize = 4_096;
/// The most groups of one question.
const MAX_GROUPS: usize = 100_000;
/// What the events that are none of the series are called.
const REST: &str = "other";
const COUNTRY: &str = "source.geo.country_iso_code";

/// The events.
#[derive(Serialize, ToSchema)]
pub(super) struct Events {
    /// In the last 24 hours
    total: u64,
    /// In the 24 hours before
    total_before: u64,
    /// By what happened in Heimdall's words, such as `LOGIN_FAIL`; others are in no kind
    kinds: Vec<Kind>,
    /// The same by the system that it happened on
    systems: Vec<OnSystem>,
    minutes: Minutes,
    /// The addresses that most came from
    sources: Vec<Source>,
    /// The domain that most blocked queries asked for
    blocked_domain: Option<Blocked>,
}

#[derive(Serialize, ToSchema)]
struct Kind {
    name: String,
    count: u64,
    before: u64,
}

#[derive(Serialize, ToSchema)]
struct OnSystem {
    kind: String,
    system: String,
    count: u64,
}

/// How many events happened in each minute.
#[derive(Serialize, ToSchema)]
struct Minutes {
    by: By,
    /// The start of the first minute; as many follow as there are counts
    #[schema(value_type = String)]
    from: Timestamp,
    /// The most frequent first, the rest last
    series: Vec<Series>,
}

#[derive(Serialize, ToSchema)]
struct Series {
    name: String,
    counts: Vec<u64>,
}

#[derive(Serialize, ToSchema)]
struct Source {
    address: String,
    events: u64,
    /// When it was seen first in the last 90 days
    #[schema(value_type = Option<String>)]
    first_seen: Option<Timestamp>,
    /// Its country (ISO 3166-1), where a chain looked that up
    country: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Blocked {
    domain: String,
    queries: u64,
}

/// By what it is looked up, and within what limits.
pub(super) struct Looking<'l> {
    pub(super) reader: &'l Reader,
    pub(super) limits: &'l Limits,
}

/// Looks at the last two days. Takes as long as the disk.
pub(super) fn events(
    state: &State,
    looking: &Looking<'_>,
    by: By,
    now: Timestamp,
) -> Result<Events, ApiError> {
    let day = Window { from: now.plus_micros(-Timestamp::DAY), to: now };
    let before = Window { from: day.from.plus_micros(-Timestamp::DAY), to: day.from };
    let reader = looking.reader;
    let every = Predicate::Constant(true);
    let kind = || Key::Field(Field::HeimdallEventType.into());
    let on_system = groups(looking, &every, day, vec![kind(), field(Field::HeimdallOsType)])?;
    let earlier = groups(looking, &every, before, vec![kind()])?;
    let blocked = equal(Field::HeimdallEventType, "DNS_BLOCK");
    let domain = FieldName::Known(Field::DnsQuestionName);
    let blocked = reader.top(&blocked, day.from, day.to, &domain, 1)?;
    Ok(Events {
        total: reader.count(&every, day.from, day.to)?,
        total_before: reader.count(&every, before.from, before.to)?,
        kinds: kinds(&on_system, &earlier),
        systems: on_system
            .iter()
            .filter_map(|group| {
                let [kind, system] = group.keys.as_slice() else { return None };
                Some(OnSystem { kind: kind.clone(), system: system.clone(), count: group.count })
            })
            .collect(),
        minutes: minutes(looking, by, now)?,
        sources: sources(state, looking, day)?,
        blocked_domain: blocked
            .into_iter()
            .next()
            .map(|(domain, queries)| Blocked { domain, queries }),
    })
}

/// From a time to another.
#[derive(Clone, Copy)]
struct Window {
    from: Timestamp,
    to: Timestamp,
}

/// How many events have these keys; times as microseconds.
struct Group {
    keys: Vec<String>,
    count: u64,
}

fn field(field: Field) -> Key {
    Key::Field(field.into())
}

fn groups(
    looking: &Looking<'_>,
    predicate: &Predicate,
    window: Window,
    by: Vec<Key>,
) -> Result<Vec<Group>, ApiError> {
    let keys = by.len();
    let asked = Aggregation {
        predicate: predicate.clone(),
        from: window.from,
        to: window.to,
        by,
        figures: vec![Figure::Count],
        order: vec![Sort { column: keys, descending: true }],
        limit: MAX_GROUPS,
    };
    let table = looking.reader.aggregate(&asked, looking.limits)?;
    let read = |row: Vec<Value<'static>>| {
        let (count, keys) = row.split_last()?;
        let Value::Int(count) = count else { return None };
        let keys = keys.iter().map(|key| key.to_text().into_owned()).collect();
        Some(Group { keys, count: u64::try_from(*count).ok()? })
    };
    Ok(table.rows.into_iter().filter_map(read).collect())
}

/// Each kind of the day and of the day before, the most frequent first.
fn kinds(on_system: &[Group], earlier: &[Group]) -> Vec<Kind> {
    let mut found: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for group in on_system {
        if let Some(kind) = group.keys.first() {
            found.entry(kind).or_default().0 += group.count;
        }
    }
    for group in earlier {
        if let Some(kind) = group.keys.first() {
            found.entry(kind).or_default().1 += group.count;
        }
    }
    let mut kinds: Vec<Kind> = found
        .into_iter()
        .map(|(name, (count, before))| Kind { name: name.to_owned(), count, before })
        .collect();
    kinds.sort_by_key(|kind| Reverse(kind.count));
    kinds
}

fn minutes(looking: &Looking<'_>, by: By, now: Timestamp) -> Result<Minutes, ApiError> {
    let from = now.plus_micros(-Timestamp::DAY).floor_to(MINUTE);
    let window = Window { from, to: now };
    let every = Predicate::Constant(true);
    let top = looking.reader.top(&every, from, now, &by.field().into(), MAX_SERIES)?;
    let mut series: Vec<Series> =
        top.into_iter().map(|(name, _)| Series { name, counts: vec![0; MINUTES] }).collect();
    let mut rest = vec![0; MINUTES];
    let place = |group: &Group| {
        let micros: i64 = group.keys.first()?.parse().ok()?;
        usize::try_from((micros - from.micros()) / MINUTE).ok()
    };
    for group in groups(looking, &every, window, vec![Key::Time(MINUTE)])? {
        if let Some(rest) = place(&group).and_then(|place| rest.get_mut(place)) {
            *rest = group.count;
        }
    }
    // Only the series are asked for: a day may have any number of hosts.
    let named = any_of(by.field(), series.iter().map(|one| one.name.as_str()));
    for group in groups(looking, &named, window, vec![Key::Time(MINUTE), field(by.field())])? {
        let (Some(place), Some(name)) = (place(&group), group.keys.get(1)) else { continue };
        let of_it = series.iter_mut().find(|one| one.name == *name);
        if let Some(count) = of_it.and_then(|one| one.counts.get_mut(place)) {
            *count = group.count;
            if let Some(rest) = rest.get_mut(place) {
                *rest = rest.saturating_sub(group.count);
            }
        }
    }
    if rest.iter().any(|count| *count > 0) {
        series.push(Series { name: REST.to_owned(), counts: rest });
    }
    Ok(Minutes { by, from, series })
}

fn sources(state: &State, looking: &Looking<'_>, day: Window) -> Result<Vec<Source>, ApiError> {
    let every = Predicate::Constant(true);
    let top = looking.reader.top(&every, day.from, day.to, &Field::SourceIp.into(), MAX_SOURCES)?;
    let addresses: Vec<&str> = top.iter().map(|(address, _)| address.as_str()).collect();
    let first_seen = first_seen(state, looking, &addresses, day.to)?;
    let theirs = any_of(Field::SourceIp, addresses.iter().copied());
    let keys = vec![field(Field::SourceIp), Key::Field(FieldName::new(COUNTRY))];
    let countries: HashMap<String, String> = groups(looking, &theirs, day, keys)?
        .into_iter()
        .filter_map(|group| <[String; 2]>::try_from(group.keys).ok())
        .map(|[address, country]| (address, country))
        .collect();
    Ok(top
        .into_iter()
        .map(|(address, events)| Source {
            first_seen: first_seen.get(&address).copied(),
            country: countries.get(&address).cloned(),
            address,
            events,
        })
        .collect())
}

/// When each of these was seen first; only those that were not looked up before are.
fn first_seen(
    state: &State,
    looking: &Looking<'_>,
    addresses: &[&str],
    now: Timestamp,
) -> Result<HashMap<String, Timestamp>, ApiError> {
    let known = || state.overview.first_seen.lock().unwrap_or_else(PoisonError::into_inner);
    let new: Vec<&str> = {
        let known = known();
        addresses.iter().filter(|address| !known.contains_key(**address)).copied().collect()
    };
    if !new.is_empty() {
        let asked = Aggregation {
            predicate: any_of(Field::SourceIp, new.into_iter()),
            from: now.plus_micros(-FIRST_SEEN_WITHIN),
            to: now,
            by: vec![field(Field::SourceIp)],
            figures: vec![Figure::Min(Field::Timestamp.into())],
            order: Vec::new(),
            limit: MAX_GROUPS,
        };
        let table = looking.reader.aggregate(&asked, looking.limits)?;
        let mut known = known();
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        for row in table.rows {
            if let [address, Value::Int(first)] = row.as_slice() {
                known.insert(address.to_text().into_owned(), Timestamp::from_micros(*first));
            }
        }
    }
    let known = known();
    let of = |address: &&str| Some(((*address).to_owned(), *known.get(*address)?));
    Ok(addresses.iter().filter_map(of).collect())
}

fn equal(field: Field, text: &str) -> Predicate {
    let exactly = Pattern::new([Part::Literal(text.to_owned())], true);
    Predicate::field(field, Condition::Text(exactly))
}

/// Events whose field is one of these.
fn any_of<'t>(field: Field, texts: impl Iterator<Item = &'t str>) -> Predicate {
    Predicate::Or(texts.map(|text| equal(field, text)).collect())
}
