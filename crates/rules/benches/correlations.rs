//! Correlations at scale: events through one correlation, and a million groups of it at once.
//!
//! The allocator's figures are those of the state: `state` builds it anew for each sample.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop where it stands")]

use std::sync::Arc;

use bergfried_event::{Event, Field, Timestamp};
use bergfried_rules::{Engine, Limits, RuleSet, Source};
use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const EVENTS: u64 = 100_000;
const GROUPS: u64 = 1_000_000;

fn main() {
    divan::main();
}

/// What a brute force is told by, in each way to count.
const KINDS: [&str; 5] = [
    "type: event_count, condition: {gte: 100}",
    "type: value_count, condition: {field: user.name, gte: 10}",
    "type: temporal_ordered",
    "type: value_sum, condition: {field: source.port, gt: 1000000000}",
    "type: value_percentile, condition: {field: source.port, percentile: 95, gt: 100000}",
];

fn rules(kind: &str) -> Arc<RuleSet> {
    let rule = |action: &str| {
        format!(
            "title: {action}\nname: {action}\nlogsource: {{service: syslog}}\ndetection: \
             {{sel: {{event.action: {action}}}, condition: sel}}\n---\n"
        )
    };
    let text = format!(
        "{}{}title: it\ncorrelation: {{{kind}, rules: [failed, accepted], group-by: [source.ip], \
         timespan: 10m}}\n",
        rule("failed"),
        rule("accepted")
    );
    let (rules, diagnostics) = RuleSet::load([Source { file: "bench.yml".to_owned(), text }]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    Arc::new(rules)
}

fn event(index: u64, sources: u64) -> Event<'static> {
    let source = index % sources;
    let stamp = Timestamp::from_micros(1_700_000_000_000_000 + index as i64 * 10_000);
    let mut event = Event::new(stamp, "sshd[812]: Failed password for root from 203.0.113.7");
    event.set(Field::EventAction, "failed");
    event.set(Field::HostName, "web1");
    event.set(Field::UserName, "root");
    event.set(
        Field::SourceIp,
        format!("10.{}.{}.{}", source >> 16, source >> 8 & 255, source & 255),
    );
    event.set(Field::SourcePort, 40_022);
    event
}

fn limits() -> Limits {
    Limits { update_interval: i64::MAX, ..Limits::default() }
}

/// Failures that meet no condition, from so many sources.
fn run(bencher: Bencher<'_, '_>, kind: &str, sources: u64) {
    let rules = rules(kind);
    let events: Vec<Event<'_>> = (0..EVENTS).map(|index| event(index, sources)).collect();
    let mut engine = Engine::new(rules, limits());
    let mut shift = 0;
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        let mut findings = Vec::new();
        let mut event = events.first().cloned().unwrap();
        for (id, next) in (0..).zip(&events) {
            event.clone_from(next);
            event.set_created(next.created().plus_micros(shift));
            engine.observe(&event, id, &mut findings);
        }
        shift += EVENTS as i64 * 10_000;
        findings
    });
}

#[divan::bench(args = KINDS)]
fn few_sources(bencher: Bencher<'_, '_>, kind: &str) {
    run(bencher, kind, 10);
}

#[divan::bench(args = KINDS)]
fn many_sources(bencher: Bencher<'_, '_>, kind: &str) {
    run(bencher, kind, 50_000);
}

/// An engine that has a million groups, each of so many events.
fn full(each: u64) -> Engine {
    let mut engine = Engine::new(rules("type: event_count, condition: {gte: 100}"), limits());
    let mut findings = Vec::new();
    for index in 0..GROUPS * each {
        // All within the time span, whatever their number.
        let mut event = event(index, GROUPS);
        event.set_created(Timestamp::from_micros(1_700_000_000_000_000 + index as i64 * 100));
        engine.observe(&event, index, &mut findings);
    }
    assert_eq!((engine.evicted(), findings.len()), (0, 0));
    engine
}

#[divan::bench(args = [1, 3, 10], sample_count = 1, sample_size = 1)]
fn state(bencher: Bencher<'_, '_>, each: u64) {
    bencher.counter(ItemsCount::new(GROUPS * each)).bench(|| full(each));
}

/// Eleven hours of guesses at passwords from 16,384 sources, through the packs as `scan` runs them.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn attack(bencher: Bencher<'_, '_>) {
    const SOURCES: i64 = 16_384;
    const GUESSES: i64 = 40 * SOURCES;
    let rules = Arc::new(RuleSet::load(bergfried_rules::builtin()).0);
    let received = Timestamp::from_seconds(1_700_000_000);
    let context = bergfried_parse::Context {
        received,
        host: "web1",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    bencher.counter(ItemsCount::new(GUESSES as u64)).bench_local(|| {
        let mut engine = Engine::new(Arc::clone(&rules), limits());
        let mut findings = Vec::new();
        let mut stated = 0;
        for guess in 0..GUESSES {
            let (source, user) = (guess % SOURCES, guess % 7);
            let line = format!(
                "sshd[{}]: Failed password for user{user} from 10.0.{}.{} port 40022 ssh2",
                guess % 30_000,
                source >> 8,
                source & 255
            );
            let mut event =
                bergfried_parse::parse(bergfried_event::SourceKind::File, &line, &context);
            event.set_created(received.plus_micros(guess * 11 * 3_600_000_000 / GUESSES));
            event.set(Field::HostName, "web1");
            event.set(Field::ProcessName, "sshd");
            engine.observe(&event, 0, &mut findings);
            stated += findings.len();
            findings.clear();
        }
        engine.flush(&mut findings);
        (stated + findings.len(), engine.state_bytes())
    });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn snapshot(bencher: Bencher<'_, '_>) {
    let engine = full(3);
    bencher.counter(ItemsCount::new(GROUPS)).bench_local(|| engine.snapshot());
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn restore(bencher: Bencher<'_, '_>) {
    let engine = full(3);
    let snapshot = engine.snapshot();
    bencher
        .counter(ItemsCount::new(GROUPS))
        .counter(divan::counter::BytesCount::new(snapshot.len()))
        .bench_local(|| Engine::restore(Arc::clone(engine.rules()), limits(), &snapshot).unwrap());
}
