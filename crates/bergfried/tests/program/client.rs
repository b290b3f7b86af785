//! The commands that ask a hub: how they find it, and what they say where they cannot.

use crate::support::hub::Hub;
use crate::support::lines::{ago, failed};
use crate::support::process::{Done, bergfried, run_with};
use crate::support::wait_until;

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Done {
    let mut command = bergfried(arguments);
    command.envs(environment.iter().copied());
    run_with(command, b"")
}

#[test]
fn a_hub_is_found_by_directory_environment_or_flag() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let line = failed(&ago(3), "web", "bob", "203.0.113.7");
    assert_eq!(hub.send("1", "web", std::slice::from_ref(&line)).status, 200);
    let (data, key) = (directory.path().to_str().unwrap(), hub.key());
    let slash = format!("{}/", hub.url);
    let search = ["search", "user:bob", "--format", "raw"];
    for (flags, environment) in [
        (vec!["--data-dir", data], vec![]),
        (vec![], vec![("BERGFRIED_DATA_DIR", data)]),
        (vec![], vec![("BERGFRIED_URL", hub.url.as_str()), ("BERGFRIED_KEY", &key)]),
        (vec!["--url", &slash, "--key", &key], vec![]),
        (vec!["--url", &hub.url], vec![("BERGFRIED_DATA_DIR", data)]),
    ] {
        let done = run(&[&search[..], &flags].concat(), &environment);
        assert_eq!((done.code, done.out.trim()), (Some(0), line.as_str()), "{}", done.err);
    }
    let table = run(&["search", "user:bob", "--data-dir", data], &[]);
    assert!(table.out.contains("web sshd: Failed password for bob"), "{}", table.out);
    let json = run(&["search", "", "--format", "json", "--data-dir", data], &[]);
    let events: Vec<serde_json::Value> = serde_json::from_str(&json.out).unwrap();
    assert_eq!(events[0]["source.ip"], "203.0.113.7");
    let nothing = run(&["search", "nobody", "--data-dir", data], &[]);
    assert_eq!((nothing.code, nothing.out.as_str()), (Some(0), ""));
}

#[test]
fn hostile_text_from_a_hub_reaches_no_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let name = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}bob";
    let lines: Vec<String> =
        (0..6).map(|n| failed(&ago(20 - n), "web\u{1b}[31m", name, "203.0.113.7")).collect();
    assert_eq!(hub.send("1", "web", &lines).status, 200);
    wait_until("an alert", || hub.alerts().len() == 1);
    let id = hub.alerts()[0]["id"].as_str().unwrap().to_owned();
    for arguments in [
        &["search", ""][..],
        &["search", "", "--format", "raw"],
        &["search", "", "--top", "user"],
        &["alerts"],
        &["alerts", "show", &id],
        &["alerts", "why", &id],
        &["alerts", "note", &id, "--text", name],
        &["alerts", "show", &id],
        &["alerts", "close", &id],
    ] {
        let done = run_with(hub.client(arguments), b"");
        assert_eq!(done.code, Some(0), "{arguments:?}: {}", done.err);
        let hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        let raw = done.out.chars().find(|c| hostile(*c));
        assert_eq!(raw, None, "{arguments:?} lets {raw:?} through");
        assert!(done.out.contains("owned") || done.out.contains("web"), "{}", done.out);
    }
}

#[test]
fn what_fails_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let data = directory.path().to_str().unwrap().to_owned();
    hub.interrupt();
    for (arguments, environment, said) in [
        (vec!["alerts", "--data-dir", &data], vec![], "cannot reach the hub at http://127.0.0.1:"),
        (
            vec!["alerts", "--data-dir", "/nowhere"],
            vec![],
            "give --url, BERGFRIED_URL or --data-dir",
        ),
        (
            vec!["tail"],
            vec![("BERGFRIED_URL", "http://127.0.0.1:1"), ("BERGFRIED_DATA_DIR", "/nowhere")],
            "give --key or BERGFRIED_KEY",
        ),
        (vec!["search", "x", "--format", "rwa"], vec![], "raw"),
        (vec!["search", "x", "--last", "1h", "--since", "2026-01-01"], vec![], "--since"),
        (vec!["alerts", "list", "--min-severity", "hihg"], vec![], "did you mean `high`?"),
        (vec!["notify", "test", "../../x"], vec![("BERGFRIED_DATA_DIR", &*data)], "only letters"),
        (vec!["agent", "--hub", "http://127.0.0.1:1"], vec![], "no token"),
        (vec!["hub", "--listen", "nowhere"], vec![], "--listen"),
    ] {
        let done = run(&arguments, &environment);
        assert_eq!(done.code, Some(2), "{arguments:?}: {}", done.out);
        assert!(done.err.contains(said), "{arguments:?}: {}", done.err);
    }
}
