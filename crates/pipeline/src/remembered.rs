//! The file of what the rules remember: written whole now and then, read at the start.
//!
//! It says up to which event it is true, and which batch was the last: where the store does not know
//! that batch, the file is of another store, or too old to be of use.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bergfried_store::{BatchId, Committed};

const MAGIC: &[u8; 8] = b"bergmem3";
/// Magic number, hash, last batch, its place and first event, next event.
const HEAD: usize = 8 + 32 + 16 + 8 + 8 + 8;
/// The largest file that is read: far more than the rules may remember.
const MAX_FILE: u64 = 2 << 30;
/// How long the file may be behind, where events come in.
const PERIOD: Duration = Duration::from_secs(300);
/// How many events may come after it: so many are read again after a crash.
const EVENTS: u64 = 500_000;

/// What the rules remembered when all events before `next_event_id` had been shown to them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) last: (BatchId, Committed),
    pub(crate) next_event_id: u64,
    pub(crate) rules: Vec<u8>,
}

/// Why there is nothing to go on from.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("there is no file yet")]
    Absent,
    #[error("cannot read it: {0}")]
    Unreadable(#[from] io::Error),
    #[error("it is damaged")]
    Damaged,
}

impl Remembered {
    pub(crate) fn read(path: &Path) -> Result<Remembered, Unusable> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Unusable::Absent,
            _ => Unusable::Unreadable(error),
        })?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut bytes)?;
        Self::from_bytes(&bytes).ok_or(Unusable::Damaged)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Remembered> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        if blake3::hash(rest) != *hash {
            return None;
        }
        let (batch, rest) = rest.split_first_chunk::<16>()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let (first_event_id, rest) = rest.split_first_chunk::<8>()?;
        let (next_event_id, rules) = rest.split_first_chunk::<8>()?;
        let committed = Committed {
            sequence: u64::from_le_bytes(*sequence),
            first_event_id: u64::from_le_bytes(*first_event_id),
        };
        Some(Remembered {
            last: (BatchId(*batch), committed),
            next_event_id: u64::from_le_bytes(*next_event_id),
            rules: rules.to_vec(),
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let (batch, committed) = &self.last;
        let mut bytes = Vec::with_capacity(HEAD + self.rules.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[0; 32]);
        bytes.extend_from_slice(&batch.0);
        for number in [committed.sequence, committed.first_event_id, self.next_event_id] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.rules);
        let hash = bytes.get(40..).map(blake3::hash);
        if let (Some(place), Some(hash)) = (bytes.get_mut(8..40), hash) {
            place.copy_from_slice(hash.as_bytes());
        }
        bytes
    }

    /// Replaces the file, durably: after a crash it is the old one or the new one.
    fn write(&self, path: &Path) -> io::Result<()> {
        let temporary = path.with_extension("tmp");
        let mut options = OpenOptions::new();
        // It holds lines of logs.
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(&self.to_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        match path.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// Writes the file beside the work of the pipeline.
pub(crate) struct Keeper {
    path: PathBuf,
    writing: Option<JoinHandle<()>>,
    written: Instant,
    /// The next event when it was written last.
    next_event_id: u64,
}

impl Keeper {
    /// Keeps the file, which is true up to this event.
    pub(crate) fn new(path: PathBuf, next_event_id: u64) -> Keeper {
        Keeper { path, writing: None, written: Instant::now(), next_event_id }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is time to write the file again.
    pub(crate) fn is_due(&self, next_event_id: u64) -> bool {
        let new = next_event_id.saturating_sub(self.next_event_id);
        new > 0
            && (new >= EVENTS || self.written.elapsed() >= PERIOD)
            && self.writing.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Whether events came after the file was written.
    pub(crate) fn is_behind(&self, next_event_id: u64) -> bool {
        next_event_id > self.next_event_id
    }

    /// Writes the file on a thread of its own.
    pub(crate) fn keep(&mut self, remembered: Remembered) {
        self.wait();
        (self.written, self.next_event_id) = (Instant::now(), remembered.next_event_id);
        let path = self.path.clone();
        let write = move || {
            if let Err(error) = remembered.write(&path) {
                let path = path.display();
                tracing::warn!(%error, %path, "cannot write what the rules remember");
            }
        };
        match std::thread::Builder::new().name("remember".to_owned()).spawn(write) {
            Ok(thread) => self.writing = Some(thread),
            Err(error) => {
                tracing::warn!(%error, "cannot start a thread to write what rules remember")
            }
        }
    }

    /// Returns when what is being written is durable.
    pub(crate) fn wait(&mut self) {
        if let Some(thread) = self.writing.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes what the rules remember panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_any_change_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.state");
        assert!(matches!(Remembered::read(&path), Err(Unusable::Absent)));
        let remembered = || Remembered {
            last: (BatchId([7; 16]), Committed { sequence: 3, first_event_id: 40 }),
            next_event_id: 50,
            rules: b"state".to_vec(),
        };
        let mut keeper = Keeper::new(path.clone(), 1);
        assert!(keeper.is_behind(50) && !keeper.is_due(50) && keeper.is_due(EVENTS + 1));
        keeper.keep(remembered());
        keeper.wait();
        assert!(!keeper.is_behind(50));
        assert_eq!(Remembered::read(&path).unwrap(), remembered());
        let sound = std::fs::read(&path).unwrap();
        for place in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[place] ^= 1;
            assert_eq!(Remembered::from_bytes(&damaged), None, "{place}");
            assert_eq!(Remembered::from_bytes(&sound[..place]), None, "{place}");
        }
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(Remembered::read(&path), Err(Unusable::Damaged)));
    }
}
