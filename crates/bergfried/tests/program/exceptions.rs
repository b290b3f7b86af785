//! Exceptions: an alert that nobody wants again, tried over what is stored, made, counted, ended.

use serde_json::{Value, json};

use crate::support::hub::Hub;
use crate::support::lines::break_in;
use crate::support::process::run_with;
use crate::support::wait_until;

const TITLE: &str = "SSH login after many failures from the same source";

/// How many findings the break-in's alert of this host stands on; 0 where there is none.
fn received(hub: &Hub, host: &str) -> u64 {
    let alerts = hub.alerts();
    let alert = alerts.iter().find(|alert| alert["event"] == TITLE && alert["host"] == host);
    alert.map_or(0, |alert| alert["received"].as_u64().unwrap())
}

fn hits(hub: &Hub, id: &str) -> u64 {
    hub.get(&format!("/api/v1/exceptions/{id}"))["hits"].as_u64().unwrap()
}

fn alert_of(hub: &Hub, host: &str) -> Value {
    let alerts = hub.alerts();
    alerts.iter().find(|alert| alert["event"] == TITLE && alert["host"] == host).unwrap().clone()
}

/// Sends a break-in, each from another address, so that each is an episode of its own.
fn attack(hub: &Hub, number: u8, host: &str) {
    let lines = break_in(host, "backup", &format!("203.0.113.{number}"));
    assert_eq!(hub.send(&number.to_string(), host, &lines).status, 200);
}

#[test]
fn the_same_again_makes_no_alert_until_the_exception_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    attack(&hub, 1, "web");
    attack(&hub, 2, "db");
    wait_until("the alerts", || received(&hub, "web") == 1 && received(&hub, "db") == 1);
    let alert = alert_of(&hub, "web");
    let id = alert["id"].as_str().unwrap();

    let arguments = [
        "alerts",
        "except",
        &id[..8],
        "--host",
        "--reason",
        "a test of the backup",
        "--for",
        "30d",
    ];
    let refused = run_with(hub.client(&arguments), b"\n");
    assert!(refused.code != Some(0) && refused.out.contains("nothing was changed"));
    assert!(
        refused.out.contains("2 findings, of which 1 would have been hidden and 1 stay"),
        "{}",
        refused.out
    );
    assert_eq!(hub.get("/api/v1/exceptions"), json!([]));
    let made = run_with(hub.client(&arguments), b"y\n");
    assert!(made.code == Some(0), "{}", made.err);
    let exceptions = hub.get("/api/v1/exceptions");
    let exception = &exceptions[0];
    assert_eq!(exception["when"], "host.name:\"web\"");
    assert_eq!(exception["rules"], json!([alert["rule_id"]]));
    assert_eq!(
        (&exception["reason"], &exception["live"]),
        (&json!("a test of the backup"), &json!(true))
    );
    let exception = exception["id"].as_str().unwrap().to_owned();

    attack(&hub, 3, "web");
    attack(&hub, 4, "db");
    wait_until("the hit", || hits(&hub, &exception) == 1);
    wait_until("the other host's alert", || received(&hub, "db") == 2);
    assert_eq!(received(&hub, "web"), 1);

    // It is kept over a restart, with its count.
    hub.kill();
    let hub = Hub::start(directory.path());
    attack(&hub, 5, "web");
    wait_until("the second hit", || hits(&hub, &exception) == 2);
    assert_eq!(received(&hub, "web"), 1);
    let listed = run_with(hub.client(&["exceptions", "list"]), b"");
    assert!(listed.out.contains("2 hits") && listed.out.contains("a test of the backup"));

    let removed = run_with(hub.client(&["exceptions", "remove", &exception[..8]]), b"");
    assert!(removed.code == Some(0), "{}", removed.err);
    attack(&hub, 6, "web");
    wait_until("the alert again", || received(&hub, "web") == 2);
    let again = hub.ask("DELETE", &format!("/api/v1/exceptions/{exception}"), "");
    assert_eq!(again.status, 404);
}

#[test]
fn an_exception_that_expired_hides_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    attack(&hub, 1, "web");
    wait_until("the alert", || received(&hub, "web") == 1);
    let rule = alert_of(&hub, "web")["rule_id"].clone();
    let new = json!({"rules": [rule], "when": "host:web", "reason": "short", "for": "3s", "owner": "eve"});
    let made = hub.ask("POST", "/api/v1/exceptions", &new.to_string());
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["owner"], "eve");
    let path = format!("/api/v1/exceptions/{}", made.json()["id"].as_str().unwrap());
    attack(&hub, 2, "web");
    wait_until("the end of the exception", || hub.get(&path)["live"] == false);
    let hidden = hub.get(&path)["hits"].as_u64().unwrap();
    attack(&hub, 3, "web");
    wait_until("the alert again", || received(&hub, "web") == 3 - hidden);
    assert_eq!(hub.get(&path)["hits"], hidden);
}

#[test]
fn what_is_no_exception_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    attack(&hub, 1, "web");
    wait_until("the alert", || received(&hub, "web") == 1);
    let alert = alert_of(&hub, "web");
    let (rule, id) = (&alert["rule_id"], &alert["id"]);
    let full = json!({"rules": [rule], "when": "user:backup", "reason": "known", "for": "1d"});
    let changed = |name: &str, value: Value| {
        let mut changed = full.clone();
        match value {
            Value::Null => changed.as_object_mut().unwrap().remove(name),
            value => changed.as_object_mut().unwrap().insert(name.to_owned(), value),
        };
        changed
    };
    for (body, status, part) in [
        (changed("reason", Value::Null), 400, "reason"),
        (changed("reason", json!(" ")), 400, "needs a reason"),
        (changed("owner", json!("")), 400, "needs an owner"),
        (changed("for", Value::Null), 400, "needs an end"),
        (changed("for", json!("soon")), 400, "`for` must be a span"),
        (changed("for", json!("4000d")), 400, "within three years"),
        (changed("expires", json!("2020-01-01T00:00:00Z")), 400, "needs an end"),
        (changed("rules", json!(["no-such-rule"])), 400, "no rule of the id"),
        (changed("when", json!("user:(")), 400, "cannot read the condition"),
        (changed("when", json!("Failed password")), 400, "the text of lines"),
        (changed("alert", id.clone()), 400, "not both"),
        (changed("fields", json!(["user.name"])), 400, "which is missing"),
        (changed("unknown", json!(1)), 400, "unknown"),
        (json!({"reason": "all", "for": "1d"}), 400, "would cover every finding"),
        (json!({"alert": "00000000", "reason": "x", "for": "1d"}), 404, "no alert"),
    ] {
        let answer = hub.ask("POST", "/api/v1/exceptions", &body.to_string());
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert!(answer.error().contains(part), "{body}: {}", answer.error());
    }
    for (body, part) in [
        (json!({"alert": id, "days": 0}), "`days` must be 1 to 366"),
        (json!({"alert": id, "fields": ["process.parent.name"]}), "they have: "),
    ] {
        let answer = hub.ask("POST", "/api/v1/exceptions/preview", &body.to_string());
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert!(answer.error().contains(part), "{body}: {}", answer.error());
    }
    assert_eq!(hub.get("/api/v1/exceptions"), json!([]));
    let preview = hub.ask("POST", "/api/v1/exceptions/preview", &json!({"alert": id}).to_string());
    assert_eq!(preview.status, 200, "{}", preview.text());
    let preview = preview.json();
    assert_eq!((&preview["findings"], &preview["hidden"]), (&json!(1), &json!(1)), "{preview}");
    assert_eq!(preview["hidden_examples"][0]["rule.id"], *rule);
}
