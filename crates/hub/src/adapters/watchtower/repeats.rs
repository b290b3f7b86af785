//! Logins that are sent again.
//!
//! The Python agent takes only status 200 as final and sends a login up to three times more when it
//! gets the documented 201. Such repeats (the same document within 30 s) are one login.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

use bergfried_event::{Event, Field, FieldName, Timestamp};
use bergfried_query::search::parse;
use bergfried_store::{Reader, Search, StoreError};

/// How long after the first one the same document is a repeat.
const WINDOW: i64 = 30 * Timestamp::SECOND;
/// The most logins that are remembered; the window empties it long before in practice.
const MAX_REMEMBERED: usize = 100_000;
/// How many different logins may be on their way to the disk together.
const TURNS: usize = 64;

/// What makes two reports the same login.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(blake3::Hash);

impl Key {
    /// Of host, user, address, port, raw message and time stamp as they were sent.
    pub(super) fn new(parts: [&str; 6]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Key(hasher.finalize())
    }

    fn of_event(event: &Event<'_>) -> Self {
        let named = |name: &'static str| {
            event.get_named(&FieldName::new(name)).map(|value| value.to_text().into_owned())
        };
        let text = |field| event.text(field).unwrap_or_default();
        Key::new([
            text(Field::HostName),
            text(Field::UserName),
            event.text(Field::SourceIp).unwrap_or(text(Field::SourceAddress)),
            &named("watchtower.source_port").unwrap_or_default(),
            text(Field::Message),
            &named("watchtower.timestamp").unwrap_or_default(),
        ])
    }
}

/// Logins of the last half minute, by what makes them the same.
#[derive(Debug)]
pub(crate) struct Repeats {
    seen: Mutex<HashMap<Key, (u64, Timestamp)>>,
    /// Equal logins always wait for the same one of these.
    turns: [AsyncMutex<()>; TURNS],
}

impl Repeats {
    /// With the logins that an earlier process stored within the window.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(crate) fn remembered(reader: &Reader, now: Timestamp) -> Result<Self, StoreError> {
        let since = now.plus_micros(-WINDOW);
        let text = format!("event.module:watchtower event.ingested:>={since}");
        let Ok(predicate) = parse(&text, now) else { return Ok(Self::new(HashMap::new())) };
        let page = reader.search(&Search {
            predicate,
            from: Timestamp::MIN,
            to: Timestamp::MAX,
            limit: 10_000,
            before: None,
        })?;
        let seen = page
            .events
            .iter()
            .map(|stored| (Key::of_event(&stored.event), (stored.id, stored.ingested)))
            .collect();
        Ok(Self::new(seen))
    }

    fn new(seen: HashMap<Key, (u64, Timestamp)>) -> Self {
        let turns = std::array::from_fn(|_| AsyncMutex::new(()));
        Repeats { seen: Mutex::new(seen), turns }
    }

    /// Held while a login is compared with the earlier ones and stored, so that two of the same
    /// that come together are one.
    pub(super) async fn turn(&self, key: &Key) -> MutexGuard<'_, ()> {
        let [first, ..] = &self.turns;
        let [byte, ..] = key.0.as_bytes();
        self.turns.get(usize::from(*byte) % TURNS).unwrap_or(first).lock().await
    }

    /// The id under which the same login was stored within the window.
    pub(super) fn first_id(&self, key: &Key, now: Timestamp) -> Option<u64> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(key).filter(|(_, at)| now.since(*at) < WINDOW).map(|(id, _)| *id)
    }

    /// Remembers a login that was stored just now.
    pub(super) fn remember(&self, key: Key, id: u64, now: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= 1_024 {
            seen.retain(|_, (_, at)| now.since(*at) < WINDOW);
        }
        if seen.len() < MAX_REMEMBERED {
            seen.insert(key, (id, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_end_with_the_window() {
        let repeats = Repeats::new(HashMap::new());
        let key = Key::new(["h", "u", "a", "p", "m", "t"]);
        let start = Timestamp::from_seconds(1_000);
        assert_eq!(repeats.first_id(&key, start), None);
        repeats.remember(key.clone(), 7, start);
        assert_eq!(repeats.first_id(&key, start.plus_micros(WINDOW - 1)), Some(7));
        assert_eq!(repeats.first_id(&key, start.plus_micros(WINDOW)), None);
        let other = Key::new(["hu", "", "a", "p", "m", "t"]);
        assert_eq!(repeats.first_id(&other, start), None);
    }
}
