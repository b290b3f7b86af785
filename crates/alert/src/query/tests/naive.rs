//! Held to filtering each alert by hand, sorting all of them and cutting the page out.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bergfried_event::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::{NOW, alert, found_ids, read};
use crate::query::{TopGroup, TopKind, top};
use crate::{Alert, Model, Status};

/// A parameter and what it means.
type Meaning = (&'static str, &'static str, fn(&Alert) -> bool);

const FILTERS: &[Meaning] = &[
    ("resource", "r1", |alert| alert.resource == "r1"),
    ("resource!", "r1", |alert| alert.resource != "r1"),
    ("resource", "~R", |alert| alert.resource.to_lowercase().contains('r')),
    ("severity!", "~or", |alert| !alert.severity.contains("or")),
    ("event", "HttpError", |alert| alert.event == "HttpError"),
    ("group!", "Web", |alert| alert.group != "Web"),
    ("environment!", "", |alert| !alert.environment.is_empty()),
    ("service!", "Web", |alert| !alert.service.iter().any(|name| name == "Web")),
    ("service!", "", |alert| !alert.service.is_empty()),
    ("service", "Mail", |alert| alert.service.iter().any(|name| name == "Mail")),
    ("status", "open", |alert| alert.status == Status::Open),
    ("service", "Web", |alert| alert.service.iter().any(|name| name == "Web")),
    ("service!", "~we", |alert| !alert.service.iter().any(|name| name == "Web")),
    ("customer", "", |alert| alert.customer.is_none()),
    ("timeout!", "1", |alert| alert.timeout != 1),
    ("attributes.k", "5", |alert| alert.attributes.get("k") == Some(&json!(5))),
    ("from-date", "now-2s", |alert| alert.last_receive_time.since(NOW) > -2 * Timestamp::SECOND),
    ("to-date", "now-1s", |alert| alert.last_receive_time.since(NOW) <= -Timestamp::SECOND),
    ("q", "severity:>=major", |alert| Model::alerta().code(&alert.severity) <= 2),
    ("q", "resource:r1 service:Web NOT status:open", |alert| {
        (alert.resource == "r1" || alert.service.iter().any(|name| name == "Web"))
            && alert.status != Status::Open
    }),
    ("q", "(timeout:>0 AND !_exists_:k) OR customer:c", |alert| {
        (alert.timeout > 0 && alert.attributes.is_empty()) || alert.customer.is_some()
    }),
];

/// A way to sort and what it means.
type Sorting = (&'static str, fn(&Alert, &Alert) -> Ordering);

const SORTS: &[Sorting] = &[
    ("severity", |one, other| {
        Model::alerta().code(&one.severity).cmp(&Model::alerta().code(&other.severity))
    }),
    ("-status", |one, other| other.status.code().cmp(&one.status.code())),
    ("lastReceiveTime", |one, other| other.last_receive_time.cmp(&one.last_receive_time)),
    ("-createTime", |one, other| one.create_time.cmp(&other.create_time)),
    ("resource", |one, other| one.resource.cmp(&other.resource)),
    ("-text", |one, other| other.text.cmp(&one.text)),
    ("customer", |one, other| {
        (one.customer.is_none(), &one.customer).cmp(&(other.customer.is_none(), &other.customer))
    }),
    ("service", |one, other| one.service.cmp(&other.service)),
    ("duplicateCount", |one, other| one.duplicate_count.cmp(&other.duplicate_count)),
    ("-repeat", |one, other| other.repeat.cmp(&one.repeat)),
    ("attributes.k", |one, other| {
        let key =
            |alert: &Alert| alert.attributes.get("k").map_or(i64::MAX, |k| k.as_i64().unwrap());
        key(one).cmp(&key(other))
    }),
];

fn any_alert() -> impl Strategy<Value = Alert> {
    let words = (
        prop::sample::select(vec!["r1", "R2", "x", "longer than eight 1", "longer than eight 2"]),
        prop::sample::select(vec!["critical", "major", "minor", "normal", "strange"]),
        prop::sample::select(vec![Status::Open, Status::Ack, Status::Closed]),
        prop::sample::select(vec!["", "a", "\u{fc}", "same start 1", "same start 2"]),
    );
    let numbers = (0_u32..3, 0_u64..3, -4_i64..1, -2_i64..2, prop::option::of(4..7));
    (words, numbers, any::<(bool, bool, bool)>()).prop_map(|(words, numbers, flags)| {
        let mut alert = alert("id");
        let (resource, severity, status, text) = words;
        let (timeout, duplicates, heard, made, attribute) = numbers;
        alert.resource = resource.to_owned();
        alert.severity = severity.to_owned();
        alert.status = status;
        alert.text = text.to_owned();
        alert.timeout = timeout;
        alert.duplicate_count = duplicates;
        alert.last_receive_time = NOW.plus_micros(heard * Timestamp::SECOND);
        alert.create_time = Timestamp::from_seconds(made);
        alert.attributes.extend(attribute.map(|number| ("k".to_owned(), json!(number))));
        alert.repeat = flags.0;
        alert.customer = flags.1.then(|| "c".to_owned());
        if flags.2 {
            alert.service.clear();
        } else if flags.0 {
            alert.service.push("Mail".to_owned());
        }
        alert
    })
}

proptest! {
    #[test]
    fn filters_sorts_and_pages_as_a_naive_reference_does(
        mut alerts in prop::collection::vec(any_alert(), 0..60),
        filters in prop::sample::subsequence(FILTERS, 0..3),
        sorts in prop::sample::subsequence(SORTS, 1..4).prop_shuffle(),
        page in 1_usize..4,
        size in 1_usize..30,
    ) {
        for (number, alert) in alerts.iter_mut().enumerate() {
            alert.id = format!("{number:03}");
        }
        // A name that comes twice means either; the meanings here are each alone.
        let mut filters = filters;
        let mut names = Vec::new();
        filters.retain(|(name, ..)| *name == "q" || !names.contains(name) && {
            names.push(*name);
            true
        });
        let (page_text, size_text) = (page.to_string(), size.to_string());
        let mut pairs = vec![("page", page_text.as_str()), ("page-size", &size_text)];
        pairs.extend(filters.iter().map(|(name, value, _)| (*name, *value)));
        pairs.extend(sorts.iter().map(|(name, _)| ("sort-by", *name)));

        let mut expected: Vec<&Alert> =
            alerts.iter().filter(|alert| filters.iter().all(|(.., holds)| holds(alert))).collect();
        // Stable: what is equal stays in the order of the ids.
        expected.sort_by(|one, other| {
            let orders = sorts.iter().map(|(_, compare)| compare(one, other));
            orders.fold(Ordering::Equal, Ordering::then)
        });
        let out_of_range = !expected.is_empty() && (page - 1) * size >= expected.len();
        let ids = expected.iter().skip((page - 1) * size).take(size).map(|alert| alert.id.clone());
        let expected = (!out_of_range).then(|| ids.collect::<Vec<_>>());

        // In another order, which must not matter.
        let given: Vec<_> = alerts.iter().rev().cloned().map(Arc::new).collect();
        prop_assert_eq!(found_ids(&given, &pairs), expected, "{:?}", pairs);
    }

    #[test]
    fn tops_know_the_surroundings_that_a_naive_reference_knows(
        alerts in prop::collection::vec(
            (any_alert(), any::<bool>(), prop::collection::vec("|[ab]{1,2}", 0..4)),
            0..60,
        ),
    ) {
        let surround = |(mut alert, develops, services): (Alert, bool, Vec<String>)| {
            alert.environment = if develops { "Development" } else { "Production" }.to_owned();
            alert.service = services;
            Arc::new(alert)
        };
        let alerts: Vec<_> = alerts.into_iter().map(surround).collect();
        let mut expected: BTreeMap<&str, (u64, BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
        for alert in &alerts {
            let (count, environments, services) = expected.entry(&alert.resource).or_default();
            *count += 1;
            environments.insert(&alert.environment);
            services.extend(alert.service.iter().map(String::as_str));
        }
        let listing = read("group-by=resource&page-size=1000").unwrap();
        let groups = top(alerts.iter(), &listing, TopKind::Count, &Model::alerta());
        let found: BTreeMap<_, _> = groups
            .iter()
            .map(|group| {
                let TopGroup { count, environments, services, .. } = group;
                (group.name.as_str(), (*count, environments.clone(), services.clone()))
            })
            .collect();
        prop_assert_eq!(found, expected);
    }
}
