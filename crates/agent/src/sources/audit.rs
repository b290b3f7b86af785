//! The kernel's audit system: its log, and the rules that make it speak.

use std::time::Duration;

use super::host::{Host, named};
use super::{Source, State};
use crate::audit_rules::RULES_FILE;
use crate::command::ask;
use crate::config::Config;
use crate::packages::install_one_of;
use crate::search::find;
use crate::stream::Limits;

const INSTALL_RULES: &str = "bergfried-agent audit-rules install";
const LIMITS: Limits = Limits { time: Duration::from_secs(5), output: 1 << 20 };

/// auditd's log, or its socket.
pub(super) fn log(host: &Host, config: &Config) -> Source {
    let row = |state, detail: String| Source::new("auditd", state, detail);
    if let (Some(socket), []) = (&config.audit.socket, config.audit.files.as_slice()) {
        let name = socket.display();
        return if host.path(&name.to_string()).exists() {
            row(State::Collected, format!("auditd's plug-in at {name}"))
        } else {
            row(State::Missing, format!("{name} is not there, it is tried again and again")).fix(
                "active = yes in /etc/audit/plugins.d/af_unix.conf, then service auditd reload",
            )
        };
    }
    if config.audit.files.is_empty() {
        return row(State::Off, "no audit log is among what the agent reads".to_owned())
            .fix("files = [\"/var/log/audit/audit.log\"] under [audit]");
    }
    let patterns: Vec<&str> = config.audit.files.iter().map(String::as_str).collect();
    let found = host.files(&patterns);
    if !found.readable.is_empty() {
        let users = match config.audit.watched_users.len() {
            0 => String::new(),
            number => format!(", events of {number} users"),
        };
        return row(State::Collected, format!("{}{users}", named(&found.readable)));
    }
    if !found.unreadable.is_empty() {
        let detail = format!("{} may not be read by this user", named(&found.unreadable));
        return row(State::Unreadable, detail).fix(may_read());
    }
    if !host.has("auditd") {
        return row(State::Missing, "auditd is not installed".to_owned())
            .fix(install_one_of("auditd", "audit"));
    }
    if host.path("/var/log/audit").is_dir()
        && std::fs::read_dir(host.path("/var/log/audit")).is_err()
    {
        return row(State::Unreadable, "/var/log/audit may not be entered by this user".to_owned())
            .fix(may_read());
    }
    row(State::Missing, "auditd is installed but has written no log".to_owned())
        .fix("systemctl enable --now auditd")
}

fn may_read() -> String {
    "log_group = adm in /etc/audit/auditd.conf, or CAP_DAC_READ_SEARCH for the agent".to_owned()
}

/// The rules that [`crate::AuditRules`] installs.
pub(super) fn rules(host: &Host) -> Source {
    let row = |state, detail: &str| Source::new("audit rules", state, detail);
    let Some(program) = find("auditctl", &host.directories) else {
        return row(State::Missing, "there is no auditctl to load rules with")
            .fix(install_one_of("auditd", "audit"));
    };
    match ask(&[], &program, &["-l"], LIMITS) {
        Ok(loaded) => {
            let count = loaded.lines().filter(|line| line.contains("bergfried-")).count();
            match count {
                0 => row(State::Missing, "no rule of Bergfried's is loaded").fix(INSTALL_RULES),
                _ => row(State::Collected, &format!("{count} rules of Bergfried's are loaded")),
            }
        }
        Err(error) if host.path(RULES_FILE).exists() => row(
            State::Partly,
            &format!("{RULES_FILE} is there; whether it is loaded cannot be told: {error}"),
        )
        .fix("run this as root: auditctl -l"),
        Err(error) => {
            let detail = format!(
                "no rules of Bergfried's are installed, and what is loaded cannot be told: {error}"
            );
            row(State::Missing, &detail).fix(INSTALL_RULES)
        }
    }
}
