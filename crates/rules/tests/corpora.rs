//! The packs over real logs, and SigmaHQ's rules through the loader.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test may stop where it stands and say why"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bergfried_rules::{DiagnosticSeverity, RuleSet};
use support::{collect, corpus, findings, line, packs, read};

fn show(path: &str) -> Option<Vec<String>> {
    let path = corpus(path)?;
    let lines: Vec<String> = findings(&packs(), &read(&path)).iter().map(line).collect();
    println!("{}", lines.join("\n"));
    Some(lines)
}

#[test]
fn the_lab_break_in_is_found() {
    for file in ["traditional.log", "iso8601.log", "rfc3164_pri.log", "rfc5424.log"] {
        let Some(found) = show(&format!("lab_debian12/{file}")) else { return };
        let has = |start: &str| found.iter().any(|line| line.starts_with(start));
        assert!(
            has("critical | SSH login after many failures from the same source | host labhost"),
            "{file}"
        );
        assert!(
            found.iter().any(|line| line.contains("user bob | source 203.0.113.7 | 16")),
            "{file}"
        );
    }
}

#[test]
fn openssh_of_loghub() {
    let Some(found) = show("syslog/loghub_OpenSSH.log") else { return };
    assert!(found.len() <= 20, "{} findings over a thousand lines", found.len());
    let scan = "medium | SSH brute force | host LabSZ | user - | source 187.141.143.180 | 80";
    assert!(found.iter().any(|line| line == scan));
    assert!(found.iter().all(|line| !line.starts_with("critical")));
}

#[test]
fn linux_of_loghub() {
    let Some(found) = show("syslog/loghub_Linux.log") else { return };
    // Nothing about the daily jobs that root runs as news and cyrus.
    let known = ["| Repeated authentication failures ", "| Repeated failed logins to a service "];
    assert!(found.iter().all(|line| known.iter().any(|title| line.contains(title))));
    assert!(
        found.iter().any(|line| line.contains("service from one source | host combo | user -"))
    );
    assert!(found.iter().any(|line| line.contains("source 220-135-151-1.hinet-ip.hinet.net | 10")));
}

#[test]
fn rules_of_sigmahq_load() {
    let mut sources = Vec::new();
    for folder in ["sigma/rules", "sigma/rules-emerging-threats", "sigma/rules-threat-hunting"] {
        let Some(folder) = corpus(folder) else { return };
        collect(&folder, &mut sources);
    }
    let count = sources.len();
    let (rules, diagnostics) = RuleSet::load(sources);
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|d| d.severity == DiagnosticSeverity::Error)
        .map(ToString::to_string)
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    assert!(rules.len() >= count, "{} of {count}", rules.len());
    let mut unsupported: BTreeMap<&str, usize> = BTreeMap::new();
    for diagnostic in &diagnostics {
        *unsupported.entry(&diagnostic.message).or_default() += 1;
    }
    println!("{count} files, {} rules: {unsupported:#?}", rules.len());
}

#[test]
fn rules_of_sigmahq_keep_to_their_sources() {
    let mut sources = Vec::new();
    for folder in ["sigma/rules", "sigma/rules-emerging-threats", "sigma/rules-threat-hunting"] {
        let Some(folder) = corpus(folder) else { return };
        collect(&folder, &mut sources);
    }
    let rules = Arc::new(RuleSet::load(sources).0);
    for (file, expected) in [
        ("lab_debian12/traditional.log", vec!["linux/*/*: Remote File Copy"]),
        ("auditd/laurel_process_tree.log", vec![]),
        ("falco/alerts.jsonl", vec!["linux/*/*: Suspicious Activity in Shell Commands"]),
        ("firewall/ufw_iptables_kernel.log", vec![]),
        ("syslog/snare_windows_events.log", vec![]),
    ] {
        let Some(path) = corpus(file) else { return };
        let found: BTreeSet<String> = findings(&rules, &read(&path))
            .iter()
            .map(|finding| {
                let source = rules.get(&finding.rule_id).unwrap().logsource().unwrap();
                format!("{source}: {}", finding.rule_name)
            })
            .collect();
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{file}");
    }
}
