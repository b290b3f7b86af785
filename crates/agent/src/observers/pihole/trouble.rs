//! Why queries cannot be read now. All of it is tried again.

use std::io;

use rusqlite::ErrorCode;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("it is not there")]
    Absent,
    #[error("it is empty")]
    Empty,
    #[error("it may not be read by this user")]
    Forbidden,
    #[error("it is no SQLite database")]
    NoDatabase,
    #[error("it has no table of queries")]
    NoQueries,
    #[error("another program is writing to it or holds it locked")]
    Locked,
    #[error("what was written to it last lies in a log of changes that only pihole-FTL can open")]
    Unopened,
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it takes too long to read")]
    Slow,
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    #[error("cannot read it: {0}")]
    Sqlite(rusqlite::Error),
}

impl Trouble {
    /// What the system says of a file of the database.
    pub(super) fn of_file(error: io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Trouble::Absent,
            io::ErrorKind::PermissionDenied => Trouble::Forbidden,
            _ => Trouble::Io(error),
        }
    }

    /// Whether a moment later it may be gone.
    pub(super) fn passes(&self) -> bool {
        matches!(self, Trouble::Locked | Trouble::Unopened)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Trouble::Locked,
            Some(ErrorCode::FileLockingProtocolFailed) => Trouble::Locked,
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => Trouble::Unopened,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TooBig) => {
                Trouble::Damaged(error.to_string())
            }
            Some(ErrorCode::OperationInterrupted) => Trouble::Slow,
            Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
                Trouble::Forbidden
            }
            _ => Trouble::Sqlite(error),
        }
    }
}
