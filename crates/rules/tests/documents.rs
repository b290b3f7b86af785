//! Rules and Heimdall: a line that its agent reports fires what the line itself fires, and every rule
//! has a kind and a severity of Heimdall's.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may stop where it stands and say why"
)]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use std::fs;

use bergfried_event::{Event, Field, Finding, SourceKind, Timestamp};
use bergfried_heimdall::{EventType, kind_of_rule};
use bergfried_parse::{Context, parse};
use bergfried_rules::{Engine, Limits};
use serde_json::json;
use support::{packs, read, root};

fn context() -> Context<'static> {
    Context {
        received: "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap(),
        host: "myhost",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

/// The document of an agent that read the line, and knows no more of it than when and where.
fn document(line: &str, event: &Event<'_>, firewall: bool) -> String {
    let host = event.text(Field::HostName);
    json!({
        "timestamp": event.created(),
        "source_host": host.unwrap_or("myhost"),
        "os_type": if firewall { "FIREWALL" } else { "LINUX" },
        "event_type": if firewall { "CONNECTION_BLOCKED" } else { "LOGIN_FAIL" },
        "severity": 3,
        "source_ip": "N/A",
        "user": "N/A",
        "raw_message": line,
    })
    .to_string()
}

/// What is stated about a finding, but for the text that it shows.
fn stated(mut findings: Vec<Finding>) -> Vec<String> {
    for finding in &mut findings {
        finding.example.clear();
        finding.matched.retain(|(name, _)| name != "event.original");
    }
    findings.iter().map(|finding| serde_json::to_string(finding).unwrap()).collect()
}

#[test]
fn documents_fire_what_their_lines_fire() {
    let rules = packs();
    let mut compared = 0;
    for (pack, firewall) in [("rules/linux/auth/samples", false), ("rules/network/samples", true)] {
        for folder in fs::read_dir(root().join(pack)).unwrap() {
            let folder = folder.unwrap().path();
            let text = read(&folder.join("fires.log"));
            // Records of audit are no lines that such an agent reads.
            if text.contains("type=") || text.trim_start().starts_with('{') {
                continue;
            }
            let limits = || Limits { update_interval: i64::MAX, ..Limits::default() };
            let mut engines =
                [Engine::new(rules.clone(), limits()), Engine::new(rules.clone(), limits())];
            let mut found = [Vec::new(), Vec::new()];
            for (line, id) in text.lines().zip(1..) {
                let event = parse(SourceKind::File, line, &context());
                let document = document(line, &event, firewall);
                let reported = parse(SourceKind::Heimdall, &document, &context());
                for ((engine, findings), mut event) in
                    engines.iter_mut().zip(&mut found).zip([event.clone(), reported.clone()])
                {
                    rules.judge(&mut event);
                    engine.observe(&event, id, findings);
                }
            }
            for (engine, findings) in engines.iter_mut().zip(&mut found) {
                engine.flush(findings);
            }
            let [lines, documents] = found;
            compared += lines.len();
            assert_eq!(stated(documents), stated(lines), "{}", folder.display());
        }
    }
    assert!(compared >= 15, "{compared}");
}

#[test]
fn rules_are_of_the_kinds_that_they_are_about() {
    let rules = packs();
    for (file, kind) in [
        ("rules/linux/auth/ssh_brute_force.yml", EventType::LoginFail),
        ("rules/linux/auth/login_user_never_seen.yml", EventType::LoginSuccess),
        ("rules/linux/auth/sudo_not_allowed.yml", EventType::SudoEscalation),
        ("rules/linux/auth/user_created.yml", EventType::AccountCreate),
        ("rules/linux/auth/user_added_to_admin_group.yml", EventType::GroupAdd),
        ("rules/linux/persistence/systemd_unit_written.yml", EventType::ServiceInstall),
        ("rules/linux/persistence/web_shell_written.yml", EventType::WebAttack),
        ("rules/firewall/port_scan.yml", EventType::PortScan),
        ("rules/firewall/blocked_burst.yml", EventType::ConnectionBlocked),
        ("rules/firewall/firewall_disabled.yml", EventType::SystemAlert),
        ("rules/tamper/log_destroyed.yml", EventType::LogTampering),
        ("rules/dns/blocked_burst.yml", EventType::DnsBlock),
        ("rules/pfsense/web_login_failed.yml", EventType::LoginFail),
        ("rules/windows/event_log_cleared.yml", EventType::LogTampering),
        ("rules/windows/powershell_encoded.yml", EventType::ProcessExec),
        ("rules/windows/user_deleted.yml", EventType::AccountDelete),
    ] {
        let mut of_file = rules.rules().iter().filter(|rule| rule.file() == file).peekable();
        assert!(of_file.peek().is_some(), "{file}");
        for rule in of_file.filter(|rule| !rule.is_silent()) {
            assert_eq!(kind_of_rule(rule.file(), rule.tags()), kind, "{file}");
        }
    }
}
