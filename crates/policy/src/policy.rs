//! A site's policy: which destinations are allowed.

use std::ops::RangeInclusive;

use crate::host::Host;
use crate::place::Places;

/// What a policy's list means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// There is no policy.
    #[default]
    Off,
    /// What is not listed is denied.
    Allowlist,
    /// What is listed is denied.
    Blocklist,
}

impl Mode {
    /// The modes by their names.
    pub const ALL: [(&'static str, Mode); 3] =
        [("allowlist", Mode::Allowlist), ("blocklist", Mode::Blocklist), ("off", Mode::Off)];
}

/// Ports of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports(pub Vec<RangeInclusive<u16>>);

impl Ports {
    fn contain(&self, port: u16) -> bool {
        self.0.iter().any(|range| range.contains(&port))
    }
}

/// Which destinations are allowed. This machine itself always is.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What the lists mean.
    pub mode: Mode,
    /// Hosts and networks. For an allowlist none means any, where ports are listed.
    pub places: Places,
    /// Ports. For an allowlist none means any; a destination without a known port passes.
    pub ports: Ports,
}

impl Policy {
    /// Why a destination is denied; `None` where it is allowed.
    pub fn denies(&self, host: &Host, port: Option<u16>) -> Option<String> {
        if host.is_own() {
            return None;
        }
        let listed = self.places.contain(host);
        match self.mode {
            Mode::Off => None,
            Mode::Allowlist => {
                let only_ports = self.places.is_empty() && !self.ports.0.is_empty();
                if !listed && !only_ports {
                    return Some(format!("{host} is not in the allowlist"));
                }
                let port =
                    port.filter(|port| !self.ports.0.is_empty() && !self.ports.contain(*port));
                port.map(|port| format!("port {port} of {host} is not in the allowlist"))
            }
            Mode::Blocklist if listed => Some(format!("{host} is in the blocklist")),
            Mode::Blocklist => {
                let port = port.filter(|port| self.ports.contain(*port));
                port.map(|port| format!("port {port} of {host} is in the blocklist"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;

    #[test]
    fn lists_allow_or_deny() {
        let policy = |mode, places: &[&str], ports: &[u16]| Policy {
            mode,
            places: places.iter().map(|text| Place::read(text).unwrap()).collect(),
            ports: Ports(ports.iter().map(|port| *port..=*port).collect()),
        };
        let (allow, block) = (Mode::Allowlist, Mode::Blocklist);
        let listed = ["api.example.org", "*.cdn.example", "10.0.0.0/8"];
        for (mode, places, ports, host, port, expected) in [
            (allow, &listed[..], &[][..], "api.example.org", Some(443), None),
            (allow, &listed, &[], "x.cdn.example", None, None),
            (allow, &listed, &[], "cdn.example", None, Some("cdn.example is not in the allowlist")),
            (allow, &listed, &[443], "10.9.9.9", Some(443), None),
            (
                allow,
                &listed,
                &[443],
                "10.9.9.9",
                Some(22),
                Some("port 22 of 10.9.9.9 is not in the allowlist"),
            ),
            (allow, &listed, &[443], "10.9.9.9", None, None),
            (allow, &[], &[443], "anything.example", Some(443), None),
            (
                allow,
                &[],
                &[443],
                "anything.example",
                Some(80),
                Some("port 80 of anything.example is not in the allowlist"),
            ),
            (
                allow,
                &[],
                &[],
                "anything.example",
                Some(80),
                Some("anything.example is not in the allowlist"),
            ),
            (allow, &[], &[], "127.0.0.1", Some(80), None),
            (allow, &[], &[], "localhost", Some(80), None),
            (
                block,
                &listed,
                &[23],
                "api.example.org",
                None,
                Some("api.example.org is in the blocklist"),
            ),
            (
                block,
                &listed,
                &[23],
                "other.example",
                Some(23),
                Some("port 23 of other.example is in the blocklist"),
            ),
            (block, &listed, &[23], "other.example", Some(443), None),
            (Mode::Off, &listed, &[23], "api.example.org", Some(23), None),
        ] {
            let denied = policy(mode, places, ports).denies(&Host::read(host).unwrap(), port);
            assert_eq!(denied.as_deref(), expected, "{mode:?} {host} {port:?}");
        }
    }
}
