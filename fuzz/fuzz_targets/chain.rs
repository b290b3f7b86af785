//! Any configuration over any line: chains compile or say why not, and what they make of an event
//! stays within its bounds.

#![no_main]

use bergfried_event::{Event, FieldName, MAX_FIELDS, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use bergfried_process::{ChainFile, Chains, Files};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    chain: Vec<ChainFile>,
}

fuzz_target!(|input: &str| {
    // What comes before the first line end that a NUL follows is the configuration.
    let (config, line) = input.split_once("\n\0").unwrap_or((input, "a=1 {\"b\": [2]} 10.0.0.1"));
    let Ok(file) = toml::from_str::<File>(config) else { return };
    let chains = match Chains::compile(&file.chain, &Files::default()) {
        Ok(chains) => chains,
        Err(told) => {
            assert!(!told.is_empty());
            for diagnostic in told {
                assert!(diagnostic.locate(config).end <= config.len());
            }
            return;
        }
    };
    let context = Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let mut event: Event<'_> = parse(SourceKind::File, line, &context);
    let observer = FieldName::new("observer.ip");
    event.set_named(observer.clone(), "192.0.2.7");
    let mut meter = chains.meter(Box::new(|| 0));
    let mut traced = event.clone();
    let verdict = chains.apply(&mut event, &context, &mut meter);
    assert!(event.fields().len() <= MAX_FIELDS);
    assert_eq!(event.original(), line);
    assert_eq!(event.get_named(&observer).and_then(|value| value.as_str()), Some("192.0.2.7"));
    let mut other = chains.meter(Box::new(|| 0));
    let (again, _trace) = chains.trace(&mut traced, &context, &mut other);
    assert_eq!((again, &traced), (verdict, &event));
});
