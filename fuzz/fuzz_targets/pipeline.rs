//! Reads any text as a processing pipeline and changes a rule by it.

#![no_main]

use bergfried_rules::{Options, Pipeline, RuleSet, Source};
use libfuzzer_sys::fuzz_target;

const RULE: &str = "title: t
logsource: {product: windows, category: process_creation}
detection:
  sel: {A|contains: a, B|re: 'b+', C|expand: '%c%', Hashes: 'MD5=00'}
  keywords: [x, y]
  condition: 1 of them
";

fuzz_target!(|text: &str| {
    let source = |text: &str| Source { file: "f".to_owned(), text: text.to_owned() };
    let mut diagnostics = Vec::new();
    let pipeline = Pipeline::read(&source(text), &mut diagnostics);
    assert!(pipeline.is_some() || !diagnostics.is_empty());
    let options = Options { pipelines: pipeline.into_iter().collect(), ..Options::default() };
    let (rules, _) = RuleSet::load_with([source(RULE)], &options);
    assert!(rules.len() <= 1);
});
