//! What several tests need.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use bergfried_event::{Event, Field, Timestamp};
use bergfried_store::BatchId;

/// A point in time, in microseconds: 2026-11-20T23:59:50Z, so that events fall on two days.
pub const T0: i64 = 1_795_219_190_000_000;

/// The event with its fields in the order that the store gives them in.
pub fn sorted(event: &Event<'_>) -> Event<'static> {
    let event = event.clone().into_owned();
    let mut fields = event.fields().to_vec();
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut sorted = Event::new(event.created(), event.original().to_owned());
    for (name, value) in fields {
        sorted.set_named(name, value);
    }
    sorted
}

/// A number that looks random, from one that does not (splitmix64).
pub fn noise(seed: u64) -> u64 {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// The id of a numbered batch.
pub fn batch_id(number: u64) -> BatchId {
    BatchId((u128::from(number) << 64 | 0xbf).to_le_bytes())
}

/// The events of a numbered batch: one to nine, the same each time.
pub fn batch_events(number: u64) -> Vec<Event<'static>> {
    (0..=noise(number) % 9)
        .map(|index| {
            let created = T0 + (number * 250_000) as i64;
            let message = format!("batch {number} event {index}");
            let line = format!("host prog: {message}");
            let mut event = Event::new(Timestamp::from_micros(created), line);
            event.set(Field::Message, message);
            event.set(Field::HostName, "host");
            event
        })
        .collect()
}
