//! What the kernel tells of packets and connections.

use super::host::Host;
use super::logs::{reads_syslog, syslog};
use super::{Source, State};
use crate::config::Config;

/// Lines of the packet filter.
pub(super) fn packets(host: &Host, config: &Config) -> Source {
    let row = |state, detail: &str| Source::new("netfilter log", state, detail);
    if !reads_syslog(host, config) {
        return row(
            State::Missing,
            "lines of the kernel reach neither the journal nor a file that is read",
        )
        .fix(syslog(host));
    }
    let conf = host.text("/etc/ufw/ufw.conf").unwrap_or_default();
    let logging = |line: &&str| line.trim_start().starts_with("LOGLEVEL=");
    match conf.lines().find(logging).map(|line| line.trim().trim_start_matches("LOGLEVEL=")) {
        Some("off") => row(State::Partly, "lines of the kernel are read, but ufw logs nothing")
            .fix("ufw logging low"),
        Some(level) => {
            row(State::Collected, &format!("lines of the kernel; ufw logs at level {level}"))
        }
        None => row(
            State::Collected,
            "lines of the kernel, where a rule of the packet filter has `log`",
        ),
    }
}

/// What the network policy is applied to.
///
/// `rules`: how it stands with the rules of audit.
pub(super) fn connections(host: &Host, config: &Config, rules: State) -> Source {
    let row = |state, detail: &str| Source::new("network policy", state, detail);
    let is_told = !config.audit.files.is_empty() || config.audit.socket.is_some();
    let reads_audit = is_told && matches!(rules, State::Collected | State::Partly);
    match (reads_audit, reads_syslog(host, config)) {
        (true, _) => row(
            State::Collected,
            "connections by process, from the audit log; the hub judges them by network_policy in its lists",
        ),
        (false, true) => row(
            State::Partly,
            "packets that the packet filter logs and commands of sudo, but not which process connects",
        )
        .fix("bergfried-agent audit-rules install"),
        (false, false) => row(State::Missing, "nothing that tells of connections is read")
            .fix("bergfried-agent audit-rules install"),
    }
}
