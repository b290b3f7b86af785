//! Real lines with known truth, from the folder of shared corpora beside the checkout; skipped
//! with a message where that folder is absent.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bergfried_event::{Event, Field, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use serde_json::Value as Json;

fn corpus(path: &str) -> Option<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let file = root.join(path);
    match std::fs::read(&file) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            eprintln!("skipped: cannot read {}: {error}", file.display());
            None
        }
    }
}

fn json_lines(path: &str) -> Option<Vec<Json>> {
    let text = corpus(path)?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn context(received: &str) -> Context<'static> {
    Context {
        received: received.parse().unwrap(),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

/// Everything in an event but its time, its raw text and what the envelope leaves out.
fn meaning(event: &Event<'_>) -> BTreeMap<String, Json> {
    let envelope = ["log.syslog.facility.name", "log.syslog.severity.name", "log.syslog.priority"];
    let Json::Object(map) = serde_json::to_value(event).unwrap() else { unreachable!() };
    map.into_iter()
        .filter(|(name, _)| !envelope.contains(&name.as_str()))
        .filter(|(name, _)| name != "@timestamp" && name != "event.original")
        .collect()
}

#[test]
fn every_form_of_a_line_gives_the_same_event() {
    let Some(lines) = json_lines("lab_debian12/syslog_lines.jsonl") else { return };
    let journal: BTreeMap<String, String> = corpus("lab_debian12/journal.json")
        .unwrap()
        .lines()
        .map(|line| {
            let entry: Json = serde_json::from_str(line).unwrap();
            (entry["__CURSOR"].as_str().unwrap().to_owned(), line.to_owned())
        })
        .collect();
    let context = context("2026-11-21T12:00:00Z");
    for line in &lines {
        let expect = &line["expect"];
        let truth: Timestamp = expect["timestamp_utc"].as_str().unwrap().parse().unwrap();
        let mut meanings = Vec::new();
        for form in ["rfc3164", "rfc3164_pri", "rfc5424", "iso8601"] {
            let text = line[form].as_str().unwrap();
            let event = parse(SourceKind::File, text, &context);
            assert_eq!(event.text(Field::HostName), expect["host"].as_str(), "{text}");
            assert_eq!(event.text(Field::ProcessName), expect["program"].as_str(), "{text}");
            let pid = event.get(Field::ProcessPid).and_then(|pid| pid.as_int());
            assert_eq!(pid, expect["pid"].as_i64(), "{text}");
            assert_eq!(event.text(Field::Message), expect["message"].as_str(), "{text}");
            // rsyslog stamps a line when it reads it, a moment after the journal did.
            let late = event.created().since(truth);
            assert!((-Timestamp::SECOND..2 * Timestamp::SECOND).contains(&late), "{late} {text}");
            if form.ends_with("pri") || form == "rfc5424" {
                assert_eq!(event.text(Field::SyslogFacility), expect["facility"].as_str());
                assert_eq!(event.text(Field::SyslogSeverity), expect["severity"].as_str());
                let code = event.get(Field::SyslogPriority).and_then(|code| code.as_int());
                assert_eq!(code, expect["pri"].as_i64());
            }
            meanings.push(meaning(&event));
        }
        if let Some(entry) = journal.get(line["journal_cursor"].as_str().unwrap()) {
            let event = parse(SourceKind::Journald, entry, &context);
            assert_eq!(event.created(), truth, "{entry}");
            assert_eq!(event.text(Field::SyslogFacility), expect["facility"].as_str());
            let mut journal_meaning = meaning(&event);
            if expect["pid"].is_null() {
                // The journal knows the process of a line that does not say it.
                journal_meaning.remove("process.pid");
            }
            meanings.push(journal_meaning);
        }
        for other in meanings.iter().skip(1) {
            assert_eq!(other, &meanings[0], "{}", line["rfc3164"]);
        }
    }
}
