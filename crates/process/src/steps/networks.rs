//! Networks with something to say of each: the narrowest one that an address lies in decides.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

/// Networks of both kinds of addresses. A lookup takes one step for each length of prefix that is
/// among them.
#[derive(Debug)]
pub(crate) struct Networks<T> {
    found: HashMap<IpNet, T>,
    /// Lengths of prefixes, longest first.
    v4: Vec<u8>,
    v6: Vec<u8>,
}

impl<T> Networks<T> {
    pub(crate) fn new() -> Self {
        Networks { found: HashMap::new(), v4: Vec::new(), v6: Vec::new() }
    }

    /// Adds a network; false where it is among them already, which keeps what it had.
    pub(crate) fn insert(&mut self, network: IpNet, value: T) -> bool {
        let network = network.trunc();
        if self.found.contains_key(&network) {
            return false;
        }
        let lengths = if network.addr().is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        let length = network.prefix_len();
        if let Err(place) = lengths.binary_search_by(|known| length.cmp(known)) {
            lengths.insert(place, length);
        }
        self.found.insert(network, value);
        true
    }

    /// What the narrowest network says that the address lies in. IPv4-mapped addresses are IPv4.
    pub(crate) fn get(&self, address: IpAddr) -> Option<&T> {
        let address = address.to_canonical();
        let lengths = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        lengths.iter().find_map(|length| {
            let network = IpNet::new(address, *length).ok()?;
            self.found.get(&network.trunc())
        })
    }
}

/// A network, or a single address as one.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// The address that a text is: with a zone (`fe80::1%eth0`) or brackets around it too.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    text.split('%').next().unwrap_or_default().parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_narrowest_decides() {
        let mut networks = Networks::new();
        for (text, value) in [
            ("10.0.0.0/8", 8),
            ("10.1.0.0/16", 16),
            ("10.1.2.3", 32),
            ("2001:db8::/32", 6),
            ("::/0", 0),
        ] {
            assert!(networks.insert(network(text).unwrap(), value));
        }
        assert!(!networks.insert(network("10.1.9.9/16").unwrap(), 0));
        for (text, expected) in [
            ("10.1.2.3", Some(32)),
            ("10.1.2.4", Some(16)),
            ("10.2.0.0", Some(8)),
            ("11.0.0.0", None),
            ("::ffff:10.2.0.1", Some(8)),
            ("2001:db8::1", Some(6)),
            ("[fe80::1%eth0]", Some(0)),
        ] {
            assert_eq!(networks.get(address(text).unwrap()).copied(), expected, "{text}");
        }
        assert_eq!(address("web1"), None);
    }

    proptest! {
        #[test]
        fn as_a_walk_over_all(
            some in prop::collection::vec((any::<u32>(), 0..=32_u8), 0..12),
            address in any::<u32>(),
            near in 0..12_usize,
        ) {
            let mut networks = Networks::new();
            let some: Vec<IpNet> = some
                .into_iter()
                .map(|(bits, length)| IpNet::new(IpAddr::from(bits.to_be_bytes()), length).unwrap().trunc())
                .collect();
            for network in &some {
                networks.insert(*network, *network);
            }
            let address = match some.get(near) {
                Some(network) => network.addr(),
                None => IpAddr::from(address.to_be_bytes()),
            };
            let narrowest =
                some.iter().filter(|one| one.contains(&address)).max_by_key(|one| one.prefix_len());
            prop_assert_eq!(networks.get(address), narrowest);
        }
    }
}
