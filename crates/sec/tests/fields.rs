//! Fields of parsed events, as expressions of rules in the hub read them.

use std::sync::Arc;

use bergfried_sec::port::Effect;
use bergfried_sec::{Engine, LoadOptions, Options, Port, RuleFile, RuleSet, Source, SourceFile};

/// What rules write.
#[derive(Default)]
struct Written(Vec<String>);

impl Port for Written {
    fn effect(&mut self, effect: Effect<'_>) {
        if let Effect::Write { text, .. } = effect {
            self.0.push(String::from_utf8_lossy(text).trim_end().to_owned());
        }
    }

    fn log(&mut self, _: u8, _: &dyn Fn() -> String) {}
}

fn read(text: &str, fields: bool) -> (RuleFile, Vec<String>) {
    let source = SourceFile { name: "rules.sec".to_owned(), text: text.as_bytes().to_vec() };
    let none = |_: &str| Err(String::new());
    let mut options = LoadOptions { fields, bufsize: 0, perl: None, tables: &none };
    let (file, mistakes) = RuleFile::read(&source, &mut options);
    (file, mistakes.iter().map(ToString::to_string).collect())
}

#[test]
fn fields_stand_in_contexts_patterns_and_actions() {
    let rules = [
        "ptype=RegExp\npattern=(login)\ncontext=expr(in_network(field('source.ip'), '10.0.0.0/8'))\naction=write - inside",
        "ptype=SubStr\npattern=login\ncontext=expr(field('source.ip') == '10.1.2.3')\naction=write - known",
        "ptype=TValue\npattern=TRUE\naction=let %a (field('user.name')); write - by %a",
        "ptype=Expr\npattern=field('source.port') > 1024\naction=write - high $+{source.port}",
        "ptype=SubStr\npattern=login\ncontext=[expr(field('source.ip') == '10.1.2.3')]\naction=write - before",
        "ptype=RegExp\npattern=.\ncontext=expr(defined(field('no.such')))\naction=write - never",
    ];
    let text: String = rules
        .iter()
        .map(|rule| format!("type=Single\n{rule}\ndesc=d\ncontinue=TakeNext\n\n"))
        .collect();
    let (file, mistakes) = read(&text, true);
    assert_eq!(mistakes, Vec::<String>::new());
    let mut engine = Engine::new(RuleSet { files: vec![Arc::new(file)] }, Options::default());
    let fields = |name: &str| match name {
        "source.ip" => Some(b"10.1.2.3".to_vec()),
        "source.port" => Some(b"50000".to_vec()),
        "user.name" => Some(b"eve; reboot".to_vec()),
        _ => None,
    };
    let mut written = Written::default();
    let source = Source { name: b"input", context: None, fields: Some(&fields) };
    engine.line(b"login", &source, 1, &mut written);
    assert_eq!(written.0, ["inside", "known", "by eve; reboot", "high 50000", "before"]);
}

#[test]
fn without_parsed_events_a_field_is_a_mistake() {
    let rule = "type=Single\nptype=Expr\npattern=field('source.ip') == 1\ndesc=d\naction=none\n";
    let (file, mistakes) = read(rule, false);
    assert_eq!(file.rules().len(), 0);
    assert!(
        mistakes.len() == 1 && mistakes[0].contains("field('source.ip') is for rules in the hub")
    );
}
