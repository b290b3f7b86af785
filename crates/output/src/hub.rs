//! Events for another hub, over its batch API, each once.
//!
//! An event travels as what this hub made of it: all fields, also those that chains and agents
//! added, with the raw text and the time. The other hub does not parse it again. Before a batch is
//! sent, its id and its range of events are made durable; so what is sent again after a crash of
//! either side is the same batch, which the other hub stores once. An event carries the ids of the
//! hubs that it passed, and none is sent on twice by the same hub: loops end.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use bergfried_event::{Event, Field, FieldName, Origin, Record, SourceKind, Timestamp, Value};
use bergfried_wire::{Batch, CONTENT_TYPE, MAX_RAW, PATH, Receipt, id_from_hex, id_to_hex};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::config::HubOptions;
use crate::counters::{Counters, add};
use crate::place::{Pending, Place, PlaceFile};
use crate::runner::Trouble;

/// The most events of a batch.
const MAX_EVENTS: usize = 4_096;
/// A batch is sent once its records have so many bytes; one more record has at most [`MAX_RAW`].
const MAX_BYTES: usize = 4 << 20;
/// More of an answer is not read.
const MAX_ANSWER: u64 = 64 << 10;
/// Which hubs an event passed, first to last.
const VIA: &str = "bergfried.via";
/// An event that passed so many hubs goes no further.
const MAX_VIA: usize = 16;

/// The connection to another hub.
pub(crate) struct HubLink {
    options: HubOptions,
    agent: Agent,
    /// Of the last time that the file with the token could be read.
    authorization: String,
    hub_id: String,
    counters: Arc<Counters>,
    records: Vec<(u16, Record<'static>)>,
    origins: Vec<Origin>,
    bytes: usize,
    /// The batch that is being sent: its id is durable.
    begun: Option<Pending>,
}

impl HubLink {
    pub(crate) fn new(
        options: HubOptions,
        place: &Place,
        hub_id: &str,
        counters: Arc<Counters>,
    ) -> Result<HubLink, String> {
        Ok(HubLink {
            agent: client(&options)?,
            authorization: authorization(&options.token_file)?,
            hub_id: hub_id.to_owned(),
            counters,
            records: Vec::new(),
            origins: Vec::new(),
            bytes: 0,
            begun: place.pending.clone(),
            options,
        })
    }

    /// A batch begun before must be the same batch again.
    pub(crate) fn until(&self) -> Option<u64> {
        self.begun.as_ref().map(|begun| begun.until)
    }

    pub(crate) fn push(
        &mut self,
        event: &Event<'_>,
        received: Timestamp,
        counters: &Counters,
    ) -> bool {
        let via = passed(event);
        if via.len() >= MAX_VIA || via.iter().any(|hub| *hub == self.hub_id) {
            add(&counters.passed_over, 1);
            return false;
        }
        let (origin, record) = self.record(event, &via, received);
        let place = self.origins.iter().position(|known| *known == origin).unwrap_or_else(|| {
            self.origins.push(origin);
            self.origins.len() - 1
        });
        self.bytes += record.raw.len();
        self.records.push((u16::try_from(place).unwrap_or(u16::MAX), record));
        // A batch begun before ends where it ended.
        self.begun.is_none() && (self.records.len() >= MAX_EVENTS || self.bytes >= MAX_BYTES)
    }

    pub(crate) fn flush(
        &mut self,
        place: &mut PlaceFile,
        after: u64,
        until: u64,
    ) -> Result<usize, Trouble> {
        if self.records.is_empty() {
            self.begun = None;
            return Ok(0);
        }
        let begun = match self.begun.take() {
            Some(begun) => begun,
            None => {
                let mut id = [0; 16];
                getrandom::fill(&mut id)
                    .map_err(|error| Trouble::new(format!("cannot make a batch id: {error}")))?;
                Pending { until, batch: id_to_hex(&id) }
            }
        };
        let begun = self.begun.insert(begun).clone();
        place
            .save(Place { after, pending: Some(begun.clone()) })
            .map_err(|error| Trouble::new(format!("cannot note a batch: {error}")))?;
        let batch = Batch {
            id: id_from_hex(&begun.batch).unwrap_or_default(),
            agent: format!("hub-{}", self.hub_id.get(..8).unwrap_or_default()),
            origins: std::mem::take(&mut self.origins),
            records: std::mem::take(&mut self.records),
        };
        // A token is changed without a restart; while its file is away, the old one may do.
        if let Ok(changed) = authorization(&self.options.token_file) {
            self.authorization = changed;
        }
        let sent = self.send(&batch, &begun.batch);
        let events = batch.records.len();
        match sent {
            Ok(()) => add(&self.counters.bytes, self.bytes),
            Err(Failure::Later(trouble)) => {
                (self.origins, self.records) = (batch.origins, batch.records);
                return Err(trouble);
            }
            Err(Failure::Refused(reason)) => {
                tracing::error!(reason, events, "the other hub refuses a batch, it is left out");
                add(&self.counters.refused, events);
            }
        }
        self.begun = None;
        self.bytes = 0;
        Ok(events)
    }

    /// The event as a record: its fields as one JSON object. One that is too large for that goes as
    /// its raw text alone, which the other hub parses, and is marked as cut.
    fn record(
        &self,
        event: &Event<'_>,
        via: &[Cow<'_, str>],
        received: Timestamp,
    ) -> (Origin, Record<'static>) {
        let mut copy = event.clone();
        for own in [Field::EventId, Field::EventIngested, Field::InputType] {
            copy.remove(own);
        }
        let region = FieldName::new("cloud.region");
        if let Some(name) = &self.options.region
            && copy.get_named(&region).is_none()
        {
            copy.set_named(region, name.as_str());
        }
        let mut hubs: Vec<Value<'_>> = via.iter().map(|hub| Value::from(hub.as_ref())).collect();
        hubs.push(Value::from(self.hub_id.as_str()));
        copy.set_named(FieldName::new(VIA), Value::List(hubs));
        let raw = serde_json::to_vec(&copy).unwrap_or_default();
        let host = event.text(Field::HostName).unwrap_or("unknown");
        // The wire has bounds for names.
        let host: String = host.chars().take(60).collect();
        if !raw.is_empty() && raw.len() <= MAX_RAW {
            // Without a path: the event has its own.
            let origin = Origin::new(SourceKind::Event, "", "hub");
            return (origin, Record { raw: Cow::Owned(raw), received, truncated: false });
        }
        let kind = match event.text(Field::InputType) {
            Some("journald") => SourceKind::Journald,
            Some("syslog") => SourceKind::Syslog,
            Some("json") => SourceKind::Json,
            _ => SourceKind::File,
        };
        let mut origin = Origin::new(kind, "hub", host);
        let region = self.options.region.iter();
        origin.fields = region.map(|name| ("cloud.region".to_owned(), name.clone())).collect();
        let hubs: Vec<&str> = via.iter().map(AsRef::as_ref).chain([self.hub_id.as_str()]).collect();
        origin.tags = hubs.iter().map(|hub| format!("{VIA}:{hub}")).collect();
        let mut raw = event.original().to_owned();
        let mut end = raw.len().min(MAX_RAW);
        while !raw.is_char_boundary(end) {
            end -= 1;
        }
        raw.truncate(end);
        (origin, Record { raw: Cow::Owned(raw.into_bytes()), received, truncated: true })
    }

    fn send(&self, batch: &Batch<'_>, id: &str) -> Result<(), Failure> {
        let later = |reason: String, asked| Failure::Later(Trouble { reason, asked, rewind: None });
        let body = bergfried_wire::compress(&bergfried_wire::encode(batch))
            .map_err(|error| later(format!("cannot compress a batch: {error}"), None))?;
        let mut response = self
            .agent
            .post(format!("{}{PATH}", self.options.url))
            .header("Authorization", &self.authorization)
            .header("Content-Type", CONTENT_TYPE)
            .header("Content-Encoding", "zstd")
            .send(body.as_slice())
            .map_err(|error| later(format!("cannot reach the other hub: {error}"), None))?;
        let status = response.status().as_u16();
        let seconds = response.headers().get("retry-after");
        let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let asked = seconds.map(std::time::Duration::from_secs);
        let answer = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
        if status == 200 {
            // Only a hub knows the batch's id: a proxy's friendly page is no receipt.
            let receipt =
                answer.ok().and_then(|bytes| serde_json::from_slice::<Receipt>(&bytes).ok());
            return match receipt {
                Some(receipt) if receipt.batch == id => Ok(()),
                _ => Err(later("the answer is not a hub's receipt".to_owned(), None)),
            };
        }
        let answer = answer.unwrap_or_default();
        let answer = String::from_utf8_lossy(answer.get(..200).unwrap_or(&answer));
        let reason = format!("the other hub answered {status}: {}", answer.escape_debug());
        // A wrong address or token is not the bytes' fault (see bergfried-wire).
        let final_refusal = (400..500).contains(&status)
            && !matches!(status, 401 | 403 | 404 | 405 | 407 | 408 | 421 | 425 | 429);
        Err(if final_refusal { Failure::Refused(reason) } else { later(reason, asked) })
    }
}

enum Failure {
    Later(Trouble),
    /// The same bytes fail again.
    Refused(String),
}

/// The hubs that an event passed. Only the field of an event that came from a hub counts, and tags
/// of one that was too large: what a log says of itself does not keep it from being sent.
fn passed<'e>(event: &'e Event<'_>) -> Vec<Cow<'e, str>> {
    if event.text(Field::InputType) == Some(SourceKind::Event.name()) {
        return match event.get_named(&FieldName::new(VIA)) {
            Some(Value::List(hubs)) => hubs.iter().map(Value::to_text).collect(),
            Some(one) => vec![one.to_text()],
            None => Vec::new(),
        };
    }
    let Some(Value::List(tags)) = event.get(Field::Tags) else { return Vec::new() };
    let of_hub = |tag: &'e Value<'_>| tag.as_str()?.strip_prefix(VIA)?.strip_prefix(':');
    tags.iter().filter_map(of_hub).map(Cow::Borrowed).collect()
}

/// What the token in this file is presented as.
fn authorization(file: &Path) -> Result<String, String> {
    let shown = file.display();
    let token = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read `token_file` {shown}: {error}"))?;
    let token = token.trim();
    if token.is_empty() || token.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(format!("`token_file` {shown} holds no token"));
    }
    Ok(format!("Bearer {token}"))
}

fn client(options: &HubOptions) -> Result<Agent, String> {
    let mut tls = TlsConfig::builder();
    if let Some(path) = &options.ca {
        let shown = path.display();
        let pem =
            std::fs::read(path).map_err(|error| format!("cannot read `ca` {shown}: {error}"))?;
        let roots: Vec<Certificate<'static>> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if roots.is_empty() {
            return Err(format!("`ca` {shown} holds no certificate in PEM form"));
        }
        tls = tls.root_certs(RootCerts::new_with_certs(&roots));
    }
    Ok(Agent::config_builder()
        .timeout_global(Some(options.timeout))
        .timeout_connect(Some(std::time::Duration::from_secs(10)))
        .http_status_as_error(false)
        // A redirected POST may arrive as a GET, and the token elsewhere.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(1)
        .max_response_header_size(16 << 10)
        .user_agent(concat!("bergfried/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .build()
        .into())
}
