//! What a hub is told: its file, and the environment names of the systems that it replaces.

mod hosts;
mod mistake;
mod retention;
mod search;
mod sec;

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use bergfried_collect::Input;
use bergfried_control::{Secret, TokenLimits};
use bergfried_notify::Channel;
use bergfried_notify::routing::RouteFile;
use bergfried_output::{Output, OutputFile};
use bergfried_pipeline::HostPolicy;
use bergfried_process::ChainFile;
use bergfried_tls::ServerTls;
use serde::Deserialize;

pub use self::hosts::HostsFile;
pub use self::mistake::ConfigError;
pub(crate) use self::mistake::{offset_in, place};
use self::mistake::{place_in_list, with_nearest};
pub use self::retention::{RetentionFile, RetentionPlan};
pub use self::search::{SearchFile, SearchLimits};
pub use self::sec::{AllowWord, SecFile};
use crate::adapters::alerta::AlertaSettings;
use crate::auth::{SessionTimes, SessionsFile};
use crate::chains::ChainFiles;
use crate::rules::{RuleFiles, SecFiles};
use crate::running::now;
use crate::telling::TellingFiles;

/// Everything that a hub needs to know.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The certificate for HTTPS; none: plain HTTP.
    pub tls: Option<ServerTls>,
    /// Where the data lives.
    pub data_dir: PathBuf,
    /// An admin key that is to work, besides those that the data directory knows.
    pub admin_key: Option<Secret>,
    /// A token that Watchtower agents present.
    pub watchtower_token: Option<Secret>,
    /// The key that agents and dashboards of Heimdall present.
    pub heimdall_key: Option<Secret>,
    /// The environment of alerts.
    pub environment: String,
    /// Which rules run.
    pub rules: RuleFiles,
    /// Where the chains are written that read more out of events.
    pub chains: ChainFiles,
    /// Where people are told, and by which routes.
    pub telling: TellingFiles,
    /// What it takes besides HTTP.
    pub inputs: Vec<Input>,
    /// Where events are sent on.
    pub outputs: Vec<Output>,
    /// The channel that is told of every login that comes over the Watchtower protocol.
    pub logins_to: Option<String>,
    /// The console's address for links in messages; absent: the one it listens on.
    pub console_url: Option<String>,
    /// What the bearer of an agent token may send over HTTP, where the token does not say.
    pub token_limits: TokenLimits,
    /// When hosts count as silent, and whose silence is told.
    pub hosts: HostPolicy,
    /// What one search may take.
    pub search: SearchLimits,
    /// How long people stay signed in.
    pub sessions: SessionTimes,
    /// How long events are kept.
    pub retention: RetentionPlan,
    /// Alerta's API, and the life of alerts.
    pub alerta: AlertaSettings,
}

/// The hub's configuration file (TOML). Every key is optional; an unknown key is an error.
///
/// ```toml
/// environment = "Production"          # of alerts
/// rules = ["/etc/bergfried/rules"]    # instead of the built-in packs
/// builtin_rules = true                # ... or besides them
/// fields = "/etc/bergfried/fields.yml"            # laid over the built-in tables
/// log_sources = "/etc/bergfried/log-sources.yml"
/// lists = "/etc/bergfried/lists.yml"              # hosts, programs and networks that rules trust
/// pipelines = ["/etc/bergfried/pipeline.yml"]     # change rules before they are compiled
/// console_url = "https://bergfried.example.org"
/// token_limits = { max_events_per_second = 20000 }    # of agent tokens that have none of their own
///
/// [hosts]                             # see docs/hosts.md
/// silent_after = "15m"
/// watch = "all"                       # or "agents", or "none"
/// [[hosts.override]]
/// host = "backup-*"
/// silent_after = "25h"                # or "never"
///
/// [retention]                         # see docs/storage.md
/// days = 90                           # after the day on which the hub took an event
/// size = "50GB"                       # the earliest days go first
/// alerts_days = 365                   # events that alerts stand on
/// [[retention.class]]
/// name = "debug"
/// match = "log.level:debug"
/// days = 7
///
/// [search]
/// timeout = "30s"                     # a search that takes longer is stopped
/// memory_mib = 256                    # ... or that groups more than fits in this
/// [sessions]                          # how long people stay signed in to the console
/// idle = "12h"
/// absolute = "7d"
///
/// [alerta]
/// max_alerts_per_second = 100         # of one sender; more is refused with 429
///
/// [tls]                               # HTTPS for the console, agents and shippers
/// certificate = "/etc/bergfried/hub.pem"
/// key = "/etc/bergfried/hub.key"
///
/// [[notify]]
/// name = "ops"
/// type = "slack"                      # "email", "telegram", "webhook", "exec": docs/notify.md
/// url = "https://hooks.slack.com/services/..."
/// min_severity = "medium"
///
/// [[route]]                           # see `bergfried_notify::routing::RouteFile`
/// when = "environment:Production"
/// channels = ["ops"]
/// max_per_hour = 20
///
/// [[input]]
/// name = "home"
/// type = "syslog"
/// udp = ["0.0.0.0:51444"]
/// tcp = ["0.0.0.0:51444"]
///
/// [[chain]]                           # see docs/chains.md
/// name = "web"
/// when = "program:nginx"
/// [[chain.step]]
/// grok = { patterns = ["%{IPORHOST:source.address} %{GREEDYDATA:message}"] }
///
/// [[sec]]                             # rule files of SEC, see docs/correlate.md
/// name = "routers"
/// files = ["/etc/bergfried/sec/*.sec"]
/// when = "program:router"             # the events that its rules see
/// allow = ["shell"]                   # ... may run commands; also "write", "network"
///
/// [[output]]                          # see `bergfried_output::OutputFile`
/// name = "files"
/// type = "file"                       # or "syslog", or "bergfried"
/// path = "/srv/logs/%{host.name}-%{program}.log"
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubFile {
    /// The environment of alerts.
    pub environment: Option<String>,
    /// Directories or files of Sigma rules.
    #[serde(default)]
    pub rules: Vec<PathBuf>,
    /// Whether the built-in packs run besides `rules`.
    #[serde(default)]
    pub builtin_rules: bool,
    /// A table of fields, laid over the built-in one.
    pub fields: Option<PathBuf>,
    /// A table of log sources, laid over the built-in one.
    pub log_sources: Option<PathBuf>,
    /// Lists that rules share, laid over the built-in ones.
    pub lists: Option<PathBuf>,
    /// Processing pipelines in pySigma's form.
    #[serde(default)]
    pub pipelines: Vec<PathBuf>,
    /// The console's address for links in messages.
    pub console_url: Option<String>,
    /// When hosts and their agents count as silent, and whose silence becomes an alert.
    #[serde(default)]
    pub hosts: HostsFile,
    /// What the bearer of an agent token may send over HTTP, where the token has no such limit of its
    /// own: `max_events_per_second`, `max_bytes_per_second` and `max_body` (bytes, decompressed), each
    /// from 1 up; absent ones limit nothing.
    #[serde(default)]
    pub token_limits: TokenLimits,
    /// What one search may take.
    #[serde(default)]
    pub search: SearchFile,
    /// How long people stay signed in to the console.
    #[serde(default)]
    pub sessions: SessionsFile,
    /// How long events are kept, and how much of them.
    #[serde(default)]
    pub retention: RetentionFile,
    /// The same, checked when the file is read.
    #[serde(skip)]
    pub retention_plan: RetentionPlan,
    /// Alerta's API, besides the settings of Alerta's own.
    #[serde(default)]
    pub alerta: AlertaFile,
    /// The certificate of the HTTP listener, which speaks HTTPS then; to this machine itself it
    /// speaks plain HTTP too.
    pub tls: Option<ServerTls>,
    /// Where people are told.
    #[serde(default)]
    pub notify: Vec<Channel>,
    /// Who is told of what and when, in the order in which they are asked; without one, every channel
    /// is told of each alert that is severe enough for it.
    #[serde(default)]
    pub route: Vec<RouteFile>,
    /// What the hub takes besides HTTP.
    #[serde(default)]
    pub input: Vec<Input>,
    /// Chains of steps that read more out of events, in the order in which they run.
    #[serde(default)]
    pub chain: Vec<ChainFile>,
    /// Sets of rule files of SEC.
    #[serde(default)]
    pub sec: Vec<SecFile>,
    /// The same, checked when the file is read.
    #[serde(skip)]
    pub sec_files: Vec<SecFiles>,
    /// Where events are sent on.
    #[serde(default)]
    pub output: Vec<OutputFile>,
    /// The same, checked when the file is read.
    #[serde(skip)]
    pub outputs: Vec<Output>,
}

/// What Alerta's own settings have no name for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertaFile {
    /// How many alerts the hub takes in a second of one user (of keys or logins), or of one address
    /// where senders say no name; more is refused with 429. Absent: as many as they like.
    pub max_alerts_per_second: Option<NonZeroU64>,
}

impl HubFile {
    /// Reads the file.
    ///
    /// # Errors
    /// Where it cannot be read, is no TOML, has an unknown key or names a channel twice.
    pub fn read(path: &Path) -> Result<HubFile, ConfigError> {
        Self::parse(&Self::text(path)?, &path.display().to_string())
    }

    /// The text of the file.
    pub(crate) fn text(path: &Path) -> Result<String, ConfigError> {
        std::fs::read_to_string(path).map_err(|error| ConfigError {
            place: path.display().to_string(),
            message: format!("cannot read the configuration: {error}"),
        })
    }

    /// Reads the text of a file of this name.
    ///
    /// # Errors
    /// As [`HubFile::read`].
    pub fn parse(text: &str, name: &str) -> Result<HubFile, ConfigError> {
        let mut file: HubFile = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let offset = place_in_list(error.message(), text).unwrap_or(offset);
            ConfigError { place: place(name, text, offset), message: with_nearest(error.message()) }
        })?;
        let mut names = std::collections::HashSet::new();
        for (index, channel) in file.notify.iter().enumerate() {
            if !names.insert(channel.name()) {
                return Err(ConfigError {
                    place: place(name, text, offset_in("notify", index, Some("name"), text)),
                    message: format!("two notification channels are named `{}`", channel.name()),
                });
            }
        }
        if let Some((index, key, message)) = shared(&file.input) {
            let offset = offset_in("input", index, key, text);
            return Err(ConfigError { place: place(name, text, offset), message });
        }
        file.outputs = outputs(&file.output, text, name)?;
        file.sec_files = sets(&file.sec, text, name)?;
        file.retention_plan = file.retention.plan().map_err(|(key, message)| {
            let at = text.find(key).unwrap_or(0);
            ConfigError { place: place(name, text, at), message }
        })?;
        Ok(file)
    }

    /// Adds the input `syslog`, which takes what comes to this address over UDP and TCP.
    ///
    /// # Errors
    /// Where the file has an input of that name, or one that listens there.
    pub fn add_syslog(&mut self, address: SocketAddr) -> Result<(), ConfigError> {
        let place = format!("--syslog {address}");
        let text = format!(
            "[[input]]\nname = 'syslog'\ntype = 'syslog'\nudp = '{address}'\ntcp = '{address}'\n"
        );
        self.input.append(&mut Self::parse(&text, &place)?.input);
        match shared(&self.input) {
            None => Ok(()),
            Some((_, _, message)) => Err(ConfigError { place, message }),
        }
    }
}

/// The first input that has the name or an address of one before it: its position, the key at fault
/// where it is one, and what is wrong.
fn shared(inputs: &[Input]) -> Option<(usize, Option<&'static str>, String)> {
    for (index, input) in inputs.iter().enumerate() {
        for before in inputs.iter().take(index) {
            let (one, two) = (before.name(), input.name());
            if one == two {
                return Some((index, Some("name"), format!("two inputs are named `{one}`")));
            }
            if let Some(address) = before.clash(input) {
                let message = format!("the inputs `{one}` and `{two}` both listen on {address}");
                return Some((index, None, message));
            }
        }
    }
    None
}

/// Checks the tables of outputs; a mistake has the place of its key.
fn outputs(tables: &[OutputFile], text: &str, name: &str) -> Result<Vec<Output>, ConfigError> {
    let mut names = std::collections::HashSet::new();
    let mut outputs = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let (key, message) = match table.check(now()) {
            Ok(output) if names.insert(table.name.as_str()) => {
                outputs.push(output);
                continue;
            }
            Ok(_) => (Some("name"), format!("two outputs are named `{}`", table.name)),
            Err(error) => (error.key, error.to_string()),
        };
        let offset = offset_in("output", index, key, text);
        return Err(ConfigError { place: place(name, text, offset), message });
    }
    Ok(outputs)
}

/// Checks the tables of sets of rules; a mistake has the place of its key.
fn sets(tables: &[SecFile], text: &str, name: &str) -> Result<Vec<SecFiles>, ConfigError> {
    let mut names = std::collections::HashSet::new();
    let mut sets = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let (key, message) = match table.check() {
            Ok(set) if names.insert(set.table.name.clone()) => {
                sets.push(set);
                continue;
            }
            Ok(set) => ("name", format!("two sets of rules are named `{}`", set.table.name)),
            Err(mistake) => mistake,
        };
        let offset = offset_in("sec", index, Some(key), text);
        return Err(ConfigError { place: place(name, text, offset), message });
    }
    Ok(sets)
}

#[cfg(test)]
mod tests;
