//! Who may do what: keys, users, groups, permissions, customers, logins, settings.

use serde_json::{Value, json};

use super::Api;
use crate::support::http::request;
use crate::support::hub::Hub;
use crate::support::process::run_with;

/// A hub with these settings of Alerta's.
pub(super) fn start(data: &std::path::Path, settings: &Value, more: &[&str]) -> Hub {
    let file = data.with_extension("alerta.json");
    std::fs::write(&file, settings.to_string()).unwrap();
    let mut command = Hub::command(data);
    command.arg("--alerta-config").arg(file).args(more);
    Hub::run(command, data)
}

/// A key with these scopes, made by another one.
pub(super) fn key_of<'a>(api: &Api<'a>, body: Value) -> Api<'a> {
    let answer = api.ask("POST", "/key", Some(body));
    assert_eq!(answer.status, 201, "{}", answer.text());
    Api { url: api.url, key: answer.json()["key"].as_str().unwrap().to_owned() }
}

fn status(api: &Api<'_>, method: &str, path: &str, body: Value) -> u16 {
    api.ask(method, path, Some(body)).status
}

#[test]
fn a_key_is_shown_once_and_opens_what_its_scopes_say() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let admin = Api::of(&hub);
    let fields = ["data", "key", "status"];
    let body = json!({"user": "ann", "scopes": ["read", "write:keys"], "text": "for Ann"});
    let made = admin.expect(("POST", "/key"), Some(body), 201, &fields);
    let secret = made["key"].as_str().unwrap().to_owned();
    assert_eq!((secret.len(), &made["data"]["key"]), (40, &made["key"]));
    let ann = Api { url: &hub.url, key: secret.clone() };
    let listed = ann.ask("GET", "/keys", None);
    assert!(!listed.text().contains(&secret[4..]), "{}", listed.text());
    let key = &listed.json()["keys"][0];
    assert_eq!(
        (&key["user"], &key["count"], &key["type"]),
        (&json!("ann"), &json!(1), &json!("read-write"))
    );
    let id = key["id"].as_str().unwrap().to_owned();

    // Every form of a key; a wrong one is refused, and repeated nowhere.
    for (name, value) in [
        ("Authorization", format!("Key {secret}")),
        ("Authorization", format!("Bearer {secret}")),
        ("X-API-Key", secret.clone()),
    ] {
        for (value, status) in [(value.clone(), 200), (format!("{value}x"), 401)] {
            let headers = [(name, value.as_str())];
            let answer = request(&hub.url, "GET", "/api/keys", &headers, b"").unwrap();
            assert_eq!(answer.status, status, "{name}: {value}");
            assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
            assert!(!answer.text().contains(&secret[4..]), "{}", answer.text());
        }
    }
    let by_query = format!("/api/keys?api-key={secret}");
    assert_eq!(request(&hub.url, "GET", &by_query, &[], b"").unwrap().status, 200);

    // Nobody grants what they do not have, nor in another's name.
    for (scopes, expected) in [
        (json!(["read"]), 201),
        (json!(["write"]), 403),
        (json!(["admin"]), 403),
        (json!(["delete:alerts"]), 403),
        (json!(["write:keys", "read:alerts"]), 201),
        (json!(["nonsense"]), 400),
    ] {
        let body = json!({"user": "root", "scopes": scopes});
        let answer = ann.ask("POST", "/key", Some(body));
        assert_eq!(answer.status, expected, "{scopes}: {}", answer.text());
        if expected == 201 {
            assert_eq!(answer.json()["data"]["user"], "ann");
        }
    }
    let own = format!("/key/{id}");
    assert_eq!(status(&ann, "PUT", &own, json!({"scopes": ["admin"]})), 403);
    assert_eq!(status(&ann, "PUT", &own, json!({"text": "mine"})), 200);
    assert_eq!(admin.get(&own)["key"]["text"], "mine");
    for (method, path) in
        [("DELETE", own.as_str()), ("POST", "/user"), ("GET", "/users"), ("POST", "/perm")]
    {
        let message = ann.refused((method, path), Some(json!({})), 403);
        assert!(message.starts_with("Missing required scope: admin:"), "{message}");
    }
    assert_eq!(status(&admin, "PUT", &own, json!({"expireTime": "2020-01-01T00:00:00.000Z"})), 200);
    assert_eq!(ann.refused(("GET", "/keys"), None, 401), "API key has expired");
    let by_secret = format!("/key/{secret}");
    assert_eq!(admin.ask("DELETE", &by_secret, None).status, 200);
    assert_eq!(ann.refused(("GET", "/keys"), None, 401), "API key is invalid");
    admin.refused(("DELETE", &own), None, 404);
}

#[test]
fn users_log_in_and_are_what_they_are_now() {
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({"AUTH_REQUIRED": true, "ADMIN_USERS": ["root@example.org"]});
    let hub = start(&directory.path().join("data"), &settings, &["--admin-key", "an admin key"]);
    let admin = Api { url: &hub.url, key: "an admin key".to_owned() };
    let body = json!({"name": "Bob", "email": "bob@example.org", "password": "pa:ss phrase"});
    for easy in ["short", "bob@example.org"] {
        let mut body = body.clone();
        body["password"] = json!(easy);
        let message = admin.refused(("POST", "/user"), Some(body), 400);
        assert!(message.contains("`password`") && !message.contains(easy), "{message}");
    }
    let made = admin.expect(("POST", "/user"), Some(body.clone()), 201, &["id", "status", "user"]);
    assert!(!made.to_string().contains("argon2"), "{made}");
    admin.refused(("POST", "/user"), Some(body), 409);
    let id = made["id"].as_str().unwrap().to_owned();

    let wrong = json!({"username": "bob@example.org", "password": "pa"});
    let message = admin.refused(("POST", "/auth/login"), Some(wrong), 401);
    assert_eq!(message, "Invalid username or password");
    let right = json!({"username": "bob@example.org", "password": "pa:ss phrase"});
    let token = admin.expect(("POST", "/auth/login"), Some(right), 200, &["token"]);
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    let as_bob = |method: &str, path: &str, body: Option<Value>| {
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        request(&hub.url, method, &format!("/api{path}"), &headers, body.as_bytes()).unwrap()
    };
    let claims = as_bob("GET", "/userinfo", None).json();
    assert_eq!(
        (&claims["preferred_username"], &claims["scope"], &claims["aud"]),
        (&json!("bob@example.org"), &json!("read write"), &json!("/api"))
    );
    admin.refused(("GET", "/userinfo"), None, 401);
    let basic = |pair: &str| {
        let value = format!("Basic {pair}");
        request(&hub.url, "GET", "/api/user/me", &[("Authorization", &value)], b"").unwrap()
    };
    assert_eq!(basic("Ym9iQGV4YW1wbGUub3JnOnBhOnNzIHBocmFzZQ==").json()["user"]["id"], id.as_str());
    let refused = basic("Ym9iQGV4YW1wbGUub3JnOnBh");
    assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"Alerta\""));

    // What only an administrator sets is ignored in what people say of themselves.
    let me = json!({"name": "Bobby", "status": "inactive", "roles": ["admin"], "attributes": null});
    let answer = as_bob("PUT", "/user/me", Some(me)).json();
    assert_eq!(
        (&answer["user"]["name"], &answer["user"]["roles"], &answer["user"]["status"]),
        (&json!("Bobby"), &json!(["user"]), &json!("active"))
    );
    for easy in ["short", "password123", "bob@example.org1"] {
        let refused = as_bob("PUT", "/user/me", Some(json!({"password": easy})));
        assert_eq!(refused.status, 400, "{easy}: {}", refused.text());
        assert_eq!(status(&admin, "PUT", &format!("/user/{id}"), json!({"password": easy})), 400);
    }
    for (attributes, merged) in [
        (json!({"a": {"x": 1}, "b": 1}), json!({"a": {"x": 1}, "b": 1})),
        (json!({"a": {"y": 2}, "b": null}), json!({"a": {"x": 1, "y": 2}})),
    ] {
        let body = json!({"attributes": attributes});
        assert_eq!(as_bob("PUT", "/user/me/attributes", Some(body)).status, 200);
        assert_eq!(as_bob("GET", "/user/me/attributes", None).json()["attributes"], merged);
    }
    // Logging out ends this token, and no other.
    let again = json!({"username": "bob@example.org", "password": "pa:ss phrase"});
    let other = admin.expect(("POST", "/auth/login"), Some(again), 200, &["token"]);
    let other = format!("Bearer {}", other["token"].as_str().unwrap());
    let ask = |path: &str, token: &str| {
        let headers = [("Authorization", token)];
        request(&hub.url, "GET", &format!("/api{path}"), &headers, b"").unwrap().status
    };
    assert_eq!(ask("/user/me", &other), 200);
    for token in [other.as_str(), &other, "Bearer a.b.c", "Bearer", "Key nobody's", ""] {
        assert_eq!(ask("/auth/logout", token), 200, "{token}");
    }
    assert_eq!((ask("/user/me", &other), ask("/userinfo", &other)), (401, 401));
    assert_eq!(as_bob("GET", "/user/me", None).status, 200);

    // An address that gives an administrator's rights cannot be taken.
    let stolen = json!({"email": "root@example.org"});
    assert_eq!(as_bob("PUT", "/user/me", Some(stolen)).status, 200);
    assert_eq!(as_bob("GET", "/userinfo", None).json()["scope"], "read write");

    let user = format!("/user/{id}");
    assert_eq!(status(&admin, "PUT", &user, json!({"roles": ["guest"]})), 200);
    assert_eq!(as_bob("GET", "/userinfo", None).status, 403);
    assert_eq!(status(&admin, "PUT", &user, json!({"status": "inactive"})), 200);
    assert_eq!(as_bob("GET", "/user/me", None).status, 403);
    assert_eq!(admin.ask("DELETE", &user, None).status, 200);
    assert_eq!(as_bob("GET", "/user/me", None).status, 401);
    for (path, status) in [("/auth/google", 501), ("/auth/forgot", 501), ("/auth/reset/x", 400)] {
        admin.refused(("POST", path), Some(json!({})), status);
    }
}

#[test]
fn settings_are_checked_and_change_nothing_that_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = directory.path().join("wrong.json");
    std::fs::write(&file, r#"{"AUTH_REQUIRED": "yes"}"#).unwrap();
    let mut command = Hub::command(&data);
    command.arg("--alerta-config").arg(&file);
    let done = run_with(command, b"");
    assert_ne!(done.code, Some(0));
    for part in ["wrong.json", "AUTH_REQUIRED", "expected true or false"] {
        assert!(done.err.contains(part), "{}", done.err);
    }

    let open = start(&data, &json!({}), &["--admin-key", "an admin key"]);
    let stranger = Api { url: &open.url, key: "an admin key".to_owned() };
    let plain = |url: &str, path: &str| request(url, "GET", path, &[], b"").unwrap();
    assert_eq!(plain(&open.url, "/api/keys").status, 200, "AUTH_REQUIRED is off");
    let body = json!({"name": "Ops", "text": "kept"});
    assert_eq!(status(&stranger, "POST", "/group", body), 201);
    let (ended, _) = open.interrupt();
    assert!(ended.success());

    let strict = json!({"AUTH_REQUIRED": true, "SEVERITY_MAP": {"bad": 1, "fine": 2}});
    let hub = start(&data, &strict, &["--admin-key", "an admin key", "--alerta-prefix", "/"]);
    let admin = Api { url: &hub.url, key: "an admin key".to_owned() };
    assert_eq!(admin.get("/groups")["groups"][0]["name"], "Ops");
    for prefix in ["", "/api"] {
        let path = |path: &str| format!("{prefix}{path}");
        assert_eq!(plain(&hub.url, &path("/management/gtg")).text(), "OK");
        assert_eq!(plain(&hub.url, &path("/groups")).status, 401);
        let config = plain(&hub.url, &path("/config")).json();
        assert_eq!(config["severity"], json!({"bad": 1, "fine": 2}));
        assert_eq!(config["endpoint"], format!("{}{prefix}", hub.url));
        assert!(plain(&hub.url, &path("/")).json()["links"].is_array());
    }
    // Heimdall's agents send theirs to the same path, and name the host in a header.
    assert_eq!(status(&admin, "POST", "/heartbeat", json!({"origin": "probe"})), 201);
    let beat = [("api-key", "an admin key"), ("source-host", "web"), ("os-type", "LINUX")];
    let told = request(&hub.url, "POST", "/heartbeat", &beat, b"").unwrap();
    assert_eq!((told.status, &told.json()["success"]), (200, &json!(true)));
    let browser = [("Accept", "text/html,*/*")];
    let page = request(&hub.url, "GET", "/", &browser, b"").unwrap();
    assert_eq!((page.status, page.header("location")), (303, Some("/ui/")));
}

#[test]
fn a_tenant_neither_sees_nor_changes_what_is_anothers() {
    const MARK: &str = "of-bar-alone";
    let directory = tempfile::tempdir().unwrap();
    let settings = json!({"AUTH_REQUIRED": true, "CUSTOMER_VIEWS": true, "PLUGINS": ["blackout"]});
    let hub = start(&directory.path().join("data"), &settings, &["--admin-key", "an admin key"]);
    let admin = Api { url: &hub.url, key: "an admin key".to_owned() };
    let everything = json!(["read", "write", "admin:keys", "admin:customers"]);
    let tenant = |customer: &str| {
        let user = format!("user of {customer}");
        key_of(&admin, json!({"user": user, "customer": customer, "scopes": everything}))
    };
    let (foo, bar) = (tenant("Foo"), tenant("Bar"));
    let theirs = bar.send(json!({
        "resource": MARK, "event": MARK, "environment": MARK, "severity": "major", "service": [MARK],
        "group": MARK, "value": MARK, "text": MARK, "tags": [MARK], "attributes": {"note": MARK},
        "origin": MARK, "rawData": MARK,
    }));
    assert_eq!(theirs["customer"], "Bar");
    let own = foo.send(json!({
        "resource": "own", "event": "own", "environment": "Production", "severity": "major",
    }));
    assert_eq!(own["customer"], "Foo");
    for (api, wanted, status) in [(&foo, "Bar", 400), (&foo, "Foo", 201), (&admin, "Baz", 201)] {
        let body = json!({
            "resource": "r", "event": wanted, "environment": "Production", "customer": wanted,
        });
        assert_eq!(api.ask("POST", "/alert", Some(body)).status, status, "{wanted}");
    }
    // The row gives Bar to others, the key is Bar's: neither is for Foo.
    let row = json!({"match": format!("{MARK}.example"), "customer": "Bar"});
    assert_eq!(status(&admin, "POST", "/customer", row), 201);
    let id = theirs["id"].as_str().unwrap().to_owned();
    let note = bar.ask("PUT", &format!("/alert/{id}/note"), Some(json!({"text": MARK}))).json();
    let note = note["id"].as_str().unwrap().to_owned();
    let customers = admin.get("/customers")["customers"].clone();
    let row = customers[0]["id"].as_str().unwrap().to_owned();
    let keys = admin.get("/keys?customer=Bar")["keys"].clone();
    let key = keys[0]["id"].as_str().unwrap().to_owned();
    let before = admin.get(&format!("/alert/{id}"));

    let (alert, prefix) = (format!("/alert/{id}"), format!("/alert/{}", &id[..8]));
    let mut asked = vec![
        ("GET", prefix, Value::Null, 404),
        ("GET", alert.clone(), Value::Null, 404),
        ("DELETE", alert.clone(), Value::Null, 404),
        ("GET", format!("{alert}/notes"), Value::Null, 404),
        ("PUT", format!("{alert}/status"), json!({"status": "closed"}), 404),
        ("PUT", format!("{alert}/action"), json!({"action": "close"}), 404),
        ("PUT", format!("{alert}/tag"), json!({"tags": ["x"]}), 404),
        ("PUT", format!("{alert}/untag"), json!({"tags": [MARK]}), 404),
        ("PUT", format!("{alert}/attributes"), json!({"attributes": {"a": 1}}), 404),
        ("PUT", format!("{alert}/note"), json!({"text": "x"}), 404),
        ("PUT", format!("{alert}/note/{note}"), json!({"text": "x"}), 404),
        ("DELETE", format!("{alert}/note/{note}"), Value::Null, 404),
        ("GET", format!("/customer/{row}"), Value::Null, 404),
        ("PUT", format!("/customer/{row}"), json!({"customer": "Foo"}), 404),
        ("DELETE", format!("/customer/{row}"), Value::Null, 404),
        ("POST", "/customer".to_owned(), json!({"match": "me", "customer": "*"}), 400),
        ("POST", "/customer".to_owned(), json!({"match": "me", "customer": "Bar"}), 400),
        ("POST", "/key".to_owned(), json!({"scopes": ["read"], "customer": "Bar"}), 400),
        ("GET", format!("/key/{key}"), Value::Null, 404),
        ("PUT", format!("/key/{key}"), json!({"text": "x"}), 404),
        ("DELETE", format!("/key/{key}"), Value::Null, 404),
    ];
    let lists = [
        "/alerts",
        "/alerts/count",
        "/alerts/history",
        "/alerts/top10/count",
        "/alerts/groups",
        "/alerts/top10/flapping",
        "/alerts/top10/standing",
        "/alerts/tags",
        "/environments",
        "/services",
        "/customers",
        "/keys",
        "/alerts?sort-by=severity&customer=Bar",
        "/alerts?customer!=Foo",
        "/alerts?q=customer:Bar",
    ];
    asked.extend(lists.map(|path| ("GET", path.to_owned(), Value::Null, 200)));
    for (method, path, body, status) in asked {
        let body = (!body.is_null()).then_some(body);
        let answer = foo.ask(method, &path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert!(!answer.text().contains(MARK), "{method} {path}: {}", answer.text());
    }
    for (method, path, body) in [
        ("PUT", "/_bulk/alerts/tag?severity=major", json!({"tags": ["x"]})),
        ("PUT", "/_bulk/alerts/attributes?severity=major", json!({"attributes": {"a": 1}})),
        ("PUT", "/_bulk/alerts/status?severity=major", json!({"status": "ack"})),
        ("PUT", "/_bulk/alerts/action?severity=major", json!({"action": "close"})),
        ("DELETE", "/_bulk/alerts?resource!=nothing", json!({})),
    ] {
        let answer = foo.ask(method, path, Some(body));
        assert!(!answer.text().contains(&id), "{method} {path}: {}", answer.text());
    }
    assert_eq!(admin.get(&alert)["alert"], before["alert"]);
    assert_eq!(admin.get("/customers")["customers"], customers);
    assert_eq!(admin.get("/keys?customer=Bar")["keys"][0]["text"], keys[0]["text"]);
}
