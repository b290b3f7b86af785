//! How the records of each origin are to be read.

use std::collections::HashMap;

use bergfried_event::{Origin, Timestamp};
use bergfried_parse::Context;
use jiff::tz::TimeZone;

/// The most time zones that are remembered.
const MAX_ZONES: usize = 256;

/// Time zones by name, looked up once.
#[derive(Default)]
pub(crate) struct Zones {
    known: HashMap<String, TimeZone>,
}

impl Zones {
    /// The context for records of this origin; a zone that the system does not know is UTC.
    pub(crate) fn context<'o>(&mut self, origin: &'o Origin) -> Context<'o> {
        Context {
            received: Timestamp::default(),
            host: &origin.host,
            time_zone: origin.time_zone.as_deref().map_or(TimeZone::UTC, |name| self.zone(name)),
            year: None,
        }
    }

    fn zone(&mut self, name: &str) -> TimeZone {
        if let Some(zone) = self.known.get(name) {
            return zone.clone();
        }
        let zone = TimeZone::get(name).unwrap_or_else(|error| {
            tracing::warn!(zone = name, %error, "unknown time zone, taking UTC");
            TimeZone::UTC
        });
        if self.known.len() >= MAX_ZONES {
            self.known.clear();
        }
        self.known.insert(name.to_owned(), zone.clone());
        zone
    }
}
