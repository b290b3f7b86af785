//! Real lines with known truth, from the folder of shared corpora beside the checkout; skipped
//! with a message where that folder is absent.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

mod corpora;

use std::collections::BTreeMap;

use bergfried_event::{Event, Field, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use serde_json::Value as Json;

use corpora::corpus;

fn json_lines(path: &str) -> Option<Vec<Json>> {
    let text = corpus(path)?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn context(received: &str) -> Context<'static> {
    Context {
        received: received.parse().unwrap(),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

/// Everything in an event but its time, its raw text and what the envelope leaves out.
fn meaning(event: &Event<'_>) -> BTreeMap<String, Json> {
    let envelope = ["log.syslog.facility.name", "log.syslog.severity.name", "log.syslog.priority"];
    let Json::Object(map) = serde_json::to_value(event).unwrap() else { unreachable!() };
    map.into_iter()
        .filter(|(name, _)| !envelope.contains(&name.as_str()))
        .filter(|(name, _)| name != "@timestamp" && name != "event.original")
        .collect()
}

#[test]
fn every_form_of_a_line_gives_the_same_event() {
    let Some(lines) = json_lines("lab_debian12/syslog_lines.jsonl") else { return };
    let journal: BTreeMap<String, String> = corpus("lab_debian12/journal.json")
        .unwrap()
        .lines()
        .map(|line| {
            let entry: Json = serde_json::from_str(line).unwrap();
            (entry["__CURSOR"].as_str().unwrap().to_owned(), line.to_owned())
        })
        .collect();
    let context = context("2026-11-21T12:00:00Z");
    for line in &lines {
        let expect = &line["expect"];
        let truth: Timestamp = expect["timestamp_utc"].as_str().unwrap().parse().unwrap();
        let mut meanings = Vec::new();
        for form in ["rfc3164", "rfc3164_pri", "rfc5424", "iso8601"] {
            let text = line[form].as_str().unwrap();
            let event = parse(SourceKind::File, text, &context);
            assert_eq!(event.text(Field::HostName), expect["host"].as_str(), "{text}");
            assert_eq!(event.text(Field::ProcessName), expect["program"].as_str(), "{text}");
            let pid = event.get(Field::ProcessPid).and_then(|pid| pid.as_int());
            assert_eq!(pid, expect["pid"].as_i64(), "{text}");
            assert_eq!(event.text(Field::Message), expect["message"].as_str(), "{text}");
            // rsyslog stamps a line when it reads it, a moment after the journal did.
            let late = event.created().since(truth);
            assert!((-Timestamp::SECOND..2 * Timestamp::SECOND).contains(&late), "{late} {text}");
            if form.ends_with("pri") || form == "rfc5424" {
                assert_eq!(event.text(Field::SyslogFacility), expect["facility"].as_str());
                assert_eq!(event.text(Field::SyslogSeverity), expect["severity"].as_str());
                let code = event.get(Field::SyslogPriority).and_then(|code| code.as_int());
                assert_eq!(code, expect["pri"].as_i64());
            }
            meanings.push(meaning(&event));
        }
        if let Some(entry) = journal.get(line["journal_cursor"].as_str().unwrap()) {
            let event = parse(SourceKind::Journald, entry, &context);
            assert_eq!(event.created(), truth, "{entry}");
            assert_eq!(event.text(Field::SyslogFacility), expect["facility"].as_str());
            let mut journal_meaning = meaning(&event);
            if expect["pid"].is_null() {
                // The journal knows the process of a line that does not say it.
                journal_meaning.remove("process.pid");
            }
            meanings.push(journal_meaning);
        }
        for other in meanings.iter().skip(1) {
            assert_eq!(other, &meanings[0], "{}", line["rfc3164"]);
        }
    }
}

fn is(event: &Event<'_>, action: &str, outcome: &str) -> bool {
    event.text(Field::EventAction) == Some(action)
        && event.text(Field::EventOutcome) == Some(outcome)
}

#[test]
fn the_lab_counts_come_out() {
    let Some(log) = corpus("lab_debian12/traditional.log") else { return };
    let truth: Json = serde_json::from_str(&corpus("lab_debian12/truth.json").unwrap()).unwrap();
    let count = |name: &str| truth["counts"][name].as_u64().unwrap();
    let context = context("2026-11-21T12:00:00Z");
    let events: Vec<Event<'_>> =
        log.lines().map(|line| parse(SourceKind::File, line, &context)).collect();
    let how_many = |test: &dyn Fn(&Event<'_>) -> bool| {
        events.iter().filter(|event| test(event)).count() as u64
    };
    let by_ssh = |event: &Event<'_>, method: &str, outcome: &str| {
        is(event, "ssh_login", outcome) && event.text(Field::SshMethod) == Some(method)
    };
    let program = |event: &Event<'_>, name: &str| event.text(Field::ProcessName) == Some(name);
    let found = [
        ("ssh_password_failure", how_many(&|e| by_ssh(e, "password", "failure"))),
        ("ssh_password_success", how_many(&|e| by_ssh(e, "password", "success"))),
        ("ssh_publickey_success", how_many(&|e| by_ssh(e, "publickey", "success"))),
        ("sudo_failure", how_many(&|e| program(e, "sudo") && is(e, "executed-command", "failure"))),
        ("sudo_success", how_many(&|e| program(e, "sudo") && is(e, "executed-command", "success"))),
        ("tty_login_failure", how_many(&|e| is(e, "login", "failure"))),
        ("su_failure", how_many(&|e| is(e, "su", "failure"))),
        ("user_add", how_many(&|e| is(e, "added-user-account", "success"))),
        ("user_del", how_many(&|e| is(e, "deleted-user-account", "success"))),
        ("group_member_remove", how_many(&|e| is(e, "user-removed-from-group", "success"))),
        // One line for /etc/group, one for /etc/gshadow.
        ("group_member_add", how_many(&|e| is(e, "user-added-to-group", "success")) / 2),
        // Locking an account with `passwd -l` says that the password was changed.
        (
            "password_change",
            how_many(&|e| is(e, "changed-password", "success")) - count("account_lock"),
        ),
        (
            "ssh_no_identification",
            how_many(&|e| {
                e.text(Field::EventReason).is_some_and(|reason| {
                    reason.starts_with("kex_exchange_identification: Connection closed")
                })
            }),
        ),
        ("ssh_bad_protocol", how_many(&|e| is(e, "ssh_scan", "failure"))),
    ];
    for (name, found) in found {
        assert_eq!(found, count(name), "{name}");
    }
    for (address, failures) in truth["ssh_failures_by_ip"].as_object().unwrap() {
        let found = how_many(&|e| {
            by_ssh(e, "password", "failure") && e.text(Field::SourceIp) == Some(address)
        });
        assert_eq!(Some(found), failures.as_u64(), "{address}");
    }
}

#[test]
fn every_sshd_line_of_the_wild_is_understood() {
    let files = [
        ("syslog/loghub_OpenSSH.log", 0),
        // Lines cut short, a debug line and remarks of PAM modules have nothing to find.
        ("syslog/ossec_wazuh_decoder_examples.log", 6),
    ];
    for (path, expected) in files {
        let Some(log) = corpus(path) else { return };
        let context = context("2017-01-01T00:00:00Z");
        let silent: Vec<&str> = log
            .lines()
            .filter(|line| {
                let event = parse(SourceKind::File, line, &context);
                event.text(Field::ProcessName) == Some("sshd")
                    && event.get(Field::EventAction).is_none()
            })
            .collect();
        assert_eq!(silent.len(), expected, "{path}: {silent:#?}");
    }
}

#[test]
fn the_guessers_of_a_real_server_are_counted() {
    let Some(log) = corpus("syslog/loghub_OpenSSH.log") else { return };
    let context = context("2016-12-31T00:00:00Z");
    let mut outcomes = BTreeMap::new();
    for line in log.lines() {
        let event = parse(SourceKind::File, line, &context);
        assert_eq!(event.text(Field::HostName), Some("LabSZ"), "{line}");
        assert_eq!(event.text(Field::ProcessName), Some("sshd"), "{line}");
        assert_eq!(event.created().to_string().get(..10), Some("2016-12-10"), "{line}");
        if let (Some(_), Some(outcome)) =
            (event.text(Field::SshMethod), event.text(Field::EventOutcome))
        {
            assert!(event.get(Field::SourceIp).is_some(), "{line}");
            assert!(event.get(Field::SourcePort).is_some(), "{line}");
            assert!(event.get(Field::UserName).is_some(), "{line}");
            *outcomes.entry(outcome.to_owned()).or_insert(0) += 1;
        }
    }
    let counted = |word: &str| log.lines().filter(|line| line.contains(word)).count();
    assert_eq!(outcomes.get("failure").copied(), Some(counted("Failed ")));
    assert_eq!(outcomes.get("success").copied(), Some(counted("Accepted ")));
}

/// Programs whose labelled lines are in the scope of this crate.
fn in_scope(record: &Json) -> bool {
    let program = record["expect"]["program"].as_str().unwrap_or_default();
    ["sshd", "sudo", "su", "useradd", "groupadd", "CRON", "chage", "login"].contains(&program)
}

#[test]
fn labelled_events_have_the_labels() {
    let Some(records) = json_lines("labelled_sample/ecs.jsonl") else { return };
    let context = context("2024-12-31T00:00:00Z");
    let mut checked = 0;
    for record in records.iter().filter(|record| in_scope(record)) {
        let Some(line) = record["line"].as_str() else { continue };
        let event = serde_json::to_value(parse(SourceKind::File, line, &context)).unwrap();
        for (label, name) in [
            ("host", "host.name"),
            ("program", "process.name"),
            ("pid", "process.pid"),
            ("message", "message"),
            ("user", "user.name"),
            ("effective_user", "user.effective.name"),
            ("source_ip", "source.ip"),
            ("source_port", "source.port"),
            ("group", "group.name"),
        ] {
            let expect = &record["expect"][label];
            if !expect.is_null() {
                assert_eq!(&event[name], expect, "{name} of {line}");
                checked += 1;
            }
        }
        if let Some(categories) = record["expect"]["category"].as_array() {
            assert!(categories.contains(&event["event.category"]), "{line}");
        }
        let outcome = &record["expect"]["outcome"];
        // What follows `(command continued)` does not say how the command ended.
        if !outcome.is_null() && !line.contains("(command continued)") {
            assert_eq!(&event["event.outcome"], outcome, "{line}");
        }
    }
    assert!(checked > 80, "only {checked} labels");
}

#[test]
fn labelled_attackers_are_found() {
    let Some(records) = json_lines("labelled_sample/fail2ban.jsonl") else { return };
    let context = context("2026-01-01T00:00:00Z");
    for record in &records {
        let known = [
            "dropbear",
            "vsftpd",
            "sshd",
            "pam-generic",
            "proxmox",
            "webmin-auth",
            "xinetd-fail",
            "xrdp",
        ];
        if !known.contains(&record["filter"].as_str().unwrap()) || record["expect"]["match"] != true
        {
            continue;
        }
        let line = record["line"].as_str().unwrap();
        let event = parse(SourceKind::File, line, &context);
        assert_eq!(event.text(Field::SourceIp), record["expect"]["host"].as_str(), "{line}");
        assert_eq!(event.text(Field::EventOutcome), Some("failure"), "{line}");
    }
}

#[test]
fn labelled_attacks_on_services_name_their_source() {
    let Some(records) = json_lines("labelled_sample/sshguard.jsonl") else { return };
    let context = context("2026-01-01T00:00:00Z");
    let mut checked = 0;
    for record in &records {
        let service = record["expect"]["service"].as_str().unwrap_or_default();
        let known = ["ftpd shipped with FreeBSD", "ProFTPd", "Pure-FTPd", "vsftpd"];
        if !known.contains(&service) && service != "pfSense web configurator" {
            continue;
        }
        let line = record["line"].as_str().unwrap();
        let event = parse(SourceKind::File, line, &context);
        assert_eq!(event.text(Field::SourceIp), record["expect"]["address"].as_str(), "{line}");
        assert_eq!(event.text(Field::EventOutcome), Some("failure"), "{line}");
        checked += 1;
    }
    assert!(checked >= 10, "only {checked} lines");
}

#[test]
fn other_systems_lines_keep_their_envelope() {
    let Some(records) = json_lines("labelled_sample/crowdsec_parse.jsonl") else { return };
    let context = context("2025-12-31T00:00:00Z");
    for record in records.iter().filter(|record| record["log_type"] == "syslog") {
        let expect = &record["expect"];
        let line = record["line"].as_str().unwrap();
        let event = parse(SourceKind::File, line, &context);
        if line.contains("kernel: [") {
            // There the truth takes the process that the kernel's message is about.
            continue;
        }
        assert_eq!(event.text(Field::HostName), expect["host"].as_str(), "{line}");
        assert_eq!(event.text(Field::ProcessName), expect["program"].as_str(), "{line}");
        let pid = event.get(Field::ProcessPid).map(|pid| pid.to_text().into_owned());
        assert_eq!(pid.as_deref(), expect["pid"].as_str(), "{line}");
    }
}
