//! The `[audit]` table of the configuration.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::users;
use crate::error::AgentError;

/// Where auditd writes its log.
pub const DEFAULT_AUDIT_LOG: &str = "/var/log/audit/audit.log";

/// Which audit logs are read, and what becomes of their events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditOptions {
    /// Paths or globs of audit logs. A file that is named `audit.log` is one wherever it is watched.
    pub files: Vec<String>,
    /// A stream socket that auditd's plug-in `af_unix` listens at.
    pub socket: Option<PathBuf>,
    /// The users whose events are sent; all where empty. Events under the keys that tell of
    /// tampering, and those that name no login, are sent whoever they are of.
    pub watched_users: Vec<u32>,
    /// Whether the parent process is looked up while it runs.
    pub parents: bool,
}

impl Default for AuditOptions {
    /// No log; what is joined would be of all users, with parents.
    fn default() -> Self {
        AuditOptions { files: Vec::new(), socket: None, watched_users: Vec::new(), parents: true }
    }
}

/// The table as a person writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditTable {
    files: Option<Vec<String>>,
    socket: Option<PathBuf>,
    #[serde(default)]
    watched_users: Vec<NamedUser>,
    parents: Option<bool>,
}

/// A user by name or by number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum NamedUser {
    Number(u32),
    Name(String),
}

impl AuditTable {
    /// `by_default`: whether auditd's own log is read where neither a file nor a socket
    /// is named.
    pub(crate) fn read(self, by_default: bool) -> Result<AuditOptions, AgentError> {
        let by_default = by_default && self.socket.is_none();
        let default = || Vec::from_iter(by_default.then(|| DEFAULT_AUDIT_LOG.to_owned()));
        let watched =
            self.watched_users.iter().map(|user| users::number(user, Path::new("/etc/passwd")));
        Ok(AuditOptions {
            files: self.files.unwrap_or_else(default),
            socket: self.socket,
            watched_users: watched.collect::<Result<_, _>>()?,
            parents: self.parents.unwrap_or(true),
        })
    }
}
