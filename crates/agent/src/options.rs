//! The command line of the agent, shared by every binary that offers it.

mod heimdall;

use std::path::PathBuf;

use bergfried_source::From;
use clap::{Args, Subcommand, ValueEnum};

#[cfg(target_os = "linux")]
use crate::audit_rules::AuditRules;
use crate::config::{
    Config, ConfigFile, DEFAULT_FILES, DEFAULT_STATE_DIR, Hub, Journald, Protocol, Watchtower,
};
use crate::error::AgentError;
use crate::observers::firewall::FirewallOptions;
use crate::observers::pihole::PiholeOptions;
use crate::observers::status::StatusOptions;
use crate::observers::tamper::TamperOptions;
use crate::plan::plan;
use crate::run::run;
use crate::secret::Secret;
use crate::signals::Watching;
use crate::sources::Sources;
use crate::stop::Stop;

const EXAMPLES: &str = "\
Examples:
  Send this machine's journal and log files to a hub:
    bergfried-agent --hub https://hub.example:8000 --token-file /etc/bergfried/token
  Watch other files too, and no journal:
    bergfried-agent --hub http://127.0.0.1:8000 --token-file token \\
        --journald off --file '/srv/*/log/auth.log' --file /var/log/auth.log
  Report accepted SSH logins to a Watchtower collector:
    WATCHTOWER_COLLECTOR_URL=https://collector/login WATCHTOWER_TOKEN=... \\
        bergfried-agent --protocol watchtower

Environment:
  BERGFRIED_URL, BERGFRIED_TOKEN (or BERGFRIED_AGENT_TOKEN); for --protocol watchtower
  WATCHTOWER_COLLECTOR_URL, WATCHTOWER_TOKEN, WATCHTOWER_REGION, WATCHTOWER_HOST_GROUP,
  WATCHTOWER_SEVERITY, WATCHTOWER_FLAGGED, WATCHTOWER_VERIFY_TLS, WATCHTOWER_SSH_UNIT.
  Of Heimdall's agents: SIEM_API_URL and SIEM_API_KEY where the two above are not set,
  SIEM_LOG_FILES (paths or globs with commas between, in place of the usual files),
  FIREWALL_LOG_PATH or FIREWALL_TYPE (generic, iptables, ufw, pfsense, opnsense: where its log
  is), PIHOLE_DB_PATH.
  A flag wins over the environment, the environment over the configuration file.";

/// Read this machine's logs and send each line to the hub exactly once.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address of the hub
    #[arg(long, value_name = "URL")]
    pub hub: Option<String>,
    /// File that holds the agent token
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Certificates (PEM) to trust in place of the public ones, for a hub whose CA is your own
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Where positions and the spool are kept [default: /var/lib/bergfried-agent]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Log file or glob to watch, in place of the usual ones; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub file: Vec<String>,
    /// Whether to follow the systemd journal [default: auto]
    #[arg(long, value_enum)]
    pub journald: Option<Journald>,
    /// Where to begin at the first start [default: recent, the last 10 MiB of each file]
    #[arg(long, value_enum)]
    pub from: Option<Begin>,
    /// Name of this host in events [default: the system's]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What the receiver speaks
    #[arg(long, value_enum)]
    pub protocol: Option<Speaks>,
    /// Say more: every pause and every passed-over file
    #[arg(long, short)]
    pub verbose: bool,
    /// What to do in place of reading logs
    #[command(subcommand)]
    pub command: Option<AgentCommand>,
}

/// What the agent's program does besides.
#[derive(Clone, Debug, Subcommand)]
pub enum AgentCommand {
    /// Show or install rules for the kernel's audit system
    #[cfg(target_os = "linux")]
    AuditRules(AuditRules),
    /// Show what this host has to collect, and what is missing, with the command that helps
    Sources(Sources),
}

/// Where sources begin that were never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Begin {
    /// The last 10 MiB of each file, the last 10,000 entries of the journal
    Recent,
    /// Everything that is there
    Start,
    /// Only what is written from now on
    End,
}

/// The protocol of the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Speaks {
    /// A Bergfried hub
    Native,
    /// A Watchtower collector: accepted SSH logins alone
    Watchtower,
}

/// Runs the agent until SIGTERM or SIGINT; a second one ends the process at once.
pub fn main_with(mut options: Options) -> Result<(), AgentError> {
    match options.command.take() {
        #[cfg(target_os = "linux")]
        Some(AgentCommand::AuditRules(rules)) => {
            let own: Vec<PathBuf> =
                [options.config, options.state_dir].into_iter().flatten().collect();
            return rules.run(&own);
        }
        Some(AgentCommand::Sources(sources)) => {
            // Who looks at a host need not have the token.
            options.token_file = None;
            return sources.run(&options.into_config(&anywhere)?);
        }
        None => {}
    }
    let config = options.into_config(&|name| std::env::var(name).ok())?;
    let system = |what| move |source| AgentError::System { what, source };
    let stop = Stop::new().map_err(system("make a stop event"))?;
    let watching = Watching::begin(&stop)?;
    for source in plan(&config) {
        tracing::info!(source = source.name, present = source.present, "{}", source.sentence);
    }
    let ran = run(config, &stop);
    watching.end()?;
    ran
}

/// The environment, with an address to send to, for a look that sends nothing.
fn anywhere(name: &str) -> Option<String> {
    match name {
        "BERGFRIED_URL" | "WATCHTOWER_COLLECTOR_URL" => Some("http://localhost".to_owned()),
        "BERGFRIED_TOKEN" | "WATCHTOWER_TOKEN" => Some("none".to_owned()),
        _ => std::env::var(name).ok(),
    }
}

impl Options {
    /// The configuration that flags, environment and file make together, in this order of rank.
    pub fn into_config(
        self,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Config, AgentError> {
        let file = self.config.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
        let speaks = self.protocol.unwrap_or(match (&file.hub, &file.watchtower) {
            (None, Some(_)) => Speaks::Watchtower,
            _ => Speaks::Native,
        });
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let heimdall = match speaks {
            Speaks::Native => heimdall::Environment::read(&set)?,
            Speaks::Watchtower => heimdall::Environment::default(),
        };
        let protocol = match speaks {
            Speaks::Native => {
                let table = file.hub.unwrap_or_default();
                let url = self.hub.or_else(|| set("BERGFRIED_URL")).or(heimdall.url).or(table.url);
                let own = set("BERGFRIED_TOKEN").or_else(|| set("BERGFRIED_AGENT_TOKEN"));
                let token = match self.token_file {
                    Some(path) => Some(read_token(&path)?),
                    None => match own.map(|token| Secret::new(&token)).or(heimdall.token) {
                        Some(token) => Some(token),
                        None => match table.token_file {
                            Some(path) => Some(read_token(&path)?),
                            None => table.token,
                        },
                    },
                };
                Protocol::Native(Hub {
                    url: url.unwrap_or_default(),
                    token: token.unwrap_or_default(),
                    ca_file: self.ca_file.or(table.ca_file),
                })
            }
            Speaks::Watchtower => {
                let token = self.token_file.as_deref().map(read_token).transpose()?;
                Protocol::Watchtower(watchtower(file.watchtower, self.hub, token, &set)?)
            }
        };
        // Of files that somebody chose, auditd's log is one only where they say so, and a collector
        // of logins would count those twice.
        let chosen = heimdall.files.or(file.files);
        let is_chosen = !self.file.is_empty() || chosen.is_some();
        let reads_audit =
            cfg!(target_os = "linux") && !is_chosen && matches!(protocol, Protocol::Native(_));
        let audit = file.audit.read(reads_audit)?;
        // Who names files on the command line wants these, and nothing else that nobody asked for.
        let is_open = self.file.is_empty();
        let firewall = file
            .firewall
            .unwrap_or_else(|| FirewallOptions { enabled: is_open, ..FirewallOptions::default() });
        let tamper = file
            .tamper
            .unwrap_or_else(|| TamperOptions { enabled: is_open, ..TamperOptions::default() });
        let status = file
            .status
            .unwrap_or_else(|| StatusOptions { enabled: is_open, ..StatusOptions::default() });
        let integrity = file.integrity.into_options(is_open).map_err(AgentError::Config)?;
        let files = if self.file.is_empty() {
            let usual = || DEFAULT_FILES.iter().map(|&path| path.to_owned()).collect();
            let mut files = chosen.unwrap_or_else(usual);
            files.extend(heimdall.firewall_log.filter(|path| !files.contains(path)));
            files
        } else {
            self.file
        };
        let mut pihole = file.pihole.unwrap_or_else(|| PiholeOptions {
            enabled: is_open && PiholeOptions::default().enabled,
            ..PiholeOptions::default()
        });
        if let Some(database) = heimdall.pihole {
            pihole.enabled = true;
            pihole.database = database;
        }
        let from = match self.from {
            Some(Begin::Recent) => From::Recent,
            Some(Begin::Start) => From::Start,
            Some(Begin::End) => From::End,
            None => file.from,
        };
        Config {
            name: self.name.or(file.name),
            state_dir: self
                .state_dir
                .or(file.state_dir)
                .unwrap_or_else(|| PathBuf::from(DEFAULT_STATE_DIR)),
            files,
            audit,
            firewall,
            tamper,
            pihole,
            windows: file.windows,
            macos: file.macos,
            status,
            from,
            journald: self.journald.unwrap_or(file.journald),
            journal_units: file.journalctl.units,
            journal_kernel: file.journalctl.kernel,
            journal_directory: file.journalctl.directory,
            rotated_grace: std::time::Duration::from_secs(file.rotation.grace_seconds),
            spool_bytes: file.spool.max_bytes,
            integrity,
            protocol,
        }
        .check()
    }
}

fn watchtower(
    table: Option<Watchtower>,
    url: Option<String>,
    token: Option<Secret>,
    set: &dyn Fn(&str) -> Option<String>,
) -> Result<Watchtower, AgentError> {
    let mut to = table.unwrap_or_else(|| Watchtower {
        url: String::new(),
        token: Secret::default(),
        region: None,
        host_group: None,
        severity: "info".to_owned(),
        flagged: false,
        verify_tls: true,
        ssh_unit: None,
    });
    to.url = url.or_else(|| set("WATCHTOWER_COLLECTOR_URL")).unwrap_or(to.url);
    let from_environment = set("WATCHTOWER_TOKEN").map(|token| Secret::new(&token));
    to.token = token.or(from_environment).unwrap_or(to.token);
    to.region = set("WATCHTOWER_REGION").or(to.region);
    to.host_group = set("WATCHTOWER_HOST_GROUP").or(to.host_group);
    to.severity = set("WATCHTOWER_SEVERITY").unwrap_or(to.severity);
    to.flagged = flag("WATCHTOWER_FLAGGED", set)?.unwrap_or(to.flagged);
    to.verify_tls = flag("WATCHTOWER_VERIFY_TLS", set)?.unwrap_or(to.verify_tls);
    to.ssh_unit = set("WATCHTOWER_SSH_UNIT").or(to.ssh_unit);
    Ok(to)
}

fn flag(name: &str, set: &dyn Fn(&str) -> Option<String>) -> Result<Option<bool>, AgentError> {
    let Some(value) = set(name) else { return Ok(None) };
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(Some(true)),
        "0" | "false" | "no" | "off" => Ok(Some(false)),
        _ => Err(AgentError::Config(format!(
            "{name} is `{}`, expected true or false",
            value.escape_debug()
        ))),
    }
}

fn read_token(path: &std::path::Path) -> Result<Secret, AgentError> {
    Ok(Secret::new(&std::fs::read_to_string(path).map_err(AgentError::state(path))?))
}

#[cfg(test)]
mod tests;
