//! The table between Heimdall's kinds and the Elastic Common Schema, both ways.

use crate::EventType::{
    AccountCreate, AccountDelete, ConnectionBlocked, CriticalError, DnsBlock, GroupAdd,
    LogTampering, LoginFail, LoginSuccess, PortScan, ProcessExec, ServiceInstall, SudoEscalation,
    SystemAlert, WebAttack,
};
use crate::{EventType, Severity};

/// What an action means.
#[derive(Debug)]
pub(crate) struct Row {
    action: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) kind: EventType,
    /// How bad it is, where that is not how bad the kind is.
    pub(crate) severity: Option<Severity>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Any,
    Failed,
    Succeeded,
    /// It succeeded, or the log does not say.
    NotFailed,
}

impl Outcome {
    pub(crate) fn holds(&self, outcome: &str) -> bool {
        match self {
            Outcome::Any => true,
            Outcome::Failed => outcome == "failure",
            Outcome::Succeeded => outcome == "success",
            Outcome::NotFailed => outcome != "failure",
        }
    }
}

const fn row(action: &'static str, outcome: Outcome, kind: EventType) -> Row {
    Row { action, outcome, kind, severity: None }
}

const fn graded(
    action: &'static str,
    outcome: Outcome,
    kind: EventType,
    severity: Severity,
) -> Row {
    Row { action, outcome, kind, severity: Some(severity) }
}

/// The rows of an action.
pub(crate) fn rows(action: &str) -> impl Iterator<Item = &'static Row> {
    let first = ROWS.partition_point(|row| row.action < action);
    let rows = ROWS.get(first..).unwrap_or_default();
    rows.iter().take_while(move |row| row.action == action)
}

use Outcome::{Any, Failed, NotFailed, Succeeded};

/// In order of the action.
#[rustfmt::skip]
static ROWS: &[Row] = &[
    row("added-computer-account", NotFailed, AccountCreate),
    row("added-user-account", NotFailed, AccountCreate),
    row("alert", Any, SystemAlert),
    graded("antivirus-disabled", Any, SystemAlert, Severity::HIGH),
    row("antivirus-history-deleted", Any, LogTampering),
    graded("audit-gap", Any, LogTampering, Severity::MEDIUM),
    row("audit-log-cleared", Any, LogTampering),
    row("authentication", Failed, LoginFail),
    row("authentication", Succeeded, LoginSuccess),
    row("backup-failed", Any, SystemAlert),
    row("blocked", Any, ConnectionBlocked),
    row("changed-audit-config", NotFailed, LogTampering),
    row("changed-promiscuous-mode-on-device", Any, SystemAlert),
    graded("changed-selinux-enforcement", Any, SystemAlert, Severity::HIGH),
    row("connection-blocked", Any, ConnectionBlocked),
    row("crashed-program", Any, SystemAlert),
    row("created-process", Any, ProcessExec),
    row("created-suspicious-file", Any, SystemAlert),
    row("critical-error", Any, CriticalError),
    row("deleted-computer-account", NotFailed, AccountDelete),
    row("deleted-user-account", NotFailed, AccountDelete),
    row("dns-blocked", Any, DnsBlock),
    row("executed", Succeeded, ProcessExec),
    row("executed-command", Succeeded, SudoEscalation),
    graded("executed-command", Failed, SudoEscalation, Severity::MEDIUM),
    graded("failed-log-in-too-many-times-to", Any, SystemAlert, Severity::HIGH),
    row("firewall-changed", Any, SystemAlert),
    graded("firewall-disabled", Any, SystemAlert, Severity::CRITICAL),
    row("firewall-inactive", Any, SystemAlert),
    row("ftp_login", Failed, LoginFail),
    row("ftp_login", Succeeded, LoginSuccess),
    graded("journal-gap", Any, LogTampering, Severity::MEDIUM),
    row("kerberos-authentication-ticket-requested", Failed, LoginFail),
    row("kerberos-preauth-failed", Any, LoginFail),
    row("locked-out-user-account", Any, SystemAlert),
    row("log-cleared", Any, LogTampering),
    row("log-missing", Any, LogTampering),
    graded("log-permissions-loosened", Any, LogTampering, Severity::MEDIUM),
    row("log-replaced", Any, LogTampering),
    row("log-truncated", Any, LogTampering),
    graded("log-world-writable", Any, LogTampering, Severity::MEDIUM),
    row("logged-in", Succeeded, LoginSuccess),
    row("logged-on", Succeeded, LoginSuccess),
    row("login", Failed, LoginFail),
    row("logon-failed", Any, LoginFail),
    row("mail_login", Failed, LoginFail),
    row("mail_login", Succeeded, LoginSuccess),
    graded("malware-detected", Any, SystemAlert, Severity::CRITICAL),
    graded("malware-handled", Any, SystemAlert, Severity::HIGH),
    row("port-scan", Any, PortScan),
    row("powershell-script-block", Any, ProcessExec),
    graded("process-tampered", Any, SystemAlert, Severity::HIGH),
    row("rejected", Any, ConnectionBlocked),
    row("remote_login", Failed, LoginFail),
    row("remote_login", Succeeded, LoginSuccess),
    row("scheduled-task-created", NotFailed, ServiceInstall),
    row("service-crashed", Any, SystemAlert),
    row("service-installed", NotFailed, ServiceInstall),
    graded("shutdown-audit", Any, LogTampering, Severity::HIGH),
    graded("sid-history-added", NotFailed, SystemAlert, Severity::HIGH),
    row("ssh_login", Failed, LoginFail),
    row("ssh_login", Succeeded, LoginSuccess),
    row("su", Failed, LoginFail),
    row("su", Succeeded, SudoEscalation),
    row("used-suspicious-link", Any, SystemAlert),
    row("user-added-to-group", NotFailed, GroupAdd),
    row("violated-apparmor-policy", Any, SystemAlert),
    row("violated-integrity-policy", Any, SystemAlert),
    row("violated-landlock-policy", Any, SystemAlert),
    row("violated-seccomp-policy", Any, SystemAlert),
    row("violated-selinux-policy", Any, SystemAlert),
    row("vpn_login", Failed, LoginFail),
    row("vpn_login", Succeeded, LoginSuccess),
    row("web-attack", Any, WebAttack),
    row("web_login", Failed, LoginFail),
    row("web_login", Succeeded, LoginSuccess),
];

/// What an event of one kind says in the words of the Elastic Common Schema (8.17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ecs {
    /// `event.category`.
    pub category: &'static [&'static str],
    /// `event.type`.
    pub types: &'static [&'static str],
    /// `event.action`.
    pub action: &'static str,
    /// `event.outcome`, where there is one.
    pub outcome: Option<&'static str>,
}

impl EventType {
    /// The fields of an event of which no more is known than its kind.
    #[rustfmt::skip]
    pub const fn ecs(self) -> Ecs {
        const SUCCESS: Option<&str> = Some("success");
        const FAILURE: Option<&str> = Some("failure");
        let (category, types, action, outcome): (&[&str], &[&str], _, _) = match self {
            LoginFail => (&["authentication"], &["start"], "logon-failed", FAILURE),
            LoginSuccess => (&["authentication"], &["start"], "logged-in", SUCCESS),
            SudoEscalation => (&["process"], &["start"], "executed-command", SUCCESS),
            DnsBlock => (&["network"], &["protocol", "denied"], "dns-blocked", None),
            CriticalError => (&["host"], &["error"], "critical-error", None),
            AccountCreate => (&["iam"], &["user", "creation"], "added-user-account", SUCCESS),
            AccountDelete => (&["iam"], &["user", "deletion"], "deleted-user-account", SUCCESS),
            GroupAdd => (&["iam"], &["group", "change"], "user-added-to-group", SUCCESS),
            ServiceInstall => (&["configuration"], &["creation"], "service-installed", SUCCESS),
            LogTampering => (&["configuration"], &["deletion"], "log-cleared", None),
            ConnectionBlocked => (&["network"], &["connection", "denied"], "blocked", FAILURE),
            PortScan => (&["intrusion_detection", "network"], &["info"], "port-scan", None),
            ProcessExec => (&["process"], &["start"], "executed", SUCCESS),
            WebAttack => (&["intrusion_detection", "web"], &["info"], "web-attack", None),
            SystemAlert => (&["intrusion_detection"], &["info"], "alert", None),
        };
        Ecs { category, types, action, outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(ROWS.is_sorted_by(|one, other| one.action <= other.action));
        assert_eq!(rows("ssh_login").count(), 2);
        assert_eq!(rows("nothing").count(), 0);
    }
}
