//! The Watchtower protocol, as its agents and their administrators use it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

use crate::support::http::{Answer, escaped, request};
use crate::support::hub::Hub;
use crate::support::lines::{accepted, ago, append, failed, write_lines};
use crate::support::process::{Process, bergfried, run_with};
use crate::support::receiver::{Mood, Receiver};
use crate::support::{wait_for, wait_until};

const KEY: &str = "key-of-the-administrator";
const TOKEN: &str = "token-of-the-agents";

fn collector(data: &Path) -> Hub {
    let mut command = Hub::command(data);
    command.env("ADMIN_API_KEY", KEY).env("WATCHTOWER_AGENT_TOKEN", TOKEN);
    Hub::run(command, data)
}

fn login_with(hub: &Hub, token: Option<&str>, body: &str) -> Answer {
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(token.map(|token| ("X-Login-Alert-Token", token)));
    request(&hub.url, "POST", "/login", &headers, body.as_bytes()).unwrap()
}

fn login(hub: &Hub, document: &Value) -> Answer {
    login_with(hub, Some(TOKEN), &document.to_string())
}

fn events(hub: &Hub, query: &str) -> Answer {
    let path = format!("/events{query}");
    request(&hub.url, "GET", &path, &[("X-Admin-Api-Key", KEY)], b"").unwrap()
}

fn rotate(hub: &Hub) -> Answer {
    let headers = [("X-Admin-Api-Key", KEY)];
    request(&hub.url, "POST", "/admin/rotate-token", &headers, b"").unwrap()
}

fn document(user: &str, host: &str) -> Value {
    json!({
        "type": "user_login", "timestamp": "2026-03-01T11:00:00.5+01:00", "hostname": host,
        "user": user, "method": "publickey", "source_ip": "203.0.113.7", "source_port": "40022",
        "raw_message": format!("Accepted publickey for {user} from 203.0.113.7 port 40022 ssh2"),
    })
}

/// The document with further keys, or others in place of its own; null removes one.
fn with(mut document: Value, changes: Value) -> Value {
    let map: &mut Map<String, Value> = document.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => map.remove(key),
            value => map.insert(key.clone(), value.clone()),
        };
    }
    document
}

#[test]
fn a_login_needs_the_token_and_every_field() {
    let directory = tempfile::tempdir().unwrap();
    let hub = collector(directory.path());
    let good = document("bob", "web").to_string();
    for token in [None, Some(""), Some("wrong"), Some(KEY)] {
        let answer = login_with(&hub, token, &good);
        assert_eq!((answer.status, answer.json()), (401, json!({"detail": "Invalid token"})));
    }
    let without = |key: &str| with(document("bob", "web"), json!({key: null}));
    for key in ["type", "timestamp", "hostname", "user", "method", "source_ip", "source_port"] {
        let answer = login(&hub, &without(key));
        assert_eq!(answer.status, 422);
        let mistake = &answer.json()["detail"][0];
        assert_eq!(mistake["type"], "missing");
        assert_eq!(mistake["loc"], json!(["body", key]));
        assert_eq!(mistake["msg"], "Field required");
        assert_eq!(mistake["input"], without(key));
    }
    for (changes, kind, key) in [
        (json!({"source_port": 40022}), "string_type", "source_port"),
        (json!({"user": ["bob"]}), "string_type", "user"),
        (json!({"raw_message": 7}), "string_type", "raw_message"),
        (json!({"flagged": "perhaps"}), "bool_parsing", "flagged"),
    ] {
        let given = changes[key].clone();
        let answer = login(&hub, &with(document("bob", "web"), changes));
        assert_eq!(answer.status, 422);
        let detail = answer.json()["detail"].clone();
        assert_eq!(detail.as_array().unwrap().len(), 1, "{detail}");
        assert_eq!(detail[0]["type"], kind);
        assert_eq!(detail[0]["loc"], json!(["body", key]));
        assert_eq!(detail[0]["input"], given);
    }
    let both = with(document("bob", "web"), json!({"user": null, "method": 1}));
    assert_eq!(login(&hub, &both).json()["detail"].as_array().unwrap().len(), 2);
    for (body, kind) in
        [("", "json_invalid"), ("{\"type\":", "json_invalid"), ("[1]", "model_attributes_type")]
    {
        let answer = login_with(&hub, Some(TOKEN), body);
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.json()["detail"][0]["type"], kind, "{body}");
        assert_eq!(answer.json()["detail"][0]["loc"][0], "body", "{body}");
        let place = &answer.json()["detail"][0]["loc"][1];
        assert_eq!(place.is_u64(), kind == "json_invalid", "{body}: {place}");
    }
    let large = with(document("bob", "web"), json!({"raw_message": "x".repeat(1 << 20)}));
    let answer = login(&hub, &large);
    assert_eq!(answer.status, 413);
    assert!(answer.json()["detail"].is_string(), "{}", answer.text());

    assert_eq!(hub.stored(), 0, "what was refused is not stored");
    let answer = login_with(&hub, Some(TOKEN), &good);
    assert_eq!(answer.status, 201);
    let id = answer.json()["id"].as_u64().unwrap();
    assert_eq!(answer.json(), json!({"status": "ok", "id": id}));
    let next = login(&hub, &document("carol", "web")).json()["id"].as_u64().unwrap();
    assert!(next > id);
}

#[test]
fn each_login_is_told_where_a_webhook_is_set() {
    let directory = tempfile::tempdir().unwrap();
    let slack = Receiver::start(Mood::Take);
    let mut command = Hub::command(directory.path());
    command.env("WATCHTOWER_AGENT_TOKEN", TOKEN).env("WATCHTOWER_WEBHOOK_URL", &slack.url);
    let hub = Hub::run(command, directory.path());
    for (number, user) in ["bob", "carol", "bob"].into_iter().enumerate() {
        let port = format!("4002{number}");
        let login_of = with(document(user, "web"), json!({"source_port": port}));
        // The second time it is a repeat of the same login, and nobody is told again.
        assert_eq!(login(&hub, &login_of).status, 201);
        assert_eq!(login(&hub, &login_of).status, 201);
        let got = slack.wait(number + 1);
        assert_eq!(got.len(), number + 1);
        let message = got[number].json.to_string();
        let line = format!("{user} from 203.0.113.7:{port} by publickey at 2026-03-01T11:00:00.5");
        assert!(message.contains(&line), "{message}");
        assert!(!message.contains("/alerts/"), "a login is no alert to link to: {message}");
    }
    assert_eq!(hub.alerts().len(), 0, "a login alone is no alert");
}

#[test]
fn logins_are_listed_as_documented() {
    let directory = tempfile::tempdir().unwrap();
    let hub = collector(directory.path());
    let bare = json!({"raw_message": null});
    for (user, host, changes) in [
        ("alice", "web", json!({"region": "eu", "host_group": "front", "severity": "info"})),
        ("bob", "web", json!({"region": "us", "flagged": true, "severity": "warning"})),
        ("bob", "db", json!({"flagged": false, "timestamp": "any text at all"})),
        ("carol", "db", bare),
    ] {
        assert_eq!(login(&hub, &with(document(user, host), changes)).status, 201);
    }
    let all = events(&hub, "");
    assert_eq!(all.status, 200);
    let all = all.json();
    let users: Vec<&str> =
        all.as_array().unwrap().iter().map(|login| login["user"].as_str().unwrap()).collect();
    assert_eq!(users, ["carol", "bob", "bob", "alice"], "newest first");
    for login in all.as_array().unwrap() {
        let created: jiff::Timestamp = login["created_at"].as_str().unwrap().parse().unwrap();
        assert!(jiff::Timestamp::now().duration_since(created).as_secs() < 60);
    }
    let alice = &all[3];
    let expected = json!({
        "id": alice["id"], "created_at": alice["created_at"],
        "event_timestamp": "2026-03-01T11:00:00.5+01:00", "hostname": "web", "user": "alice",
        "method": "publickey", "source_ip": "203.0.113.7", "source_port": "40022",
        "raw_message": "Accepted publickey for alice from 203.0.113.7 port 40022 ssh2",
        "region": "eu", "host_group": "front", "severity": "info", "flagged": false,
    });
    assert_eq!(alice, &expected);
    assert!(alice["id"].is_u64());
    assert_eq!((&all[2]["flagged"], &all[2]["host_group"]), (&json!(true), &Value::Null));
    assert_eq!(all[1]["event_timestamp"], "any text at all");
    assert_eq!((&all[0]["raw_message"], &all[0]["region"]), (&json!(""), &Value::Null));

    for (query, found) in [
        ("?user=bob", vec!["bob", "bob"]),
        ("?user=bo", vec![]),
        ("?user=BOB", vec![]),
        ("?user=%2A", vec![]),
        ("?hostname=db", vec!["carol", "bob"]),
        ("?region=eu", vec!["alice"]),
        ("?host_group=front", vec!["alice"]),
        ("?severity=warning", vec!["bob"]),
        ("?flagged=true", vec!["bob"]),
        ("?flagged=false", vec!["carol", "bob", "alice"]),
        ("?user=bob&hostname=web&flagged=1", vec!["bob"]),
        ("?limit=1", vec!["carol"]),
        ("?hours=1&limit=1000", vec!["carol", "bob", "bob", "alice"]),
        ("?hours=168", vec!["carol", "bob", "bob", "alice"]),
    ] {
        let listed = events(&hub, query).json();
        let users: Vec<&str> = listed
            .as_array()
            .unwrap_or_else(|| panic!("{query}: {listed}"))
            .iter()
            .map(|login| login["user"].as_str().unwrap())
            .collect();
        assert_eq!(users, found, "{query}");
    }
    for (query, key) in [
        ("?hours=0", "hours"),
        ("?hours=169", "hours"),
        ("?hours=soon", "hours"),
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
        ("?flagged=perhaps", "flagged"),
    ] {
        let answer = events(&hub, query);
        assert_eq!(answer.status, 422, "{query}");
        assert_eq!(answer.json()["detail"][0]["loc"], json!(["query", key]), "{query}");
    }
    for key in ["", "wrong", TOKEN] {
        let answer = request(&hub.url, "GET", "/events", &[("X-Admin-Api-Key", key)], b"").unwrap();
        assert_eq!((answer.status, answer.json()), (401, json!({"detail": "Invalid admin key"})));
    }
    // Lines that came another way are no logins of Watchtower.
    assert_eq!(hub.send("1", "web", &[accepted(&ago(1), "web", "dan", "203.0.113.9")]).status, 200);
    assert_eq!(events(&hub, "").json().as_array().unwrap().len(), 4);
    // But both are found by a search.
    assert_eq!(
        hub.get("/api/v1/search?last=365d&q=event.action%3Assh_login")["events"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
}

#[test]
fn repeats_are_one_login_also_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let hub = collector(directory.path());
    let first = login(&hub, &document("bob", "web")).json();
    for _ in 0..3 {
        let again = login(&hub, &document("bob", "web"));
        assert_eq!((again.status, again.json()), (201, first.clone()));
    }
    hub.kill();
    let hub = collector(directory.path());
    assert_eq!(login(&hub, &document("bob", "web")).json(), first);
    for changes in [
        json!({"timestamp": "2026-03-01T11:00:01+01:00"}),
        json!({"source_port": "40023"}),
        json!({"hostname": "db"}),
    ] {
        assert_ne!(login(&hub, &with(document("bob", "web"), changes)).json(), first);
    }
    assert_eq!(events(&hub, "").json().as_array().unwrap().len(), 4);
}

#[test]
fn a_rotated_token_is_dead_at_once_and_for_ever() {
    let directory = tempfile::tempdir().unwrap();
    let hub = collector(directory.path());
    let body = document("bob", "web").to_string();
    assert_eq!(login_with(&hub, Some(TOKEN), &body).status, 201);
    let refused = request(&hub.url, "POST", "/admin/rotate-token", &[], b"").unwrap();
    assert_eq!((refused.status, refused.json()), (401, json!({"detail": "Invalid admin key"})));
    let rotated = rotate(&hub);
    assert_eq!(rotated.status, 200);
    let rotated = rotated.json();
    assert_eq!(rotated.as_object().unwrap().len(), 2);
    assert!(rotated["created_at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    let new = rotated["new_token"].as_str().unwrap().to_owned();
    let url_safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    assert!(new.len() == 43 && new.bytes().all(url_safe), "{new}");
    let may = |hub: &Hub, token: &str| login_with(hub, Some(token), &body).status == 201;
    assert!(!may(&hub, TOKEN) && may(&hub, &new));
    let newest = rotate(&hub).json()["new_token"].as_str().unwrap().to_owned();
    let audited = hub.audited("token.rotate");
    let (before, after) = (&audited["before"]["tokens"], &audited["after"]["tokens"]);
    assert_eq!((before.as_array().unwrap().len(), after.as_array().unwrap().len()), (1, 1));
    assert!(before[0]["id"].as_u64() < after[0]["id"].as_u64(), "{audited}");
    assert!(!audited.to_string().contains(&newest), "{audited}");
    assert!(!may(&hub, &new) && may(&hub, &newest));
    hub.kill();
    // Started as before, with the first token still in its environment.
    let hub = collector(directory.path());
    assert!(!may(&hub, TOKEN) && !may(&hub, &new) && may(&hub, &newest));
}

#[test]
fn the_environment_of_a_collector_is_understood() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("var");
    let mut command = bergfried(&["hub", "--listen", "127.0.0.1:0"]);
    command.env("ADMIN_API_KEY", KEY).env("LOGIN_ALERT_TOKEN", TOKEN);
    command.env("WATCHTOWER_DB_PATH", data.join("watchtower.db"));
    let hub = Hub::run(command, &data);
    assert_eq!(login(&hub, &document("bob", "web")).status, 201);
    assert_eq!(events(&hub, "").json().as_array().unwrap().len(), 1);
    assert!(data.join("control.sqlite").exists());
    let health = request(&hub.url, "GET", "/healthz", &[], b"").unwrap();
    assert_eq!((health.status, health.json()), (200, json!({"status": "ok"})));
}

#[test]
fn a_python_agent_works_and_its_logins_meet_the_rules() {
    if !Command::new("python3").arg("--version").output().is_ok_and(|done| done.status.success()) {
        eprintln!("skipped: there is no python3");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    let failures: Vec<String> =
        (0..6).map(|n| failed(&ago(60 - n), "web", "bob", "203.0.113.7")).collect();
    write_lines(&log, &failures);
    let data = directory.path().join("data");
    let mut command = Hub::up_command(&data, &log);
    command.env("ADMIN_API_KEY", KEY).env("WATCHTOWER_AGENT_TOKEN", TOKEN);
    let hub = Hub::run(command, &data);
    wait_until("the failures", || hub.stored() == 6);

    let mut agent = Command::new("python3");
    agent.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients/watchtower_agent.py"));
    agent.env("WATCHTOWER_COLLECTOR_URL", format!("{}/login", hub.url));
    agent.env("WATCHTOWER_TOKEN", TOKEN).env("WATCHTOWER_REGION", "eu");
    agent.env("WATCHTOWER_TEST_HOSTNAME", "web").env("WATCHTOWER_TEST_BACKOFF_SCALE", "0.01");
    let lines = "pam_unix(sshd:session): session opened for user bob(uid=1000) by (uid=0)\n\
                 Accepted password for bob from 203.0.113.7 port 40022 ssh2\n\
                 Failed password for bob from 203.0.113.7 port 40022 ssh2\n\
                 Accepted publickey for anna from 2001:db8::5 port 50022 ssh2: ED25519 SHA256:abc\n";
    let done = run_with(agent, lines.as_bytes());
    assert_eq!(done.code, Some(0), "{}", done.err);
    let tries: Vec<Value> =
        done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(tries.len(), 8, "each of two logins four times: {}", done.out);
    assert!(tries.iter().all(|try_| try_["status"] == 201), "{}", done.out);
    assert!(tries[..4].iter().all(|try_| try_["body"] == tries[0]["body"]), "{}", done.out);

    let listed = events(&hub, "?region=eu").json();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(listed[0]["user"], "anna");
    assert_eq!(listed[0]["source_ip"], "2001:db8::5");
    assert_eq!(listed[1]["method"], "password");
    let alert = wait_for("the alert", || {
        let alerts = hub.alerts();
        alerts.into_iter().find(|alert| alert["severity"] == "critical")
    });
    assert_eq!(alert["event"], "SSH login after many failures from the same source");
    assert_eq!((&alert["resource"], &alert["user"]), (&json!("web"), &json!("bob")));
    assert_eq!(alert["count"], 7, "six failures and one login: {alert}");
}

#[test]
fn our_agent_speaks_it_outward() {
    let directory = tempfile::tempdir().unwrap();
    let hub = collector(&directory.path().join("data"));
    let log = directory.path().join("auth.log");
    let mut command = bergfried(&["agent", "--protocol", "watchtower", "--from", "start"]);
    command.args(["--journald", "off", "--name", "bastion", "--file"]).arg(&log);
    command.arg("--state-dir").arg(directory.path().join("state"));
    command.env("WATCHTOWER_COLLECTOR_URL", format!("{}/login", hub.url));
    command.env("WATCHTOWER_TOKEN", TOKEN).env("WATCHTOWER_HOST_GROUP", "edge");
    command.env("WATCHTOWER_SEVERITY", "high").env("WATCHTOWER_FLAGGED", "true");
    let _agent = Process::spawn(command.stdin(Stdio::null()));
    append(&log, &format!("{}\n", failed(&ago(9), "web", "bob", "203.0.113.7")));
    for user in ["anna", "user with spaces"] {
        append(&log, &format!("{}\n", accepted(&ago(5), "web", user, "203.0.113.7")));
    }
    append(&log, &format!("{} web sudo: anna : TTY=pts/0 ; COMMAND=/bin/ls\n", ago(4)));
    let listed = wait_for("both logins", || {
        let listed = events(&hub, "?host_group=edge&severity=high&flagged=true").json();
        (listed.as_array().unwrap().len() == 2).then_some(listed)
    });
    assert_eq!(listed[0]["user"], "user with spaces");
    assert_eq!((&listed[1]["user"], &listed[1]["source_port"]), (&json!("anna"), &json!("40022")));
    let spaced = events(&hub, &format!("?user={}", escaped("user with spaces"))).json();
    assert_eq!(spaced.as_array().unwrap().len(), 1);
    assert_eq!(hub.stored(), 2, "logins alone are sent");
}
