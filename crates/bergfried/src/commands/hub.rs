//! `bergfried hub`: stores, detects and alerts, for agents elsewhere.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bergfried_agent::{on_hangup, stop_signals};
use bergfried_control::Secret;
use bergfried_hub::{
    AlertaFile, AlertaSettings, ChainFiles, Config, Hub as RunningHub, HubFile, RuleFiles,
};
use clap::Args;

use crate::arguments::{RuleChoice, default_data_dir};
use crate::commands::telling::from_environment;

/// Run a hub: receive from agents, store, detect, alert, notify.
///
/// The first start makes the data directory (mode 0700) with an admin key (admin.key) and an agent
/// token (agent.token) in it. Ctrl-C or SIGTERM stops it; what was taken is durable. Rule files are read
/// again when they change, and on SIGHUP, which also lets chains be read again; what has a mistake is
/// not taken. SIGHUP also opens the files of outputs anew.
#[derive(Args, Debug, Clone)]
#[command(after_help = "Environment:
  BERGFRIED_DATA_DIR, BERGFRIED_LOG (error, warn, info, debug); and for those who come from
  Watchtower: ADMIN_API_KEY, WATCHTOWER_AGENT_TOKEN or LOGIN_ALERT_TOKEN, WATCHTOWER_DB_PATH (its
  directory is the data directory), WATCHTOWER_WEBHOOK_URL or SLACK_WEBHOOK_URL (a Slack channel);
  from Heimdall: SIEM_API_KEY (its agents and dashboard present it), TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID (a channel of Telegram),
  ALERT_CRITICAL_THRESHOLD and ALERT_HIGH_THRESHOLD (1 to 5).

Examples:
  bergfried hub --listen 127.0.0.1:8000 --data-dir /var/lib/bergfried
  bergfried hub --syslog 0.0.0.0:514
  bergfried hub --listen 0.0.0.0:8000 --config /etc/bergfried/hub.toml
  bergfried hub --alerta-config /etc/bergfried/alerta.json --alerta-prefix /")]
pub(crate) struct Hub {
    /// Address and port to listen on; give one that others can reach a certificate, see tls in
    /// the configuration
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    pub(crate) listen: SocketAddr,
    /// Where the data lives [default: /var/lib/bergfried for root, else in the home directory]
    #[arg(long, value_name = "DIR", env = "BERGFRIED_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// An admin key that is to work; without it the first start makes one
    #[arg(
        long,
        value_name = "KEY",
        env = "ADMIN_API_KEY",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    pub(crate) admin_key: Option<String>,
    #[command(flatten)]
    pub(crate) rules: RuleChoice,
    /// Take syslog over UDP and TCP here too, from anyone who can reach it; inputs in the
    /// configuration can say more
    #[arg(long, value_name = "ADDR")]
    pub(crate) syslog: Option<SocketAddr>,
    /// The hub's configuration (TOML): rules, chains, notification channels, inputs, outputs
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Settings of Alerta's API by their names in Alerta (JSON); its AUTH_REQUIRED counts, and is off
    /// where the file does not say
    #[arg(long, value_name = "FILE")]
    pub(crate) alerta_config: Option<PathBuf>,
    /// Serve Alerta's API here too, besides /api; `/` for the root
    #[arg(long, value_name = "PATH")]
    pub(crate) alerta_prefix: Option<String>,
}

pub(crate) fn run(arguments: &Hub, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    start_logging("info");
    let mut signals = stop_signals().context("cannot take signals")?;
    let hub = RunningHub::start(config(arguments)?)?;
    reload_on_hangup(&hub)?;
    introduce(&hub, out)?;
    writeln!(out, "\nCtrl-C stops the hub.")?;
    out.flush()?;
    signals.forever().next();
    hub.stop();
    writeln!(out, "Stopped; everything that was taken is stored.")?;
    Ok(ExitCode::SUCCESS)
}

/// What the arguments, the file and the environment say together.
pub(crate) fn config(arguments: &Hub) -> anyhow::Result<Config> {
    let mut file = arguments.config.as_deref().map(HubFile::read).transpose()?.unwrap_or_default();
    if let Some(address) = arguments.syslog {
        file.add_syslog(address)?;
    }
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let rules = rule_files(&arguments.rules, &mut file);
    let environment = file.environment.take();
    let telling = from_environment(arguments.config.clone(), set)?;
    // As Watchtower does, which knows no other channel.
    let of_file = |name: &str| file.notify.iter().any(|channel| channel.name() == name);
    let logins_to = telling.channels.iter().find(|channel| channel.name() == "slack");
    let logins_to = logins_to.filter(|channel| !of_file(channel.name()));
    let logins_to = logins_to.map(|channel| channel.name().to_owned());
    Ok(Config {
        listen: arguments.listen,
        tls: file.tls,
        data_dir: arguments.data_dir.clone().unwrap_or_else(default_data_dir),
        admin_key: arguments.admin_key.as_deref().filter(|key| !key.is_empty()).map(Secret::new),
        watchtower_token: set("WATCHTOWER_AGENT_TOKEN")
            .or_else(|| set("LOGIN_ALERT_TOKEN"))
            .map(Secret::new),
        heimdall_key: set("SIEM_API_KEY").map(Secret::new),
        environment: environment.clone().unwrap_or_else(|| "Production".to_owned()),
        rules,
        chains: ChainFiles { config: arguments.config.clone() },
        telling,
        inputs: file.input,
        outputs: file.outputs,
        logins_to,
        console_url: file.console_url,
        token_limits: file.token_limits,
        hosts: file.hosts.policy(),
        search: file.search.limits(),
        sessions: file.sessions.into(),
        retention: file.retention_plan,
        alerta: alerta(arguments, environment, &file.alerta)?,
    })
}

/// The settings of Alerta's API. Without a file of them, the hub's environment is that of its alerts.
fn alerta(
    arguments: &Hub,
    environment: Option<String>,
    file: &AlertaFile,
) -> anyhow::Result<AlertaSettings> {
    let mut settings = match &arguments.alerta_config {
        Some(file) => AlertaSettings::read(file)?,
        None => AlertaSettings::default(),
    };
    if let Some(environment) = environment {
        settings.alert.default_environment = environment;
    }
    settings.limit_rate(file.max_alerts_per_second);
    if let Some(prefix) = &arguments.alerta_prefix {
        settings.serve_under(prefix)?;
    }
    Ok(settings)
}

/// The rules of the arguments, and of the file what they leave open.
fn rule_files(arguments: &RuleChoice, file: &mut HubFile) -> RuleFiles {
    let given = arguments.files();
    let (paths, builtin) = match given.paths.is_empty() {
        true => (std::mem::take(&mut file.rules), file.builtin_rules),
        false => (given.paths, given.builtin),
    };
    RuleFiles {
        paths,
        builtin,
        own: None,
        fields: given.fields.or_else(|| file.fields.take()),
        log_sources: given.log_sources.or_else(|| file.log_sources.take()),
        lists: given.lists.or_else(|| file.lists.take()),
        pipelines: file.pipelines.drain(..).chain(given.pipelines).collect(),
        sec: std::mem::take(&mut file.sec_files),
    }
}

/// Reads the rule files and the chains again and opens the files of outputs anew at each SIGHUP,
/// until the process ends.
pub(crate) fn reload_on_hangup(hub: &RunningHub) -> anyhow::Result<()> {
    let reload = hub.reload();
    on_hangup(reload).context("cannot take signals")
}

/// Says where everything is; never a secret itself.
pub(crate) fn introduce(hub: &RunningHub, out: &mut dyn Write) -> anyhow::Result<()> {
    for diagnostic in hub.diagnostics() {
        crate::complain(&diagnostic.to_string());
    }
    let directory = hub.data_dir();
    let made = |new: bool| if new { "  (made just now, only you can read it)" } else { "" };
    let first = hub.first_start();
    writeln!(out, "Bergfried {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  console      {}", hub.url())?;
    if let Some(path) = hub.setup_path() {
        // Shown once, to whoever started the hub; it is worth nothing once there is an administrator.
        writeln!(out, "  first start  {}{path}  (makes the administrator)", hub.url())?;
    }
    writeln!(out, "  data         {}", directory.path().display())?;
    writeln!(
        out,
        "  admin key    {}{}",
        directory.path().join("admin.key").display(),
        made(first.admin_key.is_some())
    )?;
    writeln!(
        out,
        "  agent token  {}{}",
        directory.agent_token().display(),
        made(first.agent_token.is_some())
    )?;
    writeln!(out, "  rules        {} run", hub.rules())?;
    for input in hub.inputs() {
        for listener in &input.listeners {
            let (transport, address) = (listener.transport, &listener.address);
            match &listener.problem {
                None => writeln!(out, "  input        {}: {transport} {address}", input.name)?,
                Some(problem) => crate::complain(&format!(
                    "input {} does not listen on {transport} {address}: {problem}",
                    input.name
                )),
            }
        }
    }
    Ok(())
}

/// Writes what happens to standard error, from this level on unless `BERGFRIED_LOG` says otherwise.
pub(crate) fn start_logging(level: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("BERGFRIED_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .try_init();
    if started.is_err() {
        crate::complain("logging was started already");
    }
}
