//! The way in of alerts: how many, how large, and what the owner's settings make of them.

use serde_json::json;

use super::Api;
use super::accounts::{key_of, start};
use crate::support::hub::Hub;

#[test]
fn a_sender_that_sends_too_many_is_told_to_wait() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("hub.toml");
    std::fs::write(&config, "[alerta]\nmax_alerts_per_second = 1\n").unwrap();
    let data = directory.path().join("data");
    let mut command = Hub::command(&data);
    command.arg("--config").arg(config);
    let hub = Hub::run(command, &data);
    let admin = Api::of(&hub);
    let ann = key_of(&admin, json!({"user": "ann", "scopes": ["write"]}));
    let alert = json!({"resource": "web1", "event": "Down", "environment": "Production"});
    let mut answers = (0..100).map(|_| ann.ask("POST", "/alert", Some(alert.clone())));
    let refused = answers.find(|answer| answer.status != 201).expect("one is too many");
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(matches!(refused.header("retry-after"), Some("1" | "2")), "{}", refused.text());
    let body = refused.json();
    assert_eq!(super::keys(&body), ["code", "errors", "id", "message", "requestId", "status"]);
    assert_eq!((&body["code"], &body["status"]), (&json!(429), &json!("error")));
    assert_eq!(body["id"].as_str().map(str::len), Some(36));
    // Who sends little does not wait for who sends much.
    admin.send(alert);
}

#[test]
fn an_alert_is_held_to_its_bounds() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    for (field, value) in [
        ("resource", json!("r".repeat(513))),
        ("text", json!("t".repeat(16 * 1024 + 1))),
        ("value", json!("v".repeat(16 * 1024 + 1))),
        ("rawData", json!("d".repeat(256 * 1024 + 1))),
        ("tags", json!(vec!["t"; 129])),
        ("service", json!(["s".repeat(513)])),
        ("attributes", json!({"deep": deep})),
        ("attributes", json!({"long": "a".repeat(65 * 1024)})),
    ] {
        let mut alert = json!({"resource": "web1", "event": "Down", "environment": "Production"});
        alert[field] = value;
        let message = api.refused(("POST", "/alert"), Some(alert), 400);
        assert!(message.contains(&format!("`{field}`")), "{field}: {message}");
    }
    assert_eq!(api.get("/alerts")["total"], 0);
    let text = api.ask("GET", "/management/metrics", None).text();
    assert!(text.contains("\nalerta_alerts_rejected 8\n"), "{text}");
}

#[test]
fn the_alarm_model_gives_the_status_of_what_names_none() {
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({"ALARM_MODEL": "ISA_18_2", "AUTH_REQUIRED": true, "PLUGINS": []});
    let hub = start(&directory.path().join("data"), &settings, &[]);
    let api = Api::of(&hub);
    let alarm = |severity: &str| {
        json!({"resource": severity, "event": "Level", "environment": "Production",
            "severity": severity})
    };
    assert_eq!(api.send(alarm("OK"))["status"], "NORM");
    assert_eq!(api.send(alarm("High"))["status"], "UNACK");
    let mut wrong = alarm("High");
    wrong["status"] = json!("open");
    assert!(api.refused(("POST", "/alert"), Some(wrong), 400).contains("UNACK"));
}

#[test]
fn plugins_do_what_they_are_named_for() {
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({"AUTH_REQUIRED": true, "PLUGINS": ["acked_by", "timeout"],
        "ACK_TIMEOUT": 120, "BLACKOUT_DURATION": 90});
    let hub = start(&directory.path().join("data"), &settings, &[]);
    let admin = Api::of(&hub);
    let ann = key_of(&admin, json!({"user": "ann", "scopes": ["read", "write"]}));
    let blackout = ann.ask("POST", "/blackout", Some(json!({"environment": "Production"})));
    assert_eq!(blackout.json()["blackout"]["duration"], 90, "{}", blackout.text());
    // No `blackout` among the plugins: it holds nothing back. Nor `reject`, nor `remote_ip`.
    let sent = ann.send(json!({"resource": "web1", "event": "Down", "environment": "Production",
        "severity": "major"}));
    assert_eq!(sent["attributes"], json!({}));
    let path = format!("/alert/{}", sent["id"].as_str().unwrap());
    let act = |word: &str| {
        let body = json!({"action": word, "timeout": 5});
        ann.expect(("PUT", &format!("{path}/action")), Some(body), 200, &["status"]);
        ann.get(&path)["alert"].clone()
    };
    let acked = act("ack");
    assert_eq!(acked["attributes"]["acked-by"], "ann");
    let last = acked["history"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["type"], &last["timeout"]), (&json!("ack"), &json!(120)));
    assert_eq!(act("unack")["attributes"], json!({}));
}

#[test]
fn what_comes_in_is_counted_and_timed() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let alert = |severity: &str| {
        json!({"resource": "web1", "event": "Down", "environment": "Production",
            "severity": severity})
    };
    for severity in ["major", "major", "critical", "minor"] {
        api.send(alert(severity));
    }
    api.get("/alerts");
    let status = api.get("/management/status");
    let metrics = status["metrics"].as_array().unwrap();
    let metric = |name: &str| {
        let found = metrics.iter().find(|one| one["group"] == "alerts" && one["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {status}"))
    };
    for (name, count) in
        [("received", 4), ("create", 1), ("duplicate", 1), ("correlate", 2), ("queries", 1)]
    {
        let timer = metric(name);
        assert_eq!((&timer["type"], &timer["count"]), (&json!("timer"), &json!(count)), "{name}");
        assert!(timer["totalTime"].is_u64(), "{timer}");
    }
    assert_eq!(metric("rejected")["count"], 0);
    let text = api.ask("GET", "/management/metrics", None).text();
    assert!(text.contains("\nalerta_alerts_received_count 4\n"), "{text}");
}
