//! Rules that change while the hub runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::hub::Hub;
use crate::support::lines::{ago, failed};
use crate::support::process::run_with;
use crate::support::wait_until;

/// A rule that fires on a login of this user that failed.
fn rule(user: &str) -> String {
    format!(
        "title: Seen {user}\nid: 7d1c0a52-4a57-4b0e-a5a1-{user:0>12}\nlogsource:\n  product: \
         linux\n  service: sshd\ndetection:\n  selection:\n    event.action: ssh_login\n    \
         user.name: '{user}'\n  condition: selection\nlevel: high\n"
    )
}

/// Three failed logins of one user, and the rule that counts them.
const COUNT: &str = "title: Guess
id: 7d1c0a52-4a57-4b0e-a5a1-00000000aaaa
name: guess
logsource:
  product: linux
  service: sshd
detection:
  selection:
    event.outcome: failure
  condition: selection
---
title: Three guesses
id: 7d1c0a52-4a57-4b0e-a5a1-00000000bbbb
correlation:
  type: event_count
  rules:
    - guess
  group-by:
    - user.name
  timespan: 10m
  condition:
    gte: 3
level: medium
";

struct Running {
    hub: Hub,
    rules: PathBuf,
    sent: u32,
    _directory: tempfile::TempDir,
}

impl Running {
    fn start(files: &[(&str, &str)]) -> Running {
        let directory = tempfile::tempdir().unwrap();
        let rules = directory.path().join("rules");
        std::fs::create_dir(&rules).unwrap();
        for (name, text) in files {
            std::fs::write(rules.join(name), text).unwrap();
        }
        let data = directory.path().join("data");
        let mut command = Hub::command(&data);
        command.arg("--rules").arg(&rules);
        let hub = Hub::run(command, &data);
        Running { hub, rules, sent: 0, _directory: directory }
    }

    fn guess(&mut self, user: &str) {
        self.sent += 1;
        let line = failed(&ago(5), "web", user, "203.0.113.7");
        assert_eq!(self.hub.send(&self.sent.to_string(), "web", &[line]).status, 200);
    }

    fn alerts(&self) -> Vec<String> {
        let alerts = self.hub.alerts();
        alerts.iter().map(|alert| alert["event"].as_str().unwrap().to_owned()).collect()
    }

    fn running(&self) -> Vec<String> {
        let rules = self.hub.get("/api/v1/rules");
        let titles = rules.as_array().unwrap().iter().map(|rule| rule["title"].as_str().unwrap());
        titles.map(str::to_owned).collect()
    }

    fn health(&self) -> Value {
        self.hub.get("/api/v1/health")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.rules.join(name), text).unwrap();
    }
}

#[test]
fn rule_files_are_taken_while_the_hub_runs() {
    let mut running = Running::start(&[("a.yml", &rule("1"))]);
    running.guess("2");
    assert_eq!(running.alerts(), Vec::<String>::new());

    // In a directory that was made just now.
    std::fs::create_dir(running.rules.join("more")).unwrap();
    running.write("more/b.yml", &rule("2"));
    wait_until("the new rule", || running.running() == ["Seen 1", "Seen 2"]);
    running.guess("2");
    wait_until("its alert", || running.alerts() == ["Seen 2"]);
    assert_eq!(running.health()["status"], "ok");

    // Broken: what ran runs on, also what the broken file said before.
    running.write("more/b.yml", &rule("2").replace("selection\nlevel", "selektion\nlevel"));
    wait_until("the refusal", || running.health()["status"] == "degraded");
    let failed = &running.health()["failed_reload"];
    assert_eq!(failed["status"], "kept");
    let told = &failed["diagnostics"][0];
    assert!(told["file"].as_str().unwrap().ends_with("more/b.yml"), "{told}");
    assert!(told["message"].as_str().unwrap().contains("`selektion`"), "{told}");
    assert_eq!(told["line"], 10);
    wait_until("its word in the log", || {
        running.hub.process.err().contains("the rules of before run on")
    });
    running.guess("1");
    running.guess("2");
    wait_until("both alerts", || running.alerts() == ["Seen 1", "Seen 2"]);
    let list = run_with(running.hub.client(&["rules", "list"]), b"");
    assert!(list.err.contains("did not take the change of the rules"), "{}", list.err);
    let reload = run_with(running.hub.client(&["rules", "reload"]), b"");
    assert_eq!(reload.code, Some(2));
    assert!(reload.err.contains("b.yml:10:"), "{}", reload.err);

    running.write("more/b.yml", &rule("3"));
    wait_until("the mended rule", || running.running() == ["Seen 1", "Seen 3"]);
    assert_eq!(running.health()["status"], "ok");
    running.guess("3");
    wait_until("its alert", || running.alerts().len() == 3);

    std::fs::remove_dir_all(running.rules.join("more")).unwrap();
    wait_until("its end", || running.running() == ["Seen 1"]);
}

#[test]
fn lists_and_the_policy_change_while_the_hub_runs() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let denied = rule("1")
        .replace("event.action: ssh_login\n    user.name: '1'", "network_policy.verdict: denied");
    std::fs::write(path("rule.yml"), denied.replace("service: sshd", "service: sudo")).unwrap();
    std::fs::write(path("lists.yml"), "safe_hosts: [trusted.example]\n").unwrap();
    let config = format!("rules = [{:?}]\nlists = {:?}\n", path("rule.yml"), path("lists.yml"));
    std::fs::write(path("hub.toml"), config).unwrap();
    let hub = Hub::start_with_config(&path("data"), &path("hub.toml"));
    let mut sent = 0;
    let mut command = |host: &str| {
        sent += 1;
        let stamp = ago(5);
        let line = format!(
            "{stamp} web sudo: bob : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/curl https://{host}/"
        );
        assert_eq!(hub.send(&sent.to_string(), "web", &[line]).status, 200);
    };
    command("user@trusted.example");
    command("first.example");
    let unlisted = || -> Vec<Value> {
        hub.search("destination.unlisted:*")
            .iter()
            .map(|event| event["destination.unlisted"].clone())
            .collect()
    };
    assert_eq!(unlisted(), [serde_json::json!(["first.example"])]);
    assert_eq!(hub.search("network_policy.verdict:*"), [] as [Value; 0]);

    let reload = || run_with(hub.client(&["rules", "reload"]), b"");
    std::fs::write(path("lists.yml"), "network_policy: {mode: allowlst}\n").unwrap();
    let told = reload();
    assert!(told.err.contains("lists.yml:1:1: unknown mode `allowlst`"), "{}", told.err);
    let policy = "safe_hosts: [trusted.example]\nnetwork_policy:\n  mode: allowlist\n  \
                  hosts: ['%safe_hosts%']\n";
    std::fs::write(path("lists.yml"), policy).unwrap();
    assert_eq!(reload().code, Some(0));
    command("trusted.example:8443");
    command("second.example");
    wait_until("the alert", || hub.alerts().len() == 1);
    let events = hub.search("network_policy.verdict:denied");
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["network_policy.reason"], "second.example is not in the allowlist");
    assert_eq!(hub.search("network_policy.verdict:allowed").len(), 1);
}

#[test]
fn windows_go_on_over_a_change() {
    let mut running = Running::start(&[("count.yml", COUNT)]);
    running.guess("eve");
    running.guess("eve");
    running.write("other.yml", &rule("9"));
    wait_until("the other rule", || running.running().len() == 3);
    assert_eq!(running.alerts(), Vec::<String>::new());
    running.guess("eve");
    wait_until("the alert", || running.alerts() == ["Three guesses"]);
    assert_eq!(running.hub.alerts()[0]["count"], 3);
    let stats = running.hub.get("/api/v1/rules/stats");
    let hits: Vec<u64> =
        stats.as_array().unwrap().iter().map(|rule| rule["hits"].as_u64().unwrap()).collect();
    assert_eq!(hits, [3, 1, 0]);
}

#[test]
fn a_hangup_and_the_api_read_the_files_again() {
    let mut running = Running::start(&[("a.yml", &rule("1"))]);
    running.guess("1");
    let reload = |running: &Running| run_with(running.hub.client(&["rules", "reload"]), b"");
    assert_eq!(reload(&running).out, "the files are as they were, 1 rules run\n");
    running.write("b.yml", &rule("2"));
    let pid = running.hub.process.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    wait_until("the new rule", || running.running().len() == 2);
    running.write("c.yml", &rule("3"));
    // The hub may have seen the file before it is asked.
    let told = reload(&running).out;
    assert!(told.contains("3 rules run"), "{told}");
    let audited = running.hub.audited("rules.reload");
    let change = (&audited["before"], &audited["after"]);
    if told.contains("as they were") {
        assert_eq!(change, (&json!({}), &json!({})), "{audited}");
    } else {
        // Only what is another way: the files as a whole, and the rule that is new.
        let told: Vec<&String> = change
            .1
            .as_object()
            .unwrap()
            .values()
            .filter_map(|one| match one {
                Value::String(text) => Some(text),
                _ => None,
            })
            .collect();
        assert!(told.iter().any(|text| *text == "Seen 3 (high)") && told.len() == 2, "{audited}");
        assert_eq!(change.0.as_object().unwrap().len(), 1, "{audited}");
    }
    let unauthorized = crate::support::http::request(
        &running.hub.url,
        "POST",
        "/api/v1/rules/reload",
        &[("Authorization", &format!("Bearer {}", running.hub.agent_token()))],
        b"",
    );
    assert_eq!(unauthorized.unwrap().status, 401);
    assert!(running.hub.interrupt().0.success());
}

#[test]
fn a_directory_that_goes_away_takes_no_rule_along() {
    let mut running = Running::start(&[("a.yml", &rule("1"))]);
    let elsewhere = running.rules.with_extension("away");
    std::fs::rename(&running.rules, &elsewhere).unwrap();
    let reload = |running: &Running| run_with(running.hub.client(&["rules", "reload"]), b"");
    let told = reload(&running);
    assert_eq!(told.code, Some(2));
    assert!(told.err.contains("cannot read rules from"), "{}", told.err);
    assert_eq!(reload(&running).code, Some(2));
    assert_eq!(running.health()["status"], "degraded");
    running.guess("1");
    wait_until("the alert", || running.alerts() == ["Seen 1"]);
    std::fs::write(elsewhere.join("b.yml"), rule("2")).unwrap();
    std::fs::rename(&elsewhere, &running.rules).unwrap();
    wait_until("both rules", || running.running() == ["Seen 1", "Seen 2"]);
    assert_eq!(running.health()["status"], "ok");
}

#[test]
fn what_each_rule_does_is_shown() {
    let mut running = Running::start(&[("a.yml", &rule("1")), ("count.yml", COUNT)]);
    running.guess("1");
    running.guess("2");
    let id = "7d1c0a52-4a57-4b0e-a5a1-000000000001";
    let shown = running.hub.get(&format!("/api/v1/rules/{id}"));
    assert_eq!(shown["condition"], "event.action is 'ssh_login' and user.name is '1'");
    assert_eq!((&shown["counts"]["hits"], &shown["counts"]["findings"]), (&1.into(), &1.into()));
    let heimdall = serde_json::json!({"event_type": "SYSTEM_ALERT", "severity": 4});
    assert_eq!(shown["heimdall"], heimdall);
    assert!(shown["counts"]["last_hit"].as_str().unwrap().ends_with('Z'), "{shown}");
    assert!(shown["counts"]["nanoseconds_per_event"].as_f64().unwrap() > 0.0, "{shown}");
    assert_eq!(running.hub.ask("GET", "/api/v1/rules/none", "").status, 404);

    let table = run_with(running.hub.client(&["rules", "stats", "--sort", "cost"]), b"").out;
    assert!(table.lines().count() == 4 && table.contains("ns/event"), "{table}");
    let path = running.rules.to_str().unwrap();
    let list = running.hub.client(&["rules", "list", "--rules", path, "--format", "json"]);
    let list: Vec<Value> = serde_json::from_str(&run_with(list, b"").out).unwrap();
    assert_eq!((&list[0]["title"], &list[0]["hits"]), (&"Seen 1".into(), &1.into()));

    // Nothing of cron was seen, so a rule about it waits.
    let other = tempfile::tempdir().unwrap();
    let waiting = write(other.path(), &rule("1").replace("sshd", "cron"));
    let check = running.hub.client(&["rules", "check", "--hub", waiting.to_str().unwrap()]);
    let check = run_with(check, b"");
    assert!(check.out.contains("no event of service: cron was seen"), "{check:?}");
    let alike = write(other.path(), &rule("1"));
    let check = running.hub.client(&["rules", "check", "--hub", alike.to_str().unwrap()]);
    assert!(!run_with(check, b"").out.contains("was seen"));

    let event = running.hub.search("user:1")[0]["event.id"].to_string();
    let rule = alike.to_str().unwrap();
    let explain = run_with(running.hub.client(&["rules", "explain", &event, rule]), b"");
    assert_eq!(explain.code, Some(0), "{explain:?}");
    assert!(explain.out.contains("+ user.name is '1'   saw '1'"), "{}", explain.out);
}

fn write(directory: &Path, text: &str) -> PathBuf {
    let path = directory.join("rule.yml");
    std::fs::write(&path, text).unwrap();
    path
}
