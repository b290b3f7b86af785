//! What can go wrong, by what the caller can do about it.

use std::io;

use bergfried_alert::{TooMuch, UnfitHeartbeat};
use bergfried_control::ControlError;

/// Why nothing of a command was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The disk is full; the same command works once there is room.
    #[error("cannot write alerts: the disk is full, try again once there is room")]
    Full,
    /// The hub is stopping; try again once it runs.
    #[error("cannot write alerts: the hub is stopping, try again")]
    Stopping,
    /// The store failed; the same command may work later.
    #[error("cannot write alerts: {0}; try again")]
    Store(String),
    /// It asks for more than the hub keeps of one thing.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// It is no heartbeat that could become an alert.
    #[error(transparent)]
    Heartbeat(UnfitHeartbeat),
    /// There are as many of this kind as there may be.
    #[error("there may be at most {most} {what}, delete some first")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
}

impl From<UnfitHeartbeat> for Failed {
    fn from(unfit: UnfitHeartbeat) -> Self {
        match unfit {
            UnfitHeartbeat::TooMuch(much) => Failed::TooMuch(much),
            other => Failed::Heartbeat(other),
        }
    }
}

impl From<&ControlError> for Failed {
    fn from(error: &ControlError) -> Self {
        match error {
            ControlError::Full => Failed::Full,
            other => Failed::Store(other.to_string()),
        }
    }
}

/// Why a change of one alert was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is no such alert, or the prefix fits several.
    #[error("not found")]
    NotFound,
    /// There is no such note.
    #[error("there is no note {0}")]
    NoNote(String),
    /// It asks for more than an alert may hold.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// Its state does not allow it.
    #[error("{0}")]
    Conflict(String),
}

/// Why the book cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The control store.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// No thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}
