//! The native API: keys, mistakes, searching, following, alerts, tokens.

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value, json};

use crate::support::http::{connect, read_head, request};
use crate::support::hub::{Hub, batch_of};
use crate::support::lines::{ago, break_in};
use crate::support::process::{Process, run_with};
use crate::support::{wait_for, wait_until};

/// Every operation of the OpenAPI document: method, path, whether it needs a key, statuses.
fn operations(document: &Value) -> Vec<(String, String, bool, Vec<u16>)> {
    let mut all = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let open = operation["security"] == json!([{}]);
            let statuses = operation["responses"].as_object().unwrap().keys();
            let statuses = statuses.map(|status| status.parse().unwrap()).collect();
            all.push((method.to_uppercase(), path.clone(), !open, statuses));
        }
    }
    all
}

#[test]
fn every_route_of_the_document_answers_and_needs_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let document = request(&hub.url, "GET", "/api/v1/openapi.json", &[], b"").unwrap().json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let operations = operations(&document);
    assert!(operations.len() >= 29, "{operations:?}");
    for (method, path, needs_key, statuses) in operations {
        let records = path.ends_with("/batches") || path.ends_with("/raw");
        let path = path
            .replace("{id}", "999999")
            .replace("{name}", "nobody")
            .replace("{kind}", "user")
            .replace("{value}", "nobody");
        let ask = |bearer: Option<&str>| {
            let bearer = bearer.map(|bearer| format!("Bearer {bearer}"));
            let headers: Vec<(&str, &str)> =
                bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
            let mut stream = connect(&hub.url).unwrap();
            let mut head =
                format!("{method} {path} HTTP/1.1\r\nHost: hub\r\nContent-Length: 0\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            stream.write_all((head + "\r\n").as_bytes()).unwrap();
            read_head(&mut BufReader::new(stream)).unwrap().0
        };
        let (right, other) =
            if records { (hub.agent_token(), hub.key()) } else { (hub.key(), hub.agent_token()) };
        // Signing in needs no key, and says the same of a wrong password.
        let signs_in = method == "POST" && path == "/api/v1/session";
        assert_eq!(needs_key || signs_in, statuses.contains(&401), "{method} {path}");
        if needs_key {
            for wrong in [None, Some("wrong"), Some(other.as_str()), Some("")] {
                assert_eq!(ask(wrong), 401, "{method} {path} with {wrong:?}");
            }
        }
        let status = ask(Some(&right));
        let without_body = status == 415 && matches!(&*method, "POST" | "PUT" | "PATCH");
        assert!(statuses.contains(&status) || without_body, "{method} {path}: {status}");
    }
}

#[test]
fn keys_come_as_bearer_or_in_a_header_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let key = hub.key();
    for (name, value, status) in [
        ("Authorization", format!("Bearer {key}"), 200),
        ("Authorization", format!("bearer {key}"), 200),
        ("X-API-Key", key.clone(), 200),
        ("Authorization", format!("Basic {key}"), 401),
        ("Authorization", key.clone(), 401),
        ("X-API-Key", key[1..].to_owned(), 401),
    ] {
        let answer = request(&hub.url, "GET", "/api/v1/status", &[(name, &value)], b"").unwrap();
        assert_eq!(answer.status, status, "{name}: {value}");
        if status == 401 {
            assert!(answer.error().contains("admin key"), "{}", answer.text());
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert!(!answer.text().contains(&key));
        }
    }
}

#[test]
fn mistakes_get_json_that_says_what_was_expected() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    for (method, path, body, status, said) in [
        ("GET", "/api/v1/search?q=user%3A(", "", 400, "  user:(\n        ^"),
        ("GET", "/api/v1/search?q=sorce.ip%3Ax", "", 400, "source.ip"),
        ("GET", "/api/v1/search?limit=0", "", 400, "`limit` must be 1 to 1000"),
        ("GET", "/api/v1/search?limit=1001", "", 400, "`limit` must be 1 to 1000"),
        ("GET", "/api/v1/search?limit=many", "", 400, "limit"),
        ("GET", "/api/v1/search?limt=1", "", 400, "`limit`"),
        ("GET", "/api/v1/search?last=soon", "", 400, "15m, 24h or 7d"),
        ("GET", "/api/v1/search?last=1h&from=2026-01-01", "", 400, "not both"),
        ("GET", "/api/v1/search?from=yesterday", "", 400, "from"),
        ("GET", "/api/v1/search?before=x", "", 400, "`next`"),
        ("GET", "/api/v1/histogram?bucket=1s&last=7d", "", 400, "widen `bucket`"),
        ("GET", "/api/v1/top", "", 400, "field=source.ip"),
        ("GET", "/api/v1/tail?q=%22open", "", 400, "^"),
        ("GET", "/api/v1/alerts?status=shut", "", 400, "unknown status `shut`"),
        ("GET", "/api/v1/alerts?min_severity=hihg", "", 400, "did you mean `high`?"),
        ("GET", "/api/v1/alerts/abc", "", 404, "there is no alert abc"),
        ("GET", "/api/v1/alerts/99", "", 404, "there is no alert 99"),
        ("POST", "/api/v1/alerts/99/close", "", 404, "there is no alert 99"),
        ("POST", "/api/v1/notify/ops/test", "", 404, "none is configured"),
        ("POST", "/api/v1/notify/dead/7/resend", "", 404, "no dead letter 7"),
        ("POST", "/api/v1/tokens", "{", 400, "line 1"),
        ("POST", "/api/v1/tokens", r#"{"kind":"king","name":"x"}"#, 400, "agent, hub, admin"),
        ("POST", "/api/v1/tokens", r#"{"kind":"agent","name":""}"#, 400, "1 to 100"),
        ("POST", "/api/v1/tokens", r#"{"kind":"agent","nam":"x"}"#, 400, "`nam`"),
        ("DELETE", "/api/v1/tokens/99", "", 404, "no live token 99"),
        ("GET", "/api/v1/nothing", "", 404, "openapi.json"),
        ("GET", "/../etc/passwd", "", 404, "openapi.json"),
        ("POST", "/api/v1/search", "", 405, "method"),
        ("DELETE", "/api/v1/tokens", "", 405, "method"),
    ] {
        let answer = hub.ask(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert!(answer.error().contains(said), "{method} {path}: {}", answer.error());
        assert!(answer.header("x-request-id").is_some());
    }
    let bearer = format!("Bearer {}", hub.key());
    let form = [("Authorization", bearer.as_str()), ("Content-Type", "text/plain")];
    let answer = request(&hub.url, "POST", "/api/v1/tokens", &form, b"x").unwrap();
    assert_eq!(answer.status, 415, "{}", answer.error());
    let answer = hub.ask("POST", "/api/v1/tokens", &" ".repeat((1 << 20) + 1));
    assert_eq!(answer.status, 413, "{}", answer.error());
}

#[test]
fn batches_are_taken_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let lines: Vec<String> = (0..3).map(|n| format!("{} web app: line {n}", ago(9))).collect();
    let good = batch_of("a1", "web", &lines);
    let send = |encoding: &str, body: &[u8]| {
        let bearer = format!("Bearer {}", hub.agent_token());
        let headers = [("Authorization", bearer.as_str()), ("Content-Encoding", encoding)];
        request(&hub.url, "POST", "/api/v1/batches", &headers, body).unwrap()
    };
    let cut = &good[..good.len() - 20];
    let bomb = zstd::encode_all(&vec![b'x'; 33 << 20][..], 1).unwrap();
    for (encoding, body, status, said) in [
        ("identity", cut, 400, "line 4"),
        ("identity", &b"{}"[..], 400, "line 1"),
        ("identity", b"", 400, "line 1"),
        ("identity", b"\xff\xfe\x00", 400, "line 1"),
        ("zstd", &good, 400, "cannot decompress"),
        ("zstd", &bomb, 413, "33554432"),
        ("gzip", &good, 400, "cannot decompress"),
        ("br", &good, 415, "expected gzip, zstd"),
        ("identity", &vec![b'x'; (32 << 20) + 1], 413, "33554432"),
    ] {
        let answer = send(encoding, body);
        assert_eq!(answer.status, status, "{encoding}: {}", answer.text());
        assert!(answer.error().contains(said), "{encoding}: {}", answer.error());
    }
    assert_eq!(hub.stored(), 0);
    let packed = zstd::encode_all(&good[..], 1).unwrap();
    let stored = json!({"status": "stored", "batch": format!("{:0>32}", "a1"), "records": 3});
    assert_eq!(send("zstd", &packed).json(), stored);
    assert_eq!(send("identity", &good).json()["status"], "duplicate");
    assert_eq!(hub.stored(), 3);
}

#[test]
fn events_are_searched_counted_and_paged() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let start = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(2);
    let line = |number: i64| {
        let stamp = start + jiff::SignedDuration::from_secs(number * 2);
        let outcome = if number % 10 == 0 { "Accepted" } else { "Failed" };
        format!(
            "{stamp} host{} sshd[812]: {outcome} password for user{} from 198.51.100.{} port {} ssh2",
            number % 3,
            number % 7,
            number % 11,
            1_000 + number
        )
    };
    for batch in 0..3 {
        let lines: Vec<String> = (batch * 800..(batch + 1) * 800).map(line).collect();
        assert_eq!(hub.send(&batch.to_string(), "host", &lines).status, 200);
    }
    for (query, matches) in [
        ("user:user3 AND host:host1", (|n| n % 7 == 3 && n % 3 == 1) as fn(i64) -> bool),
        ("event.outcome:success", |n| n % 10 == 0),
        ("source.port:3399", |n| n == 2_399),
        ("src_ip:198.51.100.8/30 -user:user3 source.port:[1000 TO 1999]", |n| {
            n % 11 >= 8 && n % 7 != 3 && n < 1_000
        }),
        ("\"Failed password for user6\" host:host0 198.51.100.10", |n| {
            n % 10 != 0 && n % 7 == 6 && n % 3 == 0 && n % 11 == 10
        }),
        ("event.outcome:unknown OR nowhere", |_| false),
    ] {
        let expected: Vec<i64> = (0..2_400).rev().filter(|n| matches(*n)).collect();
        let found = hub.search(query);
        let found: Vec<i64> =
            found.iter().map(|event| event["source.port"].as_i64().unwrap() - 1_000).collect();
        assert_eq!(found, expected, "{query}");
    }

    let mut ports = Vec::new();
    let mut before = String::new();
    loop {
        let page = hub.get(&format!("/api/v1/search?limit=700{before}"));
        for event in page["events"].as_array().unwrap() {
            ports.push(event["source.port"].as_i64().unwrap());
        }
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    let latest_first: Vec<i64> = (1_000..3_400).rev().collect();
    assert_eq!(ports, latest_first);

    let top = hub.get("/api/v1/top?field=user&limit=3&q=event.outcome:failure");
    let counts: Vec<u64> =
        top.as_array().unwrap().iter().map(|row| row["count"].as_u64().unwrap()).collect();
    assert_eq!(counts.len(), 3);
    assert!(counts.is_sorted_by(|a, b| a >= b) && counts[0] <= 310, "{top}");
    let histogram = hub.get("/api/v1/histogram?bucket=10m&last=3h");
    let buckets = histogram.as_array().unwrap();
    let sum: u64 = buckets.iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum();
    assert_eq!(sum, 2_400);
    assert!(buckets.len() >= 8 && buckets[1]["count"] == 300, "{histogram}");

    // The same over the command line.
    let client = |arguments: &[&str]| run_with(hub.client(arguments), b"");
    let found = client(&["search", "source.port:3399", "--format", "ndjson"]);
    assert_eq!((found.code, found.out.lines().count()), (Some(0), 1), "{}", found.err);
    let raw = client(&["search", "event.outcome:failure", "-n", "1500", "--format", "raw"]);
    assert_eq!(raw.out.lines().count(), 1_500);
    assert_eq!(raw.out.lines().next().unwrap(), line(2_399));
    let top = client(&["search", "", "--top", "host", "--format", "table"]);
    assert!(top.out.contains("800  host"), "{}", top.out);
    let caret = client(&["search", "user:("]);
    assert_eq!(caret.code, Some(2));
    assert!(caret.err.contains("\n  user:(\n        ^"), "{}", caret.err);
}

#[test]
fn events_are_followed_as_they_come() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let head = format!(
        "GET /api/v1/tail?q=user%3Abob HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {}\r\n\r\n",
        hub.key()
    );
    let mut stream = connect(&hub.url).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    assert_eq!(read_head(&mut reader).unwrap().0, 200);
    let mut command = hub.client(&["tail", "event.outcome:success", "--format", "ndjson"]);
    let follower = Process::spawn(&mut command);
    let mut batch = 0;
    // The follower may connect after the first events: those are over for it.
    wait_until("an event to follow", || {
        batch += 1;
        let lines = break_in("web", "bob", "203.0.113.7");
        assert_eq!(hub.send(&batch.to_string(), "web", &lines).status, 200);
        follower.out().lines().any(|line| line.contains("\"user.name\":\"bob\""))
    });
    let mut followed = Vec::new();
    while followed.len() < 7 {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        // Between the events stand the sizes of the chunks.
        if line.starts_with('{') {
            let event: Value = serde_json::from_str(&line).unwrap();
            followed.push(event["event.id"].as_u64().unwrap());
        }
    }
    assert_eq!(followed, (1..8).collect::<Vec<_>>());
}

#[test]
fn alerts_are_listed_shown_and_closed() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    assert_eq!(hub.send("1", "web", &break_in("web", "bob", "203.0.113.7")).status, 200);
    let new_user = format!("{} db useradd[9]: new user: name=eve, UID=1002, GID=1002", ago(3));
    assert_eq!(hub.send("2", "db", std::slice::from_ref(&new_user)).status, 200);
    wait_until("three alerts", || hub.alerts().len() == 3);
    let worst = hub.get("/api/v1/alerts?min_severity=critical");
    assert_eq!(worst["alerts"].as_array().unwrap().len(), 1);
    let alert = &worst["alerts"][0];
    for (key, value) in [
        ("environment", json!("Production")),
        ("resource", json!("web")),
        ("event", json!("SSH login after many failures from the same source")),
        ("status", json!("open")),
        ("user", json!("bob")),
        ("source", json!("203.0.113.7")),
        ("techniques", json!(["T1110.001", "T1078"])),
    ] {
        assert_eq!(alert[key], value, "{key}");
    }
    assert_eq!(alert["history"][0]["kind"], "new");
    // Its events are found by the ids that it names.
    let id = alert["event_ids"].as_array().unwrap().last().unwrap();
    assert_eq!(hub.search(&format!("event.id:{id}"))[0]["event.outcome"], "success");

    let created = hub.get("/api/v1/alerts?text=User+created")["alerts"][0].clone();
    let path = format!("/api/v1/alerts/{}", created["id"].as_str().unwrap());
    assert_eq!(hub.get(&path), created);
    let closed = hub.ask("POST", &format!("{path}/close"), "").json();
    assert_eq!((&closed["status"], &closed["count"]), (&json!("closed"), &json!(1)));
    assert_eq!(hub.get("/api/v1/alerts?status=open")["alerts"].as_array().unwrap().len(), 2);
    // A later finding opens it again.
    assert_eq!(hub.send("3", "db", &[new_user.replace("eve", "mallory")]).status, 200);
    let again = wait_for("the alert to open again", || {
        Some(hub.get(&path)).filter(|alert| alert["status"] == "open")
    });
    assert_eq!(again["count"], 2);
    let states: Vec<&str> = again["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["status"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["open", "closed", "open"]);

    let client = |arguments: &[&str]| run_with(hub.client(arguments), b"");
    let listed = client(&["alerts"]);
    assert_eq!((listed.code, listed.out.lines().count()), (Some(0), 3), "{listed:?}");
    let id = created["id"].as_str().unwrap()[..8].to_owned();
    assert!(client(&["alerts", "show", &id]).out.contains("user mallory"));
    assert!(client(&["alerts", "close", &id]).out.contains(" closed: User created"));
    let closed = client(&["alerts", "list", "--status", "closed", "--format", "ndjson"]);
    assert_eq!(closed.out.lines().count(), 1);
    let missing = client(&["alerts", "show", "99"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.err.contains("there is no alert 99"), "{}", missing.err);
}

#[test]
fn tokens_are_made_and_revoked() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let made = hub.ask("POST", "/api/v1/tokens", r#"{"kind":"agent","name":"web-01"}"#);
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let bearer = format!("Bearer {}", made["secret"].as_str().unwrap());
    let send = |batch: &str| {
        let body = batch_of(batch, "web", &["a line".to_owned()]);
        let headers = [("Authorization", bearer.as_str())];
        request(&hub.url, "POST", "/api/v1/batches", &headers, &body).unwrap().status
    };
    assert_eq!(send("1"), 200);
    let path = format!("/api/v1/tokens/{}", made["id"]);
    assert_eq!(hub.ask("DELETE", &path, "").status, 204);
    assert_eq!(hub.ask("DELETE", &path, "").status, 404);
    assert_eq!(send("2"), 401);
    let listed = hub.ask("GET", "/api/v1/tokens", "");
    assert!(!listed.text().contains(made["secret"].as_str().unwrap()));
    let listed = listed.json();
    let own = listed.as_array().unwrap().iter().find(|token| token["kind"] == "admin").unwrap();
    let own = hub.ask("DELETE", &format!("/api/v1/tokens/{}", own["id"]), "");
    assert_eq!(own.status, 409, "{}", own.error());

    let client = |arguments: &[&str]| run_with(hub.client(arguments), b"");
    let secret = client(&["tokens", "create", "admin", "anna"]);
    assert_eq!(secret.code, Some(0), "{}", secret.err);
    let mut command = hub.client(&["tokens", "list"]);
    command.env("BERGFRIED_KEY", secret.out.trim());
    let listed = run_with(command, b"");
    assert!(listed.out.lines().any(|line| line.contains("anna") && line.contains("live")));
    assert!(!listed.out.contains(secret.out.trim()));
    let mut wrong = hub.client(&["tokens", "list"]);
    wrong.env("BERGFRIED_KEY", "wrong");
    let wrong = run_with(wrong, b"");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("this needs an admin key"), "{}", wrong.err);
}

#[test]
fn the_console_is_served_with_a_strict_policy() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let browser = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let led = request(&hub.url, "GET", "/", &browser, b"").unwrap();
    assert_eq!((led.status, led.header("location")), (303, Some("/ui/")));
    let led = request(&hub.url, "GET", "/alerts/0f3c", &browser, b"").unwrap();
    assert_eq!((led.status, led.header("location")), (303, Some("/ui/alerts/0f3c")));
    let ask = |path: &str, headers: &[(&str, &str)]| {
        let headers = [&browser[..], headers].concat();
        request(&hub.url, "GET", path, &headers, b"").unwrap()
    };
    let front = ask("/ui/", &[]);
    if front.status == 404 {
        eprintln!("skipped: the console is not built, `make build` builds it");
        assert!(front.text().contains("built without the console"), "{}", front.text());
        return;
    }
    let script = front.text();
    let script = script.split('"').find(|word| word.ends_with(".js")).unwrap();
    for (path, kind, cache) in [
        ("/ui/", "text/html", "no-cache"),
        ("/ui/no/such/page", "text/html", "no-cache"),
        (script, "text/javascript", "public, max-age=31536000, immutable"),
    ] {
        let answer = ask(path, &[]);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").unwrap().starts_with(kind), "{path}");
        assert_eq!(answer.header("cache-control"), Some(cache), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(!answer.text().contains(&hub.key()));
        let known = ask(path, &[("If-None-Match", answer.header("etag").unwrap())]);
        assert_eq!(known.status, 304, "{path}");
        let packed = ask(path, &[("Accept-Encoding", "br, gzip")]);
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
    }
    for path in ["/ui/assets/none.js", "/ui/assets/../../Cargo.toml", "/ui/assets/%2e%2e/x"] {
        assert_eq!(ask(path, &[]).status, 404, "{path}");
    }
}
