//! Which hosts there are, whether they speak, and what is told when one does not.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::hub::{Hub, batch_from};
use crate::support::lines::ago;
use crate::support::wait_until;

fn configuration(directory: &Path, text: &str) -> PathBuf {
    let path = directory.join("hub.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn line(host: &str) -> String {
    format!("{} {host} sshd[7]: Server listening on 0.0.0.0 port 22.", ago(0))
}

/// Lines that a client without an agent sends over HTTP.
fn raw(hub: &Hub, lines: &[String]) {
    let bearer = format!("Bearer {}", hub.agent_token());
    let headers = [("Authorization", bearer.as_str())];
    let body = lines.join("\n");
    let answer =
        crate::support::http::request(&hub.url, "POST", "/api/v1/raw", &headers, body.as_bytes())
            .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn host(hub: &Hub, name: &str) -> Value {
    hub.get(&format!("/api/v1/hosts/{name}"))
}

/// The status of the alert about the silence of this resource, where there is one.
fn silence(hub: &Hub, resource: &str) -> Option<String> {
    let alerts = hub.alerts();
    let alert = alerts.iter().find(|alert| alert["resource"] == resource)?;
    Some(alert["status"].as_str().unwrap().to_owned())
}

#[test]
fn hosts_are_listed_over_a_kill_with_what_was_heard_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let hub = Hub::start(&data);
    assert_eq!(hub.send("1", "web1", &[line("web1"), line("relayed")]).status, 200);
    raw(&hub, &[line("router"), line("router")]);
    let listed = hub.get("/api/v1/hosts");
    let said: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|host| json!([host["name"], host["heard"], host["status"], host["events"]]))
        .collect();
    let expected = [
        json!(["relayed", "lines", "online", 1]),
        json!(["router", "lines", "online", 2]),
        json!(["web1", "agent", "online", 1]),
    ];
    assert_eq!(said, expected, "{listed}");
    assert_eq!(listed[2]["watched"], true);
    assert_eq!(listed[1]["watched"], false, "lines alone are watched after an hour");

    // What was answered is known after a kill, at the latest when it is heard of again.
    hub.kill();
    let hub = Hub::start(&data);
    let again = hub.get("/api/v1/hosts");
    let names = |listed: &Value| -> Vec<Value> {
        listed.as_array().unwrap().iter().map(|host| host["name"].clone()).collect()
    };
    assert_eq!(names(&again), names(&listed));
    assert_eq!(again[2]["first_seen"], listed[2]["first_seen"]);
    assert_eq!(hub.get("/api/v1/hosts?status=silent"), json!([]));
    assert_eq!(hub.ask("GET", "/api/v1/hosts?status=x", "").status, 400);
    assert_eq!(hub.ask("GET", "/api/v1/hosts?limit=0", "").status, 400);
    assert_eq!(names(&hub.get("/api/v1/hosts?limit=1")), ["relayed"]);
    assert_eq!(hub.ask("GET", "/api/v1/hosts/nobody", "").status, 404);

    assert_eq!(hub.ask("DELETE", "/api/v1/hosts/router", "").status, 204);
    assert_eq!(hub.ask("DELETE", "/api/v1/hosts/router", "").status, 404);
    assert_eq!(names(&hub.get("/api/v1/hosts")), ["relayed", "web1"]);
    assert_eq!(hub.search("host.name:router").len(), 2, "its events stay");
    let forgotten = hub.audited("host.forget");
    let (before, after) = (&forgotten["before"], &forgotten["after"]);
    assert_eq!(
        (&before["name"], &before["events"], after),
        (&json!("router"), &json!(2), &json!(null))
    );
}

#[test]
fn a_host_falls_silent_and_comes_back_with_a_restart_in_between() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let config = configuration(
        directory.path(),
        "[hosts]\nsilent_after = '5s'\n[[hosts.override]]\nhost = 'lab*'\nsilent_after = 'never'\n",
    );
    let hub = Hub::start_with_config(&data, &config);
    // A name in lines is missed once it was heard of for four times that time without a gap.
    wait_until("the host to be watched", || {
        raw(&hub, &[line("router"), line("lab1")]);
        assert_eq!(silence(&hub, "host/router"), None);
        host(&hub, "router")["watched"] == true
    });
    assert_eq!(host(&hub, "lab1")["watched"], false);
    wait_until("the heartbeat", || {
        hub.get("/api/v1/heartbeats").to_string().contains("host/router")
    });
    hub.kill();
    let hub = Hub::start_with_config(&data, &config);
    wait_until("the alert", || silence(&hub, "host/router").as_deref() == Some("open"));
    assert_eq!(host(&hub, "router")["status"], "silent");
    assert_eq!(silence(&hub, "host/lab1"), None);

    raw(&hub, &[line("router")]);
    assert_eq!(host(&hub, "router")["status"], "online");
    wait_until("the alert to clear itself", || {
        silence(&hub, "host/router").as_deref() == Some("closed")
    });

    // The machine gets an agent, and is missed by its heartbeat alone.
    assert_eq!(hub.send("1", "router", &[line("router")]).status, 200);
    assert_eq!(host(&hub, "router")["heard"], "agent");
    wait_until("the agent's silence", || silence(&hub, "agent/router").as_deref() == Some("open"));
    assert_eq!(silence(&hub, "host/router").as_deref(), Some("closed"), "no two alerts");
    assert_eq!(hub.ask("DELETE", "/api/v1/hosts/router", "").status, 204);
    let beats = hub.get("/api/v1/heartbeats");
    assert_eq!(beats, json!([]), "nobody is missed any more");
}

#[test]
fn a_flood_of_forged_names_raises_no_alert_and_pushes_nobody_out() {
    let directory = tempfile::tempdir().unwrap();
    let config = configuration(directory.path(), "[hosts]\nsilent_after = '5s'\n");
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    assert_eq!(hub.send("1", "web1", &[line("web1")]).status, 200);
    for batch in 0..6_u32 {
        let lines: Vec<String> =
            (0..2_500).map(|number| line(&format!("forged-{batch}-{number}"))).collect();
        let id = format!("{}", 100 + batch);
        assert_eq!(hub.send_body(&batch_from("auth.log", &id, "web1", &lines)).status, 200);
    }
    let known = hub.get("/api/v1/status")["hosts"]["known"].as_u64().unwrap();
    assert!((9_000..=10_000).contains(&known), "{known}");
    assert_eq!(host(&hub, "web1")["heard"], "agent");
    // All of them are silent soon, and nobody misses them; the agent is missed.
    wait_until("the silence of the agent", || silence(&hub, "agent/web1").is_some());
    let alerts = hub.alerts();
    let missed = alerts.iter().filter(|alert| alert["event"] == "HeartbeatFail").count();
    assert_eq!(missed, 1);
}

#[test]
fn a_status_is_shown_with_its_host() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(&directory.path().join("data"));
    let status = json!({
        "@timestamp": jiff::Timestamp::now().to_string(),
        "event.module": "system", "event.dataset": "system.status", "event.kind": "metric",
        "event.action": "host-status", "message": "the host is well",
        "host.os.type": "linux", "host.os.name": "Debian GNU/Linux", "host.cpu.usage": 0.25,
        "host.uptime": 60, "system.cpu.cores": 4, "system.memory.total": 1024,
        "system.memory.used.bytes": 512, "system.memory.used.pct": 0.5,
        "system.filesystem.mount_point": ["/", "/srv"],
        "system.filesystem.used.pct": [0.1, 0.9],
        "system.process.name": ["<b>x</b>"], "system.process.cpu.pct": [0.5],
        "agent.spool.bytes": 7,
    });
    let sources = json!({
        "@timestamp": jiff::Timestamp::now().to_string(),
        "event.module": "system", "event.dataset": "bergfried.sources",
        "message": "the agent collects 1 sources, 1 are wanting",
        "agent.sources.name": ["journal", "audit log"],
        "agent.sources.state": ["collected", "missing"],
        "agent.sources.detail": ["it is watched", "there is none"],
        "agent.sources.fix": ["", "apt-get install auditd"],
    });
    let origin = json!({"kind": "json", "path": "status", "host": "web1"});
    let header = json!({"batch": format!("{:0>32}", 1), "agent": "web1", "version": "1", "origins": [origin]});
    let now = jiff::Timestamp::now().as_microsecond();
    let records = [status, sources]
        .map(|record| format!("{}\n", json!({"o": 0, "t": now, "l": record.to_string()})));
    assert_eq!(hub.send_body(format!("{header}\n{}", records.concat()).as_bytes()).status, 200);
    let shown = host(&hub, "web1");
    assert_eq!(shown["health"]["spool"], 7, "{shown}");
    assert!(shown["health"]["lag"].as_f64().is_some_and(|lag| lag < 60.0), "{shown}");
    let missing = json!({
        "name": "audit log", "state": "missing", "detail": "there is none",
        "fix": "apt-get install auditd",
    });
    assert_eq!(shown["sources"]["list"][1], missing, "{shown}");
    assert_eq!(shown["sources"]["list"][0]["fix"], Value::Null);
    assert_eq!(shown["os_type"], "LINUX", "{shown}");
    let health =
        json!([shown["health"]["cpu"], shown["health"]["memory"], shown["health"]["disk"]]);
    assert_eq!(health, json!([0.25, 0.5, 0.9]), "{shown}");
    assert_eq!(shown["health"]["disk_mount"], "/srv");
    assert_eq!(shown["details"]["os"]["name"], "Debian GNU/Linux");
    assert_eq!(shown["details"]["disks"][1]["mount"], "/srv");
    assert_eq!(shown["details"]["processes"][0]["name"], "<b>x</b>");
    assert_eq!(shown["details"]["cpu"]["cores"], 4);
}

/// A request with this key in the header that Heimdall's clients send.
fn heimdall(
    hub: &Hub,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, Value) {
    let key = hub.key();
    let mut all = vec![("api-key", key.as_str())];
    all.extend_from_slice(headers);
    let answer =
        crate::support::http::request(&hub.url, method, path, &all, body.as_bytes()).unwrap();
    (answer.status, answer.json())
}

#[test]
fn agents_of_heimdall_say_that_they_live_and_how_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let config = configuration(directory.path(), "[hosts]\nsilent_after = '5s'\n");
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    let beat = |headers: &[(&str, &str)]| heimdall(&hub, "POST", "/heartbeat", headers, "");
    let missing = |what: &str| (400, json!({"detail": format!("Missing {what} header")}));
    assert_eq!(beat(&[]), missing("source_host"));
    assert_eq!(beat(&[("os-type", "LINUX")]), missing("source_host"));
    assert_eq!(beat(&[("source-host", "spoke")]), missing("os_type"));
    let (status, body) = beat(&[("source-host", "spoke"), ("os-type", "MACOS")]);
    assert_eq!((status, &body["success"]), (200, &json!(true)), "{body}");
    assert!(body["timestamp"].is_string() && body["message"].is_string(), "{body}");
    let (status, hosts) = heimdall(&hub, "GET", "/hosts", &[], "");
    let spoke = &hosts["active_hosts"][0];
    assert_eq!(status, 200);
    assert_eq!(
        json!([spoke["source_host"], spoke["os_type"], spoke["total_events"]]),
        json!(["spoke", "MACOS", 0]),
        "{hosts}"
    );
    assert!(spoke["last_seen"].is_string());
    let counts =
        ["threshold_minutes", "total_active", "total_inactive"].map(|name| hosts[name].clone());
    assert_eq!(json!(counts), json!([15, 1, 0]), "{hosts}");
    assert_eq!(hosts["inactive_hosts"], json!([]));
    let (status, body) = heimdall(&hub, "GET", "/hosts?inactive_threshold=x", &[], "");
    assert_eq!((status, &body["detail"][0]["loc"]), (422, &json!(["query", "inactive_threshold"])));

    // It is missed from the first heartbeat on.
    wait_until("the alert", || silence(&hub, "host/spoke").as_deref() == Some("open"));

    let sent = json!({
        "source_host": "spoke", "os_type": "MACOS", "os_details": "macOS 14", "cpu_usage": 12.5,
        "cpu_count": 8, "memory_total": 16, "memory_used": 4, "memory_percent": 25.0,
        "disk_info": [
            {"device": "/dev/disk1", "mountpoint": "/", "total": 10, "used": 9, "percent": 90.0},
            {"device": "/dev/disk2", "mountpoint": "/srv", "percent": 10.0},
        ],
        "network_info": [], "top_processes": [{"pid": 1, "name": "launchd"}],
        "boot_time": "2026-11-20T00:00:00Z", "timestamp": jiff::Timestamp::now().to_string(),
    });
    let post = |body: &Value| heimdall(&hub, "POST", "/system-status", &[], &body.to_string());
    let (status, body) = heimdall(&hub, "GET", "/system-status/spoke", &[], "");
    assert_eq!(
        (status, body),
        (404, json!({"success": false, "message": "Host status not found"}))
    );
    let (status, body) = post(&json!({"status": sent}));
    assert_eq!((status, &body["success"]), (200, &json!(true)), "{body}");
    wait_until("the alert to clear itself", || {
        silence(&hub, "host/spoke").as_deref() == Some("closed")
    });
    let (status, body) = heimdall(&hub, "GET", "/system-status/spoke", &[], "");
    assert_eq!((status, body), (200, json!({"success": true, "status": sent})));
    let shown = host(&hub, "spoke");
    assert_eq!(shown["health"]["cpu"], 0.125, "{shown}");
    assert_eq!(shown["details"]["disks"][0]["total"], 10, "{shown}");
    assert_eq!(shown["details"]["disks"][1]["total"], Value::Null, "{shown}");
    assert_eq!(shown["details"]["disks"][1]["used_part"], 0.1, "{shown}");
    let (status, body) = post(&json!({"status": {"os_type": "MACOS"}}));
    assert_eq!(status, 422);
    assert_eq!(body["detail"][0]["loc"], json!(["body", "status", "source_host"]), "{body}");
    let long = "x".repeat(1 << 20);
    let (status, _) = post(&json!({"status": {"source_host": "spoke", "os_type": long}}));
    assert_eq!(status, 413);

    // The limits of a token hold here too.
    let new = json!({"kind": "heimdall", "name": "lab", "limits": {"max_events_per_second": 1}});
    let made = hub.ask("POST", "/api/v1/tokens", &new.to_string()).json();
    let token = made["secret"].as_str().unwrap();
    for path in ["/heartbeat", "/system-status"] {
        let body = json!({"status": {"source_host": "lab", "os_type": "LINUX"}}).to_string();
        let headers = [("api-key", token), ("source-host", "lab"), ("os-type", "LINUX")];
        let send = || {
            crate::support::http::request(&hub.url, "POST", path, &headers, body.as_bytes())
                .unwrap()
        };
        assert!((0..20).any(|_| send().status == 429), "{path}");
    }
    let answer = hub.ask("GET", "/hosts", "");
    assert_eq!((answer.status, answer.json()), (401, json!({"detail": "Missing API key"})));
}

#[test]
fn what_a_host_said_of_itself_right_before_a_kill_is_known_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut hub = Hub::start(&data);
    // The first is told by the host's row at the start, of the others only the events are durable.
    for cpu in [10.0, 20.0, 30.0] {
        let now = jiff::Timestamp::now().to_string();
        let sent = json!({
            "source_host": "spoke", "os_type": "LINUX", "cpu_usage": cpu, "timestamp": now,
        });
        let body = json!({ "status": sent }).to_string();
        assert_eq!(heimdall(&hub, "POST", "/system-status", &[], &body).0, 200);
        hub.kill();
        hub = Hub::start(&data);
        let (status, said) = heimdall(&hub, "GET", "/system-status/spoke", &[], "");
        assert_eq!((status, &said["status"]["cpu_usage"]), (200, &json!(cpu)), "{said}");
    }
}

#[test]
fn the_report_of_a_day_says_what_came_and_from_whom() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(&directory.path().join("data"));
    let failed = |host: &str| {
        format!("{} {host} sshd[7]: Failed password for eve from 203.0.113.7 port 22 ssh2", ago(1))
    };
    assert_eq!(hub.send("1", "web1", &[failed("web1"), failed("web1"), line("web1")]).status, 200);
    assert_eq!(hub.send("2", "db1", &[failed("db1")]).status, 200);
    let report = hub.get("/api/v1/report");
    assert_eq!(json!([report["events"], report["online"], report["silent"]]), json!([4, 2, 0]));
    assert_eq!(
        report["hosts"],
        json!([{"name": "web1", "count": 3}, {"name": "db1", "count": 1}]),
        "{report}"
    );
    assert_eq!(report["kinds"], json!([{"name": "LOGIN_FAIL", "count": 3}]), "{report}");
    assert_eq!(report["sources"], json!([{"name": "203.0.113.7", "count": 3}]), "{report}");
    assert!(report["alerts"]["new"].is_object(), "{report}");
    assert_eq!(hub.ask("GET", "/api/v1/report?since=32d", "").status, 400);

    let run = |arguments: &[&str]| {
        let output = hub.client(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run(&["report", "--since", "1h"]);
    for part in ["events   4", "2 online, 0 silent", "LOGIN_FAIL", "203.0.113.7"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let parsed: Value = serde_json::from_str(&run(&["report", "--format", "json"])).unwrap();
    assert_eq!(parsed["hosts"], report["hosts"]);
    let listed = run(&["hosts"]);
    for part in ["STATUS", "online", "agent", "web1", "db1"] {
        assert!(listed.contains(part), "no {part:?} in {listed}");
    }
    let one = run(&["hosts", "web1"]);
    assert!(one.contains("15m, its silence is an alert"), "{one}");
    let json: Value = serde_json::from_str(&run(&["hosts", "web1", "--format", "json"])).unwrap();
    assert_eq!((&json["name"], &json["events"]), (&json!("web1"), &json!(3)));
    assert_eq!(run(&["hosts", "--status", "silent", "--format", "json"]).trim(), "[]");
}
