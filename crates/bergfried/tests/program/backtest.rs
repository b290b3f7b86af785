//! Rules over history, and rules that people write and switch: what lived through is found again, what
//! is written runs at once, what is switched off stays so.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::hub::Hub;
use crate::support::lines::{accepted, ago, break_in, failed};
use crate::support::process::run_with;
use crate::support::wait_until;

const OWN: &str = "title: Carl logs in\nid: own-rule\nlogsource: {service: sshd}\ntags: [attack.initial-access, attack.t1078]\ndetection:\n  s:\n    user.name: carl\n  condition: s\nlevel: high\n";

fn attacked(hub: &Hub) {
    for (number, host) in ["web", "db", "web"].iter().enumerate() {
        let mut lines = break_in(host, "backup", &format!("203.0.113.{number}"));
        lines.extend(
            (0..9).map(|n| failed(&ago(25 - n), host, &format!("user{n}"), "198.51.100.9")),
        );
        lines.push(accepted(&ago(10), host, "carl", "192.0.2.1"));
        assert_eq!(hub.send(&(number + 1).to_string(), host, &lines).status, 200);
    }
}

fn backtest(hub: &Hub, asked: &Value) -> Value {
    let answer = hub.ask("POST", "/api/v1/backtest", &asked.to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// What tells an alert and how much it stands on.
fn told(alerts: &[Value], first: &str, last: &str) -> BTreeSet<String> {
    let one = |alert: &Value| {
        let Value::Object(alert) = alert else { panic!("{alert}") };
        let of = |name: &str| alert[name].to_string();
        format!("{} {} {} {} {}", of("resource"), of("event"), of("count"), of(first), of(last))
    };
    alerts.iter().map(one).collect()
}

#[test]
fn history_tells_the_alerts_that_were_lived_through() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    attacked(&hub);
    wait_until("the alerts", || hub.alerts().len() >= 4);
    let live = hub.alerts();
    let rules: BTreeSet<&str> = live.iter().filter_map(|alert| alert["rule_id"].as_str()).collect();
    assert!(rules.len() >= 3, "{rules:?}");
    for rule in rules {
        let tried = backtest(&hub, &json!({"rule_id": rule, "last": "24h"}));
        assert_eq!(tried["cut"], Value::Null);
        let again = told(tried["alerts"].as_array().unwrap(), "first", "last");
        // What the last attack adds to an alert may be on its way.
        wait_until(&format!("{rule} as history tells it: {again:?}"), || {
            let of_rule: Vec<Value> =
                hub.alerts().into_iter().filter(|alert| alert["rule_id"] == rule).collect();
            told(&of_rule, "first_seen", "last_seen") == again
        });
    }

    // A search, and a rule that runs nowhere, from the command line.
    let searched = run_with(
        hub.client(&["rules", "backtest", "--query", "user:carl outcome:success", "--last", "1d"]),
        b"",
    );
    assert!(searched.out.contains("3 hits, 3 findings"), "{}{}", searched.out, searched.err);
    assert!(searched.out.contains("2 alerts"), "{}", searched.out);
    let file = directory.path().join("new.yml");
    std::fs::write(&file, OWN).unwrap();
    let file = file.to_str().unwrap();
    let tried = run_with(hub.client(&["rules", "backtest", file, "--json"]), b"");
    let tried: Value = serde_json::from_str(&tried.out).unwrap();
    assert_eq!((&tried["hits"], &tried["silenced"]), (&json!(3), &json!(0)));

    // Exceptions silence it, mistakes are told with their place, and so is what cannot be.
    let exception =
        json!({"rules": ["own-rule"], "when": "host.name:db", "reason": "x", "for": "1d"});
    let refused = hub.ask("POST", "/api/v1/exceptions", &exception.to_string());
    assert_eq!(refused.status, 400, "the rule runs nowhere");
    for (asked, said) in [
        (json!({"rule": OWN.replace("condition: s", "condition: t")}), "line 8"),
        (json!({"rule": "title: x"}), "line 1"),
        (json!({"query": "user:("}), "cannot read the search"),
        (json!({"query": "a", "rule_id": "b"}), "one of"),
        (json!({"query": "a", "last": "soon"}), "`last` must be"),
        (json!({"rule_id": "none"}), "there is no rule"),
    ] {
        let answer = hub.ask("POST", "/api/v1/backtest", &asked.to_string());
        assert!(matches!(answer.status, 400 | 404), "{asked}");
        assert!(answer.text().contains(said), "{asked}: {}", answer.text());
    }
}

#[test]
fn rules_are_written_switched_and_taken_away() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let put = |id: &str, source: &str| {
        let body = json!({"source": source}).to_string();
        hub.ask("PUT", &format!("/api/v1/rules/{id}/source"), &body)
    };
    let checked =
        hub.ask("POST", "/api/v1/rules/check", &json!({"source": OWN}).to_string()).json();
    assert_eq!(checked["ok"], true, "{checked}");
    let wrong = OWN.replace("condition: s", "condition: other");
    let checked =
        hub.ask("POST", "/api/v1/rules/check", &json!({"source": wrong}).to_string()).json();
    assert_eq!((&checked["ok"], &checked["diagnostics"][0]["line"]), (&json!(false), &json!(8)));

    assert_eq!(put("own-rule", &wrong).status, 400);
    assert_eq!(put("other", OWN).status, 400, "the id is another one");
    assert_eq!(put("..%2fx", &OWN.replace("own-rule", "../x")).status, 400);
    let builtin = hub.get("/api/v1/rules")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(put(&builtin, &OWN.replace("own-rule", &builtin)).status, 409);
    assert!(std::fs::read_dir(directory.path().join("rules")).unwrap().next().is_none());

    let saved = put("own-rule", OWN);
    assert_eq!(saved.status, 200, "{}", saved.text());
    attacked(&hub);
    let of_own = || hub.alerts().iter().filter(|alert| alert["rule_id"] == "own-rule").count();
    wait_until("the alerts of the new rule", || of_own() == 2);
    let detail = hub.get("/api/v1/rules/own-rule");
    assert_eq!(
        (&detail["own"], &detail["state"], &detail["source"]),
        (&json!(true), &json!("active"), &json!(OWN))
    );
    wait_until("its hits", || hub.get("/api/v1/rules/own-rule")["hits_day"] == 3);
    assert_eq!(hub.get("/api/v1/rules/own-rule")["alerts_per_day"], 2);

    // Another text, then off; both outlive a restart.
    assert_eq!(put("own-rule", &OWN.replace("level: high", "level: low")).status, 200);
    let off = hub.ask("POST", "/api/v1/rules/own-rule/state", r#"{"on": false}"#);
    assert_eq!(off.status, 200, "{}", off.text());
    assert!(hub.interrupt().0.success());
    let hub = Hub::start(directory.path());
    let detail = hub.get("/api/v1/rules/own-rule");
    assert_eq!((&detail["state"], &detail["level"]), (&json!("off"), &json!("low")));
    let stats = hub.get("/api/v1/rules/stats");
    assert!(stats.as_array().unwrap().iter().all(|rule| rule["id"] != "own-rule"));
    // What is off can be tried all the same.
    assert_eq!(backtest(&hub, &json!({"rule_id": "own-rule"}))["hits"], 3);

    let covers = |hub: &Hub| {
        let coverage = hub.get("/api/v1/rules/coverage");
        let tactics = coverage["tactics"].as_array().unwrap().iter();
        let techniques = tactics.flat_map(|tactic| tactic["techniques"].as_array().unwrap());
        let mut rules = techniques.flat_map(|technique| technique["rules"].as_array().unwrap());
        rules.find(|rule| rule["id"] == "own-rule").map(|rule| rule["active"] == true)
    };
    assert_eq!(covers(&hub), Some(false));
    assert_eq!(hub.ask("POST", "/api/v1/rules/own-rule/state", r#"{"on": true}"#).status, 200);
    assert_eq!(covers(&hub), Some(true));
    assert_eq!(hub.ask("DELETE", "/api/v1/rules/own-rule/source", "").status, 200);
    assert_eq!(hub.ask("GET", "/api/v1/rules/own-rule", "").status, 404);
    assert_eq!(hub.ask("DELETE", "/api/v1/rules/own-rule/source", "").status, 404);
    assert_eq!(hub.ask("DELETE", &format!("/api/v1/rules/{builtin}/source"), "").status, 409);
}

#[test]
fn what_was_never_seen_is_said_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let day = 86_400;
    let login = |seconds: i64, source: &str| accepted(&ago(seconds), "web", "anna", source);
    let hub = Hub::start(directory.path());
    assert_eq!(hub.send("1", "web", &[login(3 * day, "192.0.2.1")]).status, 200);
    assert_eq!(hub.send("2", "web", &[login(2 * day, "192.0.2.9")]).status, 200);
    let first = |hub: &Hub| {
        let path = "/api/v1/search?last=7d&q=event.first_seen:user-network";
        hub.get(path)["events"].as_array().unwrap().len()
    };
    assert_eq!(first(&hub), 0, "the first day is for learning");
    assert!(hub.interrupt().0.success());
    // By the file, then by what the stored events say.
    for (number, (source, news)) in [("198.51.100.1", 1), ("203.0.113.1", 2)].iter().enumerate() {
        let hub = Hub::start(directory.path());
        let lines = [login(30, source), login(20, source), login(10, "192.0.2.1")];
        assert_eq!(hub.send(&(number + 3).to_string(), "web", &lines).status, 200);
        assert_eq!(first(&hub), *news);
        assert!(hub.interrupt().0.success());
        std::fs::remove_file(directory.path().join("rules.state")).unwrap();
    }
}
