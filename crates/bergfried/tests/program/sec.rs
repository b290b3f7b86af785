//! Rule files of SEC in the hub: alerts, windows over a restart, what rules may do, other files while
//! the hub runs, and history.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::hub::Hub;
use crate::support::lines::{accepted, ago};
use crate::support::process::{bergfried, run, run_with};
use crate::support::wait_until;

/// A rule of Sigma that never fires, so that rules of SEC run alone.
const QUIET: &str = "title: Never\nid: 7d1c0a52-4a57-4b0e-a5a1-0000000000aa\nlogsource: {service: sshd}\n\
                     detection: {s: {user.name: nobody-has-this-name}, condition: s}\nlevel: low\n";

/// The third guess at an application within ten minutes.
const GUESSES: &str = "type=SingleWithThreshold
ptype=RegExp
pattern=app\\[\\d+\\]: bad password of (\\w+)
desc=guesses at $1
window=600
thresh=3
action=alert severity=major resource=app event=Guesses attributes.user_name=$1 text=Guesses at $1
";

/// A start that nothing ends within two seconds.
const STARTS: &str = "type=PairWithWindow
ptype=RegExp
pattern=app\\[\\d+\\]: start (\\w+)
desc=start of $1
action=alert severity=warning resource=$1 event=NeverDone text=$1 was started and never done
ptype2=RegExp
pattern2=app\\[\\d+\\]: done $1
desc2=end of %1
action2=none
window=2
";

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("sec")).unwrap();
        std::fs::write(directory.path().join("quiet.yml"), QUIET).unwrap();
        Place { directory }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.at("sec").join(name), text).unwrap();
    }

    /// A hub with these tables in its configuration.
    fn hub(&self, tables: &str) -> Hub {
        let quiet = self.at("quiet.yml");
        let text = format!("rules = [{:?}]\n{tables}", quiet.to_str().unwrap());
        std::fs::write(self.at("hub.toml"), text).unwrap();
        Hub::start_with_config(&self.at("data"), &self.at("hub.toml"))
    }

    /// A hub with the rule files of the directory `sec`.
    fn hub_with_files(&self, more: &str) -> Hub {
        let files = self.at("sec").join("*.sec");
        self.hub(&format!(
            "[[sec]]\nname = \"own\"\nfiles = [{:?}]\n{more}",
            files.to_str().unwrap()
        ))
    }
}

fn send(hub: &Hub, batch: u32, texts: &[&str]) {
    let lines: Vec<String> = texts.iter().map(|text| format!("{} web1 {text}", ago(1))).collect();
    assert_eq!(hub.send(&batch.to_string(), "web1", &lines).status, 200);
}

fn events(hub: &Hub) -> Vec<String> {
    let alerts = hub.alerts();
    alerts.iter().map(|alert| alert["event"].as_str().unwrap().to_owned()).collect()
}

/// What the status says of the only set.
fn set(hub: &Hub) -> Value {
    hub.get("/api/v1/status")["sec"][0].clone()
}

fn told(alert: &Value, first: &str, last: &str) -> String {
    let of = |name: &str| alert[name].to_string();
    format!("{} {} {} {} {}", of("resource"), of("event"), of("count"), of(first), of(last))
}

#[test]
fn the_home_lab_pack_makes_alerts_and_history_tells_the_same() {
    let place = Place::new();
    let hub = place.hub("[[sec]]\npack = \"home-lab\"\n");
    let host = "web-1.lan";
    let lines = [
        accepted(&ago(9), host, "anna", "192.0.2.1"),
        format!(
            "{} {host} sshd[9]: Failed password for invalid user $(id) from 198.51.100.7 port 42 ssh2",
            ago(8)
        ),
        format!(
            "{} {host} sudo: pam_unix(sudo:auth): authentication failure; logname=anna uid=1 euid=0 tty=/dev/pts/0 ruser=anna rhost=  user=anna",
            ago(7)
        ),
        format!(
            "{} {host} login[5]: FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure",
            ago(6)
        ),
        format!(
            "{} wall php-fpm[3]: /index.php: webConfigurator authentication error for user 'admin' from: 192.0.2.9",
            ago(5)
        ),
        format!(
            "{} wall php-fpm[3]: /index.php: webConfigurator authentication error for user 'admin' from: 192.0.2.9",
            ago(4)
        ),
        format!(
            "{} wall sshguard[3]: Attack from \"203.0.113.9\" on service SSH with danger 10.",
            ago(3)
        ),
        format!("{} nas rsnapshot[4]: /usr/bin/rsnapshot hourly: completed successfully", ago(2)),
    ];
    assert_eq!(hub.send("1", host, &lines).status, 200);
    let expected = [
        "SshLoginAccepted",
        "SshUnknownUser",
        "SshguardAttack",
        "SudoFailed",
        "TtyLoginFailed",
        "WebLoginFailed",
    ];
    wait_until("the alerts", || events(&hub) == expected);
    let alerts = hub.alerts();
    assert_eq!(alerts[0]["resource"], host);
    assert_eq!(alerts[0]["severity"], "informational");
    assert_eq!(alerts[0]["rule_id"], "sec:home-lab:ssh.sec:3");
    assert_eq!(alerts[5]["severity"], "critical");
    assert!(alerts[1]["text"].as_str().unwrap().contains("unknown user $(id)"), "{}", alerts[1]);
    wait_until("the heartbeat", || {
        hub.get("/api/v1/heartbeats").to_string().contains("nas_backup")
    });

    // The rules are listed beside those of Sigma, with their hits and their text.
    let rules = hub.get("/api/v1/rules");
    let of_sec: Vec<&Value> =
        rules.as_array().unwrap().iter().filter(|rule| rule["kind"] == "sec").collect();
    assert!(of_sec.len() >= 12, "{}", of_sec.len());
    let login = hub.get("/api/v1/rules/sec%3Ahome-lab%3Assh.sec%3A3");
    assert_eq!((&login["hits"], &login["open_alerts"]), (&json!(1), &json!(1)));
    assert!(login["source"].as_str().unwrap().contains("event=SshLoginAccepted"));
    let listed = run_with(hub.client(&["rules", "list"]), b"");
    assert!(listed.out.contains("sec:home-lab:tty.sec:1"), "{}{}", listed.out, listed.err);
    let off = hub.ask("POST", "/api/v1/rules/sec%3Ahome-lab%3Assh.sec%3A3/state", "{\"on\":false}");
    assert_eq!(off.status, 409, "{}", off.text());

    // What was lived through is found again.
    for alert in &alerts {
        let asked = json!({"rule_id": alert["rule_id"], "last": "1h"});
        let tried = hub.ask("POST", "/api/v1/backtest", &asked.to_string()).json();
        let again: Vec<String> = tried["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| told(alert, "first", "last"))
            .collect();
        assert_eq!(again, [told(alert, "first_seen", "last_seen")], "{tried}");
    }
}

#[test]
fn windows_go_on_after_kill_9_and_what_time_brings_is_said_once() {
    let place = Place::new();
    place.write("a.sec", GUESSES);
    place.write("b.sec", STARTS);
    let hub = place.hub_with_files("");
    send(&hub, 1, &["app[1]: bad password of anna", "app[1]: bad password of carl"]);
    send(&hub, 2, &["app[1]: bad password of anna", "app[1]: start one"]);
    assert_eq!(set(&hub)["operations"], 3);
    hub.kill();

    let hub = place.hub_with_files("");
    wait_until("the end of a window that was open", || events(&hub) == ["NeverDone"]);
    send(&hub, 3, &["app[1]: bad password of anna", "app[1]: bad password of carl"]);
    wait_until("the third guess", || events(&hub) == ["Guesses", "NeverDone"]);
    send(&hub, 4, &["app[1]: start two"]);
    wait_until("the end of the other window", || hub.alerts().len() == 3);
    hub.kill();

    // Found once more, and not said again.
    let hub = place.hub_with_files("");
    wait_until("the hub to look at its timers", || !set(&hub).is_null());
    send(&hub, 5, &["app[1]: nothing"]);
    let alerts = hub.alerts();
    assert_eq!(alerts.len(), 3);
    for alert in &alerts {
        assert_eq!((&alert["count"], &alert["duplicates"]), (&json!(1), &json!(0)), "{alert}");
    }
    // Also after a proper end.
    hub.interrupt();
    let hub = place.hub_with_files("");
    send(&hub, 6, &["app[1]: bad password of carl"]);
    wait_until("the third guess at the other", || hub.alerts().len() == 3 && guesses(&hub) == 2);
}

/// How many findings the alert about guesses stands on.
fn guesses(hub: &Hub) -> u64 {
    let alerts = hub.alerts();
    alerts
        .iter()
        .filter(|alert| alert["event"] == "Guesses")
        .filter_map(|alert| alert["count"].as_u64())
        .sum()
}

#[test]
fn what_rules_may_not_do_is_refused_and_said() {
    let place = Place::new();
    let canary = place.at("canary");
    let rules = format!(
        "type=Single\nptype=RegExp\npattern=app\\[\\d+\\]: run (.*)\ndesc=run\n\
         action=shellcmd echo $1 > {0}; write {0}.2 $1; addinput {0}; \
         alert severity=minor resource=app event=Ran\n",
        canary.display()
    );
    place.write("run.sec", &rules);
    let hub = place.hub_with_files("");
    send(&hub, 1, &["app[1]: run `id`", "app[1]: run again"]);
    wait_until("the alert", || events(&hub) == ["Ran"]);
    assert_eq!(set(&hub)["refused"], 6);
    let err = hub.process.err();
    for what in
        ["refused running a command", "refused writing a file", "refused reading another file"]
    {
        assert_eq!(err.matches(what).count(), 1, "{what}: {err}");
    }
    assert!(
        err.contains("allow = [\\\"shell\\\"]") || err.contains("allow = [\"shell\"]"),
        "{err}"
    );
    assert!(!canary.exists() && !place.at("canary.2").exists());
}

#[test]
fn what_rules_may_do_is_done_and_what_commands_say_comes_back() {
    let place = Place::new();
    let (canary, written) = (place.at("canary"), place.at("written"));
    let rules = format!(
        "type=Single\nptype=RegExp\npattern=app\\[\\d+\\]: run (.*)\ndesc=run\n\
         action=spawn echo said $1; write {} $1\n\n\
         type=Single\nptype=RegExp\npattern=^said (.*)\ndesc=said\n\
         action=alert severity=minor resource=app event=Said text=$1\n\n\
         type=SingleWithScript\nptype=RegExp\npattern=app\\[\\d+\\]: ask (\\w+)\ndesc=ask\n\
         script=/usr/bin/test $1 = yes\n\
         action=alert severity=minor resource=$1 event=Agreed\n\
         action2=alert severity=minor resource=$1 event=Denied\n",
        written.display()
    );
    place.write("run.sec", &rules);
    let hub = place.hub_with_files("allow = [\"shell\", \"write\"]");
    let hostile =
        format!("app[1]: run `touch {0}` $(touch {0}) \"; touch {0}; '", canary.display());
    send(&hub, 1, &[&hostile, "app[1]: ask yes", "app[1]: ask no"]);
    wait_until("the alerts", || events(&hub) == ["Agreed", "Denied", "Said"]);
    let alerts = hub.alerts();
    assert_eq!(alerts[0]["resource"], "yes");
    assert_eq!(alerts[1]["resource"], "no");
    let text = hostile.split_once("run ").unwrap().1;
    assert_eq!(alerts[2]["text"], text);
    wait_until("the file", || {
        std::fs::read_to_string(&written).is_ok_and(|read| read == format!("{text}\n"))
    });
    assert!(!canary.exists());
    assert_eq!(set(&hub)["refused"], 0);
}

#[test]
fn other_files_are_taken_while_the_hub_runs_unless_they_have_mistakes() {
    let place = Place::new();
    place.write("a.sec", GUESSES);
    let hub = place.hub_with_files("");
    send(&hub, 1, &["app[1]: bad password of anna", "app[1]: bad password of anna"]);
    let running = |hub: &Hub| set(hub)["rules"].as_u64();
    assert_eq!(running(&hub), Some(1));
    place.write("b.sec", STARTS);
    wait_until("the other file", || running(&hub) == Some(2));
    // What the first file remembers goes on.
    send(&hub, 2, &["app[1]: bad password of anna", "app[1]: start one"]);
    wait_until("the alert", || events(&hub) == ["Guesses", "NeverDone"]);

    place.write("b.sec", &STARTS.replace("window=2", "window=soon"));
    wait_until("the refusal", || hub.get("/api/v1/health")["status"] == "degraded");
    let failed = &hub.get("/api/v1/health")["failed_reload"]["diagnostics"][0];
    assert!(failed["file"].as_str().unwrap().ends_with("b.sec"), "{failed}");
    send(&hub, 3, &["app[1]: start two"]);
    wait_until("what the file said before", || hub.alerts().len() == 3);
    place.write("b.sec", STARTS);
    wait_until("the health", || hub.get("/api/v1/health")["status"] == "ok");
}

#[test]
fn mistakes_are_told_with_file_and_line() {
    let place = Place::new();
    place.write("good.sec", GUESSES);
    place.write("bad.sec", &format!("{STARTS}\n{}", GUESSES.replace("thresh=3", "thresh=many")));
    let directory = place.at("sec");
    let checked = run(&["rules", "check", directory.to_str().unwrap()]);
    assert_eq!(checked.code, Some(2), "{}{}", checked.out, checked.err);
    assert!(checked.out.contains("bad.sec:12:1: "), "{}", checked.out);
    assert!(checked.out.contains("2 rules, 1 errors"), "{}", checked.out);
    let good = directory.join("good.sec");
    assert_eq!(run(&["rules", "check", good.to_str().unwrap()]).code, Some(0));
    let listed = run(&["rules", "list", "--sec", good.to_str().unwrap()]);
    assert!(listed.out.contains("guesses at $1"), "{}{}", listed.out, listed.err);

    // The configuration says what it does not know.
    for (table, said) in [
        ("[[sec]]\nname = 'x'\n", "needs `files` or a `pack`"),
        ("[[sec]]\npack = 'other'\n", "there is no pack `other`"),
        ("[[sec]]\npack = 'home-lab'\nallow = ['shel']\n", "is `shell` meant?"),
        ("[[sec]]\npack = 'home-lab'\nwhen = 'a:('\n", "cannot read the search"),
        ("[[sec]]\npack = 'home-lab'\n[[sec]]\npack = 'home-lab'\n", "two sets of rules are named"),
    ] {
        let config = place.at("bad.toml");
        std::fs::write(&config, table).unwrap();
        let mut command = bergfried(&["hub", "--listen", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(place.at("data")).arg("--config").arg(&config);
        let ended = run_with(command, b"");
        assert!(ended.err.contains(said), "{table}: {}", ended.err);
        assert!(ended.err.contains("bad.toml:"), "{}", ended.err);
    }
}
