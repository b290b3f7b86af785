//! Any text as an event of JSON and as a document of Heimdall's: never a panic, bounded, the raw text
//! kept, and the event serializes to JSON again.

#![no_main]

use bergfried_event::{MAX_FIELDS, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let context = Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    for kind in [SourceKind::Json, SourceKind::Heimdall] {
        let event = parse(kind, text, &context);
        assert_eq!(event.original(), text);
        assert!(event.fields().len() <= MAX_FIELDS);
        for (name, _) in event.fields() {
            assert!(name.as_str().len() <= 2048, "a name of {} bytes", name.as_str().len());
        }
        let json = serde_json::to_string(&event).expect("an event serializes");
        assert!(
            serde_json::from_str::<serde_json::Value>(&json).is_ok_and(|json| json.is_object())
        );
    }
});
