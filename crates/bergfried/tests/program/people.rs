//! People: signing in, what each role may, forged requests, customers, and the audit trail.

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value, json};

use crate::support::http::{Answer, connect, read_head, request};
use crate::support::hub::Hub;
use crate::support::process::{bergfried, run_with};

const PASSWORD: &str = "correct horse battery";

/// Somebody who is signed in, as a browser is.
struct Browser<'h> {
    hub: &'h Hub,
    cookie: String,
    csrf: String,
}

impl<'h> Browser<'h> {
    fn sign_in(hub: &'h Hub, name: &str, password: &str) -> Browser<'h> {
        let answer = sign_in(hub, name, password);
        assert_eq!(answer.status, 200, "{}", answer.text());
        Browser::of(hub, &answer)
    }

    fn of(hub: &'h Hub, answer: &Answer) -> Browser<'h> {
        let set = answer.header("set-cookie").unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(set.contains(part), "{set}");
        }
        let cookie = set.split(';').next().unwrap().to_owned();
        Browser { hub, cookie, csrf: answer.json()["csrf"].as_str().unwrap().to_owned() }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask_with(method, path, body, &[("X-CSRF-Token", &self.csrf)])
    }

    fn ask_with(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut headers = headers.to_vec();
        headers.push(("Cookie", &self.cookie));
        let text = if body.is_null() { String::new() } else { body.to_string() };
        if !text.is_empty() {
            headers.push(("Content-Type", "application/json"));
        }
        let path = format!("/api/v1/{path}");
        request(&self.hub.url, method, &path, &headers, text.as_bytes()).unwrap()
    }

    fn status(&self, method: &str, path: &str, body: &Value) -> u16 {
        self.ask(method, path, body).status
    }
}

fn sign_in(hub: &Hub, name: &str, password: &str) -> Answer {
    let body = json!({"name": name, "password": password}).to_string();
    let headers = [("Content-Type", "application/json")];
    request(&hub.url, "POST", "/api/v1/session", &headers, body.as_bytes()).unwrap()
}

fn add(hub: &Hub, name: &str, role: &str) {
    let user = json!({"name": name, "password": PASSWORD, "role": role}).to_string();
    let answer = hub.ask("POST", "/api/v1/users", &user);
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[test]
fn every_role_may_what_it_may_and_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let roles = ["viewer", "operator", "admin"];
    for role in roles {
        add(&hub, role, role);
    }
    let people = roles.map(|role| Browser::sign_in(&hub, role, PASSWORD));
    let user = json!({"name": "ann", "password": PASSWORD, "role": "viewer"});
    let nothing = Value::Null;
    for (method, path, body, least) in [
        ("GET", "session", &nothing, 0),
        ("GET", "sessions", &nothing, 0),
        ("GET", "search", &nothing, 0),
        ("GET", "histogram", &nothing, 0),
        ("GET", "top?field=source.ip", &nothing, 0),
        ("GET", "alerts", &nothing, 0),
        ("GET", "heartbeats", &nothing, 0),
        ("GET", "blackouts", &nothing, 0),
        ("GET", "exceptions", &nothing, 0),
        ("GET", "rules", &nothing, 0),
        ("GET", "hosts", &nothing, 0),
        ("GET", "status", &nothing, 0),
        ("GET", "health", &nothing, 0),
        ("GET", "outputs", &nothing, 0),
        ("GET", "notify", &nothing, 0),
        ("POST", "alerts/none/ack", &nothing, 1),
        ("POST", "alerts/none/note", &json!({"text": "x"}), 1),
        ("POST", "blackouts", &json!({"environment": "Production", "duration": 60}), 1),
        ("DELETE", "blackouts/none", &nothing, 1),
        ("POST", "heartbeats", &json!({"origin": "cron"}), 1),
        ("DELETE", "heartbeats/none", &nothing, 1),
        ("DELETE", "exceptions/none", &nothing, 1),
        ("DELETE", "hosts/none", &nothing, 1),
        ("GET", "notify/dead", &nothing, 1),
        ("POST", "notify/none/test", &nothing, 1),
        ("POST", "rules/reload", &nothing, 2),
        ("POST", "chains/reload", &nothing, 2),
        ("GET", "tokens", &nothing, 2),
        ("POST", "tokens", &json!({"kind": "agent", "name": "web"}), 2),
        ("POST", "tokens/999/rotate", &nothing, 2),
        ("DELETE", "tokens/999", &nothing, 2),
        ("GET", "users", &nothing, 2),
        ("POST", "users", &user, 2),
        ("PATCH", "users/ann", &json!({"text": "x"}), 2),
        ("DELETE", "users/ann", &nothing, 2),
        ("GET", "audit", &nothing, 2),
        ("GET", "settings", &nothing, 2),
    ] {
        let stranger = request(&hub.url, method, &format!("/api/v1/{path}"), &[], b"").unwrap();
        assert_eq!(stranger.status, 401, "{method} {path}");
        for (rank, person) in people.iter().enumerate() {
            let answer = person.ask(method, path, body);
            let is_refused = answer.status == 403;
            assert_eq!(is_refused, rank < least, "{method} {path} as {}", roles[rank]);
            assert!(answer.status != 401, "{method} {path}: {}", answer.text());
            if is_refused {
                assert!(answer.error().contains("this needs the role"), "{}", answer.text());
            }
        }
    }
}

#[test]
fn a_session_begins_and_ends_and_nobody_forges_a_request() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    add(&hub, "ann", "operator");
    add(&hub, "root", "admin");
    let nothing = Value::Null;
    for (name, password) in [("ann", "wrong"), ("nobody", PASSWORD)] {
        let refused = sign_in(&hub, name, password);
        assert_eq!((refused.status, refused.error().as_str()), (401, "wrong name or password"));
    }
    let ann = Browser::sign_in(&hub, "ann", PASSWORD);
    let who = ann.ask("GET", "session", &nothing).json();
    assert_eq!(who["user"], json!({"name": "ann", "role": "operator", "customers": []}));
    assert_eq!(who["csrf"], ann.csrf.as_str());

    let blackout = json!({"environment": "Production", "duration": 60});
    let post = |headers: &[(&str, &str)]| ann.ask_with("POST", "blackouts", &blackout, headers);
    let other = Browser::sign_in(&hub, "root", PASSWORD);
    for headers in [
        &[][..],
        &[("X-CSRF-Token", "")],
        &[("X-CSRF-Token", other.csrf.as_str())],
        &[("X-CSRF-Token", ann.csrf.as_str()), ("Sec-Fetch-Site", "cross-site")],
        &[("X-CSRF-Token", ann.csrf.as_str()), ("Sec-Fetch-Site", "same-site")],
        &[("X-CSRF-Token", ann.csrf.as_str()), ("Origin", "https://evil.example")],
        &[("X-CSRF-Token", ann.csrf.as_str()), ("Origin", "null")],
    ] {
        assert_eq!(post(headers).status, 403, "{headers:?}");
    }
    assert_eq!(hub.get("/api/v1/blackouts"), json!([]));
    let own = [("X-CSRF-Token", ann.csrf.as_str()), ("Origin", hub.url.as_str())];
    assert_eq!(post(&own).status, 201);

    // A new password ends what was there, and brings a new session.
    let elsewhere = Browser::sign_in(&hub, "ann", PASSWORD);
    let change = |old: &str, new: &str| {
        ann.ask("POST", "session/password", &json!({"old": old, "new": new}))
    };
    assert_eq!(change("wrong", "another long one").status, 403);
    assert_eq!(change(PASSWORD, "short").status, 400);
    let changed = change(PASSWORD, "another long one");
    assert_eq!(changed.status, 200, "{}", changed.text());
    let again = Browser::of(&hub, &changed);
    for (over, expected) in [(&ann, 401), (&elsewhere, 401), (&again, 200)] {
        assert_eq!(over.status("GET", "session", &nothing), expected);
    }

    // So does what an administrator changes.
    let rename = |body: Value| hub.ask("PATCH", "/api/v1/users/ann", &body.to_string());
    assert_eq!(rename(json!({"text": "on call"})).status, 200);
    assert_eq!(again.status("GET", "session", &nothing), 200, "that gives nobody other rights");
    assert_eq!(rename(json!({"role": "viewer"})).status, 200);
    assert_eq!(again.status("GET", "session", &nothing), 401);
    let ann = Browser::sign_in(&hub, "ann", "another long one");
    assert_eq!(ann.status("DELETE", "session", &nothing), 204);
    assert_eq!(ann.status("GET", "session", &nothing), 401);
    let ann = Browser::sign_in(&hub, "ann", "another long one");
    assert_eq!(hub.ask("DELETE", "/api/v1/users/ann", "").status, 204);
    assert_eq!(ann.status("GET", "session", &nothing), 401);

    // The last administrator stays, and nobody deletes themselves.
    assert_eq!(hub.ask("DELETE", "/api/v1/users/root", "").status, 409);
    assert_eq!(other.status("DELETE", "users/root", &nothing), 409);
}

#[test]
fn a_stream_ends_with_its_session() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    add(&hub, "ann", "viewer");
    let ann = Browser::sign_in(&hub, "ann", PASSWORD);
    let mut stream = connect(&hub.url).unwrap();
    let head =
        format!("GET /api/v1/stream HTTP/1.1\r\nHost: hub\r\nCookie: {}\r\n\r\n", ann.cookie);
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    assert_eq!(read_head(&mut reader).unwrap().0, 200);
    let mut until = |wanted: &str| {
        let mut line = String::new();
        while !line.contains(wanted) {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0, "it ended before {wanted}");
        }
    };
    until("event: ready");
    assert_eq!(ann.status("DELETE", "session", &Value::Null), 204);
    until("your session is over");
}

#[test]
fn the_first_administrator_is_made_once() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let stranger = request(&hub.url, "GET", "/api/v1/session", &[], b"").unwrap();
    assert_eq!((stranger.status, stranger.json()["setup"].clone()), (401, json!(true)));
    let out = hub.process.out();
    let link = out.lines().find_map(|line| line.trim().strip_prefix("first start")).unwrap();
    let link = link.trim().split(' ').next().unwrap();
    assert!(link.starts_with(&format!("{}/ui/setup#", hub.url)), "{link}");
    let secret = link.split_once('#').unwrap().1;
    let set_up = |secret: &str, name: &str, password: &str| {
        let body = json!({"name": name, "password": password}).to_string();
        let bearer = format!("Bearer {secret}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        request(&hub.url, "POST", "/api/v1/setup", &headers, body.as_bytes()).unwrap()
    };
    assert_eq!(set_up("wrong", "ada", PASSWORD).status, 401);
    assert_eq!(set_up(secret, "ada", "password123").status, 400);
    let made = set_up(secret, "ada", PASSWORD);
    assert_eq!(made.status, 201, "{}", made.text());
    let ada = Browser::of(&hub, &made);
    assert_eq!(ada.ask("GET", "session", &Value::Null).json()["user"]["role"], "admin");
    for secret in [secret, &hub.key()] {
        assert_eq!(set_up(secret, "eve", PASSWORD).status, 409);
    }
    let stranger = request(&hub.url, "GET", "/api/v1/session", &[], b"").unwrap();
    assert_eq!((stranger.status, stranger.json()["setup"].clone()), (401, Value::Null));
    // The same person uses Alerta's clients.
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let headers = [("Content-Type", "application/json")];
    let login = request(&hub.url, "POST", "/api/auth/login", &headers, body.as_bytes()).unwrap();
    assert!(login.json()["token"].is_string(), "{}", login.text());
    let cookie = ada.cookie;
    hub.interrupt();
    let hub = Hub::start(directory.path());
    assert!(!hub.process.out().contains("first start"));
    assert_eq!(
        request(&hub.url, "GET", "/api/v1/session", &[("Cookie", &cookie)], b"").unwrap().status,
        200,
        "a session lasts over a restart"
    );
}

#[test]
fn people_of_some_customers_see_and_change_only_theirs() {
    let directory = tempfile::tempdir().unwrap();
    let settings = directory.path().join("alerta.json");
    let wanted = json!({"AUTH_REQUIRED": true, "CUSTOMER_VIEWS": true});
    std::fs::write(&settings, wanted.to_string()).unwrap();
    let data = directory.path().join("data");
    let mut command = Hub::command(&data);
    command.arg("--alerta-config").arg(&settings);
    let hub = Hub::run(command, &data);
    let nobodys = json!({"name": "ann", "password": PASSWORD, "role": "operator"}).to_string();
    assert_eq!(hub.ask("POST", "/api/v1/users", &nobodys).status, 400, "it does not say whose");
    let user =
        json!({"name": "ann", "password": PASSWORD, "role": "operator", "customers": ["Foo"]});
    assert_eq!(hub.ask("POST", "/api/v1/users", &user.to_string()).status, 201);
    let ids = ["Foo", "Bar"].map(|customer| {
        let alert = json!({
            "resource": customer, "event": "Down", "environment": "Production",
            "service": ["web"], "severity": "major", "customer": customer,
        });
        let answer = hub.ask("POST", "/api/alert", &alert.to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    });
    let [own, foreign] = &ids;
    let ann = Browser::sign_in(&hub, "ann", PASSWORD);
    let nothing = Value::Null;
    let alerts = ann.ask("GET", "alerts", &nothing).json();
    let seen: Vec<_> = alerts["alerts"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(seen, [own]);
    for (method, path, status) in [
        ("GET", format!("alerts/{own}"), 200),
        ("GET", format!("alerts/{foreign}"), 404),
        ("GET", format!("alerts/{foreign}/similar"), 404),
        ("POST", format!("alerts/{own}/ack"), 200),
        ("POST", format!("alerts/{foreign}/ack"), 404),
        ("GET", "search".to_owned(), 403),
        ("GET", "tail".to_owned(), 403),
        ("GET", "report".to_owned(), 403),
        ("GET", "hosts".to_owned(), 403),
        ("GET", "stream?kind=findings".to_owned(), 403),
        ("GET", "exceptions".to_owned(), 403),
    ] {
        let answer = ann.ask(method, &path, &nothing);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
    let blackout = |customer: Value| json!({"environment": "Production", "duration": 60, "customer": customer});
    assert_eq!(ann.status("POST", "blackouts", &blackout(json!("Bar"))), 403);
    let made = ann.ask("POST", "blackouts", &blackout(Value::Null));
    assert_eq!(made.json()["customer"], "Foo", "{}", made.text());
    let everyones = hub.ask("POST", "/api/v1/blackouts", &blackout(Value::Null).to_string()).json();
    let listed = ann.ask("GET", "blackouts", &nothing).json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let path = format!("blackouts/{}", everyones["id"].as_str().unwrap());
    assert_eq!(ann.status("DELETE", &path, &nothing), 404);
}

#[test]
fn the_trail_tells_who_changed_what_and_that_nobody_changed_it() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    add(&hub, "ann", "operator");
    hub.ask("PATCH", "/api/v1/users/ann", &json!({"role": "admin"}).to_string());
    let ann = Browser::sign_in(&hub, "ann", PASSWORD);
    let made = ann.ask("POST", "tokens", &json!({"kind": "agent", "name": "web"})).json();
    let (id, secret) = (&made["id"], made["secret"].as_str().unwrap().to_owned());
    let rotated = ann.ask("POST", &format!("tokens/{id}/rotate"), &Value::Null);
    assert_eq!((rotated.status, rotated.json()["name"].clone()), (201, json!("web")));
    let answer = ann.ask("GET", "audit?limit=10", &Value::Null);
    let trail = answer.json();
    assert_eq!((trail["verified"].clone(), trail["broken"].clone()), (json!(true), Value::Null));
    let entries = trail["entries"].as_array().unwrap();
    let said: Vec<_> = entries
        .iter()
        .map(|entry| (entry["who"].as_str().unwrap(), entry["action"].as_str().unwrap()))
        .collect();
    let expected = [
        ("ann", "token.rotate"),
        ("ann", "token.create"),
        ("ann", "session.start"),
        ("admin", "user.change"),
        ("admin", "user.create"),
    ];
    assert_eq!(said, expected);
    assert_eq!(entries[3]["before"], json!({"role": "operator", "roles": ["operator"]}));
    assert_eq!(entries[3]["after"], json!({"role": "admin", "roles": ["admin"]}));
    for hidden in ["argon2", PASSWORD, &secret, &hub.key()] {
        assert!(!answer.text().contains(hidden), "{hidden}");
    }
    let verified = run_with(hub.client(&["audit", "--verify"]), b"");
    assert!(verified.out.contains("all 5 entries"), "{}{}", verified.out, verified.err);

    // A hub that does not run is looked at in its data directory.
    let data = hub.data.clone();
    hub.interrupt();
    let offline = |arguments: &[&str], input: &str| {
        let mut command = bergfried(arguments);
        command.env("BERGFRIED_DATA_DIR", &data);
        run_with(command, input.as_bytes())
    };
    let added = offline(&["users", "add", "bob", "--role", "viewer"], "a good long one\n");
    assert!(added.out.contains("made: bob, viewer"), "{}{}", added.out, added.err);
    assert!(offline(&["users", "list"], "").out.contains("bob"));
    assert!(offline(&["users", "delete", "bob"], "").out.contains("deleted: bob"));
    let shown = offline(&["audit", "--limit", "1"], "");
    assert!(shown.out.contains("user.delete"), "{}", shown.out);
    let raw = rusqlite::Connection::open(data.join("control.sqlite")).unwrap();
    let tampering = "DROP TRIGGER audit_is_never_changed; \
                     UPDATE audit SET who = 'eve' WHERE id = 2;";
    raw.execute_batch(tampering).unwrap();
    drop(raw);
    let broken = offline(&["audit", "--verify"], "");
    assert!(broken.out.contains("broken: entry 2"), "{}{}", broken.out, broken.err);
}
