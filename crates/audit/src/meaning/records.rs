//! Types of records.

use super::{Meaning, action};
use crate::record_type::RecordType;

const ACCOUNT: &[&str] = &["id", "acct"];
const INFO: &[&str] = &["info"];
const CHANGE: &[&str] = &["change"];
const START: &[&str] = &["start"];
const CONNECTION: &[&str] = &["connection", "start"];

/// What a type of record means; nothing where it only says more about a system call.
///
/// `is_apparmor`: whether an access vector is AppArmor's, not SELinux's.
#[rustfmt::skip]
pub(crate) fn of_record(kind: RecordType, is_apparmor: bool) -> Option<Meaning> {
    let meaning = match kind.0 {
        1005 => action("sent-message").of("message", &["addr"], &[]),
        1006 => Meaning { actor: &["old_auid", "old-auid"], ..action("changed-login-id-to").authentication(START) }
            .of("user-session", &["auid"], &[]),
        // What programs say of people (1100 to 1199).
        1100 => action("authenticated").session().authentication(INFO),
        1101 => action("was-authorized").session().authentication(INFO),
        1102 => action("modified-user-account").session().iam(&["user", "change"]),
        1103 => action("acquired-credentials").session().authentication(INFO),
        1104 => action("disposed-credentials").session().authentication(INFO),
        1105 => action("started-session").session().authentication(INFO),
        1106 => action("ended-session").session().authentication(INFO),
        1107 => action("access-permission"),
        1108 => action("changed-password").session().iam(&["user", "change"]),
        1109 => action("error").session().authentication(INFO),
        1110 => action("refreshed-credentials").session().authentication(INFO),
        1111 => action("changed-configuration").configuration(CHANGE).of("system", &["op"], &[]),
        1112 => action("logged-in").session().authentication(START),
        1113 => action("logged-out").session().authentication(&["end"]),
        1114 => action("added-user-account").iam(&["user", "creation"]).of("account", ACCOUNT, &[]),
        1115 => action("deleted-user-account").iam(&["user", "deletion"]).of("account", ACCOUNT, &[]),
        1116 => action("added-group-account-to").iam(&["group", "creation"]).of("account", ACCOUNT, &[]),
        1117 => action("deleted-group-account-from").iam(&["group", "deletion"]).of("account", ACCOUNT, &[]),
        1118 => action("access-result"),
        1119 => action("changed-group").process(CHANGE),
        1120 => action("sent-test").process(INFO),
        1121 => action("unknown").process(INFO),
        1122 => action("access-error"),
        1123 => action("ran-command").process(START).of("process", &["cmd"], &[]),
        1124 | 1319 => action("typed").of("keystrokes", &["data"], &[]).by(&["comm", "exe"]),
        1125 => action("changed-user-id").process(CHANGE),
        1126 => action("authenticated-to-group").authentication(INFO),
        1127 => action("booted-system").host(START).of("system", &[], &[]),
        1128 => action("shutdown-system").host(&["end"]).of("system", &[], &[]),
        1129 => action("changed-to-runlevel").host(CHANGE).of("system", &["new-level"], &[]),
        1130 => action("started-service").process(START).of("service", &["unit"], &[]),
        1131 => action("stopped-service").process(&["stop"]).of("service", &["unit"], &[]),
        1132 => action("modified-group-account").iam(&["group", "change"]).of("account", ACCOUNT, &[]),
        1133 => Meaning { primary: &["acct"], ..action("changed-group-password").session() }.iam(&["group", "change"]),
        1134 => action("mac-permission"),
        1135 => action("locked-account").iam(&["user", "info"]).of("account", ACCOUNT, &[]),
        1136 => action("unlocked-account").iam(&["user", "info"]).of("account", ACCOUNT, &[]),
        1137 => action("changed-device").configuration(CHANGE).of("device", &["device", "uuid"], &[]),
        1138 => action("updated-software").is(&["package"], CHANGE).of("package", &["sw"], &["sw_type"]),
        // The daemon (1200 to 1299).
        1200 => daemon("started-audit").process(START),
        1201 => daemon("shutdown-audit").process(&["stop"]),
        1202 => daemon("aborted-auditd-startup").process(&["stop"]),
        1203 => daemon("changed-auditd-configuration").is(&["process", "configuration"], CHANGE),
        1204 => daemon("reconfigured-auditd").is(&["process", "configuration"], INFO),
        1205 => daemon("rotated-audit-logs").process(CHANGE),
        1206 => daemon("resumed-audit-logging").process(CHANGE),
        1207 => daemon("remote-audit-connected").is(&["network"], CONNECTION),
        1208 => daemon("remote-audit-disconnected").is(&["network"], CONNECTION),
        1209 => daemon("audit-error").process(INFO),
        // The kernel (1300 to 1999).
        1305 => action("changed-audit-configuration").is(&["process", "configuration"], CHANGE)
            .of("audit-config", &["op", "key", "audit_enabled", "audit_pid", "audit_backlog_limit", "audit_failure"], &[]),
        1316 => action("kernel-message"),
        1324 => action("filtered-packet").is(&["network"], INFO).of("packet", &["daddr"], &["dport"]),
        1325 => action("loaded-firewall-rule-to").configuration(CHANGE).of("firewall", &["table"], &[]),
        1326 => action("violated-seccomp-policy").of("process", &["syscall"], &[]),
        1328 => action("changed-audit-feature").configuration(CHANGE).of("system", &["feature"], &[]),
        1329 => action("replaced-audit-daemon").of("service", &[], &[]),
        1330 => action("loaded-kernel-module").is(&["driver"], START).of("file", &["name"], &[]),
        1334 => action("used-bpf").process(INFO).of("program", &["prog-id"], &["op"]),
        1335 => action("listened-to-audit").process(INFO).of("audit-config", &["op"], &["nl-mcgrp"]),
        1336 => action("").process(INFO),
        1338 | 1339 => action("changed-device-mapper").configuration(CHANGE).of("device", &["dev"], &["op"]),
        1400 if is_apparmor => apparmor(),
        1400 => Meaning { actor: &["scontext"], ..action("violated-selinux-policy") }.of("", &["tcontext"], &["tclass"]),
        1401 => action("caused-mac-policy-error").of("system", &[], &[]),
        1403 => mac("loaded-selinux-policy", &[]).configuration(&["access"]),
        1404 => mac("changed-selinux-enforcement", &["enforcing"]).configuration(CHANGE),
        1405 => mac("changed-selinux-boolean", &["bool"]).configuration(CHANGE),
        1406..1420 => mac("changed-network-labels", &["netlbl_domain", "cipso_doi"]).configuration(CHANGE),
        1420 => action("violated-integrity-policy").of("policy", &["ipe_op"], &["rule"]),
        1421 | 1422 => action("changed-integrity-policy").configuration(CHANGE).of("policy", &["policy_name"], &[]),
        1423 => action("violated-landlock-policy").of("policy", &["blockers"], &[]),
        1424 => action("changed-landlock-domain").process(INFO).of("policy", &["domain"], &[]),
        1500..1600 => apparmor(),
        1700 => action("changed-promiscuous-mode-on-device").of("network-device", &["dev"], &[]),
        1701 => action("crashed-program").process(&["end"]).of("process", &["comm", "exe"], &["pid"]).by(&["sig"]),
        1702 => action("used-suspicious-link"),
        1703 => action("created-suspicious-file"),
        1800..1900 => action("checked-integrity-of").of("file", &["name", "file"], &["cause"]),
        2000 => action("initialized-audit-subsystem").process(INFO),
        // Anomalies that programs saw, and what they did about it.
        2100 => action("failed-log-in-too-many-times-to").session(),
        2101 => action("attempted-log-in-during-unusual-hour-to").session(),
        2102 => action("opened-too-many-sessions-to").session(),
        2103 => action("attempted-log-in-to-watched-account").session(),
        2104 => action("attempted-log-in-from-unusual-place-to").session(),
        2109 => action("tested-file-system-integrity-of").of("filesystem", &["hostname"], &[]),
        2112 => action("attempted-execution-of-forbidden-program").process(START).of("process", &["cmd"], &[]).by(&["terminal"]),
        2105..2200 => action("saw-anomaly"),
        2200..2300 => action("responded-to-anomaly"),
        2300 => Meaning { primary: &["selected-context"], secondary: &[], ..action("changed-role-to").session() },
        2301 => action("assigned-user-role-to").iam(&["user", "change"]).of("account", ACCOUNT, &[]),
        2302 => action("removed-user-role-from").iam(&["user", "change"]).of("account", ACCOUNT, &[]),
        2303 => mac("overrode-label-of", &[]),
        2304 => action("modified-level-of").of("printer", &["printer"], &[]),
        2305 | 2306 => action("exported-object"),
        2307 | 2308 => action("changed-device").configuration(CHANGE).of("device", &["device"], &[]),
        2309 => mac("relabeled-filesystem", &[]),
        2310 => mac("loaded-mac-policy", &[]).configuration(&["access"]),
        2311 => action("modified-role").iam(CHANGE),
        2312 => mac("changed-mac-configuration", &[]).configuration(CHANGE),
        2313 => mac("changed-mac-status", &[]).configuration(CHANGE),
        2402 => action("crypto-officer-logged-in"),
        2403 => action("crypto-officer-logged-out").process(INFO),
        2404 => Meaning { primary: &["fp"], ..action("negotiated-crypto-key").session() }.process(INFO),
        2407 => Meaning { primary: &["addr"], secondary: &["rport"], ..action("started-crypto-session").session() }.process(INFO),
        2400..2500 => action("used-crypto").process(INFO),
        2500 => action("issued-vm-control").host(INFO).of("virtual-machine", &["op"], &["vm"]),
        2501 => action("assigned-vm-resource").host(INFO).of("virtual-machine", &["resrc"], &["vm"]),
        2502 => action("assigned-vm-id").host(INFO).of("virtual-machine", &["vm"], &[]),
        2503 => action("checked-integrity-of").host(INFO),
        2504 => action("created-vm-image").host(INFO),
        2505 => action("deleted-vm-image").host(INFO),
        2506 => action("migrated-vm-from").host(INFO),
        2507 => action("migrated-vm-to").host(INFO),
        _ => return None,
    };
    Some(match kind.0 {
        // Whatever else they are, somebody should know of them.
        1702 | 1703 | 2103 | 2105..=2108 | 2110 | 2111 | 2113..2200 => meaning.intrusion(),
        _ => meaning,
    })
}

const fn daemon(name: &'static str) -> Meaning {
    action(name).of("service", &[], &[])
}

const fn mac(name: &'static str, primary: &'static [&'static str]) -> Meaning {
    action(name).of("mac-config", primary, &[])
}

const fn apparmor() -> Meaning {
    action("violated-apparmor-policy").of(
        "policy",
        &["operation"],
        &["requested_mask", "denied_mask", "capname"],
    )
}

/// Whether records of this type are of something that should not be.
pub(crate) fn is_anomaly(kind: RecordType) -> bool {
    matches!(kind.0, 1700..1800 | 2100..2200)
}

/// The class of a type of record, as the library of linux-audit names them
/// (auparse_normalize_get_event_kind(3)).
pub(crate) fn class(kind: RecordType) -> &'static str {
    match kind.0 {
        1100 | 1101 | 1103..=1106 | 1108..=1110 | 1112 | 1113 | 1006 => "user-login",
        1119 | 1126 => "group-change",
        1102 | 1114..=1117 | 1132 | 1133 | 1135 | 1136 => "user-account",
        1127..=1131 | 2000 => "system-services",
        1111 | 1305 | 1325 | 1328 | 1329 | 1137 | 1138 => "configuration",
        1118 => "dac-decision",
        1120 | 1121 | 1123 | 1125 | 1005 => "user-space",
        1124 | 1319 => "TTY",
        1200..1300 => "audit-daemon",
        1107 | 1122 | 1134 | 1400..=1402 | 1500..1600 | 1423 => "mac-decision",
        1403..1500 | 2300..2400 => "mac",
        1300..=1304 | 1306..=1315 | 1317 | 1318 | 1320..=1323 | 1327 => "audit-rule",
        1700..1800 | 2100..2200 => "anomaly",
        1800..1900 => "integrity",
        1600..1700 | 2400..2500 => "crypto",
        2200..2300 => "anomaly-response",
        2500..2600 => "virt",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_that_is_an_event_means_something() {
        for number in (1000..3000).filter(|number| RecordType(*number).stands_alone()) {
            if RecordType(number).name().is_some() && number >= 1100 {
                let meaning = of_record(RecordType(number), false);
                assert!(meaning.is_some_and(|found| !found.action.is_empty()), "{number}");
            }
        }
    }
}
