//! Messages of other products, as they arrive over HTTP.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Api;
use super::accounts::{key_of, start};
use crate::support::http::{Answer, request};
use crate::support::hub::Hub;

/// The alerts that the messages of the corpus change.
const CHANGED: [&str; 2] =
    ["0b8dc5b6-0000-4000-8000-000000000000", "1c9ed6c7-0000-4000-8000-000000000000"];

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn name_of(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/webhooks")
}

/// Posts as products do that can send no headers: with the key in the address.
fn post(api: &Api<'_>, name: &str, query: &str, body: &[u8]) -> Answer {
    let path = format!("/api/webhooks/{name}?api-key={}&{query}", api.key);
    request(api.url, "POST", &path, &[("Content-Type", "text/plain")], body).unwrap()
}

fn say(api: &Api<'_>, name: &str, body: &Value) -> Answer {
    post(api, name, "", body.to_string().as_bytes())
}

/// Makes an alert anew, with this id.
fn renew(api: &Api<'_>, id: &str, more: &Value) {
    api.ask("DELETE", &format!("/alert/{id}"), None);
    let mut alert = json!({
        "id": id, "resource": id, "event": "Down", "environment": "Production",
        "severity": "major", "service": ["Web"],
    });
    alert.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    assert_eq!(api.send(alert)["id"], id);
}

fn status_of(api: &Api<'_>, id: &str) -> String {
    let alert = api.get(&format!("/alert/{id}"));
    alert["alert"]["status"].as_str().unwrap().to_owned()
}

#[test]
fn every_product_is_heard() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let mut cases = 0;
    for product in folders(&corpus()) {
        for case in folders(&product) {
            CHANGED.iter().for_each(|id| renew(&api, id, &json!({})));
            let body = std::fs::read(case.join("payload.json"))
                .or_else(|_| std::fs::read(case.join("payload.form")))
                .unwrap();
            let query = std::fs::read_to_string(case.join("query")).unwrap_or_default();
            let answer = post(&api, name_of(&product), query.trim(), &body);
            let expected = std::fs::read_to_string(case.join("expected.json")).unwrap();
            check(&api, &answer, &serde_json::from_str(&expected).unwrap(), &case);
            cases += 1;
        }
    }
    assert!(cases >= 12, "{cases}");
}

fn check(api: &Api<'_>, answer: &Answer, expected: &Value, case: &Path) {
    let said = answer.text();
    let json = answer.json();
    assert_eq!(json["status"], "ok", "{case:?}: {said}");
    if let Some(changes) = expected.get("changes") {
        assert_eq!(answer.status, 200, "{case:?}: {said}");
        for change in changes.as_array().unwrap() {
            let status = match change.get("action").unwrap_or(&change["status"]).as_str().unwrap() {
                "close" => "closed",
                word => word,
            };
            let id = change["id"].as_str().unwrap();
            assert_eq!(status_of(api, id), status, "{case:?}");
            let alert = api.get(&format!("/alert/{id}"));
            let last = alert["alert"]["history"].as_array().unwrap().last().unwrap().clone();
            assert_eq!(last["text"], change["text"], "{case:?}: {last}");
        }
        for (name, value) in expected["answer"].as_object().unwrap() {
            assert_eq!(&json[name], value, "{case:?}: {said}");
        }
        return;
    }
    if expected.get("nothing").is_some() {
        assert_eq!((answer.status, &json["message"]), (200, &expected["nothing"]), "{case:?}");
        return;
    }
    assert_eq!(answer.status, 201, "{case:?}: {said}");
    let ids = match expected.as_array().map(Vec::as_slice) {
        None => return assert!(json["ids"].is_array(), "{case:?}: {said}"),
        Some([_]) => vec![json["id"].clone()],
        Some(_) => json["ids"].as_array().unwrap().clone(),
    };
    for (id, expected) in ids.iter().zip(expected.as_array().unwrap()) {
        let alert = api.get(&format!("/alert/{}", id.as_str().unwrap()))["alert"].clone();
        for name in ["environment", "resource", "event", "service", "group", "origin", "type"] {
            let said = expected.get(name);
            assert!(said.is_none_or(|said| *said == alert[name]), "{case:?}: {name}");
        }
        assert!(alert["rawData"].is_string(), "{case:?}");
    }
}

#[test]
fn what_is_resolved_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let alert = |status: &str, instance: &str, ends: &str| {
        json!({
            "status": status,
            "labels": {"alertname": "DiskFull", "instance": instance, "severity": "critical"},
            "annotations": {"summary": "full"},
            "startsAt": "2026-11-21T08:00:00Z", "endsAt": ends, "fingerprint": "c6eadffa33fcdf37",
        })
    };
    // Grafana's form has more around it; Alertmanager may add a path of its owner's.
    for (name, version) in [("grafana", "1"), ("prometheus", "4"), ("prometheus/a/path", "4")] {
        let body = |alerts: Value| {
            json!({
                "version": version, "status": "firing", "receiver": "hub", "orgId": 1,
                "groupLabels": {}, "externalURL": "http://127.0.0.1/", "alerts": alerts,
            })
        };
        let host = format!("{}-1", name.replace('/', "-"));
        let other = format!("{}-2", name.replace('/', "-"));
        let never = "0001-01-01T00:00:00Z";
        let both = json!([alert("firing", &host, never), alert("firing", &other, never)]);
        let answer = say(&api, name, &body(both));
        assert_eq!(answer.status, 201, "{}", answer.text());
        let ids = answer.json()["ids"].as_array().unwrap().clone();
        let [id, other_id] = [0, 1].map(|place: usize| ids[place].as_str().unwrap().to_owned());
        assert_eq!(
            (status_of(&api, &id), status_of(&api, &other_id)),
            ("open".into(), "open".into())
        );
        // Alertmanager repeats what still fires.
        let again = say(&api, name, &body(json!([alert("firing", &host, never)]))).json();
        assert_eq!((&again["id"], &again["alert"]["duplicateCount"]), (&json!(id), &json!(1)));
        let over = json!([alert("resolved", &host, "2026-11-21T09:00:00Z")]);
        let over = say(&api, name, &body(over)).json();
        assert_eq!(over["id"], json!(id), "{over}");
        let alert = &over["alert"];
        assert_eq!((&alert["severity"], &alert["status"]), (&json!("normal"), &json!("closed")));
        assert_eq!(alert["previousSeverity"], "critical");
        assert_eq!(status_of(&api, &other_id), "open");
    }
    assert_eq!(say(&api, "prometheus", &json!({"alerts": []})).json()["ids"], json!([]));
}

#[test]
fn a_dashboards_rule_that_is_well_closes_what_it_opened() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let rule = |id: u32, state: &str, matches: Value| {
        json!({
            "ruleId": id, "ruleName": "CPU", "state": state, "evalMatches": matches,
            "message": "Processors", "title": "CPU",
        })
    };
    let series = |name: &str| json!({"metric": name, "value": 97, "tags": null});
    let both = json!([series("web1"), series("web2")]);
    assert_eq!(say(&api, "grafana", &rule(7, "alerting", both)).status, 201);
    assert_eq!(say(&api, "grafana", &rule(8, "alerting", json!([series("db1")]))).status, 201);
    let over = say(&api, "grafana", &rule(7, "ok", json!([])));
    assert_eq!((over.status, over.json()["ids"].as_array().unwrap().len()), (201, 2));
    // What looks like a pattern is none.
    let over = say(&api, "grafana", &json!({"ruleId": "~", "ruleName": "~", "state": "ok"}));
    assert_eq!(over.json()["ids"], json!([]));
    let alerts = api.get("/alerts?sort-by=resource")["alerts"].clone();
    let of =
        |alert: &Value| format!("{} {} {}", alert["resource"], alert["status"], alert["severity"]);
    let alerts: Vec<_> = alerts.as_array().unwrap().iter().map(of).collect();
    let expected =
        [r#""db1" "open" "major""#, r#""web1" "closed" "normal""#, r#""web2" "closed" "normal""#];
    assert_eq!(alerts, expected);
    // A well rule says it again, and there is nothing left to close.
    let over = say(&api, "grafana", &rule(7, "ok", json!([])));
    assert_eq!((over.status, over.json()["ids"].clone()), (201, json!([])));
}

#[test]
fn what_may_not_be_said_is_refused_as_a_whole() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let down = json!({"check_name": "shop", "current_state": "DOWN"});
    let key = |scope: &str| key_of(&api, json!({"user": "ann", "scopes": [scope]}));
    for (caller, name, status) in [
        (Api { url: &hub.url, key: "wrong".to_owned() }, "pingdom", 401),
        (key("write:alerts"), "pingdom", 403),
        (key("read"), "pingdom", 403),
        (key("write:webhooks"), "pingdom", 201),
        (key("write:webhooks"), "nonsense", 404),
        (key("write:webhooks"), "Pingdom", 404),
    ] {
        let answer = say(&caller, name, &down);
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
    }
    let total = || api.get("/alerts/count")["total"].clone();
    assert_eq!(total(), 1);
    let event = |host: &str| json!({"host": host, "service": "cpu", "state": "critical"});
    let many: Vec<_> = (0..1_001).map(|number| event(&format!("h{number}"))).collect();
    for (body, part) in [
        (json!([event("web1"), {"host": "web2"}]), "missing `service`"),
        (json!([event("web1"), {"host": "web2", "service": "x".repeat(5_000)}]), "`event`"),
        (Value::Array(many), "at most 1000 alerts"),
    ] {
        let answer = say(&api, "riemann", &body);
        assert_eq!((answer.status, total()), (400, json!(1)), "{}", answer.text());
        assert!(answer.text().contains(part), "{}", answer.text());
    }
    for (name, data, status) in [
        ("telegram", "/ack 00000000-0000-4000-8000-000000000000", 404),
        ("telegram", "/blackout 00000000-0000-4000-8000-000000000000", 400),
        ("telegram", "/ack", 400),
    ] {
        let body = json!({"callback_query": {"id": "1", "data": data}});
        let answer = say(&api, name, &body);
        assert_eq!(answer.status, status, "{data}: {}", answer.text());
    }
    renew(&api, CHANGED[0], &json!({}));
    let body = json!({"callback_query": {"data": format!("/unack {}", CHANGED[0])}});
    assert_eq!(say(&api, "telegram", &body).status, 409);
    let body = vec![b' '; (1 << 20) + 1];
    assert_eq!(post(&api, "pingdom", "", &body).status, 413);
    let get = format!("/api/webhooks/pingdom?api-key={}", api.key);
    assert_eq!(request(&hub.url, "GET", &get, &[], b"").unwrap().status, 400);
}

#[test]
fn nobody_changes_what_is_another_customers() {
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({
        "AUTH_REQUIRED": true, "CUSTOMER_VIEWS": true, "SLACK_SIGNING_SECRET": "a signing secret",
    });
    let hub = start(&directory.path().join("data"), &settings, &["--admin-key", "an admin key"]);
    let admin = Api { url: &hub.url, key: "an admin key".to_owned() };
    let body = json!({"user": "ann", "scopes": ["write:webhooks"], "customer": "Acme"});
    let acme = key_of(&admin, body);
    let [own, others] = CHANGED;
    let rule = json!({"ruleId": "7"});
    let of = |customer: &str| {
        json!({
            "customer": customer, "event": "CPU", "type": "grafanaAlert", "attributes": rule,
        })
    };
    renew(&admin, own, &of("Acme"));
    renew(&admin, others, &of("Other"));

    let telegram = |id: &str| json!({"callback_query": {"id": "1", "data": format!("/ack {id}")}});
    let message = |id: &str| {
        json!({
            "event": "incident.acknowledge", "incident": {"incident_key": id},
        })
    };
    for (name, body, status) in [
        ("telegram", telegram(others), 404),
        ("pagerduty", json!({"messages": [message(others)]}), 404),
        ("pagerduty", json!({"messages": [message(others), message(own)]}), 200),
    ] {
        let answer = say(&acme, name, &body);
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
    }
    assert_eq!((status_of(&admin, own), status_of(&admin, others)), ("ack".into(), "open".into()));
    // The key opens the door, and still nobody but Slack presses its buttons.
    let button = std::fs::read(corpus().join("slack/block/payload.form")).unwrap();
    assert_eq!(post(&acme, "slack", "", &button).status, 401);

    let well = json!({"ruleId": 7, "ruleName": "CPU", "state": "ok", "evalMatches": []});
    assert_eq!(say(&acme, "grafana", &well).json()["ids"], json!([own]));
    assert_eq!(status_of(&admin, others), "open");

    let alert = |labels: Value| json!({"status": "firing", "labels": labels});
    let mine = alert(json!({"alertname": "A", "instance": "web1"}));
    let theirs = alert(json!({"alertname": "A", "instance": "web2", "customer": "Other"}));
    let refused = say(&acme, "prometheus", &json!({"alerts": [mine, theirs]}));
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("not allowed to set customer"), "{}", refused.text());
    assert_eq!(admin.get("/alerts/count")["total"], 2);
    let taken = say(&acme, "prometheus", &json!({"alerts": [mine]})).json();
    assert_eq!(taken["alert"]["customer"], "Acme", "{taken}");
}
