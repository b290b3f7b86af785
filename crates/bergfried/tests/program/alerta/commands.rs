//! What people do with the real `alerta` command: look at alerts and change them.

use std::process::Command;

use serde_json::{Value, json};

use super::Api;
use super::client::{Client, id_of};
use crate::support::hub::Hub;
use crate::support::process::Process;
use crate::support::wait_for;

#[test]
fn alerta_shows_and_changes_alerts() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let Some(client) = Client::of(&hub) else { return };
    let api = Api::of(&hub);
    let send = |resource: &str, environment: &str| {
        id_of(&client.ok(&[
            "send",
            "-r",
            resource,
            "-e",
            "Down",
            "-E",
            environment,
            "-s",
            "major",
            "-S",
            "Web",
            "-t",
            "it is down",
            "--raw-data",
            "raw",
        ]))
    };
    let (one, two) = (send("web1", "Production"), send("web2", "Development"));
    let short = &one[..8];
    let status = |id: &str| api.get(&format!("/alert/{id}"))["alert"]["status"].clone();

    let table = client.ok(&["query", "--oneline"]);
    assert!(table.contains("web1") && table.contains("web2"), "{table}");
    let found = |arguments: &[&str]| {
        let mut all = vec!["--json", "query"];
        all.extend_from_slice(arguments);
        serde_json::from_str::<Value>(&client.ok(&all)).unwrap().as_array().unwrap().len()
    };
    assert_eq!(found(&["-i", &one]), 1);
    assert_eq!(found(&["-i", short]), 1);
    assert_eq!(found(&["-f", "resource=web2"]), 1);
    assert_eq!(found(&["-f", "resource!=web2"]), 1);
    assert_eq!(found(&["-q", "environment:Production AND severity:major"]), 1);
    assert_eq!(found(&["-f", "status=closed"]), 0);
    for option in ["--environments", "--services", "--groups", "--tags"] {
        client.ok(&["alerts", option]);
    }
    assert!(client.ok(&["alerts", "--environments"]).contains("Development"));
    assert!(client.ok(&["alerts", "--services"]).contains("Web"));
    for display in ["--medium", "--full"] {
        let text = client.ok(&["query", display]);
        assert!(text.contains("|web1"), "{text}");
    }

    for (command, after) in [
        ("ack", "ack"),
        ("unack", "open"),
        ("shelve", "shelved"),
        ("unshelve", "open"),
        ("close", "closed"),
    ] {
        client.ok(&[command, "-i", &one, "--text", "by hand"]);
        assert_eq!(status(&one), after, "{command}");
    }
    let history = client.ok(&["history", "-i", &one]);
    assert!(["shelve", "close", "by hand"].iter().all(|word| history.contains(word)), "{history}");
    client.ok(&["action", "-a", "createIssue", "-i", &two]);
    assert!(client.ok(&["history", "-f", "resource=web2"]).contains("createIssue"));
    client.ok(&["ack", "-f", "environment=Development"]);
    assert_eq!(status(&two), "ack");

    client.ok(&["tag", "-i", &two, "-T", "a", "-T", "b"]);
    client.ok(&["untag", "-i", &two, "-T", "a"]);
    client.ok(&["update", "-i", &two, "-A", "owner=Ada"]);
    let alert = api.get(&format!("/alert/{two}"))["alert"].clone();
    assert_eq!((&alert["tags"], &alert["attributes"]["owner"]), (&json!(["b"]), &json!("Ada")));

    client.ok(&["note", "-i", &two, "--text", "I look at it"]);
    assert!(client.ok(&["notes", "-i", &two]).contains("I look at it"));
    let notes: Value = serde_json::from_str(&client.ok(&["--json", "notes", "-i", &two])).unwrap();
    client.ok(&["note", "-D", &two, notes[0]["id"].as_str().unwrap()]);
    assert!(!client.ok(&["notes", "-i", &two]).contains("I look at it"));

    assert!(client.ok(&["raw", "-i", &two]).contains(&two));
    client.ok(&["delete", "-i", &two]);
    assert_eq!(api.get("/alerts/count")["total"], 1);
    client.ok(&["delete", "-f", "resource=web1"]);
    assert_eq!(api.get("/alerts/count")["total"], 0);
}

#[test]
fn alerta_watches_and_tops() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let Some(client) = Client::of(&hub) else { return };
    let watch = |arguments: &[&str]| {
        let mut command = client.command(client.program());
        command.args(arguments).env("PYTHONUNBUFFERED", "1");
        Process::spawn(&mut command)
    };
    let watching = watch(&["watch", "--details", "-n", "1"]);
    for resource in ["web1", "web2"] {
        client.ok(&["send", "-r", resource, "-e", "Down", "-E", "Production", "-S", "Web"]);
        wait_for("the alert in the watch", || watching.out().contains(resource).then_some(()));
    }
    drop(watching);

    // `top` needs a terminal, which util-linux's `script` gives it.
    let mut command = client.command("script");
    let top = format!("exec {} top", client.program().display());
    command.args(["-qefc", &top, "/dev/null"]).env("TERM", "xterm");
    command.env("COLUMNS", "150").env("LINES", "40");
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: there is no program `script`");
        return;
    }
    let shown = Process::spawn(&mut command);
    wait_for("the alert in top", || shown.out().contains("web1").then_some(()));
}
