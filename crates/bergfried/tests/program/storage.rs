//! What is stored as a whole: `bergfried db` beside a hub that runs, and on its directory afterwards.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::hub::Hub;
use crate::support::lines::{ago, break_in};
use crate::support::process::{Done, bergfried, run_with};
use crate::support::python::{python, run_client};
use crate::support::wait_until;

fn db(data: &Path, arguments: &[&str]) -> Done {
    let mut command = bergfried(&[&["db"], arguments].concat());
    command.env("BERGFRIED_DATA_DIR", data);
    run_with(command, b"")
}

fn lines() -> Vec<String> {
    let hostile = "web1 app: =cmd|' /C calc'!A0 \u{202e}\u{1b}[31m<img onerror=x>";
    let mut lines = break_in("web1", "root", "203.0.113.9");
    lines.extend((0..200).map(|number| format!("{} web1 app[7]: line {number}", ago(60))));
    lines.push(format!("{} {hostile}", ago(30)));
    lines
}

#[test]
fn a_backup_of_a_running_hub_is_restored_whole() {
    let base = tempfile::tempdir().unwrap();
    let (data, copy, target) =
        (base.path().join("data"), base.path().join("copy"), base.path().join("target"));
    let hub = Hub::start(&data);
    assert_eq!(hub.send("1", "web1", &lines()).status, 200);
    wait_until("the alert is there", || !hub.alerts().is_empty());
    let (alerts, stored) = (hub.alerts(), hub.stored());
    let backed = db(&data, &["backup", copy.to_str().unwrap()]);
    assert_eq!(backed.code, Some(0), "{}{}", backed.out, backed.err);
    assert_ne!(db(&data, &["backup", copy.to_str().unwrap()]).code, Some(0));
    hub.kill();

    let restore = |data: &Path| db(data, &["restore", copy.to_str().unwrap()]);
    assert!(restore(&data).err.contains("something is there already"));
    let key = copy.join("admin.key");
    let secret = std::fs::read(&key).unwrap();
    std::fs::write(&key, b"torn").unwrap();
    let refused = restore(&target);
    assert!(refused.code != Some(0) && !target.exists(), "{}{}", refused.out, refused.err);
    std::fs::write(&key, secret).unwrap();
    let restored = restore(&target);
    assert_eq!(restored.code, Some(0), "{}{}", restored.out, restored.err);
    let hub = Hub::start(&target);
    assert_eq!(hub.stored(), stored);
    let ids = |alerts: &[Value]| alerts.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&hub.alerts()), ids(&alerts));
    hub.interrupt();
}

#[test]
fn a_running_hub_is_asked_and_its_directory_read_afterwards() {
    let base = tempfile::tempdir().unwrap();
    let data = base.path().join("data");
    let hub = Hub::start(&data);
    assert_eq!(hub.send("1", "web1", &lines()).status, 200);
    for (arguments, part) in [
        (&["status"][..], "in memory"),
        (&["verify"], "whole: 0 segments"),
        (&["compact"], "0 segments became 0"),
    ] {
        let done = db(&data, arguments);
        assert!(done.code == Some(0) && done.out.contains(part), "{}{}", done.out, done.err);
    }
    let refused = db(&data, &["archive", "--older-than", "30d", "/nonexistent/archive"]);
    assert!(refused.err.contains("stop it"), "{}", refused.err);
    let storage = hub.get("/api/v1/storage");
    assert_eq!(storage["retention"]["days"], Value::Null);
    assert_eq!(storage["verified"]["whole"], Value::Bool(true));
    let wrong = hub.ask("POST", "/api/v1/storage/verify", r#"{"known":"no hex"}"#);
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    hub.interrupt();

    for arguments in [&["status"][..], &["verify"], &["compact"]] {
        assert_eq!(db(&data, arguments).code, Some(0));
    }
    let unknown = db(&data, &["verify", "--known", "abc"]);
    assert!(unknown.code == Some(1) && unknown.out.contains("never had"), "{}", unknown.out);
    let archive = base.path().join("archive");
    let archived = db(&data, &["archive", "--older-than", "30d", archive.to_str().unwrap()]);
    assert!(archived.out.contains("0 events"), "{}{}", archived.out, archived.err);
    assert_eq!(db(&archive, &["verify"]).code, Some(0));
    assert_ne!(db(&base.path().join("nowhere"), &["verify"]).code, Some(0));
}

#[test]
fn exports_are_read_by_others() {
    let base = tempfile::tempdir().unwrap();
    let data = base.path().join("data");
    let hub = Hub::start(&data);
    assert_eq!(hub.send("1", "web1", &lines()).status, 200);
    let stored = hub.stored();
    let file = |format: &str| base.path().join(format!("out.{format}"));
    let export = |query: &str, format: &str| {
        let done = db(&data, &["export", query, "--last", "7d", "--format", format]);
        assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
        done.out
    };
    let asked: Vec<(&str, &str)> =
        ["", "line | fields host.name, message", "* | count by process.name"]
            .into_iter()
            .flat_map(|query| ["ndjson", "json", "csv"].map(|format| (query, format)))
            .collect();
    let by_hub: Vec<String> = asked.iter().map(|(query, format)| export(query, format)).collect();
    hub.interrupt();
    for ((query, format), by_hub) in asked.iter().zip(&by_hub) {
        assert_eq!(&export(query, format), by_hub, "{query} as {format}: the hub writes the same");
    }
    for format in ["ndjson", "json", "csv", "parquet"] {
        let path = file(format);
        let arguments =
            ["export", "", "--last", "7d", "--format", format, "--output", path.to_str().unwrap()];
        let done = db(&data, &arguments);
        assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
        assert_ne!(db(&data, &arguments).code, Some(0), "a file is not written over");
    }
    let text = std::fs::read_to_string(file("ndjson")).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len() as u64, stored);
    let list = std::fs::read(file("json")).unwrap();
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&list).unwrap(), events);
    let table = std::fs::read_to_string(file("csv")).unwrap();
    assert_eq!(table.lines().count() as u64, stored + 1);
    let Some(python) = python("duckdb") else { return };
    let mut command = Command::new(python);
    command.args(["-c", "
import duckdb, json, sys
rows = duckdb.sql(f\"select \\\"event.id\\\", \\\"event.original\\\" from '{sys.argv[1]}' order by 1\")
print(json.dumps(rows.fetchall()))
"]);
    command.arg(file("parquet"));
    let rows = run_client(command);
    let mut expected: Vec<Value> = events
        .iter()
        .map(|event| Value::from(vec![event["event.id"].clone(), event["event.original"].clone()]))
        .collect();
    expected.sort_by_key(|row| row[0].as_u64());
    assert_eq!(rows.as_array().unwrap(), &expected);
}
