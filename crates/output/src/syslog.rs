//! Events for a syslog receiver, over TCP, TLS or UDP.
//!
//! Syslog has no acknowledgement. Over TCP and TLS an event counts as delivered once the receiver's
//! kernel has acknowledged its bytes; what was not is sent again over the next connection. So what
//! can be lost is what the receiver's kernel had taken and its program never read, and what can come
//! twice is what arrived while its acknowledgement did not. A datagram is lost without a trace.

mod connection;
mod unsent;

use std::collections::VecDeque;
use std::sync::Arc;

use bergfried_event::Event;
use bergfried_syslog::write::{frame, message};
use bergfried_tls::{ClientSide, ClientTls};

use crate::config::{Framing, Payload, SyslogOptions, Transport};
use crate::counters::{Counters, add};
use crate::place::Place;
use crate::runner::Trouble;
use connection::{Connection, Datagrams};
use unsent::{Unsent, unsent};

/// Messages are sent once so many bytes of them have gathered.
const PORTION_BYTES: usize = 1 << 20;
/// The most bytes of a datagram: what IPv4 carries.
const MAX_DATAGRAM: usize = 65_507;

/// The way to a syslog receiver.
pub(crate) struct SyslogLink {
    options: SyslogOptions,
    tls: Option<ClientSide>,
    counters: Arc<Counters>,
    connection: Option<Connection>,
    datagrams: Option<Datagrams>,
    /// Frames that are not sent yet.
    frames: Vec<u8>,
    /// Messages that are not sent yet, of a receiver of datagrams.
    messages: VecDeque<Vec<u8>>,
    events: usize,
    message: Vec<u8>,
    /// The last event that the receiver's kernel has.
    delivered: u64,
    /// After how many bytes of the connection which event was complete.
    marks: VecDeque<(u64, u64)>,
}

impl SyslogLink {
    pub(crate) fn new(
        options: SyslogOptions,
        place: &Place,
        counters: Arc<Counters>,
    ) -> Result<SyslogLink, String> {
        let tls = match options.transport {
            Transport::Tcp | Transport::Udp => None,
            Transport::Tls => {
                let (certificate, key) = options.certificate.clone().unzip();
                let files =
                    ClientTls { ca: options.ca.clone(), certificate, key, ..ClientTls::default() };
                Some(files.open().map_err(|error| error.to_string())?)
            }
        };
        Ok(SyslogLink {
            options,
            tls,
            counters,
            connection: None,
            datagrams: None,
            frames: Vec::new(),
            messages: VecDeque::new(),
            events: 0,
            message: Vec::new(),
            delivered: place.after,
            marks: VecDeque::new(),
        })
    }

    /// Gathers the message of an event; true where it is time to send.
    pub(crate) fn push(&mut self, event: &Event<'_>) -> bool {
        self.message.clear();
        message(event, payload(self.options.payload), &mut self.message);
        self.events += 1;
        if self.options.transport == Transport::Udp {
            self.message.truncate(MAX_DATAGRAM);
            self.messages.push_back(self.message.clone());
            let bytes: usize = self.message.len() * self.messages.len();
            return bytes >= PORTION_BYTES;
        }
        let framing = match self.options.framing {
            Framing::OctetCounted => bergfried_syslog::write::Framing::OctetCounted,
            Framing::Newline => bergfried_syslog::write::Framing::Newline,
        };
        frame(&self.message, framing, &mut self.frames);
        self.frames.len() >= PORTION_BYTES
    }

    /// Sends what was gathered, which ends with the event `until`.
    pub(crate) fn flush(&mut self, until: u64) -> Result<usize, Trouble> {
        if self.options.transport == Transport::Udp {
            self.send_datagrams()?;
        } else if !self.frames.is_empty() {
            let sent = self.send_frames();
            let bytes = std::mem::take(&mut self.frames).len();
            let offset = sent.inspect_err(|_| self.events = 0)?;
            add(&self.counters.bytes, bytes);
            self.marks.push_back((offset, until));
        }
        Ok(std::mem::take(&mut self.events))
    }

    /// The last event up to `after` that the receiver's kernel has.
    pub(crate) fn settled(&mut self, after: u64) -> Result<u64, Trouble> {
        if let Some(connection) = &mut self.connection
            && !self.marks.is_empty()
        {
            let waiting = match unsent(connection.addresses()) {
                Unsent::Bytes(bytes) => bytes,
                // Where the kernel does not say, its word for taking the bytes must do.
                Unsent::Unknown => 0,
                Unsent::Gone => return Err(self.cut_off("the connection is gone".to_owned())),
            };
            let arrived = connection.written().saturating_sub(waiting);
            while let Some((offset, id)) = self.marks.front().copied()
                && offset <= arrived
            {
                self.delivered = id;
                self.marks.pop_front();
            }
            if let Err(error) = connection.check() {
                // What arrived was counted above; the rest is sent again, now or with the next event.
                self.connection = None;
                if !self.marks.is_empty() {
                    return Err(self.cut_off(error.to_string()));
                }
            }
        }
        if self.marks.is_empty() {
            self.delivered = after;
        }
        Ok(self.delivered)
    }

    /// Sends the frames; returns how many bytes of the connection were written then.
    fn send_frames(&mut self) -> Result<u64, Trouble> {
        if let Some(connection) = &mut self.connection
            && let Err(error) = connection.check()
        {
            if !self.marks.is_empty() {
                return Err(self.cut_off(error.to_string()));
            }
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => {
                let made = Connection::open(&self.options, self.tls.as_ref());
                let made = made.map_err(|error| self.cut_off(error.to_string()))?;
                self.connection.insert(made)
            }
        };
        match connection.send(&self.frames) {
            Ok(()) => Ok(connection.written()),
            Err(error) => Err(self.cut_off(format!("cannot send: {error}"))),
        }
    }

    /// Gives the connection up; what did not arrive is read from the store again.
    fn cut_off(&mut self, reason: String) -> Trouble {
        self.connection = None;
        self.marks.clear();
        let place = format!("{}:{}", self.options.host, self.options.port);
        let reason = format!("receiver {place}: {reason}");
        Trouble { rewind: Some(self.delivered), ..Trouble::new(reason) }
    }

    fn send_datagrams(&mut self) -> Result<(), Trouble> {
        let place = (self.options.host.as_str(), self.options.port);
        let failed = |error| Trouble::new(format!("receiver {}:{}: {error}", place.0, place.1));
        while let Some(message) = self.messages.front() {
            let datagrams = match &mut self.datagrams {
                Some(datagrams) => datagrams,
                None => self.datagrams.insert(Datagrams::open(place.0, place.1).map_err(failed)?),
            };
            if let Err(error) = datagrams.send(message) {
                self.datagrams = None;
                return Err(failed(error));
            }
            add(&self.counters.bytes, message.len());
            self.messages.pop_front();
        }
        Ok(())
    }
}

fn payload(payload: Payload) -> bergfried_syslog::write::Payload {
    use bergfried_syslog::write::Payload as Written;
    match payload {
        Payload::Raw => Written::Raw,
        Payload::Rfc5424 => Written::Rfc5424,
        Payload::Json => Written::Json,
        Payload::Cef => Written::Cef,
    }
}
