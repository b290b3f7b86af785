//! What the agent looks at itself: the firewall's rules, its log files, files of the system.

use std::collections::BTreeMap;
use std::time::Instant;

use bergfried_source::expand;

use super::host::Host;
use super::{Source, State};
use crate::config::Config;
use crate::observers::firewall::{FirewallTool, Reader};
use crate::packages::install_one_of;

/// A row for each tool of the firewall that is installed, or one for none.
pub(super) fn firewall(host: &Host, config: &Config) -> Vec<Source> {
    if !config.firewall.enabled {
        let off = Source::new("firewall", State::Off, "the configuration leaves it out");
        return vec![off.fix("enabled = true under [firewall]")];
    }
    let mut reader = Reader::new(&config.firewall, host.directories.clone(), &host.path("/"));
    let readings = reader.read(&BTreeMap::new(), Instant::now());
    if readings.is_empty() {
        let detail = "neither ufw, firewalld, iptables nor nftables is installed";
        return vec![
            Source::new("firewall", State::Missing, detail).fix(install_one_of("ufw", "firewalld")),
        ];
    }
    let is_active =
        readings.values().any(|read| read.as_ref().is_ok_and(|state| state.is_active()));
    let rows = readings.into_iter().map(|(tool, read)| match read {
        Ok(state) => {
            let rules = state.text.lines().count();
            let detail = match (state.is_active(), is_active) {
                (true, _) => format!(
                    "active, {rules} lines of rules, looked at every {} s",
                    config.firewall.interval_seconds
                ),
                (false, true) => "inactive, another tool filters".to_owned(),
                (false, false) => "inactive: nothing filters what reaches this host".to_owned(),
            };
            let row = Source::new(name(tool), State::Collected, detail);
            if tool == FirewallTool::Ufw && !is_active { row.fix("ufw enable") } else { row }
        }
        Err(why) => {
            let (state, instead) = match &why.instead {
                Some(files) if files.is_active() => {
                    (State::Partly, "; its files say that it is on")
                }
                Some(_) => (State::Partly, "; its files say that it is off"),
                None => (State::Unreadable, ""),
            };
            Source::new(name(tool), state, format!("{}{instead}", why.reason)).fix(why.fix)
        }
    });
    rows.collect()
}

fn name(tool: FirewallTool) -> &'static str {
    match tool {
        FirewallTool::Ufw => "firewall: ufw",
        FirewallTool::Firewalld => "firewall: firewalld",
        FirewallTool::Iptables => "firewall: iptables",
        FirewallTool::Nftables => "firewall: nftables",
    }
}

/// The watch over log files.
pub(super) fn tamper(config: &Config) -> Source {
    if !config.tamper.enabled {
        let off = Source::new("log tamper", State::Off, "the configuration leaves it out");
        return off.fix("enabled = true under [tamper]");
    }
    let mut patterns = config.patterns();
    patterns.extend_from_slice(&config.tamper.files);
    let files = expand(&patterns).len();
    let detail = format!("{files} log files, looked at every {} s", config.tamper.interval_seconds);
    Source::new("log tamper", State::Collected, detail)
}

/// How the host is.
pub(super) fn status(config: &Config) -> Source {
    if !config.status.enabled {
        let off = Source::new("host status", State::Off, "the configuration leaves it out");
        return off.fix("enabled = true under [status]");
    }
    let every = config.status.interval_seconds;
    let detail = format!("processors, memory, disks and interfaces, told every {every} s");
    Source::new("host status", State::Collected, detail)
}

/// The watch over files of the system, and how many directories the kernel lets it watch.
pub(super) fn integrity(host: &Host, config: &Config) -> Source {
    let row = |state, detail: String| Source::new("file integrity", state, detail);
    if config.integrity.is_none() {
        return row(State::Off, "the configuration leaves it out".to_owned())
            .fix("enabled = true under [integrity]");
    }
    let watches = host.text("/proc/sys/fs/inotify/max_user_watches");
    let Some(watches) = watches.and_then(|text| text.trim().parse::<u64>().ok()) else {
        return row(
            State::Partly,
            "the kernel has no inotify: files are compared now and then".to_owned(),
        );
    };
    if watches < FEW_WATCHES {
        return row(
            State::Partly,
            format!("the kernel allows {watches} watches, which may not do"),
        )
        .fix(format!("sysctl -w fs.inotify.max_user_watches={ENOUGH_WATCHES}"));
    }
    row(State::Collected, format!("built in; the kernel allows {watches} watches"))
}

/// /etc of an ordinary host has some 400 directories, homes and cron a few more.
const FEW_WATCHES: u64 = 4_096;
const ENOUGH_WATCHES: u64 = 65_536;
