//! Every rule file of the packs of SEC says what its samples expect, and is silent where it must be.
//!
//! A line of `samples/<rule file>/fires.log` is the second at which the hub took it, and the line;
//! what comes of all is `expected.json`, of `silent.log` nothing. With `BERGFRIED_WRITE_EXPECTED` set,
//! `expected.json` is written anew, to be read before it is committed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop where it stands")]

use std::fs;
use std::path::{Path, PathBuf};

use bergfried_event::{Field, SourceKind, Timestamp};
use bergfried_parse::Context;
use bergfried_rules::sec::{Deed, PACKS, Purpose, Runner, Sets, SourceFile, Table, pack};
use serde_json::{Value, json};

/// 2026-11-22 00:00:00 UTC.
const START: i64 = 1_795_305_600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sets(file: &SourceFile) -> Sets {
    let none = |name: &str| Err(format!("no table {name}"));
    let (sets, said) =
        Sets::load(vec![(Table::named("s"), vec![file.clone()])], None, &none, Purpose::Run);
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    assert_eq!(said, Vec::<String>::new());
    sets
}

/// What rules say of lines, in their order, with the second.
fn told(sets: &Sets, log: &str) -> Vec<Value> {
    let mut runner = Runner::new(sets, Timestamp::from_seconds(0));
    let mut told = Vec::new();
    for (id, line) in (1..).zip(log.lines()) {
        let (second, line) = line.split_once(' ').unwrap();
        let second: i64 = second.parse().unwrap();
        let time = Timestamp::from_seconds(START + second);
        let context = Context {
            received: time,
            host: "collector",
            time_zone: jiff::tz::TimeZone::UTC,
            year: None,
        };
        let mut event = bergfried_parse::parse(SourceKind::Syslog, line, &context);
        event.set(Field::InputType, SourceKind::Syslog.name());
        let mut findings = Vec::new();
        runner.event(&event, id, time, Some(&mut findings));
        for finding in findings {
            assert_eq!(
                (finding.event_ids.as_slice(), finding.example.as_str()),
                ([id].as_slice(), line)
            );
            told.push(json!({
                "second": second,
                "rule": finding.rule_id,
                "severity": finding.severity,
                "user": finding.user,
                "source": finding.source,
                "alert": finding.alert,
            }));
        }
        for act in runner.take_acts() {
            match act.deed {
                Deed::Heartbeat { origin, timeout } => {
                    told.push(json!({"second": second, "heartbeat": origin, "timeout": timeout}));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    told
}

#[test]
fn rules_say_what_their_samples_expect() {
    for file in PACKS.iter().flat_map(|name| pack(name)) {
        let path = root().join(&file.name);
        let samples = path.parent().unwrap().join("samples").join(path.file_stem().unwrap());
        let sets = sets(&file);
        let read = |name: &str| fs::read_to_string(samples.join(name)).unwrap();
        let found = Value::from(told(&sets, &read("fires.log")));
        let expected = samples.join("expected.json");
        if std::env::var_os("BERGFRIED_WRITE_EXPECTED").is_some() {
            fs::write(&expected, format!("{}\n", serde_json::to_string_pretty(&found).unwrap()))
                .unwrap();
        }
        let expected: Value = serde_json::from_str(&fs::read_to_string(expected).unwrap()).unwrap();
        assert_eq!(found, expected, "{}", file.name);
        assert_eq!(told(&sets, &read("silent.log")), Vec::<Value>::new(), "{}", file.name);
        // Each rule has a sample.
        for rule in sets.rules() {
            let fires =
                |one: &Value| one["rule"] == rule.id.as_str() || one["heartbeat"].is_string();
            assert!(found.as_array().unwrap().iter().any(fires), "{}", rule.id);
        }
    }
}
