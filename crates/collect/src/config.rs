//! What a person writes of an input, and what becomes of it once it is checked.

mod check;
mod units;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bergfried_event::{Origin, SourceKind};
use bergfried_tls::{ClientCertificate, MinVersion, ServerTls};
use serde::Deserialize;

pub use check::InputError;

use crate::senders::Senders;

/// One `[[input]]` table. An unknown key is an error.
///
/// ```toml
/// [[input]]
/// name = "home"
/// type = "syslog"
/// udp = ["0.0.0.0:51444"]            # any of udp, tcp, tls, relp, relp_tls, unix; a text or a list
/// tcp = ["0.0.0.0:51444"]
/// tls = ["0.0.0.0:6514"]
/// certificate = "/etc/bergfried/hub.pem"
/// key = "/etc/bergfried/hub.key"
/// max_message = "64KiB"
/// time_zone = "Europe/Berlin"
/// tags = ["syslog"]
/// fields = { type = "syslog" }
///
/// [[input.sender]]                   # what a sender may say; without any, everything
/// from = ["192.0.2.0/24"]
/// hosts = ["web*"]
/// name = "gate"
/// ```
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Its name: 1 to 64 letters, digits, `.`, `_` or `-`; not that of another input. Becomes the
    /// field `input.name`.
    pub name: String,
    /// What it takes.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Addresses with ports for datagrams (RFC 5426).
    #[serde(default)]
    pub udp: OneOrMore<String>,
    /// Addresses with ports for streams, framed by line ends or octet counts (RFC 6587).
    #[serde(default)]
    pub tcp: OneOrMore<String>,
    /// Addresses with ports for streams over TLS (RFC 5425); `certificate` and `key` too then.
    #[serde(default)]
    pub tls: OneOrMore<String>,
    /// Addresses with ports for RELP: acknowledged, so that nothing is lost.
    #[serde(default)]
    pub relp: OneOrMore<String>,
    /// Addresses with ports for RELP over TLS; `certificate` and `key` too then.
    #[serde(default)]
    pub relp_tls: OneOrMore<String>,
    /// Absolute paths of local datagram sockets, as `/dev/log` is one.
    #[serde(default)]
    pub unix: OneOrMore<PathBuf>,
    /// Who may write to the local sockets, in octal; `0666` unless given, as for `/dev/log`.
    pub unix_mode: Option<String>,
    /// TLS: a PEM file with the hub's certificate and those that signed it.
    pub certificate: Option<PathBuf>,
    /// TLS: a PEM file with the certificate's key.
    pub key: Option<PathBuf>,
    /// TLS: a PEM file of the authorities that certificates of senders may come from.
    pub client_ca: Option<PathBuf>,
    /// TLS: `required` (the default with `client_ca`), `optional` or `none`.
    pub client_certificate: Option<ClientCertificate>,
    /// TLS: the oldest version that is spoken, `1.2` (the default) or `1.3`.
    pub min_tls: Option<MinVersion>,
    /// The most bytes of one message, 480 B to 1 MiB, `64KiB` unless given; a longer one is cut,
    /// marked (`log.flags: truncated`) and counted.
    pub max_message: Option<String>,
    /// How many connections may be open at once, 1 to 1,000,000; 20,000 unless given.
    pub max_connections: Option<u32>,
    /// How many of them one address may have, of IPv6 one network of 64 bits; three quarters of
    /// `max_connections` unless given, so that one host cannot keep out the others.
    pub max_connections_per_address: Option<u32>,
    /// A connection that brings nothing for so long is closed (`10m`; 1 s to 1 year); absent: never.
    pub idle_timeout: Option<String>,
    /// What the kernel may hold of datagrams that wait, 64 KiB to 1 GiB, `8MiB` unless given. More
    /// than net.core.rmem_max is given to root alone.
    pub receive_buffer: Option<String>,
    /// The IANA time zone of stamps without an offset; UTC unless given.
    pub time_zone: Option<String>,
    /// Words that every event of it carries in `tags`.
    #[serde(default)]
    pub tags: OneOrMore<String>,
    /// Fields that every event of it carries where its message does not set them.
    #[serde(default)]
    pub fields: std::collections::BTreeMap<String, String>,
    /// What senders may say. Without any, everyone may speak for every host; with some, who is none
    /// of them speaks for itself alone.
    #[serde(default)]
    pub sender: Vec<SenderFile>,
}

/// One `[[input.sender]]` table. The first that a connection matches counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderFile {
    /// Its addresses: networks such as `192.0.2.0/24`, or single ones.
    #[serde(default)]
    pub from: OneOrMore<String>,
    /// A name in its certificate; needs a `client_ca`.
    pub certificate: Option<String>,
    /// The hosts that its messages may name, with `*` for any text and `?` for one letter; absent:
    /// every host. A message that names another one is taken as the sender's own, and the claim is
    /// kept in `host.claimed`.
    pub hosts: Option<OneOrMore<String>>,
    /// What it is called: `observer.name`, and the host of messages that name none.
    pub name: Option<String>,
}

/// What an input takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Syslog in any form, over any of its transports.
    Syslog,
}

/// A value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub enum OneOrMore<T> {
    /// One.
    One(T),
    /// Any number.
    More(Vec<T>),
}

impl<T> Default for OneOrMore<T> {
    fn default() -> Self {
        OneOrMore::More(Vec::new())
    }
}

impl<T> OneOrMore<T> {
    /// The values.
    pub fn as_slice(&self) -> &[T] {
        match self {
            OneOrMore::One(one) => std::slice::from_ref(one),
            OneOrMore::More(more) => more,
        }
    }
}

/// An input that can be started.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "InputFile")]
pub struct Input {
    pub(crate) name: String,
    pub(crate) places: Vec<Place>,
    pub(crate) unix_mode: u32,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) max_message: usize,
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_address: usize,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) receive_buffer: usize,
    pub(crate) time_zone: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) senders: Arc<Senders>,
}

/// How records come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Streams.
    Tcp,
    /// Streams over TLS.
    Tls,
    /// RELP.
    Relp,
    /// RELP over TLS.
    RelpTls,
    /// Local datagrams.
    Unix,
}

impl Transport {
    /// The word for it in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Relp => "relp",
            Transport::RelpTls => "relp_tls",
            Transport::Unix => "unix",
        }
    }

    /// What stands in `log.file.path` of its events.
    pub const fn path(self) -> &'static str {
        match self {
            Transport::Udp => "syslog/udp",
            Transport::Tcp => "syslog/tcp",
            Transport::Tls => "syslog/tls",
            Transport::Relp => crate::relp::PATH,
            Transport::RelpTls => crate::relp::PATH_TLS,
            Transport::Unix => "syslog/unix",
        }
    }

    const fn is_tls(self) -> bool {
        matches!(self, Transport::Tls | Transport::RelpTls)
    }
}

/// Where an input listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    Network(SocketAddr),
    Path(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Network(address) => address.fmt(f),
            Address::Path(path) => path.display().fmt(f),
        }
    }
}

/// Where an input listens, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) transport: Transport,
    pub(crate) address: Address,
}

impl Place {
    /// Whether both would take the same port or path.
    pub(crate) fn clashes(&self, other: &Place) -> bool {
        let is_udp = |place: &Place| place.transport == Transport::Udp;
        let has_port = match &self.address {
            Address::Network(address) => address.port() != 0,
            Address::Path(_) => true,
        };
        has_port && self.address == other.address && is_udp(self) == is_udp(other)
    }
}

impl Input {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it listens for RELP.
    pub fn speaks_relp(&self) -> bool {
        let is_relp =
            |place: &Place| matches!(place.transport, Transport::Relp | Transport::RelpTls);
        self.places.iter().any(is_relp)
    }

    /// What its events say of their way, but for the connection: name, zone, tags and fields.
    pub fn origin(&self) -> Origin {
        let path = self.places.first().map_or("", |place| place.transport.path());
        Origin {
            input: Some(self.name.clone()),
            time_zone: self.time_zone.clone(),
            tags: self.tags.clone(),
            fields: self.fields.clone(),
            ..Origin::new(SourceKind::Syslog, path, "")
        }
    }

    /// An address that another input has too.
    pub fn clash(&self, other: &Input) -> Option<String> {
        let clashes = |place: &&Place| other.places.iter().any(|taken| place.clashes(taken));
        self.places.iter().find(clashes).map(|place| place.address.to_string())
    }
}
