//! What all listeners and connections of one input work with.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use bergfried_event::{Origin, Peer, Record, SourceKind, Timestamp};
use bergfried_tls::{PeerNames, ServerSide};
use tokio::sync::{Semaphore, watch};

use crate::addresses::Addresses;
use crate::collector::Collector;
use crate::config::{Input, Transport};
use crate::counters::Counters;
use crate::relp::{Memory, Terms};

/// What all listeners and connections of one input work with.
pub(crate) struct Intake {
    pub(crate) input: Input,
    pub(crate) collector: Collector,
    /// What encrypted connections are made with.
    pub(crate) tls: Option<ServerSide>,
    /// A permit for each handshake that may be under way.
    pub(crate) handshakes: Semaphore,
    /// What RELP clients may send again.
    pub(crate) relp: Arc<Memory>,
    /// A permit for each connection that may be open.
    pub(crate) room: Arc<Semaphore>,
    /// How many of them each address has.
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) stopping: watch::Receiver<bool>,
    /// The name of this machine, for what comes over a local socket and names no host.
    pub(crate) own_host: String,
}

impl Intake {
    pub(crate) fn counters(&self) -> &Counters {
        self.collector.counters()
    }

    /// How records come that this peer sends: its address, none on a local socket, and the names
    /// in the certificate that it showed.
    pub(crate) fn origin(
        &self,
        transport: Transport,
        address: Option<SocketAddr>,
        names: Option<&PeerNames>,
    ) -> Arc<Origin> {
        let address =
            address.map(|address| SocketAddr::new(address.ip().to_canonical(), address.port()));
        let known = self.input.senders.known(address.map(|address| address.ip()), names);
        let host = known.name.clone().unwrap_or_else(|| match address {
            Some(address) => address.ip().to_string(),
            None => self.own_host.clone(),
        });
        Arc::new(Origin {
            time_zone: self.input.time_zone.clone(),
            input: Some(self.input.name.clone()),
            peer: Some(Peer { address, name: known.name }),
            tags: self.input.tags.clone(),
            fields: self.input.fields.clone(),
            speaks_for: known.speaks_for,
            ..Origin::new(SourceKind::Syslog, transport.path(), host)
        })
    }

    /// What RELP connections work with.
    pub(crate) fn terms(&self) -> Terms<'_> {
        Terms {
            collector: &self.collector,
            memory: &self.relp,
            max_message: self.input.max_message,
            idle_timeout: self.input.idle_timeout,
            stopping: self.stopping.clone(),
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

/// The record of a message that came just now.
pub(crate) fn record(
    message: &bergfried_syslog::Message<'_>,
    received: Timestamp,
) -> Record<'static> {
    let raw = Cow::Owned(message.bytes.to_vec());
    Record { raw, received, truncated: message.cut }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}

/// Returns once the hub stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // It fails where the sender is gone, and then nobody is left to serve.
    let _stopping = stopping.wait_for(|stopping| *stopping).await;
}
