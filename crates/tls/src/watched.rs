//! A value made from files, made again when they change.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::TlsError;

/// How often the files are looked at, at most.
const LOOK: Duration = Duration::from_secs(1);

/// What tells a file from the one that was there before.
type Stamp = Vec<Option<(u64, u64, u64, i64, i64)>>;

/// The newest value that could be made, and what is wrong with the files as they are now.
pub(crate) struct Watched<T> {
    paths: Vec<PathBuf>,
    make: Box<dyn Fn() -> Result<T, TlsError> + Send + Sync>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Arc<T>,
    stamp: Stamp,
    looked: Instant,
    problem: Option<String>,
}

impl<T> Watched<T> {
    /// Makes the first value.
    pub(crate) fn new(
        paths: Vec<PathBuf>,
        make: impl Fn() -> Result<T, TlsError> + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        // Stamped before they are read: a change in between is seen as one.
        let stamp = stamp(&paths);
        let value = Arc::new(make()?);
        let state = State { value, stamp, looked: Instant::now(), problem: None };
        Ok(Watched { paths, make: Box::new(make), state: Mutex::new(state) })
    }

    /// The value for a connection that is made now.
    pub(crate) fn get(&self) -> Arc<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK {
            state.looked = Instant::now();
            self.look(&mut state);
        }
        Arc::clone(&state.value)
    }

    /// Why the files as they are now are not those that run.
    pub(crate) fn problem(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).problem.clone()
    }

    fn look(&self, state: &mut State<T>) {
        let stamp = stamp(&self.paths);
        if stamp == state.stamp {
            return;
        }
        state.stamp = stamp;
        match (self.make)() {
            Ok(value) => {
                let files: Vec<_> = self.paths.iter().map(|path| path.display()).collect();
                tracing::info!(?files, "took the changed certificate files");
                state.value = Arc::new(value);
                state.problem = None;
            }
            Err(error) => {
                // A certificate and its key are rarely replaced in the same instant.
                tracing::warn!(%error, "cannot use the changed certificate files, keeping those before");
                state.problem = Some(error.to_string());
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn look_now(&self) {
        self.look(&mut self.state.lock().unwrap());
    }
}

fn stamp(paths: &[PathBuf]) -> Stamp {
    let of = |path: &PathBuf| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.dev(), data.ino(), data.size(), data.mtime(), data.mtime_nsec()))
    };
    paths.iter().map(of).collect()
}
