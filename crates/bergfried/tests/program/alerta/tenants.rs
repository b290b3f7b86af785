//! Nothing of another customer can be read, changed or inferred with a tenant's key.

use serde_json::{Value, json};

use super::Api;
use super::accounts::{key_of, start};
use crate::support::hub::Hub;

const MARK: &str = "of-bar-alone";

/// A hub with an administrator and the keys of two customers, which have every scope but `admin`.
struct Tenants {
    hub: Hub,
    _directory: tempfile::TempDir,
}

impl Tenants {
    fn new() -> Tenants {
        let directory = tempfile::tempdir().unwrap();
        let settings =
            json!({"AUTH_REQUIRED": true, "CUSTOMER_VIEWS": true, "PLUGINS": ["blackout"]});
        let hub = start(&directory.path().join("data"), &settings, &[]);
        Tenants { hub, _directory: directory }
    }

    fn of(&self, customer: &str) -> Api<'_> {
        let scopes = json!([
            "read",
            "write",
            "admin:alerts",
            "admin:heartbeats",
            "admin:blackouts",
            "admin:keys",
            "admin:customers",
        ]);
        let body = json!({"user": customer, "customer": customer, "scopes": scopes});
        key_of(&Api::of(&self.hub), body)
    }
}

/// Without what changes as time goes by.
fn still(mut body: Value, of: &str) -> Value {
    for volatile in ["since", "remaining", "latency"] {
        body[of].as_object_mut().unwrap().remove(volatile);
    }
    body[of].take()
}

#[test]
fn heartbeats_and_blackouts_are_their_customers() {
    let tenants = Tenants::new();
    let (admin, foo, bar) = (Api::of(&tenants.hub), tenants.of("Foo"), tenants.of("Bar"));
    let beat = json!({"origin": MARK, "tags": [MARK], "timeout": 600});
    let beat_of = |api: &Api<'_>| api.ask("POST", "/heartbeat", Some(beat.clone())).json();
    let theirs = beat_of(&bar);
    assert_eq!(theirs["heartbeat"]["customer"], "Bar");
    let black = json!({"environment": "Production", "resource": MARK, "text": MARK});
    let dark = bar.ask("POST", "/blackout", Some(black)).json();
    assert_eq!(dark["blackout"]["customer"], "Bar");
    let of = |name: &str, id: &Value| format!("/{name}/{}", id.as_str().unwrap());
    let (heartbeat, blackout) = (of("heartbeat", &theirs["id"]), of("blackout", &dark["id"]));
    let before = || {
        [("heartbeat", &heartbeat), ("blackout", &blackout)]
            .map(|(name, path)| still(admin.get(path), name))
    };
    let kept = before();
    let own = foo.ask("POST", "/blackout", Some(json!({"environment": "Test"}))).json();
    let own = of("blackout", &own["id"]);

    let of_bar = |mut body: Value| {
        body["customer"] = json!("Bar");
        body
    };
    for (method, path, body, status) in [
        ("GET", &heartbeat, Value::Null, 404),
        ("DELETE", &heartbeat, Value::Null, 404),
        ("GET", &blackout, Value::Null, 404),
        ("PUT", &blackout, json!({"text": "x"}), 404),
        ("DELETE", &blackout, Value::Null, 404),
        ("PUT", &own, of_bar(json!({})), 400),
        ("POST", &"/heartbeat".to_owned(), of_bar(json!({"origin": "x"})), 400),
        ("POST", &"/blackout".to_owned(), of_bar(json!({"environment": "Production"})), 400),
        ("GET", &"/heartbeats".to_owned(), Value::Null, 200),
        ("GET", &"/heartbeats?customer=Bar".to_owned(), Value::Null, 200),
        ("GET", &"/heartbeats?q=customer:Bar".to_owned(), Value::Null, 200),
        ("GET", &"/blackouts".to_owned(), Value::Null, 200),
        ("GET", &"/blackouts?customer!=Foo".to_owned(), Value::Null, 200),
    ] {
        let answer = foo.ask(method, path, (!body.is_null()).then_some(body));
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert!(!answer.text().contains(MARK), "{method} {path}: {}", answer.text());
    }
    assert_eq!(foo.get("/heartbeats")["total"], 0);
    assert_eq!(foo.get("/blackouts")["total"], 1);
    // Taking the customer away does not make it everyone's.
    let body = json!({"customer": null});
    let changed = foo.ask("PUT", &own, Some(body)).json();
    assert_eq!(changed["blackout"]["customer"], "Foo");
    // The same sender of another customer is another one.
    assert_ne!(beat_of(&foo)["id"], theirs["id"]);
    assert_eq!(before(), kept);

    // A customer's blackout darkens nobody else's alerts.
    let down = json!({"environment": "Production", "resource": MARK, "event": "Down"});
    let status = |api: &Api<'_>| api.ask("POST", "/alert", Some(down.clone())).status;
    assert_eq!((status(&bar), status(&foo)), (202, 201));
}

#[test]
fn alerts_are_their_customers_whatever_the_scopes() {
    let tenants = Tenants::new();
    let (admin, foo, bar) = (Api::of(&tenants.hub), tenants.of("Foo"), tenants.of("Bar"));
    let down = json!({"environment": "Production", "resource": "web1", "event": "Down",
        "severity": "major", "service": ["Web"], "tags": ["dc1"]});
    let theirs = bar.send(down.clone());
    let id = theirs["id"].as_str().unwrap();
    let path = format!("/alert/{id}");
    let kept = admin.get(&path);

    // With `admin:alerts`, too, nobody writes into another customer.
    let firing = json!({"status": "firing", "labels": {"alertname": "Down", "instance": "web1"}});
    for path in ["/alert", "/webhooks/prometheus?customer=Bar"] {
        let mut body = down.clone();
        body["customer"] = json!("Bar");
        body["alerts"] = json!([firing]);
        let message = foo.refused(("POST", path), Some(body), 400);
        assert!(message.contains("not allowed to set customer"), "{path}: {message}");
    }
    // The same matter, and the same id, of another customer is another alert.
    let mut same = down.clone();
    same["id"] = json!(id);
    let own = foo.send(same);
    assert_ne!(own["id"], theirs["id"]);
    assert_eq!((&own["customer"], &own["duplicateCount"]), (&json!("Foo"), &json!(0)));
    // Whether a beginning of an id means one alert does not depend on what is not seen.
    let (prefix, rest) = id.split_at(8);
    let mut near = down.clone();
    near["event"] = json!("Near");
    near["id"] = json!(format!("{prefix}{}", rest.replace(|c: char| c.is_ascii_digit(), "a")));
    let near = foo.send(near);
    assert!(near["id"].as_str().unwrap().starts_with(prefix));
    let found = foo.ask("GET", &format!("/alert/{prefix}"), None);
    assert_eq!(found.status, 200, "{}", found.text());
    assert_eq!(found.json()["alert"]["id"], near["id"]);

    // What is counted is counted of their own.
    for path in ["/alerts", "/alerts/count", "/alerts/history"] {
        assert_eq!(foo.get(path)["total"], 2, "{path}");
    }
    for (path, list) in [
        ("/environments", "environments"),
        ("/services", "services"),
        ("/alerts/groups", "groups"),
        ("/alerts/tags", "tags"),
        ("/alerts/top10/count", "top10"),
    ] {
        let rows = foo.get(path)[list].clone();
        let counted = rows.as_array().unwrap().iter().map(|row| row["count"].as_u64().unwrap());
        assert_eq!(counted.sum::<u64>(), 2, "{path}: {rows}");
    }
    let metrics = foo.get("/management/status")["metrics"].clone();
    assert_eq!(metrics[0]["value"], 2, "{metrics}");
    assert_eq!(metrics.as_array().unwrap().len(), 3, "nothing of the whole hub: {metrics}");

    // Many at once are many of their own, and so are tasks.
    let task = |api: &Api<'_>, word: &str| {
        let body = Some(json!({"action": word}));
        let answer = api.ask("PUT", "/_bulk/alerts/action?environment=Production", body);
        assert_eq!(answer.status, 202, "{}", answer.text());
        let location = answer.header("location").unwrap().to_owned();
        (answer.json()["message"].clone(), location.split_once("/api").unwrap().1.to_owned())
    };
    let (message, own_task) = task(&foo, "ack");
    assert_eq!(message, "2 alerts queued for action");
    let (_, their_task) = task(&bar, "note");
    assert_eq!(foo.ask("GET", &own_task, None).status, 200);
    foo.refused(("GET", &their_task), None, 404);
    let tagged = foo.ask("PUT", "/_bulk/alerts/tag?severity=major", Some(json!({"tags": ["x"]})));
    assert_eq!(tagged.json()["count"], 2);
    let deleted = foo.ask("DELETE", "/_bulk/alerts?all=true", None);
    assert_eq!(deleted.json()["count"], 2, "{}", deleted.text());
    let alert = &admin.get(&path)["alert"];
    for field in ["status", "tags", "severity", "duplicateCount", "lastReceiveId", "attributes"] {
        assert_eq!(alert[field], kept["alert"][field], "{field}");
    }
}
