//! Any text as a rule file: rules or diagnostics with a place, never a panic; what was loaded meets
//! events.

#![no_main]

use std::sync::Arc;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_rules::{Engine, Limits, RuleSet, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Source { file: "fuzzed.yml".to_owned(), text: text.to_owned() };
    let (rules, diagnostics) = RuleSet::load([source]);
    for diagnostic in &diagnostics {
        assert!(diagnostic.line >= 1 && diagnostic.column >= 1, "{diagnostic:?}");
        assert!(!diagnostic.message.is_empty() && !diagnostic.message.contains('\n'));
    }
    let mut engine = Engine::new(Arc::new(rules), Limits::default());
    let mut findings = Vec::new();
    for second in 0..3 {
        let mut event = Event::new(Timestamp::from_seconds(second), "cmd.exe /c whoami");
        event.set(Field::ProcessCommandLine, "cmd.exe /c whoami");
        event.set(Field::SourceIp, "10.0.0.1");
        event.set_named(FieldName::new("CommandLine"), "cmd.exe /c whoami");
        event.set_named(FieldName::new("EventID"), 1);
        event.set_named(FieldName::new("a"), Value::List(vec!["1".into(), Value::Null]));
        event.set_named(FieldName::new("logsource.product"), "windows");
        event.set_named(FieldName::new("logsource.category"), "process_creation");
        engine.observe(&event, second.unsigned_abs(), &mut findings);
    }
    engine.flush(&mut findings);
});
