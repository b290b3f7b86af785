//! The records of a Windows event log, decoded ahead on other threads.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use bergfried_event::Timestamp;
use bergfried_evtx::{Chunk, Chunks, Decoded, EvtxError, Record, Settings};

/// Chunks of one log that are decoded ahead; bounds the memory of each open log.
const AHEAD: usize = 3;

/// Threads that decode chunks, shared by all event logs; or none, where the reader does it.
#[derive(Clone, Default)]
pub(crate) struct Decoders {
    jobs: Option<SyncSender<Job>>,
    settings: Settings,
}

struct Job {
    chunk: Chunk,
    result: SyncSender<Decoded>,
}

impl Decoders {
    /// So many threads; with one, the thread that asks decodes.
    pub(crate) fn new(threads: usize) -> Decoders {
        let settings = Settings::default();
        if threads < 2 {
            return Decoders { jobs: None, settings };
        }
        let (jobs, queue) = sync_channel::<Job>(threads);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let (queue, settings) = (Arc::clone(&queue), settings.clone());
            // They end when the last `Decoders` is dropped and the queue with it.
            std::thread::spawn(move || {
                loop {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(Job { chunk, result }) = job else { return };
                    let decoded = chunk.decode(&settings);
                    // A scan that has ended wants it no more.
                    let _unwanted = result.send(decoded);
                }
            });
        }
        Decoders { jobs: Some(jobs), settings }
    }

    fn start(&self, chunk: Chunk) -> Pending {
        let Some(jobs) = &self.jobs else { return Pending::Here(chunk) };
        let (result, decoded) = sync_channel(1);
        match jobs.send(Job { chunk, result }) {
            Ok(()) => Pending::Elsewhere(decoded),
            Err(refused) => Pending::Here(refused.0.chunk),
        }
    }
}

enum Pending {
    Here(Chunk),
    Elsewhere(Receiver<Decoded>),
}

/// The records of one log, oldest first.
pub(super) struct EventLog {
    chunks: Box<dyn Iterator<Item = io::Result<Chunk>> + Send>,
    decoders: Decoders,
    taken: Arc<AtomicU64>,
    ahead: VecDeque<Pending>,
    /// What reading the chunks ended with; told after the records before it.
    failed: Option<io::Error>,
    decoded: Decoded,
    /// The next record of `decoded`.
    next: usize,
    pub(super) lost: u64,
    /// Chunks whose checksums do not fit.
    pub(super) altered: u64,
    pub(super) trouble: Option<String>,
}

impl EventLog {
    /// The log in a file, whose oldest chunk need not be its first.
    pub(super) fn of_file(
        path: &Path,
        taken: Arc<AtomicU64>,
        decoders: &Decoders,
    ) -> io::Result<EventLog> {
        let chunks = Chunks::oldest_first(File::open(path)?).map_err(plain)?;
        Ok(EventLog::new(Box::new(chunks), taken, decoders))
    }

    /// The log that a reader gives, in the order of its chunks; the reader counts what it takes.
    pub(super) fn of_reader(
        reader: impl io::Read + Send + 'static,
        decoders: &Decoders,
    ) -> io::Result<EventLog> {
        let chunks = Chunks::new(reader).map_err(plain)?;
        Ok(EventLog::new(Box::new(chunks), Arc::default(), decoders))
    }

    fn new(
        chunks: Box<dyn Iterator<Item = io::Result<Chunk>> + Send>,
        taken: Arc<AtomicU64>,
        decoders: &Decoders,
    ) -> EventLog {
        EventLog {
            chunks,
            decoders: decoders.clone(),
            taken,
            ahead: VecDeque::new(),
            failed: None,
            decoded: Decoded::default(),
            next: 0,
            lost: 0,
            altered: 0,
            trouble: None,
        }
    }

    /// Goes to the next record; false at the end.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        while self.next >= self.decoded.len() {
            self.read_ahead();
            self.decoded = match self.ahead.pop_front() {
                None => return self.failed.take().map_or(Ok(false), Err),
                Some(Pending::Here(chunk)) => chunk.decode(&self.decoders.settings),
                Some(Pending::Elsewhere(decoded)) => {
                    decoded.recv().map_err(|_closed| io::Error::other("a decoder has ended"))?
                }
            };
            self.next = 0;
            self.lost += self.decoded.lost();
            self.altered += u64::from(self.decoded.is_altered());
            if self.trouble.is_none() {
                self.trouble = self.decoded.trouble().map(str::to_owned);
            }
        }
        self.next += 1;
        Ok(true)
    }

    /// The record that the last [`EventLog::advance`] went to.
    pub(super) fn current(&self) -> Option<Record<'_>> {
        self.decoded.get(self.next.checked_sub(1)?)
    }

    /// When the first record happened; for a log of which no more is read.
    pub(super) fn first_created(&mut self) -> io::Result<Option<Timestamp>> {
        for chunk in self.chunks.by_ref() {
            if let Some(created) = chunk?.first_created(&self.decoders.settings) {
                return Ok(Some(created));
            }
        }
        Ok(None)
    }

    fn read_ahead(&mut self) {
        let ahead = if self.decoders.jobs.is_some() { AHEAD } else { 1 };
        while self.failed.is_none() && self.ahead.len() < ahead {
            match self.chunks.next() {
                None => return,
                Some(Ok(chunk)) => {
                    self.taken.fetch_add(chunk.size(), Ordering::Relaxed);
                    self.ahead.push_back(self.decoders.start(chunk));
                }
                Some(Err(error)) => self.failed = Some(error),
            }
        }
    }
}

fn plain(error: EvtxError) -> io::Error {
    match error {
        EvtxError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}
