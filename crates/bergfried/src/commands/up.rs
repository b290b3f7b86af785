//! `bergfried up`: a hub and an agent on this machine, in one process.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bergfried_agent::{Config as AgentConfig, Journald, Secret, Stop, plan, stop_signals};
use bergfried_hub::Hub as RunningHub;
use clap::Args;

use super::hub;
use crate::demo;
use crate::terminal::plain;

/// Watch this machine: a hub and an agent in one process.
///
/// Reads the systemd journal and the usual log files (whichever exist), stores, detects and alerts.
/// The first start makes the data directory with an admin key and an agent token, and says where
/// they are. Ctrl-C stops it within two seconds and loses nothing.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sudo bergfried up
  bergfried up --file '/srv/*/auth.log' --journald off
  bergfried up --demo demo/logs        # sample logs, shifted to end now

While it runs, in another terminal:
  bergfried alerts
  bergfried tail
  bergfried search 'event.outcome:failure' --last 1h")]
pub(crate) struct Up {
    #[command(flatten)]
    hub: hub::Hub,
    /// Log file or glob to watch instead of the usual ones; repeatable
    #[arg(long, value_name = "GLOB")]
    file: Vec<String>,
    /// Whether to follow the systemd journal
    #[arg(long, value_enum, default_value = "auto")]
    journald: Journald,
    /// Show what Bergfried does over the sample logs of this directory, their times shifted to end
    /// now, in a data directory that is removed afterwards
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "demo/logs",
        conflicts_with_all = ["file", "journald"])]
    demo: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Up, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    hub::start_logging("warn");
    let mut signals = stop_signals().context("cannot take signals")?;
    let mut hub_arguments = arguments.hub.clone();
    let demo = arguments.demo.as_deref().map(demo::Directory::make).transpose()?;
    if let Some(demo) = &demo {
        hub_arguments.data_dir.get_or_insert_with(|| demo.data());
    }
    let running = RunningHub::start(hub::config(&hub_arguments)?)?;
    // On a terminal it also means that the terminal was closed: then it ends.
    if !std::io::stdin().is_terminal() {
        hub::reload_on_hangup(&running)?;
    }
    hub::introduce(&running, out)?;
    let agent = match &demo {
        Some(demo) => demo_agent(&running, demo)?,
        None => local_agent(&running, arguments)?,
    };
    writeln!(out, "Watching")?;
    for source in plan(&agent) {
        let mark = if source.present { '+' } else { '-' };
        writeln!(out, "  {mark} {}", plain(&source.sentence))?;
    }
    if demo.is_some() {
        let key = running.data_dir().path().display();
        writeln!(out, "\nSee what it finds, in another terminal:")?;
        writeln!(out, "  bergfried alerts --data-dir {key}")?;
    }
    writeln!(out, "\nCtrl-C stops.")?;
    out.flush()?;

    let stop = Stop::new().context("cannot make a stop event")?;
    let on_signal = stop.clone();
    let handle = signals.handle();
    let waiter = std::thread::spawn(move || {
        signals.forever().next();
        on_signal.stop();
    });
    let ran = bergfried_agent::run(agent, &stop);
    if ran.is_ok() && !stop.is_stopped() {
        crate::complain("the agent ended by itself");
    }
    if ran.is_err() {
        handle.close();
    }
    if waiter.join().is_err() {
        crate::complain("the signal thread ended by a panic");
    }
    running.stop();
    ran?;
    writeln!(out, "Stopped; everything that was read is stored.")?;
    Ok(ExitCode::SUCCESS)
}

fn local_agent(hub: &RunningHub, arguments: &Up) -> anyhow::Result<AgentConfig> {
    let mut config = agent_for(hub, &hub.data_dir().agent())?;
    config.journald = arguments.journald;
    if !arguments.file.is_empty() {
        config.only(&arguments.file);
    }
    Ok(config)
}

fn demo_agent(hub: &RunningHub, demo: &demo::Directory) -> anyhow::Result<AgentConfig> {
    let mut config = agent_for(hub, &hub.data_dir().agent())?;
    config.journald = Journald::Off;
    config.only(&[demo.logs_glob()]);
    config.from = bergfried_agent::From::Start;
    Ok(config)
}

fn agent_for(hub: &RunningHub, state: &Path) -> anyhow::Result<AgentConfig> {
    let path = hub.data_dir().agent_token();
    let token = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(AgentConfig::for_hub(hub.local_url(), Secret::new(&token), state))
}
