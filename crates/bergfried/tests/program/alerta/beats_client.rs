//! Heartbeats and blackouts with the real `alerta` command.

use serde_json::json;

use super::Api;
use super::beats::alerts_of;
use super::client::Client;
use crate::support::hub::Hub;
use crate::support::{wait_for, wait_until};

#[test]
fn a_silent_sender_is_one_alert_whether_the_hub_or_the_client_says_it() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let Some(client) = Client::of(&hub) else { return };
    let api = Api::of(&hub);
    #[rustfmt::skip]
    client.ok(&[
        "heartbeat", "-O", "backup", "-T", "nightly", "--timeout", "1", "-E", "Production",
        "-s", "critical", "-S", "Backup", "-g", "Jobs",
    ]);
    let failed = wait_for("the hub's own alert", || alerts_of(&api, "backup").pop());
    for (name, value) in [
        ("event", json!("HeartbeatFail")),
        ("severity", json!("critical")),
        ("environment", json!("Production")),
        ("service", json!(["Backup"])),
        ("group", json!("Jobs")),
        ("tags", json!(["nightly"])),
        ("text", json!("Heartbeat not received in 1 seconds")),
        ("type", json!("heartbeatAlert")),
        ("correlate", json!(["HeartbeatFail", "HeartbeatSlow", "HeartbeatOK"])),
        ("status", json!("open")),
    ] {
        assert_eq!(failed[name], value, "{name}");
    }
    // Of a sender that is well only the client speaks.
    client.ok(&["heartbeat", "-O", "cron", "--timeout", "600"]);
    client.ok(&["heartbeats", "--alert"]);
    assert_eq!(alerts_of(&api, "cron")[0]["origin"], failed["origin"]);
    let alerts = alerts_of(&api, "backup");
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["id"], failed["id"]);
    assert!(alerts[0]["duplicateCount"].as_u64().unwrap() >= 1, "{alerts:?}");
    // What of it the client says is what the hub says, word by word.
    for name in ["event", "severity", "service", "group", "tags", "text", "type", "correlate"] {
        assert_eq!(alerts[0][name], failed[name], "{name}");
    }
    client.ok(&["heartbeat", "-O", "backup", "--timeout", "600", "-E", "Production"]);
    wait_until("the alert to close", || alerts_of(&api, "backup")[0]["status"] == "closed");
    let alerts = alerts_of(&api, "backup");
    assert_eq!((alerts.len(), &alerts[0]["event"]), (1, &json!("HeartbeatOK")));
    assert!(client.ok(&["heartbeats"]).contains("backup"));
    client.ok(&["heartbeats", "--purge"]);
    assert_eq!(api.get("/heartbeats")["total"], 2, "what is well stays");
}

#[test]
fn alerta_makes_and_lists_blackouts() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let Some(client) = Client::of(&hub) else { return };
    let api = Api::of(&hub);
    #[rustfmt::skip]
    client.ok(&["blackout", "-E", "Production", "-r", "web1", "--duration", "600", "--text", "disks"]);
    let blackout = api.get("/blackouts")["blackouts"][0].clone();
    assert_eq!((&blackout["resource"], &blackout["text"]), (&json!("web1"), &json!("disks")));
    assert!(client.ok(&["blackouts"]).contains("web1"));
    client.ok(&["blackouts", "--purge"]);
    assert_eq!(api.get("/blackouts")["total"], 1, "what is active stays");
}
