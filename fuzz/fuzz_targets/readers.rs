//! Any text for each reader of names and values: never a panic, never more than its bounds.

#![no_main]

use bergfried_process::readers::csv::Columns;
use bergfried_process::readers::dissect::Dissect;
use bergfried_process::readers::kv::{KeyValue, Whitespace};
use bergfried_process::readers::{MAX_NAME, MAX_PAIRS, Pairs, cef, logfmt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (text, mapping) = input;
    let lenient = KeyValue {
        whitespace: Whitespace::Lenient,
        allow_duplicate_values: false,
        allow_empty_values: true,
        trim_value: mapping.to_owned(),
        ..KeyValue::default()
    };
    let mut found = [Pairs::new(), Pairs::new(), Pairs::new(), Pairs::new(), Pairs::new(), Pairs::new()];
    let [plain, loose, words, event, columns, cut] = &mut found;
    KeyValue::default().read(text, plain);
    lenient.read(text, loose);
    logfmt::read(text, words);
    cef::read(text, event);
    Columns::default().read(text, columns);
    if let Ok(dissect) = Dissect::new(mapping) {
        dissect.read(text, cut);
    }
    for pairs in found {
        assert!(pairs.len() <= MAX_PAIRS);
        for (name, _) in pairs {
            assert!(name.len() <= MAX_NAME);
        }
    }
});
