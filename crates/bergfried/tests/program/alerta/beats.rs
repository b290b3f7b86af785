//! Heartbeats and blackouts: over HTTP and with our own commands.

use serde_json::{Value, json};

use super::{Api, keys};
use crate::support::hub::Hub;
use crate::support::process::run_with;
use crate::support::{wait_for, wait_until};

const HEARTBEAT: [&str; 14] = [
    "attributes",
    "createTime",
    "customer",
    "href",
    "id",
    "latency",
    "maxLatency",
    "origin",
    "receiveTime",
    "since",
    "status",
    "tags",
    "timeout",
    "type",
];
const LIST: [&str; 6] = ["more", "page", "pageSize", "pages", "status", "total"];

fn list_fields(name: &str, empty: bool) -> Vec<&str> {
    let mut fields: Vec<&str> = LIST.into_iter().chain([name]).collect();
    if empty {
        fields.push("message");
    }
    fields.sort_unstable();
    fields
}

/// The alerts of this origin's heartbeat.
pub(crate) fn alerts_of(api: &Api<'_>, origin: &str) -> Vec<Value> {
    api.get(&format!("/alerts?resource={origin}"))["alerts"].as_array().unwrap().clone()
}

#[test]
fn heartbeats_are_kept_listed_and_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    api.expect(("GET", "/heartbeats"), None, 200, &list_fields("heartbeats", true));
    let sent = json!({"origin": "one", "tags": ["a"], "timeout": 600, "attributes": {"x": 1}});
    let fields = ["heartbeat", "id", "status"];
    let first = api.expect(("POST", "/heartbeat"), Some(sent.clone()), 201, &fields);
    assert_eq!(keys(&first["heartbeat"]), HEARTBEAT);
    let id = first["id"].as_str().unwrap();
    let again = api.expect(("POST", "/heartbeat"), Some(sent), 201, &fields);
    assert_eq!(again["id"], first["id"], "the id stays");
    let slow = json!({"origin": "two", "createTime": "2026-01-01T00:00:00.000Z"});
    let slow = api.expect(("POST", "/heartbeat"), Some(slow), 201, &fields);
    assert_eq!(slow["heartbeat"]["status"], "slow");
    assert_eq!(slow["heartbeat"]["timeout"], 86_400);
    let list = api.expect(("GET", "/heartbeats"), None, 200, &list_fields("heartbeats", false));
    assert_eq!(list["total"], 2);
    for (query, total) in [
        ("status=ok", 1),
        ("status=slow", 1),
        ("status=ok&status=slow", 2),
        ("status=expired", 0),
        ("origin=one", 1),
        ("origin!=one", 1),
        ("tag=a", 1),
        ("page-size=1&page=2", 2),
    ] {
        assert_eq!(api.get(&format!("/heartbeats?{query}"))["total"], total, "{query}");
    }
    for path in ["/heartbeats?status=dead", "/heartbeats?colour=red"] {
        api.refused(("GET", path), None, 400);
    }
    api.refused(("GET", "/heartbeats?page=9"), None, 416);
    for body in [json!({"timeout": "60"}), json!({"tags": "a"}), json!({"createTime": "now"})] {
        api.refused(("POST", "/heartbeat"), Some(body), 400);
    }
    let body = json!({"attributes": {"severity": "dreadful"}});
    let message = api.refused(("POST", "/heartbeat"), Some(body), 400);
    assert!(message.contains("`dreadful`, expected one of security, critical"), "{message}");
    let path = format!("/heartbeat/{id}");
    assert_eq!(api.get(&path)["heartbeat"]["origin"], "one");
    api.expect(("DELETE", &path), None, 200, &["status"]);
    assert_eq!(api.refused(("GET", &path), None, 404), "not found");
    api.refused(("DELETE", &path), None, 404);
}

#[test]
fn a_silent_sender_becomes_an_alert_until_it_is_heard_of() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let fields = ["heartbeat", "id", "status"];
    let sent = json!({"origin": "backup", "tags": ["nightly"], "timeout": 1, "attributes":
        {"environment": "Production", "severity": "critical", "service": ["Backup"], "group": "Jobs"}});
    api.expect(("POST", "/heartbeat"), Some(sent), 201, &fields);
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
    // What the client would send of it now.
    let said = json!({"resource": "backup", "event": "HeartbeatFail", "severity": "critical",
        "environment": "Production", "service": ["Backup"], "group": "Jobs"});
    assert_eq!(api.send(said)["id"], failed["id"]);
    let alive = json!({"origin": "backup", "timeout": 600});
    api.expect(("POST", "/heartbeat"), Some(alive), 201, &fields);
    wait_until("the alert to close", || alerts_of(&api, "backup")[0]["status"] == "closed");
    let alerts = alerts_of(&api, "backup");
    assert_eq!((alerts.len(), &alerts[0]["event"]), (1, &json!("HeartbeatOK")));
}

#[test]
fn blackouts_are_made_changed_listed_and_hold_alerts_back() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let new = json!({"environment": "Production", "resource": "web1", "duration": 600});
    let made = api.ask("POST", "/blackout", Some(new));
    assert_eq!(made.status, 201, "{}", made.text());
    let blackout = made.json()["blackout"].clone();
    assert_eq!(made.header("location"), blackout["href"].as_str());
    let id = blackout["id"].as_str().unwrap();
    let path = format!("/blackout/{id}");
    for shown in [&blackout, &api.get(&path)["blackout"], &api.get("/blackouts")["blackouts"][0]] {
        assert!(shown["remaining"].is_u64() && shown["duration"] == 600, "{shown}");
        assert_eq!((&shown["status"], &shown["priority"]), (&json!("active"), &json!(2)));
    }
    let down = |resource: &str| {
        json!({"resource": resource, "event": "Down", "environment": "Production",
            "severity": "major", "service": ["Web"]})
    };
    let held = api.ask("POST", "/alert", Some(down("web1")));
    assert_eq!(held.status, 202, "{}", held.text());
    assert_eq!(held.json()["message"], "Suppressed alert during blackout period");
    api.send(down("web2"));
    assert_eq!(api.get("/alerts")["total"], 1);

    let weekly = json!({"environment": "Production", "group": "Jobs", "text": "each Sunday",
        "startTime": "2026-01-03T00:00:00.000Z", "endTime": "2026-01-03T02:00:00.000Z",
        "recurrence": "FREQ=YEARLY;BYDAY=1SU;BYMONTH=1", "timeZone": "Europe/Berlin"});
    let fields = ["blackout", "id", "status"];
    let weekly = api.expect(("POST", "/blackout"), Some(weekly), 201, &fields);
    assert_eq!(weekly["blackout"]["recurrence"], "FREQ=YEARLY;BYDAY=1SU;BYMONTH=1");
    for (query, total) in [
        ("status=active", 1),
        ("status=expired", 0),
        ("status=active&status=pending", 2),
        ("resource=web1", 1),
        ("group=Jobs", 1),
        ("q=sunday", 1),
        ("q=resource:web*", 1),
    ] {
        assert_eq!(api.get(&format!("/blackouts?{query}"))["total"], total, "{query}");
    }
    for (field, value) in [
        ("recurrence", json!("FREQ=SECONDLY;COUNT=1000000000")),
        ("timeZone", json!("Mars/Base")),
        ("endTime", json!("2020-01-01T00:00:00.000Z")),
        ("environment", json!("")),
        ("service", json!("Web")),
    ] {
        let mut wrong = json!({"environment": "Production", "recurrence": "FREQ=DAILY"});
        wrong[field] = value;
        let message = api.refused(("POST", "/blackout"), Some(wrong.clone()), 400);
        assert!(message.contains(&format!("`{field}`")), "{message}");
    }
    let changed = json!({"resource": "web3", "remaining": 5});
    let changed = api.expect(("PUT", &path), Some(changed), 200, &["blackout", "status"]);
    assert_eq!(changed["blackout"]["resource"], "web3");
    api.send(down("web1"));
    api.expect(("DELETE", &path), None, 200, &["status"]);
    api.refused(("GET", &path), None, 404);
    api.refused(("PUT", &path), Some(json!({})), 404);
}

#[test]
fn our_own_commands_do_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let run = |arguments: &[&str]| run_with(hub.client(arguments), b"");
    let ok = |arguments: &[&str]| {
        let done = run(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}: {}{}", done.out, done.err);
        done.out.trim().to_owned()
    };
    #[rustfmt::skip]
    let id = ok(&["heartbeat", "send", "mail", "--timeout", "25h", "--attribute", "severity=critical"]);
    let heartbeat = api.get(&format!("/heartbeat/{id}"))["heartbeat"].clone();
    assert_eq!((&heartbeat["timeout"], &heartbeat["origin"]), (&json!(90_000), &json!("mail")));
    assert_eq!(ok(&["heartbeat", "send", "mail"]), id);
    assert!(ok(&["heartbeat", "list"]).contains("mail"));
    assert_eq!(ok(&["heartbeat", "list", "--status", "expired"]), "no heartbeats");
    ok(&["heartbeat", "remove", &id]);
    assert_eq!(api.get("/heartbeats")["total"], 0);

    #[rustfmt::skip]
    let id = ok(&[
        "blackout", "add", "--resource", "web1", "--for", "2h", "--reason", "new disks",
        "--every", "FREQ=WEEKLY;BYDAY=SU", "--time-zone", "Europe/Berlin",
    ]);
    let blackout = api.get(&format!("/blackout/{id}"))["blackout"].clone();
    assert_eq!((&blackout["duration"], &blackout["resource"]), (&json!(7_200), &json!("web1")));
    assert_eq!(blackout["timeZone"], "Europe/Berlin");
    let listed: Value =
        serde_json::from_str(&ok(&["blackout", "list", "--format", "json"])).unwrap();
    assert_eq!(listed[0]["id"], json!(id));
    assert!(ok(&["blackout", "list"]).contains("FREQ=WEEKLY"));
    let done = run(&["blackout", "add", "--every", "FREQ=WEEKLY;BYDAY=SO"]);
    assert!(done.code == Some(2) && done.err.contains("days such as MO,TU"), "{}", done.err);
    ok(&["blackout", "remove", &id]);
    let done = run(&["blackout", "remove", &id]);
    assert!(done.code == Some(2) && done.err.contains("no blackout"), "{}", done.err);
}
