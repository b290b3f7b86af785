//! The agent with nothing but the environment of Heimdall's agents.

use crate::support::hub::Hub;
use crate::support::lines::break_in;
use crate::support::process::{Process, bergfried, run_with};
use crate::support::wait_until;

#[test]
fn an_agent_takes_over_with_the_environment_of_heimdalls() {
    let directory = tempfile::tempdir().unwrap();
    let key = "key-of-all-agents-of-heimdall";
    let data = directory.path().join("data");
    let mut command = Hub::command(&data);
    command.env("SIEM_API_KEY", key);
    let hub = Hub::run(command, &data);
    let (log, other) = (directory.path().join("auth.log"), directory.path().join("fw.log"));
    std::fs::write(&log, break_in("web", "bob", "203.0.113.7").join("\n") + "\n").unwrap();
    let dropped = "Nov 21 10:00:00 gate kernel: [UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.9 \
                   DST=192.0.2.1 LEN=60 TTL=50 PROTO=TCP SPT=4711 DPT=23 SYN\n";
    std::fs::write(&other, dropped).unwrap();
    let agent = |key: &str| {
        let mut command = bergfried(&["agent", "--from", "start", "--journald", "off"]);
        command.env("SIEM_API_URL", format!("{}/ingest", hub.url)).env("SIEM_API_KEY", key);
        command.env("SIEM_LOG_FILES", format!("{}, /nonexistent", log.display()));
        command.env("FIREWALL_TYPE", "ufw").env("FIREWALL_LOG_PATH", &other);
        command.arg("--state-dir").arg(directory.path().join("state"));
        command
    };
    let mut refused = Process::spawn(&mut agent("another-key"));
    wait_until("the refusal", || refused.err().contains("wrong token"));
    assert!(refused.terminate().success());
    assert_eq!(hub.stored(), 0);

    let mut agent = Process::spawn(&mut agent(key));
    wait_until("the lines", || {
        !hub.search("203.0.113.7").is_empty() && !hub.search("203.0.113.9").is_empty()
    });
    assert!(agent.interrupt().0.success());
}

#[test]
fn a_firewall_that_nobody_knows_is_refused_with_those_that_are_known() {
    let mut command = bergfried(&["agent"]);
    command.env("SIEM_API_URL", "http://127.0.0.1:9").env("SIEM_API_KEY", "k");
    let done = run_with(
        {
            command.env("FIREWALL_TYPE", "pfsence");
            command
        },
        b"",
    );
    assert_ne!(done.code, Some(0));
    assert!(done.err.contains("generic, iptables, ufw, pfsense, opnsense"), "{}", done.err);
    let help = run_with(bergfried(&["agent", "--help"]), b"").out;
    for name in [
        "SIEM_API_URL",
        "SIEM_API_KEY",
        "SIEM_LOG_FILES",
        "FIREWALL_TYPE",
        "FIREWALL_LOG_PATH",
        "PIHOLE_DB_PATH",
    ] {
        assert!(help.contains(name), "{name}");
    }
}
