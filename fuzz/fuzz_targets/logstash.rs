//! Any text as a Logstash pipeline: a configuration in TOML or an error in the text, never a panic.

#![no_main]

use bergfried_logstash::{Source, translate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = [Source { name: "fuzz.conf", text }];
    let directory = |path: &str, _: &str| Some(vec![path.to_owned()]);
    match translate(&source, &|name| Some(name.to_owned()), &directory) {
        Ok(translation) => {
            // What is written is TOML, whatever the texts in it are.
            if let Err(error) = toml::from_str::<toml::Table>(&translation.toml) {
                panic!("{error}\n{}", translation.toml);
            }
        }
        Err(error) => assert!(error.place.line <= text.lines().count().max(1) + 1),
    }
});
