//! Events as syslog messages: each in its own datagram, whatever logs say.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail so")]

mod support;

use std::net::UdpSocket;
use std::time::Duration;

use support::{Bench, caught_up};

const HOSTILE: &str = "one\n<0>1 - forged - - - - two\r\n11 <0>1 - - - \0 grüße";

#[test]
fn datagrams_carry_one_event_each() {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut bench = Bench::new();
    let outputs = bench.start(&[format!(
        "name = 'u'\ntype = 'syslog'\nto = 'udp://{}'\npayload = 'json'",
        receiver.local_addr().unwrap()
    )]);
    let long = "x".repeat(100_000);
    bench.store(&[("web1", "app", HOSTILE), ("web2", "app", "plain"), ("web3", "app", &long)]);
    let mut bytes = vec![0; 70_000];
    for (host, text) in [("web1", HOSTILE), ("web2", "plain")] {
        let length = receiver.recv(&mut bytes).unwrap();
        let message = std::str::from_utf8(&bytes[..length]).unwrap();
        let (header, json) = message.split_once(" - {").unwrap();
        assert!(header.starts_with("<14>1 ") && header.contains(host), "{header}");
        let event: serde_json::Value = serde_json::from_str(&format!("{{{json}")).unwrap();
        assert_eq!(event["event.original"], text);
        assert_eq!(event["host.name"], host);
    }
    assert_eq!(receiver.recv(&mut bytes).unwrap(), 65_507, "too long for a datagram: cut");
    caught_up(&outputs);
    assert_eq!(outputs.report()[0].sent, 3);
    outputs.stop();
}
