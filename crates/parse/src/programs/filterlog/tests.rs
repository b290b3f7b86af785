use bergfried_event::Timestamp;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

fn of(message: &str) -> Json {
    let mut event = Event::new(Timestamp::from_seconds(0), "");
    crate::programs::read(Some("filterlog"), None, message, &mut event);
    serde_json::to_value(&event).unwrap()
}

#[test]
fn every_field_of_a_packet_has_its_name() {
    let event = of(
        "146,1,wan/easyrule,1535324496,igb1.12,match,block,in,4,0x10,,63,32989,0,DF,6,tcp,60,192.0.2.50,\
         198.51.100.1,49652,853,0,SA,1818117648,7,64240,,mss;sackOK;TS",
    );
    for (name, expected) in [
        ("event.module", json!("pfsense")),
        ("event.category", json!("network")),
        ("event.action", json!("blocked")),
        ("event.outcome", json!("failure")),
        ("event.type", json!(["connection", "denied"])),
        ("event.reason", json!("match")),
        ("rule.id", json!("1535324496")),
        ("observer.product", json!("pfSense")),
        ("pfsense.rule.number", json!(146)),
        ("pfsense.rule.sub_number", json!(1)),
        ("pfsense.rule.anchor", json!("wan/easyrule")),
        ("observer.ingress.interface.name", json!("igb1.12")),
        ("observer.egress.interface.name", Json::Null),
        ("network.direction", json!("ingress")),
        ("network.type", json!("ipv4")),
        ("network.transport", json!("tcp")),
        ("network.iana_number", json!("6")),
        ("network.bytes", json!(60)),
        ("source.ip", json!("192.0.2.50")),
        ("source.port", json!(49652)),
        ("destination.ip", json!("198.51.100.1")),
        ("destination.port", json!(853)),
        ("pfsense.tos", json!("0x10")),
        ("pfsense.ttl", json!(63)),
        ("pfsense.id", json!(32989)),
        ("pfsense.flags", json!(["DF", "SYN", "ACK"])),
        ("pfsense.data_length", json!(0)),
        ("pfsense.sequence", json!(1_818_117_648)),
        ("pfsense.acknowledgement", json!(7)),
        ("pfsense.window", json!(64240)),
        ("pfsense.urgent_pointer", Json::Null),
        ("pfsense.tcp_options", json!("mss;sackOK;TS")),
    ] {
        assert_eq!(event[name], expected, "{name}");
    }
}

/// Action, transport, source, destination, ports.
fn short(event: &Json) -> String {
    let names = [
        "event.action",
        "network.transport",
        "source.ip",
        "source.port",
        "destination.ip",
        "destination.port",
    ];
    let texts = names.map(|name| match &event[name] {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    });
    texts.join(" ")
}

#[test]
fn every_protocol_is_read() {
    let v4 = "5,,,1000000103,em0,match,block,in,4,0x0,,64,1,0,none";
    let v6 = "5,,,1000000105,em0,match,pass,out,6,0x00,0x00000,64";
    for (line, expected, name, value) in [
        (
            format!("{v4},17,udp,69,192.0.2.1,192.0.2.2,5353,53,49"),
            "blocked udp 192.0.2.1 5353 192.0.2.2 53",
            "pfsense.data_length",
            json!(49),
        ),
        (
            format!("{v4},1,icmp,84,192.0.2.1,192.0.2.2,request,7,9"),
            "blocked icmp 192.0.2.1 - 192.0.2.2 -",
            "pfsense.icmp.sequence",
            json!(9),
        ),
        (
            format!("{v4},1,icmp,84,192.0.2.1,192.0.2.2,unreachport,198.51.100.9,17,33434"),
            "blocked icmp 192.0.2.1 - 192.0.2.2 -",
            "pfsense.inner.destination.port",
            json!(33434),
        ),
        (
            format!("{v4},1,icmp,84,192.0.2.1,192.0.2.2,unreachproto,198.51.100.9,47"),
            "blocked icmp 192.0.2.1 - 192.0.2.2 -",
            "pfsense.inner.transport",
            json!("gre"),
        ),
        (
            format!("{v4},1,icmp,84,192.0.2.1,192.0.2.2,needfrag,198.51.100.9,1400"),
            "blocked icmp 192.0.2.1 - 192.0.2.2 -",
            "pfsense.icmp.mtu",
            json!(1400),
        ),
        (
            format!("{v4},1,icmp,84,192.0.2.1,192.0.2.2,tstampreply,1,2,3,4,5"),
            "blocked icmp 192.0.2.1 - 192.0.2.2 -",
            "pfsense.icmp.transmit_time",
            json!(5),
        ),
        (
            format!("{v4},1,icmp,84,192.0.2.1,192.0.2.2,timexceed,time exceeded, in transit"),
            "blocked icmp 192.0.2.1 - 192.0.2.2 -",
            "pfsense.icmp.description",
            json!("time exceeded, in transit"),
        ),
        (
            format!("{v4},2,igmp,32,192.0.2.1,224.0.0.22,datalength=8 "),
            "blocked igmp 192.0.2.1 - 224.0.0.22 -",
            "pfsense.data_length",
            json!(8),
        ),
        (
            format!("{v4},50,esp,120,192.0.2.1,192.0.2.2,datalength=100"),
            "blocked esp 192.0.2.1 - 192.0.2.2 -",
            "pfsense.data_length",
            json!(100),
        ),
        (
            format!("{v4},112,carp,56,192.0.2.1,224.0.0.18,advertise,255,3,2,0,1"),
            "blocked carp 192.0.2.1 - 224.0.0.18 -",
            "pfsense.carp.vhid",
            json!(3),
        ),
        (
            format!("{v6},TCP,6,44,2001:db8:0:0::1,2001:db8::2,65382,443,0,S,1,,0,,mss"),
            "allowed tcp 2001:db8::1 65382 2001:db8::2 443",
            "observer.egress.interface.name",
            json!("em0"),
        ),
        (
            format!("{v6},UDP,17,44,fe80::1,ff02::fb,5353,5353,36"),
            "allowed udp fe80::1 5353 ff02::fb 5353",
            "network.type",
            json!("ipv6"),
        ),
        (
            format!("{v6},ICMPv6,58,32,fe80::1,ff02::1,"),
            "allowed ipv6-icmp fe80::1 - ff02::1 -",
            "network.iana_number",
            json!("58"),
        ),
        // The name is that of the header in front, the number that of the packet.
        (
            format!("{v6},HBH,58,32,fe80::1,ff02::16,request,1,2"),
            "allowed ipv6-icmp fe80::1 - ff02::16 -",
            "pfsense.icmp.id",
            json!(1),
        ),
        (
            format!("{v6},Options,0,36,fe80::1,ff02::16,HBH,RTALERT,0x0000,PADN,"),
            "allowed - fe80::1 - ff02::16 -",
            "pfsense.options",
            json!("HBH,RTALERT,0x0000,PADN"),
        ),
        // What tracks a rule of OPNsense.
        (
            "9,,,02f4bab031b57d1e30553ce08e0ec131,igb0,match,block,in,4,0x0,,64,1,0,none,17,udp,69,192.0.2.1,192.0.2.2,1,2,3"
                .to_owned(),
            "blocked udp 192.0.2.1 1 192.0.2.2 2",
            "observer.product",
            json!("OPNsense"),
        ),
        (
            "9,,,2d3c3a68-8a6f-4a1e-9d3c-0d3a52b7e0c1,igb0,match,block,in,4,0x0,,64,1,0,none,17,udp,69,192.0.2.1,192.0.2.2,1,2,3"
                .to_owned(),
            "blocked udp 192.0.2.1 1 192.0.2.2 2",
            "observer.product",
            json!("OPNsense"),
        ),
        (
            "9,,,0,igb0,match,rdr,in,4,0x0,,64,1,0,none,17,udp,69,192.0.2.1,192.0.2.2,1,2,3".to_owned(),
            "logged udp 192.0.2.1 1 192.0.2.2 2",
            "rule.id",
            json!("9"),
        ),
    ] {
        let event = of(&line);
        assert_eq!(short(&event), expected, "{line}");
        assert_eq!(event[name], value, "{name} of {line}");
    }
}

#[test]
fn lines_that_end_early_or_lie_keep_what_they_have() {
    for (line, expected) in [
        ("5,,,1,em0,match,block,in,4", "blocked - - - - -"),
        ("5,,,1,em0,match,block,in,9,x", "blocked - - - - -"),
        (
            "5,,,1,em0,match,block,in,4,0x0,,64,1,0,none,6,tcp,60,192.0.2.1",
            "blocked tcp 192.0.2.1 - - -",
        ),
        (
            "5,,,1,em0,match,block,in,4,0x0,,64,1,0,none,6,tcp,99999999999999999999,192.0.2.1,192.0.2.2,1,2,-5,S",
            "blocked tcp 192.0.2.1 1 192.0.2.2 2",
        ),
        (
            "5,,,1,em0,match,block,in,4,0x0,,64,1,0,none,6,tcp,60,nobody,192.0.2.2,70000,22,0,S",
            "blocked tcp - - 192.0.2.2 22",
        ),
        ("5,,,1,em0,match,maybe,in,4", "- - - - - -"),
        ("5,,,1,em0,match,block,up,4", "- - - - - -"),
        ("started", "- - - - - -"),
        ("", "- - - - - -"),
    ] {
        assert_eq!(short(&of(line)), expected, "{line}");
    }
    let odd = "5,,,1,em0,match,block,in,4,0x0,,64,1,0,none,6,tcp,60,192.0.2.1,192.0.2.2,1,2,0,SX?";
    assert_eq!(of(odd)["pfsense.flags"], Json::Null);
}

#[test]
fn every_envelope_of_the_filter_gives_the_same_packet() {
    let context = crate::Context {
        received: "2026-11-21T12:00:00Z".parse().unwrap(),
        host: "192.0.2.254",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let packet = "5,,,1000000103,em0,match,block,in,4,0x0,,64,1,0,none,6,tcp,60,203.0.113.9,192.0.2.2,4242,23,0,S,1,,64240,,mss";
    for (line, host) in [
        (format!("<134>Mar  1 00:00:00 filterlog[1]: {packet}"), "192.0.2.254"),
        (format!("<134>Mar  1 00:00:00 filterlog: {packet}"), "192.0.2.254"),
        (format!("Mar  1 00:00:00 filterlog[1]: {packet}"), "192.0.2.254"),
        (format!("<134>Mar  1 00:00:00 wall filterlog[1]: {packet}"), "wall"),
        (format!("Mar  1 00:00:00 wall filterlog[1]: {packet}"), "wall"),
        (
            format!("<134>1 2026-03-01T00:00:00.5+00:00 wall.example filterlog 1 - - {packet}"),
            "wall.example",
        ),
        (
            format!(
                "<134>1 2026-03-01T00:00:00+00:00 wall filterlog 1 - [meta sequenceId=\"4\"] {packet}"
            ),
            "wall",
        ),
        (format!("filterlog[1]: {packet}"), "192.0.2.254"),
    ] {
        let event = crate::parse(bergfried_event::SourceKind::Syslog, &line, &context);
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["host.name"], host, "{line}");
        assert_eq!(json["process.name"], "filterlog", "{line}");
        assert_eq!(short(&json), "blocked tcp 203.0.113.9 4242 192.0.2.2 23", "{line}");
    }
}

proptest! {
    /// Any fields in any number: the packet is the one of the places, never of others.
    #[test]
    fn fields_are_read_at_their_places(
        head in prop::collection::vec("[a-z0-9./ ]{0,6}", 4),
        source in any::<std::net::IpAddr>(),
        destination in any::<std::net::IpAddr>(),
        tail in prop::collection::vec("[ -~]{0,8}", 0..12),
    ) {
        let line = format!(
            "{},em0,match,block,in,4,0x0,,64,1,0,none,6,tcp,60,{source},{destination},{}",
            head.join(","),
            tail.join(","),
        );
        let event = of(&line);
        let text = |address: std::net::IpAddr| Json::from(address.to_string());
        prop_assert_eq!(&event["source.ip"], &text(source), "{}", line);
        prop_assert_eq!(&event["destination.ip"], &text(destination), "{}", line);
        let mut names: Vec<&String> = event.as_object().unwrap().keys().collect();
        let count = names.len();
        names.dedup();
        prop_assert_eq!(names.len(), count);
    }
}
