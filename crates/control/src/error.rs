//! What can go wrong with the control store, by what the caller can do about it.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// A failure of the control store.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The disk is full; nothing was changed, and the same call works once there is room.
    #[error("cannot write control data: the disk is full")]
    Full,
    /// Another process held the database for longer than the busy timeout; a retry is safe.
    #[error("cannot use control data: another process is using it")]
    Busy,
    /// The file could not be created or its permissions set.
    #[error("cannot open {}: {cause}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file was written by a newer version of the program.
    #[error(
        "cannot open control data: its schema is version {found}, this program knows up to {known}"
    )]
    Newer {
        /// The version in the file.
        found: i64,
        /// The last version that this program knows.
        known: i64,
    },
    /// The file is no database of this program, or damaged.
    #[error("cannot read control data: {0}")]
    Corrupt(String),
    /// The operating system gave no random bytes.
    #[error("cannot make a secret: {0}")]
    Random(getrandom::Error),
    /// The caller gave a value that cannot be stored.
    #[error("cannot store {what}: {reason}")]
    Invalid {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Anything else that SQLite reports.
    #[error("cannot use control data: {0}")]
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for ControlError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => ControlError::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ControlError::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                ControlError::Corrupt(error.to_string())
            }
            _ => ControlError::Database(error),
        }
    }
}

impl From<serde_json::Error> for ControlError {
    fn from(error: serde_json::Error) -> Self {
        ControlError::Corrupt(error.to_string())
    }
}

/// A number as SQLite stores it.
pub(crate) fn stored(number: u64, what: &'static str) -> Result<i64, ControlError> {
    i64::try_from(number)
        .map_err(|_| ControlError::Invalid { what, reason: "it is above 2^63 - 1" })
}

/// A number as SQLite stored it; what cannot have been stored by us reads as zero.
pub(crate) fn loaded(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
