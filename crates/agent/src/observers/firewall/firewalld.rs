//! What `firewall-cmd --list-all-zones` prints (firewall-cmd(1)).

use super::state::{Lines, State};

/// What these list has no order.
const LISTS: [&str; 8] = [
    "interfaces",
    "sources",
    "services",
    "ports",
    "protocols",
    "forward-ports",
    "source-ports",
    "icmp-blocks",
];

/// The state of the zones of a daemon that runs.
pub(super) fn state(zones: &str) -> State {
    let mut lines = Lines::default();
    let mut zone = "";
    let mut parts: Vec<String> = Vec::new();
    let mut key = "";
    for line in zones.lines().chain(["end"]) {
        if line.trim().is_empty() {
            continue;
        }
        if !line.starts_with([' ', '\t']) {
            // Neither zones' parts nor rich rules, which name their priorities, have an order.
            parts.sort();
            for part in parts.drain(..) {
                lines.push(zone, part);
            }
            let (name, about) = line.split_once(' ').unwrap_or((line, ""));
            zone = name;
            parts.push(format!("zone {about}").trim_end().to_owned());
            continue;
        }
        let (name, value) = match line.trim().split_once(':') {
            Some((name, value)) if !line.starts_with('\t') => (name, value.trim()),
            _ => (key, line.trim()),
        };
        key = name;
        if LISTS.contains(&name) {
            parts.extend(value.split_whitespace().map(|word| format!("{name} {word}")));
        } else if !value.is_empty() {
            parts.push(format!("{name} {value}"));
        }
    }
    State::of_all(true, lines.into_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONES: &str = "block\n  target: %%REJECT%%\n  icmp-block-inversion: no\n  interfaces: \n\n\
        public (default, active)\n  target: default\n  interfaces: eth0 eth1\n  services: dhcpv6-client ssh\n  \
        ports: 8080/tcp\n  rich rules: \n\trule family=\"ipv4\" source address=\"10.0.0.1\" drop\n\t\
        rule family=\"ipv6\" accept\n";

    #[test]
    fn zones_are_told_part_by_part_without_an_order() {
        let expected = "block: icmp-block-inversion no\nblock: target %%REJECT%%\nblock: zone\n\
            public: interfaces eth0\npublic: interfaces eth1\npublic: ports 8080/tcp\n\
            public: rich rules rule family=\"ipv4\" source address=\"10.0.0.1\" drop\n\
            public: rich rules rule family=\"ipv6\" accept\npublic: services dhcpv6-client\n\
            public: services ssh\npublic: target default\npublic: zone (default, active)\n";
        assert_eq!(state(ZONES).text, expected);
        assert_eq!(state(&ZONES.replace("eth0 eth1", "eth1 eth0")), state(ZONES));
        assert_ne!(state(&ZONES.replace(" ssh", "")), state(ZONES));
    }
}
