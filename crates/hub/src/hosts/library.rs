//! What was stored in a span of time, for the report of a day.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bergfried_event::{Field, FieldName, Timestamp};
use bergfried_heimdall::EventType;
use bergfried_notify::Stored;
use bergfried_pipeline::Hosts;
use bergfried_query::Predicate;
use bergfried_store::{Reader, StoreError};

use crate::running::now;

/// The most names of one list.
const MAX_TOP: usize = 10;
/// All of Heimdall's kinds.
const KINDS: usize = EventType::ALL.len();

/// Looks up in the event store what a report says of events.
pub(crate) struct Library {
    reader: Reader,
    hosts: Arc<Hosts>,
    /// What was answered last: each channel of a route asks the same.
    last: Mutex<Option<(Timestamp, Timestamp, Stored)>>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").finish_non_exhaustive()
    }
}

impl Library {
    pub(crate) fn new(reader: Reader, hosts: Arc<Hosts>) -> Library {
        Library { reader, hosts, last: Mutex::default() }
    }
}

impl bergfried_telling::Library for Library {
    fn holds_any(&self, since: Timestamp) -> bool {
        self.hosts.list(now()).iter().any(|host| host.last_seen >= since)
    }

    fn stored(&self, since: Timestamp, until: Timestamp) -> Option<Stored> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, stored)) = last.as_ref().filter(|(s, u, _)| (*s, *u) == (since, until)) {
            return Some(stored.clone());
        }
        match stored(&self.reader, &self.hosts, since, until) {
            Ok(stored) => {
                *last = Some((since, until, stored.clone()));
                Some(stored)
            }
            Err(error) => {
                tracing::error!(%error, "cannot look up what was stored for a report");
                None
            }
        }
    }
}

/// What was stored between two times. Takes as long as the disk.
///
/// # Errors
/// Where a file cannot be read or is damaged.
pub(crate) fn stored(
    reader: &Reader,
    hosts: &Hosts,
    since: Timestamp,
    until: Timestamp,
) -> Result<Stored, StoreError> {
    let every = Predicate::Constant(true);
    let top = |field: Field, most: usize| {
        reader.top(&every, since, until, &FieldName::Known(field), most)
    };
    let now = hosts.list(now());
    let online = now.iter().filter(|host| host.online).count();
    Ok(Stored {
        events: reader.count(&every, since, until)?,
        hosts: top(Field::HostName, MAX_TOP)?,
        kinds: top(Field::HeimdallEventType, KINDS)?,
        actions: top(Field::EventAction, MAX_TOP)?,
        sources: top(Field::SourceIp, MAX_TOP)?,
        online: online as u64,
        silent: (now.len() - online) as u64,
    })
}
