//! Whatever stands in a line of the programs that watch a host: it is an event, no field is set twice,
//! and the text is whole.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::time::{Duration, Instant};

use bergfried_event::{Event, SourceKind};
use bergfried_parse::{Context, parse};
use proptest::prelude::*;

fn read(line: &str) -> Event<'_> {
    let context = Context {
        received: "2026-11-21T12:00:00Z".parse().unwrap(),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    parse(SourceKind::File, line, &context)
}

/// What stands in front of a message: a header of syslog with the program, or what the programs put in
/// front of the lines of their own logs.
const FRONTS: &[&str] = &[
    "Nov 21 10:00:00 host kernel: ",
    "Nov 21 10:00:00 host kernel: [ 12.5] ",
    "Nov 21 10:00:00 host pve-firewall[1]: ",
    "Nov 21 10:00:00 host %ASA-4-106023: Deny ",
    "Nov 21 10:00:00 host %ASA-6-605004: Login denied from ",
    "Nov 21 10:00:00 host firewall,info drop input: in:a out:b, ",
    "<189>date=2026-11-21 devid=\"F\" type=\"traffic\" ",
    "<30>device=\"SFW\" log_id=1 log_type=\"Firewall\" ",
    "<30>device=\"SFW\" log_id=1 log_type=\"Event\" log_component=\"GUI\" status=\"Failed\" message=\"login\" ",
    "<189>date=2026-11-21 devid=\"F\" type=\"event\" action=\"login\" status=\"failed\" ",
    "Nov 21 10:00:00 host kernel: ipfw: 100 Deny ",
    "Nov 21 10:00:00 filterlog[1]: 5,,,1000000103,em0,match,block,in,4,0x0,,64,1,0,DF,",
    "Nov 21 10:00:00 filterlog[1]: 5,,,0,em0,match,pass,out,6,0x0,0x0,64,",
    "Nov 21 10:00:00 php-fpm[1]: /index.php: ",
    "Nov 21 10:00:00 wall audit[1]: user ",
    "Nov 21 10:00:00 host snort[1]: ",
    "Nov 21 10:00:00 host suricata[1]: ",
    "Nov 21 10:00:00 host samhain[1]: ",
    "Nov 21 10:00:00 host fail2ban.actions[1]: ",
    "Nov 21 10:00:00 host sshguard[1]: ",
    "Nov 21 10:00:00 host portsentry[1]: ",
    "Nov 21 10:00:00 host scanlogd: ",
    "Nov 21 10:00:00 host openvpn[1]: ",
    "Nov 21 10:00:00 host rsnapshot[1]: ",
    "Nov 21 10:00:00 host dockerd[1]: ",
    "Nov 21 10:00:00 host dnsmasq[1]: ",
    "Nov 21 10:00:00 host dovecot[1]: imap-login: ",
    "Nov 21 10:00:00 host postfix/smtpd[1]: ",
    "Nov 21 10:00:00 host postfix/postscreen[1]: NOQUEUE: reject: ",
    "Nov 21 10:00:00 host falco[1]: ",
    "[ 12.5] ",
    "0 3 PVEFW-HOST-IN 20/Jun/2022:13:09:14 +0200 ",
    "11/21-09:09:10.917356  ",
    "11/21/26-09:09:10.917356 ",
    "CRIT   :  [2026-11-21T16:58:50+0000] ",
    "[2026-11-21T02:28:30] ",
    "2026-11-21 13:10:40 ",
    "1795255200 - 11/21/2026 10:00:00 ",
    "time=\"2026-11-21T10:00:00Z\" level=info ",
    "{\"priority\":\"Error\",\"rule\":\"r\",",
    "{\"event_type\":\"alert\",\"flow_id\":1,",
    "203.0.113.9 - ",
    "203.0.113.9 - - [21/Nov/2026:10:00:00 +0000] \"",
    "203.0.113.9 - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 ",
    "2026/11/21 10:00:00 [error] 1#1: *1 ",
    "2026/11/21 10:00:00 [error] 1#1: *1 ModSecurity: Access denied. ",
    "[Sat Nov 21 10:00:00 2026] [core:error] [pid 1] [client 203.0.113.9:1] ",
    "[21/Nov/2026:10:00:00 +0000] - 200 200 - GET https h \"",
    "Nov 21 10:00:00 host nginx: ",
    "Nov 21 10:00:00 host httpd[1]: ",
    "{\"remote_addr\":\"203.0.113.9\",\"status\":200,\"request\":\"GET / HTTP/1.1\",",
    "",
];

/// Pieces of what these programs write.
const PIECES: &[&str] = &[
    "45 192.0.2.1/53 ",
    "query[A] a.b from 192.0.2.1",
    "gravity blocked a.b is ::",
    "Logged in: user=<",
    "Login aborted: x (auth failed, 3 attempts in 2 secs): user=<",
    "a>, method=PLAIN, rip=192.0.2.1, lip=",
    "auth: passwd-file(",
    "a,192.0.2.1,<x>): unknown user",
    "a,192.0.2.1,sasl:plain)<x>: sql: Password mismatch",
    "warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: ",
    "x, sasl_username=a",
    "4F1C2A0: client=a[192.0.2.1]:25, sasl_method=PLAIN, sasl_username=",
    "disconnect from unknown[192.0.2.1] ehlo=1 auth=0/2",
    "reject: RCPT from [192.0.2.1]:25: 554 5.7.1 <",
    "a@b>: Relay access denied; from=<a> to=<b> proto=",
    "PREGREET 1 after 0 from [192.0.2.1]:25: ",
    "1,icmp,84,192.0.2.1,192.0.2.2,",
    "TCP,6,60,2001:db8::1,2001:db8::2,1,2,0,S,",
    "unreachport,192.0.2.3,17,53",
    "tstampreply,1,2,3,4,5,6",
    "TCP 192.0.2.1:1 192.0.2.2:2 ",
    "ICMP:8.0 [2001:db8::1] [2001:db8::2] ",
    "in via em0",
    "Configuration Change: admin@192.0.2.1[x] (y): z",
    "Successful login for user 'x",
    "' from: 192.0.2.1",
    "x changed configuration to y in z ",
    "x could not authenticate for WebGui.",
    "tcp src outside:192.0.2.1/4 ",
    "dst inside:2001:db8::1/22(x) ",
    " to inside:192.0.2.2/ssh for user \"",
    "flags SYN ACK on interface x",
    "(type 3, code ",
    "proto TCP (SYN), 192.0.2.1:1->[2001:db8::1]:2, len 5",
    "srcip=192.0.2.1 ",
    "eventtime=1795255200123 ",
    "eventtime=17952552001é ",
    "user=\"a\\\"b\" ",
    "IN=eth0 ",
    "OUT= ",
    "MAC=00:00:00:00:00:00:00:00:00:00:00:00:08:00 ",
    "SRC=192.0.2.1 ",
    "DST=2001:db8::1 ",
    "PROTO=TCP ",
    "PROTO=300 ",
    "SPT=1 DPT=99999 ",
    "LEN=1 LEN=2 ",
    "[SRC=",
    "] ",
    "TYPE=3 CODE=4 ",
    "UID=0 GID= ",
    "[UFW BLOCK] ",
    "[**] ",
    "[1:2:3] ",
    "[1:2",
    "[Priority: 2] ",
    "[Classification: x] ",
    "[Drop] ",
    "{TCP} ",
    "192.0.2.1:80 -> 192.0.2.2:81",
    " -> ",
    ",1,2,3,\"m\",",
    "TCP,192.0.2.1,1,192.0.2.2,2,",
    "msg=<",
    "POLICY [ReadOnly] C-------TS",
    "POLICY ADDED",
    ">, ",
    "path=</x>, ",
    "path=<",
    "owner_new=<root> ",
    "chksum_new=<00>",
    "[ServiceNew] port: ::1:22/tcp",
    "NOTICE [x] ",
    "[x] Ban ",
    "Found ",
    " already banned",
    "192.0.2.1 ",
    "Attack from \"",
    "\" on service ",
    "Blocking ",
    "unblocking after ",
    "Host: a/192.0.2.1 Port: 1 ",
    " to ",
    "ports 1, 2, ",
    "bob/192.0.2.1:5 ",
    "TLS Error: ",
    "user 'x' authenticated",
    "username '",
    "Peer Connection Initiated with [AF_INET]",
    "/usr/bin/rsnapshot x: ",
    "ERROR: ",
    "WARNING: ",
    "started",
    "level=fatal ",
    "msg=\"",
    "\\\"",
    "\" ",
    "container=4b1c6a7b8c9d ",
    "error=x error=y ",
    "a=b ",
    "\"output_fields\":{\"fd.name\":\"",
    "->",
    "\":1,",
    "\"output\":\"x\"",
    "\"tags\":[\"T1059\"],",
    "}",
    "\"GET /x?y HTTP/1.1\" 200 5 ",
    "\"-\" ",
    ", client: 203.0.113.9",
    ", server: s",
    ", request: \"GET / HTTP/1.1\"",
    ", host: \"h:80\"",
    ", referrer: \"r\"",
    ", login: \"l\"",
    "user \"x\": password mismatch",
    "[file \"f\"] [line \"1\"] [id \"2\"] ",
    "[uri \"/%2e\"] [hostname \"h\"] ",
    "[Client 203.0.113.9] [Length 1] ",
    "\"host\":\"h\",\"http_user_agent\":\"\\x22\",",
    "\n",
    "é",
    "\u{0}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_line_of_a_watching_program_is_an_event(
        front in prop::sample::select(FRONTS),
        pieces in prop::collection::vec(prop_oneof![
            4 => prop::sample::select(PIECES).prop_map(str::to_owned),
            1 => "\\PC{0,10}",
        ], 0..10),
    ) {
        let line = format!("{front}{}", pieces.concat());
        let event = read(&line);
        prop_assert_eq!(event.original(), line.as_str());
        let mut names: Vec<&str> = event.fields().iter().map(|(name, _)| name.as_str()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), count, "a field set twice: {}", line);
    }
}

/// Nothing that a program puts in front of a stranger's text makes reading it cost more than its
/// length: as many pieces as fit, of every kind, behind every front.
#[test]
fn a_long_line_of_any_program_is_read_in_time() {
    for front in FRONTS {
        for piece in PIECES {
            let line = format!("{front}{}", piece.repeat((48 << 10) / piece.len()));
            let begun = Instant::now();
            assert_eq!(read(&line).original(), line);
            // Some milliseconds, on a machine that does nothing else.
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(5), "{took:?} for {piece:?} behind {front:?}");
        }
    }
}
