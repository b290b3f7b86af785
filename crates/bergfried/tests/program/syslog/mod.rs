//! Syslog as it comes over networks and local sockets, from our own hands and real shippers.

mod pressure;
mod relp;
pub(crate) mod shippers;
mod sockets;
mod tls;

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::support::hub::Hub;
use crate::support::wait_for;

/// A hub whose configuration is this.
pub(crate) fn hub_with(directory: &Path, config: &str) -> Hub {
    let path = directory.join("hub.toml");
    std::fs::write(&path, config).unwrap();
    Hub::start_with_config(&directory.join("data"), &path)
}

/// One input in the hub's words.
pub(crate) fn input(hub: &Hub, name: &str) -> Value {
    let body = hub.get("/api/v1/inputs");
    let inputs = body["inputs"].as_array().unwrap();
    inputs.iter().find(|input| input["name"] == name).unwrap().clone()
}

/// Where an input listens.
pub(crate) fn address(hub: &Hub, name: &str, transport: &str) -> SocketAddr {
    let input = input(hub, name);
    let listeners = input["listeners"].as_array().unwrap();
    let listener = listeners.iter().find(|listener| listener["transport"] == transport).unwrap();
    listener["address"].as_str().unwrap().parse().unwrap()
}

/// The events that match, once there are so many; in the order in which they came.
pub(crate) fn events(hub: &Hub, query: &str, count: usize) -> Vec<Value> {
    wait_for(&format!("{count} events of {query}"), || {
        let mut events = hub.search(query);
        assert!(events.len() <= count, "{query}: {} events", events.len());
        events.sort_by_key(|event| event["event.id"].as_u64());
        (events.len() == count).then_some(events)
    })
}

/// The text with the time of now in place of `{STAMP}`, as RFC 3164 writes it, in UTC.
pub(crate) fn stamped(text: &str) -> Vec<u8> {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    text.replace("{STAMP}", &now.strftime("%b %e %H:%M:%S").to_string()).into_bytes()
}
