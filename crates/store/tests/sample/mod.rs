//! What several tests need.
#![allow(dead_code, reason = "each test uses its part")]

use bergfried_event::Event;

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
