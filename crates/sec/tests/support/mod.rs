//! An engine whose port writes down what rules do, with time given line by line.

use std::sync::Arc;

use bergfried_sec::port::{Effect, Input};
use bergfried_sec::{
    Diagnostic, Engine, LoadOptions, Options, Port, RuleFile, RuleSet, Source, SourceFile,
};

/// What rules did: texts written, commands, all in one list.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) lines: Vec<String>,
    pub(crate) log: Vec<String>,
}

impl Port for Told {
    fn effect(&mut self, effect: Effect<'_>) {
        self.lines.push(match effect {
            Effect::Write { file: b"-", text } => {
                String::from_utf8_lossy(text).trim_end_matches('\n').to_owned()
            }
            Effect::Run { command: None, input: Input::Lines(lines), .. } => {
                let lines: Vec<_> = lines
                    .iter()
                    .map(|line| String::from_utf8_lossy(line.bytes()).into_owned())
                    .collect();
                lines.join("|")
            }
            other => format!("{other:?}"),
        });
    }

    fn log(&mut self, level: u8, message: &dyn Fn() -> String) {
        if level <= 3 {
            self.log.push(message());
        }
    }
}

/// Reads one file of rules.
pub(crate) fn read(text: &str) -> (RuleFile, Vec<Diagnostic>) {
    let source = SourceFile { name: "rules.sec".to_owned(), text: text.as_bytes().to_vec() };
    let none = |_: &str| Err("no tables".to_owned());
    RuleFile::read(
        &source,
        &mut LoadOptions { fields: false, bufsize: 0, perl: None, tables: &none },
    )
}

/// An engine of one file that has no mistakes.
pub(crate) fn engine(text: &str, options: Options) -> Engine {
    let (file, mistakes) = read(text);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    Engine::new(RuleSet { files: vec![Arc::new(file)] }, options)
}

/// Shows lines at their seconds, with timers looked at in each second between.
pub(crate) fn told(engine: &mut Engine, input: &[(i64, &str)]) -> Vec<String> {
    let mut port = Told::default();
    let mut last = input.first().map_or(0, |(time, _)| *time);
    engine.tick(last, &mut port);
    for (time, line) in input {
        while last < *time {
            last += 1;
            engine.tick(last, &mut port);
            while engine.next_event(last, &mut port) {}
        }
        if !line.is_empty() {
            let source = Source { name: b"-", context: None, fields: None };
            engine.line(line.as_bytes(), &source, *time, &mut port);
            engine.tick(*time, &mut port);
            while engine.next_event(*time, &mut port) {}
        }
    }
    port.lines
}
