//! Row groups that are read in part: what is found in one stretch of rows, at the ends of stretches and
//! in all of them is what the plain walk finds, and little else is read for it.

#![allow(clippy::unwrap_used, reason = "the helpers of a test fail as tests do")]

use std::time::{Duration, Instant};

use bergfried_event::{Event, Field, Timestamp, Value};
use bergfried_query::{Comparison, Condition, Pattern, Predicate, TextRegex};
use bergfried_store::{BatchId, NewBatch, Options, Reader, Search, open};

/// Rows of a stretch, as the segment layout has it.
const STRETCH: i64 = 1 << 13;
const EVENTS: i64 = 3 * STRETCH + 100;

fn event(number: i64) -> Event<'static> {
    let message = match number {
        5 => "a Größe seldom seen".to_owned(),
        // The last row of a stretch, and the first of the next.
        number if number == STRETCH - 1 || number == STRETCH => "an edge of Quicksilver".to_owned(),
        number if number % 7_000 == 6_999 => format!("from 192.0.2.{} port 9", number / 7_000),
        // Longer than pages may be: they end before their stretch does.
        number if (2 * STRETCH..2 * STRETCH + 15).contains(&number) => "long ".repeat(40_000),
        number => format!("Failed password number {number} of many"),
    };
    let mut event = Event::new(Timestamp::from_micros(number * 1_000), format!("head: {message}"));
    event.set(Field::Message, message);
    event.set(Field::HostName, format!("host-{}", number % 50));
    if number % 3 == 0 {
        event.set(Field::SourcePort, number);
    }
    if number > 2 * STRETCH {
        event.set(Field::UserName, "late");
    }
    event
}

fn stored() -> (tempfile::TempDir, Reader, Vec<Event<'static>>) {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        segment_events: usize::try_from(EVENTS).unwrap(),
        sync: false,
        ..Options::default()
    };
    let (mut writer, reader, _) = open(directory.path(), options).unwrap();
    let events: Vec<Event<'static>> = (0..EVENTS).map(event).collect();
    let ingested = Timestamp::from_seconds(100_000);
    // What is full becomes a segment when more comes.
    for (id, events) in
        [(1, events.clone()), (2, vec![Event::new(Timestamp::from_seconds(90_000), "more")])]
    {
        let id = BatchId(u128::to_le_bytes(id));
        writer.append(vec![NewBatch { id, ingested, events, findings: [].into() }]).unwrap();
    }
    let begun = Instant::now();
    while reader.stats().segments == 0 {
        assert!(begun.elapsed() < Duration::from_secs(120), "no segment was made");
        std::thread::sleep(Duration::from_millis(5));
    }
    (directory, reader, events)
}

fn message(condition: fn(Pattern) -> Condition, text: &str) -> Predicate {
    Predicate::field(Field::Message, condition(Pattern::with_wildcards(text, false)))
}

#[test]
fn parts_of_row_groups_hold_what_the_plain_walk_finds() {
    let (_directory, reader, events) = stored();
    let words = |text| message(Condition::Words, text);
    let port = |how, than| Predicate::field(Field::SourcePort, Condition::Number(how, than));
    let host = Predicate::field(Field::HostName, Condition::Text(Pattern::literal("HOST-7")));
    let late = Predicate::field(Field::UserName, Condition::Exists);
    let user = Predicate::field(Field::UserName, Condition::Null);
    let regex = Condition::Regex(TextRegex::new("number 1?[0-9]{2} ").unwrap());
    let cased = Condition::Words(Pattern::exact("Quicksilver"));
    let not = |predicate: Predicate| Predicate::Not(Box::new(predicate));
    let predicates = [
        words("quicksilver"),
        words("GRÖSSE"),
        words("größe"),
        words("quick*"),
        words("192.0.2.2"),
        words("8192"),
        words("24600"),
        words("long"),
        words("password number"),
        message(Condition::Text, "*Edge of*"),
        message(Condition::Text, "Failed password number 24600 of many"),
        Predicate::field(Field::Message, cased),
        Predicate::field(Field::Message, regex),
        host.clone().and(words("failed")),
        Predicate::Or(vec![words("quicksilver"), words("192.0.2.1"), host.clone()]),
        words("password").and(not(host)).and(port(Comparison::Less, 900.0)),
        Predicate::AtLeast(
            2,
            vec![late.clone(), port(Comparison::Greater, 24_000.0), words("many")],
        ),
        late.clone().and(port(Comparison::Equal, f64::from(24_600))),
        user.and(words("quicksilver")),
        not(words("password")),
        Predicate::Or(vec![not(late), words("long")]).and(port(Comparison::NotEqual, 0.0)),
    ];
    let at = |number: i64| Timestamp::from_micros(number * 1_000);
    for predicate in predicates {
        let matching: Vec<&Event<'_>> =
            events.iter().rev().filter(|event| predicate.matches(event)).collect();
        for (from, to) in [
            (Timestamp::MIN, at(EVENTS)),
            (at(STRETCH - 2), at(STRETCH + 3)),
            (at(2 * STRETCH + 7), at(EVENTS - 50)),
        ] {
            let within = |event: &Event<'_>| event.created() >= from && event.created() < to;
            let expected = matching.iter().copied().filter(|event| within(event));
            let expected: Vec<&Event<'_>> = expected.collect();
            let count = reader.count(&predicate, from, to).unwrap();
            assert_eq!(count, expected.len() as u64, "{predicate:?}");
            let search = Search { predicate: predicate.clone(), from, to, limit: 60, before: None };
            let page = reader.search(&search).unwrap();
            assert_eq!(page.more, expected.len() > 60);
            assert_eq!(page.events.len(), expected.len().min(60), "{predicate:?}");
            for (found, expected) in page.events.iter().zip(expected) {
                assert_eq!(found.event.created(), expected.created());
                assert_eq!(found.event.original(), expected.original());
                for field in [Field::Message, Field::HostName, Field::SourcePort, Field::UserName] {
                    assert_eq!(found.event.get(field), expected.get(field));
                }
                assert_eq!(found.event.get(Field::EventId), Some(&Value::Int(found.id as i64)));
            }
        }
    }
}

#[test]
fn a_seldom_word_and_a_full_page_cost_few_rows() {
    let (_directory, reader, _) = stored();
    let explain = |predicate| {
        let (from, to) = (Timestamp::MIN, Timestamp::MAX);
        reader.explain(&Search { predicate, from, to, limit: 100, before: None }).unwrap()
    };
    let told = explain(message(Condition::Words, "größe"));
    // One word in twenty or so is told of a stretch wrongly.
    assert!(told.events_read <= 2 * STRETCH as u64 + 1 && told.events_matched == 1, "{told:?}");
    assert_eq!(told.events_decoded, 0);
    let told = explain(Predicate::Constant(true));
    assert!(told.events_read <= 2 * STRETCH as u64 + 1 && told.stopped_early, "{told:?}");
}
