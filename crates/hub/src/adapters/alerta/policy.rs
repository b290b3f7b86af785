//! The way in of an alert: what Alerta does in plugins before it looks whether there is one already.

use std::net::IpAddr;
use std::time::Instant;

use axum::http::HeaderMap;
use bergfried_alert::{Heartbeat, Incoming, Received, TooMuch};
use bergfried_alerting::Receipt;
use serde_json::{Value, json};

use super::caller::Caller;
use super::counts::count;
use super::document::Document;
use super::error::Refusal;
use super::request::Base;
use crate::router::State;

/// What became of it on the way in.
pub(super) enum Way {
    /// It is an alert.
    Alert,
    /// It says that its sender is alive.
    Heartbeat(Box<Heartbeat>),
    /// This hub has forwarded it before.
    Loop,
}

/// Judges what a client sends, in the order that Alerta has by default: the address is noted, then
/// what the owner does not want is refused, then heartbeats are told apart.
///
/// # Errors
/// 403 where the owner's settings refuse it, 400 where it is too much to be kept.
pub(super) fn judge(
    state: &State,
    base: &Base,
    headers: &HeaderMap,
    peer: IpAddr,
    document: &Document,
    incoming: &mut Incoming,
) -> Result<Way, Refusal> {
    if state.alerta.runs("remote_ip") {
        let ip = sender(headers).unwrap_or_else(|| peer.to_canonical());
        incoming.attributes.insert("ip".to_owned(), json!(ip.to_string()));
    }
    let too_much = |much: TooMuch| Refusal::invalid(much.to_string());
    let refused = incoming.check().map_err(too_much).and_then(|()| refuse(state, incoming));
    refused.inspect_err(|_| count(&state.alerta_counts.rejected))?;
    let settings = state.alerting.settings();
    if state.alerta.runs("heartbeat") && settings.heartbeat_events.contains(&incoming.event) {
        // An alert's timeout is not a heartbeat's, where the sender names none.
        let timeout = document.seconds("timeout")?.unwrap_or(settings.heartbeat_timeout);
        return Ok(Way::Heartbeat(Box::new(heartbeat(state, incoming, timeout))));
    }
    match comes_back(headers, base) {
        true => Ok(Way::Loop),
        false => Ok(Way::Alert),
    }
}

/// The address that the first proxy saw.
fn sender(headers: &HeaderMap) -> Option<IpAddr> {
    let forwarded = headers.get("x-forwarded-for")?.to_str().ok()?;
    forwarded.split(',').next()?.trim().parse().ok()
}

/// Counts what a request brings, and refuses it where its sender has sent too much of late.
///
/// # Errors
/// 429 with the id of the alert and how long to wait.
pub(super) fn charge(
    state: &State,
    caller: &Caller,
    peer: IpAddr,
    id: &str,
) -> Result<(), Refusal> {
    let charged = state.alerta_rate.charge(caller, peer, id);
    charged.inspect_err(|_| count(&state.alerta_counts.limited))
}

/// Takes in an alert; what becomes of it is counted.
pub(super) async fn receive(state: &State, incoming: Incoming) -> Result<Receipt, Refusal> {
    let began = Instant::now();
    let receipt = state.alerting.receive(incoming).await?;
    let counts = &state.alerta_counts;
    match &receipt {
        Receipt::Suppressed { .. } => count(&counts.suppressed),
        Receipt::Kept { received, .. } => match received {
            Received::New => counts.created.note(began),
            Received::Duplicate => counts.duplicate.note(began),
            Received::Correlated => counts.correlated.note(began),
        },
    }
    Ok(receipt)
}

/// Refuses what the owner does not want, where the owner says so.
fn refuse(state: &State, incoming: &Incoming) -> Result<(), Refusal> {
    if !state.alerta.runs("reject") {
        return Ok(());
    }
    let policy = &state.alerta.policy;
    let refused = |what: String| Err(Refusal::forbidden(format!("[POLICY] {what}")));
    if policy.origin_blacklist.iter().any(|pattern| pattern.regex.is_match(&incoming.origin)) {
        let origin = incoming.origin.escape_debug();
        return refused(format!("alerts of the origin `{origin}` are not taken"));
    }
    let allowed = &policy.allowed_environments;
    if !allowed.iter().any(|pattern| pattern.regex.is_match(&incoming.environment)) {
        let environment = incoming.environment.escape_debug();
        let allowed: Vec<_> = allowed.iter().map(|pattern| pattern.text.as_str()).collect();
        let allowed = allowed.join(", ");
        return refused(format!("the environment `{environment}` is not one of {allowed}"));
    }
    if incoming.service.is_empty() {
        return refused("an alert must name a service".to_owned());
    }
    Ok(())
}

fn heartbeat(state: &State, incoming: &Incoming, timeout: u32) -> Heartbeat {
    let mut attributes = incoming.attributes.clone();
    let mut note = |name: &str, value: Value| {
        attributes.insert(name.to_owned(), value);
    };
    note("environment", json!(incoming.environment));
    note("severity", json!(incoming.severity));
    note("service", json!(incoming.service));
    note("group", json!(incoming.group));
    Heartbeat {
        id: incoming.id.clone(),
        origin: incoming.origin.clone(),
        tags: incoming.tags.clone(),
        attributes,
        create_time: incoming.create_time,
        receive_time: state.alerting.now(),
        timeout,
        customer: incoming.customer.clone(),
    }
}

/// Whether the servers that forwarded it say that this one did.
fn comes_back(headers: &HeaderMap, base: &Base) -> bool {
    let hops = headers.get("x-alerta-loop").and_then(|value| value.to_str().ok());
    hops.unwrap_or_default()
        .split(',')
        .any(|hop| hop.trim().trim_end_matches('/') == base.address())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_and_a_sender_are_known_by_headers() {
        let base = Base::at("http://hub:1/api");
        let mut headers = HeaderMap::new();
        assert!(!comes_back(&headers, &base));
        headers.insert("x-alerta-loop", "http://other/api,http://hub:1/api/".parse().unwrap());
        assert!(comes_back(&headers, &base));
        for (value, address) in [
            ("192.0.2.1, 10.0.0.1", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("unknown, 192.0.2.1", None),
        ] {
            headers.insert("x-forwarded-for", value.parse().unwrap());
            assert_eq!(sender(&headers).map(|ip| ip.to_string()).as_deref(), address);
        }
    }
}
