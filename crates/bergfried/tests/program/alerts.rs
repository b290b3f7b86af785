//! Alerts over the native API, its stream and the command line: what people do to them, what is
//! behind them, and how whoever follows them misses nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::http::{connect, escaped, read_head};
use crate::support::hub::Hub;
use crate::support::lines::{ago, break_in};
use crate::support::process::{Done, Process, run_with};
use crate::support::wait_until;

/// A hub with two alerts of a break-in at `web` and one of a new user at `db`.
fn hub_with_alerts(directory: &std::path::Path) -> Hub {
    let hub = Hub::start(directory);
    assert_eq!(hub.send("1", "web", &break_in("web", "bob", "203.0.113.7")).status, 200);
    let new_user = format!("{} db useradd[9]: new user: name=eve, UID=1002, GID=1002", ago(3));
    assert_eq!(hub.send("2", "db", &[new_user]).status, 200);
    wait_until("three alerts", || hub.alerts().len() == 3);
    hub
}

fn found(hub: &Hub, query: &str) -> Vec<Value> {
    hub.get(&format!("/api/v1/alerts?{query}"))["alerts"].as_array().unwrap().clone()
}

fn id(alert: &Value) -> String {
    alert["id"].as_str().unwrap().to_owned()
}

fn worst(hub: &Hub) -> Value {
    found(hub, "severity=critical").remove(0)
}

#[test]
fn people_act_on_alerts() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with_alerts(directory.path());
    let alert = id(&worst(&hub));
    let path = |action: &str| format!("/api/v1/alerts/{alert}/{action}");
    for (action, body, status, now, said) in [
        ("unack", "", 409, "", "unack"),
        ("ack", r#"{"text": "looking", "timeout": 3600}"#, 200, "ack", "looking"),
        ("ack", "", 200, "ack", "looking"),
        ("ack", r#"{"timeout": 60}"#, 409, "", "already"),
        ("unack", "", 200, "open", "acknowledgement ended by "),
        ("assign", r#"{"text": "assigned to anna"}"#, 200, "open", "assigned to anna"),
        ("shelve", r#"{"timeout": 60}"#, 200, "shelved", "shelved by admin"),
        ("unshelve", "{}", 200, "open", "taken from the shelf by "),
        ("note", r#"{"text": "their <b>new</b> laptop"}"#, 200, "open", "laptop"),
        ("note", r#"{"text": " "}"#, 400, "", "`text` is empty"),
        ("note", "{}", 400, "", "text"),
        ("close", r#"{"timeout": 5}"#, 400, "", "`timeout` is for `ack` and `shelve`"),
        ("ack", r#"{"txt": "x"}"#, 400, "", "txt"),
        ("ack", r#"{"timeout": -1}"#, 400, "", "timeout"),
        ("close", "", 200, "closed", "closed by admin"),
        ("close", "", 200, "closed", "closed by admin"),
        ("shelve", "", 409, "", "shelve"),
        ("open", "", 200, "open", "opened by "),
    ] {
        let answer = hub.ask("POST", &path(action), body);
        assert_eq!(answer.status, status, "{action} {body}: {}", answer.text());
        if status != 200 {
            assert!(answer.error().contains(said), "{action} {body}: {}", answer.error());
            continue;
        }
        let changed = answer.json();
        assert_eq!(changed["status"], now, "{action} {body}");
        let last = changed["history"].as_array().unwrap().last().unwrap();
        let text = last["text"].as_str().unwrap();
        assert!(text.contains(said), "{action}: {last}");
        assert!(last["user"].is_string(), "{last}");
    }
    let shown = hub.get(&format!("/api/v1/alerts/{}", &alert[..8]));
    assert_eq!(shown["notes"][0]["text"], "their <b>new</b> laptop");
    let short = hub.ask("GET", &format!("/api/v1/alerts/{}", &alert[..4]), "");
    assert_eq!(short.status, 404);
    assert!(short.error().contains("at least 8 characters"), "{}", short.error());
    let long = hub.ask("POST", &path("note"), &json!({"text": "x".repeat(17 << 10)}).to_string());
    assert_eq!((long.status, long.error().contains("text")), (400, true), "{}", long.text());
}

#[test]
fn a_table_shows_pages_and_counts_what_stands_behind_its_filters() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with_alerts(directory.path());
    let table = |query: &str| hub.get(&format!("/api/v1/alerts/table?{query}"));
    for (query, total, rows) in [
        ("", 3, 3),
        ("limit=2", 3, 2),
        ("limit=2&page=2", 3, 1),
        ("limit=2&page=9", 3, 0),
        ("status=open,ack", 3, 3),
        ("status=ack", 0, 0),
        ("severity=critical", 1, 1),
        ("service=sshd", 2, 2),
        ("environment=Production", 3, 3),
        ("environment=Lab", 0, 0),
        ("customer=none", 0, 0),
        ("q=resource%3Adb", 1, 1),
    ] {
        let page = table(query);
        assert_eq!(page["total"], total, "{query}");
        assert_eq!(page["rows"].as_array().unwrap().len(), rows, "{query}");
    }
    let severities = |query: &str| -> Vec<String> {
        let rows = table(query)["rows"].as_array().unwrap().clone();
        rows.iter().map(|row| row["severity"].as_str().unwrap().to_owned()).collect()
    };
    let worst_first = severities("sort=severity");
    assert_eq!(worst_first[0], "critical");
    assert_eq!(severities("sort=-severity"), worst_first.into_iter().rev().collect::<Vec<_>>());
    let counts = hub.get("/api/v1/alerts/counts?environment=Lab");
    assert_eq!(counts["environments"], json!([{"name": "Production", "count": 3}]));
    assert_eq!((&counts["total"], &counts["services"]), (&json!(0), &json!([])));
    let counts = hub.get("/api/v1/alerts/counts?environment=Production");
    assert_eq!((&counts["total"], &counts["statuses"]), (&json!(3), &json!({"open": 3})));
    assert!(counts["services"].as_array().unwrap().contains(&json!({"name": "sshd", "count": 2})));
    for (query, said) in [
        ("table?sort=colour", "colour"),
        ("table?limit=501", "1 to 500"),
        ("table?q=resource%3A(", "Failed to parse"),
        ("counts?status=opn", "is `open` meant?"),
    ] {
        let answer = hub.ask("GET", &format!("/api/v1/alerts/{query}"), "");
        assert_eq!((answer.status, answer.error().contains(said)), (400, true), "{query}");
    }
}

#[test]
fn the_same_is_done_to_several_alerts() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with_alerts(directory.path());
    let ids: Vec<String> = hub.alerts().iter().map(id).collect();
    let bulk = |ids: &[String], action: &str, more: Value| {
        let mut body = json!({"ids": ids, "action": action});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hub.ask("POST", "/api/v1/alerts/bulk", &body.to_string())
    };
    let statuses =
        || -> Vec<Value> { hub.alerts().iter().map(|alert| alert["status"].clone()).collect() };
    let acked = bulk(&ids[..2], "ack", json!({"text": "ours", "timeout": 600})).json();
    assert_eq!(acked, json!({"changed": 2, "refused": []}));
    let mixed = bulk(&ids, "unack", json!({})).json();
    assert_eq!((&mixed["changed"], &mixed["refused"][0]["id"]), (&json!(2), &json!(ids[2])));
    let twice = [ids.clone(), ids.clone(), vec!["none".to_owned()]].concat();
    let closed = bulk(&twice, "close", json!({})).json();
    assert_eq!((&closed["changed"], &closed["refused"][0]["id"]), (&json!(3), &json!("none")));
    assert_eq!(bulk(&ids, "close", json!({})).json()["changed"], 3, "it is so already");
    assert_eq!(statuses(), ["closed", "closed", "closed"]);
    assert_eq!(bulk(&ids, "note", json!({"text": "a drill"})).json()["changed"], 3);
    for alert in &ids {
        let alert = hub.get(&format!("/api/v1/alerts/{alert}"));
        assert_eq!(alert["notes"][0]["text"], "a drill");
    }
    for (action, more, said) in [
        ("note", json!({}), "`text` is empty"),
        ("close", json!({"timeout": 5}), "`timeout` is for"),
        ("dance", json!({}), "dance"),
    ] {
        let answer = bulk(&ids, action, more);
        assert_eq!((answer.status, answer.error().contains(said)), (400, true), "{action}");
    }
    assert_eq!(bulk(&[], "ack", json!({})).status, 400);
    assert_eq!(bulk(&ids[..1], "delete", json!({})).json()["changed"], 1);
    assert_eq!(hub.alerts().len(), 2);
}

#[test]
fn alerts_are_found_by_what_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with_alerts(directory.path());
    assert_eq!(
        hub.ask("POST", &format!("/api/v1/alerts/{}/ack", id(&worst(&hub))), "").status,
        200
    );
    for (query, count) in [
        ("", 3),
        ("status=open", 2),
        ("status=open,ack", 3),
        ("severity=critical", 1),
        ("severity=security", 0),
        ("severity=critical&status=open", 0),
        ("environment=Production", 3),
        ("environment=~prod", 3),
        ("environment=Development", 0),
        ("service=sshd", 2),
        ("service=useradd&text=USER+created", 1),
        ("q=resource%3Adb", 1),
        ("q=NOT+resource%3Adb+AND+status%3Aopen", 1),
        ("limit=2", 2),
    ] {
        assert_eq!(found(&hub, query).len(), count, "{query}");
    }
    for (query, said) in [
        ("status=open,opn", "is `open` meant?"),
        ("severity=hihg", "expected one of"),
        ("q=resource%3A(", "Failed to parse"),
        ("environmnet=x", "environmnet"),
    ] {
        let answer = hub.ask("GET", &format!("/api/v1/alerts?{query}"), "");
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.error().contains(said), "{query}: {}", answer.error());
    }
    let mut pages = Vec::new();
    let mut before = String::new();
    loop {
        let page = hub.get(&format!("/api/v1/alerts?limit=1{before}"));
        pages.push(id(&page["alerts"][0]));
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(pages.len(), 3);
    pages.sort();
    pages.dedup();
    assert_eq!(pages.len(), 3);
}

#[test]
fn an_alert_leads_to_its_events_its_rule_and_its_like() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with_alerts(directory.path());
    let alert = worst(&hub);
    let links = &alert["links"];
    let behind = hub.get(links["events"].as_str().unwrap());
    let events = behind["events"].as_array().unwrap();
    let mut ids: Vec<u64> =
        events.iter().map(|event| event["event.id"].as_u64().unwrap()).collect();
    ids.reverse();
    assert_eq!(json!(ids), alert["event_ids"]);
    assert_eq!((&behind["count"], &behind["gone"]), (&alert["count"], &json!([])));
    assert_eq!(events[0]["event.outcome"], "success");
    let rule = hub.get(links["rule"].as_str().unwrap());
    assert_eq!(rule["id"], alert["rule_id"]);
    let search = hub.get(links["search"]["href"].as_str().unwrap());
    let logins = search["events"].as_array().unwrap();
    assert!(logins.iter().all(|event| event["user.name"] == "bob"), "{search}");
    assert!(logins.len() >= events.len(), "{search}");
    assert!(links["page"].as_str().unwrap().starts_with("/alerts/"));

    let similar = hub.get(links["similar"].as_str().unwrap());
    let similar = similar.as_array().unwrap();
    assert_eq!(similar.len(), 1, "{similar:?}");
    let what = similar[0]["reasons"].as_array().unwrap().iter().map(|reason| &reason["what"]);
    assert_eq!(what.collect::<Vec<_>>(), ["source", "user", "host"]);
    assert_eq!(similar[0]["reasons"][0]["value"], "203.0.113.7");

    // What a client of Alerta sent stands on no events.
    let key = hub.key();
    let sent = crate::support::http::request(
        &hub.url,
        "POST",
        "/api/alert",
        &[("Authorization", &format!("Key {key}")), ("Content-Type", "application/json")],
        br#"{"resource":"r","event":"e","environment":"Production","service":["s"]}"#,
    )
    .unwrap();
    assert_eq!(sent.status, 201, "{}", sent.text());
    let path = format!("/api/v1/alerts/{}", sent.json()["id"].as_str().unwrap());
    let shown = hub.get(&path);
    assert_eq!((&shown["links"]["rule"], &shown["links"]["search"]), (&Value::Null, &Value::Null));
    let behind = hub.get(&format!("{path}/events"));
    assert_eq!(behind["events"], json!([]));
    assert!(behind["note"].as_str().unwrap().contains("its sender did"), "{behind}");
}

/// One connection to the stream.
struct Stream(BufReader<TcpStream>);

#[derive(Debug)]
struct Told {
    id: Option<u64>,
    event: String,
    data: Value,
}

impl Stream {
    fn open(hub: &Hub, query: &str, after: Option<u64>) -> Stream {
        let mut stream = connect(&hub.url).unwrap();
        let after = after.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        let head = format!(
            "GET /api/v1/stream?{query} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {}\r\n{after}\r\n",
            hub.key()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let (status, headers) = read_head(&mut reader).unwrap();
        assert_eq!(status, 200);
        assert!(headers.contains(&("content-type".to_owned(), "text/event-stream".to_owned())));
        Stream(reader)
    }

    /// The next event; between the events stand the sizes of the chunks.
    fn next(&mut self) -> Told {
        let mut told = Told { id: None, event: String::new(), data: Value::Null };
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended after {told:?}");
            match line.trim_end().split_once(": ") {
                Some(("id", id)) => told.id = id.parse().ok(),
                Some(("event", event)) => event.clone_into(&mut told.event),
                Some(("data", data)) => told.data = serde_json::from_str(data).unwrap(),
                _ if !told.event.is_empty() => return told,
                _ => {}
            }
        }
    }

    /// Every event up to the first of this kind, that one included.
    fn until(&mut self, event: &str) -> Vec<Told> {
        let mut all = vec![self.next()];
        while all.last().unwrap().event != event {
            all.push(self.next());
        }
        all
    }
}

fn names(all: &[Told]) -> Vec<&str> {
    all.iter().map(|told| told.event.as_str()).collect()
}

#[test]
fn alerts_and_findings_are_followed() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let mut all = Stream::open(&hub, "", None);
    let mut db = Stream::open(&hub, &format!("kind=alerts&q={}", escaped("resource:db")), None);
    let mut bob = Stream::open(&hub, "kind=findings&q=user%3Abob", None);
    for stream in [&mut all, &mut db, &mut bob] {
        assert_eq!(stream.next().event, "ready");
    }
    assert_eq!(hub.send("1", "web", &break_in("web", "bob", "203.0.113.7")).status, 200);
    let new_user = format!("{} db useradd[9]: new user: name=eve, UID=1002, GID=1002", ago(3));
    assert_eq!(hub.send("2", "db", &[new_user]).status, 200);
    let told = db.next();
    assert_eq!((told.event.as_str(), &told.data["resource"]), ("alert", &json!("db")));
    assert_eq!(hub.get(&format!("/api/v1/alerts/{}", id(&told.data))), told.data);
    let finding = bob.next();
    assert_eq!((finding.event.as_str(), &finding.data["user.name"]), ("finding", &json!("bob")));
    let mut seen = Vec::new();
    while seen.iter().filter(|told: &&Told| told.event == "alert").count() < 3 {
        seen.push(all.next());
    }
    let ids: Vec<u64> = seen.iter().filter_map(|told| told.id).collect();
    assert_eq!(ids.len(), seen.len());
    assert!(ids.is_sorted_by(|one, other| one < other), "{ids:?}");

    // Whoever comes back gets what came after the id that was read last, once.
    let (first, rest) = (ids[0], &ids[1..]);
    let again = Stream::open(&hub, "", Some(first)).until("ready");
    let came: Vec<u64> = again.iter().filter_map(|told| told.id).collect();
    assert_eq!(&came[..rest.len()], rest, "{again:?}");

    for (query, header, said) in [
        ("q=x", None, "`q` needs `kind=alerts`"),
        ("kind=alert", None, "kind"),
        ("kind=alerts&q=a%3A(", None, "Failed to parse"),
        ("kind=findings&q=%22open", None, "^"),
        ("after=x", None, "after"),
        ("", Some("x"), "`Last-Event-ID`"),
    ] {
        let bearer = format!("Bearer {}", hub.key());
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(header.map(|id| ("Last-Event-ID", id)));
        let path = format!("/api/v1/stream?{query}");
        let answer = crate::support::http::request(&hub.url, "GET", &path, &headers, b"").unwrap();
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.error().contains(said), "{query}: {}", answer.error());
    }

    // The hub stops at once, and says so to whoever still follows.
    let (status, took) = hub.interrupt();
    assert!(status.success() && took.as_secs() < 2, "{status} after {took:?}");
    let end = db.until("end");
    let reason = end.last().unwrap().data["reason"].as_str().unwrap();
    assert!(reason.contains("stopping"), "{reason}");
}

#[test]
fn a_stream_goes_on_after_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with_alerts(directory.path());
    let mut stream = Stream::open(&hub, "kind=alerts", Some(0));
    let past = stream.until("ready");
    assert_eq!(names(&past), ["alert", "alert", "alert", "ready"]);
    let read = past.last().unwrap().id.unwrap();
    // What this reader never sees: one alert changes before the hub dies, one after.
    let (first, second) = (id(&past[0].data), id(&past[1].data));
    drop(stream);
    assert_eq!(hub.ask("POST", &format!("/api/v1/alerts/{first}/ack"), "").status, 200);
    hub.kill();
    let hub = Hub::start(directory.path());
    assert_eq!(hub.ask("POST", &format!("/api/v1/alerts/{second}/close"), "").status, 200);
    let mut stream = Stream::open(&hub, "kind=alerts", Some(read));
    let missed = stream.until("ready");
    assert_eq!(names(&missed), ["gap", "alert", "alert", "ready"]);
    let stands = |told: &Told| (id(&told.data), told.data["status"].clone());
    assert_eq!(stands(&missed[1]), (first, json!("ack")));
    assert_eq!(stands(&missed[2]), (second, json!("closed")));
    assert!(missed[1].id.unwrap() > read);
    // An id of a hub that was restored from an older copy.
    let ahead = Stream::open(&hub, "kind=alerts", Some(u64::MAX)).until("ready");
    assert_eq!(names(&ahead), ["gap", "ready"]);
}

#[test]
fn so_many_streams_and_no_more_are_open() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let mut open: Vec<Stream> = (0..64).map(|_| Stream::open(&hub, "", None)).collect();
    let refused = hub.ask("GET", "/api/v1/stream", "");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.error().contains("64 streams"), "{}", refused.error());
    assert!(refused.header("retry-after").is_some());
    open.pop();
    wait_until("a place to be free", || {
        let mut stream = connect(&hub.url).unwrap();
        let head = format!(
            "GET /api/v1/stream HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {}\r\n\r\n",
            hub.key()
        );
        stream.write_all(head.as_bytes()).unwrap();
        read_head(&mut BufReader::new(stream)).unwrap().0 == 200
    });
}

#[test]
fn the_command_line_works_on_alerts() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with_alerts(directory.path());
    let client = |arguments: &[&str]| -> Done { run_with(hub.client(arguments), b"") };
    let alerts = hub.alerts();
    let short: Vec<String> = alerts.iter().map(|alert| id(alert)[..8].to_owned()).collect();
    let listed = client(&["alerts"]);
    assert_eq!(listed.out.lines().count(), 3, "{listed:?}");
    assert!(short.iter().all(|id| listed.out.contains(id)), "{listed:?}");
    assert!(listed.out.contains("just now") || listed.out.contains("ago"), "{listed:?}");

    let acked = client(&["alerts", "ack", &short[0], &short[1], "-t", "mine", "--for", "2h"]);
    assert_eq!((acked.code, acked.out.lines().count()), (Some(0), 2), "{acked:?}");
    let both = client(&["alerts", "list", "--status", "ack", "--format", "json"]);
    let both: Vec<Value> = serde_json::from_str(&both.out).unwrap();
    assert_eq!(both.len(), 2);
    assert!(both.iter().all(|alert| {
        let last = alert["history"].as_array().unwrap().last().unwrap().clone();
        last["text"] == "mine" && last["kind"] == "ack"
    }));
    // What one alert refuses, another takes; and the code says that something was refused.
    let mixed = client(&["alerts", "unack", &short[0], "nonsense", &short[2]]);
    assert_eq!((mixed.code, mixed.out.lines().count()), (Some(2), 1), "{mixed:?}");
    assert!(mixed.err.contains("cannot unack nonsense: there is no alert nonsense"), "{mixed:?}");
    assert!(mixed.err.contains(&format!("cannot unack {}", short[2])), "{mixed:?}");
    for (arguments, status) in [
        (&["shelve", "--for", "7d"][..], "shelved"),
        (&["unshelve"], "open"),
        (&["assign", "--to", "anna"], "open"),
        (&["note", "--text", "a \u{1b}[31mred note"], "open"),
        (&["close"], "closed"),
        (&["open"], "open"),
    ] {
        let arguments = [&["alerts"], arguments, &[short[2].as_str()]].concat();
        let done = client(&arguments);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.out.starts_with(&format!("{} {status}: ", short[2])), "{done:?}");
    }
    let shown = client(&["alerts", "show", &short[2]]);
    for part in ["assigned to anna", "a \\u{1b}[31mred note", "shelved by admin"] {
        assert!(shown.out.contains(part), "no {part:?} in {}", shown.out);
    }
    let shown = client(&["alerts", "show", &short[0], &short[1], "--format", "json"]);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&shown.out).unwrap().len(), 2);
    let wrong = client(&["alerts", "shelve", &short[0], "--for", "soon"]);
    assert!(wrong.code == Some(2) && wrong.err.contains("90s, 45m, 2h or 7d"), "{wrong:?}");
    let filtered = client(&["alerts", "list", "--status", "all", "-q", "resource:db"]);
    assert_eq!(filtered.out.lines().count(), 1, "{filtered:?}");
}

#[test]
fn the_command_line_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with_alerts(directory.path());
    let alert = id(&found(&hub, "text=User+created")[0]);
    let why = run_with(hub.client(&["alerts", "why", &alert[..8]]), b"");
    assert_eq!(why.code, Some(0), "{why:?}");
    for part in
        ["User created", "Rule", "when ", "Events", "new user: name=eve", "History", "Who is told"]
    {
        assert!(why.out.contains(part), "no {part:?} in {}", why.out);
    }
    assert!(why.out.contains("bergfried search 'host.name:\"db\""), "{}", why.out);
    let worst = id(&worst(&hub));
    let why = run_with(hub.client(&["alerts", "why", &worst[..8]]), b"");
    assert!(
        why.out.contains("Similar") && why.out.contains("(same source, user, host)"),
        "{why:?}"
    );
    assert!(why.out.contains("bergfried alerts except"), "{}", why.out);
    // What no rule found is no exception's.
    let api = crate::alerta::Api::of(&hub);
    let sent = |resource: &str| {
        let alert = json!({"resource": resource, "event": "Down", "environment": "Production"});
        let alert = id(&api.send(alert));
        run_with(hub.client(&["alerts", "why", &alert[..8]]), b"").out
    };
    let why = sent("web1");
    let silence =
        "bergfried blackout add --environment='Production' --resource='web1' --event='Down' ";
    assert!(why.contains(silence) && !why.contains("alerts except"), "{why}");
    assert!(!sent("web1'; reboot '").contains("bergfried blackout"));
    let json = run_with(hub.client(&["alerts", "why", &worst, "--format", "json"]), b"");
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["rule"]["id"], json["alert"]["rule_id"]);
    assert!(!json["behind"]["events"].as_array().unwrap().is_empty());
}

#[test]
fn the_command_line_follows_alerts() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub_with_alerts(directory.path());
    let mut command =
        hub.client(&["alerts", "list", "--follow", "--status", "all", "--format", "ndjson"]);
    let follower = Process::spawn(&mut command);
    wait_until("the list", || follower.out().lines().count() >= 3);
    let alert = id(&worst(&hub));
    let done = run_with(hub.client(&["alerts", "ack", &alert]), b"");
    assert_eq!(done.code, Some(0), "{done:?}");
    wait_until("the change", || {
        let out = follower.out();
        let last = out.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
        last.is_some_and(|last| last["status"] == "ack" && last["id"] == alert.as_str())
    });
}
