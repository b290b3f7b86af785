//! How people set `alerta` up: its configuration file, profiles, other prefixes, no key at all.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Api;
use super::client::Client;
use crate::support::hub::Hub;
use crate::support::process::run_with;

fn start(data: &Path, settings: &Value, more: &[&str]) -> Hub {
    let file = data.with_extension("alerta.json");
    fs::write(&file, settings.to_string()).unwrap();
    let mut command = Hub::command(data);
    command.arg("--alerta-config").arg(file).args(more);
    Hub::run(command, data)
}

/// `alerta` with only these variables of its own; what it printed.
fn alerta(
    client: &Client,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (Option<i32>, String) {
    let mut command = client.command(client.program());
    command.env_remove("ALERTA_ENDPOINT").env_remove("ALERTA_API_KEY");
    command.envs(variables.iter().copied()).args(arguments);
    let done = run_with(command, b"");
    (done.code, done.out + &done.err)
}

#[test]
fn a_configuration_file_with_profiles_is_enough() {
    let directory = tempfile::tempdir().unwrap();
    let (strict, open) = (directory.path().join("strict"), directory.path().join("open"));
    let strict = start(&strict, &json!({"AUTH_REQUIRED": true}), &[]);
    let open = start(&open, &json!({}), &["--alerta-prefix", "/monitoring/alerta"]);
    let Some(client) = Client::of(&strict) else { return };
    let key = Api::of(&strict).expect(
        ("POST", "/key"),
        Some(json!({"user": "ada", "scopes": ["read", "write"], "text": "laptop"})),
        201,
        &["data", "key", "status"],
    );
    let file = directory.path().join("home/.alerta.conf");
    fs::create_dir(file.parent().unwrap()).unwrap();
    let text = format!(
        "[DEFAULT]\ntimezone = Europe/Helsinki\noutput = psql\n\n\
         [profile strict]\nendpoint = {}/api\nkey = {}\noutput = json\n\n\
         [profile open]\nendpoint = {}/monitoring/alerta\n",
        strict.url,
        key["key"].as_str().unwrap(),
        open.url
    );
    fs::write(&file, text).unwrap();
    let home = file.parent().unwrap().to_str().unwrap();
    let home = [("HOME", home)];

    let event = ["-r", "web1", "-e", "Down", "-E", "Production", "-S", "Web", "-s", "major"];
    let send = |profile| [&["--profile", profile, "send"][..], &event].concat();
    for profile in ["strict", "open"] {
        let (code, out) = alerta(&client, &home, &send(profile));
        assert!(code == Some(0) && out.ends_with("(indeterminate -> major)\n"), "{profile}: {out}");
    }
    let (_, out) = alerta(&client, &home, &["--profile", "strict", "query"]);
    let alerts: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON: {out}"));
    assert_eq!(alerts[0]["resource"], "web1");
    let by_name = [home[0], ("ALERTA_DEFAULT_PROFILE", "open")];
    let (_, out) = alerta(&client, &by_name, &["query"]);
    assert!(out.starts_with('+') && out.contains("| web1"), "{out}");
    let (_, out) = alerta(&client, &by_name, &["--output", "plain", "query"]);
    // An id such as `4888e114` is a number to the client, which aligns it to the right.
    assert!(out.trim_start().starts_with("ID "), "{out}");
    let elsewhere = [("ALERTA_CONF_FILE", file.to_str().unwrap())];
    let (_, out) =
        alerta(&client, &elsewhere, &["--profile", "strict", "--output", "plain", "query"]);
    assert!(out.contains("web1"), "{out}");

    // Variables and options stand before the file, and a wrong or no key is told.
    let address = format!("{}/api", strict.url);
    for (variables, code, part) in [
        (vec![home[0], ("ALERTA_ENDPOINT", &*address)], 1, "Missing authorization"),
        (
            vec![home[0], ("ALERTA_ENDPOINT", &*address), ("ALERTA_API_KEY", "wrong")],
            1,
            "API key is invalid",
        ),
        (
            vec![home[0], ("ALERTA_ENDPOINT", &*address), ("ALERTA_API_KEY", &strict.key())],
            0,
            "web1",
        ),
    ] {
        let (ended, out) = alerta(&client, &variables, &["query"]);
        assert_eq!(ended, Some(code), "{out}");
        assert!(out.contains(part), "{out}");
    }
    let (code, out) =
        alerta(&client, &home, &["--endpoint-url", &address, "--profile", "open", "query"]);
    assert!(code == Some(1) && out.contains("Missing authorization"), "{out}");
}

#[test]
fn without_a_prefix_and_without_keys_alerta_works() {
    let directory = tempfile::tempdir().unwrap();
    let hub = start(&directory.path().join("data"), &json!({}), &["--alerta-prefix", "/"]);
    let Some(client) = Client::of(&hub) else { return };
    let variables = [("ALERTA_ENDPOINT", hub.url.as_str())];
    for (arguments, part) in [
        (&["send", "-r", "web1", "-e", "Down", "-E", "Production", "-S", "Web"][..], "normal)"),
        (&["query", "-f", "resource=web1", "--full"], "web1"),
        (&["note", "-f", "resource=web1", "--text", "I look"], "1 alerts"),
        (&["heartbeat", "-O", "cron", "--timeout", "60"], "-"),
        (&["heartbeats"], "cron"),
        (&["history"], "I look"),
        (&["alerts", "--services"], "Web"),
        (&["housekeeping", "--expired", "1", "--info", "1"], ""),
        (&["version"], "alerta client 8.5.3"),
        (&["uptime"], "up 0 days"),
        (&["config"], "auth_required"),
        (&["delete", "-f", "resource=web1"], "1 alerts"),
    ] {
        let (code, out) = alerta(&client, &variables, arguments);
        assert!(code == Some(0) && out.contains(part), "{arguments:?}: {out}");
    }
}
