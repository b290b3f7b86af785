//! `[tamper]` of the configuration.

use std::path::PathBuf;

use serde::Deserialize;

/// How log files are watched for what should not happen to them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TamperOptions {
    /// Whether they are.
    pub enabled: bool,
    /// How often they are looked at.
    pub interval_seconds: u64,
    /// Paths or globs of files beside those that the agent reads.
    pub files: Vec<String>,
    /// Directories beside a file's own that rotation moves it to (`olddir` of logrotate).
    pub rotated_to: Vec<PathBuf>,
}

impl Default for TamperOptions {
    fn default() -> Self {
        TamperOptions {
            enabled: true,
            interval_seconds: 30,
            files: Vec::new(),
            rotated_to: Vec::new(),
        }
    }
}

impl TamperOptions {
    /// Refuses what can never work.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.interval_seconds == 0 {
            return Err("tamper.interval_seconds must be at least 1".to_owned());
        }
        Ok(())
    }
}
