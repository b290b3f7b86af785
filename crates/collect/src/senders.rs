//! Who a connection comes from, and for which hosts it may speak.

use std::net::IpAddr;
use std::sync::Arc;

use bergfried_event::SpeaksFor;
use bergfried_tls::PeerNames;
use ipnet::IpNet;

/// The senders that an input knows.
#[derive(Debug)]
pub(crate) struct Senders {
    list: Vec<Sender>,
    /// What those may say who are none of them: nothing but for themselves.
    nobody: Arc<SpeaksFor>,
}

/// A sender that an input knows.
#[derive(Debug)]
pub(crate) struct Sender {
    networks: Vec<IpNet>,
    certificate: Option<String>,
    speaks_for: Option<Arc<SpeaksFor>>,
    name: Option<String>,
}

/// What is known of whoever a connection comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// What it is called.
    pub(crate) name: Option<String>,
    /// The hosts that it may speak for; none where it may speak for all.
    pub(crate) speaks_for: Option<Arc<SpeaksFor>>,
}

impl Sender {
    pub(crate) fn new(
        networks: Vec<IpNet>,
        certificate: Option<String>,
        hosts: Option<&[String]>,
        name: Option<String>,
    ) -> Sender {
        let speaks_for = hosts.map(|hosts| Arc::new(SpeaksFor::new(hosts)));
        Sender { networks, certificate, speaks_for, name }
    }

    /// Whether everything holds that it asks for.
    fn is(&self, address: Option<IpAddr>, names: Option<&PeerNames>) -> bool {
        let from = self.networks.is_empty()
            || address.is_some_and(|from| self.networks.iter().any(|net| net.contains(&from)));
        let shown =
            self.certificate.as_ref().is_none_or(|name| names.is_some_and(|names| names.has(name)));
        from && shown
    }
}

impl Senders {
    pub(crate) fn new(list: Vec<Sender>) -> Senders {
        Senders { list, nobody: Arc::default() }
    }

    /// The first sender that the peer is. A name that the configuration gives comes before that of
    /// its certificate.
    pub(crate) fn known(&self, address: Option<IpAddr>, names: Option<&PeerNames>) -> Known {
        let own = names.and_then(PeerNames::first);
        let address = address.map(|address| address.to_canonical());
        match self.list.iter().find(|sender| sender.is(address, names)) {
            Some(sender) => {
                Known { name: sender.name.clone().or(own), speaks_for: sender.speaks_for.clone() }
            }
            None if self.list.is_empty() => Known { name: own, speaks_for: None },
            None => Known { name: own, speaks_for: Some(Arc::clone(&self.nobody)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sender_that_fits_counts() {
        let hosts = ["web*".to_owned()];
        let senders = Senders::new(vec![
            Sender::new(
                vec!["192.0.2.1/32".parse().unwrap()],
                Some("web1.example.org".to_owned()),
                None,
                Some("both".to_owned()),
            ),
            Sender::new(vec!["192.0.2.0/24".parse().unwrap()], None, Some(&hosts), None),
            Sender::new(Vec::new(), Some("db.example.org".to_owned()), Some(&[]), None),
        ]);
        let names = |name: &str| PeerNames { dns: vec![name.to_owned()], ..PeerNames::default() };
        let address = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let (web, db) = (names("web1.example.org"), names("db.example.org"));

        let both = senders.known(address("192.0.2.1"), Some(&web));
        assert_eq!((both.name.as_deref(), both.speaks_for), (Some("both"), None));
        let net = senders.known(address("::ffff:192.0.2.1"), None);
        assert!(net.name.is_none() && net.speaks_for.unwrap().has("web9"));
        let certified = senders.known(address("203.0.113.1"), Some(&db));
        assert_eq!(certified.name.as_deref(), Some("db.example.org"));
        assert!(!certified.speaks_for.unwrap().has("web9"));
        for address in [address("203.0.113.1"), None] {
            let stranger = senders.known(address, None);
            assert!(!stranger.speaks_for.unwrap().has("web9"), "speaks for itself alone");
        }
        assert_eq!(Senders::new(Vec::new()).known(None, None), Known::default());
    }
}
