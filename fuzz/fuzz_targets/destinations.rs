//! Any command line, place and host: never a panic, a host that was found reads back as itself, and a
//! judge says the same of an event twice.

#![no_main]

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_policy::{Host, Judge, Mode, Place, Places, Policy, UNLISTED, destinations_of_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, Vec<&str>, &str)| {
    let (line, words, place) = input;
    destinations_of_text(line, &mut |host, _| {
        assert_eq!(Host::read(&host.to_string()), Some(host));
    });
    let safe: Places = Place::read(place).into_iter().collect();
    let judge = Judge::new(
        safe.clone(),
        Policy { mode: Mode::Allowlist, places: safe, ..Policy::default() },
    );
    let mut event = Event::new(Timestamp::from_seconds(0), line);
    event.set(Field::ProcessArgs, Value::List(words.into_iter().map(Value::from).collect()));
    event.set(Field::DestinationIp, line);
    judge.apply(&mut event);
    let first = event.get_named(&FieldName::new(UNLISTED)).cloned();
    judge.apply(&mut event);
    assert_eq!(event.get_named(&FieldName::new(UNLISTED)), first.as_ref());
});
