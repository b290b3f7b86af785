//! FortiGate: `date=2026-11-21 time=10:00:00 devname="fw" … srcip=192.0.2.1 action="deny"` (FortiOS Log
//! Message Reference): sessions that were let through or denied, what the inspection found, and logins to
//! the box and to its VPN.

use bergfried_event::{Event, Field, Timestamp, Value};

use super::pairs::Pairs;
use crate::programs::packets::{Flow, Verdict, address, push_own, push_told};
use crate::programs::{FAILURE, Program, SUCCESS, classify, outcome, peer, push_text};
use crate::text::{number, port};

pub(in crate::programs) const PROGRAM: Program =
    Program { name: "fortinet", tags: &["fortigate", "fortinet"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    read_log(message, event);
}

/// Reads a line of a box; true where it is one.
pub(super) fn read_log<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let pairs = Pairs::read(message);
    let kind = pairs.get("type");
    // What is kept on the box's own disk does not name the box.
    let has = |key: &str| !pairs.get(key).is_empty();
    let is_log = has("devid") || has("devname") || has("logid") && has("subtype");
    if kind.is_empty() || !is_log {
        return false;
    }
    match kind {
        "traffic" => traffic(&pairs, event),
        "utm" | "attack" => inspection(&pairs, event),
        "event" => happening(&pairs, event),
        _ => {
            event.push(Field::EventModule, "fortinet");
            event.push(Field::EventKind, "event");
            flow(&pairs).push(event);
        }
    }
    push_text(event, Field::EventCode, pairs.get("logid"));
    push_text(event, Field::LogLevel, pairs.get("level"));
    push_told(event, "fortinet.type", kind);
    push_told(event, "fortinet.subtype", pairs.get("subtype"));
    push_told(event, "fortinet.action", pairs.get("action"));
    push_told(event, "fortinet.device", pairs.get("devname"));
    if let Some(time) = time(pairs.get("eventtime")) {
        event.set_created(time);
    }
    true
}

/// Seconds since 1970, or milli-, micro- or nanoseconds, as versions differ.
fn time(text: &str) -> Option<Timestamp> {
    let (seconds, rest) = text.split_at_checked(10)?;
    let seconds = number(seconds.as_bytes())?;
    let fraction = match rest.len() {
        0 => 0,
        3 | 6 | 9 => number(format!("{rest:0<6}").get(..6)?.as_bytes())?,
        _ => return None,
    };
    Some(Timestamp::from_micros(seconds * Timestamp::SECOND + fraction))
}

fn flow<'a>(pairs: &Pairs<'a>) -> Flow<'a> {
    Flow {
        source: address(pairs.get("srcip")),
        source_port: port(pairs.get("srcport")),
        destination: address(pairs.get("dstip")),
        destination_port: port(pairs.get("dstport")),
        protocol: pairs.get("proto"),
        ingress: pairs.get("srcintf"),
        egress: pairs.get("dstintf"),
        direction: None,
        bytes: None,
    }
}

/// A session, when it began or ended, or was denied.
fn traffic<'a>(pairs: &Pairs<'a>, event: &mut Event<'a>) {
    let verdict = match pairs.get("action") {
        "deny" | "block" | "blocked" | "drop" | "dropped" => Verdict::Blocked,
        "" => Verdict::Logged,
        // How a session ended that was let through: close, timeout, client-rst, ip-conn.
        _ => Verdict::Allowed,
    };
    verdict.push("fortinet", event);
    let id = pairs.get("policyid");
    if !id.is_empty() {
        push_own(event, "rule.id", id);
    }
    push_text(event, Field::RuleName, pairs.get("policyname"));
    push_text(event, Field::UserName, pairs.get("user"));
    for (key, name) in [("sentbyte", "source.bytes"), ("rcvdbyte", "destination.bytes")] {
        if let Some(bytes) = number(pairs.get(key).as_bytes()) {
            push_own(event, name, bytes);
        }
    }
    flow(pairs).push(event);
}

/// What the inspection of a session found.
fn inspection<'a>(pairs: &Pairs<'a>, event: &mut Event<'a>) {
    event.push(Field::EventModule, "fortinet");
    event.push(Field::EventKind, "alert");
    let categories = ["intrusion_detection", "network"].map(Value::from);
    event.push(Field::EventCategory, Value::List(categories.to_vec()));
    let is_stopped = matches!(
        pairs.get("action"),
        "dropped"
            | "drop"
            | "blocked"
            | "block"
            | "deny"
            | "reset"
            | "reset_client"
            | "reset_server"
    );
    event.push(Field::EventAction, if is_stopped { "blocked" } else { "detected" });
    event.push(Field::EventType, if is_stopped { "denied" } else { "info" });
    let name = ["attack", "virus", "app", "catdesc"].map(|key| pairs.get(key));
    let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    push_text(event, Field::RuleName, name);
    flow(pairs).push(event);
}

/// What happens on the box itself, of which logins are understood.
fn happening<'a>(pairs: &Pairs<'a>, event: &mut Event<'a>) {
    event.push(Field::EventModule, "fortinet");
    event.push(Field::EventKind, "event");
    let login = match (pairs.get("action"), pairs.get("status")) {
        ("login", "success") => Some(("remote_login", SUCCESS, "srcip")),
        ("login", "failed") => Some(("remote_login", FAILURE, "srcip")),
        ("ssl-login-fail", _) => Some(("vpn_login", FAILURE, "remip")),
        ("tunnel-up", _) if !pairs.get("user").is_empty() => Some(("vpn_login", SUCCESS, "remip")),
        _ => None,
    };
    push_text(event, Field::UserName, pairs.get("user"));
    push_text(event, Field::EventReason, pairs.get("reason"));
    let source = match login {
        Some((action, result, source)) => {
            classify(event, "authentication", action);
            outcome(event, result);
            pairs.get(source)
        }
        None => pairs.get("srcip"),
    };
    // The name of a login is a stranger's.
    if pairs.is_sure() {
        peer::push_address(event, source);
    }
}
