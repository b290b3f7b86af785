//! What the API answers about one alert and about many at once: codes, fields, texts.

use serde_json::{Value, json};

use super::{Api, keys};
use crate::support::http::request;
use crate::support::hub::Hub;
use crate::support::wait_until;

/// Every field of an alert.
const ALERT: [&str; 29] = [
    "attributes",
    "correlate",
    "createTime",
    "customer",
    "duplicateCount",
    "environment",
    "event",
    "group",
    "history",
    "href",
    "id",
    "lastReceiveId",
    "lastReceiveTime",
    "origin",
    "previousSeverity",
    "rawData",
    "receiveTime",
    "repeat",
    "resource",
    "service",
    "severity",
    "status",
    "tags",
    "text",
    "timeout",
    "trendIndication",
    "type",
    "updateTime",
    "value",
];

const OK: &[&str] = &["status"];

fn down() -> Value {
    json!({
        "resource": "web1", "event": "NodeDown", "environment": "Production", "severity": "major",
        "correlate": ["NodeUp"], "service": ["Web", "Shop"], "group": "Network", "value": 100,
        "text": "it does not answer", "tags": ["dc1"], "attributes": {"region": "EU"},
        "origin": "test/probe", "type": "probeAlert", "timeout": 600, "rawData": {"a": [1]},
    })
}

fn is_date(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == "2026-11-21T01:40:17.508Z".len() && text.ends_with('Z') && text.contains('T')
    })
}

#[test]
fn an_alert_has_every_field() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let answer = api.expect(("POST", "/alert"), Some(down()), 201, &["alert", "id", "status"]);
    let alert = &answer["alert"];
    assert_eq!(keys(alert), ALERT);
    assert_eq!(answer["id"], alert["id"]);
    for (name, value) in down().as_object().unwrap() {
        let expected = match name.as_str() {
            "correlate" => json!(["NodeUp", "NodeDown"]),
            "value" => json!("100"),
            "rawData" => json!(r#"{"a":[1]}"#),
            "attributes" => {
                assert_eq!(alert["attributes"]["ip"], "127.0.0.1");
                json!({"region": "EU", "ip": "127.0.0.1"})
            }
            _ => value.clone(),
        };
        assert_eq!(alert[name], expected, "{name}");
    }
    for name in ["createTime", "receiveTime", "lastReceiveTime", "updateTime"] {
        assert!(is_date(&alert[name]), "{name}: {}", alert[name]);
    }
    let id = alert["id"].as_str().unwrap();
    assert_eq!(alert["href"], format!("{}/api/alert/{id}", hub.url));
    assert_eq!(alert["lastReceiveId"], alert["id"]);
    assert_eq!((&alert["status"], &alert["customer"]), (&json!("open"), &json!(null)));
    assert_eq!((&alert["duplicateCount"], &alert["repeat"]), (&json!(0), &json!(false)));
    assert_eq!(alert["previousSeverity"], "indeterminate");
    assert_eq!(alert["trendIndication"], "moreSevere");
    let history = alert["history"].as_array().unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(
        keys(&history[0]),
        [
            "event",
            "href",
            "id",
            "severity",
            "status",
            "text",
            "timeout",
            "type",
            "updateTime",
            "user",
            "value"
        ]
    );
    assert_eq!((&history[0]["type"], &history[0]["id"]), (&json!("new"), &json!(id)));

    let one =
        api.expect(("GET", &format!("/alert/{id}")), None, 200, &["alert", "status", "total"]);
    assert_eq!((&one["alert"], &one["total"]), (alert, &json!(1)));
}

#[test]
fn what_is_said_again_is_one_alert() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let first = api.send(down());
    let again = api.send(json!({
        "resource": "web1", "event": "NodeDown", "environment": "Production", "severity": "major",
        "service": ["Web"], "tags": ["dc2"], "attributes": {"rack": 3},
    }));
    assert_eq!(again["id"], first["id"]);
    assert_ne!(again["lastReceiveId"], first["id"]);
    assert_eq!((&again["duplicateCount"], &again["repeat"]), (&json!(1), &json!(true)));
    assert_eq!((&again["tags"], &again["group"]), (&json!(["dc1", "dc2"]), &json!("Network")));
    assert_eq!(again["attributes"]["region"], "EU");
    assert_eq!(again["attributes"]["rack"], 3);
    assert_eq!((&again["service"], &again["value"]), (&json!(["Web"]), &json!(null)));
    let last = again["lastReceiveId"].as_str().unwrap();
    assert_eq!(api.get(&format!("/alert/{last}"))["alert"]["id"], first["id"]);

    let worse = api.send(json!({
        "resource": "web1", "event": "NodeDown", "environment": "Production", "severity": "critical",
        "service": ["Web"],
    }));
    assert_eq!((&worse["id"], &worse["repeat"]), (&first["id"], &json!(false)));
    assert_eq!(worse["previousSeverity"], "major");
    assert_eq!(worse["trendIndication"], "moreSevere");
    let over = api.send(json!({
        "resource": "web1", "event": "NodeUp", "environment": "Production", "severity": "normal",
        "service": ["Web"],
    }));
    assert_eq!((&over["id"], &over["status"]), (&first["id"], &json!("closed")));
    assert_eq!(
        (&over["event"], &over["trendIndication"]),
        (&json!("NodeUp"), &json!("lessSevere"))
    );
    assert_eq!(api.get("/alerts/count")["total"], 1);
}

#[test]
fn a_bad_alert_is_refused_and_nothing_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    for (name, value, part) in [
        ("resource", json!(null), "`resource`"),
        ("event", json!(""), "`event`"),
        ("severity", json!("baz"), "security, critical, major"),
        ("status", json!("opened"), "open"),
        ("correlate", json!("NodeUp"), "`correlate`"),
        ("service", json!("Web"), "`service`"),
        ("tags", json!({"a": 1}), "`tags`"),
        ("attributes", json!(["a"]), "`attributes`"),
        ("attributes", json!({"a.b": 1}), "`attributes`"),
        ("attributes", json!({"$a": 1}), "`attributes`"),
        ("timeout", json!("10"), "`timeout`"),
        ("timeout", json!(-1), "`timeout`"),
        ("customer", json!(""), "`customer`"),
        ("createTime", json!("2026-11-21 01:40"), "ISO 8601"),
        ("value", json!(["x"]), "`value`"),
        ("text", json!("x".repeat(100_000)), "`text`"),
        ("id", json!("../1"), "`id`"),
        ("environment", json!(5), "`environment`"),
    ] {
        let mut alert = down();
        alert[name] = value;
        let message = api.refused(("POST", "/alert"), Some(alert), 400);
        assert!(message.contains(part), "{name}: {message}");
    }
    assert_eq!(api.get("/alerts/count")["total"], 0);
    for alias in ["information", "info", "err", "crit", "emerg", "Major"] {
        let mut alert = down();
        alert["severity"] = json!(alias);
        let severity = api.send(alert)["severity"].as_str().unwrap().to_owned();
        assert!(["informational", "major", "critical"].contains(&severity.as_str()), "{severity}");
    }
}

#[test]
fn errors_have_one_form() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let key = format!("Key {}", api.key);
    let ask = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        request(&hub.url, method, path, headers, body.as_bytes()).unwrap()
    };
    let authorized = ("Authorization", key.as_str());
    let json_type = ("Content-Type", "application/json");
    let text_type = ("Content-Type", "text/plain");
    for (method, path, headers, body, status) in [
        ("GET", "/api/nothing", vec![authorized], "", 404),
        ("GET", "/api/alert/00000000-0000-0000-0000-000000000000", vec![authorized], "", 404),
        ("PATCH", "/api/alerts", vec![authorized], "", 405),
        ("POST", "/api/alert", vec![authorized], "{}", 415),
        ("POST", "/api/alert", vec![authorized, text_type], "{}", 415),
        ("POST", "/api/alert", vec![authorized, json_type], "{", 400),
        ("POST", "/api/alert", vec![authorized, json_type], "[]", 400),
        ("POST", "/api/alert", vec![json_type], "{}", 401),
        ("GET", "/api/alerts", vec![("Authorization", "Key wrong")], "", 401),
        ("GET", "/api/alerts?colour=red", vec![authorized], "", 400),
    ] {
        let mut headers = headers;
        headers.push(("X-Request-ID", "my-request-1"));
        let answer = ask(method, path, &headers, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert_eq!(answer.header("x-request-id"), Some("my-request-1"));
        let error = answer.json();
        assert_eq!(keys(&error), ["code", "errors", "message", "requestId", "status"]);
        assert_eq!((&error["code"], &error["status"]), (&json!(status), &json!("error")));
        assert_eq!(error["requestId"], "my-request-1");
        assert!(!error["message"].as_str().unwrap().contains("wrong "), "{error}");
        let is_of_routing = matches!((status, path), (404, "/api/nothing") | (405, _));
        assert_eq!(error["errors"].is_array(), is_of_routing, "{error}");
    }
    let answer = ask("GET", "/api/alerts", &[authorized, ("X-Amzn-Trace-Id", "Root=1-2")], "");
    assert_eq!(answer.header("x-request-id"), Some("Root=1-2"));
    let answer = ask("GET", "/api/alerts", &[authorized], "");
    assert_eq!(answer.header("x-request-id").unwrap().len(), 36);
    for path in [format!("/api/alerts?api-key={}", api.key), "/api/alerts".to_owned()] {
        let headers = [("X-API-Key", api.key.as_str())];
        let headers = if path.contains("api-key") { &headers[..0] } else { &headers[..] };
        assert_eq!(ask("GET", &path, headers, "").status, 200);
    }
    // The native API keeps its own form.
    let answer = ask("GET", "/api/v1/nothing", &[authorized], "");
    assert_eq!((answer.status, keys(&answer.json())), (404, vec!["error"]));
}

#[test]
fn browsers_of_other_origins_and_compression_are_served() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    for number in 0..20 {
        let mut alert = down();
        alert["resource"] = json!(format!("web{number}"));
        api.send(alert);
    }
    let key = format!("Key {}", api.key);
    let ask = |method: &str, path: &str, headers: &[(&str, &str)]| {
        request(&hub.url, method, path, headers, b"").unwrap()
    };
    let preflight = |origin: &'static str| {
        [
            ("Origin", origin),
            ("Access-Control-Request-Method", "PUT"),
            ("Access-Control-Request-Headers", "authorization,content-type,x-request-id"),
        ]
    };
    let answer = ask("OPTIONS", "/api/alert/1/status", &preflight("http://localhost:8000"));
    assert_eq!(answer.status, 200);
    let allowed = "access-control-allow-origin";
    assert_eq!(answer.header(allowed), Some("http://localhost:8000"));
    let methods = answer.header("access-control-allow-methods").unwrap();
    assert!(["GET", "POST", "PUT", "DELETE"].iter().all(|method| methods.contains(method)));
    let headers = answer.header("access-control-allow-headers").unwrap();
    assert!(["authorization", "content-type", "x-request-id"].iter().all(|h| headers.contains(h)));
    let answer = ask("OPTIONS", "/api/alerts", &preflight("http://evil.example"));
    assert_eq!((answer.status, answer.header(allowed)), (200, None));
    assert_eq!(ask("OPTIONS", "/api/alert", &[]).status, 200);
    let origin = ("Origin", "http://localhost:8000");
    let answer = ask("GET", "/api/alerts", &[("Authorization", &key), origin]);
    assert_eq!(answer.header(allowed), Some("http://localhost:8000"));
    let answer = ask("GET", "/api/alerts", &[("Authorization", &key), ("Accept-Encoding", "gzip")]);
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
}

#[test]
fn people_act_on_an_alert() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let id = api.send(down())["id"].as_str().unwrap().to_owned();
    let path = |what: &str| format!("/alert/{id}/{what}");
    let now = || api.get(&format!("/alert/{id}"))["alert"].clone();
    for (action, code, status, severity) in [
        ("open", 409, "open", "major"),
        ("unack", 409, "open", "major"),
        ("ack", 200, "ack", "major"),
        ("ack", 409, "ack", "major"),
        ("unack", 200, "open", "major"),
        ("shelve", 200, "shelved", "major"),
        ("shelve", 409, "shelved", "major"),
        ("ack", 409, "shelved", "major"),
        ("unshelve", 200, "open", "major"),
        ("createIssue", 200, "open", "major"),
        ("close", 200, "closed", "normal"),
        ("close", 409, "closed", "normal"),
        ("ack", 409, "closed", "normal"),
        ("open", 200, "open", "major"),
    ] {
        let body = Some(json!({"action": action}));
        match code {
            200 => drop(api.expect(("PUT", &path("action")), body, 200, OK)),
            code => drop(api.refused(("PUT", &path("action")), body, code)),
        }
        let alert = now();
        assert_eq!((&alert["status"], &alert["severity"]), (&json!(status), &json!(severity)));
    }
    let entries = now()["history"].as_array().unwrap().clone();
    let texts: Vec<_> = entries.iter().map(|entry| entry["text"].as_str().unwrap()).collect();
    assert!(texts.contains(&"ack operator action"), "{texts:?}");
    assert!(entries.iter().any(|entry| entry["user"] == "admin"), "{entries:?}");

    for (what, body, code) in [
        ("action", json!({}), 400),
        ("action", json!({"action": "ack", "timeout": "1"}), 400),
        ("status", json!({}), 400),
        ("status", json!({"status": "foo"}), 400),
        ("status", json!({"status": "ACKED"}), 400),
        ("tag", json!({}), 400),
        ("tag", json!({"tags": []}), 400),
        ("tag", json!({"tags": "a"}), 400),
        ("untag", json!({"tags": []}), 400),
        ("attributes", json!({}), 400),
        ("attributes", json!({"attributes": {"a.b": 1}}), 400),
        ("note", json!({}), 400),
    ] {
        api.refused(("PUT", &path(what)), Some(body), code);
    }
    let before = now()["timeout"].clone();
    let put = |what: &str, body: Value| api.expect(("PUT", &path(what)), Some(body), 200, OK);
    put("status", json!({"status": "assign", "text": "to Ada"}));
    assert_eq!((&now()["status"], &now()["timeout"]), (&json!("assign"), &before));
    put("tag", json!({"tags": ["b", "dc1"]}));
    assert_eq!(now()["tags"], json!(["dc1", "b"]));
    put("untag", json!({"tags": ["dc1"]}));
    assert_eq!(now()["tags"], json!(["b"]));
    put("attributes", json!({"attributes": {"region": null, "owner": "Ada"}}));
    assert_eq!(now()["attributes"], json!({"ip": "127.0.0.1", "owner": "Ada"}));

    api.expect(("DELETE", &format!("/alert/{id}")), None, 200, OK);
    for (method, what) in
        [("GET", ""), ("DELETE", ""), ("PUT", "/tag"), ("PUT", "/status"), ("GET", "/notes")]
    {
        let body = (method == "PUT").then(|| json!({"tags": ["x"], "status": "open"}));
        api.refused((method, &format!("/alert/{id}{what}")), body, 404);
    }
}

#[test]
fn notes_are_kept_beside_an_alert() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let id = api.send(down())["id"].as_str().unwrap().to_owned();
    let path = format!("/alert/{id}/note");
    let answer = api.ask("PUT", &path, Some(json!({"text": "looking at it"})));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let body = answer.json();
    assert_eq!(keys(&body), ["id", "note", "status"]);
    let note = body["id"].as_str().unwrap().to_owned();
    let location = answer.header("location").unwrap();
    assert_eq!(location, format!("{}/api/alert/{id}/note/{note}", hub.url));
    assert_eq!(body["note"]["text"], "looking at it");
    assert_eq!(body["note"]["user"], "admin");
    assert_eq!(body["note"]["related"]["alert"], id.as_str());
    assert!(is_date(&body["note"]["createTime"]));
    // The web console says it in another field.
    api.expect(("PUT", &path), Some(json!({"note": "still"})), 201, &["id", "note", "status"]);
    let one = format!("{path}/{note}");
    let changed =
        api.expect(("PUT", &one), Some(json!({"text": "found"})), 200, &["note", "status"]);
    assert_eq!(changed["note"]["text"], "found");
    let list = format!("/alert/{id}/notes");
    let notes = api.expect(("GET", &list), None, 200, &["notes", "status", "total"]);
    assert_eq!((&notes["total"], &notes["notes"][0]["text"]), (&json!(2), &json!("found")));
    api.expect(("DELETE", &one), None, 200, OK);
    api.refused(("DELETE", &one), None, 404);
    api.refused(("PUT", &one), Some(json!({"text": "x"})), 404);
    assert_eq!(api.get(&list)["total"], 1);
    let history = api.get(&format!("/alert/{id}"))["alert"]["history"].clone();
    let kinds: Vec<_> = history.as_array().unwrap().iter().map(|e| e["type"].clone()).collect();
    assert_eq!(kinds, ["new", "note", "note", "dismiss"]);
}

#[test]
fn a_prefix_of_an_id_means_one_alert_or_none() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    for (number, resource) in ["a", "b"].iter().enumerate() {
        let mut alert = down();
        alert["resource"] = json!(resource);
        alert["id"] = json!(format!("11111111-2222-4333-8444-55555555555{number}"));
        assert_eq!(api.send(alert.clone())["id"], alert["id"]);
    }
    let third = api.send(json!({"resource": "c", "event": "E", "service": ["x"]}));
    let id = third["id"].as_str().unwrap();
    assert_eq!(api.get(&format!("/alert/{}", &id[..8]))["alert"]["id"], id);
    for wrong in
        [&id[..7], "1111", "11111111", "11111111-2222-4333-8444-5555555555", ".", "%25", "*"]
    {
        api.refused(("GET", &format!("/alert/{wrong}")), None, 404);
    }
    // An id that is there already is not taken from anybody.
    let thief = api.send(json!({"resource": "d", "event": "E", "id": id}));
    assert_ne!(thief["id"], id);
    assert_eq!(api.get(&format!("/alert/{id}"))["alert"]["resource"], "c");
}

#[test]
fn many_are_changed_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    for number in 0..6 {
        let environment = if number < 4 { "Production" } else { "Development" };
        api.send(json!({
            "resource": format!("web{number}"), "event": "Down", "environment": environment,
            "severity": "major", "service": ["Web"],
        }));
    }
    let count = |query: &str| api.get(&format!("/alerts/count?{query}"))["total"].clone();
    let fields = ["count", "status", "updated"];
    for (what, body) in [
        ("tag", json!({"tags": ["x", "y"]})),
        ("untag", json!({"tags": ["y"]})),
        ("attributes", json!({"attributes": {"owner": "Ada"}})),
        ("status", json!({"status": "ack"})),
    ] {
        let path = format!("/_bulk/alerts/{what}?environment=Production");
        let answer = api.expect(("PUT", &path), Some(body), 200, &fields);
        assert_eq!(answer["count"], 4, "{what}");
        assert_eq!(answer["updated"].as_array().unwrap().len(), 4);
        let nobody = format!("/_bulk/alerts/{what}?environment=Nowhere");
        let body = json!({"tags": ["x"], "attributes": {"a": 1}, "status": "ack"});
        match what {
            "status" => drop(api.refused(("PUT", &nobody), Some(body), 404)),
            _ => {
                assert_eq!(api.expect(("PUT", &nobody), Some(body), 200, &fields)["count"], 0);
            }
        }
    }
    assert_eq!((count("tag=x"), count("tag=y"), count("status=ack")), {
        (json!(4), json!(0), json!(4))
    });
    assert_eq!(count("attributes.owner=Ada"), 4);

    let path = "/_bulk/alerts/action?environment=Development";
    let answer = api.ask("PUT", path, Some(json!({"action": "close", "text": "over"})));
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.json()["message"], "2 alerts queued for action");
    let location = answer.header("location").unwrap();
    let task = location.strip_prefix(&format!("{}/api", hub.url)).unwrap().to_owned();
    wait_until("the bulk action", || api.get(&task)["status"] == "SUCCESS");
    assert_eq!(keys(&api.get(&task)), ["id", "status"]);
    assert_eq!(count("status=closed"), 2);
    api.refused(("GET", "/_bulk/task/00000000-0000-0000-0000-000000000000"), None, 404);

    for query in ["?page-size=2", "?sort-by=event", "?q=", "?all=false"] {
        let path = format!("/_bulk/alerts{query}");
        let message = api.refused(("DELETE", &path), None, 400);
        assert!(message.contains("all=true"), "{message}");
    }
    let fields = ["count", "deleted", "status"];
    let path = "/_bulk/alerts?environment=Production&tag=x";
    assert_eq!(api.expect(("DELETE", path), None, 200, &fields)["count"], 4);
    assert_eq!(api.expect(("DELETE", "/_bulk/alerts"), None, 200, &fields)["count"], 2);
    assert_eq!(count(""), 0);
}
