//! What clients ask of 100,000 alerts in memory.

#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::sync::{Arc, LazyLock};

use bergfried_alert::query::{self, Glance, TopKind};
use bergfried_alert::{Alert, Entry, EntryKind, Evidence, Settings, Status, Trend};
use bergfried_event::Timestamp;

fn main() {
    divan::main();
}

const ALERTS: usize = 100_000;

static SETTINGS: LazyLock<Settings> = LazyLock::new(Settings::default);

/// Alerts in no order, as a hub has them that ran for a while: each of its own allocations.
static BOOK: LazyLock<Vec<(Arc<Alert>, Glance)>> = LazyLock::new(|| {
    let kept = |alert: Alert| {
        let glance = Glance::at(&alert, &SETTINGS.model);
        (Arc::new(alert), glance)
    };
    let mut alerts: Vec<_> = (0..ALERTS).map(|number| kept(alert(number))).collect();
    // A full cycle of a linear congruence: every place once, far from the one before.
    for place in 0..ALERTS {
        alerts.swap(place, (place * 48_271 + 11) % ALERTS);
    }
    alerts
});

fn alert(number: usize) -> Alert {
    let of = |words: &[&str], salt: usize| {
        let place = (number.wrapping_mul(2_654_435_761) >> 7).wrapping_add(salt) % words.len();
        (*words.get(place).unwrap()).to_owned()
    };
    let time = Timestamp::from_seconds(1_795_262_400 - i64::try_from(number % 86_400).unwrap());
    let entry = |kind, second| Entry {
        id: format!("{number:08x}-0000-4000-8000-{second:012x}"),
        event: "HttpError".to_owned(),
        severity: "major".to_owned(),
        status: Status::Open,
        value: None,
        text: "Site is down".to_owned(),
        kind,
        time: time.plus_micros(second),
        user: None,
        timeout: 0,
    };
    let severities = ["critical", "major", "minor", "warning", "normal", "informational"];
    let statuses = [Status::Open, Status::Open, Status::Ack, Status::Closed, Status::Shelved];
    Alert {
        id: format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(2_654_435_761)),
        environment: of(&["Production", "Development"], 0),
        resource: format!("host{:05}.example.com", number % 5_000),
        event: format!("Event{:03}", number % 317),
        severity: of(&severities, 1),
        correlate: Vec::new(),
        status: *statuses.get(number % statuses.len()).unwrap(),
        service: [of(&["Web", "Database", "Mail", "sshd", "cron"], 2)]
            .into_iter()
            .chain(number.is_multiple_of(4).then(|| "Shop".to_owned()))
            .collect(),
        group: of(&["OS", "Network", "Web"], 3),
        value: Some((number % 100).to_string()),
        text: format!("user root failed to log in from 192.0.2.{}", number % 250),
        tags: vec![of(&["dc1", "dc2", "dc3"], 4)],
        attributes: [("region".to_owned(), "EU".into())].into(),
        origin: "agent/host".to_owned(),
        kind: "exceptionAlert".to_owned(),
        create_time: time,
        timeout: 86_400,
        raw_data: None,
        customer: None,
        duplicate_count: u64::try_from(number % 7).unwrap(),
        repeat: number.is_multiple_of(7),
        previous_severity: "indeterminate".to_owned(),
        trend: Trend::MoreSevere,
        receive_time: time,
        last_receive_id: format!("{number:08x}-1111-4000-8000-000000000000"),
        last_receive_time: time,
        update_time: time,
        history: vec![entry(EntryKind::New, 0), entry(EntryKind::Severity, 1)],
        notes: Vec::new(),
        holds: Vec::new(),
        evidence: Some(Box::<Evidence>::default()),
        revision: u64::try_from(number).unwrap(),
    }
}

fn book() -> impl Iterator<Item = (&'static Arc<Alert>, &'static Glance)> {
    BOOK.iter().map(|(alert, glance)| (alert, glance))
}

fn alerts() -> impl Iterator<Item = &'static Arc<Alert>> {
    BOOK.iter().map(|(alert, _)| alert)
}

/// The list as the UI asks for it, then narrower and wider ones.
#[divan::bench(args = [
    "sort-by=severity&sort-by=lastReceiveTime&page-size=20",
    "status=open&status=ack&sort-by=severity&sort-by=lastReceiveTime&page-size=20",
    "environment=Production&service=Web&sort-by=lastReceiveTime&page-size=20",
    "sort-by=resource&sort-by=event&page=1000&page-size=20",
    "text=~ROOT&sort-by=lastReceiveTime&page-size=20",
    "q=resource:host0001* AND severity:>=major&page-size=20",
    "page-size=1000",
])]
fn page(bencher: divan::Bencher<'_, '_>, question: &str) {
    let listing = read(question);
    LazyLock::force(&BOOK);
    bencher.bench(|| query::page(book(), &listing, &SETTINGS.model).unwrap().window.total);
}

#[divan::bench(args = ["", "status=open&environment=Production"])]
fn counts(bencher: divan::Bencher<'_, '_>, question: &str) {
    let listing = read(question);
    LazyLock::force(&BOOK);
    bencher.bench(|| query::counts(book(), &listing.filter, &SETTINGS.model).total);
}

#[divan::bench(args = ["count", "flapping", "standing"])]
fn top_10(bencher: divan::Bencher<'_, '_>, kind: &str) {
    let listing = read("page-size=10");
    let kind: TopKind = kind.parse().unwrap();
    LazyLock::force(&BOOK);
    bencher.bench(|| query::top(book(), &listing, kind, &SETTINGS.model).len());
}

#[divan::bench]
fn services(bencher: divan::Bencher<'_, '_>) {
    let listing = read("");
    LazyLock::force(&BOOK);
    bencher.bench(|| query::services(book(), &listing.filter, &SETTINGS.model).len());
}

#[divan::bench]
fn history(bencher: divan::Bencher<'_, '_>) {
    let listing = read("page-size=20");
    LazyLock::force(&BOOK);
    bencher.bench(|| query::history(alerts(), &listing).unwrap().entries.len());
}

fn read(question: &str) -> query::Listing {
    let pairs = question.split('&').filter_map(|pair| pair.split_once('='));
    let pairs: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    query::listing(&pairs, &SETTINGS, Timestamp::from_seconds(1_795_262_400)).unwrap()
}
