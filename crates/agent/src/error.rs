//! Why the agent cannot run.

use std::io;
use std::path::PathBuf;

/// Why the agent cannot start, or cannot go on. What passes by itself is retried, not reported.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The configuration is at fault.
    #[error("cannot read configuration: {0}")]
    Config(String),
    /// A file of the state directory cannot be used.
    #[error("cannot use {path}: {source}")]
    State {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another agent uses the state directory.
    #[error("cannot use {0}: another agent is running on it")]
    Locked(PathBuf),
    /// The system refuses something that every agent needs.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The audit system's rules stay as they are.
    #[error("cannot set audit rules: {0}")]
    AuditRules(String),
    /// A thread of the agent ended by a defect; what is in the spool is safe.
    #[error("cannot go on: the {0} thread failed")]
    Thread(&'static str),
}

impl AgentError {
    pub(crate) fn state(path: &std::path::Path) -> impl FnOnce(io::Error) -> AgentError {
        let path = path.to_path_buf();
        move |source| AgentError::State { path, source }
    }
}
