//! Clients of Elasticsearch: the real ones, and requests as the others make them.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::dice::Dice;
use crate::support::http::{Answer, request};
use crate::support::hub::Hub;
use crate::support::process::{Process, run_with};
use crate::support::python::{client, run_client};
use crate::support::relay::Relay;
use crate::support::wait_until;

fn ask(hub: &Hub, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let bearer = format!("Bearer {}", hub.agent_token());
    let mut all = vec![("Authorization", bearer.as_str())];
    all.extend_from_slice(headers);
    request(&hub.url, method, path, &all, body.as_bytes()).unwrap()
}

const BULK: [(&str, &str); 1] = [("Content-Type", "application/x-ndjson")];

#[test]
fn the_python_client_finds_what_it_asks_for() {
    for (requirements, version) in [("elasticsearch8", "8.19.0"), ("elasticsearch9", "9.1.0")] {
        let directory = tempfile::tempdir().unwrap();
        let hub = Hub::start(directory.path());
        let Some(mut probe) = client(&hub, requirements, "elasticsearch_client.py") else { return };
        probe.arg("probe");
        let seen = run_client(probe);
        let port: u16 = hub.url.rsplit(':').next().unwrap().parse().unwrap();
        assert_eq!(
            seen,
            json!({
                "product": "Elasticsearch", "version": version, "uuid": true, "ping": true,
                "health": "green", "exists": false, "template": false, "license": "active",
                "one": ["created", "plain", 1, 201],
                "again": [409, "version_conflict_engine_exception"],
                "stranger": 401, "api_key": 201, "bare_api_key": 201, "bearer": 201,
                "compressed": 201, "sniffed": [port],
            }),
            "{requirements}"
        );
        assert_eq!(hub.stored(), 6, "{requirements}");
        assert_eq!(hub.search("labels.index:plain message:seven").len(), 1);
    }
}

#[test]
fn the_python_client_ships_documents() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    for compress in ["no", "yes"] {
        let Some(mut bulk) = client(&hub, "elasticsearch8", "elasticsearch_client.py") else {
            return;
        };
        bulk.arg("bulk").env("COUNT", "1200").env("COMPRESS", compress);
        let seen = run_client(bulk);
        assert_eq!((&seen["stored"], &seen["errors"]), (&json!(1_200), &json!([])));
        let first = if compress == "no" {
            json!(["create", 201, null])
        } else {
            // The same id as in the first round.
            json!(["create", 409, "version_conflict_engine_exception"])
        };
        assert_eq!(
            seen["results"],
            json!([
                first,
                ["create", 409, "version_conflict_engine_exception"],
                ["delete", 400, "illegal_argument_exception"],
                ["index", 201, null],
            ])
        );
    }
    assert_eq!(hub.stored(), 2 * 1_200 + 1 + 2);
    let found = hub.search("number:1199 data_stream.dataset:app.access host:web");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["message"], "document 1199 of the client");
    assert_eq!(found[0]["labels.index"], "logs-app.access-default");
    assert_eq!(found[0]["input.name"], "elasticsearch");
}

#[test]
fn the_python_client_loses_nothing_while_the_hub_is_killed() {
    const COUNT: usize = 8_000;
    let directory = tempfile::tempdir().unwrap();
    let relay = Relay::start();
    let mut hub = Hub::start(directory.path());
    relay.lead_to(&hub.url);
    let Some(mut stream) = client(&hub, "elasticsearch8", "elasticsearch_client.py") else {
        return;
    };
    stream.arg("stream").env("COUNT", COUNT.to_string()).env("CHUNK", "100");
    stream.env("BERGFRIED_URL", &relay.url);
    let mut shipping = Process::spawn(&mut stream);
    let ended = AtomicBool::new(false);
    let mut dice = Dice(11);
    let mut kills = 0;
    while !ended.load(Ordering::Acquire) {
        let before = hub.stored();
        wait_until("documents to come", || {
            ended.store(shipping.has_ended(), Ordering::Release);
            hub.stored() > before || ended.load(Ordering::Acquire)
        });
        if ended.load(Ordering::Acquire) || kills == 6 {
            wait_until("the client to end", || shipping.has_ended());
            break;
        }
        thread::sleep(Duration::from_millis(dice.roll(60)));
        hub.kill();
        kills += 1;
        hub = Hub::start(directory.path());
        relay.lead_to(&hub.url);
    }
    let done = shipping.wait();
    assert_eq!(done.code, Some(0), "{}", done.err);
    let seen: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(seen["acknowledged"], COUNT);
    assert!(kills >= 3 && seen["broken"].as_u64().unwrap() > 0, "{kills} kills, {seen}");
    let mut search = hub.client(&["search", "--limit", "100000", "--format", "ndjson", "number:*"]);
    search.args(["--last", "1h"]);
    let found = run_with(search, b"");
    let mut numbers: Vec<u64> = found
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["number"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    let expected: Vec<u64> = (0..COUNT as u64).collect();
    assert!(numbers == expected, "{} of {COUNT}: {}", numbers.len(), found.err);
}

#[test]
fn the_python_client_waits_where_its_token_is_limited() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let new = json!({"kind": "agent", "name": "lab", "limits": {"max_events_per_second": 200}});
    let token = hub.ask("POST", "/api/v1/tokens", &new.to_string()).json()["secret"].clone();
    let mut refused = 0;
    for (mode, count) in [("stream", 1_000), ("patient", 500)] {
        let Some(mut stream) = client(&hub, "elasticsearch8", "elasticsearch_client.py") else {
            return;
        };
        stream.arg(mode).env("COUNT", count.to_string()).env("CHUNK", "250");
        stream.env("BERGFRIED_TOKEN", token.as_str().unwrap());
        let seen = run_client(stream);
        match mode {
            "stream" => {
                assert_eq!(seen["acknowledged"], count);
                refused = seen["refused"].as_u64().unwrap();
                assert!(refused >= 1, "{seen}");
            }
            _ => assert_eq!(seen, json!({"stored": count, "errors": []})),
        }
    }
    assert_eq!(hub.stored(), 1_500);
    // A machine that is busy enough sends the second lot slowly by itself.
    assert!(hub.get("/api/v1/tokens")[0]["sent"]["limited"].as_u64().unwrap() >= refused);
}

#[test]
fn beats_and_logstash_are_answered_as_by_an_empty_cluster() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let beat = [
        ("User-Agent", "Elastic-filebeat/9.2.1 (linux; amd64; 0; 2025-11-01 00:00:00 +0000 UTC; )"),
        ("Accept", "application/json"),
    ];
    let root = ask(&hub, "GET", "/", &beat, "").json();
    assert_eq!(root["version"]["number"], "9.2.1");
    assert_eq!(root["tagline"], "You Know, for Search");
    let open = [("User-Agent", "opensearch-py/3.2.0 (Python 3.11.7)"), ("Accept", "*/*")];
    assert_eq!(ask(&hub, "GET", "/", &open, "").json()["tagline"], root["tagline"]);
    // Logstash 6 and others name themselves after a library, and log in.
    let login = format!("ApiKey {}", hub.agent_token());
    let old = [("User-Agent", "Manticore 0.6.4"), ("Authorization", login.as_str())];
    assert_eq!(
        request(&hub.url, "GET", "/", &old, b"").unwrap().json()["tagline"],
        root["tagline"]
    );
    for (method, path, status) in [
        ("HEAD", "/", 200),
        ("GET", "/_license?human=false", 200),
        ("GET", "/_xpack", 200),
        ("GET", "/_nodes/http?filter_path=nodes.*.http", 200),
        ("GET", "/_cluster/health", 200),
        ("GET", "/_cat/health", 200),
        ("GET", "/_index_template/filebeat-9.2.1", 404),
        ("PUT", "/_index_template/filebeat-9.2.1", 200),
        ("HEAD", "/_template/logstash", 404),
        ("PUT", "/_template/logstash", 200),
        ("GET", "/_ilm/policy/filebeat", 404),
        ("PUT", "/_ilm/policy/filebeat", 200),
        ("GET", "/_data_stream/filebeat-9.2.1", 404),
        ("PUT", "/_data_stream/filebeat-9.2.1", 200),
        ("HEAD", "/_alias/logstash", 404),
        ("PUT", "/%3Clogstash-%7Bnow%2Fd%7D-000001%3E", 200),
        ("HEAD", "/logstash", 404),
        ("PUT", "/_ingest/pipeline/filebeat-9.2.1-nginx", 200),
    ] {
        let body = if method == "PUT" { "{}" } else { "" };
        let answer = ask(&hub, method, path, &beat, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert_eq!(answer.header("x-elastic-product"), Some("Elasticsearch"), "{path}");
        let stranger = request(&hub.url, method, path, &beat, body.as_bytes()).unwrap();
        assert_eq!(stranger.status, 401, "{method} {path}");
        assert!(stranger.header("www-authenticate").unwrap().starts_with("Basic"), "{path}");
        assert_eq!(stranger.header("x-elastic-product"), Some("Elasticsearch"), "{path}");
    }
    // A browser finds the console where a Beat finds Elasticsearch.
    let browser = [("Accept", "text/html,application/json")];
    let page = request(&hub.url, "GET", "/", &browser, b"").unwrap();
    assert_eq!((page.status, page.header("location")), (303, Some("/ui/")));
    assert_eq!(request(&hub.url, "GET", "/nothing", &[], b"").unwrap().status, 404);

    let beats = "/_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status";
    let body = "{\"create\":{\"_index\":\"filebeat-9.2.1\"}}\n\
        {\"@timestamp\":\"2026-03-01T11:00:00.123Z\",\"message\":\"line\",\"log\":{\"file\":{\"path\":\
        \"/var/log/x.log\"}},\"agent\":{\"name\":\"web\",\"type\":\"filebeat\"}}\n\
        {\"create\":{\"_index\":\"filebeat-9.2.1\"}}\nno json\n";
    let answer = ask(&hub, "POST", beats, &BULK, body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["errors"], true);
    assert_eq!(answer.json()["items"][0], json!({"create": {"status": 201}}));
    assert_eq!(answer.json()["items"][1]["create"]["error"]["type"], "document_parsing_exception");
    assert_eq!(hub.stored(), 1);
    let found =
        &hub.get("/api/v1/search?from=2026-03-01&q=labels.index:filebeat-9.2.1")["events"][0];
    assert_eq!(found["log.file.path"], "/var/log/x.log");
    assert_eq!(found["agent.name"], "web");
    assert!(found["@timestamp"].as_str().unwrap().starts_with("2026-03-01T11:00:00.123"));
    // As clients of Elasticsearch 5 to 7 send, and with what Windows puts before a text.
    for (number, path) in
        ["/old/_doc/_bulk", "/old/doc/_bulk", "/old/logs/_bulk"].iter().enumerate()
    {
        let body =
            format!("\u{feff}{{\"index\":{{\"_type\":\"doc\"}}}}\n{{\"number\":{number}}}\n");
        for method in ["POST", "PUT"] {
            let answer = ask(&hub, method, path, &BULK, &body);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert_eq!(answer.json()["items"][0]["index"]["_index"], "old");
        }
    }
    for (body, status, kind) in [
        ("{\"create\":{}}\n", 400, "illegal_argument_exception"),
        ("nonsense\n{}\n", 400, "illegal_argument_exception"),
        ("", 400, "illegal_argument_exception"),
    ] {
        let answer = ask(&hub, "POST", "/x/_bulk", &BULK, body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert_eq!(answer.json()["error"]["type"], kind);
        assert_eq!(answer.json()["error"]["root_cause"][0]["type"], kind);
        assert_eq!(answer.json()["status"], status);
    }
}

#[test]
fn the_same_body_over_another_connection_is_a_retry() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let body = |n: usize| {
        format!("{{\"index\":{{}}}}\n{{\"@timestamp\":\"2026-03-01T11:00:00Z\",\"number\":{n}}}\n")
    };
    let send = |hub: &Hub, n: usize| {
        let answer = ask(hub, "POST", "/app/_bulk", &BULK, &body(n));
        assert_eq!(answer.json()["errors"], false, "{}", answer.text());
        answer.json()["items"].clone()
    };
    let items = send(&hub, 1);
    assert_eq!(send(&hub, 1), items, "the same answer");
    send(&hub, 2);
    assert_eq!(hub.stored(), 2);
    hub.kill();
    let hub = Hub::start(directory.path());
    send(&hub, 2);
    assert_eq!(hub.stored(), 2, "also after the hub was killed");
    let other = ask(&hub, "POST", "/other/_bulk", &BULK, &body(2));
    assert_eq!((other.status, hub.stored()), (200, 3), "another index");

    // One connection: curl sends the second of two equal bodies because it is told to.
    let url = format!("{}/app/_bulk", hub.url);
    let mut curl = Command::new("curl");
    let token = format!("elastic:{}", hub.agent_token());
    for next in [false, true] {
        curl.args(next.then_some("--next")).args(["-sS", "-u", &token, "--data-binary", &body(3)]);
        curl.args(["-H", "Content-Type: application/x-ndjson", &url]);
    }
    let done = run_with(curl, b"");
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(hub.stored(), 5);
}
