//! `[status]` of the configuration.

use serde::Deserialize;

/// Whether and how often the host says how it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatusOptions {
    /// Whether it does.
    pub enabled: bool,
    /// How often.
    pub interval_seconds: u64,
}

/// Shares of a processor's time over less than this say nothing, and a look costs some.
const LEAST: u64 = 5;
/// Beyond a day nobody calls it a status.
const MOST: u64 = 86_400;

impl Default for StatusOptions {
    fn default() -> Self {
        StatusOptions { enabled: true, interval_seconds: 60 }
    }
}

impl StatusOptions {
    /// Refuses what can never work.
    pub(crate) fn check(&self) -> Result<(), String> {
        if (LEAST..=MOST).contains(&self.interval_seconds) {
            return Ok(());
        }
        let given = self.interval_seconds;
        Err(format!("status.interval_seconds must be from {LEAST} to {MOST}, not {given}"))
    }
}
