//! Sockets of our own: framing, who may say what, limits, what is counted.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;

use serde_json::json;

use super::{address, events, hub_with, input, stamped};
use crate::support::process::run_with;
use crate::support::wait_until;

#[test]
fn every_framing_and_transport_arrives_with_its_origin() {
    let directory = tempfile::tempdir().unwrap();
    let local = directory.path().join("log");
    let config = format!(
        "[[input]]\nname = 'home'\ntype = 'syslog'\nudp = '127.0.0.1:0'\ntcp = '127.0.0.1:0'\n\
         unix = '{}'\ntags = ['syslog']\nfields = {{ site = 'cellar' }}\n",
        local.display()
    );
    let hub = hub_with(directory.path(), &config);
    let mut stream = TcpStream::connect(address(&hub, "home", "tcp")).unwrap();
    stream
        .write_all(&stamped(
            "<38>{STAMP} web1 sshd[7]: line\n<38>{STAMP} web2 sshd[7]: crlf\r\n\
              35 <38>{STAMP} web3 a: counted<38>{STAMP} web4 a: nul\0\
              <13>no host at all\n{STAMP} dhcpd[9]: from pfSense\n",
        ))
        .unwrap();
    let from = stream.local_addr().unwrap();
    let lines = events(&hub, "log.file.path:\"syslog/tcp\"", 6);
    let hosts: Vec<_> = lines.iter().map(|event| event["host.name"].as_str().unwrap()).collect();
    assert_eq!(hosts, ["web1", "web2", "web3", "web4", "127.0.0.1", "127.0.0.1"]);
    for event in &lines {
        assert_eq!(event["log.source.address"], from.to_string());
        assert_eq!(event["observer.ip"], "127.0.0.1");
        assert_eq!(event["input.name"], "home");
        assert_eq!(event["input.type"], "syslog");
        assert_eq!(event["tags"], json!(["syslog"]));
        assert_eq!(event["site"], "cellar");
    }
    assert_eq!(lines[2]["message"], "counted");

    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.send_to(&stamped("<13>{STAMP} web5 a: datagram\n\0"), address(&hub, "home", "udp"))
        .unwrap();
    let unix = UnixDatagram::unbound().unwrap();
    unix.send_to(&stamped("<13>{STAMP} cron[1]: local"), &local).unwrap();
    let datagram = events(&hub, "log.file.path:\"syslog/udp\"", 1).remove(0);
    assert!(datagram["event.original"].as_str().unwrap().ends_with(" web5 a: datagram"));
    assert_eq!(datagram["host.name"], "web5");
    let local_event = events(&hub, "log.file.path:\"syslog/unix\"", 1).remove(0);
    let own_name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(local_event["host.name"], own_name.trim());
    assert_eq!(local_event["process.name"], "cron");

    drop(stream);
    wait_until("the connection's end", || input(&hub, "home")["counters"]["connections"] == 0);
    let counters = input(&hub, "home")["counters"].clone();
    assert_eq!((&counters["messages"], &counters["connected"]), (&json!(8), &json!(1)));
    assert_eq!(hub.get("/api/v1/inputs")["sum"]["messages"], 8);
    let shown = run_with(hub.client(&["status"]), b"");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    for part in ["health  ok", "input home", "  messages   8, "] {
        assert!(shown.out.contains(part), "{part} in {}", shown.out);
    }
    let json = run_with(hub.client(&["status", "--format", "json"]), b"");
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["inputs"]["inputs"][0]["name"], "home");
    assert_eq!(json["status"]["store"]["events"], 8);
    hub.interrupt();
    assert!(!local.exists(), "the socket's file goes with the hub");
}

#[test]
fn a_sender_speaks_for_its_own_hosts_alone() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with(
        directory.path(),
        "[[input]]\nname = 'home'\ntype = 'syslog'\ntcp = '127.0.0.1:0'\n\
         [[input.sender]]\nfrom = '127.0.0.0/8'\nhosts = ['web*']\nname = 'gate'\n",
    );
    let mut stream = TcpStream::connect(address(&hub, "home", "tcp")).unwrap();
    let text = &stamped("<13>{STAMP} web1 a: own\n<13>{STAMP} bank a: claimed\n<13>a: none\n");
    stream.write_all(text).unwrap();
    let events = events(&hub, "input.name:home", 3);
    let said = |name: &str| events.iter().map(|event| event[name].clone()).collect::<Vec<_>>();
    assert_eq!(said("host.name"), ["web1", "gate", "gate"]);
    assert_eq!(said("host.claimed"), [json!(null), json!("bank"), json!(null)]);
    assert_eq!(events[1]["log.flags"], "host_not_allowed");
    assert_eq!(said("observer.name"), ["gate", "gate", "gate"]);
    assert_eq!(input(&hub, "home")["hosts_not_allowed"], 1);
}

#[test]
fn limits_are_kept_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with(
        directory.path(),
        "[[input]]\nname = 'home'\ntype = 'syslog'\ntcp = '127.0.0.1:0'\nmax_message = '480B'\n\
         max_connections = 1\nidle_timeout = '1s'\n",
    );
    let at = address(&hub, "home", "tcp");
    let mut first = TcpStream::connect(at).unwrap();
    let long = format!("<13>{{STAMP}} h a: {}\n", "x".repeat(5_000));
    first.write_all(&stamped(&long)).unwrap();
    let cut = events(&hub, "input.name:home", 1).remove(0);
    assert_eq!(cut["log.flags"], "truncated");
    assert_eq!(cut["event.original"].as_str().unwrap().len(), 480);
    let mut second = TcpStream::connect(at).unwrap();
    let mut buffer = [0; 1];
    assert!(!matches!(second.read(&mut buffer), Ok(1..)), "the second connection is closed");
    assert_eq!(first.read(&mut buffer).unwrap(), 0, "closed when idle for too long");
    let counters = input(&hub, "home")["counters"].clone();
    assert_eq!((&counters["cut"], &counters["refused"]), (&json!(1), &json!(1)));
}

#[test]
fn one_address_cannot_take_all_connections() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with(
        directory.path(),
        "[[input]]\nname = 'home'\ntype = 'syslog'\ntcp = '127.0.0.1:0'\nmax_connections = 4\n",
    );
    let at = address(&hub, "home", "tcp");
    let speak = || {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.write_all(&stamped("<13>{STAMP} h a: here\n")).unwrap();
        stream
    };
    let first = speak();
    let others = [speak(), speak()];
    events(&hub, "input.name:home", 3);
    let mut buffer = [0; 1];
    let mut more = TcpStream::connect(at).unwrap();
    assert!(!matches!(more.read(&mut buffer), Ok(1..)), "three quarters are taken");
    let counters = input(&hub, "home")["counters"].clone();
    assert_eq!((&counters["refused_of_address"], &counters["refused"]), (&json!(1), &json!(0)));
    drop(first);
    wait_until("room", || input(&hub, "home")["counters"]["connections"] == 2);
    let _again = speak();
    events(&hub, "input.name:home", 4);
    drop(others);
}

#[test]
fn a_listener_whose_address_is_taken_says_so_and_starts_when_it_is_free() {
    let directory = tempfile::tempdir().unwrap();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let config = format!(
        "[[input]]\nname = 'home'\ntype = 'syslog'\nudp = '{address}'\ntcp = '127.0.0.1:0'\n"
    );
    let hub = hub_with(directory.path(), &config);
    let health = hub.get("/api/v1/health");
    assert_eq!(health["status"], "degraded");
    let problem = health["problems"][0].as_str().unwrap();
    assert!(problem.starts_with(&format!("input `home` does not listen on udp {address}")));
    drop(taken);
    wait_until("the listener", || hub.get("/api/v1/health")["status"] == "ok");
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.send_to(b"<13>hello", address).unwrap();
    events(&hub, "input.name:home", 1);
}
