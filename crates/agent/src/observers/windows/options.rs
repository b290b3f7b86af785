//! `[windows]` of the configuration.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::text::CodePage;

/// The most channels that are asked for.
const MOST_CHANNELS: usize = 64;
/// The longest name of a channel (winmeta: 255 characters).
const LONGEST_NAME: usize = 255;
/// The most events that one command is asked for.
const MOST_EVENTS: u32 = 10_000;

/// Which events of Windows are asked for, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WindowsOptions {
    /// Whether they are; where nothing is said, on Windows and where a command is given.
    pub enabled: Option<bool>,
    /// The program that prints events as `wevtutil` does, and its first arguments.
    pub command: Vec<String>,
    /// How often it is asked.
    pub interval_seconds: u64,
    /// How many events it is asked for at once.
    pub batch: u32,
    /// How long it may take for them.
    pub timeout_seconds: u64,
    /// The code page of what it prints, where that is neither UTF-8 nor UTF-16.
    pub code_page: CodePage,
    /// The channels, and of each the numbers of its events that are read: all of them where none is
    /// given.
    pub channels: BTreeMap<String, Vec<u32>>,
}

impl Default for WindowsOptions {
    fn default() -> Self {
        let channels = CHANNELS.iter().map(|(name, ids)| ((*name).to_owned(), ids.to_vec()));
        WindowsOptions {
            enabled: None,
            command: Vec::new(),
            interval_seconds: 5,
            batch: 256,
            timeout_seconds: 60,
            code_page: CodePage::default(),
            channels: channels.collect(),
        }
    }
}

/// Logons, accounts, groups, processes, services, tasks, what is audited, and logs that are cleared.
const CHANNELS: [(&str, &[u32]); 4] = [
    (
        "Security",
        &[
            1102, 4624, 4625, 4634, 4648, 4672, 4688, 4697, 4698, 4719, 4720, 4722, 4724, 4726,
            4728, 4732, 4738, 4740,
        ],
    ),
    ("System", &[104, 7045]),
    ("Microsoft-Windows-PowerShell/Operational", &[4104]),
    ("Microsoft-Windows-Sysmon/Operational", &[]),
];

impl WindowsOptions {
    /// Whether events of Windows are asked for.
    pub(crate) fn is_on(&self) -> bool {
        self.enabled.unwrap_or(cfg!(windows) || !self.command.is_empty())
    }

    /// The words that run the program.
    pub(super) fn words(&self) -> Vec<String> {
        if self.command.is_empty() { vec!["wevtutil".to_owned()] } else { self.command.clone() }
    }

    /// Refuses what can never work.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.interval_seconds == 0 || self.timeout_seconds == 0 {
            return Err(
                "windows.interval_seconds and timeout_seconds must be at least 1".to_owned()
            );
        }
        if !(1..=MOST_EVENTS).contains(&self.batch) {
            return Err(format!("windows.batch must be 1 to {MOST_EVENTS}, not {}", self.batch));
        }
        if self.command.first().is_some_and(String::is_empty) {
            return Err("windows.command begins with an empty word, expected a program".to_owned());
        }
        if self.channels.is_empty() || self.channels.len() > MOST_CHANNELS {
            return Err(format!("windows.channels must name 1 to {MOST_CHANNELS} channels"));
        }
        // A name that begins so would be read as an option.
        let is_name = |name: &str| {
            (1..=LONGEST_NAME).contains(&name.len())
                && !name.starts_with(['/', '-'])
                && !name.chars().any(char::is_control)
        };
        match self.channels.keys().find(|name| !is_name(name)) {
            Some(name) => {
                Err(format!("windows.channels: `{}` is no name of a channel", name.escape_debug()))
            }
            None => Ok(()),
        }
    }
}
