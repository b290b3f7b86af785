//! `sources`: what this host has, what of it would be collected, and what is missing, with the command
//! that helps. It looks and changes nothing.

#[cfg(target_os = "linux")]
mod audit;
mod host;
#[cfg(target_os = "linux")]
mod kernel;
mod logs;
mod macos;
#[cfg(target_os = "linux")]
mod pihole;
#[cfg(target_os = "linux")]
mod watched;
mod windows;

use std::io::{self, Write as _};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::config::Config;
use crate::error::AgentError;
use host::Host;

/// What this host has to collect, and what is missing.
#[derive(Clone, Copy, Debug, Args)]
pub struct Sources {
    /// A table for people, or JSON for programs
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// How it stands with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It is collected.
    Collected,
    /// Some of it is, or it could be told more.
    Partly,
    /// It is there, but this user may not read it.
    Unreadable,
    /// It is not there; it is collected once it is.
    Missing,
    /// The configuration leaves it out.
    Off,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Collected => "collected",
            State::Partly => "partly",
            State::Unreadable => "unreadable",
            State::Missing => "missing",
            State::Off => "off",
        }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Source {
    pub(crate) source: &'static str,
    pub(crate) state: State,
    /// One plain sentence.
    pub(crate) detail: String,
    /// The command, or the change of a configuration, that helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
}

impl Source {
    fn new(source: &'static str, state: State, detail: impl Into<String>) -> Source {
        Source { source, state, detail: detail.into(), fix: None }
    }

    fn fix(self, fix: impl Into<String>) -> Source {
        Source { fix: Some(fix.into()), ..self }
    }
}

impl Sources {
    pub(crate) fn run(self, config: &Config) -> Result<(), AgentError> {
        let sources = of_this_host(config);
        let text = match self.format {
            Format::Table => table(&sources),
            Format::Json => serde_json::to_string_pretty(&sources).unwrap_or_default() + "\n",
        };
        match io::stdout().lock().write_all(text.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            said => said.map_err(|source| AgentError::System { what: "write the list", source }),
        }
    }
}

/// What this host has to collect, and what is missing.
pub(crate) fn of_this_host(config: &Config) -> Vec<Source> {
    rows(&Host::this(), config)
}

/// Every source that a host may have. A new one is a line here, or in [`of_linux`].
fn rows(host: &Host, config: &Config) -> Vec<Source> {
    let mut rows = of_linux(host, config);
    rows.extend(windows::events(config));
    rows.extend(macos::log(config));
    let programs = logs::PROGRAMS.iter().filter_map(|program| logs::program(program, host, config));
    // Elsewhere nobody misses what guards a Linux host.
    rows.extend(programs.filter(|row| cfg!(target_os = "linux") || row.state != State::Missing));
    rows
}

/// What only Linux has.
#[cfg(target_os = "linux")]
fn of_linux(host: &Host, config: &Config) -> Vec<Source> {
    let rules = audit::rules(host);
    let connections = kernel::connections(host, config, rules.state);
    let mut rows = vec![
        audit::log(host, config),
        rules,
        logs::journal(host, config),
        logs::system(host, config),
        kernel::packets(host, config),
    ];
    rows.extend(watched::firewall(host, config));
    rows.push(watched::tamper(config));
    rows.push(watched::integrity(host, config));
    rows.push(watched::status(config));
    rows.push(connections);
    rows.push(pihole::queries(host, config));
    rows
}

#[cfg(not(target_os = "linux"))]
fn of_linux(host: &Host, config: &Config) -> Vec<Source> {
    vec![logs::system(host, config)]
}

fn table(sources: &[Source]) -> String {
    let mut text = String::new();
    for source in sources {
        let mark = match source.state {
            State::Collected => '+',
            State::Partly => '~',
            State::Unreadable | State::Missing | State::Off => '-',
        };
        let (name, state) = (source.source, source.state.name());
        text.push_str(&format!("{mark} {name:<19} {state:<10} {}\n", plain(&source.detail)));
        if let Some(fix) = &source.fix {
            text.push_str(&format!("  {:<19} {:<10} fix: {}\n", "", "", plain(fix)));
        }
    }
    text
}

/// Names of files may hold what steers a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests;
