//! `[pihole]` of the configuration.

use std::path::PathBuf;

use serde::Deserialize;

/// How queries to a Pi-hole on this host are read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PiholeOptions {
    /// Whether they are, once the database is there.
    pub enabled: bool,
    /// The database of queries (`files.database` of Pi-hole's own configuration).
    pub database: PathBuf,
    /// How often it is looked at; Pi-hole itself writes once a minute.
    pub interval_seconds: u64,
    /// Whether queries that were answered are left out.
    pub only_blocked: bool,
}

impl Default for PiholeOptions {
    fn default() -> Self {
        PiholeOptions {
            enabled: true,
            database: PathBuf::from("/etc/pihole/pihole-FTL.db"),
            interval_seconds: 2,
            only_blocked: false,
        }
    }
}

impl PiholeOptions {
    /// Refuses what can never work.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.interval_seconds == 0 {
            return Err("pihole.interval_seconds must be at least 1".to_owned());
        }
        // Elsewhere there is no Pi-hole, and the usual place is no absolute path.
        if cfg!(target_os = "linux") && !self.database.is_absolute() {
            return Err("pihole.database must be an absolute path".to_owned());
        }
        Ok(())
    }
}
