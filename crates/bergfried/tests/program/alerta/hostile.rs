//! People and programs that want more of Alerta's API than they were given.

use serde_json::{Value, json};

use super::Api;
use super::accounts::start;
use crate::support::http::request;
use crate::support::hub::Hub;

const PASSWORD: &str = "correct horse";

/// Logs in with that password; what a request is authorized by.
fn login(hub: &Hub, name: &str) -> String {
    let body = json!({"username": name, "password": PASSWORD}).to_string();
    let headers = [("Content-Type", "application/json")];
    let answer = request(&hub.url, "POST", "/api/auth/login", &headers, body.as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    format!("Bearer {}", answer.json()["token"].as_str().unwrap())
}

/// Sends a request as somebody who logged in.
fn with(hub: &Hub, bearer: &str, method: &str, path: &str, body: Value) -> (u16, String) {
    let headers = [("Authorization", bearer), ("Content-Type", "application/json")];
    let (path, body) = (format!("/api{path}"), body.to_string());
    let answer = request(&hub.url, method, &path, &headers, body.as_bytes()).unwrap();
    (answer.status, answer.text().to_string())
}

#[test]
fn an_administrator_of_one_customer_becomes_nobody_of_another() {
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({"AUTH_REQUIRED": true, "CUSTOMER_VIEWS": true});
    let hub = start(&directory.path().join("data"), &settings, &["--admin-key", "an admin key"]);
    let admin = Api { url: &hub.url, key: "an admin key".to_owned() };
    let made = |path: &str, body: Value| {
        let answer = admin.ask("POST", path, Some(body));
        assert_eq!(answer.status, 201, "{path}: {}", answer.text());
        answer.json()["id"].as_str().unwrap_or_default().to_owned()
    };
    let user = |name: &str, role: &str| {
        let email = format!("{name}@example.org");
        made("/user", json!({"name": name, "email": email, "password": PASSWORD, "roles": [role]}))
    };
    let group = made("/group", json!({"name": "umbrella people"}));
    for (matched, customer) in [
        ("ann@example.org", "acme"),
        ("tim@example.org", "acme"),
        ("bob@example.org", "umbrella"),
        ("umbrella people", "umbrella"),
        ("umbrella role", "umbrella"),
    ] {
        admin.ask("POST", "/customer", Some(json!({"match": matched, "customer": customer})));
    }
    let (ann, tim, bob) = (user("ann", "admin"), user("tim", "user"), user("bob", "user"));
    admin.send(json!({"resource": "r", "event": "e", "service": ["s"],
        "environment": "Production", "customer": "umbrella"}));
    let bearer = login(&hub, "ann@example.org");
    let as_ann = |method: &str, path: &str, body: Value| with(&hub, &bearer, method, path, body);
    assert_eq!(as_ann("GET", "/alerts", json!({})).0, 200);
    for (method, path, body) in [
        ("PUT", format!("/user/{bob}"), json!({"password": "battery staple"})),
        ("DELETE", format!("/user/{bob}"), json!({})),
        ("PUT", format!("/user/{ann}"), json!({"roles": ["admin", "umbrella role"]})),
        ("PUT", format!("/group/{group}/user/{ann}"), json!({})),
        ("DELETE", format!("/group/{group}"), json!({})),
        ("PUT", format!("/group/{group}"), json!({"name": "nobody"})),
        ("POST", "/perm".to_owned(), json!({"match": "umbrella role", "scopes": []})),
        ("POST", "/management/housekeeping".to_owned(), json!({})),
    ] {
        let (status, text) = as_ann(method, &path, body);
        assert_eq!(status, 403, "{method} {path}: {text}");
    }
    // What is of their own customer is theirs to manage.
    assert_eq!(as_ann("PUT", &format!("/user/{tim}"), json!({"text": "new here"})).0, 200);
    let (_, seen) = as_ann("GET", "/alerts", json!({}));
    assert_eq!(serde_json::from_str::<Value>(&seen).unwrap()["total"], 0, "{seen}");
}

#[test]
fn keys_stay_those_of_their_user_and_end_with_them() {
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({"AUTH_REQUIRED": true});
    let hub = start(&directory.path().join("data"), &settings, &["--admin-key", "an admin key"]);
    let admin = Api { url: &hub.url, key: "an admin key".to_owned() };
    let user = |email: &str| {
        let body = json!({"name": "x", "email": email, "password": PASSWORD});
        let answer = admin.ask("POST", "/user", Some(body));
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let ann = user("ann@example.org");
    let bearer = login(&hub, "ann@example.org");
    let (status, made) = with(&hub, &bearer, "POST", "/key", json!({"scopes": ["read"]}));
    // The scope of making keys is not everyone's.
    let secret = if status == 201 {
        serde_json::from_str::<Value>(&made).unwrap()["key"].as_str().unwrap().to_owned()
    } else {
        let body = json!({"user": "ann@example.org", "scopes": ["read"]});
        admin.ask("POST", "/key", Some(body)).json()["key"].as_str().unwrap().to_owned()
    };
    let key = Api { url: &hub.url, key: secret };
    assert_eq!(key.ask("GET", "/alerts", None).status, 200);

    // A program's key is not taken over by who takes its name.
    let body = json!({"user": "robot", "scopes": ["read"]});
    assert_eq!(admin.ask("POST", "/key", Some(body)).status, 201);
    let rename = |login: &str| with(&hub, &bearer, "PUT", "/user/me", json!({"login": login})).0;
    assert_eq!(rename("robot"), 409);

    // Another name does not keep a key alive when its user is not active any more.
    assert_eq!(rename("ann"), 200);
    assert_eq!(key.ask("GET", "/alerts", None).status, 200);
    let user_path = format!("/user/{ann}");
    assert_eq!(admin.ask("PUT", &user_path, Some(json!({"status": "inactive"}))).status, 200);
    assert_eq!(key.ask("GET", "/alerts", None).status, 403);
    assert_eq!(admin.ask("DELETE", &user_path, None).status, 200);
    assert_eq!(key.ask("GET", "/alerts", None).status, 401);
}

#[test]
fn a_blackout_that_covers_less_lets_alerts_out() {
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({"AUTH_REQUIRED": true, "NOTIFICATION_BLACKOUT": true});
    let hub = start(&directory.path().join("data"), &settings, &["--admin-key", "an admin key"]);
    let admin = Api { url: &hub.url, key: "an admin key".to_owned() };
    let body = json!({"environment": "Production", "duration": 4_294_967_295_u32,
        "startTime": "2020-01-01T00:00:00.000Z"});
    let id = admin.ask("POST", "/blackout", Some(body)).json()["id"].as_str().unwrap().to_owned();
    let alert = admin.send(
        json!({"resource": "r", "event": "e", "severity": "major", "environment": "Production",
        "service": ["s"]}),
    );
    assert_eq!(alert["status"], "blackout");
    let path = format!("/blackout/{id}");
    assert_eq!(admin.ask("PUT", &path, Some(json!({"resource": "other"}))).status, 200);
    let path = format!("/alert/{}", alert["id"].as_str().unwrap());
    assert_eq!(admin.get(&path)["alert"]["status"], "open");
}

#[test]
fn questions_that_cost_much_are_bounded_and_hold_nobody_up() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let admin = Api::of(&hub);
    for number in 0..50 {
        admin.send(
            json!({"resource": format!("r{number}"), "event": "e", "environment": "Production",
            "service": ["s"], "text": "a".repeat(10_000)}),
        );
    }
    let many = |what: &str, number: usize| vec![what; number].join("&");
    for (query, status) in [
        (many("text=~b%2Ba%2Bb", 64), 200),
        (many("text=~b", 65), 400),
        (many("q=text:b", 4), 200),
        (many("q=text:b", 5), 400),
        ("text=~a".to_owned(), 200),
        ("text=~(a{1000}){1000}&text=~b".to_owned(), 400),
        (format!("q={}", "(".repeat(1_000)), 400),
        ("page-size=99999999&page=99999999999".to_owned(), 416),
    ] {
        let answer = admin.ask("GET", &format!("/alerts?{query}"), None);
        let short: String = query.chars().take(60).collect();
        assert_eq!(answer.status, status, "{short}: {}", answer.text());
    }
    let found = admin.get("/alerts?text=~aa&group-by=resource");
    assert_eq!((&found["total"], &found["severityCounts"]["normal"]), (&json!(50), &json!(50)));
    assert_eq!(admin.get("/alerts/count?resource=~r1")["total"], 11);
    assert_eq!(admin.get("/environments?resource=~r1")["environments"][0]["count"], 11);
}
