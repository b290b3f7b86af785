//! What an agent reads: log files through every kind of rotation, the systemd journal, and sockets.
//!
//! Sources hand out lines and the positions behind them, and nothing else: they never parse, never
//! raise an alert and never write. Whoever reads them makes lines and positions durable together
//! ([`Changes`]), and starts them again from there ([`Checkpoint`]), so that each line is read once.
//!
//! Nothing blocks: a source has file descriptors that become readable when there may be more, and
//! `read` hands out what is there until the sink is full. Not reading is the back-pressure.

#[cfg(not(unix))]
mod absent;
mod audit;
mod checkpoint;
mod file;
#[cfg(unix)]
mod journal;
mod journal_options;
mod line;
#[cfg(unix)]
mod socket;

#[cfg(not(unix))]
pub use absent::{Journal, Socket, journal_present};
pub use audit::{AuditLog, HeldLine, Serials};
pub use checkpoint::{Changes, Checkpoint, FilePosition, Fingerprint};
pub use file::{FileOptions, Files, Patterns, Rotated, begins_as, expand, fingerprint, rotated};
#[cfg(unix)]
pub use journal::{Journal, journal_present};
pub use journal_options::{JournalGap, JournalOptions};
pub use line::{Flow, From, Line, MAX_LINE};
#[cfg(unix)]
pub use socket::Socket;
