//! Any text as an expression, its rest as a text to read: never a panic, never longer than the limit
//! on steps, and what is captured lies in the text.

#![no_main]

use std::sync::LazyLock;

use bergfried_grok::{Captures, Grok, Options, Outcome, Patterns};
use libfuzzer_sys::fuzz_target;

static PATTERNS: LazyLock<Patterns> = LazyLock::new(Patterns::standard);

fuzz_target!(|input: (&str, &str)| {
    let (expression, text) = input;
    let options = Options {
        keep_empty_captures: true,
        step_limit: 100_000,
        max_size: 2_000,
        ..Options::default()
    };
    let grok = match Grok::new(expression, &PATTERNS, &options) {
        Ok(grok) => grok,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let mut captures = Captures::new();
    let first = grok.captures(text, &mut captures);
    if first == Outcome::Matched {
        for (field, value) in grok.values(text, &captures) {
            assert!(grok.fields().contains(field));
            assert!(text.contains(value));
        }
    }
    // Memory that was used before is as good as new.
    assert_eq!(grok.captures(text, &mut captures), first);
});
