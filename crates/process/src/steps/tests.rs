use bergfried_event::{Event, FieldName, Timestamp, Value};
use bergfried_parse::Context;

use crate::{ChainFile, Chains, Files, KINDS, StepFile, Verdict};

#[derive(serde::Deserialize)]
struct File {
    chain: Vec<ChainFile>,
}

/// The chains of a text in TOML.
pub(crate) fn chains(text: &str) -> Vec<ChainFile> {
    toml::from_str::<File>(text).unwrap_or_else(|error| panic!("{error}\n{text}")).chain
}

/// A chain of the one step of this text.
pub(crate) fn chain_of(step: &str) -> Chains {
    let text = format!("[[chain]]\nname = 'test'\n[[chain.step]]\n{step}");
    Chains::compile(&chains(&text), &Files::default())
        .unwrap_or_else(|told| panic!("{}\n{text}", told[0]))
}

/// The mistakes of a chain of this step, each in a line.
pub(crate) fn mistakes(step: &str) -> String {
    let text = format!("[[chain]]\nname = 'test'\n[[chain.step]]\n{step}");
    match Chains::compile(&chains(&text), &Files::default()) {
        Ok(_) => panic!("no mistake in {step}"),
        Err(told) => told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

pub(crate) fn context() -> Context<'static> {
    Context {
        received: "2025-02-01T00:00:00Z".parse().unwrap(),
        host: "",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

/// The event that the step makes of this one.
pub(crate) fn run_event(step: &str, event: Event<'static>) -> Event<'static> {
    let chains = chain_of(step);
    let mut meter = chains.meter(Box::new(|| 0));
    let mut event: Event<'_> = event;
    let _verdict = chains.apply(&mut event, &context(), &mut meter);
    event.into_owned()
}

/// Fields as a JSON object, the same as a text whose members stand in another order.
#[derive(Debug)]
pub(crate) struct Fields(serde_json::Value);

impl<T: AsRef<str>> PartialEq<T> for Fields {
    fn eq(&self, text: &T) -> bool {
        self.0 == serde_json::from_str::<serde_json::Value>(text.as_ref()).unwrap()
    }
}

impl Fields {
    /// Whether they have this member, as it stands in JSON.
    pub(crate) fn contains(&self, member: &str) -> bool {
        self.to_string().contains(member)
    }
}

impl std::fmt::Display for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The fields that the step makes of these, both as JSON.
pub(crate) fn run(step: &str, fields: &str) -> Fields {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(fields).unwrap();
    let mut event = Event::new(Timestamp::from_seconds(0), "original");
    for (name, value) in fields {
        event.set_named(FieldName::new(name).into_owned(), Value::from(value));
    }
    let mut fields = serde_json::to_value(run_event(step, event)).unwrap();
    let object = fields.as_object_mut().unwrap();
    assert_eq!(object.remove("event.original").unwrap(), "original");
    object.remove("@timestamp").unwrap();
    Fields(fields)
}

#[test]
fn every_kind_has_an_example_that_compiles_and_is_found_in_the_file() {
    let mut seen = std::collections::HashSet::new();
    for kind in KINDS {
        assert!(seen.insert(kind.key), "{} twice", kind.key);
        let step: StepFile = toml::from_str(kind.example)
            .unwrap_or_else(|error| panic!("the example of {}: {error}", kind.key));
        assert!((kind.is_set)(&step), "the example of {} has no {0}", kind.key);
        let set: Vec<_> = KINDS.iter().filter(|kind| (kind.is_set)(&step)).collect();
        assert_eq!(set.len(), 1, "{}", kind.key);
    }
}

#[test]
fn written_chains_read_back() {
    for kind in KINDS {
        let text = format!("[[chain]]\nname = 'x'\n[[chain.step]]\n{}", kind.example);
        let read = chains(&text);
        let mut file = std::collections::BTreeMap::new();
        file.insert("chain", &read);
        assert_eq!(chains(&toml::to_string(&file).unwrap()), read, "{}", kind.key);
    }
}

#[test]
fn a_trace_does_what_a_run_does() {
    let text = "[[chain]]\nname = 'x'\n[[chain.step]]\nwhen = 'a:1'\ndrop = {}\n\
                [[chain.step]]\nwhen = 'a:2'\nadd_tag = 'two'\nthen = [{ json = {} }]\n\
                else = [{ when = 'b:*', mutate = { rename = { b = 'c' } } }, { grok = { patterns = 'x' } }]";
    let chains = Chains::compile(&chains(text), &Files::default()).unwrap();
    for (fields, kept, steps) in [
        (vec![("a", 1)], Verdict::Drop, 1),
        (vec![("a", 2), ("b", 1)], Verdict::Keep, 3),
        (vec![("a", 3), ("b", 1)], Verdict::Keep, 4),
        (vec![], Verdict::Keep, 4),
    ] {
        let mut plain = Event::new(Timestamp::from_seconds(0), "line");
        for (name, value) in &fields {
            plain.set_named(FieldName::new(*name), *value);
        }
        let mut traced = plain.clone();
        let mut meter = chains.meter(Box::new(|| 0));
        let verdict = chains.apply(&mut plain, &context(), &mut meter);
        let (same, trace) = chains.trace(&mut traced, &context(), &mut meter);
        assert_eq!((verdict, same), (kept, kept), "{fields:?}");
        assert_eq!(plain, traced, "{fields:?}");
        assert_eq!(trace.steps.len(), steps, "{fields:?} {trace:?}");
    }
}

#[test]
fn drop_lets_its_share_go_evenly() {
    for (step, dropped) in [("drop = {}", 200), ("drop = { percentage = 25 }", 50)] {
        let chains = chain_of(step);
        let mut meter = chains.meter(Box::new(|| 0));
        let mut count = 0;
        for _ in 0..200 {
            let mut event = Event::new(Timestamp::from_seconds(0), "x");
            if chains.apply(&mut event, &context(), &mut meter) == Verdict::Drop {
                count += 1;
            }
        }
        assert_eq!((count, meter.counts().dropped()), (dropped, dropped), "{step}");
    }
}
