//! Rows of Pi-hole's query database, as the agent reads them: `{"pihole":{"id":…,"domain":…}}`.
//!
//! The numbers of statuses, query types and replies are those of the long-term database that FTL's
//! documentation lists; one that is not known yet keeps its number and decides nothing.

use bergfried_event::{Event, Field, Timestamp, Value};

use super::{get, set_missing, text, words};
use crate::dns;
use crate::json::time;
use crate::text::is_ip;

/// What became of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Blocked,
    /// Asked of a server elsewhere, or about to be.
    Allowed,
    /// Answered from what was known.
    Cached,
    Unknown,
}

impl Fate {
    fn action(self) -> &'static str {
        match self {
            Fate::Blocked => "dns-blocked",
            Fate::Allowed => "dns-allowed",
            Fate::Cached => "dns-cached",
            Fate::Unknown => "dns-query",
        }
    }

    fn types(self) -> &'static [&'static str] {
        match self {
            Fate::Blocked => &["protocol", "denied"],
            Fate::Allowed | Fate::Cached => &["protocol", "allowed"],
            Fate::Unknown => &["protocol"],
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Fate::Blocked => "blocked",
            Fate::Allowed => "allowed",
            Fate::Cached => "answered",
            Fate::Unknown => "saw",
        }
    }
}

/// Every status by its number.
const STATUSES: [(Fate, &str); 19] = [
    (Fate::Unknown, "not known yet"),
    (Fate::Blocked, "on a blocklist"),
    (Fate::Allowed, "forwarded"),
    (Fate::Cached, "from the cache"),
    (Fate::Blocked, "matches a regex of the denylist"),
    (Fate::Blocked, "on the denylist"),
    (Fate::Blocked, "by the upstream server with the address of a blocking page"),
    (Fate::Blocked, "by the upstream server with a null address"),
    (Fate::Blocked, "by the upstream server with NXDOMAIN"),
    (Fate::Blocked, "alias of a name on a blocklist"),
    (Fate::Blocked, "alias of a name that matches a regex of the denylist"),
    (Fate::Blocked, "alias of a name on the denylist"),
    (Fate::Allowed, "retried"),
    (Fate::Allowed, "retried, the answer ignored"),
    (Fate::Allowed, "forwarded already"),
    (Fate::Blocked, "the database was busy"),
    (Fate::Blocked, "special domain"),
    (Fate::Cached, "from the cache, which was stale"),
    (Fate::Blocked, "by the upstream server with an extended error"),
];

/// Query types by their number less one; 14 is any other, 100 and more the number of DNS and 100.
const TYPES: [&str; 16] = [
    "A", "AAAA", "ANY", "SRV", "SOA", "PTR", "TXT", "NAPTR", "MX", "DS", "RRSIG", "DNSKEY", "NS",
    "OTHER", "SVCB", "HTTPS",
];

/// Replies by their number: their name, and what the header of the answer said.
const REPLIES: [(&str, Option<&str>); 14] = [
    ("unknown", None),
    ("NODATA", Some("NOERROR")),
    ("NXDOMAIN", Some("NXDOMAIN")),
    ("CNAME", Some("NOERROR")),
    ("IP", Some("NOERROR")),
    ("DOMAIN", Some("NOERROR")),
    ("RRNAME", Some("NOERROR")),
    ("SERVFAIL", Some("SERVFAIL")),
    ("REFUSED", Some("REFUSED")),
    ("NOTIMP", Some("NOTIMP")),
    ("OTHER", None),
    ("DNSSEC", Some("NOERROR")),
    ("NONE", None),
    ("BLOB", Some("NOERROR")),
];

const DNSSEC: [&str; 6] = ["unknown", "SECURE", "INSECURE", "BOGUS", "ABANDONED", "TRUNCATED"];

/// What stands in place of a name and an address that the privacy level keeps back.
const HIDDEN_NAME: &str = "hidden";
const HIDDEN_CLIENT: &str = "0.0.0.0";

pub(super) fn complete(event: &mut Event<'_>, _has_time: bool) -> bool {
    let number = |name: &str| get(event, name).and_then(Value::as_int);
    let (Some(_), Some(status)) = (number("pihole.id"), number("pihole.status")) else {
        return false;
    };
    let (kind, reply, dnssec) =
        (number("pihole.type"), number("pihole.reply_type"), number("pihole.dnssec"));
    let (fate, why) = at(&STATUSES, Some(status)).unwrap_or((Fate::Unknown, ""));
    let kind = kind.and_then(type_name);
    let name = text(event, "pihole.domain").map(str::to_owned).unwrap_or_default();
    let client = text(event, "pihole.client").map(str::to_owned).unwrap_or_default();
    if let Some(created) = get(event, "pihole.timestamp").and_then(seconds) {
        event.set_created(created);
    }
    event.set(Field::EventModule, "pihole");
    event.set(Field::EventDataset, "pihole.query");
    event.set(Field::EventKind, "event");
    event.set(Field::EventCategory, "network");
    event.set(Field::EventType, words(fate.types()));
    event.set(Field::EventAction, fate.action());
    set_missing(event, "network.protocol", "dns");
    let said = message(fate, why, &name, kind.as_deref(), &client);
    event.set(Field::Message, said);
    set_missing(event, "pihole.status_text", why);
    if let Some(kind) = kind {
        set_missing(event, "dns.question.type", kind);
    }
    if name != HIDDEN_NAME {
        dns::push_question(event, name);
    }
    if client != HIDDEN_CLIENT {
        let field = if is_ip(&client) { "source.ip" } else { "source.address" };
        set_missing(event, field, client);
        if let Some(name) = text(event, "pihole.client_name").map(str::to_owned) {
            set_missing(event, "source.domain", name);
        }
    }
    if let Some((reply, code)) = at(&REPLIES, reply) {
        set_missing(event, "pihole.reply_text", reply);
        set_missing(event, "dns.response_code", code.unwrap_or_default());
    }
    if let Some(word) = at(&DNSSEC, dnssec) {
        set_missing(event, "pihole.dnssec_text", word);
    }
    true
}

fn at<T: Copy>(table: &[T], number: Option<i64>) -> Option<T> {
    table.get(usize::try_from(number?).ok()?).copied()
}

fn type_name(number: i64) -> Option<String> {
    match number {
        // As versions before 5.12 counted those that have a number of their own now.
        164 => Some("SVCB".to_owned()),
        165 => Some("HTTPS".to_owned()),
        101..=65_635 => Some(format!("TYPE{}", number - 100)),
        number => at(&TYPES, number.checked_sub(1)).map(str::to_owned),
    }
}

/// Seconds since 1970, with a fraction since version 6.
fn seconds(value: &Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Int(count) if *count > 0 => time::epoch(*count),
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the guard")]
        Value::Float(seconds) if (1.0..1e11).contains(seconds) => {
            Some(Timestamp::from_micros((seconds * 1e6).round() as i64))
        }
        _ => None,
    }
}

/// One sentence: `blocked ads.example (A) for 192.168.1.20: on a blocklist`.
fn message(fate: Fate, why: &str, name: &str, kind: Option<&str>, client: &str) -> String {
    let mut said = format!("{} {name}", fate.verb());
    if let Some(kind) = kind {
        said.push_str(&format!(" ({kind})"));
    }
    if !client.is_empty() {
        said.push_str(&format!(" for {client}"));
    }
    if !why.is_empty() {
        said.push_str(&format!(": {why}"));
    }
    said
}
