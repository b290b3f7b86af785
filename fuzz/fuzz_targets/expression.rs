//! Any text as an expression of a rule, over any values: a value or a mistake, never a panic.

#![no_main]

use std::borrow::Cow;

use bergfried_sec::expression::{Expression, Failure, Scope, Sets, Tables, Variable};
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;

/// Every variable has the same value.
struct World<'v> {
    value: &'v [u8],
    sets: Sets,
    zone: TimeZone,
}

impl Scope for World<'_> {
    fn variable(&self, _: &Variable) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(self.value))
    }

    fn field(&self, _: &str) -> Option<Vec<u8>> {
        Some(self.value.to_vec())
    }

    fn exists(&mut self, context: &[u8]) -> bool {
        context == self.value
    }

    fn sets(&mut self) -> &mut Sets {
        &mut self.sets
    }

    fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    fn failed(&mut self, failure: Failure) {
        assert!(!failure.to_string().is_empty());
    }
}

fuzz_target!(|input: (&str, &[u8], i64)| {
    let (text, value, now) = input;
    let table = |_: &str| Ok("key,value\na,1\n".to_owned());
    match Expression::parse(text, &mut Tables::new(&table)) {
        Ok(expression) => {
            let mut world = World { value, sets: Sets::new(1 << 20), zone: TimeZone::UTC };
            drop(expression.evaluate(&mut world, now).into_text());
        }
        Err(mistake) => assert!(mistake.at <= text.len() && !mistake.to_string().is_empty()),
    }
});
