//! Any bytes as lines of an audit log: never a panic, nothing that waits beyond its caps, and every
//! event keeps its lines.

#![no_main]

use std::time::Duration;

use bergfried_audit::{Joiner, Limits, glimpse, parse};
use bergfried_event::{Timestamp, readable};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { events: 8, bytes: 2_000, patience: Duration::from_secs(2) };
    let mut joiner = Joiner::new(limits);
    let mut sink = |joined: bergfried_audit::Joined<'_>| {
        let _seen = glimpse(joined.lines);
        let text = readable(joined.lines);
        let event = parse(&text, Timestamp::default(), "host");
        assert_eq!(event.original(), text);
    };
    for (seconds, line) in (0..).zip(bytes.split(|byte| *byte == b'\n')) {
        joiner.push(line, Timestamp::from_seconds(seconds / 4), &mut sink);
        assert!(joiner.held().map(<[u8]>::len).sum::<usize>() <= 2_000);
    }
    joiner.finish(&mut sink);
    assert_eq!(joiner.held().count(), 0);
});
