//! Bodies that are sent again because the answer was lost.
//!
//! The protocols of other products give a body no id. A client that saw no answer (the hub was
//! killed, the connection broke, a proxy gave up) sends the same bytes again, and they were stored
//! perhaps. So the id of such a batch is a hash of its records and of the token, and a batch of an id
//! that the store knows is stored once. But the same bytes may also be new events, which
//! happened to be the same. Told apart by two things:
//!
//! - A retry comes over another connection than the first try: where an answer is lost, so is its
//!   connection. The same bytes over the same connection are new.
//! - A retry comes soon. The same bytes more than [`WINDOW`] after they were stored are new.
//!
//! What is wrong with that: two processes of one token that send byte for byte the same within the
//! window are taken for one, which for documents that say when they were written does not happen.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use bergfried_event::Timestamp;

/// How long after a body was stored the same bytes are a retry. Longer than any shipper waits
/// between two tries; they wait a minute or two at most.
pub(crate) const WINDOW: i64 = 5 * 60 * Timestamp::SECOND;
/// The most batches that are remembered. One that is forgotten too early is still known to the
/// store; only that it came over the same connection is not known then.
const MAX_REMEMBERED: usize = 20_000;

/// The id of a batch.
pub(crate) type Id = [u8; 16];

/// Batches stored within the window, by what makes them the same.
#[derive(Default)]
pub(crate) struct Repeats {
    seen: Mutex<HashMap<Id, Seen>>,
}

#[derive(Clone, Copy)]
struct Seen {
    /// The id under which it was stored last.
    stored_as: Id,
    over: SocketAddr,
    at: Timestamp,
}

/// What makes two batches the same: the token, what the request says besides, and the bytes of every
/// record.
pub(crate) fn digest<'r>(
    token: u64,
    request: &'r str,
    records: impl IntoIterator<Item = &'r [u8]>,
) -> Id {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&token.to_le_bytes());
    for text in [request.as_bytes()].into_iter().chain(records) {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    id
}

impl Repeats {
    /// The id under which to store records of this digest that came over this connection; None where
    /// it is new although the same bytes were stored before.
    pub(crate) fn id_of(&self, digest: &Id, over: SocketAddr, now: Timestamp) -> Option<Id> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(digest) {
            None => Some(*digest),
            Some(seen) if seen.over == over || now.since(seen.at) >= WINDOW => None,
            Some(seen) => Some(seen.stored_as),
        }
    }

    /// Remembers that a batch was stored just now.
    pub(crate) fn stored(&self, digest: Id, stored_as: Id, over: SocketAddr, now: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_REMEMBERED {
            seen.retain(|_, seen| now.since(seen.at) < WINDOW);
        }
        if seen.len() < MAX_REMEMBERED || seen.contains_key(&digest) {
            seen.insert(digest, Seen { stored_as, over, at: now });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_has_another_connection_and_comes_soon() {
        let repeats = Repeats::default();
        let (one, two) = ("192.0.2.1:1000".parse().unwrap(), "192.0.2.1:1001".parse().unwrap());
        let start = Timestamp::from_seconds(1_000);
        let body = digest(1, "/_bulk", [&b"{}"[..]]);
        assert_eq!(repeats.id_of(&body, one, start), Some(body));
        repeats.stored(body, body, one, start);
        assert_eq!(repeats.id_of(&body, one, start), None, "the same connection: new");
        assert_eq!(repeats.id_of(&body, two, start.plus_micros(WINDOW - 1)), Some(body));
        assert_eq!(repeats.id_of(&body, two, start.plus_micros(WINDOW)), None, "late: new");
        let again = [7; 16];
        repeats.stored(body, again, one, start);
        assert_eq!(repeats.id_of(&body, two, start), Some(again), "a retry of the newest");
    }

    #[test]
    fn another_token_path_or_byte_is_another_body() {
        let body = digest(1, "/_bulk", [&b"{}"[..]]);
        for other in [
            digest(2, "/_bulk", [&b"{}"[..]]),
            digest(1, "/x/_bulk", [&b"{}"[..]]),
            digest(1, "/_bulk", [&b"{ }"[..]]),
            digest(1, "/_bulk{", [&b"}"[..]]),
            digest(1, "/_bulk", [&b"{"[..], &b"}"[..]]),
        ] {
            assert_ne!(body, other);
        }
    }
}
