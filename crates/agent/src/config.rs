//! The agent's configuration, as a person writes it and as it runs.

mod defaults;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bergfried_event::nearest;
use bergfried_source::{From, JournalOptions};
use serde::Deserialize;

use crate::audit::{AuditOptions, AuditTable, DEFAULT_AUDIT_LOG};
use crate::error::AgentError;
use crate::observers::firewall::FirewallOptions;
use crate::observers::integrity::{Integrity, IntegrityTable};
use crate::observers::macos::MacosOptions;
use crate::observers::pihole::PiholeOptions;
use crate::observers::status::StatusOptions;
use crate::observers::tamper::TamperOptions;
use crate::observers::windows::WindowsOptions;
use crate::secret::Secret;
pub(crate) use defaults::{DEFAULT_FILES, DEFAULT_STATE_DIR};

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
    /// Audit logs, which are joined.
    pub audit: AuditOptions,
    /// Whether and how the firewall's state is watched.
    pub firewall: FirewallOptions,
    /// Whether and how log files are watched for tampering.
    pub tamper: TamperOptions,
    /// Whether and how the queries of a Pi-hole are read.
    pub pihole: PiholeOptions,
    /// Whether and how events of Windows are read.
    pub windows: WindowsOptions,
    /// Whether and how the log of macOS is read.
    pub macos: MacosOptions,
    /// Whether and how often this host says how it is.
    pub status: StatusOptions,
    /// Where sources begin that were never read.
    pub from: From,
    /// Whether to follow the journal.
    pub journald: Journald,
    /// The only units of the journal that are read; all where empty.
    pub journal_units: Vec<String>,
    /// Whether the kernel's entries alone are read, beside those of `journal_units`.
    pub journal_kernel: bool,
    /// A directory of journal files in place of this machine's own journal.
    pub journal_directory: Option<PathBuf>,
    /// How long a file that was rotated away is still read after its last line.
    pub rotated_grace: Duration,
    /// The most bytes that the spool takes on disk.
    pub spool_bytes: u64,
    /// What of this host's files is watched for changes; none where absent.
    pub integrity: Option<Integrity>,
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
    pub(crate) audit: AuditTable,
    pub(crate) firewall: Option<FirewallOptions>,
    pub(crate) tamper: Option<TamperOptions>,
    pub(crate) pihole: Option<PiholeOptions>,
    pub(crate) status: Option<StatusOptions>,
    #[serde(default)]
    pub(crate) windows: WindowsOptions,
    #[serde(default)]
    pub(crate) macos: MacosOptions,
    #[serde(default)]
    pub(crate) journalctl: JournalctlTable,
    #[serde(default)]
    pub(crate) rotation: RotationTable,
    #[serde(default)]
    pub(crate) spool: SpoolTable,
    #[serde(default)]
    pub(crate) integrity: IntegrityTable,
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
    /// The only units whose entries are read.
    #[serde(default)]
    pub(crate) units: Vec<String>,
    /// Read the kernel's entries alone, or beside those of `units`.
    #[serde(default)]
    pub(crate) kernel: bool,
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
            files: DEFAULT_FILES.iter().map(|&path| path.to_owned()).collect(),
            audit: AuditOptions {
                files: vec![DEFAULT_AUDIT_LOG.to_owned()],
                ..AuditOptions::default()
            },
            firewall: FirewallOptions::default(),
            tamper: TamperOptions::default(),
            pihole: PiholeOptions::default(),
            windows: WindowsOptions::default(),
            macos: MacosOptions::default(),
            status: StatusOptions::default(),
            from: From::default(),
            journald: Journald::default(),
            journal_units: Vec::new(),
            journal_kernel: false,
            journal_directory: None,
            rotated_grace: Duration::from_secs(RotationTable::default().grace_seconds),
            spool_bytes: DEFAULT_SPOOL,
            // The defaults are in order.
            integrity: IntegrityTable::default().into_options(true).ok().flatten(),
            protocol: Protocol::Native(Hub { url: url.to_owned(), token, ca_file: None }),
        }
    }

    /// Reads these files and looks at nothing else that nobody asked for.
    pub fn only(&mut self, files: &[String]) {
        self.files = files.to_vec();
        self.audit.files.clear();
        self.firewall.enabled = false;
        self.tamper.enabled = false;
        self.pihole.enabled = false;
        self.status.enabled = false;
        self.windows.enabled = Some(false);
        self.macos.enabled = Some(false);
        self.integrity = None;
    }

    /// Every file that is watched.
    pub(crate) fn patterns(&self) -> Vec<String> {
        [self.files.as_slice(), self.audit.files.as_slice()].concat()
    }

    pub(crate) fn journal_options(&self) -> JournalOptions {
        let units = match &self.protocol {
            Protocol::Watchtower(Watchtower { ssh_unit: Some(unit), .. }) => vec![unit.clone()],
            _ => self.journal_units.clone(),
        };
        JournalOptions {
            directory: self.journal_directory.clone(),
            units,
            kernel: self.journal_kernel,
            from: self.from,
        }
    }

    /// Refuses what can never work.
    pub(crate) fn check(self) -> Result<Self, AgentError> {
        let (url, token, where_from) = match &self.protocol {
            Protocol::Native(hub) => {
                (&hub.url, &hub.token, "--hub, hub.url, BERGFRIED_URL or SIEM_API_URL")
            }
            Protocol::Watchtower(to) => {
                (&to.url, &to.token, "watchtower.url or WATCHTOWER_COLLECTOR_URL")
            }
        };
        let reason = if url.is_empty() {
            format!("no address to send to, expected {where_from}")
        } else if !(url.starts_with("http://") || url.starts_with("https://")) {
            format!("`{}` is no http:// or https:// address", url.escape_debug())
        } else if token.is_empty() {
            "no token, expected --token-file, hub.token_file, BERGFRIED_TOKEN or SIEM_API_KEY \
             (WATCHTOWER_TOKEN for a Watchtower collector)"
                .to_owned()
        } else if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            "the token holds white space or other characters that no token has, \
             expected one word in one line"
                .to_owned()
        } else if self.spool_bytes < LEAST_SPOOL {
            format!("spool.max_bytes must be at least {LEAST_SPOOL}, not {}", self.spool_bytes)
        } else if let Some(unit) = self.bad_unit() {
            format!(
                "journalctl.units: `{}` is no name of a unit (patterns cannot be used with \
                 journalctl.kernel)",
                unit.escape_debug()
            )
        } else if self.patterns().is_empty()
            && self.audit.socket.is_none()
            && self.journald == Journald::Off
            && !self.windows.is_on()
            && !self.macos.is_on()
        {
            "nothing to read: no files, and journald is off".to_owned()
        } else if let Some(reason) = self.mistake_of_an_observer() {
            reason
        } else {
            return Ok(self);
        };
        Err(AgentError::Config(reason))
    }
}

impl Config {
    fn mistake_of_an_observer(&self) -> Option<String> {
        let checks = [
            self.firewall.check(),
            self.tamper.check(),
            self.status.check(),
            self.windows.check(),
            self.macos.check(),
            self.pihole.check(),
        ];
        checks.into_iter().find_map(Result::err)
    }

    /// The first unit that journalctl would not take.
    fn bad_unit(&self) -> Option<&String> {
        self.journal_units.iter().find(|unit| {
            let is_pattern = unit.contains(['*', '?', '[']);
            let is_name = unit.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
            unit.is_empty() || !is_name || (is_pattern && self.journal_kernel)
        })
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
            let message = with_nearest(error.message());
            AgentError::Config(format!("{}:{line}:{column}: {message}", path.display()))
        })
    }
}

/// The message, with the known word that an unknown one may be a slip of.
fn with_nearest(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    let is_about_a_word = message.starts_with("unknown ");
    let near = words.next().filter(|_| is_about_a_word).and_then(|word| nearest(word, words));
    near.map_or_else(|| message.to_owned(), |near| format!("{message}; is `{near}` meant?"))
}

/// The system's name for this host.
pub(crate) fn host_name() -> String {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    return std::env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".to_owned());
}

/// This host's IANA time zone, where it can be told.
pub(crate) fn time_zone() -> Option<String> {
    jiff::tz::TimeZone::system().iana_name().map(str::to_owned)
}
