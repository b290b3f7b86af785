//! OpenTelemetry's protocol for logs: the SDK itself, and requests as other exporters make them.

use serde_json::{Value, json};

use crate::support::http::{Answer, request};
use crate::support::hub::Hub;
use crate::support::python::{client, run_client};

fn send(hub: &Hub, kind: &str, body: &[u8]) -> Answer {
    let bearer = format!("Bearer {}", hub.agent_token());
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", kind)];
    request(&hub.url, "POST", "/v1/logs", &headers, body).unwrap()
}

#[test]
fn the_sdk_sends_plain_and_compressed() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    for compress in ["no", "yes"] {
        let Some(mut sdk) = client(&hub, "opentelemetry", "opentelemetry_client.py") else {
            return;
        };
        sdk.env("COUNT", "1000").env("COMPRESS", compress);
        assert_eq!(run_client(sdk), json!({"flushed": true, "problems": []}), "{compress}");
    }
    assert_eq!(hub.stored(), 2_000);
    let found = hub.search("number:999 service.name:shop user:bob");
    assert_eq!(found.len(), 2);
    for (name, value) in [
        ("message", json!("record 999 of the SDK")),
        ("host.name", json!("web")),
        ("log.level", json!("warn")),
        ("log.logger", json!("shop.login")),
        ("error.type", json!("Failure")),
        ("service.node.name", json!("shop-1")),
        ("input.name", json!("otlp")),
        ("observer.ip", json!("127.0.0.1")),
    ] {
        assert_eq!(found[0][name], value, "{name}: {}", found[0]);
    }
}

#[test]
fn the_sdk_survives_a_limit() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let new = json!({"kind": "agent", "name": "lab", "limits": {"max_events_per_second": 150}});
    let token = hub.ask("POST", "/api/v1/tokens", &new.to_string()).json()["secret"].clone();
    let Some(mut sdk) = client(&hub, "opentelemetry", "opentelemetry_client.py") else { return };
    sdk.env("COUNT", "600").env("BERGFRIED_TOKEN", token.as_str().unwrap());
    let seen = run_client(sdk);
    let limited = hub.get("/api/v1/tokens")[0]["sent"]["limited"].as_u64().unwrap();
    assert!(limited >= 1, "{seen}");
    assert_eq!(hub.stored(), 600, "{seen}");
}

#[test]
fn json_is_answered_in_json_and_protobuf_in_protobuf() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let records = |messages: &[&str]| {
        let records: Vec<Value> = messages
            .iter()
            .map(|message| json!({"timeUnixNano": "1772362800000000000", "body": {"stringValue": message}}))
            .collect();
        json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).to_string()
    };
    let answer = send(&hub, "application/json", records(&["one", "two"]).as_bytes());
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let long = "x".repeat(1 << 20);
    let answer = send(&hub, "application/json", records(&["three", &long]).as_bytes());
    assert_eq!(answer.json()["partialSuccess"]["rejectedLogRecords"], "1", "{}", answer.text());
    assert_eq!(hub.stored(), 3);
    // The same again, over another connection: an exporter that saw no answer.
    assert_eq!(send(&hub, "application/json", records(&["one", "two"]).as_bytes()).status, 200);
    assert_eq!(hub.stored(), 3);

    let answer = send(&hub, "application/x-protobuf", b"");
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b""[..]));
    assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
    let answer = send(&hub, "application/x-protobuf", b"\x0a\x05no");
    assert_eq!(answer.status, 400);
    // google.rpc.Status: code 3 in field 1, the message in field 2.
    assert_eq!(answer.body[..3], [0x08, 3, 0x12], "{:?}", answer.body);
    for (kind, body, status, code) in [
        ("application/json", "{", 400, 3),
        ("application/json", r#"{"resourceLogs":7}"#, 400, 3),
        ("text/plain", "x", 415, 3),
    ] {
        let answer = send(&hub, kind, body.as_bytes());
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(answer.json()["code"], code, "{}", answer.text());
    }
    let heavy = [b"\x0a\x80\x80\x80\x01\x12".as_slice(), &[b'\x80', b'\x80', 0x80, 1]].concat();
    assert_eq!(send(&hub, "application/x-protobuf", &heavy).status, 400);
    let stranger = [("Content-Type", "application/json")];
    let answer = request(&hub.url, "POST", "/v1/logs", &stranger, b"{}").unwrap();
    assert_eq!((answer.status, &answer.json()["code"]), (401, &json!(16)));
    assert_eq!(hub.stored(), 3);
}
