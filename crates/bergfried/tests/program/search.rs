//! Searches with steps, completion, exports, kept searches and entities, asked of a real hub.

use serde_json::{Value, json};

use crate::support::http::{escaped, request};
use crate::support::hub::Hub;
use crate::support::lines::{ago, break_in, failed};
use crate::support::process::{Done, bergfried, run_with};
use crate::support::wait_until;

/// A hub that six failed logins and one that was accepted came to, and two of another user.
fn hub(directory: &std::path::Path) -> Hub {
    let hub = Hub::start(directory);
    assert_eq!(hub.send("1", "web", &break_in("web", "bob", "203.0.113.7")).status, 200);
    let others: Vec<String> =
        (0..2).map(|n| failed(&ago(90 + n), "db", "=cmd|x", "198.51.100.9")).collect();
    assert_eq!(hub.send("2", "db", &others).status, 200);
    wait_until("an alert", || !hub.alerts().is_empty());
    hub
}

fn run(hub: &Hub, arguments: &[&str]) -> Done {
    run_with(hub.client(arguments), b"")
}

/// As [`run`], which must succeed.
fn said(hub: &Hub, arguments: &[&str]) -> String {
    let done = run(hub, arguments);
    assert_eq!(done.code, Some(0), "{arguments:?}: {}", done.err);
    done.out
}

fn query(hub: &Hub, text: &str) -> Value {
    hub.get(&format!("/api/v1/query?q={}", escaped(text)))
}

#[test]
fn steps_count_what_a_search_finds() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub(directory.path());
    let answer = query(&hub, "failed | top source.ip");
    assert_eq!(answer["search"], "failed");
    assert_eq!(
        answer["columns"][0],
        json!({"name": "source.ip", "kind": "text", "approximate": false})
    );
    assert_eq!(answer["rows"], json!([["203.0.113.7", 6], ["198.51.100.9", 2]]));
    assert_eq!(answer["more"], false);
    let answer = query(&hub, "user:bob | count by user, event.outcome | sort event.outcome");
    assert_eq!(answer["rows"], json!([["bob", "failure", 6], ["bob", "success", 1]]));
    let answer = query(&hub, "* | timechart 1d | fields count | sort -count | head 1");
    assert!(answer["rows"][0][0].as_u64().unwrap() >= 1, "{answer}");
}

#[test]
fn mistakes_in_steps_are_placed() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    for (path, said) in [
        (
            "query?q=failed%20|%20tp%20user",
            "did you mean `top`?\n  failed | tp user\n           ^^",
        ),
        ("query?q=*%20|%20count%20|%20top%20user", "must be the first step"),
        ("search?q=failed%20|%20top%20user", "cannot stand here"),
        ("tail?q=failed%20|%20top%20user", "cannot stand here"),
        ("search/export?q=x", "format"),
        ("search/export?q=x&format=xls", "csv"),
        ("entities/address/web-01", "no address"),
        ("entities/planet/mars", "planet"),
    ] {
        let answer = hub.ask("GET", &format!("/api/v1/{path}"), "");
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(answer.error().contains(said), "{path}: {}", answer.error());
    }
}

#[test]
fn what_may_stand_at_the_cursor_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub(directory.path());
    for (typed, from, kind, text) in [
        ("failed user:b", 12, "value", "bob"),
        ("failed user:=", 12, "value", "\"=cmd|x\""),
        ("failed us", 7, "field", "user.name:"),
        ("failed | to", 9, "step", "top"),
        ("failed | top so", 13, "field", "source.ip"),
        ("failed | stats p9", 15, "function", "p95("),
    ] {
        let answer = hub.get(&format!("/api/v1/search/complete?q={}", escaped(typed)));
        assert_eq!(answer["from"], from, "{typed}: {answer}");
        let items = answer["items"].as_array().unwrap();
        let found = items.iter().any(|item| item["kind"] == kind && item["text"] == text);
        assert!(found, "{typed}: {answer}");
    }
    let fields = hub.get("/api/v1/search/fields?q=user%3Abob");
    assert_eq!(fields["events"], 7);
    let outcome = fields["fields"].as_array().unwrap().iter();
    let outcome = outcome.clone().find(|field| field["name"] == "event.outcome").unwrap();
    assert_eq!((&outcome["share"], &outcome["distinct"]), (&json!(1.0), &json!(2)));
    assert_eq!(outcome["top"][0], json!({"value": "failure", "count": 6}));
}

#[test]
fn exports_hold_what_the_search_finds() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub(directory.path());
    let export = |query: &str, format: &str| {
        let path = format!("/api/v1/search/export?format={format}&q={}", escaped(query));
        let answer = hub.ask("GET", &path, "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    };
    let mut events: Vec<Value> =
        serde_json::from_str(&unchunked(&export("failed", "json").text())).unwrap();
    events.reverse();
    assert_eq!(events, hub.search("failed"));
    let lines = export("failed", "ndjson");
    assert_eq!(lines.header("x-total-count"), Some("8"));
    assert_eq!(unchunked(&lines.text()).lines().count(), 8);
    let csv = export("host:db | fields user, source.ip", "csv");
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
    assert_eq!(
        unchunked(&csv.text()),
        "user.name,source.ip\r\n'=cmd|x,198.51.100.9\r\n'=cmd|x,198.51.100.9\r\n"
    );
    let table = export("failed | count by user | sort -user", "csv");
    assert_eq!(table.text(), "user.name,count\r\nbob,6\r\n'=cmd|x,2\r\n");
    assert_eq!(unchunked(&export("nothing", "json").text()), "[]\n");
}

#[test]
fn the_command_prints_tables_and_writes_files() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub(directory.path());
    assert_eq!(
        said(&hub, &["search", "failed | top source.ip"]),
        "source.ip     count\n203.0.113.7       6\n198.51.100.9      2\n"
    );
    let json: Value = serde_json::from_str(&said(
        &hub,
        &["search", "failed | count by user", "--format", "json"],
    ))
    .unwrap();
    assert_eq!(json[0], json!({"user.name": "bob", "count": 6}));
    let csv = directory.path().join("failed.csv");
    let into = csv.to_str().unwrap();
    said(&hub, &["search", "failed | count by user", "--format", "csv", "--output", into]);
    let text = std::fs::read_to_string(&csv).unwrap();
    assert_eq!(text, "user.name,count\r\nbob,6\r\n'=cmd|x,2\r\n");
    let parquet = directory.path().join("failed.parquet");
    let into = parquet.to_str().unwrap();
    said(&hub, &["search", "failed", "--format", "parquet", "-o", into]);
    assert!(std::fs::read(&parquet).unwrap().starts_with(b"PAR1"));
    assert!(!directory.path().join("failed.parquet.part").exists());
    let explained = said(&hub, &["search", "failed user:bob", "--explain"]);
    assert!(explained.contains("looks for   message has the words 'failed'"), "{explained}");
    assert!(explained.contains("events"), "{explained}");
    for (arguments, message) in [
        (&["search", "failed | tp user"][..], "did you mean `top`"),
        (&["search", "x | count", "-n", "5"], "| head N"),
        (&["search", "x | count", "--format", "raw"], "no raw lines"),
        (&["search", "x", "--format", "csv", "-n", "5"], "all that is found"),
        (&["search", "x | count", "--top", "user"], "without steps"),
        (&["search", "x", "-o", "/nowhere/x.csv", "--format", "csv"], "/nowhere/x.csv.part"),
    ] {
        let done = run(&hub, arguments);
        assert_eq!(done.code, Some(2), "{arguments:?}: {}", done.out);
        assert!(done.err.contains(message), "{arguments:?}: {}", done.err);
    }
}

#[test]
fn the_directory_of_a_stopped_hub_answers_as_the_hub_did() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub(directory.path());
    let searches: [&[&str]; 13] = [
        &["failed", "--format", "ndjson"],
        &["failed", "-n", "3", "--format", "json"],
        &["failed password -bob", "--format", "raw"],
        &["failed"],
        &["failed", "--format", "csv"],
        &["failed | top source.ip"],
        &["failed | count by user, host", "--format", "csv"],
        &["* | timechart 1d by event.action", "--format", "json"],
        &["* | fields user, source.ip | head 3", "--format", "ndjson"],
        &["failed", "--top", "source.ip"],
        &["failed", "--histogram", "1d"],
        &["failed | count", "--last", "1s"],
        &["nothing here"],
    ];
    let answers: Vec<String> = searches.iter().map(|search| searched(&hub, search)).collect();
    let parquet = directory.path().join("running.parquet");
    let file = ["failed", "--format", "parquet", "--output"];
    said(&hub, &[&["search"], &file[..], &[parquet.to_str().unwrap()]].concat());
    hub.interrupt();
    let stopped = |arguments: &[&str]| {
        let mut command = bergfried(&[&["search"], arguments].concat());
        command.env("BERGFRIED_DATA_DIR", directory.path());
        run_with(command, b"")
    };
    for (search, answer) in searches.iter().zip(answers) {
        let done = stopped(search);
        assert_eq!((done.code, &done.out), (Some(0), &answer), "{search:?}: {}", done.err);
    }
    let again = directory.path().join("stopped.parquet");
    assert_eq!(stopped(&[&file[..], &[again.to_str().unwrap()]].concat()).code, Some(0));
    assert_eq!(std::fs::read(again).unwrap(), std::fs::read(parquet).unwrap());
    let explained = stopped(&["203.0.113.7", "--explain"]);
    assert!(explained.out.contains("events      7 matched"), "{}", explained.out);
    for (arguments, part) in [
        (&["sorce.ip:1"][..], "did you mean `source.ip`"),
        (&["failed", "--last", "soon"], "no span of time"),
        (&["failed", "--save", "x"], "cannot reach the hub"),
    ] {
        let done = stopped(arguments);
        assert!(done.code != Some(0) && done.err.contains(part), "{arguments:?}: {}", done.err);
    }
}

/// What `bergfried search` prints.
fn searched(hub: &Hub, arguments: &[&str]) -> String {
    said(hub, &[&["search"], arguments].concat())
}

#[test]
fn searches_are_kept_by_a_name() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub(directory.path());
    let text = "failed | top source.ip";
    let kept = run(&hub, &["search", text, "--save", "who fails", "--last", "7d"]);
    assert_eq!(kept.code, Some(0), "{}", kept.err);
    assert!(kept.err.contains("kept as search 1, who fails"), "{}", kept.err);
    let listed = said(&hub, &["searches", "list"]);
    assert!(listed.contains("who fails") && listed.contains(text), "{listed}");
    assert_eq!(said(&hub, &["searches", "run", "who fails"]), kept.out);
    let again = run(&hub, &["search", text, "--save", "who fails"]);
    assert!(again.err.contains("one of this name"), "{}", again.err);
    let body = json!({"name": "x", "query": "failed | tp", "last": "1h"}).to_string();
    let wrong = hub.ask("POST", "/api/v1/searches", &body);
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    let body = json!({"name": "failures", "query": "failed", "shared": true}).to_string();
    let changed = hub.ask("PUT", "/api/v1/searches/1", &body);
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["last"], "24h");
    // A fixed time stays one.
    let (from, to) = ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z");
    let times = ["--save", "that day", "--since", from, "--until", to];
    let kept = run(&hub, &[&["search", "failed"], &times[..]].concat());
    assert_eq!(kept.code, Some(0), "{}", kept.err);
    let fixed = hub.get("/api/v1/searches")[1].clone();
    assert_eq!(
        (&fixed["from"], &fixed["to"], &fixed["last"]),
        (&json!(from), &json!(to), &json!(null))
    );
    assert!(said(&hub, &["searches", "list"]).contains(&format!("{from} to {to}")));
    assert_eq!(said(&hub, &["searches", "run", "that day"]), kept.out);
    for wrong in
        [json!({"from": from, "last": "1h"}), json!({"to": to}), json!({"from": to, "to": from})]
    {
        let mut body = json!({"name": "y", "query": ""});
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(hub.ask("POST", "/api/v1/searches", &body.to_string()).status, 400, "{body}");
    }
    said(&hub, &["searches", "delete", "that day"]);
    let missing = run(&hub, &["searches", "run", "failurs"]);
    assert!(missing.err.contains("did you mean `failures`?"), "{}", missing.err);
    said(&hub, &["searches", "delete", "failures"]);
    assert_eq!(hub.get("/api/v1/searches"), json!([]));
    assert_eq!(hub.ask("DELETE", "/api/v1/searches/1", "").status, 404);
}

#[test]
fn entities_have_pages_and_stories() {
    let directory = tempfile::tempdir().unwrap();
    let hub = hub(directory.path());
    let address = hub.get("/api/v1/entities/address/203.0.113.7");
    assert_eq!(address["events"], 7);
    assert_eq!(address["users"][0]["value"], "bob");
    assert_eq!(
        (&address["hosts"][0]["value"], &address["hosts"][0]["count"]),
        (&json!("web"), &json!(7))
    );
    assert_eq!(address["addresses"], json!([]), "it is not told beside itself");
    assert!(address["first_seen"].as_str().unwrap() < address["last_seen"].as_str().unwrap());
    let sum = |body: &Value| -> u64 {
        let buckets = body["histogram"].as_array().unwrap();
        buckets.iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum()
    };
    assert_eq!(sum(&address), 7);
    assert!(!address["alerts"].as_array().unwrap().is_empty(), "{address}");
    assert_eq!(address.get("country"), None);
    let user = hub.get("/api/v1/entities/user/%3Dcmd%7Cx");
    assert_eq!(
        (&user["events"], &user["addresses"][0]["value"]),
        (&json!(2), &json!("198.51.100.9"))
    );
    let nobody = hub.get("/api/v1/entities/host/nobody");
    assert_eq!((&nobody["events"], &nobody["first_seen"]), (&json!(0), &Value::Null));

    let story = hub.get("/api/v1/entities/user/bob/story");
    let steps = story["steps"].as_array().unwrap();
    let kinds = |kind: &str| steps.iter().filter(|step| step["kind"] == kind).count();
    assert!(kinds("finding") >= 1 && kinds("alert") >= 1, "{story}");
    let events: Vec<(&str, u64)> = steps
        .iter()
        .filter(|step| step["kind"] == "event")
        .map(|step| (step["title"].as_str().unwrap(), step["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        events,
        [
            ("Login failed as bob from 203.0.113.7 on web", 6),
            ("Logged in as bob from 203.0.113.7 on web", 1),
        ]
    );
    let times: Vec<&str> = steps.iter().map(|step| step["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn hostile_text_in_tables_reaches_no_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let name = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}bob";
    let line = failed(&ago(20), "web", name, "203.0.113.7");
    assert_eq!(hub.send("1", "web", &[line]).status, 200);
    for arguments in [
        &["search", "* | top user"][..],
        &["search", "* | fields user, message"],
        &["search", "* | timechart 1h by user"],
        &["search", "* | count by user", "--format", "csv"],
        &["search", "*", "--format", "csv"],
    ] {
        let out = said(&hub, arguments);
        let hostile = |c: char| (c.is_control() && !matches!(c, '\n' | '\r')) || c == '\u{202e}';
        assert_eq!(out.chars().find(|c| hostile(*c)), None, "{arguments:?}: {out:?}");
        assert!(out.contains("owned"), "{arguments:?}: {out}");
    }
}

/// A body without the sizes of its chunks (RFC 9112, section 7.1); one without its last chunk panics.
fn unchunked(body: &str) -> String {
    let (mut whole, mut rest) = (String::new(), body);
    loop {
        let (size, after) = rest.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.push_str(&after[..size]);
        rest = after[size..].strip_prefix("\r\n").unwrap();
    }
}

/// The searches of the page that explains the language: every line of its blocks.
fn examples(page: &str) -> Vec<&str> {
    let mut examples = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```search" => inside = true,
            "```" => inside = false,
            _ if inside => examples.push(line.split("  # ").next().unwrap().trim()),
            _ => {}
        }
    }
    examples
}

#[test]
fn every_example_of_the_page_runs() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/search.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples = examples(&page);
    assert!(examples.len() >= 40, "{examples:?}");
    let directory = tempfile::tempdir().unwrap();
    let hub = hub(directory.path());
    for example in examples {
        let path = format!("/api/v1/query?q={}", escaped(example));
        let answer = hub.ask("GET", &path, "");
        assert_eq!(answer.status, 200, "{example}: {}", answer.text());
    }
    for step in bergfried_query::pipeline::STEPS {
        assert!(page.contains(&format!("| {}", step.0)), "the page has no example of {}", step.0);
    }
    for function in bergfried_query::pipeline::FUNCTIONS {
        assert!(page.contains(&format!("{function}(")), "the page has no example of {function}");
    }
    let anonymous = request(&hub.url, "GET", "/api/v1/query?q=", &[], b"").unwrap();
    assert_eq!(anonymous.status, 401);
}
