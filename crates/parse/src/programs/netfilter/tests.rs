use bergfried_event::{Timestamp, Value};
use proptest::prelude::*;

use super::*;

fn read_as<'a>(program: Option<&str>, message: &'a str) -> Event<'a> {
    let mut event = Event::new(Timestamp::from_seconds(0), "");
    crate::programs::read(program, None, message, &mut event);
    event
}

fn json(event: &Event<'_>) -> serde_json::Value {
    serde_json::to_value(event).unwrap()
}

#[test]
fn prefixes_say_what_was_done() {
    for (prefix, action, name) in [
        ("[UFW BLOCK] ", "blocked", "UFW BLOCK"),
        ("[UFW LIMIT BLOCK] ", "blocked", "UFW LIMIT BLOCK"),
        ("[UFW AUDIT] ", "audited", "UFW AUDIT"),
        ("[UFW AUDIT INVALID] ", "audited", "UFW AUDIT INVALID"),
        ("[UFW ALLOW] ", "allowed", "UFW ALLOW"),
        ("FW-DROP-IN: ", "blocked", "FW-DROP-IN"),
        ("FINAL_REJECT: ", "rejected", "FINAL_REJECT"),
        ("filter_IN_public_REJECT: ", "rejected", "filter_IN_public_REJECT"),
        ("Shorewall:net-fw:DROP:", "blocked", "Shorewall:net-fw:DROP"),
        ("Shorewall:ACCEPT-net:REJECT:", "rejected", "Shorewall:ACCEPT-net:REJECT"),
        ("DROP(src wan)", "blocked", "DROP(src wan)"),
        ("REJECT wan in: ", "rejected", "REJECT wan in"),
        ("[WAN_LOCAL-default-D]", "blocked", "WAN_LOCAL-default-D"),
        ("[LAN_IN-2000-A]", "allowed", "LAN_IN-2000-A"),
        ("[WAN_IN-B-4000000003] DESCR=\"Allow none\" ", "blocked", "WAN_IN-B-4000000003"),
        ("[LAN_IN-A-2000] DESCR=\"Drop list's exception\" ", "allowed", "LAN_IN-A-2000"),
        ("\"filter_IN_public_REJECT: \"", "rejected", "filter_IN_public_REJECT"),
        ("iptables denied: ", "blocked", "iptables denied"),
        ("IPTables-Dropped: ", "blocked", "IPTables-Dropped"),
        ("nft#accepted ", "allowed", "nft#accepted"),
        ("PVEFW-reject: ", "rejected", "PVEFW-reject"),
        ("rst-out: ", "logged", "rst-out"),
        ("my box says ", "logged", "my box says"),
        ("[12345.678901] [UFW BLOCK] ", "blocked", "UFW BLOCK"),
        ("[    1.5] ", "logged", ""),
        ("", "logged", ""),
        ("DROP", "blocked", "DROP"),
    ] {
        let line = format!(
            "{prefix}IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 LEN=60 PROTO=TCP SPT=1 DPT=2"
        );
        let event = read_as(Some("kernel"), &line);
        assert_eq!(event.text(Field::EventAction), Some(action), "{prefix}");
        assert_eq!(event.text(Field::RuleName).unwrap_or(""), name, "{prefix}");
        assert_eq!(event.text(Field::SourceIp), Some("192.0.2.1"), "{prefix}");
    }
}

#[test]
fn the_description_of_a_rule_is_kept() {
    let line = r#"[WAN_IN-B-2000] DESCR="block "all"" IN=eth8 OUT=br0 SRC=192.0.2.1 DST=192.0.2.2 PROTO=2"#;
    let event = read_as(Some("kernel"), line);
    let name = FieldName::Other("rule.description".into());
    assert_eq!(event.get_named(&name).and_then(Value::as_str), Some("block \"all"));
}

#[test]
fn prefixes_that_pass_for_programs_are_prefixes() {
    let message = "IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 LEN=60 PROTO=TCP SPT=1 DPT=2";
    let event = read_as(Some("FW-DROP-IN"), message);
    assert_eq!(event.text(Field::EventAction), Some("blocked"));
    assert_eq!(event.text(Field::RuleName), Some("FW-DROP-IN"));
    assert_eq!(read_as(None, message).text(Field::EventAction), Some("logged"));
}

#[test]
fn every_part_of_a_packet_has_its_field() {
    let event = read_as(
        Some("kernel"),
        "[5.1] fwd IN=br0 OUT=wan0 PHYSIN=eth1 PHYSOUT=eth2 MAC=8a:90:9d:12:86:d3:76:9c:5b:63:50:17:08:00 \
         SRC=192.0.2.66 DST=198.51.100.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=9181 DF PROTO=TCP \
         SPT=52603 DPT=2222 SEQ=7 ACK=0 WINDOW=64240 RES=0x00 ACK SYN URGP=0 OPT (020405B4) \
         UID=1000 GID=100 MARK=0xff00",
    );
    let event = json(&event);
    for (name, expected) in [
        ("source.ip", serde_json::json!("192.0.2.66")),
        ("source.port", 52603.into()),
        ("source.mac", "76:9c:5b:63:50:17".into()),
        ("destination.ip", "198.51.100.1".into()),
        ("destination.port", 2222.into()),
        ("destination.mac", "8a:90:9d:12:86:d3".into()),
        ("network.transport", "tcp".into()),
        ("network.iana_number", "6".into()),
        ("network.type", "ipv4".into()),
        ("network.direction", serde_json::Value::Null),
        ("network.bytes", 60.into()),
        ("observer.ingress.interface.name", "br0".into()),
        ("observer.egress.interface.name", "wan0".into()),
        ("netfilter.physical.ingress", "eth1".into()),
        ("netfilter.physical.egress", "eth2".into()),
        ("netfilter.flags", serde_json::json!(["DF", "ACK", "SYN"])),
        ("netfilter.ttl", 64.into()),
        ("netfilter.id", 9181.into()),
        ("netfilter.acknowledgement", 0.into()),
        ("netfilter.mark", "0xff00".into()),
        ("user.id", "1000".into()),
        ("group.id", "100".into()),
    ] {
        assert_eq!(event[name], expected, "{name}");
    }
}

#[test]
fn icmp_and_what_it_quotes_are_told_apart() {
    let event = json(&read_as(
        Some("kernel"),
        "IN=eth0 OUT= MAC= SRC=203.0.113.9 DST=192.0.2.1 LEN=88 TOS=0x00 PREC=0xC0 TTL=51 ID=1 \
         PROTO=ICMP TYPE=3 CODE=3 [SRC=192.0.2.1 DST=203.0.113.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 \
         ID=2 DF PROTO=UDP SPT=4000 DPT=33434 LEN=40 ] ",
    ));
    assert_eq!(event["source.ip"], "203.0.113.9");
    assert_eq!(event["network.transport"], "icmp");
    assert_eq!(
        (&event["netfilter.icmp.type"], &event["netfilter.icmp.code"]),
        (&3.into(), &3.into())
    );
    assert_eq!(event["source.port"], serde_json::Value::Null);
    assert_eq!(event["netfilter.inner.source.ip"], "192.0.2.1");
    assert_eq!(event["netfilter.inner.destination.port"], 33434);
    assert_eq!(event["netfilter.inner.transport"], "udp");

    let event = json(&read_as(
        Some("kernel"),
        "IN=eth0 OUT= SRC=fe80:0000:0000:0000:0000:0000:0000:0001 DST=ff02:0000:0000:0000:0000:0000:0000:0016 \
         LEN=76 TC=0 HOPLIMIT=1 FLOWLBL=0 PROTO=ICMPv6 TYPE=143 CODE=0",
    ));
    assert_eq!(
        (&event["source.ip"], &event["destination.ip"]),
        (&"fe80::1".into(), &"ff02::16".into())
    );
    assert_eq!(
        (&event["network.type"], &event["network.transport"]),
        (&"ipv6".into(), &"ipv6-icmp".into())
    );
    assert_eq!(
        (&event["network.direction"], &event["netfilter.ttl"]),
        (&"ingress".into(), &1.into())
    );
}

#[test]
fn lines_without_a_header_are_the_kernels_or_proxmoxs() {
    let context = Context {
        received: Timestamp::from_seconds(1_700_000_000),
        host: "h",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let packet = "IN=vmbr0.94 MAC=24:8a:07:9a:2a:f2:24:8a:07:50:2c:9e:08:00 SRC=192.0.2.11 DST=192.0.2.12 LEN=52 PROTO=UDP SPT=49152 DPT=3784 LEN=32";
    for (line, program, action, rule) in [
        (
            format!("0 3 PVEFW-HOST-IN 20/Jun/2022:13:09:14 +0200 policy DROP: {packet}"),
            "pve-firewall",
            "blocked",
            "policy DROP",
        ),
        (
            format!("101 1 tap101i0-IN 20/Jun/2022:13:13:32 +0200 PVEFW-reject: {packet}"),
            "pve-firewall",
            "rejected",
            "PVEFW-reject",
        ),
        (format!("[ 5699.553176] [UFW BLOCK] {packet}"), "kernel", "blocked", "UFW BLOCK"),
        (format!("<4>[ 5699.553176] [UFW BLOCK] {packet}"), "", "blocked", "UFW BLOCK"),
        (
            format!("Nov 21 02:50:10 h kernel: [UFW BLOCK] {packet}"),
            "kernel",
            "blocked",
            "UFW BLOCK",
        ),
        (format!("Nov 21 02:50:10 h [UFW BLOCK] {packet}"), "", "blocked", "UFW BLOCK"),
        (format!("Nov 21 02:50:10 h FW-DROP: {packet}"), "kernel", "blocked", "FW-DROP"),
    ] {
        let event = crate::parse(bergfried_event::SourceKind::File, &line, &context);
        assert_eq!(event.text(Field::ProcessName).unwrap_or(""), program, "{line}");
        assert_eq!(event.text(Field::EventAction), Some(action), "{line}");
        assert_eq!(event.text(Field::RuleName), Some(rule), "{line}");
        assert_eq!(event.text(Field::SourceIp), Some("192.0.2.11"), "{line}");
        assert_eq!(event.text(Field::DestinationIp), Some("192.0.2.12"), "{line}");
    }
}

#[test]
fn other_words_of_the_kernel_are_no_packets() {
    for message in [
        "",
        "IN=",
        "IN=eth0 OUT=",
        "usb 1-1: new high-speed USB device",
        "su[12]: segfault at 0 ip 0 sp 0 error 4",
        "BEGIN=1 SRC=192.0.2.1",
        "IN=eth0 OUT= SRC=nonsense DST=",
    ] {
        assert_eq!(read_as(Some("kernel"), message).get(Field::EventAction), None, "{message}");
    }
    // What another program says is not the kernel's.
    let packet = "x IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 LEN=60 PROTO=TCP";
    for program in ["sshd", "sudo", "app"] {
        assert_eq!(read_as(Some(program), packet).get(Field::SourceIp), None, "{program}");
    }
}

proptest! {
    /// No prefix changes what is read of the packet: rules may log what strangers chose, such as a
    /// name in a set.
    #[test]
    fn no_prefix_forges_a_packet(
        prefix in prop_oneof![
            "[ -~]{0,40}",
            Just("IN=eth9 OUT=eth9 SRC=6.6.6.6 DST=6.6.6.6 PROTO=UDP SPT=6 DPT=6 ".to_owned()),
            Just("[SRC=6.6.6.6 DST=6.6.6.6 ".to_owned()),
            Just("IN=x OUT= SRC=6.6.6.6 ".to_owned()),
            "(IN=|OUT=| |SRC=6\\.6\\.6\\.6|PHYS|\\[|\\]){0,12}",
        ],
        source in any::<std::net::Ipv4Addr>(),
        port in any::<u16>(),
    ) {
        let line = format!("{prefix} IN=eth0 OUT= SRC={source} DST=192.0.2.2 LEN=60 PROTO=TCP SPT={port} DPT=22");
        let event = read_as(Some("kernel"), &line);
        let expected = source.to_string();
        prop_assert_eq!(event.text(Field::SourceIp), Some(expected.as_str()), "{}", line);
        prop_assert_eq!(event.text(Field::DestinationIp), Some("192.0.2.2"));
        prop_assert_eq!(event.get(Field::SourcePort).and_then(Value::as_int), Some(i64::from(port)));
        prop_assert_eq!(event.get(Field::DestinationPort).and_then(Value::as_int), Some(22));
    }
}
