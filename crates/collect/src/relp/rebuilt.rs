//! The memory of sessions after a restart, from the newest events of the store.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::ControlFlow;

use bergfried_event::{Event, Field};
use bergfried_store::{Reader, StoreError};

use crate::relp::memory::{Client, Memory};
use crate::relp::resent::WINDOW;
use crate::relp::{PATH, PATH_TLS};

/// How many of the newest events are looked at. What a client may send again was stored a moment
/// before the hub ended: its answer was on the way.
const NEWEST: u64 = 100_000;

impl Memory {
    /// Remembers what the store's newest events say of RELP sessions.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn rebuilt(reader: &Reader, next_event_id: u64) -> Result<Memory, StoreError> {
        let memory = Memory::default();
        let mut messages: BTreeMap<u64, ((Client, String), u64)> = BTreeMap::new();
        reader.replay_since(next_event_id.saturating_sub(NEWEST), |stored| {
            if let Some(session) = session(&stored.event) {
                let hash = memory.hash(stored.event.original().as_bytes());
                messages.insert(stored.id, (session, hash));
            }
            ControlFlow::Continue(())
        })?;
        // In the order in which they were stored; a session's place is that of its last message.
        let mut sessions: HashMap<(Client, String), (u64, VecDeque<u64>)> = HashMap::new();
        for (id, (session, hash)) in messages {
            let (last, hashes) = sessions.entry(session).or_default();
            *last = id;
            if hashes.len() >= WINDOW {
                hashes.pop_front();
            }
            hashes.push_back(hash);
        }
        let mut sessions: Vec<_> = sessions.into_iter().collect();
        sessions.sort_unstable_by_key(|(_, (last, _))| *last);
        for ((client, _), (_, hashes)) in sessions {
            memory.remember(client, hashes);
        }
        Ok(memory)
    }
}

/// The session that an event came in: whose it is, and the address and port that tell it from
/// others of the same client.
fn session(event: &Event<'_>) -> Option<(Client, String)> {
    let path = event.text(Field::LogFilePath)?;
    let who = match path {
        PATH => event.text(Field::ObserverIp)?,
        PATH_TLS => event.text(Field::ObserverName).or_else(|| event.text(Field::ObserverIp))?,
        _ => return None,
    };
    let client = Client {
        input: event.text(Field::InputName).unwrap_or_default().to_owned(),
        who: who.to_owned(),
    };
    Some((client, event.text(Field::LogSourceAddress)?.to_owned()))
}
