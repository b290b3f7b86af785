//! What Alerta's web console asks, from a real browser and another origin than the hub's.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use super::Api;
use crate::support::chromium::Chromium;
use crate::support::hub::Hub;

const PAGE: &str = include_str!("webui.html");
const MARKUP: &str = "<img src=x onerror=window.owned=1>";

/// Serves the page to whoever asks, until the test ends.
fn serve(listener: TcpListener, page: String) {
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let mut piece = [0; 4096];
            // One read holds the whole request of a browser; what it asks for does not matter.
            let Ok(1..) = stream.read(&mut piece) else { continue };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                page.len()
            );
            let _gone = stream.write_all(format!("{head}{page}").as_bytes());
        }
    });
}

#[test]
fn the_web_console_works_from_another_origin() {
    let directory = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let settings = directory.path().join("alerta.json");
    let config = json!({"AUTH_REQUIRED": true, "CORS_ORIGINS": [origin.clone()]});
    std::fs::write(&settings, config.to_string()).unwrap();
    let data = directory.path().join("data");
    let mut command = Hub::command(&data);
    command.arg("--alerta-config").arg(settings);
    let hub = Hub::run(command, &data);
    let api = Api::of(&hub);
    let ada = json!({
        "name": "Ada", "email": "ada@example.com", "password": "correct horse", "roles": ["admin"],
    });
    assert_eq!(api.ask("POST", "/user", Some(ada)).status, 201);
    for (resource, severity) in [("web1", "major"), ("web2", "critical")] {
        api.send(json!({
            "resource": resource, "event": "Down", "environment": "Production", "group": "Network",
            "severity": severity, "service": ["Web"], "tags": ["dc1"], "origin": "test/probe",
            "attributes": {"region": "EU"},
        }));
    }
    api.send(json!({
        "resource": "<img>", "event": "Log", "environment": "Development", "severity": "ok",
        "service": ["Mail"], "text": MARKUP, "attributes": {
            "link": format!("http://example.com/{MARKUP}"), "user": MARKUP,
        },
    }));
    let heartbeat = json!({"origin": "cron/web1", "tags": [], "timeout": 600});
    assert_eq!(api.ask("POST", "/heartbeat", Some(heartbeat)).status, 201);

    serve(listener, PAGE.replace("ENDPOINT", &format!("{}/api", hub.url)));
    let Some(mut page) = Chromium::open(&origin, directory.path()) else {
        eprintln!("skipped: there is no Chromium");
        return;
    };
    page.wait("typeof window.seen === 'string'");
    let seen = page.evaluate("window.seen");
    let seen: Value = serde_json::from_str(seen.as_str().unwrap()).unwrap();
    assert_eq!(seen["error"], Value::Null, "{seen:#}");
    for (name, expected) in [
        (
            "config",
            json!([
                true,
                "basic",
                true,
                "string",
                ["severity", "lastReceiveTime"],
                ["open", "ack"],
                1,
                "red",
                "ALERTA",
                7200,
                3600,
                true
            ]),
        ),
        ("claims", json!(["ada@example.com", true, "basic"])),
        (
            "preferences",
            json!([
                {
                    "prefs": {"isDark": false, "rowsPerPage": 20},
                    "queries": [{"text": "mine", "q": "web"}],
                },
                ["queries"],
            ]),
        ),
        ("list", json!([2, 20, ["web2", "web1"], true])),
        ("since", json!(2)),
        ("environments", json!([["Development", 0], ["Production", 2]])),
        ("services", json!(["Mail", "Web"])),
        ("groups", json!(["Misc", "Network"])),
        ("tags", json!(["dc1"])),
        ("clicks", json!([2, 2, 2, 2, 2, 2, 1, 2])),
        ("counts", json!(0)),
        ("reports", json!([1, 0, 1])),
        (
            "actions",
            json!(["ack", "open", "ack", "open", "shelved", "open", "open", "closed", "open"]),
        ),
        ("watched", json!([true, ["dc1"]])),
        ("notes", json!([["I looked", "ada@example.com"]])),
        ("users", json!(["ada@example.com"])),
        ("shown", json!([0, format!("{MARKUP}127.0.0.1http://example.com/{MARKUP}{MARKUP}")])),
        ("blackouts", json!([["Down", ["Web"], "pending", 2 * 3600, "ada@example.com"]])),
        ("heartbeats", json!([["cron/web1", "ok", "number", 2000]])),
        ("people", json!(["Bob B", "active", ["user"], true, "night shift", 2])),
        ("group", json!([[["Nights", 1]], ["Nights"], ["bob"]])),
        (
            "permissions",
            json!([
                ["admin", ["admin", "read", "write"]],
                ["user", ["read", "write"]],
                ["guest", ["read:alerts"]],
                ["night", ["read"]],
            ]),
        ),
        ("scopes", json!(true)),
        ("customers", json!(["Other"])),
        ("keys", json!(["string", "changed", ["read", "write:alerts"], 0])),
        ("about", json!([true, true, "number", "OK"])),
        ("deleted", json!("ok")),
        ("logout", json!("ok")),
    ] {
        assert_eq!(seen[name], expected, "{name}: {seen:#}");
    }
    assert_eq!(page.evaluate("typeof window.owned"), "undefined");
    assert_eq!(page.complaints, Vec::<Value>::new());

    // Programs read what was sent, letter by letter.
    let alert = &api.get("/alerts?event=Log")["alerts"][0];
    assert_eq!((&alert["text"], &alert["attributes"]["user"]), (&json!(MARKUP), &json!(MARKUP)));
}
