//! The background thread that turns events in memory into segments.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::block::Part;
use crate::error::StoreError;
use crate::manifest::{Manifest, replace};
use crate::segment::open::Segment;
use crate::segment::write::write_segments;
use crate::snapshot::Shared;

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
    shared: Arc<Shared>,
    manifest: Arc<Mutex<Manifest>>,
    sync: bool,
    cancelled: Arc<AtomicBool>,
    running: Option<(Job, JoinHandle<Result<(), StoreError>>)>,
    failed: Option<Job>,
}

impl Sealer {
    pub(crate) fn new(shared: Arc<Shared>, manifest: Manifest, sync: bool) -> Self {
        Sealer {
            shared,
            manifest: Arc::new(Mutex::new(manifest)),
            sync,
            cancelled: Arc::default(),
            running: None,
            failed: None,
        }
    }

    /// The last batch whose events are in segments.
    pub(crate) fn sealed_sequence(&self) -> u64 {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner).sealed_sequence
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
        self.cancelled.store(true, Ordering::Relaxed);
        self.join()
    }

    fn spawn(&mut self, job: Job) -> Result<(), StoreError> {
        let (shared, manifest) = (Arc::clone(&self.shared), Arc::clone(&self.manifest));
        let (sync, cancelled) = (self.sync, Arc::clone(&self.cancelled));
        let work = job.clone();
        let spawned = std::thread::Builder::new()
            .name("segment-writer".to_owned())
            .spawn(move || seal(&shared, &manifest, work, sync, &cancelled));
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

fn seal(
    shared: &Shared,
    manifest: &Mutex<Manifest>,
    job: Job,
    sync: bool,
    cancelled: &AtomicBool,
) -> Result<(), StoreError> {
    let mut next = manifest.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let written = write_segments(&shared.directory, &job.part, next.next_segment, sync, cancelled)?;
    let Some(entries) = written else { return Ok(()) };
    let known = next.segments.len();
    for entry in entries {
        next.next_segment = next.next_segment.max(entry.number + 1);
        next.push(entry);
    }
    let name = format!("batches-{}.bin", job.sealed_sequence);
    replace(&shared.directory.join(&name), &job.batches, sync)?;
    let before = next.batches.replace(name);
    next.sealed_sequence = job.sealed_sequence;
    next.next_event_id = job.next_event_id;
    next.write(&shared.directory, sync)?;
    let opened: Vec<Arc<Segment>> = next
        .segments
        .iter()
        .skip(known)
        .map(|entry| Arc::new(Segment::new(entry.clone(), &shared.directory)))
        .collect();
    *manifest.lock().unwrap_or_else(PoisonError::into_inner) = next;
    shared.change(|snapshot| {
        let mut segments = snapshot.segments.as_ref().clone();
        segments.extend(opened);
        snapshot.segments = Arc::new(segments);
        snapshot.sealing = None;
    });
    remove_old_batches(&shared.directory, before);
    Ok(())
}

fn remove_old_batches(directory: &Path, name: Option<String>) {
    let Some(name) = name else { return };
    match std::fs::remove_file(directory.join(name)) {
        // Left behind it is in nobody's way, and opening removes it.
        Ok(()) | Err(_) => {}
    }
}
