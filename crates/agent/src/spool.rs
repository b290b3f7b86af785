//! The spool: batches and positions on disk, in segments that are written once and then removed.
//!
//! `spool/<number>.seg` holds frames; the first of every segment is a whole checkpoint, so that the
//! newest segment alone says where sources go on. `spool/acked` says how far the hub has taken
//! them. A frame counts once it is synced; what a crash left half-written behind it is cut off.

mod ack;
mod reader;
mod writer;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bergfried_source::Checkpoint;

use crate::disk::{make_private, private_file};
use crate::error::AgentError;
use crate::frame;
use crate::stats::Stats;
use ack::{AckFile, Mark};

pub(crate) use reader::{Next, Reader};
pub(crate) use writer::Writer;

/// Room that a batch may take at most, kept free under the cap.
pub(crate) const HEADROOM: u64 = 4 << 20;

/// How long an agent that was killed may still hold the lock: a program that it was about to start
/// has it until it runs.
const RELEASE: Duration = Duration::from_secs(1);

/// What reader and writer share.
#[derive(Debug)]
struct Shared {
    directory: PathBuf,
    cap: u64,
    segment_size: u64,
    state: Mutex<State>,
    changed: Condvar,
    stats: Stats,
    /// Held as long as anyone uses the spool.
    _lock: File,
}

#[derive(Debug, Default)]
struct State {
    /// Synced bytes of each segment.
    segments: BTreeMap<u64, u64>,
    /// How far the hub has taken it.
    mark: Mark,
    closed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, segment: u64) -> PathBuf {
        self.directory.join(format!("{segment:016x}.seg"))
    }

    /// How many bytes the hub has not taken.
    fn waiting(&self) -> u64 {
        let state = self.state();
        let bytes: u64 = state.segments.range(state.mark.segment..).map(|(_, bytes)| bytes).sum();
        bytes.saturating_sub(state.mark.offset)
    }

    fn bytes(&self) -> u64 {
        self.state().segments.values().sum()
    }
}

/// Tells how full the spool is; it holds nothing of it once the agent has ended.
#[derive(Clone, Debug)]
pub(crate) struct Gauge(Weak<Shared>);

impl Gauge {
    /// How many bytes wait to be sent; none once the spool is closed.
    pub(crate) fn waiting(&self) -> Option<u64> {
        self.0.upgrade().map(|shared| shared.waiting())
    }
}

/// Opens the spool under `state_dir`, made where it is missing; also where sources go on.
pub(crate) fn open(
    state_dir: &Path,
    cap: u64,
    stats: &Stats,
) -> Result<(Writer, Reader, Checkpoint), AgentError> {
    let directory = state_dir.join("spool");
    make_private(&directory).map_err(AgentError::state(&directory))?;
    let lock = lock(state_dir)?;
    let cap = cap.max(2 * HEADROOM);
    let shared = Shared {
        directory: directory.clone(),
        cap,
        segment_size: (cap / 16).clamp(512 << 10, 8 << 20),
        state: Mutex::default(),
        changed: Condvar::new(),
        stats: stats.clone(),
        _lock: lock,
    };
    recover(shared).map_err(AgentError::state(&directory))
}

fn lock(state_dir: &Path) -> Result<File, AgentError> {
    let path = state_dir.join("lock");
    let file = private_file().open(&path).map_err(AgentError::state(&path))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < RELEASE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(AgentError::Locked(state_dir.to_path_buf()));
            }
            Err(TryLockError::Error(source)) => return Err(AgentError::State { path, source }),
        }
    }
}

fn recover(shared: Shared) -> io::Result<(Writer, Reader, Checkpoint)> {
    let mut segments = list(&shared.directory)?;
    let mut newest = None;
    while let Some((&number, _)) = segments.last_key_value() {
        let path = shared.path(number);
        let file = private_file().open(&path)?;
        let (valid, checkpoint) = scan(&file)?;
        let size = file.metadata()?.len();
        if valid < size {
            shared.stats.spool_cuts(1);
            tracing::warn!(path = %path.display(), bytes = size - valid, "cut the spool's damaged end");
        }
        if valid == 0 {
            // Not even its checkpoint was synced, so nothing in it ever counted.
            std::fs::remove_file(&path)?;
            segments.remove(&number);
            continue;
        }
        file.set_len(valid)?;
        file.sync_all()?;
        segments.insert(number, valid);
        newest = Some((number, file, checkpoint));
        break;
    }
    let (mut ack, mark) = AckFile::open(&shared.directory.join("acked"))?;
    let mark = settle(mark, &segments);
    ack.write(mark)?;
    for (&number, _) in segments.range(..mark.segment) {
        std::fs::remove_file(shared.path(number))?;
    }
    segments.retain(|number, _| *number >= mark.segment);
    {
        let mut state = shared.state();
        state.segments = segments;
        state.mark = mark;
    }
    let shared = Arc::new(shared);
    let reader = Reader::new(Arc::clone(&shared), ack, mark);
    let (writer, checkpoint) = match newest {
        Some((number, file, checkpoint)) => {
            (Writer::resume(shared, number, file, checkpoint.clone()), checkpoint)
        }
        None => {
            let first = mark.segment;
            (Writer::create(shared, first, Checkpoint::default())?, Checkpoint::default())
        }
    };
    Ok((writer, reader, checkpoint))
}

/// How far the file's frames are whole, and the checkpoint that they add up to.
fn scan(file: &File) -> io::Result<(u64, Checkpoint)> {
    let mut checkpoint = Checkpoint::default();
    let mut offset = 0;
    while let Some(frame) = frame::read(file, offset)? {
        checkpoint.apply(frame.description.changes);
        offset += frame.length;
    }
    Ok((offset, checkpoint))
}

/// The mark, moved to where there is something: frames before or behind it may be lost.
fn settle(mark: Option<Mark>, segments: &BTreeMap<u64, u64>) -> Mark {
    let oldest =
        Mark { segment: segments.keys().next().copied().unwrap_or_default(), ..Mark::default() };
    let Some(mark) = mark else { return oldest };
    match segments.get(&mark.segment) {
        Some(size) if mark.offset <= *size => mark,
        // A frame that the hub took was damaged since: nothing new may hide behind the mark.
        Some(size) => Mark { offset: *size, done: 0, ..mark },
        None => segments
            .range(mark.segment..)
            .next()
            .map(|(segment, _)| Mark { segment: *segment, ..Mark::default() })
            // Never a number again that was in use before.
            .unwrap_or(Mark { segment: mark.segment + 1, ..Mark::default() }),
    }
}

fn list(directory: &Path) -> io::Result<BTreeMap<u64, u64>> {
    let mut segments = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".seg"));
        if let Some(number) = number.and_then(|hex| u64::from_str_radix(hex, 16).ok()) {
            segments.insert(number, entry.metadata()?.len());
        }
    }
    Ok(segments)
}

#[cfg(test)]
mod tests;
