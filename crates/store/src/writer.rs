//! The one writer: appends, rolls, and lets log files go.

use std::fs;
use std::sync::Arc;

use bergfried_event::Timestamp;

use crate::batches::Batches;
use crate::block::Block;
use crate::encode::{encode, put_framed};
use crate::error::StoreError;
use crate::keep::Keeper;
use crate::seal::Sealer;
use crate::snapshot::Shared;
use crate::wal::{Finished, FrameWriter, NewFrame, WalFile};
use crate::{BatchId, Committed, NewBatch, Options};

/// Memory of the newest events is bounded by bytes too, should lines be long.
const MAX_ACTIVE_BYTES: usize = 96 << 20;

/// The one who may append. Dropping it is as good as [`Writer::close`].
pub struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) options: Options,
    pub(crate) wal: WalFile,
    pub(crate) frames: FrameWriter,
    pub(crate) batches: Batches,
    pub(crate) next_event_id: u64,
    pub(crate) next_sequence: u64,
    /// Log files that are finished but may not go yet.
    pub(crate) finished: Vec<Finished>,
    pub(crate) applied: u64,
    pub(crate) sealer: Sealer,
    /// Held for its lock on the directory.
    pub(crate) _lock: fs::File,
}

impl Writer {
    /// The id that the next event will get. Ids ascend from 1 without gaps and are never used again.
    pub fn next_event_id(&self) -> u64 {
        self.next_event_id
    }

    /// The sequence that the next batch will get; 1 in a new store.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Where the batch of this id is stored, if it is among the last 65,536.
    pub fn seen(&self, id: &BatchId) -> Option<Committed> {
        self.batches.get(id)
    }

    /// Looks after what is stored, beside this writer and its readers.
    pub fn keeper(&self) -> Keeper {
        Keeper::new(Arc::clone(self.sealer.catalog()))
    }

    /// Stores batches with one write and one wait for the disk. They are durable and searchable
    /// when this returns; after an error none of them is.
    ///
    /// The caller asks [`Writer::seen`] first: a batch given twice is stored twice.
    ///
    /// # Errors
    /// [`StoreError::Full`] where there is no room, [`StoreError::TooLarge`] for an event or batch
    /// past its limit, [`StoreError::Io`] for other failures of the disk.
    pub fn append(&mut self, batches: Vec<NewBatch<'_>>) -> Result<Vec<Committed>, StoreError> {
        let Some(now) = batches.iter().map(|batch| batch.ingested).max() else {
            return Ok(Vec::new());
        };
        self.roll_if_due(now)?;
        let mut written = Vec::new();
        let mut group = Group { next_event_id: self.next_event_id, batches: Vec::new() };
        for (sequence, batch) in (self.next_sequence..).zip(&batches) {
            let (block, events) = self.encode(group.next_event_id, batch)?;
            let frame = NewFrame {
                sequence,
                durable: self.wal.length(),
                id: &batch.id,
                ingested: batch.ingested,
                first_event_id: group.next_event_id,
                count: block.len(),
                findings: &batch.findings,
                events: &events,
            };
            self.frames.write(&frame, self.wal.path(), &mut written)?;
            group.push(sequence, batch, block);
        }
        self.wal.append(&written)?;
        Ok(self.commit(group, written.len() as u64))
    }

    /// Says that the findings of all batches up to this one are safe elsewhere.
    ///
    /// # Errors
    /// Where a log file that is no longer needed cannot be removed; it is tried again later.
    pub fn findings_applied(&mut self, sequence: u64) -> Result<(), StoreError> {
        self.applied = self.applied.max(sequence);
        self.remove_finished()
    }

    /// Rolls where the oldest event in memory is too old, and looks after the background work.
    ///
    /// # Errors
    /// Where a segment could not be written; its events stay in the log and in memory, and it is
    /// tried again.
    pub fn tick(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.roll_if_due(now)?;
        self.sealer.poll()?;
        self.remove_finished()
    }

    /// Stops at once: a segment half written is given up, its events are in the log.
    ///
    /// # Errors
    /// Where the background thread failed.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.sealer.stop()
    }

    fn encode(&self, first_id: u64, batch: &NewBatch<'_>) -> Result<(Block, Vec<u8>), StoreError> {
        let mut block = Block::new(first_id);
        let mut framed = Vec::with_capacity(batch.events.len() * 256);
        let mut one = Vec::with_capacity(1024);
        for event in &batch.events {
            one.clear();
            encode(event, batch.ingested, &mut one)?;
            put_framed(&mut framed, &one);
            block.push(&one, event.created());
        }
        Ok((block, framed))
    }

    fn commit(&mut self, group: Group, bytes: u64) -> Vec<Committed> {
        self.next_event_id = group.next_event_id;
        for (id, committed, has_findings, ..) in &group.batches {
            self.batches.insert(*id, *committed);
            self.next_sequence = committed.sequence + 1;
            self.wal.note(committed.sequence, *has_findings);
        }
        let last_id = self.next_event_id.saturating_sub(1);
        let committed = self.shared.change(|snapshot| {
            snapshot.wal_bytes += bytes;
            group
                .batches
                .into_iter()
                .map(|(_, committed, _, ingested, block)| {
                    snapshot.active.push(block, ingested);
                    committed
                })
                .collect()
        });
        self.shared.growth.reached(last_id);
        committed
    }

    fn roll_if_due(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let (events, bytes, oldest) = self.shared.change(|snapshot| {
            let active = &snapshot.active;
            (active.events(), active.bytes(), active.oldest())
        });
        let full = events >= self.options.segment_events || bytes >= MAX_ACTIVE_BYTES;
        let old = oldest.is_some_and(|oldest| now.since(oldest) >= self.options.segment_age);
        if events > 0 && (full || old) { self.roll() } else { Ok(()) }
    }

    /// Starts a new log file and hands the events of the old one to the background thread, after
    /// the thread has finished with those before.
    fn roll(&mut self) -> Result<(), StoreError> {
        self.sealer.wait()?;
        self.remove_finished()?;
        let directory = self.shared.directory.join("wal");
        let next = WalFile::create(&directory, self.wal.number() + 1, self.options.sync)?;
        let finished = std::mem::replace(&mut self.wal, next).finish();
        let sealed_sequence = self.next_sequence - 1;
        self.finished.push(finished);
        let part = self.shared.change(|snapshot| {
            snapshot.wal_bytes += self.wal.length();
            let part = std::mem::take(&mut snapshot.active);
            snapshot.sealing = Some(part.clone());
            part
        });
        let batches = self.batches.to_bytes(sealed_sequence);
        self.sealer.start(part, sealed_sequence, self.next_event_id, batches)
    }

    fn remove_finished(&mut self) -> Result<(), StoreError> {
        let sealed = self.sealer.sealed_sequence();
        let mut kept = Vec::new();
        let mut result = Ok(());
        for file in std::mem::take(&mut self.finished) {
            if file.last_sequence > sealed || file.last_with_findings > self.applied {
                kept.push(file);
                continue;
            }
            match fs::remove_file(&file.path) {
                Ok(()) => self.shared.change(|snapshot| {
                    snapshot.wal_bytes = snapshot.wal_bytes.saturating_sub(file.length);
                }),
                Err(error) => {
                    result = Err(StoreError::io("remove", &file.path, error));
                    kept.push(file);
                }
            }
        }
        self.finished = kept;
        result
    }
}

/// Batches that are written together.
struct Group {
    next_event_id: u64,
    batches: Vec<(BatchId, Committed, bool, Timestamp, Block)>,
}

impl Group {
    fn push(&mut self, sequence: u64, batch: &NewBatch<'_>, block: Block) {
        let committed = Committed { sequence, first_event_id: self.next_event_id };
        self.next_event_id += block.len() as u64;
        let has_findings = !batch.findings.is_empty();
        self.batches.push((batch.id, committed, has_findings, batch.ingested, block));
    }
}
