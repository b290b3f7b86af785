//! The chains that run, and how they are changed: as a whole, or not at all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bergfried_event::Timestamp;
use bergfried_pipeline::Pipeline;
use bergfried_process::Chains;
use serde_json::{Value, json};

use super::{ChainFiles, ChainsError};
use crate::running::now;

/// The most mistakes that one failed change keeps.
const MAX_TOLD: usize = 100;

/// The chains that run and how they came to.
pub(crate) struct LiveChains {
    files: ChainFiles,
    state: Mutex<State>,
}

struct State {
    chains: Arc<Chains>,
    loaded: Timestamp,
    failed: Option<Failure>,
}

/// A change that was not taken.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) at: Timestamp,
    /// What is wrong where, at most [`MAX_TOLD`].
    pub(crate) told: Arc<[String]>,
}

/// What became of a change.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// These chains run from the next batch on.
    Taken,
    /// The chains of before run on.
    Kept(Failure),
}

impl LiveChains {
    /// The chains of the configuration.
    ///
    /// # Errors
    /// Every mistake that they have.
    pub(crate) fn load(files: ChainFiles) -> Result<LiveChains, ChainsError> {
        let chains = Arc::new(files.load()?);
        let state = Mutex::new(State { chains, loaded: now(), failed: None });
        Ok(LiveChains { files, state })
    }

    pub(crate) fn chains(&self) -> Arc<Chains> {
        Arc::clone(&lock(&self.state).chains)
    }

    /// When the chains that run were loaded.
    pub(crate) fn loaded(&self) -> Timestamp {
        lock(&self.state).loaded
    }

    /// What runs, for the audit trail.
    pub(crate) fn outline(&self) -> Value {
        let state = lock(&self.state);
        json!({"chains": state.chains.names().collect::<Vec<_>>(), "loaded": state.loaded})
    }

    /// The last change, where it was not taken.
    pub(crate) fn failed(&self) -> Option<Failure> {
        lock(&self.state).failed.clone()
    }

    /// Reads the configuration and the files that its chains name again, and runs what they say.
    pub(crate) fn reload(&self, pipeline: &Pipeline) -> Outcome {
        let read = self.files.load();
        let mut state = lock(&self.state);
        match read {
            Ok(chains) => {
                let chains = Arc::new(chains);
                pipeline.replace_chains(Arc::clone(&chains));
                tracing::info!(chains = chains.len(), "the chains were read again");
                *state = State { chains, loaded: now(), failed: None };
                Outcome::Taken
            }
            Err(ChainsError(told)) => {
                for error in told.iter().take(20) {
                    tracing::error!("{error}");
                }
                tracing::error!(mistakes = told.len(), "the chains of before run on");
                let told = told.iter().take(MAX_TOLD).map(ToString::to_string);
                let failure = Failure { at: now(), told: told.collect() };
                state.failed = Some(failure.clone());
                Outcome::Kept(failure)
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
