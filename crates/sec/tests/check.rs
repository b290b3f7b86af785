//! What the check says is certain holds when the rules run: a rule that is never reached does
//! nothing on any line, a pattern that never matches neither.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong so")]

use std::sync::Arc;

use bergfried_sec::check::check;
use bergfried_sec::port::Effect;
use bergfried_sec::{Engine, LoadOptions, Options, Port, RuleFile, RuleSet, Source, SourceFile};
use proptest::prelude::*;

/// What rules write.
#[derive(Default)]
struct Written(Vec<Vec<u8>>);

impl Port for Written {
    fn effect(&mut self, effect: Effect<'_>) {
        if let Effect::Write { text, .. } = effect {
            self.0.push(text.trim_ascii_end().to_vec());
        }
    }

    fn log(&mut self, _: u8, _: &dyn Fn() -> String) {}
}

const PATTERNS: [&str; 34] = [
    "SubStr a",
    "SubStr ab",
    "SubStr abc",
    "SubStr b",
    "SubStr a\\nb",
    "SubStr2 a\\nb",
    "SubStr2 a",
    "NSubStr a",
    "NSubStr ab",
    "RegExp a",
    "RegExp ab",
    "RegExp a.c",
    "RegExp (a|b)c",
    "RegExp ab|bc",
    "RegExp .*",
    "RegExp ^.*$",
    "RegExp ^(.*)$",
    "RegExp ^$",
    "RegExp ^a",
    "RegExp c$",
    "RegExp a^",
    "RegExp a$b",
    "RegExp (a^|b)c",
    "RegExp a\\nb",
    "RegExp a\\n?b",
    "RegExp2 a\\nb",
    "RegExp2 a.*\\n.*c$",
    "NRegExp a",
    "NRegExp a^",
    "NRegExp .*",
    "TValue TRUE",
    "TValue FALSE",
    "RegExp (?=a)ab",
    "RegExp x*",
];

const CONTINUES: [&str; 5] = ["TakeNext", "DontCont", "EndMatch", "GoTo END", "GoTo MIDDLE"];

const CONTEXTS: [&str; 4] = ["", "context=!NEVER\n", "context=NEVER\n", "context=[!NEVER]\n"];

/// One rule each; it says its number when it matches. Suppress says nothing.
fn rule(number: usize, (kind, pattern, next, context): (u8, &str, &str, &str)) -> String {
    let (kind_of_pattern, pattern) = pattern.split_once(' ').unwrap();
    let what = format!("ptype={kind_of_pattern}\npattern={pattern}\n{context}");
    match kind {
        0 => format!("type=Suppress\n{what}\n"),
        1 => format!("type=Jump\n{what}continue={next}\n\n"),
        _ => format!("type=Single\n{what}continue={next}\ndesc=d\naction=write - {number}\n\n"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_certain_is_so(
        rules in prop::collection::vec((
            0..8_u8, prop::sample::select(&PATTERNS[..]), prop::sample::select(&CONTINUES[..]), prop::sample::select(&CONTEXTS[..]),
        ), 1..8),
        lines in prop::collection::vec("[abcx]{0,4}", 1..12),
    ) {
        let mut text = String::new();
        // Which rule begins on which line.
        let mut begins = Vec::new();
        for (number, one) in rules.iter().enumerate() {
            if number == rules.len() / 2 {
                text.push_str("label=MIDDLE\n");
            }
            begins.push(text.lines().count() + 1);
            text.push_str(&rule(number, *one));
        }
        text.push_str("label=END\n");
        let source = SourceFile { name: "rules.sec".to_owned(), text: text.clone().into_bytes() };
        let none = |_: &str| Err(String::new());
        let mut options = LoadOptions { fields: false, bufsize: 0, perl: None, tables: &none };
        let (file, _) = RuleFile::read(&source, &mut options);
        let set = RuleSet { files: vec![Arc::new(file)] };
        let warnings = check(&set, &[]);
        let mut engine = Engine::new(set, Options::default());
        let mut written = Written::default();
        let source = Source { name: b"input", context: None, fields: None };
        for line in &lines {
            engine.line(line.as_bytes(), &source, 1, &mut written);
        }
        for warning in warnings {
            prop_assert!(warning.line > 0 && !warning.message.is_empty());
            let certain = warning.message.contains("never reached") || warning.message.contains("never matches");
            let Some(number) = begins.iter().position(|line| *line == warning.line).filter(|_| certain) else { continue };
            prop_assert!(!written.0.contains(&number.to_string().into_bytes()), "{}\n{}\n{:?}", warning, text, lines);
        }
    }
}
