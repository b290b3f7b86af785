//! The tactics of MITRE ATT&CK, as rules name them in their tags.

use std::collections::BTreeSet;

use crate::rule::Rule;

/// A tactic of ATT&CK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tactic {
    /// As in tags, such as `credential-access`.
    pub tag: &'static str,
    /// Such as `TA0006`.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Whether ATT&CK has it no more, but older rules name it.
    pub retired: bool,
}

const fn tactic(tag: &'static str, id: &'static str, name: &'static str) -> Tactic {
    Tactic { tag, id, name, retired: false }
}

/// The enterprise tactics of ATT&CK 19 in the order of the matrix.
pub const TACTICS: [Tactic; 16] = [
    tactic("reconnaissance", "TA0043", "Reconnaissance"),
    tactic("resource-development", "TA0042", "Resource Development"),
    tactic("initial-access", "TA0001", "Initial Access"),
    tactic("execution", "TA0002", "Execution"),
    tactic("persistence", "TA0003", "Persistence"),
    tactic("privilege-escalation", "TA0004", "Privilege Escalation"),
    tactic("stealth", "TA0005", "Stealth"),
    tactic("defense-impairment", "TA0112", "Defense Impairment"),
    // Became the two before it in ATT&CK 19.
    Tactic { tag: "defense-evasion", id: "TA0005", name: "Defense Evasion", retired: true },
    tactic("credential-access", "TA0006", "Credential Access"),
    tactic("discovery", "TA0007", "Discovery"),
    tactic("lateral-movement", "TA0008", "Lateral Movement"),
    tactic("collection", "TA0009", "Collection"),
    tactic("command-and-control", "TA0011", "Command and Control"),
    tactic("exfiltration", "TA0010", "Exfiltration"),
    tactic("impact", "TA0040", "Impact"),
];

/// The tactics of a rule, each once; the empty one where it names techniques alone. Rules of before
/// 2024 write them with underscores.
pub fn tactics_of(rule: &Rule) -> BTreeSet<String> {
    let mut tactics: BTreeSet<String> =
        rule.tactics().map(|tactic| tactic.replace('_', "-")).collect();
    if tactics.is_empty() && !rule.techniques().is_empty() {
        tactics.insert(String::new());
    }
    tactics
}
