//! Any text as a search: a predicate or an error, never a panic.

#![no_main]

use bergfried_event::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let now = Timestamp::from_seconds(1_795_262_400);
    if let Err(error) = bergfried_query::search::parse(text, now) {
        assert!(!error.to_string().is_empty());
    }
});
