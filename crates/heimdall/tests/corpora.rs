//! How many events of each kind real logs hold, from the folder of shared corpora beside the checkout;
//! skipped with a message where that folder is absent.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking, and what it skipped"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bergfried_event::{Event, SourceKind};
use bergfried_heimdall::classify;
use bergfried_parse::{Context, parse};
use serde_json::Value as Json;

/// How often `KIND SYSTEM SEVERITY` occurs.
type Counts = BTreeMap<String, u64>;

fn corpus(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent", path.display());
    None
}

fn context() -> Context<'static> {
    Context {
        received: "2026-11-21T12:00:00Z".parse().unwrap(),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

fn add(counts: &mut Counts, event: &Event<'_>) {
    if let Some(class) = classify(event) {
        let (kind, os) = (class.kind.name(), class.os.name());
        *counts.entry(format!("{kind} {os} {}", class.severity.number())).or_default() += 1;
    }
}

/// The counts of the lines of a file.
fn of_lines(kind: SourceKind, name: &str) -> Option<Counts> {
    let text = std::fs::read_to_string(corpus(name)?).unwrap();
    let mut counts = Counts::new();
    for line in text.lines() {
        add(&mut counts, &parse(kind, line, &context()));
    }
    Some(counts)
}

#[test]
fn what_was_done_on_a_linux_host_is_counted_once() {
    for (kind, log) in [
        (SourceKind::File, "lab_debian12/traditional.log"),
        (SourceKind::File, "lab_debian12/rfc5424.log"),
        (SourceKind::Journald, "lab_debian12/journal.json"),
    ] {
        let Some(found) = of_lines(kind, log) else { return };
        let truth = std::fs::read(corpus("lab_debian12/truth.json").unwrap()).unwrap();
        let truth: Json = serde_json::from_slice(&truth).unwrap();
        let done = |actions: &[&str]| -> u64 {
            actions.iter().map(|action| truth["counts"][action].as_u64().unwrap()).sum()
        };
        for (kind, actions) in [
            (
                "LOGIN_FAIL LINUX 3",
                &["ssh_password_failure", "tty_login_failure", "su_failure"][..],
            ),
            (
                "LOGIN_SUCCESS LINUX 1",
                &["ssh_password_success", "ssh_publickey_success", "tty_login_success"],
            ),
            ("SUDO_ESCALATION LINUX 2", &["sudo_success", "su_success"]),
            ("SUDO_ESCALATION LINUX 3", &["sudo_failure"]),
            ("ACCOUNT_CREATE LINUX 4", &["user_add"]),
            ("ACCOUNT_DELETE LINUX 4", &["user_del"]),
            ("GROUP_ADD LINUX 4", &["group_member_add"]),
        ] {
            assert_eq!(found.get(kind), Some(&done(actions)), "{kind} in {log}: {found:?}");
        }
    }
}

#[test]
fn packets_and_sensors_have_their_kinds() {
    let mut text = String::new();
    for (kind, log) in [
        (SourceKind::File, "firewall/ufw_iptables_kernel.log"),
        (SourceKind::File, "pfsense/filterlog_rfc5424.log"),
        (SourceKind::File, "pfsense/php_fpm.log"),
        (SourceKind::File, "snort/alert_fast.log"),
        (SourceKind::Json, "falco/alerts.jsonl"),
    ] {
        let Some(found) = of_lines(kind, log) else { return };
        for (name, count) in found {
            text.push_str(&format!("{log} {name}: {count}\n"));
        }
    }
    assert_eq!(text, SENSORS, "{text}");
}

const SENSORS: &str = "\
firewall/ufw_iptables_kernel.log CONNECTION_BLOCKED FIREWALL 2: 20
pfsense/filterlog_rfc5424.log CONNECTION_BLOCKED FIREWALL 2: 2
pfsense/php_fpm.log LOGIN_SUCCESS FIREWALL 1: 1
snort/alert_fast.log PORT_SCAN FIREWALL 3: 1
snort/alert_fast.log SYSTEM_ALERT FIREWALL 3: 1
snort/alert_fast.log SYSTEM_ALERT FIREWALL 4: 2
falco/alerts.jsonl SYSTEM_ALERT LINUX 1: 2
falco/alerts.jsonl SYSTEM_ALERT LINUX 2: 6
falco/alerts.jsonl SYSTEM_ALERT LINUX 3: 4
falco/alerts.jsonl SYSTEM_ALERT LINUX 4: 1
falco/alerts.jsonl SYSTEM_ALERT LINUX 5: 2
";

#[test]
fn events_of_windows_have_their_kinds() {
    let Some(folder) = corpus("evtx") else { return };
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "evtx") {
            continue;
        }
        let mut counts = Counts::new();
        let file = std::fs::File::open(&path).unwrap();
        for chunk in bergfried_evtx::Chunks::oldest_first(file).unwrap() {
            let decoded = chunk.unwrap().decode(&bergfried_evtx::Settings::default());
            for record in decoded.records() {
                add(&mut counts, &parse(SourceKind::Json, record.json, &context()));
            }
        }
        let name: String = path.file_name().unwrap().to_str().unwrap().chars().take(3).collect();
        found.insert(name, counts);
    }
    let mut text = String::new();
    for (file, counts) in found {
        for (name, count) in counts {
            text.push_str(&format!("{file} {name}: {count}\n"));
        }
    }
    assert_eq!(text, EVTX, "{text}");
}

/// By the number in front of the file's name, which says what is in it.
const EVTX: &str = "\
000 LOG_TAMPERING WINDOWS 5: 30
001 LOGIN_FAIL WINDOWS 3: 2
002 LOG_TAMPERING WINDOWS 5: 91
003 ACCOUNT_CREATE WINDOWS 4: 1
003 GROUP_ADD WINDOWS 4: 1
004 GROUP_ADD WINDOWS 4: 3
005 LOGIN_FAIL WINDOWS 3: 5
005 LOG_TAMPERING WINDOWS 5: 1
005 PROCESS_EXEC WINDOWS 1: 2
006 PROCESS_EXEC WINDOWS 1: 21
009 SERVICE_INSTALL WINDOWS 4: 6
010 LOG_TAMPERING WINDOWS 5: 1
010 PROCESS_EXEC WINDOWS 1: 1
017 PROCESS_EXEC WINDOWS 1: 2
018 LOGIN_SUCCESS WINDOWS 1: 1
018 LOG_TAMPERING WINDOWS 5: 1
018 PROCESS_EXEC WINDOWS 1: 3
019 LOGIN_SUCCESS WINDOWS 1: 1
019 LOG_TAMPERING WINDOWS 5: 1
019 PROCESS_EXEC WINDOWS 1: 3
022 LOGIN_FAIL WINDOWS 3: 37
023 LOGIN_SUCCESS WINDOWS 1: 6
024 ACCOUNT_CREATE WINDOWS 4: 1
030 PROCESS_EXEC WINDOWS 1: 2
032 PROCESS_EXEC WINDOWS 1: 2
034 LOGIN_SUCCESS WINDOWS 1: 14
036 LOG_TAMPERING WINDOWS 5: 1
036 PROCESS_EXEC WINDOWS 1: 1
037 SERVICE_INSTALL WINDOWS 4: 1
038 PROCESS_EXEC WINDOWS 1: 1
041 LOGIN_FAIL WINDOWS 3: 15
041 LOGIN_SUCCESS WINDOWS 1: 30
";
