//! Any text, as a line of each kind of source: never a panic, and the raw text is kept.

#![no_main]

use bergfried_event::{Field, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let context = Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let kinds = [
        SourceKind::File,
        SourceKind::Syslog,
        SourceKind::Journald,
        SourceKind::Json,
        SourceKind::Watchtower,
    ];
    for kind in kinds {
        let event = parse(kind, text, &context);
        assert_eq!(event.original(), text);
        assert!(event.get(Field::HostName).is_some());
    }
});
