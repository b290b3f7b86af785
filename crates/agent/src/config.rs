//! The agent's configuration, as a person writes it and as it runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bergfried_source::{From, JournalOptions};
use serde::Deserialize;

use crate::error::AgentError;
use crate::secret::Secret;

/// Files that are watched where nothing else is said: what Debian, Ubuntu, Red Hat and SUSE write.
pub(crate) const DEFAULT_FILES: [&str; 5] = [
    "/var/log/auth.log",
    "/var/log/secure",
    "/var/log/syslog",
    "/var/log/messages",
    "/var/log/kern.log",
];
/// Where state is kept where nothing else is said.
pub(crate) const DEFAULT_STATE_DIR: &str = "/var/lib/bergfried-agent";
const DEFAULT_SPOOL: u64 = 256 << 20;
const LEAST_SPOOL: u64 = 8 << 20;

/// What an agent reads, where it keeps its state and where it sends.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of this host in events; the system's own where absent.
    pub name: Option<String>,
    /// Holds the spool and the positions; made with mode 0700.
    pub state_dir: PathBuf,
    /// Paths or globs of log files.
    pub files: Vec<String>,
    /// Where sources begin that were never read.
    pub from: From,
    /// Whether to follow the journal.
    pub journald: Journald,
    /// A directory of journal files in place of this machine's own journal.
    pub journal_directory: Option<PathBuf>,
    /// How long a file that was rotated away is still read after its last line.
    pub rotated_grace: Duration,
    /// The most bytes that the spool takes on disk.
    pub spool_bytes: u64,
    /// Where to send, and how.
    pub protocol: Protocol,
}

/// Whether to follow the systemd journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Journald {
    /// Where there is one.
    #[default]
    Auto,
    /// Always; it is waited for where there is none.
    On,
    /// Never.
    Off,
}

/// Where to send, and how.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// Every line to a hub.
    Native(Hub),
    /// Accepted SSH logins alone, to a Watchtower collector.
    Watchtower(Watchtower),
}

/// A hub.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Its address, such as `http://127.0.0.1:8000`.
    pub url: String,
    /// The agent token.
    pub token: Secret,
    /// Certificates (PEM) to trust in place of the public ones.
    pub ca_file: Option<PathBuf>,
}

/// A Watchtower collector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watchtower {
    /// The whole address of its login endpoint, with `/login`.
    pub url: String,
    /// Sent as `X-Login-Alert-Token`.
    #[serde(default)]
    pub token: Secret,
    /// Sent with every login, where given.
    pub region: Option<String>,
    /// Sent with every login, where given.
    pub host_group: Option<String>,
    /// Sent with every login.
    #[serde(default = "info")]
    pub severity: String,
    /// Sent with every login.
    #[serde(default)]
    pub flagged: bool,
    /// Whether the collector's certificate must be valid.
    #[serde(default = "yes")]
    pub verify_tls: bool,
    /// The only journal unit that is read.
    pub ssh_unit: Option<String>,
}

fn info() -> String {
    "info".to_owned()
}

fn yes() -> bool {
    true
}

/// The configuration file. Every key may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    pub(crate) name: Option<String>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) files: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) from: From,
    #[serde(default)]
    pub(crate) journald: Journald,
    pub(crate) hub: Option<HubTable>,
    #[serde(default)]
    pub(crate) journalctl: JournalctlTable,
    #[serde(default)]
    pub(crate) rotation: RotationTable,
    #[serde(default)]
    pub(crate) spool: SpoolTable,
    pub(crate) watchtower: Option<Watchtower>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HubTable {
    pub(crate) url: Option<String>,
    pub(crate) token: Option<Secret>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalctlTable {
    /// Journal files of another machine or namespace.
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RotationTable {
    /// How long a rotated file is still read after its last line.
    pub(crate) grace_seconds: u64,
}

impl Default for RotationTable {
    fn default() -> Self {
        RotationTable { grace_seconds: 15 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SpoolTable {
    /// The most bytes that the spool takes on disk.
    pub(crate) max_bytes: u64,
}

impl Default for SpoolTable {
    fn default() -> Self {
        SpoolTable { max_bytes: DEFAULT_SPOOL }
    }
}

impl Config {
    /// Sends everything that is worth watching on this machine to a hub.
    pub fn for_hub(url: &str, token: Secret, state_dir: &Path) -> Self {
        Config {
            name: None,
            state_dir: state_dir.to_path_buf(),
            files: DEFAULT_FILES.map(str::to_owned).to_vec(),
            from: From::default(),
            journald: Journald::default(),
            journal_directory: None,
            rotated_grace: Duration::from_secs(RotationTable::default().grace_seconds),
            spool_bytes: DEFAULT_SPOOL,
            protocol: Protocol::Native(Hub { url: url.to_owned(), token, ca_file: None }),
        }
    }

    pub(crate) fn journal_options(&self) -> JournalOptions {
        let unit = match &self.protocol {
            Protocol::Watchtower(to) => to.ssh_unit.clone(),
            Protocol::Native(_) => None,
        };
        JournalOptions { directory: self.journal_directory.clone(), unit, from: self.from }
    }

    /// Refuses what can never work.
    pub(crate) fn check(self) -> Result<Self, AgentError> {
        let (url, token, where_from) = match &self.protocol {
            Protocol::Native(hub) => (&hub.url, &hub.token, "--hub, hub.url or BERGFRIED_URL"),
            Protocol::Watchtower(to) => {
                (&to.url, &to.token, "watchtower.url or WATCHTOWER_COLLECTOR_URL")
            }
        };
        let reason = if url.is_empty() {
            format!("no address to send to, expected {where_from}")
        } else if !(url.starts_with("http://") || url.starts_with("https://")) {
            format!("`{}` is no http:// or https:// address", url.escape_debug())
        } else if token.is_empty() {
            "no token, expected --token-file, hub.token_file or BERGFRIED_TOKEN \
             (WATCHTOWER_TOKEN for a Watchtower collector)"
                .to_owned()
        } else if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            "the token holds white space or other characters that no token has, \
             expected one word in one line"
                .to_owned()
        } else if self.spool_bytes < LEAST_SPOOL {
            format!("spool.max_bytes must be at least {LEAST_SPOOL}, not {}", self.spool_bytes)
        } else if self.files.is_empty() && self.journald == Journald::Off {
            "nothing to read: no files, and journald is off".to_owned()
        } else {
            return Ok(self);
        };
        Err(AgentError::Config(reason))
    }
}

impl ConfigFile {
    /// Reads TOML; an error names the file, the line and the column.
    pub(crate) fn read(path: &Path) -> Result<Self, AgentError> {
        let text = std::fs::read_to_string(path).map_err(AgentError::state(path))?;
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            let message = error.message();
            AgentError::Config(format!("{}:{line}:{column}: {message}", path.display()))
        })
    }
}

/// The system's name for this host.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// This host's IANA time zone, where it can be told.
pub(crate) fn time_zone() -> Option<String> {
    jiff::tz::TimeZone::system().iana_name().map(str::to_owned)
}
