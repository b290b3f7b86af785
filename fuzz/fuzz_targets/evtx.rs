//! Any bytes as a chunk of an event log: what can be read is read as JSON, the rest counted.

#![no_main]

use std::io::Cursor;
use std::panic;
use std::sync::Once;

use bergfried_event::{SourceKind, Timestamp};
use bergfried_evtx::{Chunks, MAX_CHUNK_TEXT, MAX_RECORD_TEXT, Settings};
use bergfried_parse::{Context, parse};
use libfuzzer_sys::fuzz_target;

static HOOK: Once = Once::new();

fuzz_target!(|chunk: &[u8]| {
    // A panic inside of the decoding library is caught and counted by design, so that only those
    // that reach this function are faults.
    HOOK.call_once(|| panic::set_hook(Box::new(|_| {})));
    let mut file = vec![0; 4096];
    file[..8].copy_from_slice(b"ElfFile\0");
    file.extend_from_slice(chunk);
    let context = Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let settings = Settings::default();
    let chunks = Chunks::oldest_first(Cursor::new(&file)).expect("the file begins as one does");
    for chunk in chunks {
        let decoded = chunk.expect("memory reads").decode(&settings);
        let mut total = 0;
        for record in decoded.records() {
            assert!(record.json.len() <= MAX_RECORD_TEXT);
            total += record.json.len();
            let event = parse(SourceKind::Json, record.json, &context);
            assert_eq!(event.original(), record.json);
        }
        assert!(total <= MAX_CHUNK_TEXT);
        assert_eq!(decoded.lost() > 0, decoded.trouble().is_some());
    }
});
