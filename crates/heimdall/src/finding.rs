//! What rules find in Heimdall's words: the kind by what a rule is tagged with, else by the pack that
//! it is in; the severity by its level.

use bergfried_event::Severity as Level;

use crate::{EventType, Severity};

/// Techniques of MITRE ATT&CK by the kind that they are; the first that a tag begins with counts.
const TECHNIQUES: &[(&str, EventType)] = &[
    ("t1110", EventType::LoginFail),
    ("t1070.001", EventType::LogTampering),
    ("t1070.002", EventType::LogTampering),
    ("t1562.002", EventType::LogTampering),
    ("t1562.004", EventType::SystemAlert),
    ("t1562.006", EventType::LogTampering),
    ("t1562.008", EventType::LogTampering),
    ("t1562.012", EventType::LogTampering),
    ("t1136", EventType::AccountCreate),
    ("t1531", EventType::AccountDelete),
    ("t1098.007", EventType::GroupAdd),
    ("t1543", EventType::ServiceInstall),
    ("t1053", EventType::ServiceInstall),
    ("t1548.003", EventType::SudoEscalation),
    ("t1046", EventType::PortScan),
    ("t1595.001", EventType::PortScan),
    ("t1595.002", EventType::WebAttack),
    ("t1595.003", EventType::WebAttack),
    ("t1190", EventType::WebAttack),
    ("t1499.002", EventType::ConnectionBlocked),
    ("t1505.003", EventType::WebAttack),
    ("t1059", EventType::ProcessExec),
    ("t1078", EventType::LoginSuccess),
];

/// The built-in packs by the kind of those of their rules whose techniques are none of the table.
const PACKS: &[(&str, EventType)] = &[
    ("dns", EventType::DnsBlock),
    ("firewall", EventType::ConnectionBlocked),
    ("web", EventType::WebAttack),
];

/// The kind of what a rule of this file with these tags (`attack.t1110.001`) finds.
pub fn kind_of_rule(file: &str, tags: &[String]) -> EventType {
    let is_tagged = |technique: &str| {
        tags.iter().any(|tag| {
            let tag = tag.strip_prefix("attack.").unwrap_or(tag).to_ascii_lowercase();
            let rest = tag.strip_prefix(technique);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let folder = file.strip_prefix("rules/").and_then(|path| path.split_once('/'));
    let is_in = |pack: &str| folder.is_some_and(|(folder, _)| folder == pack);
    let by_technique = TECHNIQUES.iter().find(|(technique, _)| is_tagged(technique));
    let found = by_technique.or_else(|| PACKS.iter().find(|(pack, _)| is_in(pack)));
    found.map_or(EventType::SystemAlert, |(_, kind)| *kind)
}

impl From<Level> for Severity {
    fn from(level: Level) -> Severity {
        match level {
            Level::Informational => Severity::INFO,
            Level::Low => Severity::LOW,
            Level::Medium => Severity::MEDIUM,
            Level::High => Severity::HIGH,
            Level::Critical => Severity::CRITICAL,
        }
    }
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Level {
        match severity.number() {
            ..=1 => Level::Informational,
            2 => Level::Low,
            3 => Level::Medium,
            4 => Level::High,
            5.. => Level::Critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_the_same_both_ways() {
        for number in 1..=5 {
            let severity = Severity::new(number).unwrap();
            assert_eq!(Severity::from(Level::from(severity)), severity);
        }
        assert!(Severity::new(0).is_none() && Severity::new(6).is_none());
    }

    #[test]
    fn the_most_telling_technique_decides_and_else_the_pack() {
        let own = "rules/own.yml";
        for (file, tags, kind) in [
            (own, &["attack.credential-access", "attack.t1110.001"][..], EventType::LoginFail),
            (own, &["attack.t1078", "attack.t1136.001"], EventType::AccountCreate),
            (own, &["attack.T1543.002"], EventType::ServiceInstall),
            (own, &["attack.t1098"], EventType::SystemAlert),
            (own, &["attack.t1098.007"], EventType::GroupAdd),
            (own, &["attack.t1595", "attack.t1499.002"], EventType::ConnectionBlocked),
            (own, &["attack.t15431"], EventType::SystemAlert),
            (own, &[], EventType::SystemAlert),
            ("rules/firewall/burst.yml", &["attack.t1595"], EventType::ConnectionBlocked),
            ("rules/firewall/off.yml", &["attack.t1562.004"], EventType::SystemAlert),
            ("rules/firewall/scan.yml", &["attack.t1046"], EventType::PortScan),
            ("rules/web/traversal.yml", &["attack.t1083"], EventType::WebAttack),
            ("/srv/web/rules/own.yml", &[], EventType::SystemAlert),
        ] {
            let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
            assert_eq!(kind_of_rule(file, &tags), kind, "{file} {tags:?}");
        }
    }
}
