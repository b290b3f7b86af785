//! What searches leave unread, told by their explanations; and that limits end them.

#![allow(clippy::unwrap_used, reason = "the helpers of a test fail as tests do")]

use std::time::{Duration, Instant};

use bergfried_event::{Event, Field, Timestamp};
use bergfried_query::{Comparison, Condition, Pattern, Predicate};
use bergfried_store::{
    Aggregation, BatchId, Explanation, Figure, Key, Limits, NewBatch, Options, Reader, Search,
    Sort, Stop, StoreError, open,
};

const SEGMENTS: u64 = 10;
const EVENTS: u64 = 1_000;
const MINUTE: i64 = 60 * Timestamp::SECOND;

/// Ten segments, each of a minute of its own.
fn store(size: usize) -> (tempfile::TempDir, Reader) {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        segment_events: usize::try_from(EVENTS).unwrap(),
        sync: false,
        ..Options::default()
    };
    let (mut writer, reader, _) = open(directory.path(), options).unwrap();
    // What is full becomes a segment when more comes: an eleventh batch stays in memory.
    for number in 0..=SEGMENTS {
        let events = (0..EVENTS).map(|place| event(number, place, size)).collect();
        let ingested = Timestamp::from_seconds(100_000 + number.cast_signed());
        let id = BatchId(u128::from(number).to_le_bytes());
        writer.append(vec![NewBatch { id, ingested, events, findings: [].into() }]).unwrap();
        let begun = Instant::now();
        while reader.stats().segments < usize::try_from(number).unwrap() {
            assert!(begun.elapsed() < Duration::from_secs(60), "no segment was made");
            std::thread::yield_now();
        }
    }
    assert_eq!(reader.stats().events_in_memory, EVENTS);
    (directory, reader)
}

fn event(number: u64, place: u64, size: usize) -> Event<'static> {
    let micros = number.cast_signed() * MINUTE + place.cast_signed();
    let message = format!("word{number} said {place} {}", "x".repeat(size));
    let mut event = Event::new(Timestamp::from_micros(micros), message.clone());
    event.set(Field::Message, message);
    event.set(Field::HostName, format!("host-{number}"));
    event.set(Field::UserName, format!("user-{number}-{place}"));
    event
}

fn search(predicate: Predicate) -> Search {
    let (from, to) = (Timestamp::MIN, Timestamp::MAX);
    Search { predicate, from, to, limit: 20, before: None }
}

fn explain(reader: &Reader, predicate: Predicate) -> Explanation {
    reader.explain(&search(predicate)).unwrap()
}

fn counts(by: Vec<Key>, predicate: Predicate) -> Aggregation {
    Aggregation {
        predicate,
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        by,
        figures: vec![Figure::Count],
        order: Vec::new(),
        limit: usize::MAX,
    }
}

#[test]
fn a_page_of_the_latest_stops_reading_when_it_is_full() {
    let (_directory, reader) = store(0);
    let told = explain(&reader, Predicate::Constant(true));
    assert!(told.stopped_early, "{told:?}");
    // Memory holds the latest; the second thread may take up one row group meanwhile.
    assert!(told.row_groups.read <= 1 && told.row_groups.unneeded >= SEGMENTS - 1, "{told:?}");
    assert!(told.events_matched < 2 * EVENTS, "{told:?}");
    let none = Condition::Text(Pattern::with_wildcards("*nobody*", false));
    let told = explain(&reader, Predicate::field(Field::UserName, none));
    assert_eq!((told.row_groups.read, told.events_matched), (SEGMENTS, 0), "{told:?}");
    assert!(!told.stopped_early);
    assert_eq!(told.events_read, (SEGMENTS + 1) * EVENTS);
}

#[test]
fn parts_are_left_out_by_what_rules_them_out() {
    let (_directory, reader) = store(0);
    let mut timed = search(Predicate::Constant(true));
    timed.from = Timestamp::from_micros(3 * MINUTE);
    timed.to = Timestamp::from_micros(4 * MINUTE);
    let told = reader.explain(&timed).unwrap();
    assert_eq!((told.segments.all, told.segments.by_time), (SEGMENTS, SEGMENTS - 1), "{told:?}");
    assert_eq!((told.blocks.by_time, told.row_groups.all), (told.blocks.all, 1), "{told:?}");
    assert_eq!(told.row_groups.read, 1);

    let number = |field, how, number| Predicate::field(field, Condition::Number(how, number));
    let told = explain(&reader, number(Field::EventId, Comparison::Less, 900.0));
    assert_eq!((told.segments.by_statistics, told.segments.read), (SEGMENTS - 1, 1), "{told:?}");
    assert_eq!(told.blocks.by_statistics, told.blocks.all);
    let told = explain(&reader, number(Field::EventIngested, Comparison::Equal, 1.000_05e11));
    assert_eq!((told.row_groups.by_statistics, told.row_groups.read), (SEGMENTS - 1, 1));
    let told = explain(&reader, number(Field::Timestamp, Comparison::GreaterOrEqual, 5.4e8));
    assert_eq!(told.segments.by_time, SEGMENTS - 1, "{told:?}");

    let host = Condition::Text(Pattern::literal("host-4"));
    let told = explain(&reader, Predicate::field(Field::HostName, host));
    assert_eq!((told.row_groups.by_bloom_filter, told.row_groups.read), (SEGMENTS - 1, 1));
    let word = Condition::Words(Pattern::literal("word7"));
    let told = explain(&reader, Predicate::field(Field::Message, word));
    assert_eq!((told.row_groups.by_token_filter, told.row_groups.read), (SEGMENTS - 1, 1));
    assert!(told.events_decoded == 0 && told.events_matched >= 20, "{told:?}");
}

#[test]
fn counts_over_time_come_from_the_index_alone() {
    let (_directory, reader) = store(0);
    let over_time = counts(vec![Key::Time(MINUTE)], Predicate::Constant(true));
    let table = reader.aggregate(&over_time, &Limits::default()).unwrap();
    assert_eq!(table.rows.len() as u64, SEGMENTS + 1);
    let told = table.explanation;
    assert_eq!((told.row_groups.from_index, told.row_groups.read), (SEGMENTS, 0), "{told:?}");
    assert_eq!(told.events_from_index, SEGMENTS * EVENTS);
    assert_eq!(told.events_matched, (SEGMENTS + 1) * EVENTS);
    // Buckets that end within a minute cannot be told from the index.
    let finer = counts(vec![Key::Time(10)], Predicate::Constant(true));
    let told = reader.aggregate(&finer, &Limits::default()).unwrap().explanation;
    assert_eq!((told.row_groups.from_index, told.row_groups.read), (0, SEGMENTS), "{told:?}");
}

#[test]
fn too_many_groups_are_refused_with_what_to_do() {
    let (_directory, reader) = store(0);
    let users = Key::Field(Field::UserName.into());
    let small = Limits { memory: 300_000, ..Limits::default() };
    let mut ranked = counts(vec![users.clone()], Predicate::Constant(true));
    ranked.order = vec![Sort { column: 1, descending: true }];
    ranked.limit = 10;
    let mut distinct = counts(vec![], Predicate::Constant(true));
    distinct.figures = vec![Figure::Distinct(Field::UserName.into())];
    for wanted in [counts(vec![users], Predicate::Constant(true)), ranked, distinct] {
        let whole = reader.aggregate(&wanted, &Limits::default()).unwrap();
        assert!(!whole.rows.is_empty());
        let refused = reader.aggregate(&wanted, &small).unwrap_err();
        assert!(matches!(refused, StoreError::TooMuch { .. }), "{refused:?}");
        assert!(refused.to_string().contains("narrow the search or the time"), "{refused}");
    }
}

#[test]
fn pages_and_replays_of_large_events_come_in_smaller_portions() {
    let (_directory, reader) = store(2_000);
    let small = reader.within(&Limits { memory: 50_000, ..Limits::default() });
    let mut wanted = search(Predicate::Constant(true));
    let (mut found, mut pages) = (Vec::new(), 0);
    while found.len() < 30 {
        let page = small.search(&wanted).unwrap();
        assert!(page.more && !page.events.is_empty() && page.events.len() < 20);
        wanted.before = page.events.last().map(|event| (event.event.created(), event.id));
        found.extend(page.events.into_iter().map(|event| event.id));
        pages += 1;
    }
    assert!(pages > 1);
    let last = (SEGMENTS + 1) * EVENTS;
    let expected: Vec<u64> = (0..found.len() as u64).map(|place| last - place).collect();
    assert_eq!(found, expected);
    let handed = small.replay(Timestamp::MIN, 100, |_| std::ops::ControlFlow::Continue(()));
    assert_eq!(handed.unwrap(), 100);
}

#[test]
fn every_call_ends_when_it_is_told_to() {
    let (_directory, reader) = store(0);
    let stop = Stop::default();
    let limits = Limits { stop: stop.clone(), ..Limits::default() };
    let reader = reader.within(&limits);
    stop.set();
    let all = Predicate::Constant(true);
    let (from, to) = (Timestamp::MIN, Timestamp::MAX);
    let host = Field::HostName.into();
    let go_on = || std::ops::ControlFlow::Continue(());
    let results = [
        reader.search(&search(all.clone())).map(drop),
        reader.explain(&search(all.clone())).map(drop),
        reader.count(&all, from, to).map(drop),
        reader.histogram(&all, from, to, MINUTE).map(drop),
        reader.top(&all, from, to, &host, 3).map(drop),
        reader.aggregate(&counts(vec![Key::Field(host)], all.clone()), &limits).map(drop),
        reader.replay(from, 10, |_| go_on()).map(drop),
        reader.replay_since(0, |_| go_on()).map(drop),
        reader.replay_matching(&all, from, to, |_| go_on()).map(drop),
        reader.follow(0, |_, _, _| go_on()).map(drop),
        reader.verify().map(drop),
    ];
    for (place, result) in results.into_iter().enumerate() {
        assert!(matches!(result, Err(StoreError::Cancelled)), "{place}: {result:?}");
    }
}
