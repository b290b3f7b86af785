//! Which events were sent before: the newest ids, read out of the store after a start.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use bergfried_event::{Field, FieldName, Timestamp};
use bergfried_query::{Comparison, Condition, Pattern, Predicate};
use bergfried_store::{Reader, Search, StoreError};
use tokio::sync::watch;

use crate::adapters::heimdall::PATH;
use crate::error::ApiError;
use crate::intake::{Ids, Key, key};

/// How many ids are remembered at least.
const REMEMBERED: usize = 500_000;
/// How far back ids are read out of the store.
const BACK: i64 = Timestamp::DAY;
/// How many events are read at a time.
const PAGE: usize = 10_000;
/// How long a request waits until the ids of before are read.
const PATIENCE: Duration = Duration::from_secs(10);

/// The ids of what was sent, once those of before the start are among them.
pub(crate) struct Known {
    ids: Arc<Ids>,
    read: watch::Receiver<bool>,
}

/// What an id is known by.
pub(super) fn key_of(id: &str) -> Key {
    key(&[id.as_bytes()])
}

impl Known {
    /// Begins to read the ids of what is stored, on a thread of its own. It ends early where the hub
    /// stops.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub(crate) fn read(
        reader: Reader,
        now: Timestamp,
        stopping: watch::Receiver<bool>,
    ) -> std::io::Result<Known> {
        let ids = Arc::new(Ids::new(REMEMBERED));
        let (done, read) = watch::channel(false);
        let known = Known { ids: Arc::clone(&ids), read };
        std::thread::Builder::new().name("heimdall-ids".to_owned()).spawn(move || {
            match stored_ids(&reader, now, &stopping) {
                // The oldest first, so that they are forgotten first.
                Ok(keys) => ids.stored(keys.into_iter().rev()),
                Err(error) => {
                    tracing::error!(%error, "cannot read the ids of Heimdall's events: what is sent again is stored again");
                }
            }
            done.send_replace(true);
        })?;
        Ok(known)
    }

    /// The ids, as soon as those of before are among them.
    pub(super) async fn ready(&self) -> Result<Arc<Ids>, ApiError> {
        let mut read = self.read.clone();
        let waiting = tokio::time::timeout(PATIENCE, read.wait_for(|read| *read));
        match waiting.await {
            Ok(_) => Ok(Arc::clone(&self.ids)),
            Err(_) => Err(ApiError::later(
                StatusCode::SERVICE_UNAVAILABLE,
                "the hub is reading what it knows, try again",
                5,
            )),
        }
    }
}

/// The ids of the newest events, the newest first.
fn stored_ids(
    reader: &Reader,
    now: Timestamp,
    stopping: &watch::Receiver<bool>,
) -> Result<Vec<Key>, StoreError> {
    let since = now.plus_micros(-BACK);
    let path = Condition::Text(Pattern::exact(PATH));
    #[expect(clippy::cast_precision_loss, reason = "microseconds of these centuries fit")]
    let lately = Condition::Number(Comparison::GreaterOrEqual, since.micros() as f64);
    let predicate = Predicate::field(Field::LogFilePath, path)
        .and(Predicate::field(Field::EventIngested, lately));
    let name = FieldName::new("heimdall.event_id");
    let mut keys = Vec::new();
    let mut before = None;
    while keys.len() < REMEMBERED && !*stopping.borrow() {
        let page = reader.search(&Search {
            predicate: predicate.clone(),
            from: Timestamp::MIN,
            to: Timestamp::MAX,
            limit: PAGE,
            before,
        })?;
        let Some(last) = page.events.last() else { break };
        before = Some((last.event.created(), last.id));
        let ids = page.events.iter().filter_map(|stored| stored.event.get_named(&name));
        keys.extend(ids.map(|id| key_of(&id.to_text())));
    }
    Ok(keys)
}
