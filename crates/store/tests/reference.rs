//! What the store finds is what the plain walk over all events finds, whether they are in memory, in
//! segments, or both, before and after it is opened again.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as tests do"
)]

mod plain;
mod sample;

use std::ops::ControlFlow;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_query::{Comparison, Condition, Pattern, Predicate, Target, TextRegex, TimePart};
use bergfried_store::{
    Aggregation, BatchId, Figure, Key, Limits, NewBatch, Options, Reader, Search, Sort, Table,
    Writer, open,
};
use proptest::prelude::*;
use proptest::sample::select;

use sample::{T0, sorted};

const FIELDS: &[Field] = &[
    Field::HostName,
    Field::UserName,
    Field::SourceIp,
    Field::SourcePort,
    Field::ProcessPid,
    Field::EventCategory,
    Field::Message,
    Field::GroupName,
    Field::EventOriginal,
    Field::Timestamp,
    Field::EventId,
    Field::EventIngested,
];

const WORDS: &[&str] =
    &["root", "Bob", "10.0.0.1", "fail", "Failed", "[x", "größe", "ΑΣ", "22", "a-b", "true", ""];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(select(WORDS), 1..4).prop_map(|words| words.join(" "))
}

fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        6 => select(WORDS).prop_map(|word| Value::from(word.to_owned())),
        2 => text().prop_map(Value::from),
        2 => (-3_i64..60_000).prop_map(Value::Int),
        1 => prop::num::f64::NORMAL.prop_map(Value::Float),
        1 => (-9..9_i32).prop_map(|number| Value::Float(f64::from(number) / 4.0)),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
        2 => prop::collection::vec(select(WORDS), 0..3).prop_map(|words| {
            Value::List(words.into_iter().map(|word| Value::from(word.to_owned())).collect())
        }),
        1 => Just(Value::List(vec![Value::Int(22), Value::List(vec![Value::from("root")])])),
    ]
}

fn name() -> impl Strategy<Value = FieldName<'static>> {
    prop_oneof![
        6 => select(&FIELDS[..8]).prop_map(FieldName::Known),
        1 => Just(FieldName::new("sd.x")),
    ]
}

prop_compose! {
    fn event()(
        seconds in -200_000_i64..200_000,
        fields in prop::collection::vec((name(), value()), 0..6),
        message in text(),
        head in select(&["", "x: ", "glued", "{", "<13>", "stamp"][..]),
        host in select(&["web1", "db"][..]),
    ) -> Event<'static> {
        let created = Timestamp::from_micros(T0).plus_micros(seconds * 100_000);
        let stamp = created.to_string();
        let original = match head {
            "stamp" => format!("{stamp} {host} prog[22]: {message}"),
            head => format!("{head}{message}"),
        };
        let mut event = Event::new(created, original);
        event.set(Field::HostName, host);
        event.set(Field::ProcessName, "prog");
        event.set(Field::ProcessPid, 22);
        event.set(Field::Message, message);
        for (name, value) in fields {
            event.set_named(name, value);
        }
        event
    }
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let piece = prop_oneof![4 => select(WORDS), 2 => select(&["*", "?", " ", "o", "."][..])];
    (prop::collection::vec(piece, 1..4), any::<bool>(), any::<bool>()).prop_map(
        |(pieces, cased, anywhere)| {
            let pattern = Pattern::with_wildcards(&pieces.concat(), cased);
            if anywhere { pattern.anywhere() } else { pattern }
        },
    )
}

fn condition() -> impl Strategy<Value = Condition> {
    let comparison = select(
        &[
            Comparison::Equal,
            Comparison::NotEqual,
            Comparison::Less,
            Comparison::LessOrEqual,
            Comparison::Greater,
            Comparison::GreaterOrEqual,
        ][..],
    );
    let number = prop_oneof![
        Just(22.0),
        (0..300_i32).prop_map(f64::from),
        #[expect(clippy::cast_precision_loss, reason = "any time near the events will do")]
        (-200_000_i64..200_000).prop_map(|at| (T0 + at * 100_000) as f64),
    ];
    prop_oneof![
        1 => Just(Condition::Exists),
        1 => Just(Condition::Null),
        6 => pattern().prop_map(Condition::Text),
        6 => pattern().prop_map(Condition::Words),
        1 => select(&["fa.l", "^root", "[0-9]{2}"][..])
            .prop_map(|regex| Condition::Regex(TextRegex::new(regex).unwrap())),
        1 => select(&["10.0.0.0/8", "10.0.0.1/32", "::/0"][..])
            .prop_map(|network| Condition::Network(network.parse().unwrap())),
        2 => (comparison.clone(), number).prop_map(|(how, right)| Condition::Number(how, right)),
        1 => any::<bool>().prop_map(Condition::Bool),
        1 => (select(&[TimePart::Minute, TimePart::Hour, TimePart::Day][..]), comparison, 0..60_u8).prop_map(|(part, how, right)| {
            Condition::TimePart(part, how, f64::from(right))
        }),
        1 => (name(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(field, any_before, any_after, cased)| Condition::SameAs {
                field, any_before, any_after, cased,
            }
        ),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let target = prop_oneof![
        8 => select(FIELDS).prop_map(|field| Target::Field(field.into())),
        1 => Just(Target::Field(FieldName::new("sd.x"))),
        1 => Just(Target::Anything),
    ];
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Predicate::Constant),
        9 => (target, condition()).prop_map(|(target, how)| Predicate::Atom(target, how)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::Or),
            inner.clone().prop_map(|inner| Predicate::Not(Box::new(inner))),
            (0..4_usize, prop::collection::vec(inner, 0..4))
                .prop_map(|(needed, choices)| Predicate::AtLeast(needed, choices)),
        ]
    })
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        4 => field().prop_map(Key::Field),
        1 => select(&[1, 60 * Timestamp::SECOND, Timestamp::DAY][..]).prop_map(Key::Time),
    ]
}

fn field() -> impl Strategy<Value = FieldName<'static>> {
    prop_oneof![
        8 => select(FIELDS).prop_map(FieldName::Known),
        1 => Just(FieldName::new("sd.x")),
    ]
}

fn figure() -> impl Strategy<Value = Figure> {
    prop_oneof![
        3 => Just(Figure::Count),
        2 => field().prop_map(Figure::Distinct),
        1 => field().prop_map(Figure::Sum),
        1 => field().prop_map(Figure::Avg),
        1 => field().prop_map(Figure::Min),
        1 => field().prop_map(Figure::Max),
        2 => (field(), select(&[0.0, 0.25, 0.5, 0.95, 1.0][..]))
            .prop_map(|(field, share)| Figure::Percentile(field, share)),
    ]
}

prop_compose! {
    fn aggregation()(
        predicate in prop_oneof![Just(Predicate::Constant(true)), predicate()],
        by in prop::collection::vec(key(), 0..4),
        figures in prop::collection::vec(figure(), 0..5),
        order in prop::collection::vec((0..9_usize, any::<bool>()), 0..3),
        limit in prop_oneof![Just(usize::MAX), 0..5_usize],
        times in prop_oneof![
            Just((Timestamp::MIN, Timestamp::MAX)),
            (-200_000_i64..200_000, 0_i64..300_000).prop_map(|(from, length)| {
                let from = Timestamp::from_micros(T0).plus_micros(from * 100_000);
                (from, from.plus_micros(length * 100_000))
            }),
        ],
    ) -> Aggregation {
        let columns = by.len() + figures.len();
        let exact = |column: usize| {
            let figure = column.checked_sub(by.len()).and_then(|figure| figures.get(figure));
            column < columns && !matches!(figure, Some(Figure::Sum(_) | Figure::Avg(_)))
        };
        let order = order.into_iter().filter(|(column, _)| exact(*column));
        let order = order.map(|(column, descending)| Sort { column, descending }).collect();
        let (from, to) = times;
        Aggregation { predicate, from, to, by, figures, order, limit }
    }
}

struct Model {
    events: Vec<Event<'static>>,
}

impl Model {
    fn add(&mut self, event: &Event<'static>, ingested: Timestamp) {
        let mut event = event.clone();
        event.set(Field::EventId, self.events.len() as i64 + 1);
        event.set(Field::EventIngested, ingested.to_string());
        self.events.push(event);
    }

    fn matches(&self, predicate: &Predicate, from: Timestamp, to: Timestamp) -> Vec<&Event<'_>> {
        let mut found: Vec<_> = self
            .events
            .iter()
            .filter(|event| event.created() >= from && event.created() < to)
            .filter(|event| predicate.matches(event))
            .collect();
        found.sort_by_key(|event| std::cmp::Reverse((event.created(), id(event))));
        found
    }

    fn check(&self, reader: &Reader, predicate: &Predicate, from: Timestamp, to: Timestamp) {
        let expected = self.matches(predicate, from, to);
        assert_eq!(reader.count(predicate, from, to).unwrap(), expected.len() as u64);
        let mut before = None;
        let mut paged = Vec::new();
        loop {
            let predicate = predicate.clone();
            let page = reader.search(&Search { predicate, from, to, limit: 7, before }).unwrap();
            before = page.events.last().map(|event| (event.event.created(), event.id));
            paged.extend(page.events);
            if !page.more {
                break;
            }
        }
        assert_eq!(paged.len(), expected.len());
        for (found, expected) in paged.iter().zip(&expected) {
            assert_eq!(found.event, sorted(expected));
            assert_eq!(found.event.get(Field::EventId), Some(&Value::Int(found.id as i64)));
            assert_eq!(reader.get(found.id).unwrap().as_ref(), Some(found));
        }
        for field in [Field::HostName, Field::UserName, Field::EventCategory, Field::GroupName] {
            let top = reader.top(predicate, from, to, &field.into(), 3).unwrap();
            assert_eq!(top, naive_top(&expected, field, 3), "{field:?}");
        }
        let buckets = reader.histogram(predicate, from, to, 60 * Timestamp::SECOND).unwrap();
        let mut naive = std::collections::BTreeMap::new();
        for event in &expected {
            let bucket = event.created().floor_to(60 * Timestamp::SECOND);
            *naive.entry(bucket).or_insert(0) += 1;
        }
        assert_eq!(buckets, naive.into_iter().collect::<Vec<_>>());
    }

    fn check_aggregation(&self, reader: &Reader, aggregation: &Aggregation) {
        let table = reader.aggregate(aggregation, &Limits::default()).unwrap();
        self.check_table(aggregation, &table);
        // The same beside others, which the faster ways for one alone do not answer.
        let counts = |key| Aggregation {
            by: vec![key],
            figures: vec![Figure::Count],
            order: vec![Sort { column: 1, descending: true }],
            ..aggregation.clone()
        };
        let minutes = counts(Key::Time(60 * Timestamp::SECOND));
        let hosts = counts(Key::Field(Field::HostName.into()));
        let together = [minutes, aggregation.clone(), hosts];
        let tables = reader.aggregate_all(&together, &Limits::default()).unwrap();
        assert_eq!(tables.len(), together.len());
        together.iter().zip(&tables).for_each(|(one, table)| self.check_table(one, table));
    }

    fn check_table(&self, aggregation: &Aggregation, table: &Table) {
        let matching = self.matches(&aggregation.predicate, aggregation.from, aggregation.to);
        let (expected, more) = plain::aggregate(&matching, aggregation);
        assert_eq!(table.more, more, "{aggregation:?}");
        let figures = aggregation.figures.iter();
        let slack: Vec<f64> = std::iter::repeat_n(0.0, aggregation.by.len())
            .chain(figures.map(|figure| 1e-9 * plain::magnitude(&matching, figure)))
            .collect();
        assert_eq!(table.rows.len(), expected.len(), "{aggregation:?}\n{table:?}");
        for (row, expected) in table.rows.iter().zip(&expected) {
            assert_eq!(row.len(), table.columns.len());
            let slack = slack.iter().copied();
            let mut pairs = row.iter().zip(expected).zip(slack);
            let alike = pairs.all(|((one, other), slack)| alike(one, other, slack));
            assert!(alike, "{aggregation:?}\n{row:?}\n{expected:?}");
        }
        assert_eq!(table.explanation.events_matched, matching.len() as u64);
    }

    fn check_replay(&self, reader: &Reader, from: Timestamp) {
        let mut expected = self.matches(&Predicate::Constant(true), from, Timestamp::MAX);
        expected.reverse();
        let mut replayed = Vec::new();
        let handed = reader.replay(from, usize::MAX, |event| {
            replayed.push(event.event);
            ControlFlow::Continue(())
        });
        assert_eq!(handed.unwrap(), expected.len());
        let expected: Vec<_> = expected.into_iter().map(sorted).collect();
        assert_eq!(replayed, expected);
        let mut all = self.matches(&Predicate::Constant(true), Timestamp::MIN, Timestamp::MAX);
        all.reverse();
        for first in [0, self.events.len() / 2, self.events.len() + 1] {
            let since = all.iter().filter(|event| id(event) >= first as i64);
            let expected: Vec<_> = since.map(|event| sorted(event)).collect();
            let mut replayed = Vec::new();
            let handed = reader.replay_since(first as u64, |event| {
                replayed.push(event.event);
                ControlFlow::Continue(())
            });
            assert_eq!(handed.unwrap(), expected.len());
            assert_eq!(replayed, expected);
            self.check_follow(reader, first as u64);
        }
    }

    /// In the order of ids, broken off and continued in between.
    fn check_follow(&self, reader: &Reader, first: u64) {
        let mut expected: Vec<_> =
            self.events.iter().filter(|event| id(event) >= first as i64).collect();
        expected.sort_by_key(|event| id(event));
        assert_eq!(reader.last_id(), self.events.len() as u64);
        let (mut after, mut followed) = (first.saturating_sub(1), Vec::new());
        loop {
            let mut portion = 0;
            let visited = reader.follow(after, |event_id, ingested, event| {
                assert_eq!(id(event), event_id as i64);
                assert_eq!(event.text(Field::EventIngested).unwrap(), ingested.to_string());
                followed.push(sorted(event));
                after = event_id;
                portion += 1;
                if portion < 700 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            visited.unwrap();
            if portion == 0 {
                break;
            }
        }
        let expected: Vec<_> = expected.into_iter().map(sorted).collect();
        assert_eq!(followed, expected);
    }
}

/// Whether the values are the same; sums of fractions depend on the order in which they are added.
fn alike(one: &Value<'_>, other: &Value<'_>, slack: f64) -> bool {
    match (one, other) {
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            let number = |value| bergfried_query::number(value).unwrap();
            let (one, other) = (number(one), number(other));
            one == other || slack.is_infinite() || (one - other).abs() <= slack
        }
        (one, other) => one == other,
    }
}

fn id(event: &Event<'_>) -> i64 {
    event.get(Field::EventId).and_then(Value::as_int).unwrap()
}

fn naive_top(events: &[&Event<'_>], field: Field, k: usize) -> Vec<(String, u64)> {
    let mut counts: std::collections::HashMap<String, u64> = std::collections::HashMap::new();
    for event in events {
        for text in plain::texts(event, &field.into()) {
            *counts.entry(text).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts.truncate(k);
    counts
}

fn append(writer: &mut Writer, model: &mut Model, batch: usize, events: Vec<Event<'static>>) {
    let ingested = Timestamp::from_micros(T0).plus_micros(batch as i64);
    events.iter().for_each(|event| model.add(event, ingested));
    let id = BatchId((batch as u128).to_le_bytes());
    let batch = NewBatch { id, ingested, events, findings: [].into() };
    writer.append(vec![batch]).unwrap();
}

#[test]
fn values_that_no_column_holds_are_found_in_segments() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { segment_events: 4, sync: false, ..Options::default() };
    let (mut writer, reader, _) = open(directory.path(), options).unwrap();
    let nested = Value::List(vec![Value::Int(22), Value::List(vec![Value::from("root")])]);
    let values = [Value::from("[x".to_owned()), nested, Value::Int(7), Value::from("web1")];
    let mut model = Model { events: Vec::new() };
    let events = values.map(|value| {
        let mut event = Event::new(Timestamp::from_micros(T0), "line");
        event.set(Field::HostName, value);
        event
    });
    append(&mut writer, &mut model, 0, events.to_vec());
    // What is full becomes a segment when more comes.
    append(&mut writer, &mut model, 1, vec![Event::new(Timestamp::from_micros(T0), "more")]);
    let begun = std::time::Instant::now();
    while reader.stats().segments == 0 {
        assert!(begun.elapsed().as_secs() < 60, "no segment was made");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for host in ["[x", "22", "root", "7", "web1"] {
        let is = Condition::Text(Pattern::literal(host));
        let predicate = Predicate::Atom(Target::Field(Field::HostName.into()), is);
        assert_eq!(model.matches(&predicate, Timestamp::MIN, Timestamp::MAX).len(), 1, "{host}");
        model.check(&reader, &predicate, Timestamp::MIN, Timestamp::MAX);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn finds_what_the_plain_walk_finds(
        batches in prop::collection::vec(prop::collection::vec(event(), 0..12), 1..8),
        segment_events in 1_usize..30,
        predicates in prop::collection::vec(predicate(), 12),
        aggregations in prop::collection::vec(aggregation(), 12),
        from in -200_000_i64..200_000,
        length in 0_i64..300_000,
        reopen in any::<bool>(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let options = Options { segment_events, sync: false, ..Options::default() };
        let (mut writer, mut reader, _) = open(directory.path(), options.clone()).unwrap();
        let mut model = Model { events: Vec::new() };
        for (number, events) in batches.into_iter().enumerate() {
            append(&mut writer, &mut model, number, events);
        }
        if reopen {
            writer.close().unwrap();
            (writer, reader, _) = open(directory.path(), options).unwrap();
        }
        prop_assert_eq!(writer.next_event_id(), model.events.len() as u64 + 1);
        let from = Timestamp::from_micros(T0).plus_micros(from * 100_000);
        for (index, predicate) in predicates.iter().enumerate() {
            let whole = index % 2 == 0;
            let (from, to) = if whole {
                (Timestamp::MIN, Timestamp::MAX)
            } else {
                (from, from.plus_micros(length * 100_000))
            };
            model.check(&reader, predicate, from, to);
        }
        for aggregation in &aggregations {
            model.check_aggregation(&reader, aggregation);
        }
        model.check_replay(&reader, from);
        reader.verify().unwrap();
    }
}
