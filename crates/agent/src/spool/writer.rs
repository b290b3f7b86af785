//! The writing end of the spool.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bergfried_source::{Changes, Checkpoint};

use super::{HEADROOM, Shared};
use crate::disk::{private_file, sync_names, write_all_at};
use crate::frame::{self, Description};

#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    segment: u64,
    file: File,
    size: u64,
    checkpoint: Checkpoint,
}

impl Writer {
    pub(super) fn resume(
        shared: Arc<Shared>,
        segment: u64,
        file: File,
        checkpoint: Checkpoint,
    ) -> Self {
        let size = shared.state().segments.get(&segment).copied().unwrap_or_default();
        Writer { shared, segment, file, size, checkpoint }
    }

    /// A new segment that begins with the whole checkpoint.
    pub(super) fn create(
        shared: Arc<Shared>,
        segment: u64,
        checkpoint: Checkpoint,
    ) -> io::Result<Self> {
        let path = shared.path(segment);
        let description = Description {
            batch: String::new(),
            records: 0,
            changes: Changes::from(checkpoint.clone()),
        };
        let frame = frame::encode(&description, b"")?;
        let file = private_file().open(&path)?;
        let written = file
            .set_len(0)
            .and_then(|()| write_all_at(&file, &frame, 0))
            .and_then(|()| file.sync_all())
            .and_then(|()| sync_names(&shared.directory));
        if let Err(error) = written {
            std::fs::remove_file(&path)?;
            return Err(error);
        }
        let size = frame.len() as u64;
        shared.state().segments.insert(segment, size);
        Ok(Writer { shared, segment, file, size, checkpoint })
    }

    /// Whether another batch fits under the cap.
    pub(crate) fn has_room(&self) -> bool {
        self.shared.bytes() + HEADROOM <= self.shared.cap
    }

    /// Makes a batch and the positions behind it durable, both or neither.
    ///
    /// After an error nothing was written, and the same may be tried again.
    pub(crate) fn append(&mut self, description: &Description, body: &[u8]) -> io::Result<()> {
        if self.size >= self.shared.segment_size {
            let next = Writer::create(
                Arc::clone(&self.shared),
                self.segment + 1,
                self.checkpoint.clone(),
            )?;
            *self = next;
        }
        let frame = frame::encode(description, body)?;
        let written =
            write_all_at(&self.file, &frame, self.size).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.file.set_len(self.size)?;
            return Err(error);
        }
        self.size += frame.len() as u64;
        self.checkpoint.apply(description.changes.clone());
        self.shared.state().segments.insert(self.segment, self.size);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Tells the reader that nothing more comes.
    pub(crate) fn close(&self) {
        self.shared.state().closed = true;
        self.shared.changed.notify_all();
    }
}
