//! The background thread that turns events in memory into segments.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use bergfried_event::Timestamp;

use crate::block::Part;
use crate::catalog::{Catalog, Change};
use crate::error::StoreError;
use crate::ledger::Cause;
use crate::limits::Stop;
use crate::manifest::replace;
use crate::segment::write::write_segments;

/// What the thread is to do.
#[derive(Clone)]
struct Job {
    part: Part,
    sealed_sequence: u64,
    next_event_id: u64,
    batches: Vec<u8>,
}

/// Runs at most one job at a time; a job that failed is tried again before the next.
pub(crate) struct Sealer {
    catalog: Arc<Catalog>,
    cancelled: Stop,
    running: Option<(Job, JoinHandle<Result<(), StoreError>>)>,
    failed: Option<Job>,
}

impl Sealer {
    pub(crate) fn new(catalog: Arc<Catalog>) -> Self {
        Sealer { catalog, cancelled: Stop::default(), running: None, failed: None }
    }

    /// What it writes into.
    pub(crate) fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The last batch whose events are in segments.
    pub(crate) fn sealed_sequence(&self) -> u64 {
        self.catalog.manifest().sealed_sequence
    }

    /// Starts writing these events as segments.
    pub(crate) fn start(
        &mut self,
        part: Part,
        sealed_sequence: u64,
        next_event_id: u64,
        batches: Vec<u8>,
    ) -> Result<(), StoreError> {
        self.spawn(Job { part, sealed_sequence, next_event_id, batches })
    }

    /// Takes the result of a job that is over, and starts a failed one again.
    pub(crate) fn poll(&mut self) -> Result<(), StoreError> {
        if self.running.as_ref().is_some_and(|(_, thread)| thread.is_finished()) {
            self.join()?;
        }
        match self.failed.take() {
            Some(job) if self.running.is_none() => self.spawn(job),
            job => {
                self.failed = job;
                Ok(())
            }
        }
    }

    /// Waits until nothing is left to write.
    pub(crate) fn wait(&mut self) -> Result<(), StoreError> {
        self.join()?;
        if let Some(job) = self.failed.take() {
            self.spawn(job)?;
            self.join()?;
        }
        Ok(())
    }

    /// Gives up what is being written, and waits for the thread to end.
    pub(crate) fn stop(&mut self) -> Result<(), StoreError> {
        self.cancelled.set();
        self.join()
    }

    fn spawn(&mut self, job: Job) -> Result<(), StoreError> {
        let (catalog, cancelled) = (Arc::clone(&self.catalog), self.cancelled.clone());
        let work = job.clone();
        let spawned = std::thread::Builder::new()
            .name("segment-writer".to_owned())
            .spawn(move || seal(&catalog, work, &cancelled));
        match spawned {
            Ok(thread) => {
                self.running = Some((job, thread));
                Ok(())
            }
            Err(error) => {
                self.failed = Some(job);
                Err(StoreError::Thread(error))
            }
        }
    }

    fn join(&mut self) -> Result<(), StoreError> {
        let Some((job, thread)) = self.running.take() else { return Ok(()) };
        let result = thread.join().unwrap_or_else(|_| {
            Err(StoreError::Thread(std::io::Error::other("the segment writer panicked")))
        });
        if result.is_err() {
            self.failed = Some(job);
        }
        result
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        // Whatever came of it, the events are in the log and the next open finds them there.
        match self.stop() {
            Ok(()) | Err(_) => {}
        }
    }
}

fn seal(catalog: &Catalog, job: Job, cancelled: &Stop) -> Result<(), StoreError> {
    let (directory, sync) = (&catalog.shared.directory, catalog.sync);
    let Some(added) = write_segments(directory, &job.part, sync, cancelled)? else {
        return Ok(());
    };
    let name = format!("batches-{}.bin", job.sealed_sequence);
    replace(&directory.join(&name), &job.batches, sync)?;
    let at = added.iter().map(|staged| staged.entry.taken).max().unwrap_or(0);
    let change = Change {
        cause: Cause::Sealed,
        at: Timestamp::from_micros(at),
        removed: HashSet::new(),
        added,
    };
    let mut before = None;
    catalog.commit(
        change,
        |manifest| {
            before = manifest.batches.replace(name);
            manifest.sealed_sequence = job.sealed_sequence;
            manifest.next_event_id = job.next_event_id;
        },
        |snapshot| snapshot.sealing = None,
    )?;
    remove_old_batches(directory, before);
    Ok(())
}

fn remove_old_batches(directory: &Path, name: Option<String>) {
    let Some(name) = name else { return };
    match std::fs::remove_file(directory.join(name)) {
        // Left behind it is in nobody's way, and opening removes it.
        Ok(()) | Err(_) => {}
    }
}
