//! Waking a thread that waits for several things at once, in poll(2) where there is one.

use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};

/// Readable while it is raised: a pipe that holds one byte then and none otherwise, so that neither
/// end ever blocks.
#[derive(Debug)]
pub(crate) struct Wake {
    raised: Mutex<bool>,
    writer: PipeWriter,
    reader: PipeReader,
}

impl Wake {
    /// Not raised. Fails where the process is out of file descriptors.
    pub(crate) fn new() -> io::Result<Wake> {
        let (reader, writer) = io::pipe()?;
        Ok(Wake { raised: Mutex::new(false), writer, reader })
    }

    /// Raises it; once is as good as several times.
    pub(crate) fn raise(&self) {
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        if !*raised {
            match (&self.writer).write_all(&[0]) {
                Ok(()) => *raised = true,
                Err(error) => tracing::warn!(%error, "cannot wake a thread"),
            }
        }
    }

    /// Lowers it.
    pub(crate) fn clear(&self) {
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *raised)
            && let Err(error) = (&self.reader).read_exact(&mut [0])
        {
            tracing::warn!(%error, "cannot rest after being woken");
        }
    }

    #[cfg(unix)]
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
