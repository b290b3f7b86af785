//! The answer to a batch that was taken.

use serde::{Deserialize, Serialize};

/// What a hub says once a batch is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whether this try stored it.
    pub status: Status,
    /// The batch's id, 32 hex digits.
    pub batch: String,
    /// How many records it holds.
    pub records: u64,
}

/// Whether a batch was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was stored just now.
    Stored,
    /// It had been stored before; nothing was stored again.
    Duplicate,
}
