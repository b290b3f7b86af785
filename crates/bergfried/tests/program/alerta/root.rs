//! The API without a prefix, where it speaks for what is at no path; and its parts for pages and people.

use serde_json::json;

use super::keys;
use crate::support::http::{Answer, request};
use crate::support::hub::Hub;

/// A hub whose root is Alerta's API.
fn start(data: &std::path::Path) -> Hub {
    let mut command = Hub::command(data);
    command.args(["--alerta-prefix", "/"]);
    Hub::run(command, data)
}

fn ask(hub: &Hub, method: &str, path: &str, body: &str) -> Answer {
    let key = format!("Key {}", hub.key());
    let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
    let headers = [("Authorization", key.as_str()), ("Content-Type", kind)];
    request(&hub.url, method, path, &headers, body.as_bytes()).unwrap()
}

#[test]
fn what_is_at_no_path_is_told_in_the_form_of_the_api() {
    let directory = tempfile::tempdir().unwrap();
    let hub = start(directory.path());
    for (method, path, status) in [
        ("GET", "/nonesuch", 404),
        ("POST", "/nonesuch", 404),
        ("GET", "/alert/", 404),
        ("GET", "/alerts/none/such", 404),
        ("PUT", "/group/a/user", 404),
        ("PATCH", "/alerts", 405),
        ("GET", "/api/nonesuch", 404),
    ] {
        let answer = ask(&hub, method, path, "");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        let error = answer.json();
        assert_eq!(keys(&error), ["code", "errors", "message", "requestId", "status"], "{path}");
        assert_eq!(error["requestId"], answer.header("x-request-id").unwrap(), "{path}");
        assert_eq!(error["errors"].as_array().unwrap().len(), 1, "{path}");
    }
    // The hub's own API keeps its form, and clients of other products their paths.
    let native = ask(&hub, "GET", "/api/v1/nonesuch", "");
    assert_eq!((native.status, keys(&native.json())), (404, vec!["error"]));
}

#[test]
fn what_is_switched_off_rests_until_it_is_on_again() {
    let directory = tempfile::tempdir().unwrap();
    let hub = start(directory.path());
    let alert = json!({"resource": "web1", "event": "Down", "environment": "Production"});
    let send = || ask(&hub, "POST", "/alert", &alert.to_string());
    let auto_refresh = |path| ask(&hub, "GET", path, "").json()["autoRefresh"].clone();
    assert_eq!(request(&hub.url, "GET", "/switchboard", &[], b"").unwrap().status, 401);
    let page = ask(&hub, "GET", "/management/switchboard", "");
    assert!(page.status == 200 && page.text().contains("sender-api-allow: ON"), "{}", page.text());
    assert_eq!(send().status, 201);

    let path = "/management/switchboard";
    let turned = ask(&hub, "POST", path, "sender-api-allow=OFF&auto-refresh-allow=OFF");
    assert!(turned.text().contains("sender-api-allow: OFF"), "{}", turned.text());
    let refused = send();
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("60")));
    for path in ["/alerts", "/alerts/count"] {
        assert_eq!(auto_refresh(path), json!(false), "{path}");
    }
    assert_eq!(ask(&hub, "POST", "/heartbeat", r#"{"origin": "cron"}"#).status, 201);
    assert_eq!(ask(&hub, "POST", path, "sender-api-allow=perhaps").status, 400);
    let key = format!("Key {}", hub.key());
    let foreign = [("Authorization", key.as_str()), ("Sec-Fetch-Site", "cross-site")];
    let foreign = request(&hub.url, "POST", path, &foreign, b"sender-api-allow=ON").unwrap();
    assert_eq!(foreign.status, 403);

    assert_eq!(ask(&hub, "POST", "/switchboard", "sender-api-allow=on").status, 200);
    assert_eq!(send().status, 201);
    assert_eq!(auto_refresh("/alerts"), json!(false));
}

#[test]
fn pages_embed_counts_and_browsers_get_brotli() {
    let directory = tempfile::tempdir().unwrap();
    let hub = start(directory.path());
    let script = request(&hub.url, "GET", "/embed.js", &[], b"").unwrap();
    assert!(script.header("content-type").unwrap().starts_with("text/javascript"));
    assert!(script.text().contains("/oembed.json?"), "{}", script.text());
    let key = format!("Key {}", hub.key());
    let encoded = |accept| {
        let headers = [("Authorization", key.as_str()), ("Accept-Encoding", accept)];
        let answer = request(&hub.url, "GET", "/config", &headers, b"").unwrap();
        answer.header("content-encoding").map(str::to_owned)
    };
    assert_eq!(encoded("br").as_deref(), Some("br"));
    assert_eq!(encoded("gzip").as_deref(), Some("gzip"));
    assert_eq!(encoded("identity"), None);
}
