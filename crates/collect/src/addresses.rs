//! How many connections each address has open, so that one host alone cannot take all there are.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The open connections of each address; as many entries as there are connections at most.
#[derive(Debug)]
pub(crate) struct Addresses {
    open: Mutex<HashMap<IpAddr, usize>>,
    /// How many one address may have open.
    most: usize,
}

/// One open connection; dropping it makes room for another one of its address.
#[derive(Debug)]
pub(crate) struct Visit {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    pub(crate) fn new(most: usize) -> Addresses {
        Addresses { open: Mutex::default(), most }
    }

    /// Counts a connection of `address`; none where it has as many open as it may.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Visit> {
        let address = host(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&address).copied().unwrap_or(0);
        if count >= self.most {
            return None;
        }
        open.insert(address, count + 1);
        Some(Visit { addresses: Arc::clone(self), address })
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut open = self.addresses.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = open.entry(self.address) {
            match count.get().saturating_sub(1) {
                0 => drop(count.remove()),
                less => *count.get_mut() = less,
            }
        }
    }
}

/// What stands for one host: of IPv6 the network of 64 bits, in which it may pick any address.
fn host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_as_many_as_it_may_and_no_more() {
        let addresses = Arc::new(Addresses::new(2));
        let enter = |address: &str| addresses.enter(address.parse().unwrap());
        let first = [enter("192.0.2.7"), enter("::ffff:192.0.2.7")];
        assert!(first.iter().all(Option::is_some));
        assert!(enter("192.0.2.7").is_none());
        let others = [enter("192.0.2.8"), enter("2001:db8::1"), enter("2001:db8::2:0:0:1")];
        assert!(others.iter().all(Option::is_some), "others are not kept out");
        assert!(enter("2001:db8::3").is_none(), "any address of its network is the same host");
        assert!(enter("2001:db8:0:1::1").is_some());
        drop(first);
        assert!(enter("192.0.2.7").is_some());
        drop(others);
        assert!(addresses.open.lock().unwrap().is_empty(), "nothing is kept of who has left");
    }
}
