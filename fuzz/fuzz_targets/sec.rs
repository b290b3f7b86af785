//! Any bytes as a rule file of SEC, over any lines: never a panic, and nothing grows past its limit.

#![no_main]

use std::sync::Arc;

use bergfried_sec::check::check;
use bergfried_sec::port::Effect;
use bergfried_sec::{Engine, Limits, LoadOptions, Options, Port, RuleFile, RuleSet, Source, SourceFile};
use libfuzzer_sys::fuzz_target;

/// How many synthetic events of a line are looked at.
const EVENTS: usize = 50;

struct Nowhere;

impl Port for Nowhere {
    fn effect(&mut self, effect: Effect<'_>) {
        assert!(!format!("{effect:?}").is_empty());
    }

    fn log(&mut self, level: u8, message: &dyn Fn() -> String) {
        assert!((1..=6).contains(&level) && !message().is_empty());
    }
}

fuzz_target!(|input: (&[u8], Vec<(&[u8], u8)>, u8)| {
    let (text, lines, bufsize) = input;
    let source = SourceFile { name: "rules.sec".to_owned(), text: text.to_vec() };
    let table = |_: &str| Ok("key,value\na,1\n".to_owned());
    let mut load = LoadOptions { fields: true, bufsize: 0, perl: None, tables: &table };
    let (file, mistakes) = RuleFile::read(&source, &mut load);
    assert!(mistakes.iter().all(|mistake| mistake.line > 0 && !mistake.message.is_empty()));
    let limits = Limits {
        contexts: 20,
        operations: 20,
        store_lines: 50,
        text: 4_096,
        events: 50,
        times: 50,
        variables: 20,
        sources: 4,
        rounds: 100,
    };
    let options = Options { bufsize: usize::from(bufsize), intcontexts: bufsize % 2 == 1, limits, ..Options::default() };
    let rules = RuleSet { files: vec![Arc::new(file)] };
    for warning in check(&rules, &[b"CONTEXT"]) {
        assert!(warning.line > 0 && !warning.message.is_empty());
    }
    let mut engine = Engine::new(rules, options);
    let mut now = 1_000_000;
    for (line, pause) in lines {
        let field = |name: &str| (name.len() % 2 == 0).then(|| b"value".to_vec());
        engine.line(line, &Source { name: b"input", context: None, fields: Some(&field) }, now, &mut Nowhere);
        for _ in 0..EVENTS {
            if !engine.next_event(now, &mut Nowhere) {
                break;
            }
        }
        now += i64::from(pause);
        engine.tick(now, &mut Nowhere);
        let statistics = engine.statistics();
        assert!(statistics.contexts <= 20 && statistics.operations <= 20);
    }
    let (before, snapshot) = (engine.statistics(), engine.snapshot());
    assert_eq!(engine.restore(snapshot), 0);
    assert_eq!(engine.statistics(), before);
    assert!(!format!("{:?}", engine.dump(now)).is_empty());
});
