//! What the reference says of each parameter, over a handful of alerts.

mod naive;

use std::collections::BTreeMap;
use std::sync::Arc;

use bergfried_event::Timestamp;
use serde_json::json;

use super::*;
use crate::{Alert, Entry, EntryKind, Model, Settings, Status, Trend};

const NOW: Timestamp = Timestamp::from_seconds(1_795_262_400);

fn alert(id: &str) -> Alert {
    Alert {
        id: id.to_owned(),
        environment: "Production".to_owned(),
        resource: "web01".to_owned(),
        event: "HttpError".to_owned(),
        severity: "major".to_owned(),
        correlate: Vec::new(),
        status: Status::Open,
        service: vec!["Web".to_owned()],
        group: "Misc".to_owned(),
        value: None,
        text: "Site is down".to_owned(),
        tags: Vec::new(),
        attributes: BTreeMap::new(),
        origin: "test".to_owned(),
        kind: "exceptionAlert".to_owned(),
        create_time: NOW,
        timeout: 86_400,
        raw_data: None,
        customer: None,
        duplicate_count: 0,
        repeat: false,
        previous_severity: "indeterminate".to_owned(),
        trend: Trend::MoreSevere,
        receive_time: NOW,
        last_receive_id: format!("last-{id}"),
        last_receive_time: NOW,
        update_time: NOW,
        history: Vec::new(),
        notes: Vec::new(),
        holds: Vec::new(),
        evidence: None,
        revision: 0,
    }
}

/// Five alerts, `a` the newest; nothing but what is asked about below.
fn five() -> Vec<Arc<Alert>> {
    let mut a = alert("a1");
    a.severity = "critical".to_owned();
    a.tags = vec!["dc:berlin".to_owned(), "web".to_owned()];
    a.attributes.insert("region".to_owned(), json!("EU"));
    a.attributes.insert("cpu".to_owned(), json!(95));
    a.value = Some("95".to_owned());
    a.last_receive_time = NOW.plus_micros(1_234_567);
    a.duplicate_count = 7;
    a.repeat = true;
    let mut b = alert("b1");
    b.resource = "web02".to_owned();
    b.status = Status::Ack;
    b.text = "disk 95% full, quick brown fox".to_owned();
    b.attributes.insert("region".to_owned(), json!("US"));
    b.customer = Some("Acme".to_owned());
    b.last_receive_time = NOW.plus_micros(-Timestamp::SECOND);
    let mut c = alert("c1");
    c.environment = "Development".to_owned();
    c.resource = "db_1.example.com".to_owned();
    c.event = "NodeDown".to_owned();
    c.severity = "normal".to_owned();
    c.status = Status::Closed;
    c.service = vec!["Database".to_owned(), "Storage".to_owned()];
    c.customer = Some("Globex".to_owned());
    c.last_receive_time = NOW.plus_micros(-2 * Timestamp::SECOND);
    c.create_time = NOW.plus_micros(-3_600 * Timestamp::SECOND);
    let mut d = alert("d1");
    d.service = Vec::new();
    d.group = "OS".to_owned();
    d.text = "Login of \u{fc}ser failed (root)".to_owned();
    d.severity = "minor".to_owned();
    d.kind = "heartbeatAlert".to_owned();
    d.timeout = 60;
    d.last_receive_time = NOW.plus_micros(-3 * Timestamp::SECOND);
    let mut e = alert("e1");
    e.resource = "dbx1.example.com".to_owned();
    e.event = "node_down".to_owned();
    e.severity = "warning".to_owned();
    e.correlate = vec!["node_up".to_owned(), "node_down".to_owned()];
    e.last_receive_id = "abc".to_owned();
    e.last_receive_time = NOW.plus_micros(-4 * Timestamp::SECOND);
    [a, b, c, d, e].map(Arc::new).to_vec()
}

fn pairs(query: &str) -> Vec<(&str, &str)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect()
}

fn read(query: &str) -> Result<Listing, QueryError> {
    read_with(&pairs(query))
}

pub(super) fn read_with(pairs: &[(&str, &str)]) -> Result<Listing, QueryError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    listing(&pairs.iter().map(owned).collect::<Vec<_>>(), &Settings::default(), NOW)
}

/// The first letters of the alerts that a query finds, in order.
fn found(query: &str) -> String {
    found_with(&pairs(query))
}

pub(super) fn found_with(pairs: &[(&str, &str)]) -> String {
    let alerts = five();
    let listing = read_with(pairs).unwrap_or_else(|error| panic!("{pairs:?}: {error}"));
    let page = page(alerts.iter(), &listing, &Model::alerta()).unwrap();
    assert_eq!(page.counts, counts(alerts.iter(), &listing.filter, &Model::alerta()));
    page.alerts.iter().filter_map(|alert| alert.id.chars().next()).collect()
}

/// The ids on the page that is asked for; none where there is no such page.
fn found_ids(alerts: &[Arc<Alert>], pairs: &[(&str, &str)]) -> Option<Vec<String>> {
    let listing = read_with(pairs).unwrap();
    let page = page(alerts.iter(), &listing, &Model::alerta()).ok()?;
    // What a glance lets pass is what the alert itself says.
    let matching = alerts.iter().filter(|alert| listing.filter.matches(alert)).count();
    assert_eq!(page.window.total, matching, "{pairs:?}");
    Some(page.alerts.iter().map(|alert| alert.id.clone()).collect())
}

#[test]
fn filters() {
    for (query, expected) in [
        ("", "abcde"),
        // One value, several of one field, several fields.
        ("resource=web01", "ad"),
        ("resource=WEB01", ""),
        ("resource=web01&resource=web02", "abd"),
        ("resource=web01&severity=critical", "a"),
        ("resource!=web01", "bce"),
        ("resource!=web01&resource!=web02", "ce"),
        ("status=open&status=ack&status!=ack", "ade"),
        // Parts of a text, as ILIKE finds them.
        ("resource=~WEB", "abd"),
        ("resource!=~WEB", "ce"),
        ("resource=~db_1", "ce"),
        ("resource=~db\\_1", "c"),
        ("resource=~db%com", "ce"),
        ("text=~95%25", ""),
        ("text=~(root)", "d"),
        ("text=~\u{dc}SER", "d"),
        // Regexes, where there are several.
        ("resource=~^web0[2-9]$&resource=~^DB_", "bc"),
        ("resource=web01&resource=~^db", "acde"),
        ("resource!=~^web0[2-9]$&resource!=~^DB_", "ade"),
        // Ids: the beginning of either.
        ("id=a", "ae"),
        ("id=a1", "a"),
        ("id=last-b&id=ab", "be"),
        ("id!=a", "bcd"),
        // What is broken in the original.
        ("tag=web", "a"),
        ("tags=dc:berlin", "a"),
        ("tag=~BERLIN", "a"),
        ("tag!=web", "bcde"),
        ("type=heartbeatAlert", "d"),
        ("service=Web", "abe"),
        ("service=Storage&service=Web", "abce"),
        ("service!=Web", "cd"),
        ("service=~data", "c"),
        ("service=", "d"),
        ("correlate=node_up", "e"),
        ("lastReceiveTime=2026-11-21T12:00:01.234Z", "a"),
        ("lastReceiveTime=2026-11-21T12:00:01.235Z", ""),
        ("createTime!=2026-11-21T12:00:00.000Z", "c"),
        ("create_time=now-1h", "c"),
        // Attributes.
        ("attributes.region=EU", "a"),
        ("attributes.region=eu", ""),
        ("attributes.region!=EU", "bcde"),
        ("attributes.region=~u", "ab"),
        ("attributes.region=", "cde"),
        ("attributes.cpu=95", "a"),
        ("attributes.cpu=95.0", "a"),
        ("attributes.cpu=~9", "a"),
        // Numbers, flags, words.
        ("timeout=60", "d"),
        ("timeout!=60", "abce"),
        ("duplicateCount=7&duplicateCount=8", "a"),
        ("repeat=true", "a"),
        ("repeat!=true", "bcde"),
        ("trendIndication=noChange", ""),
        ("previousSeverity=indeterminate&customer=Acme", "b"),
        ("customer=", "ade"),
        ("rawData=", "abcde"),
        // When it was last heard of: after, and up to, in what clients see.
        ("from-date=2026-11-21T11:59:58.000Z", "ab"),
        ("to-date=2026-11-21T11:59:58.000Z", "cde"),
        ("from-date=2026-11-21T12:00:01.234Z", ""),
        ("from-date=2026-11-21T11:59:56.000Z&to-date=2026-11-21T11:59:59.000Z", "bcd"),
        ("from-date=now-3s", "abc"),
        // What is not for the filter.
        ("api-key=x&callback=y&show-history=true&show-raw-data=1&_=123&page=1", "abcde"),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
}

#[test]
fn orders() {
    for (query, expected) in [
        ("sort-by=severity", "abdec"),
        ("sort-by=-severity", "cedba"),
        ("sort-by=severity&sort-by=lastReceiveTime&status=open", "ade"),
        ("sort-by=lastReceiveTime", "abcde"),
        ("sort-by=-lastReceiveTime", "edcba"),
        ("sort-by=status&sort-by=-lastReceiveTime", "edabc"),
        ("sort-by=environment&sort-by=-resource", "cbade"),
        ("sort-by=attributes.region", "abcde"),
        ("sort-by=-attributes.region", "cdeba"),
        ("sort-by=duplicateCount&sort-by=event", "bdcea"),
        ("sort-by=-duplicate_count&sort-by=timeout", "adbce"),
        ("sort-by=repeat&sort-by=customer", "bcdea"),
        ("sort-by=service&sort-by=-tags", "dcabe"),
        ("sort-by=value&limit=2", "ab"),
        ("limit=2&page-size=3", "abc"),
        ("page-size=2&page=2", "cd"),
        ("page-size=2&page=3", "e"),
        ("resource=none&page=7", ""),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
}

#[test]
fn refuses() {
    for (query, expected) in [
        ("foo=bar", "Invalid filter parameter: foo"),
        ("attributes.=x", "Invalid filter parameter: attributes."),
        ("status!!=x", "Invalid filter parameter: status!!"),
        ("sort-by=foo", "Sorting by 'foo' field not supported."),
        ("sort-by=attributes", "Sorting by 'attributes' field not supported."),
        ("sort-by=", "Sorting by '' field not supported."),
        ("group-by=1;select", "Grouping by '1;select' field not supported."),
        ("group-by=createTime", "Grouping by 'createTime' field not supported."),
        ("timeout=abc", "cannot read `abc` as `timeout`: expected a whole number"),
        ("timeout=-1", "cannot read `-1` as `timeout`"),
        ("repeat=perhaps", "expected true or false"),
        ("id=", "expected the beginning of an id"),
        ("from-date=garbage", "cannot read `garbage` as `from-date`: expected dates must be ISO"),
        ("createTime=2026", "dates must be ISO 8601 date format YYYY-MM-DDThh:mm:ss.sssZ"),
        ("page=x", "expected a page number"),
        ("page-size=0", "expected a whole number above 0"),
        ("limit=-5", "expected a whole number above 0"),
        ("text=~(&text=b", "as a regular expression for `text`"),
        ("text=~a)|(b&text=b", "as a regular expression for `text`"),
        ("text=~(\\w{50}){50}&text=b", "it is too large"),
        ("foo\u{1b}[31m=1", "Invalid filter parameter: foo\\u{1b}[31m"),
    ] {
        let error = read(query).expect_err(query).to_string();
        assert!(error.contains(expected), "{query}: {error}");
    }
    assert_eq!(read(&"id=a&".repeat(1_001)).unwrap_err(), QueryError::TooMany(1_000));
}

#[test]
fn pages_say_where_they_are() {
    let alerts = five();
    let answer = |query: &str| page(alerts.iter(), &read(query).unwrap(), &Model::alerta());
    let second = answer("page-size=2&page=2").unwrap();
    let expected = Window { page: 2, page_size: 2, pages: 3, more: true, total: 5 };
    assert_eq!(second.window, expected);
    assert_eq!(second.last_time, Some(NOW.plus_micros(-2 * Timestamp::SECOND)));
    assert_eq!(second.counts.status, BTreeMap::from([("ack", 1), ("closed", 1), ("open", 3)]));
    let none = answer("resource=none").unwrap();
    assert_eq!(none.window, Window { page: 1, page_size: 50, pages: 0, more: false, total: 0 });
    assert_eq!((none.last_time, none.counts), (None, Counts::default()));
    for page in ["0", "-1", "4", "9000000000000000000"] {
        let error = answer(&format!("page-size=2&page={page}")).unwrap_err();
        assert_eq!(error.to_string(), "page out of range: 1-3");
    }
    assert_eq!(read("page-size=1000000").unwrap().page_size, MAX_PAGE_SIZE);
    let listing = read("show-history=yes&show-raw-data=no").unwrap();
    assert!(listing.show_history && !listing.show_raw_data && !listing.filter.narrows());
    assert!(read("status=open").unwrap().filter.narrows());
}

#[test]
fn customers_see_their_own_alone() {
    let alerts = five();
    let model = Model::alerta();
    let customers = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let everything = Filter::default();
    for (names, expected) in [
        (None, 5),
        (customers(&[]), 0),
        (customers(&["Acme"]), 1),
        (customers(&["Acme", "Globex"]), 2),
    ] {
        let filter = everything.clone().for_customers(names);
        assert_eq!(counts(alerts.iter(), &filter, &model).total, expected);
    }
    // No filter widens it, and the lists of names do not show what others have.
    let mut listing = read("customer!=Acme&customer!=none").unwrap();
    listing.filter = listing.filter.for_customers(customers(&["Acme"]));
    assert_eq!(counts(alerts.iter(), &listing.filter, &model).total, 0);
    let seen = environments(alerts.iter(), &listing.filter, &model);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].counts.total, 0);
    let acme = Filter::default().for_customers(customers(&["Acme"]));
    assert_eq!(services(alerts.iter(), &acme, &model).len(), 1);
    assert_eq!(groups(alerts.iter(), &acme).len(), 1);
    assert_eq!(tags(alerts.iter(), &acme).len(), 0);
}

#[test]
fn names_with_their_counts() {
    let alerts = five();
    let model = Model::alerta();
    let open = read("status=open").unwrap().filter;
    let seen = environments(alerts.iter(), &open, &model);
    let seen: Vec<_> =
        seen.iter().map(|one| (one.environment.as_str(), one.counts.total)).collect();
    assert_eq!(seen, [("Development", 0), ("Production", 3)]);
    let all = Filter::default();
    let seen = services(alerts.iter(), &all, &model);
    let seen: Vec<_> = seen.iter().map(|one| (one.service.as_str(), one.counts.total)).collect();
    assert_eq!(seen, [("Database", 1), ("Storage", 1), ("Web", 3)]);
    let seen = groups(alerts.iter(), &all);
    let of =
        |environment: &str, name: &str, count| (environment.to_owned(), name.to_owned(), count);
    assert_eq!(
        seen,
        [of("Development", "Misc", 1), of("Production", "Misc", 3), of("Production", "OS", 1)]
    );
    let seen = tags(alerts.iter(), &all);
    assert_eq!(seen, [of("Production", "dc:berlin", 1), of("Production", "web", 1)]);
}

fn entry(kind: EntryKind, seconds: i64) -> Entry {
    Entry {
        id: format!("entry-{seconds}"),
        event: "HttpError".to_owned(),
        severity: "major".to_owned(),
        status: Status::Open,
        value: None,
        text: String::new(),
        kind,
        time: NOW.plus_micros(seconds * Timestamp::SECOND),
        user: None,
        timeout: 0,
    }
}

#[test]
fn tops() {
    let mut alerts = five();
    for (place, changes) in [(0, 1), (2, 3)] {
        let alert = Arc::make_mut(&mut alerts[place]);
        alert.history.push(entry(EntryKind::New, 0));
        alert.history.extend((0..changes).map(|second| entry(EntryKind::Severity, second)));
    }
    let of = |kind: &str, query| {
        let groups =
            top(alerts.iter(), &read(query).unwrap(), kind.parse().unwrap(), &Model::alerta());
        let shown = |group: TopGroup<'_>| format!("{} {}", group.name, group.count);
        groups.into_iter().map(shown).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(of("count", ""), "HttpError 3, NodeDown 1, node_down 1");
    assert_eq!(of("count", "page-size=1"), "HttpError 3");
    assert_eq!(of("count", "group-by=service"), "Web 3, Database 1, Storage 1");
    assert_eq!(of("count", "group-by=attributes.region"), "EU 1, US 1");
    assert_eq!(of("count", "status=ack&group-by=resource"), "web02 1");
    assert_eq!(of("flapping", ""), "NodeDown 3, HttpError 1");
    assert_eq!(of("standing", ""), "NodeDown 1, HttpError 3, node_down 1");
    assert!("worst".parse::<TopKind>().is_err());
    let groups = top(alerts.iter(), &read("").unwrap(), TopKind::Count, &Model::alerta());
    assert_eq!(groups[0].duplicate_count, 7);
    assert_eq!(groups[0].alerts.len(), 3);
    assert_eq!(groups[1].environments.iter().copied().collect::<Vec<_>>(), ["Development"]);
    assert_eq!(groups[1].services.iter().copied().collect::<Vec<_>>(), ["Database", "Storage"]);
}

#[test]
fn histories_are_newest_first() {
    let mut alerts = five();
    for (place, seconds) in [(0, [1, 4, 4]), (2, [2, 3, 9])] {
        let alert = Arc::make_mut(&mut alerts[place]);
        alert.history.extend(seconds.map(|second| entry(EntryKind::Value, second)));
    }
    let of = |query| {
        let page = history(alerts.iter(), &read(query).unwrap()).unwrap();
        let shown = |(alert, entry): &(&Arc<Alert>, &Entry)| {
            format!("{}{}", alert.id, entry.time.since(NOW) / Timestamp::SECOND)
        };
        (page.entries.iter().map(shown).collect::<Vec<_>>().join(" "), page.window.total)
    };
    assert_eq!(of(""), ("c19 a14 a14 c13 c12 a11".to_owned(), 6));
    assert_eq!(of("page-size=2&page=2"), ("a14 c13".to_owned(), 6));
    assert_eq!(of("resource=web01"), ("a14 a14 a11".to_owned(), 3));
    assert!(history(alerts.iter(), &read("page=2").unwrap()).is_err());
}
