//! Snort 3's `alert_json`: which of its fields stand there a site chooses. Its own names stay as they
//! are.

use bergfried_event::{Event, Field, Value};

use super::{copy, copy_as_text, get, set_created, set_missing, text, words};
use crate::text::{is_ip, port};

const COPIED: [(&str, &str); 5] = [
    ("src_addr", "source.ip"),
    ("dst_addr", "destination.ip"),
    ("src_port", "source.port"),
    ("dst_port", "destination.port"),
    ("priority", "event.severity"),
];
const TEXTS: [(&str, &str); 2] =
    [("iface", "observer.ingress.interface.name"), ("service", "network.protocol")];

pub(super) fn complete(event: &mut Event<'_>, has_time: bool) -> bool {
    let Some([generator, id, revision]) = rule(event) else { return false };
    let is_packet = ["src_ap", "src_addr", "pkt_gen"].iter().all(|name| get(event, name).is_none());
    if is_packet || text(event, "proto").is_none() {
        return false;
    }
    let action = event.text(Field::EventAction).unwrap_or_default();
    let is_blocked = ["drop", "block", "reject"].contains(&action);
    if !has_time {
        set_created(event, "seconds");
    }
    event.set(Field::EventModule, "snort");
    event.set(Field::EventKind, "alert");
    event.set(Field::EventCategory, words(&["intrusion_detection", "network"]));
    event.set(Field::EventAction, if is_blocked { "blocked" } else { "alert" });
    if is_blocked {
        event.set(Field::EventType, words(&["info", "denied"]));
        event.set(Field::EventOutcome, "failure");
    } else {
        event.set(Field::EventType, "info");
    }
    copy(event, &COPIED);
    for (name, address, number) in
        [("src_ap", "source.ip", "source.port"), ("dst_ap", "destination.ip", "destination.port")]
    {
        let place = text(event, name).and_then(|place| {
            let (host, at) = place.rsplit_once(':')?;
            is_ip(host).then(|| (host.to_owned(), port(at)))
        });
        if let Some((host, at)) = place {
            set_missing(event, address, host);
            // Of protocols without ports it is 0.
            if let Some(at) = at.filter(|at| *at != 0) {
                set_missing(event, number, at);
            }
        }
    }
    copy_as_text(event, &TEXTS);
    if let Some(said) = event.text(Field::Message).map(str::to_owned) {
        set_missing(event, "rule.name", said.clone());
        set_missing(event, "event.reason", said.clone());
        set_missing(event, "alert.signature", said);
    }
    if text(event, "class").is_some_and(|class| class != "none") {
        copy_as_text(event, &[("class", "rule.category")]);
    }
    set_missing(event, "rule.id", id.clone());
    set_missing(event, "rule.version", revision);
    set_missing(event, "alert.gid", generator);
    set_missing(event, "alert.signature_id", id);
    if let Some(transport) = text(event, "proto").map(crate::programs::transport) {
        set_missing(event, "network.transport", transport);
    }
    true
}

/// Generator, number and revision of the rule: `"rule": "1:527:8"`, else each for itself.
fn rule(event: &Event<'_>) -> Option<[String; 3]> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|one| one.is_ascii_digit());
    if let Some(whole) = text(event, "rule") {
        let parts: Vec<String> = whole.split(':').map(str::to_owned).collect();
        let parts: [String; 3] = parts.try_into().ok()?;
        return parts.iter().all(|part| is_number(part)).then_some(parts);
    }
    let part = |name| match get(event, name) {
        Some(Value::Int(number)) => Some(number.to_string()),
        _ => None,
    };
    Some([part("gid")?, part("sid")?, part("rev")?])
}
