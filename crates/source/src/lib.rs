//! What an agent reads: log files through every kind of rotation, and the systemd journal.
//!
//! Sources hand out lines and the positions behind them, and nothing else: they never parse, never
//! raise an alert and never write. Whoever reads them makes lines and positions durable together
//! ([`Changes`]), and starts them again from there ([`Checkpoint`]), so that each line is read once.
//!
//! Nothing blocks: a source has file descriptors that become readable when there may be more, and
//! `read` hands out what is there until the sink is full. Not reading is the back-pressure.

mod checkpoint;
mod file;
mod journal;
mod line;

pub use checkpoint::{Changes, Checkpoint, FilePosition, Fingerprint};
pub use file::{FileOptions, Files, expand};
pub use journal::{Journal, JournalOptions, journal_present};
pub use line::{Flow, From, Line, MAX_LINE};
