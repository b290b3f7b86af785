//! Places that a person names: hosts by patterns, addresses by networks.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::host::Host;

/// Every name without a dot, as lists of exceptions of proxies write it.
const LOCAL: &str = "<local>";

/// One place, as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A host of this name or address.
    Host(Host),
    /// Every name below this one (`*.example.org`), not itself.
    Below(String),
    /// Every name without a dot (`<local>`).
    Local,
    /// Every address in it.
    Network(IpNet),
}

impl Place {
    /// Reads a name, `*.` and a name, an address, a network such as `192.0.2.0/24`, or `<local>`.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn read(text: &str) -> Result<Place, String> {
        let wrong = || {
            format!(
                "`{}` is no host, expected a name, `*.` and a name, an address, a network such as \
                 192.0.2.0/24, or {LOCAL}",
                text.escape_debug()
            )
        };
        if text == LOCAL {
            return Ok(Place::Local);
        }
        if text.contains('/') {
            return text
                .parse::<IpNet>()
                .map(|net| Place::Network(net.trunc()))
                .map_err(|_| wrong());
        }
        match text.strip_prefix("*.") {
            Some(name) => match Host::read(name) {
                Some(Host::Name(name)) => Ok(Place::Below(format!(".{name}"))),
                _ => Err(wrong()),
            },
            None => Host::read(text).map(Place::Host).ok_or_else(wrong),
        }
    }
}

/// Many places, asked at once.
#[derive(Clone, Debug, Default)]
pub struct Places {
    hosts: HashSet<Host>,
    /// Each with the dot before it.
    below: HashSet<String>,
    local: bool,
    networks: Vec<IpNet>,
}

impl Places {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.below.is_empty() && !self.local && self.networks.is_empty()
    }

    /// Whether the host is in one of them.
    pub fn contain(&self, host: &Host) -> bool {
        if self.hosts.contains(host) {
            return true;
        }
        match host {
            Host::Address(address) => self.has_address(*address),
            Host::Name(name) => {
                let dots = name.match_indices('.');
                let below = |(at, _): (usize, &str)| {
                    name.get(at..).is_some_and(|end| self.below.contains(end))
                };
                (self.local && !name.contains('.')) || dots.into_iter().any(below)
            }
        }
    }

    fn has_address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

impl Extend<Place> for Places {
    fn extend<I: IntoIterator<Item = Place>>(&mut self, places: I) {
        for place in places {
            match place {
                Place::Host(host) => {
                    self.hosts.insert(host);
                }
                Place::Below(name) => {
                    self.below.insert(name);
                }
                Place::Local => self.local = true,
                Place::Network(network) => self.networks.push(network),
            }
        }
    }
}

impl FromIterator<Place> for Places {
    fn from_iter<I: IntoIterator<Item = Place>>(places: I) -> Places {
        let mut all = Places::default();
        all.extend(places);
        all
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Host(host) => host.fmt(f),
            Place::Below(name) => write!(f, "*{name}"),
            Place::Local => f.write_str(LOCAL),
            Place::Network(network) => network.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_say() {
        let listed =
            ["*.Example.org", "exact.net", "192.0.2.0/24", "2001:db8::/32", "<local>", "10.1.2.3"];
        let places: Places = listed.iter().map(|text| Place::read(text).unwrap()).collect();
        for (host, expected) in [
            ("a.example.org", true),
            ("a.b.EXAMPLE.org.", true),
            ("example.org", false),
            ("notexample.org", false),
            ("example.org.evil.com", false),
            ("exact.net", true),
            ("a.exact.net", false),
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("[::ffff:192.0.2.9]", true),
            ("[2001:db8:ffff::1]", true),
            ("[2001:db9::1]", false),
            ("web1", true),
            ("10.1.2.3", true),
            ("10.1.2.4", false),
        ] {
            assert_eq!(places.contain(&Host::read(host).unwrap()), expected, "{host}");
        }
        for text in listed {
            let shown = Place::read(text).unwrap().to_string();
            assert_eq!(shown, text.to_lowercase());
        }
    }

    #[test]
    fn what_is_no_place_says_what_was_expected() {
        for text in ["*", "a*.org", "https://a.org", "10.0.0.0/33", "a.org/24", "", "*.10.0.0.1"] {
            let said = Place::read(text).unwrap_err();
            assert!(said.contains("is no host, expected a name"), "{said}");
        }
    }
}
