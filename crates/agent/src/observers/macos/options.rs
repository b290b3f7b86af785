//! `[macos]` of the configuration.

use serde::Deserialize;

/// Who may come in and become another, what starts by itself, what applications may see, what XProtect
/// finds, and what the kernel calls a fault. Open Directory, loginwindow and authd say much besides.
const PREDICATE: &str = "\
process IN {\"sshd\", \"sshd-session\", \"sudo\", \"su\", \"login\", \"authorizationhost\", \
\"SecurityAgent\", \"screensharingd\", \"backgroundtaskmanagementd\"} \
OR (process == \"opendirectoryd\" AND category == \"auth\") \
OR (process == \"authd\" AND (eventMessage BEGINSWITH \"Succeeded authorizing right\" \
OR eventMessage BEGINSWITH \"Failed to authorize right\")) \
OR (process == \"loginwindow\" AND eventMessage CONTAINS \"_PROCESS: \") \
OR (process == \"tccd\" AND eventMessage BEGINSWITH \"Update Access Record\") \
OR (process == \"mdmclient\" AND eventMessage BEGINSWITH \"Installed configuration profile\") \
OR (subsystem == \"com.apple.XProtectFramework.PluginAPI\" AND category == \"XPEvent.structured\") \
OR (process == \"kernel\" AND messageType == fault)";

/// The program of macOS.
const PROGRAM: &str = "/usr/bin/log";

/// Whether and how the unified log of macOS is read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MacosOptions {
    /// Whether it is; where nothing is said, on macOS and where a command is given.
    pub enabled: Option<bool>,
    /// The program that prints entries as `log` does, and its first arguments.
    pub command: Vec<String>,
    /// Which entries are asked for (log(1), "PREDICATE-BASED FILTERING").
    pub predicate: String,
}

impl Default for MacosOptions {
    fn default() -> Self {
        MacosOptions { enabled: None, command: Vec::new(), predicate: PREDICATE.to_owned() }
    }
}

impl MacosOptions {
    /// Whether the log is read.
    pub(crate) fn is_on(&self) -> bool {
        self.enabled.unwrap_or(cfg!(target_os = "macos") || !self.command.is_empty())
    }

    /// The words that run the program.
    pub(crate) fn words(&self) -> Vec<&str> {
        match self.command.as_slice() {
            [] => vec![PROGRAM],
            command => command.iter().map(String::as_str).collect(),
        }
    }

    /// Refuses what can never work.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.command.first().is_some_and(String::is_empty) {
            return Err("macos.command begins with an empty word".to_owned());
        }
        if self.predicate.trim().is_empty() {
            return Err("macos.predicate is empty: every entry would be read".to_owned());
        }
        Ok(())
    }
}
