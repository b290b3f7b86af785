//! Times as Heimdall's clients get them.

use bergfried_event::Timestamp;
use serde::{Serialize, Serializer};

/// A time that is always written to the microsecond. Dashboards take the form of a whole column from its
/// first entry, as pandas does, and sort times as texts: `10:00:01Z` beside `10:00:01.5Z` breaks both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shown(pub(super) Timestamp);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.6}", jiff::Timestamp::from(self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_as_long_as_another() {
        for (time, expected) in [
            ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000Z"),
            ("2026-03-01T12:00:00.5Z", "2026-03-01T12:00:00.500000Z"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ] {
            let time: Timestamp = time.parse().unwrap();
            assert_eq!(serde_json::to_value(Shown(time)).unwrap(), expected);
        }
    }
}
