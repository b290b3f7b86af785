use bergfried_event::{Field, FieldName, Timestamp};

use super::{Figure, SortKey, Step, Wanted, complete, parse};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn steps(text: &str) -> Vec<Step> {
    match parse(text, NOW) {
        Ok(pipeline) => pipeline.steps,
        Err(error) => panic!("{}", error.render(text)),
    }
}

fn name(field: Field) -> FieldName<'static> {
    FieldName::Known(field)
}

#[test]
fn steps_are_read() {
    let sort = |column: &str, descending| SortKey { column: column.to_owned(), descending };
    for (text, expected) in [
        ("failed", vec![]),
        (
            "failed | top source.ip",
            vec![Step::Top { limit: 10, fields: vec![name(Field::SourceIp)] }],
        ),
        (
            "failed|rare 5 user,host",
            vec![Step::Rare {
                limit: 5,
                fields: vec![name(Field::UserName), name(Field::HostName)],
            }],
        ),
        (
            "user:root|count by host|sort count desc, host asc|head 3",
            vec![
                Step::Count { by: vec![name(Field::HostName)] },
                Step::Sort(vec![sort("count", true), sort("host.name", false)]),
                Step::Head(3),
            ],
        ),
        ("cmd:cat|sort", vec![]),
        ("ps|head", vec![]),
        ("a|counts", vec![]),
        (r"a\|count", vec![]),
        ("a||count", vec![]),
        ("\"a|count\"", vec![]),
        (
            "| rare 5 user,host",
            vec![Step::Rare {
                limit: 5,
                fields: vec![name(Field::UserName), name(Field::HostName)],
            }],
        ),
        ("x | count", vec![Step::Count { by: vec![] }]),
        (
            "x| count by user , host",
            vec![Step::Count { by: vec![name(Field::UserName), name(Field::HostName)] }],
        ),
        (
            "* | timechart 1m by event.action",
            vec![Step::Timechart { span: 60_000_000, by: Some(name(Field::EventAction)) }],
        ),
        (
            "* | stats count, distinct(user), p95(\"x y\") by host | sort -count, host | head 5",
            vec![
                Step::Stats {
                    figures: vec![
                        Figure::Count,
                        Figure::Distinct(name(Field::UserName)),
                        Figure::Percentile(FieldName::new("x y"), 95),
                    ],
                    by: vec![name(Field::HostName)],
                },
                Step::Sort(vec![sort("count", true), sort("host.name", false)]),
                Step::Head(5),
            ],
        ),
        (
            "* | timechart 5s by @timestamp | sort time, @timestamp",
            vec![
                Step::Timechart { span: 5_000_000, by: Some(name(Field::Timestamp)) },
                Step::Sort(vec![sort("time", false), sort("@timestamp", false)]),
            ],
        ),
        (
            "* | stats distinct(user) | sort -distinct(user.name)",
            vec![
                Step::Stats { figures: vec![Figure::Distinct(name(Field::UserName))], by: vec![] },
                Step::Sort(vec![sort("distinct(user.name)", true)]),
            ],
        ),
        (
            "\"a | b\" | fields user, \"sd.x\" | head",
            vec![Step::Fields(vec!["user.name".into(), "sd.x".into()]), Step::Head(10)],
        ),
        ("message:/a|b/ | head 3", vec![Step::Head(3)]),
        ("a || b", vec![]),
    ] {
        assert_eq!(steps(text), expected, "{text}");
    }
}

#[test]
fn the_search_stays_what_it_is() {
    for (text, search) in [
        ("failed root", "failed root"),
        ("failed  | top user", "failed"),
        ("| count", ""),
        ("failed| count", "failed"),
        ("failed|count", "failed"),
        ("a|b|count", "a|b"),
        ("(a OR b)|count", "(a OR b)"),
    ] {
        let pipeline = parse(text, NOW).unwrap();
        assert_eq!(pipeline.search, search, "{text}");
        assert_eq!(pipeline.predicate, crate::search::parse(search, NOW).unwrap(), "{text}");
    }
}

#[test]
fn errors_point_at_the_place() {
    for (text, offset, length, part) in [
        ("failed |", 8, 0, "expected a step (top, rare"),
        ("failed | tp user", 9, 2, "did you mean `top`"),
        ("failed | where x", 9, 5, "unknown step `where`, expected top, rare"),
        ("failed | top", 12, 0, "expected the name of a field"),
        ("failed | top 0 user", 13, 1, "1 to 10000"),
        ("failed | top 99999 user", 13, 5, "1 to 10000"),
        ("failed | top sorce.ip", 13, 8, "did you mean `source.ip`"),
        ("failed | top user host", 18, 4, "expected `|` or the end, found `host`"),
        ("failed | top user, user.name", 19, 9, "named twice"),
        ("failed | count user", 15, 4, "expected `by`"),
        ("failed | count by", 17, 0, "expected the name of a field"),
        ("failed | timechart", 18, 0, "the width of a bucket"),
        ("failed | timechart 0m", 19, 2, "the width of a bucket"),
        ("failed | timechart 1m by user, host", 25, 4, "by one field"),
        ("* | stats", 9, 0, "expected count, distinct"),
        ("* | stats cout", 10, 4, "did you mean `count`"),
        ("* | stats distinct", 18, 0, "such as distinct(user.name)"),
        ("* | stats distinct(user", 23, 0, "expected `)`"),
        ("* | count | top user", 12, 3, "must be the first step"),
        ("* | head 5 | count", 13, 5, "must be the first step"),
        ("* | count by user | sort cuont", 25, 5, "did you mean `count`"),
        ("* | count by user | sort host", 25, 4, "the table has user.name, count"),
        ("* | count by user | fields p95(x)", 27, 3, "there is no column `p95(x)`"),
        ("* | fields \"x", 11, 1, "never closed"),
        ("sorce.ip:1 | count", 0, 8, "did you mean `source.ip`"),
    ] {
        let error = parse(text, NOW).unwrap_err();
        assert!(error.message.contains(part), "{text}: {}", error.message);
        assert_eq!((error.offset, error.length), (offset, length), "{text}: {}", error.message);
    }
}

#[test]
fn limits_hold() {
    let error = parse(&format!("x {}", "| head ".repeat(30)), NOW).unwrap_err();
    assert!(error.message.contains("more than 16 steps"), "{}", error.message);
    let error = parse("x | top a1, b2, c3, d4, e5", NOW).unwrap_err();
    assert!(error.message.contains("more than 4 of these"), "{}", error.message);
}

#[test]
fn completion_knows_what_may_stand_there() {
    let value = |field, others: &str, quoted| Wanted::Value {
        field: name(field),
        others: others.to_owned(),
        quoted,
    };
    for (text, from, typed, wanted) in [
        ("", 0, "", Wanted::Term),
        ("fail", 0, "fail", Wanted::Term),
        ("failed us", 7, "us", Wanted::Term),
        ("failed -us", 8, "us", Wanted::Term),
        ("(us", 1, "us", Wanted::Term),
        ("user:ro", 5, "ro", value(Field::UserName, "", false)),
        ("failed user:ro", 12, "ro", value(Field::UserName, "failed", false)),
        ("failed -user:\"ro ot", 13, "ro ot", value(Field::UserName, "failed", true)),
        ("_exists_:us", 9, "us", Wanted::Field),
        ("failed | ", 9, "", Wanted::Step),
        ("failed | to", 9, "to", Wanted::Step),
        ("failed | top so", 13, "so", Wanted::Field),
        ("failed|top so", 11, "so", Wanted::Field),
        ("ps|so", 0, "ps|so", Wanted::Term),
        ("failed | top 5 so", 15, "so", Wanted::Field),
        ("failed | top user, so", 19, "so", Wanted::Field),
        ("failed | top user ", 18, "", Wanted::Next),
        ("failed | count by us", 18, "us", Wanted::Field),
        ("failed | timechart ", 19, "", Wanted::Span),
        ("failed | timechart 1m by us", 25, "us", Wanted::Field),
        ("failed | stats dis", 15, "dis", Wanted::Function),
        ("failed | stats distinct(us", 24, "us", Wanted::Field),
        ("failed | stats count by us", 24, "us", Wanted::Field),
        ("failed | fields us", 16, "us", Wanted::Field),
        (
            "failed | count by user | sort -co",
            31,
            "co",
            Wanted::Column(vec!["user.name".into(), "count".into()]),
        ),
        ("\"a | b", 0, "\"a | b", Wanted::Term),
    ] {
        let completion = complete(text, text.len());
        assert_eq!(completion.wanted, wanted, "{text}");
        assert_eq!((completion.from, completion.to), (from, text.len()), "{text}");
        assert_eq!(completion.typed, typed, "{text}");
    }
    assert_eq!(complete("größe user:x", 3).to, 2, "never inside a character");
}

mod random {
    use bergfried_event::{Field, FieldName, Timestamp};
    use proptest::prelude::*;

    use super::super::{Figure, SortKey, Step};
    use super::{complete, parse, steps};

    fn field() -> impl Strategy<Value = FieldName<'static>> {
        prop_oneof![
            (0..Field::ALL.len())
                .prop_map(|index| FieldName::Known(*Field::ALL.get(index).unwrap())),
            r#"[a-z"\\ |,()é-]{1,6}"#.prop_map(FieldName::new),
        ]
    }

    fn distinct<T: PartialEq>(all: Vec<T>) -> Vec<T> {
        all.into_iter().fold(Vec::new(), |mut kept, one| {
            if !kept.contains(&one) {
                kept.push(one);
            }
            kept
        })
    }

    fn fields(least: usize) -> impl Strategy<Value = Vec<FieldName<'static>>> {
        prop::collection::vec(field(), least..4).prop_map(distinct)
    }

    fn figure() -> impl Strategy<Value = Figure> {
        (0..9_u8, field()).prop_map(|(kind, field)| match kind {
            0 => Figure::Count,
            1 => Figure::Distinct(field),
            2 => Figure::Sum(field),
            3 => Figure::Avg(field),
            4 => Figure::Min(field),
            5 => Figure::Max(field),
            6 => Figure::Percentile(field, 50),
            7 => Figure::Percentile(field, 95),
            _ => Figure::Percentile(field, 99),
        })
    }

    fn counting() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1_usize..10_000, fields(1)).prop_map(|(limit, fields)| Step::Top { limit, fields }),
            (1_usize..10_000, fields(1)).prop_map(|(limit, fields)| Step::Rare { limit, fields }),
            fields(0).prop_map(|by| Step::Count { by }),
            (1_i64..1_000_000, prop::option::of(field())).prop_map(|(seconds, by)| {
                Step::Timechart { span: seconds * Timestamp::SECOND, by }
            }),
            (prop::collection::vec(figure(), 1..5).prop_map(distinct), fields(0))
                .prop_map(|(figures, by)| Step::Stats { figures, by }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(
            first in counting(), pick in prop::collection::vec((0_usize..9, any::<bool>()), 1..4),
            head in 1_usize..10_000,
        ) {
            let columns = first.columns().unwrap();
            let sort = pick
                .iter()
                .filter_map(|(index, descending)| Some(SortKey {
                    column: columns.get(index % columns.len())?.clone(),
                    descending: *descending,
                }))
                .collect();
            let expected = vec![first, Step::Sort(distinct(sort)), Step::Head(head)];
            let shown: Vec<String> = expected.iter().map(Step::to_string).collect();
            let text = format!("failed | {}", shown.join(" | "));
            prop_assert_eq!(steps(&text), expected, "{}", text);
        }

        #[test]
        fn never_panics_and_errors_lie_within_the_text(
            text in r#"([a-z:"()|,\\0-9 -]| \| |by|top|stats|count|sort|distinct\(|é){0,30}"#,
            at in 0_usize..60,
        ) {
            if let Err(error) = parse(&text, super::NOW) {
                prop_assert!(error.offset + error.length <= text.len());
                error.render(&text);
            }
            let completion = complete(&text, at);
            prop_assert!(completion.from <= completion.to && completion.to <= text.len());
            prop_assert!(text.get(completion.from..completion.to).is_some());
            completion.wanted.words();
        }
    }
}
