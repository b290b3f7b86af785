//! Held to the plain walk: whatever the predicates, the events and the statistics, the hits are the
//! same.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may stop where it stands"
)]

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_matcher::{Cost, Entry, Labels, Matcher, Scratch, Statistics};
use bergfried_query::{
    Comparison, Condition, Part, Pattern, Predicate, Target, TextRegex, TimePart,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const TIMES: [&str; 2] = ["2026-11-21T12:00:00Z", "1970-01-01T00:00:01Z"];

fn names() -> impl Strategy<Value = FieldName<'static>> {
    select(vec![
        FieldName::Known(Field::UserName),
        FieldName::Known(Field::Timestamp),
        FieldName::Known(Field::EventOriginal),
        FieldName::Known(Field::EventIngested),
        FieldName::Known(Field::EventId),
        FieldName::Other("Image".into()),
        FieldName::Other("CommandLine".into()),
        FieldName::Other("user.name".into()),
        FieldName::Other("".into()),
    ])
}

/// Short texts of few letters, so that conditions hold now and then.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        8 => "[abAB]{0,4}",
        4 => "[abcx\\\\./ -]{0,14}",
        2 => "[aΣσςİK ß]{0,4}",
        1 => select(vec!["true", "FALSE", "1", "0x1", " 01.0 ", "-0", "NaN", "inf", "1e0", "10.0.0.1",
            "::ffff:10.0.0.1", TIMES[0], TIMES[1]]).prop_map(str::to_owned),
    ]
    .boxed()
}

fn scalar() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        8 => text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => (-2_i64..3).prop_map(Value::Int),
        1 => select(vec![0.0, -0.0, 1.0, 1.5, 1e21, f64::NAN, f64::INFINITY]).prop_map(Value::Float),
    ]
}

fn value() -> impl Strategy<Value = Value<'static>> {
    let nested = vec(scalar(), 0..2).prop_map(Value::List);
    let item = prop_oneof![4 => scalar(), 1 => nested];
    prop_oneof![4 => scalar(), 1 => vec(item, 0..3).prop_map(Value::List)]
}

fn event() -> impl Strategy<Value = Event<'static>> {
    (text(), vec((names(), value()), 0..6), select(vec![0, 1, 1_000_000])).prop_map(
        |(original, fields, created)| {
            let mut event = Event::new(Timestamp::from_micros(created), original);
            // A field pushed twice is there twice.
            for (name, value) in fields {
                event.push_named(name, value);
            }
            event
        },
    )
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let wild = ("[*?]?", text(), "[*?]?", "[abA]{0,3}", "[*?]?", any::<bool>()).prop_map(
        |(before, text, between, more, after, cased)| {
            let text = text.replace('\\', "\\\\");
            Pattern::with_wildcards(&format!("{before}{text}{between}{more}{after}"), cased)
        },
    );
    let plain =
        (text(), any::<bool>()).prop_map(|(text, cased)| Pattern::with_wildcards(&text, cased));
    let inside = (text(), any::<bool>())
        .prop_map(|(text, cased)| Pattern::with_wildcards(&text, cased).anywhere());
    let dash = ("[ab]{0,3}", any::<bool>()).prop_map(|(text, cased)| {
        let parts = [Part::AnyRun, Part::AnyDash, Part::Literal(text), Part::AnyRun];
        Pattern::new(parts, cased)
    });
    prop_oneof![3 => wild, 3 => plain, 3 => inside, 1 => dash]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison as C;
    select(vec![
        C::Equal,
        C::Equal,
        C::NotEqual,
        C::Less,
        C::LessOrEqual,
        C::Greater,
        C::GreaterOrEqual,
    ])
}

fn condition() -> impl Strategy<Value = Condition> {
    let number = select(vec![0.0, -0.0, 1.0, 1.5, 1e6, 1e21, f64::NAN, f64::INFINITY]);
    let regex = select(vec![
        "a",
        "^b",
        "(?i)ab",
        "a.*b",
        "[ab]$",
        "",
        "Σ",
        "(?i)(aab|bK+a)",
        "abb?(ab|ba)+",
        "xx|bab",
    ]);
    let network = select(vec!["10.0.0.0/8", "::1/128", "10.0.0.1/32"]);
    prop_oneof![
        1 => Just(Condition::Exists),
        1 => Just(Condition::Null),
        12 => pattern().prop_map(Condition::Text),
        2 => pattern().prop_map(Condition::Words),
        2 => regex.prop_map(|regex| Condition::Regex(TextRegex::new(regex).unwrap())),
        1 => network.prop_map(|network| Condition::Network(network.parse().unwrap())),
        2 => (comparison(), number).prop_map(|(comparison, to)| Condition::Number(comparison, to)),
        1 => any::<bool>().prop_map(Condition::Bool),
        1 => (select(vec![0.0, 12.0, 2026.0]), comparison(), select(vec![TimePart::Year, TimePart::Hour]))
            .prop_map(|(to, comparison, part)| Condition::TimePart(part, comparison, to)),
        1 => (names(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(field, any_before, any_after, cased)| Condition::SameAs {
                field, any_before, any_after, cased,
            }),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let target = prop_oneof![8 => names().prop_map(Target::Field), 1 => Just(Target::Anything)];
    let atom =
        (target, condition()).prop_map(|(target, condition)| Predicate::Atom(target, condition));
    let atom = atom.boxed();
    // More than are counted step by step.
    let many = (20_usize..40, vec(atom.clone(), 30..31))
        .prop_map(|(needed, choices)| Predicate::AtLeast(needed, choices));
    let constant = any::<bool>().prop_map(Predicate::Constant);
    let leaf = prop_oneof![200 => atom, 10 => constant, 1 => many];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 0..4).prop_map(Predicate::And),
            3 => vec(inner.clone(), 0..4).prop_map(Predicate::Or),
            1 => (0_usize..4, vec(inner.clone(), 0..4))
                .prop_map(|(needed, choices)| Predicate::AtLeast(needed, choices)),
            1 => inner.prop_map(|inner| Predicate::Not(Box::new(inner))),
        ]
    })
}

fn labels() -> impl Strategy<Value = Labels> {
    vec(select(vec![0_usize, 1, 64, 511]), 0..3).prop_map(|labels| labels.into_iter().collect())
}

fn naive(entries: &[Entry<'_>], event: &Event<'_>, labels: &Labels) -> Vec<usize> {
    let holds =
        |entry: &Entry<'_>| labels.contains_all(&entry.asks) && entry.predicate.matches(event);
    (0..entries.len()).filter(|index| holds(&entries[*index])).collect()
}

fn statistics(events: &[(Event<'static>, Labels)]) -> Statistics {
    let mut statistics = Statistics::default();
    for (event, labels) in events {
        assert!(statistics.add(event.clone(), *labels));
    }
    statistics
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hits_are_those_of_the_plain_walk(
        predicates in vec((predicate(), labels()), 0..24),
        events in vec((event(), labels()), 1..12),
        misleading in vec((event(), labels()), 1..6),
    ) {
        let entries: Vec<Entry<'_>> = predicates
            .iter()
            .map(|(predicate, asks)| Entry { predicate, asks: *asks })
            .collect();
        let matchers = [
            Matcher::new(&entries, &Statistics::default()),
            Matcher::new(&entries, &statistics(&events)),
            Matcher::new(&entries, &statistics(&misleading)),
        ];
        // Each with memory of its own, and all with the same.
        let mut own = vec![Scratch::default(); matchers.len()];
        let mut shared = Scratch::default();
        for (event, labels) in events.iter().chain(&events) {
            let expected = naive(&entries, event, labels);
            for (matcher, own) in matchers.iter().zip(&mut own) {
                for scratch in [own, &mut shared] {
                    let mut hits = vec![usize::MAX];
                    matcher.matches(event, labels, scratch, &mut hits);
                    prop_assert_eq!(&hits[1..], expected.as_slice(), "{:?}", event);
                }
                let mut costs = vec![Cost::default(); entries.len()];
                matcher.profile(event, labels, &mut shared, &|| 0, &mut costs);
                let hits = (0..costs.len()).filter(|index| costs[*index].hits > 0);
                prop_assert_eq!(&hits.collect::<Vec<_>>(), &expected);
            }
        }
    }

    /// Values that are pieces of the raw text, as parsers give them.
    #[test]
    fn pieces_of_the_raw_text_are_seen(
        predicates in vec(predicate(), 0..24),
        anywhere in vec(pattern(), 0..24),
        raw in "[abAB \\\\./x-]{0,24}[ΣßK]?[ab]{0,4}",
        pieces in vec((names(), 0_usize..30, 0_usize..30), 0..5),
    ) {
        let anywhere: Vec<Predicate> = anywhere
            .into_iter()
            .map(|pattern| Predicate::Atom(Target::Anything, Condition::Text(pattern)))
            .collect();
        let entry = |predicate| Entry { predicate, asks: Labels::default() };
        let mut event = Event::new(Timestamp::from_seconds(0), raw.as_str());
        for (name, from, to) in pieces {
            event.push_named(name, raw.get(from..to).unwrap_or_default());
        }
        for chosen in [&predicates, &anywhere] {
            let entries: Vec<Entry<'_>> = chosen.iter().map(entry).collect();
            let mut statistics = Statistics::default();
            statistics.add(event.clone().into_owned(), Labels::default());
            for statistics in [Statistics::default(), statistics] {
                let matcher = Matcher::new(&entries, &statistics);
                let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
                matcher.matches(&event, &Labels::default(), &mut scratch, &mut hits);
                prop_assert_eq!(&hits, &naive(&entries, &event, &Labels::default()));
            }
        }
    }
}
