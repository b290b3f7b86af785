//! Made-up predicates, statistics and events: the matcher finds what the plain walk finds.

#![no_main]

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_matcher::{Entry, Labels, Matcher, Scratch, Statistics};
use bergfried_query::{
    Classes, Comparison, Condition, Part, Pattern, Predicate, Target, TextRegex, TimePart,
};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

const TEXTS: &[&str] = &[
    "a",
    "ab",
    "abc",
    "abcd",
    "ABCD",
    "cmd.exe",
    r"C:\Windows\cmd.exe",
    "whoami",
    "\u{130}",
    "ß",
    "Σς",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "1",
    "1.0",
    "true",
    "2026-01-31T12:00:00Z",
    "",
    "-a",
    "\u{2013}a",
    "a b",
    "*",
    "é",
];
const EXPRESSIONS: &[&str] = &[
    "ab+c?",
    "(?i)cmd|who",
    r"\bab\b",
    "^a",
    "d$",
    r"[a-c]{2,3}",
    r"\d+\.\d",
    "",
    "(?s)a.*d",
    r"\w\W",
    "abcd|cmd\\.exe",
    "(?i)abcd.{0,3}who",
    "\u{e9}",
];

fn name(input: &mut Unstructured<'_>) -> Result<FieldName<'static>> {
    Ok(match input.int_in_range(0..=6)? {
        0 => Field::UserName.into(),
        1 => Field::Timestamp.into(),
        2 => Field::EventOriginal.into(),
        3 => Field::EventId.into(),
        4 => FieldName::Other("Image".into()),
        5 => FieldName::Other("user.name".into()),
        _ => FieldName::Other("CommandLine".into()),
    })
}

fn text(input: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    for _ in 0..input.int_in_range(0..=3)? {
        if input.ratio(1, 4)? {
            text.push(input.arbitrary()?);
        } else {
            text.push_str(input.choose(TEXTS)?);
        }
    }
    Ok(text)
}

fn value(input: &mut Unstructured<'_>, depth: u8) -> Result<Value<'static>> {
    Ok(match input.int_in_range(0..=9)? {
        0 => Value::Null,
        1 => Value::Int(input.arbitrary()?),
        2 => Value::Float(input.arbitrary()?),
        3 => Value::Bool(input.arbitrary()?),
        4 if depth > 0 => {
            let length = input.int_in_range(0..=3)?;
            Value::List((0..length).map(|_| value(input, depth - 1)).collect::<Result<_>>()?)
        }
        5 => Value::Int(input.int_in_range(-1..=2)?),
        _ => Value::from(text(input)?),
    })
}

fn event(input: &mut Unstructured<'_>) -> Result<Event<'static>> {
    let created = Timestamp::from_micros(input.int_in_range(0..=2_000_000_000)?);
    let mut event = Event::new(created, text(input)?);
    for _ in 0..input.int_in_range(0..=6)? {
        event.push_named(name(input)?, value(input, 2)?);
    }
    Ok(event)
}

fn pattern(input: &mut Unstructured<'_>) -> Result<Pattern> {
    let mut parts = Vec::new();
    for _ in 0..input.int_in_range(0..=4)? {
        parts.push(match input.int_in_range(0..=5)? {
            0 => Part::AnyRun,
            1 => Part::AnyOne,
            2 => Part::AnyDash,
            _ => Part::Literal(text(input)?),
        });
    }
    Ok(Pattern::new(parts, input.arbitrary()?))
}

fn comparison(input: &mut Unstructured<'_>) -> Result<Comparison> {
    Ok(*input.choose(&[
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ])?)
}

fn number(input: &mut Unstructured<'_>) -> Result<f64> {
    Ok(if input.arbitrary()? { input.arbitrary()? } else { input.int_in_range(-1..=2)?.into() })
}

fn condition(input: &mut Unstructured<'_>) -> Result<Condition> {
    Ok(match input.int_in_range(0..=11)? {
        0 => Condition::Exists,
        1 => Condition::Null,
        2 => Condition::Words(pattern(input)?),
        3 => {
            let classes = *input.choose(&[Classes::Ascii, Classes::Unicode])?;
            let expression = input.choose(EXPRESSIONS)?;
            TextRegex::with_classes(expression, classes).map_or(Condition::Null, Condition::Regex)
        }
        4 => {
            let network = *input.choose(&["10.0.0.0/8", "::ffff:0:0/96", "0.0.0.0/0"])?;
            network.parse().map_or(Condition::Null, Condition::Network)
        }
        5 => Condition::Number(comparison(input)?, number(input)?),
        6 => Condition::TimePart(TimePart::Hour, comparison(input)?, number(input)?),
        7 => Condition::Bool(input.arbitrary()?),
        8 => Condition::SameAs {
            field: name(input)?,
            any_before: input.arbitrary()?,
            any_after: input.arbitrary()?,
            cased: input.arbitrary()?,
        },
        _ => Condition::Text(pattern(input)?),
    })
}

fn predicate(input: &mut Unstructured<'_>, depth: u8) -> Result<Predicate> {
    let several = |input: &mut Unstructured<'_>| -> Result<Vec<Predicate>> {
        let length = input.int_in_range(0..=4)?;
        (0..length).map(|_| predicate(input, depth - 1)).collect()
    };
    Ok(match input.int_in_range(0..=9)? {
        0 => Predicate::Constant(input.arbitrary()?),
        1 if depth > 0 => Predicate::And(several(input)?),
        2 if depth > 0 => Predicate::Or(several(input)?),
        3 if depth > 0 => Predicate::Not(Box::new(predicate(input, depth - 1)?)),
        4 if depth > 0 => Predicate::AtLeast(input.int_in_range(0..=3)?, several(input)?),
        5 => Predicate::Atom(Target::Anything, condition(input)?),
        _ => Predicate::field(name(input)?, condition(input)?),
    })
}

fn labels(input: &mut Unstructured<'_>) -> Result<Labels> {
    let bits: u8 = input.arbitrary()?;
    Ok((0..4).filter(|bit| bits & 1 << bit != 0).map(|bit| bit * 100).collect())
}

fn check(mut input: Unstructured<'_>) -> Result<()> {
    let input = &mut input;
    let count = input.int_in_range(1..=8)?;
    let entries: Vec<(Predicate, Labels)> =
        (0..count).map(|_| Ok((predicate(input, 3)?, labels(input)?))).collect::<Result<_>>()?;
    let mut statistics = Statistics::default();
    for _ in 0..input.int_in_range(0..=3)? {
        statistics.add(event(input)?, labels(input)?);
    }
    let borrowed: Vec<Entry<'_>> =
        entries.iter().map(|(predicate, asks)| Entry { predicate, asks: *asks }).collect();
    let matcher = Matcher::new(&borrowed, &statistics);
    let mut scratch = Scratch::default();
    for _ in 0..input.int_in_range(1..=4)? {
        let (event, has) = (event(input)?, labels(input)?);
        let mut hits = Vec::new();
        matcher.matches(&event, &has, &mut scratch, &mut hits);
        let walked: Vec<usize> = (0..entries.len())
            .filter(|index| has.contains_all(&entries[*index].1))
            .filter(|index| entries[*index].0.matches(&event))
            .collect();
        assert_eq!(hits, walked, "{entries:#?}\n{event:#?}");
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    // Bytes that run out before the first event is made say nothing.
    let _ran_out = check(Unstructured::new(bytes));
});
