//! What the events of Windows say happened: one table from log and number to ECS.

use bergfried_event::Value;

use super::first;
use crate::json::fields::Fields;
use crate::json::slot::Slot;

/// The log that gives an event's number its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Log {
    Security,
    Sysmon,
    System,
    PowerShell,
    TaskScheduler,
    Defender,
    RemoteDesktop,
    Other,
}

/// What one event says.
#[derive(Debug)]
pub(super) struct Action {
    log: Log,
    code: u16,
    /// `event.action`.
    pub(super) action: &'static str,
    /// `event.category`.
    pub(super) category: &'static str,
    /// `event.outcome`, where the number alone says it.
    outcome: Option<&'static str>,
}

/// Channels and providers by their log; either is enough.
const LOGS: &[(&str, Log)] = &[
    ("Security", Log::Security),
    ("Microsoft-Windows-Security-Auditing", Log::Security),
    ("Microsoft-Windows-Sysmon/Operational", Log::Sysmon),
    ("Microsoft-Windows-Sysmon", Log::Sysmon),
    ("Linux-Sysmon/Operational", Log::Sysmon),
    ("Linux-Sysmon", Log::Sysmon),
    ("System", Log::System),
    ("Service Control Manager", Log::System),
    ("Windows PowerShell", Log::PowerShell),
    ("PowerShell", Log::PowerShell),
    ("Microsoft-Windows-PowerShell/Operational", Log::PowerShell),
    ("Microsoft-Windows-PowerShell", Log::PowerShell),
    ("PowerShellCore/Operational", Log::PowerShell),
    ("Microsoft-Windows-TaskScheduler/Operational", Log::TaskScheduler),
    ("Microsoft-Windows-Windows Defender/Operational", Log::Defender),
    ("Microsoft-Windows-TerminalServices-LocalSessionManager/Operational", Log::RemoteDesktop),
    ("Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational", Log::RemoteDesktop),
];

impl Log {
    /// The log that an event comes from.
    pub(super) fn of(fields: &Fields<'_, '_>, code: i64) -> Log {
        let named = [Slot::Channel, Slot::Provider_Name];
        let mut names = named.iter().filter_map(|slot| first(fields, *slot)?.as_str()).peekable();
        if names.peek().is_none() {
            // An exporter that leaves out both: only Sysmon has `UtcTime` and `Image`.
            let sysmon = [Slot::UtcTime, Slot::Image];
            return match code {
                ..=255 if sysmon.iter().any(|slot| fields.slot(*slot).is_some()) => Log::Sysmon,
                1102 | 4608..=5159 => Log::Security,
                _ => Log::Other,
            };
        }
        names
            .find_map(|name| LOGS.iter().find(|(known, _)| *known == name))
            .map_or(Log::Other, |(_, log)| *log)
    }
}

/// What an event of this number says; nothing where the table does not have it.
pub(super) fn of(log: Log, code: i64) -> Option<&'static Action> {
    let code = u16::try_from(code).ok()?;
    let place = ACTIONS.binary_search_by(|action| (action.log, action.code).cmp(&(log, code)));
    place.ok().and_then(|place| ACTIONS.get(place))
}

const SUCCESS: Option<&str> = Some("success");
const FAILURE: Option<&str> = Some("failure");
/// Bits of `Keywords` (winmeta.xml).
const AUDIT_FAILURE: u64 = 0x0010_0000_0000_0000;
const AUDIT_SUCCESS: u64 = 0x0020_0000_0000_0000;

/// How it ended: by the number, else by the audit keywords of the Security log.
pub(super) fn outcome(
    fields: &Fields<'_, '_>,
    log: Log,
    action: Option<&Action>,
) -> Option<&'static str> {
    if let Some(outcome) = action.and_then(|action| action.outcome) {
        return Some(outcome);
    }
    if log != Log::Security {
        return None;
    }
    let by_word = |text: &str| match text {
        "Audit Success" => SUCCESS,
        "Audit Failure" => FAILURE,
        _ => None,
    };
    let bits = match fields.slot(Slot::Keywords)? {
        Value::Int(bits) => bits.cast_unsigned(),
        Value::Text(text) => match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok()?,
            None => match text.parse::<i64>() {
                Ok(bits) => bits.cast_unsigned(),
                Err(_) => return by_word(text),
            },
        },
        Value::List(words) => return words.iter().find_map(|word| by_word(word.as_str()?)),
        _ => return None,
    };
    match (bits & AUDIT_FAILURE != 0, bits & AUDIT_SUCCESS != 0) {
        (true, _) => FAILURE,
        (false, true) => SUCCESS,
        (false, false) => None,
    }
}

const fn row(
    log: Log,
    code: u16,
    action: &'static str,
    category: &'static str,
    outcome: Option<&'static str>,
) -> Action {
    Action { log, code, action, category, outcome }
}

/// In order of log and number.
#[rustfmt::skip]
static ACTIONS: &[Action] = &[
    row(Log::Security, 1100, "logging-service-shutdown", "process", None),
    row(Log::Security, 1102, "audit-log-cleared", "configuration", SUCCESS),
    row(Log::Security, 4608, "windows-startup", "host", None),
    row(Log::Security, 4609, "windows-shutdown", "host", None),
    row(Log::Security, 4616, "system-time-changed", "configuration", None),
    row(Log::Security, 4624, "logged-in", "authentication", SUCCESS),
    row(Log::Security, 4625, "logon-failed", "authentication", FAILURE),
    row(Log::Security, 4634, "logged-out", "session", None),
    row(Log::Security, 4647, "logged-out", "session", None),
    row(Log::Security, 4648, "logged-in-explicit", "authentication", None),
    row(Log::Security, 4656, "object-handle-requested", "file", None),
    row(Log::Security, 4657, "registry-value-modified", "registry", None),
    row(Log::Security, 4660, "object-deleted", "file", None),
    row(Log::Security, 4662, "object-operation-performed", "iam", None),
    row(Log::Security, 4663, "object-access-attempted", "file", None),
    row(Log::Security, 4672, "logged-in-special", "iam", None),
    row(Log::Security, 4673, "privileged-service-called", "iam", None),
    row(Log::Security, 4674, "privileged-service-called", "iam", None),
    row(Log::Security, 4688, "created-process", "process", None),
    row(Log::Security, 4689, "exited-process", "process", None),
    row(Log::Security, 4696, "assigned-primary-token", "process", None),
    row(Log::Security, 4697, "service-installed", "configuration", None),
    row(Log::Security, 4698, "scheduled-task-created", "configuration", None),
    row(Log::Security, 4699, "scheduled-task-deleted", "configuration", None),
    row(Log::Security, 4700, "scheduled-task-enabled", "configuration", None),
    row(Log::Security, 4701, "scheduled-task-disabled", "configuration", None),
    row(Log::Security, 4702, "scheduled-task-updated", "configuration", None),
    row(Log::Security, 4704, "user-right-assigned", "iam", None),
    row(Log::Security, 4705, "user-right-removed", "iam", None),
    row(Log::Security, 4717, "system-access-granted", "iam", None),
    row(Log::Security, 4718, "system-access-removed", "iam", None),
    row(Log::Security, 4719, "changed-audit-config", "configuration", None),
    row(Log::Security, 4720, "added-user-account", "iam", None),
    row(Log::Security, 4722, "enabled-user-account", "iam", None),
    row(Log::Security, 4723, "changed-password", "iam", None),
    row(Log::Security, 4724, "reset-password", "iam", None),
    row(Log::Security, 4725, "disabled-user-account", "iam", None),
    row(Log::Security, 4726, "deleted-user-account", "iam", None),
    row(Log::Security, 4727, "added-group-account", "iam", None),
    row(Log::Security, 4728, "user-added-to-group", "iam", None),
    row(Log::Security, 4729, "user-removed-from-group", "iam", None),
    row(Log::Security, 4730, "deleted-group-account", "iam", None),
    row(Log::Security, 4731, "added-group-account", "iam", None),
    row(Log::Security, 4732, "user-added-to-group", "iam", None),
    row(Log::Security, 4733, "user-removed-from-group", "iam", None),
    row(Log::Security, 4734, "deleted-group-account", "iam", None),
    row(Log::Security, 4735, "modified-group-account", "iam", None),
    row(Log::Security, 4737, "modified-group-account", "iam", None),
    row(Log::Security, 4738, "modified-user-account", "iam", None),
    row(Log::Security, 4740, "locked-out-user-account", "iam", None),
    row(Log::Security, 4741, "added-computer-account", "iam", None),
    row(Log::Security, 4742, "changed-computer-account", "iam", None),
    row(Log::Security, 4743, "deleted-computer-account", "iam", None),
    row(Log::Security, 4744, "added-group-account", "iam", None),
    row(Log::Security, 4745, "modified-group-account", "iam", None),
    row(Log::Security, 4746, "user-added-to-group", "iam", None),
    row(Log::Security, 4747, "user-removed-from-group", "iam", None),
    row(Log::Security, 4748, "deleted-group-account", "iam", None),
    row(Log::Security, 4749, "added-group-account", "iam", None),
    row(Log::Security, 4750, "modified-group-account", "iam", None),
    row(Log::Security, 4751, "user-added-to-group", "iam", None),
    row(Log::Security, 4752, "user-removed-from-group", "iam", None),
    row(Log::Security, 4753, "deleted-group-account", "iam", None),
    row(Log::Security, 4754, "added-group-account", "iam", None),
    row(Log::Security, 4755, "modified-group-account", "iam", None),
    row(Log::Security, 4756, "user-added-to-group", "iam", None),
    row(Log::Security, 4757, "user-removed-from-group", "iam", None),
    row(Log::Security, 4758, "deleted-group-account", "iam", None),
    row(Log::Security, 4759, "added-group-account", "iam", None),
    row(Log::Security, 4760, "modified-group-account", "iam", None),
    row(Log::Security, 4761, "user-added-to-group", "iam", None),
    row(Log::Security, 4762, "user-removed-from-group", "iam", None),
    row(Log::Security, 4763, "deleted-group-account", "iam", None),
    row(Log::Security, 4765, "sid-history-added", "iam", SUCCESS),
    row(Log::Security, 4766, "sid-history-added", "iam", FAILURE),
    row(Log::Security, 4767, "unlocked-user-account", "iam", None),
    row(Log::Security, 4768, "kerberos-authentication-ticket-requested", "authentication", None),
    row(Log::Security, 4769, "kerberos-service-ticket-requested", "authentication", None),
    row(Log::Security, 4770, "kerberos-service-ticket-renewed", "authentication", None),
    row(Log::Security, 4771, "kerberos-preauth-failed", "authentication", FAILURE),
    row(Log::Security, 4776, "credential-validated", "authentication", None),
    row(Log::Security, 4778, "session-reconnected", "session", None),
    row(Log::Security, 4779, "session-disconnected", "session", None),
    row(Log::Security, 4781, "renamed-user-account", "iam", None),
    row(Log::Security, 4798, "group-membership-enumerated", "iam", None),
    row(Log::Security, 4799, "user-member-enumerated", "iam", None),
    row(Log::Security, 4946, "firewall-rule-changed", "configuration", None),
    row(Log::Security, 4947, "firewall-rule-changed", "configuration", None),
    row(Log::Security, 4948, "firewall-rule-changed", "configuration", None),
    row(Log::Security, 4950, "firewall-rule-changed", "configuration", None),
    row(Log::Security, 4964, "logged-in-special", "iam", None),
    row(Log::Security, 5136, "directory-object-modified", "iam", None),
    row(Log::Security, 5137, "directory-object-created", "iam", None),
    row(Log::Security, 5140, "network-share-accessed", "file", None),
    row(Log::Security, 5141, "directory-object-deleted", "iam", None),
    row(Log::Security, 5142, "network-share-added", "configuration", None),
    row(Log::Security, 5143, "network-share-modified", "configuration", None),
    row(Log::Security, 5144, "network-share-deleted", "configuration", None),
    row(Log::Security, 5145, "network-share-file-accessed", "file", None),
    row(Log::Security, 5156, "connection-permitted", "network", SUCCESS),
    row(Log::Security, 5157, "connection-blocked", "network", FAILURE),
    row(Log::Security, 5158, "local-port-bound", "network", None),
    row(Log::Sysmon, 1, "created-process", "process", None),
    row(Log::Sysmon, 2, "file-creation-time-changed", "file", None),
    row(Log::Sysmon, 3, "network-connection", "network", None),
    row(Log::Sysmon, 4, "sysmon-state-changed", "configuration", None),
    row(Log::Sysmon, 5, "exited-process", "process", None),
    row(Log::Sysmon, 6, "driver-loaded", "driver", None),
    row(Log::Sysmon, 7, "image-loaded", "library", None),
    row(Log::Sysmon, 8, "remote-thread-created", "process", None),
    row(Log::Sysmon, 9, "raw-disk-read", "process", None),
    row(Log::Sysmon, 10, "process-accessed", "process", None),
    row(Log::Sysmon, 11, "file-created", "file", None),
    row(Log::Sysmon, 12, "registry-key-changed", "registry", None),
    row(Log::Sysmon, 13, "registry-value-set", "registry", None),
    row(Log::Sysmon, 14, "registry-renamed", "registry", None),
    row(Log::Sysmon, 15, "file-stream-created", "file", None),
    row(Log::Sysmon, 16, "sysmon-config-changed", "configuration", None),
    row(Log::Sysmon, 17, "pipe-created", "file", None),
    row(Log::Sysmon, 18, "pipe-connected", "file", None),
    row(Log::Sysmon, 19, "wmi-filter-registered", "configuration", None),
    row(Log::Sysmon, 20, "wmi-consumer-registered", "configuration", None),
    row(Log::Sysmon, 21, "wmi-consumer-bound", "configuration", None),
    row(Log::Sysmon, 22, "dns-query", "network", None),
    row(Log::Sysmon, 23, "file-deleted", "file", None),
    row(Log::Sysmon, 24, "clipboard-changed", "process", None),
    row(Log::Sysmon, 25, "process-tampered", "process", None),
    row(Log::Sysmon, 26, "file-deleted", "file", None),
    row(Log::Sysmon, 27, "executable-blocked", "file", None),
    row(Log::Sysmon, 28, "shredding-blocked", "file", None),
    row(Log::Sysmon, 29, "executable-created", "file", None),
    row(Log::Sysmon, 255, "sysmon-error", "process", None),
    row(Log::System, 104, "log-cleared", "configuration", SUCCESS),
    row(Log::System, 6005, "event-log-started", "process", None),
    row(Log::System, 6006, "event-log-stopped", "process", None),
    row(Log::System, 7034, "service-crashed", "process", None),
    row(Log::System, 7036, "service-state-changed", "process", None),
    row(Log::System, 7040, "service-start-type-changed", "configuration", None),
    row(Log::System, 7045, "service-installed", "configuration", SUCCESS),
    row(Log::PowerShell, 400, "powershell-started", "process", None),
    row(Log::PowerShell, 403, "powershell-stopped", "process", None),
    row(Log::PowerShell, 600, "powershell-provider-started", "process", None),
    row(Log::PowerShell, 800, "powershell-pipeline", "process", None),
    row(Log::PowerShell, 4103, "powershell-module", "process", None),
    row(Log::PowerShell, 4104, "powershell-script-block", "process", None),
    row(Log::TaskScheduler, 106, "scheduled-task-created", "configuration", None),
    row(Log::TaskScheduler, 129, "scheduled-task-started", "process", None),
    row(Log::TaskScheduler, 140, "scheduled-task-updated", "configuration", None),
    row(Log::TaskScheduler, 141, "scheduled-task-deleted", "configuration", None),
    row(Log::TaskScheduler, 200, "scheduled-task-started", "process", None),
    row(Log::Defender, 1006, "malware-detected", "malware", None),
    row(Log::Defender, 1007, "malware-handled", "malware", None),
    row(Log::Defender, 1013, "antivirus-history-deleted", "configuration", None),
    row(Log::Defender, 1116, "malware-detected", "malware", None),
    row(Log::Defender, 1117, "malware-handled", "malware", None),
    row(Log::Defender, 5001, "antivirus-disabled", "configuration", None),
    row(Log::Defender, 5007, "antivirus-config-changed", "configuration", None),
    row(Log::RemoteDesktop, 21, "logged-in", "session", SUCCESS),
    row(Log::RemoteDesktop, 23, "logged-out", "session", None),
    row(Log::RemoteDesktop, 24, "session-disconnected", "session", None),
    row(Log::RemoteDesktop, 25, "session-reconnected", "session", None),
    row(Log::RemoteDesktop, 1149, "remote-desktop-authenticated", "authentication", SUCCESS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_has_no_number_twice() {
        assert!(ACTIONS.is_sorted_by(|a, b| (a.log, a.code) < (b.log, b.code)));
        assert_eq!(of(Log::Security, 4624).map(|action| action.action), Some("logged-in"));
        assert!(of(Log::System, 4624).is_none() && of(Log::Security, -1).is_none());
    }
}
