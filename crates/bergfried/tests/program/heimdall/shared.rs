//! Who may, and whose a path is that several products claim.

use super::*;

#[test]
fn every_path_asks_for_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    for (method, path) in [
        ("POST", "/ingest"),
        ("GET", "/metrics"),
        ("GET", "/events?os_type=LINUX"),
        ("GET", "/alert-config"),
        ("POST", "/alert-config/severity-threshold?threshold=3"),
        ("POST", "/alert-config/inactive-threshold?minutes=3"),
        ("POST", "/alert-config/quiet-hours?quiet_hours=22:00-07:00"),
        ("POST", "/alert-config/enable?enabled=true"),
        ("DELETE", "/hosts/web"),
    ] {
        for (key, status, detail) in [
            (None, 401, "Missing API key"),
            (Some(""), 401, "Missing API key"),
            (Some("wrong"), 403, "Invalid API key"),
        ] {
            let answer = ask_with(&hub, key, method, path, "{\"events\":[]}");
            let expected = (status, json!({"detail": detail}));
            assert_eq!((answer.status, answer.json()), expected, "{method} {path} {key:?}");
        }
    }
    let token = hub.agent_token();
    let body = json!({"events": [event(1, "bob", 1)]}).to_string();
    for key in [KEY, ADMIN, &token] {
        assert_eq!(ask_with(&hub, Some(key), "POST", "/ingest", &body).status, 200);
    }
    for key in [KEY, ADMIN] {
        assert_eq!(ask_with(&hub, Some(key), "GET", "/events", "").status, 200);
    }
    let answer = ask_with(&hub, Some(&token), "GET", "/events", "");
    assert_eq!(answer.status, 403, "an agent's token sends, and reads nothing");
    assert_eq!(ask(&hub, "GET", "/ingest", "").status, 405);
    // A key that is revoked is dead at once.
    let tokens = hub.get("/api/v1/tokens");
    let token = tokens.as_array().unwrap().iter().find(|one| one["kind"] == "heimdall").unwrap();
    let revoked = hub.ask("DELETE", &format!("/api/v1/tokens/{}", token["id"]), "");
    assert!(revoked.status < 300, "{}", revoked.text());
    assert_eq!(ask(&hub, "GET", "/events", "").status, 403);
}

#[test]
fn events_are_whose_the_headers_say() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let with_both = [("api-key", KEY), ("X-Admin-Api-Key", ADMIN)];
    for (headers, query, is_heimdalls) in [
        (&with_both[..1], "", true),
        (&with_both[1..], "", false),
        (&with_both[1..], "?os_type=LINUX", false),
        (&with_both[..], "", true),
    ] {
        let answer = request(&hub.url, "GET", &format!("/events{query}"), headers, b"").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json().is_object(), is_heimdalls, "{headers:?}");
    }
    let neither = |hub: &Hub, query: &str| {
        let answer = request(&hub.url, "GET", &format!("/events{query}"), &[], b"").unwrap();
        assert_eq!(answer.status, 401);
        answer.json()["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(neither(&hub, ""), "Missing API key", "a hub with a key for Heimdall alone");
    let new = json!({"kind": "watchtower", "name": "w"}).to_string();
    assert_eq!(hub.ask("POST", "/api/v1/tokens", &new).status, 201);
    assert_eq!(neither(&hub, ""), "Invalid admin key", "a hub with keys for both");
    assert_eq!(neither(&hub, "?os_type=LINUX"), "Missing API key");
    assert_eq!(neither(&hub, "?hours=24"), "Invalid admin key");
}

#[test]
fn the_front_door_is_whose_the_headers_say() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let front = |headers: &[(&str, &str)]| request(&hub.url, "GET", "/", headers, b"").unwrap();
    for headers in [
        &[][..],
        &[("Accept", "*/*"), ("User-Agent", "python-requests/2.32.5")],
        &[("Accept", "application/json")],
        &[("api-key", KEY), ("Accept", "text/html")],
    ] {
        let answer = front(headers);
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("healthy")));
        assert_eq!(answer.json().as_object().unwrap().len(), 3, "{}", answer.text());
    }
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    assert_eq!(front(&[("Accept", browser)]).header("location"), Some("/ui/"));
    let login = format!("ApiKey {}", hub.agent_token());
    let beat =
        [("User-Agent", "Elastic-filebeat/9.2.1 (linux)"), ("Authorization", login.as_str())];
    assert_eq!(front(&beat).json()["tagline"], "You Know, for Search");
    let answer = request(&hub.url, "GET", "/health", &[], b"").unwrap();
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("healthy")));
    assert!(answer.json()["timestamp"].as_str().unwrap().ends_with('Z'));
    assert!(answer.json()["api_version"].is_string());
    assert_eq!(request(&hub.url, "HEAD", "/", &[], b"").unwrap().status, 200);
}
