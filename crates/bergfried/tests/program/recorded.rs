//! What real programs logged: every recorded action is found, in every form of the log.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::process::{bergfried, run_with};

const FORMS: [&str; 4] = ["traditional.log", "iso8601.log", "rfc5424.log", "journal.json"];

/// When the laboratory's logs were written; one form of them does not say.
const LAB_YEAR: &str = "2026";

/// A folder beside or in the checkout; None (and a word) where it is absent.
fn folder(path: &str) -> Option<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: there is no {path} beside this checkout");
    None
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn parse(path: &Path, year: &str) -> Vec<Value> {
    let mut command = bergfried(&["parse", "--year", year]);
    command.arg(path);
    let done = run_with(command, b"");
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    json_lines(&done.out)
}

fn scan(path: &Path) -> Vec<Value> {
    let mut command = bergfried(&["scan", "--year", LAB_YEAR, "--format", "ndjson"]);
    command.arg(path);
    let done = run_with(command, b"");
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    json_lines(&done.out)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn time(value: &Value, key: &str) -> Timestamp {
    text(value, key).parse().unwrap()
}

/// Whether the event tells of the action.
fn tells(event: &Value, action: &Value) -> bool {
    let second = SignedDuration::from_secs(1);
    let at = time(event, "@timestamp");
    if at < time(action, "time") - second || at > time(action, "until") + second {
        return false;
    }
    let same = |key: &str, of: &str| text(event, key) == text(action, of);
    let outcome = same("event.outcome", "outcome");
    let program = text(event, "process.name");
    let what = text(event, "event.action");
    match text(action, "kind") {
        "ssh_login" => {
            let user = if action["logged_user"].is_string() { "logged_user" } else { "user" };
            program.starts_with("sshd")
                && what == "ssh_login"
                && outcome
                && same("user.name", user)
                && (same("source.ip", "source") || same("source.address", "source"))
        }
        "ssh_probe" => program.starts_with("sshd") && same("source.ip", "source"),
        "sudo" => program == "sudo" && outcome && same("user.name", "user"),
        "su" => program == "su" && outcome && same("user.name", "user"),
        "tty_login" => program == "login" && outcome,
        "user_add" | "user_modify" | "user_delete" | "password_change" | "password_age" => {
            same("user.name", "user") || same("user.target.name", "user")
        }
        "group_add" | "group_modify" | "group_delete" => same("group.name", "group"),
        other => panic!("an action of an unknown kind: {other}"),
    }
}

#[test]
fn every_recorded_action_is_found_in_every_form() {
    let Some(folder) = folder("corpus/recorded") else { return };
    let actions = json_lines(&std::fs::read_to_string(folder.join("actions.jsonl")).unwrap());
    assert!(actions.len() >= 50, "{}", actions.len());
    let year = &text(&actions[0], "time")[..4];
    for form in FORMS {
        let events = parse(&folder.join(form), year);
        let lines = std::fs::read_to_string(folder.join(form)).unwrap().lines().count();
        assert_eq!(events.len(), lines, "{form}");
        let missing: Vec<&Value> = actions
            .iter()
            .filter(|action| !events.iter().any(|event| tells(event, action)))
            .collect();
        assert!(missing.is_empty(), "{form}: {} not found: {missing:#?}", missing.len());
    }
}

#[test]
fn a_real_brute_force_is_found_alike_in_every_form() {
    let Some(folder) = folder("../shared/corpora/lab_debian12") else { return };
    let truth: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap();
    let story = &truth["bruteforce"];
    let mut first: Option<Vec<(String, u64)>> = None;
    for form in ["traditional.log", "iso8601.log", "rfc5424.log", "rfc3164_pri.log", "journal.json"]
    {
        let path = folder.join(form);
        let findings = scan(&path);
        let found = findings.iter().find(|finding| {
            text(finding, "rule.name").contains("after many failures")
                && text(finding, "user.name") == text(story, "user")
                && text(finding, "source.ip") == text(story, "source_ip")
                && text(finding, "severity") == "critical"
        });
        assert!(found.is_some(), "{form}: {findings:#?}");

        let events = parse(&path, LAB_YEAR);
        let guesses = |source: &str, user: Option<&str>, outcome: &str| {
            events
                .iter()
                .filter(|event| {
                    text(event, "event.action") == "ssh_login"
                        && text(event, "ssh.method") == "password"
                        && text(event, "event.outcome") == outcome
                        && text(event, "source.ip") == source
                        && user.is_none_or(|user| text(event, "user.name") == user)
                })
                .map(|event| event["event.count"].as_u64().unwrap_or(1))
                .sum::<u64>()
        };
        let (source, user) = (text(story, "source_ip"), text(story, "user"));
        let failures = story["failures"].as_u64().unwrap();
        assert_eq!(guesses(source, Some(user), "failure"), failures, "{form}");
        assert!(guesses(source, Some(user), "success") >= 1, "{form}");
        for (source, count) in truth["ssh_failures_by_ip"].as_object().unwrap() {
            assert_eq!(
                guesses(source, None, "failure"),
                count.as_u64().unwrap(),
                "{form} {source}"
            );
        }
        // The same rules say the same of the same host, however its log is written.
        let mut said: Vec<(String, u64)> = findings
            .iter()
            .map(|finding| {
                let about = ["rule.name", "user.name", "source.ip"].map(|key| text(finding, key));
                (about.join(", "), finding["count"].as_u64().unwrap())
            })
            .collect();
        said.sort();
        match &first {
            None => first = Some(said),
            Some(first) => assert_eq!(&said, first, "{form}"),
        }
    }
}
