//! An agent and a dashboard in Python, written from the protocol's description.

use std::time::Duration;

use super::*;
use crate::support::lines::append;
use crate::support::process::Process;
use crate::support::python::{client, run_client};
use crate::support::relay::Relay;
use crate::support::wait_until;

#[test]
fn an_agent_loses_nothing_while_the_hub_is_killed_and_a_dashboard_shows_it() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let log = directory.path().join("auth.log");
    append(&log, "");
    let relay = Relay::start();
    let mut hub = server(&data);
    relay.lead_to(&hub.url);
    let Some(mut agent) = client(&hub, "heimdall", "heimdall_agent.py") else { return };
    agent.env("SIEM_API_URL", &relay.url).env("SIEM_API_KEY", KEY);
    agent.env("SIEM_LOG_FILES", &log).env("HEIMDALL_HOST", "web");
    let mut agent = Process::spawn(&mut agent);
    for round in 0..4 {
        for n in 0..30 {
            let user = if n % 10 == 0 { "bob" } else { "root" };
            let address = format!("203.0.113.{}", round * 30 + n);
            append(&log, &(failed(&ago(5), "web", user, &address) + "\n"));
        }
        append(
            &log,
            "Mar  1 12:00:00 web sudo: alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls\n",
        );
        append(&log, "Mar  1 12:00:00 web cron[1]: nothing\n");
        let before = hub.stored();
        wait_until("events of the agent", || hub.stored() > before || agent.has_ended());
        assert!(!agent.has_ended(), "{}", agent.err());
        std::thread::sleep(Duration::from_millis(round * 7));
        hub.kill();
        hub = server(&data);
        relay.lead_to(&hub.url);
    }
    append(&directory.path().join("STOP"), "");
    let done = agent.wait();
    assert_eq!(done.code, Some(0), "{}", done.err);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(
        (&told["sent"], &told["heartbeat"]),
        (&json!(124), &json!(["message", "success", "timestamp"]))
    );
    assert_eq!(told["status"], json!(["message", "success"]));

    let Some(mut dashboard) = client(&hub, "heimdall", "heimdall_dashboard.py") else { return };
    dashboard.env("SIEM_API_URL", &hub.url).env("SIEM_API_KEY", KEY).env("HEIMDALL_HOST", "web");
    let mut shown = run_client(dashboard);
    let top = shown["top"].take();
    assert_eq!(top.as_array().unwrap().len(), 10);
    assert_eq!(
        shown,
        json!({
            "total_alerts_24h": 124, "threats_by_os": {"LINUX": 124}, "per_minute": {"LINUX": 124},
            "top": null, "blocked": null, "total": 124, "failed": 120, "high": 120, "bob": 12,
            "since_yesterday": 124, "before_2020": 0, "hosts": ["web"], "cpu": 12.5, "config": 4,
        })
    );
}
