//! What the storekeeper says of what it did.

use bergfried_event::Timestamp;
use bergfried_store::{Compacted, Removed, StoreError, Verified};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was done since the hub was started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) verified: Option<Verification>,
    pub(crate) joined: Option<(Timestamp, Joined)>,
    pub(crate) removed: Option<Expired>,
    /// What went wrong last.
    pub(crate) problem: Option<(Timestamp, String)>,
}

/// Segments that were joined.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Joined {
    /// How many joins
    pub joins: u64,
    /// Files that became one with others
    pub segments: u64,
    /// Events in them
    pub events: u64,
    /// What they took before
    pub bytes_before: u64,
    /// What they take now
    pub bytes_after: u64,
}

impl Joined {
    /// For the audit trail.
    pub(super) fn sentence(&self) -> String {
        let Joined { joins, segments, events, bytes_before, bytes_after } = self;
        format!(
            "{segments} segments became {joins}: {events} events, {bytes_before} bytes became \
             {bytes_after}"
        )
    }

    /// Counts one join more.
    pub fn add(&mut self, compacted: &Compacted) {
        self.joins += 1;
        self.segments += compacted.segments;
        self.events += compacted.events;
        self.bytes_before += compacted.bytes_before;
        self.bytes_after += compacted.bytes_after;
    }
}

/// What retention removed since the hub was started.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Expired {
    /// When it last did
    #[schema(value_type = Option<String>)]
    pub at: Option<Timestamp>,
    /// How many events
    pub events: u64,
    /// How much they took
    pub bytes: u64,
    /// The day that it last took events of
    pub day: String,
}

impl Told {
    pub(super) fn add_joined(&mut self, compacted: &Compacted, now: Timestamp) {
        let (at, joined) = self.joined.get_or_insert_with(|| (now, Joined::default()));
        *at = now;
        joined.add(compacted);
    }

    pub(super) fn add_removed(&mut self, removed: &Removed, now: Timestamp) {
        let expired = self.removed.get_or_insert_default();
        expired.at = Some(now);
        expired.events += removed.events;
        expired.bytes += removed.bytes;
        expired.day.clone_from(&removed.day);
    }
}

/// Whether what is stored is what was written.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// When that was looked at
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Whether it is
    pub whole: bool,
    /// What is wrong, and with which file
    pub problem: Option<String>,
    /// Segments that were read whole
    pub segments: u64,
    /// Events in them
    pub events: u64,
    /// Changes in the ledger
    pub changes: u64,
    /// The last value of its chain
    pub head: Option<String>,
    /// Events that retention removed, ever
    pub expired: u64,
    /// Events that moved to an archive, ever
    pub archived: u64,
}

impl Verification {
    /// For the audit trail.
    pub(super) fn sentence(&self) -> String {
        match &self.problem {
            None => format!("whole: {} segments, {} events", self.segments, self.events),
            Some(problem) => format!("not whole: {problem}"),
        }
    }

    /// What a look at the store says.
    pub fn of(result: Result<Verified, StoreError>, at: Timestamp) -> Self {
        match result {
            Ok(verified) => Verification {
                at,
                whole: true,
                problem: None,
                segments: verified.segments,
                events: verified.events,
                changes: verified.changes,
                head: Some(verified.head),
                expired: verified.expired,
                archived: verified.archived,
            },
            Err(error) => Verification {
                at,
                whole: false,
                problem: Some(error.to_string()),
                segments: 0,
                events: 0,
                changes: 0,
                head: None,
                expired: 0,
                archived: 0,
            },
        }
    }
}
