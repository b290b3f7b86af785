//! What bad input gets: events and rules that are too large, too deep or too many are capped and
//! counted, and what was kept is still matched. Time that grows faster than the input shows as a test
//! that does not end. `BERGFRIED_LONG=1` goes to the most rules that one set may hold.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::fmt::Write as _;
use std::sync::Arc;

use bergfried_event::{Event, Field, FieldName, Finding, MAX_FIELDS, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use bergfried_rules::{Engine, Limits, RuleSet, Source};

fn source(file: &str, text: impl Into<String>) -> Source {
    Source { file: file.to_owned(), text: text.into() }
}

fn engine(text: &str) -> Engine {
    let (rules, diagnostics) = RuleSet::load([source("r.yml", text)]);
    assert!(diagnostics.iter().all(|diagnostic| !diagnostic.is_error()), "{diagnostics:?}");
    Engine::new(Arc::new(rules), Limits::default())
}

fn titles(engine: &mut Engine, event: &Event<'_>) -> Vec<String> {
    let mut findings: Vec<Finding> = Vec::new();
    engine.observe(event, 1, &mut findings);
    findings.into_iter().map(|finding| finding.rule_name).collect()
}

fn read(json: &str) -> Event<'_> {
    let context = Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "web1",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    parse(SourceKind::Json, json, &context)
}

fn flags(event: &Event<'_>) -> String {
    event.get(Field::LogFlags).map(|flags| flags.to_text().into_owned()).unwrap_or_default()
}

const KEPT: &str = "title: kept\nlogsource: {product: windows}\ndetection:\n  selection:\n    \
                    CommandLine|contains: whoami\n  condition: selection\n";
const SOURCE: &str = r#""logsource":{"product":"windows"}"#;

#[test]
fn an_event_of_ten_thousand_fields_is_capped_counted_and_matched() {
    let mut json = format!(r#"{{{SOURCE},"CommandLine":"cmd /c whoami""#);
    for index in 0..10_000 {
        write!(json, r#","field{index}":"value""#).unwrap();
    }
    json.push('}');
    let event = read(&json);
    assert!(event.fields().len() <= MAX_FIELDS);
    let total = event.fields().len() + event.dropped_fields() as usize;
    assert!(total >= 10_002, "{total} fields are kept or counted");
    assert!(!flags(&event).is_empty(), "the event itself says that it was capped");
    assert_eq!(titles(&mut engine(KEPT), &event), ["kept"]);
}

#[test]
fn an_event_nested_too_deep_is_capped_counted_and_matched() {
    for (open, close) in [(r#"{"a":"#, "}"), ("[", "]"), (r#"[{"a":"#, "}]")] {
        let deep = format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
        let json = format!(r#"{{"deep":{deep},{SOURCE},"CommandLine":"cmd /c whoami"}}"#);
        let event = read(&json);
        assert!(event.dropped_fields() > 0 && !flags(&event).is_empty(), "{open}");
        assert_eq!(titles(&mut engine(KEPT), &event), ["kept"], "{open}");
    }
}

/// A rule of so many bytes, most of them in values.
fn rule_of(bytes: usize) -> String {
    let mut text = "title: large\nlogsource: {product: windows}\ndetection:\n  selection:\n    \
                    CommandLine|contains:\n"
        .to_owned();
    let end = "  condition: selection\n";
    let mut number = 0;
    while text.len() + end.len() + 40 < bytes {
        writeln!(text, "      - 'some-value-{number:08}'").unwrap();
        number += 1;
    }
    text.push_str(end);
    while text.len() < bytes {
        text.push('#');
    }
    text
}

#[test]
fn a_rule_file_of_four_megabytes_loads_and_a_larger_one_is_refused_alone() {
    const LIMIT: usize = 4 << 20;
    let mut whole = engine(&rule_of(LIMIT));
    let mut event = Event::new(Timestamp::from_seconds(0), "line");
    event.set_named(FieldName::new("logsource.product"), "windows");
    event.set_named(FieldName::new("CommandLine"), "x some-value-00099999 y");
    assert_eq!(titles(&mut whole, &event), ["large"]);

    let (rules, diagnostics) =
        RuleSet::load([source("large.yml", rule_of(LIMIT + 1)), source("r.yml", KEPT)]);
    let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    assert!(matches!(errors[..], [error] if error.file == "large.yml"), "{errors:?}");
    assert_eq!(rules.rules().iter().map(|rule| rule.title()).collect::<Vec<_>>(), ["kept"]);
}

#[test]
fn many_rules_load_and_the_last_is_found() {
    // As many as one set may hold take a quarter of a minute.
    let is_long = std::env::var_os("BERGFRIED_LONG").is_some();
    let count: usize = if is_long { 100_000 } else { 10_000 };
    const FILES: usize = 200;
    let file = |number: usize| {
        let mut text = String::new();
        for index in number * count / FILES..(number + 1) * count / FILES {
            writeln!(
                text,
                "---\ntitle: r{index}\nlogsource: {{product: windows}}\ndetection: {{s: {{CommandLine: 'v{index}'}}, condition: s}}"
            )
            .unwrap();
        }
        source(&format!("{number:03}.yml"), text)
    };
    let more = is_long.then(|| source("more.yml", KEPT));
    let (rules, diagnostics) = RuleSet::load((0..FILES).map(file).chain(more));
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    let errors: Vec<&str> = errors.map(|error| error.file.as_str()).collect();
    assert_eq!(errors, if is_long { vec!["more.yml"] } else { vec![] });
    assert_eq!(rules.len(), count);
    let mut engine = Engine::new(Arc::new(rules), Limits::default());
    let mut event = Event::new(Timestamp::from_seconds(0), "line");
    event.set_named(FieldName::new("logsource.product"), "windows");
    event.set_named(FieldName::new("CommandLine"), format!("V{}", count - 1));
    assert_eq!(titles(&mut engine, &event), [format!("r{}", count - 1)]);
}

/// What quadratic time would make a test that does not end.
const LONG: usize = 1 << 20;

#[test]
fn long_values_are_matched_to_their_end() {
    // A selection, what nearly meets it again and again, and what then meets it.
    for (selection, unit, end) in [
        ("CommandLine|contains: aaaaaaaaaaaaaaab", "a", "b"),
        ("CommandLine|contains|all: [aab, aac, baa]", "aaaa", "aabaac"),
        ("CommandLine: '*a*a*a*a*a*b'", "a", "b"),
        ("CommandLine: '*a?a?a*b*a?c*'", "ab", "aac"),
        ("CommandLine|re: '(a+)+b'", "a", "b"),
        (r"CommandLine|re: '(\w+\s?)+(cmd|who).{0,50}z'", "cmd who ", "z"),
        ("CommandLine|re|i: 'a.{0,100}b.{0,100}c'", "ab", "C"),
        ("CommandLine|base64offset|contains: whoami", "d2hvYW1", "d2hvYW1p"),
        ("CommandLine|windash|contains: ' -a -b'", " -a /", " -a /b"),
        ("CommandLine|contains: ẞÄ", "ßa", "ßä"),
    ] {
        let rule = format!(
            "title: t\nlogsource: {{product: windows}}\ndetection:\n  selection:\n    \
             {selection}\n  condition: selection\n"
        );
        let mut engine = engine(&rule);
        for (end, expected) in [("", 0), (end, 1)] {
            let mut event = Event::new(Timestamp::from_seconds(0), "line");
            event.set_named(FieldName::new("logsource.product"), "windows");
            event.set_named(FieldName::new("CommandLine"), unit.repeat(LONG / unit.len()) + end);
            assert_eq!(titles(&mut engine, &event).len(), expected, "{selection}, {end:?}");
        }
    }
}
