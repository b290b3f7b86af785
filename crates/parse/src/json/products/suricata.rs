//! Suricata's `eve.json`: alerts, and what it saw of DNS, HTTP, TLS, SSH, flows and files. Its own
//! names stay as they are.

use bergfried_event::{Event, Field, FieldName, Value};

use super::{copy, copy_as_text, get, set_missing, text, words};
use crate::dns;

/// The kinds of records of a network; others are about Suricata itself.
const COPIED: [(&str, &str); 16] = [
    ("dest_ip", "destination.ip"),
    ("dest_port", "destination.port"),
    ("alert.severity", "event.severity"),
    ("http.hostname", "url.domain"),
    ("http.http_method", "http.request.method"),
    ("http.status", "http.response.status_code"),
    ("http.http_user_agent", "user_agent.original"),
    ("dns.rrname", "dns.question.name"),
    ("dns.queries.rrname", "dns.question.name"),
    ("dns.query.rrname", "dns.question.name"),
    ("tls.sni", "tls.client.server_name"),
    ("fileinfo.filename", "file.path"),
    ("fileinfo.size", "file.size"),
    ("fileinfo.sha256", "file.hash.sha256"),
    ("flow.bytes_toserver", "source.bytes"),
    ("flow.bytes_toclient", "destination.bytes"),
];
const TEXTS: [(&str, &str); 14] = [
    ("alert.signature", "rule.name"),
    ("alert.signature", "event.reason"),
    ("alert.signature_id", "rule.id"),
    ("alert.rev", "rule.version"),
    ("alert.category", "rule.category"),
    ("app_proto", "network.protocol"),
    ("community_id", "network.community_id"),
    ("in_iface", "observer.ingress.interface.name"),
    ("ether.src_mac", "source.mac"),
    ("ether.dest_mac", "destination.mac"),
    ("http.url", "url.path"),
    ("dns.rrtype", "dns.question.type"),
    ("dns.queries.rrtype", "dns.question.type"),
    ("anomaly.event", "event.reason"),
];

pub(super) fn complete(event: &mut Event<'_>, _has_time: bool) -> bool {
    let Some(kind) = text(event, "event_type") else { return false };
    let is_stats = kind == "stats" && get(event, "stats.uptime").is_some();
    let is_alert = kind == "alert" && get(event, "alert.signature_id").is_some();
    if !is_stats && !is_alert && get(event, "flow_id").is_none() {
        return false;
    }
    let kind = kind.to_owned();
    event.set(Field::EventModule, "suricata");
    let blocked = is_alert && text(event, "alert.action") == Some("blocked");
    let (kind_of, category) = match kind.as_str() {
        "alert" => ("alert", words(&["intrusion_detection", "network"])),
        "stats" => ("metric", Value::Null),
        _ => ("event", words(&["network"])),
    };
    event.set(Field::EventKind, kind_of);
    if category != Value::Null {
        event.set(Field::EventCategory, category);
    }
    set_missing(
        event,
        "event.type",
        if blocked { words(&["info", "denied"]) } else { words(&["info"]) },
    );
    event.set(Field::EventAction, if blocked { "blocked".to_owned() } else { kind });
    copy(event, &COPIED);
    copy_as_text(event, &TEXTS);
    if let Some(name) = text(event, "dns.question.name") {
        let name = name.to_owned();
        dns::push_question(event, name);
    }
    if let Some(transport) = text(event, "proto") {
        let transport = crate::programs::transport(transport);
        set_missing(event, "network.transport", transport);
    }
    for field in [Field::SourceIp, Field::DestinationIp] {
        shorten(event, field);
    }
    if let Some(name) = text(event, "alert.signature") {
        let name = name.to_owned();
        set_missing(event, "message", name);
    }
    true
}

/// Suricata writes all digits of IPv6, everything else does not.
fn shorten(event: &mut Event<'_>, field: Field) {
    if let Some(Value::Text(text)) = event.get_named_mut(&FieldName::Known(field))
        && text.contains(':')
        && let Ok(address) = text.parse::<std::net::Ipv6Addr>()
    {
        *text = address.to_string().into();
    }
}
