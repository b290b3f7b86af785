//! Any text as the line in a document of a shipper, in any of the fields that may hold one: never a
//! panic, the raw text kept.

#![no_main]

use bergfried_event::{Field, MAX_FIELDS, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 8] =
    ["message", "log", "MESSAGE", "msg", "syslogtag", "appname", "event.timezone", "pid"];

fuzz_target!(|input: (u8, &str, &str)| {
    let (choice, line, other) = input;
    let context = Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let name = |index: u8| NAMES[usize::from(index) % NAMES.len()];
    let mut document = serde_json::Map::new();
    document.insert(name(choice & 7).to_owned(), line.into());
    document.insert(name(choice >> 4).to_owned(), other.into());
    let text = serde_json::Value::Object(document).to_string();
    let event = parse(SourceKind::Json, &text, &context);
    assert_eq!(event.original(), text);
    assert!(event.get(Field::HostName).is_some());
    assert!(event.fields().len() <= MAX_FIELDS);
    assert!(serde_json::to_string(&event).is_ok());
});
