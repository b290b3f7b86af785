//! SigmaHQ's rules through the matcher and by the plain walk, rule by rule, over real events and
//! over what becomes of them when values change hands.
//!
//! Every few events alone, which takes seconds; `BERGFRIED_LONG=1` takes all.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test may stop where it stands and say why"
)]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use bergfried_event::{Event, FieldName, SourceKind, Timestamp, Value};
use bergfried_matcher::{Entry, Labels, Matcher, Scratch, Statistics};
use bergfried_parse::{Context, parse};
use bergfried_rules::{RuleSet, Source};
use support::{collect, corpus, read};

/// The events of the regression cases.
fn events() -> Option<Vec<Event<'static>>> {
    let received = "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap();
    let context = Context { received, host: "", time_zone: jiff::tz::TimeZone::UTC, year: None };
    let text = read(&corpus("sigma/regression.jsonl")?);
    let event = |line: &str| {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let event = case["event_json"].to_string();
        parse(SourceKind::File, &event, &context).into_owned()
    };
    Some(text.lines().map(event).collect())
}

/// The event with its texts in upper case.
fn shouted(event: &Event<'static>) -> Event<'static> {
    let mut shouted = Event::new(event.created(), event.original().to_uppercase());
    for (name, value) in event.fields() {
        let value = match value {
            Value::Text(text) => Value::from(text.to_uppercase()),
            value => value.clone(),
        };
        shouted.push_named(name.clone(), value);
    }
    shouted
}

/// The event with each value in place of the one before, and some as lists.
fn turned(event: &Event<'static>) -> Event<'static> {
    let mut turned = Event::new(event.created(), event.original().to_owned());
    let values = event.fields().iter().map(|(_, value)| value.clone()).cycle().skip(1);
    let names = event.fields().iter().map(|(name, _)| name.clone());
    for (index, (name, value)) in names.zip(values).enumerate() {
        let value = if index % 3 == 0 { Value::List(vec![value, Value::Null]) } else { value };
        turned.push_named(name, value);
    }
    turned
}

/// One long text in every field that rules look at.
fn flooded(rules: &RuleSet, text: &str) -> Event<'static> {
    let mut names: Vec<&FieldName<'static>> =
        rules.rules().iter().filter_map(|rule| rule.predicate()).flat_map(|p| p.fields()).collect();
    names.sort();
    names.dedup();
    let mut event = Event::new(Timestamp::from_seconds(0), text.to_owned());
    for name in names {
        event.set_named(name.clone(), text.to_owned());
    }
    event
}

#[test]
fn the_matcher_finds_what_the_plain_walk_finds() {
    let mut sources: Vec<Source> = Vec::new();
    for folder in ["sigma/rules", "sigma/rules-emerging-threats", "sigma/rules-threat-hunting"] {
        let Some(folder) = corpus(folder) else { return };
        collect(&folder, &mut sources);
    }
    let Some(real) = events() else { return };
    let rules = RuleSet::load(sources).0;
    // Every rule is asked about every event, whatever its log source.
    let asks = Labels::default();
    let predicates = rules.rules().iter().filter_map(|rule| rule.predicate());
    let entries: Vec<Entry<'_>> = predicates.map(|predicate| Entry { predicate, asks }).collect();

    let mut statistics = Statistics::default();
    for event in &real {
        statistics.add(event.clone(), asks);
    }
    let matchers =
        [Matcher::new(&entries, &Statistics::default()), Matcher::new(&entries, &statistics)];
    let step = if std::env::var_os("BERGFRIED_LONG").is_some() { 1 } else { 3 };
    let mut events: Vec<Event<'static>> = real.iter().step_by(step).cloned().collect();
    let met = events.len();
    events.extend(real.iter().step_by(4 * step).flat_map(|event| [shouted(event), turned(event)]));
    let lines: Vec<&str> = real.iter().step_by(30 * step).map(|event| event.original()).collect();
    events.push(flooded(&rules, &lines.join(" ")));

    let mut scratch = [Scratch::default(), Scratch::default()];
    let (mut held, mut hits) = (0, Vec::new());
    for event in &events {
        let expected: Vec<usize> =
            (0..entries.len()).filter(|index| entries[*index].predicate.matches(event)).collect();
        for (matcher, scratch) in matchers.iter().zip(&mut scratch) {
            hits.clear();
            matcher.matches(event, &asks, scratch, &mut hits);
            assert_eq!(hits, expected, "{event:?}");
        }
        held += expected.len();
    }
    println!("{} rules, {} events, {held} hits", entries.len(), events.len());
    assert!(held >= met, "{held} hits of {met} events");
}
