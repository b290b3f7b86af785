//! From a line in a log to a message that a person gets.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::hub::Hub;
use crate::support::lines::{accepted, ago, append, failed};
use crate::support::process::run_with;
use crate::support::receiver::{Mood, Receiver};
use crate::support::{wait_for, wait_until};

/// A configuration with these channels: name, type, URL.
fn configuration(directory: &Path, channels: &[(&str, &str, &str)]) -> PathBuf {
    let mut text = "console_url = \"https://bergfried.example.org\"\n".to_owned();
    for (name, kind, url) in channels {
        text.push_str(&format!(
            "[[notify]]\nname = \"{name}\"\ntype = \"{kind}\"\nurl = \"{url}\"\n\
             min_severity = \"low\"\ntimeout_seconds = 5\n"
        ));
    }
    let path = directory.join("hub.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// A line that is an alert of its own for each host.
fn new_user(host: &str) -> String {
    format!("{} {host} useradd[9]: new user: name=eve, UID=1002, GID=1002, home=/home/eve", ago(0))
}

#[test]
fn a_line_becomes_a_message_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let (slack, hook) = (Receiver::start(Mood::Take), Receiver::start(Mood::Take));
    let channels = [("chat", "slack", slack.url.as_str()), ("hook", "webhook", &hook.url)];
    let config = configuration(directory.path(), &channels);
    let log = directory.path().join("auth.log");
    let data = directory.path().join("data");
    let mut command = Hub::up_command(&data, &log);
    command.arg("--config").arg(config);
    let hub = Hub::run(command, &data);

    let mut written = HashMap::new();
    for number in 0..200 {
        let host = format!("host-{number}");
        written.insert(host.clone(), Instant::now());
        append(&log, &(new_user(&host) + "\n"));
        std::thread::sleep(Duration::from_millis(20));
    }
    let got = hook.wait(200);
    let mut took: Vec<Duration> = got
        .iter()
        .map(|webhook| {
            let host = webhook.json["alert"]["resource"].as_str().unwrap();
            webhook.at - written.remove(host).unwrap_or_else(|| panic!("{host} came twice"))
        })
        .collect();
    took.sort_unstable();
    eprintln!("line written to webhook received: p50 {:?}, p99 {:?}", took[100], took[198]);

    let first = &got[0].json;
    assert_eq!((&first["kind"], &first["change"]), (&json!("alert"), &json!({"kind": "new"})));
    assert_eq!(first["alert"]["event"], "User created");
    assert_eq!(first["alert"]["user"], "eve");
    let id = first["alert"]["id"].as_str().unwrap();
    assert_eq!(first["url"], format!("https://bergfried.example.org/alerts/{id}"));
    let message = &slack.wait(200)[0].json;
    assert!(message["text"].as_str().unwrap().starts_with("LOW: User created"), "{message}");
    let kinds: Vec<&Value> =
        message["blocks"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert_eq!(kinds, ["header", "section", "section", "section", "context"]);

    // A repeat is the same alert: people are not told again.
    append(&log, &(new_user("host-7") + "\n"));
    wait_until("the repeat", || hub.get("/api/v1/alerts?text=host-7")["alerts"][0]["count"] == 2);
    append(&log, &(new_user("host-last") + "\n"));
    assert_eq!(hook.wait(201)[200].json["alert"]["resource"], "host-last");
    assert_eq!((hook.got().len(), slack.wait(201).len()), (201, 201));
    let said = hub.process.out() + &hub.process.err();
    assert!(!said.contains("secret-of-the-hook"), "{said}");
    assert!(!hub.get("/api/v1/notify").to_string().contains("secret-of-the-hook"));
}

#[test]
fn a_dead_channel_delays_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/hook", listener.local_addr().unwrap())
    };
    let (good, slow) = (Receiver::start(Mood::Take), Receiver::start(Mood::Hang));
    let broken = Receiver::start(Mood::Refuse(500, None));
    let busy = Receiver::start(Mood::Refuse(429, Some(2)));
    let never = Receiver::start(Mood::Refuse(404, None));
    let config = configuration(
        directory.path(),
        &[
            ("refused", "webhook", &refused),
            ("slow", "webhook", &slow.url),
            ("broken", "webhook", &broken.url),
            ("busy", "slack", &busy.url),
            ("never", "slack", &never.url),
            ("good", "webhook", &good.url),
        ],
    );
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    let begun = Instant::now();
    for number in 0..5 {
        let host = format!("host-{number}");
        assert_eq!(hub.send(&number.to_string(), &host, &[new_user(&host)]).status, 200);
    }
    let got = good.wait(5);
    let took = got[4].at - begun;
    assert!(took < Duration::from_secs(4), "held up by the others: {took:?}");
    assert_eq!(slow.wait(1).len(), 1, "the slow one is still at its first message");

    // Retried, and not before the server allows.
    let again = |receiver: &Receiver| {
        let tried = receiver.got();
        let first = tried.first()?.clone();
        let again = tried.into_iter().skip(1).find(|webhook| webhook.raw == first.raw)?;
        Some(again.at - first.at)
    };
    wait_for("the first message again", || again(&broken));
    let pause = wait_for("the first message again", || again(&busy));
    assert!(pause >= Duration::from_millis(1_900), "{pause:?}");
    broken.set(Mood::Take);
    busy.set(Mood::Take);
    slow.set(Mood::Take);

    // What was refused for good waits as a dead letter until somebody sends it again.
    wait_until("five dead letters", || {
        hub.get("/api/v1/notify")["dead_letters"].as_array().unwrap().len() == 5
    });
    never.set(Mood::Take);
    let dead = hub.get("/api/v1/notify")["dead_letters"][0].clone();
    let id = dead["id"].to_string();
    let resent = run_with(hub.client(&["notify", "resend", &id]), b"");
    assert_eq!(resent.code, Some(0), "{}", resent.err);
    let audited = hub.audited("letter.resend");
    assert_eq!(audited["before"]["attempts"], dead["attempts"], "{audited}");
    assert_eq!(audited["after"]["attempts"], 0, "{audited}");
    never.wait(6);
    wait_until("all but one channel to have said everything", || {
        let queues = hub.get("/api/v1/notify");
        let waiting = |backlog: &&Value| backlog["queued"].as_u64().unwrap() > 0;
        queues["backlog"].as_array().unwrap().iter().filter(waiting).count() == 1
    });
    // Each alert was taken once by those that came back.
    let taken = |receiver: &Receiver| {
        let mut alerts: Vec<String> =
            receiver.got().iter().map(|w| w.json["alert"]["id"].to_string()).collect();
        alerts.sort_unstable();
        alerts.dedup();
        alerts.len()
    };
    assert_eq!((taken(&broken), taken(&good), good.got().len()), (5, 5, 5));
}

#[test]
fn what_was_not_delivered_before_kill_9_is_delivered_after() {
    let directory = tempfile::tempdir().unwrap();
    let (data, receiver) = (directory.path().join("data"), Receiver::start(Mood::Hang));
    let config = configuration(directory.path(), &[("hook", "webhook", &receiver.url)]);
    let hub = Hub::start_with_config(&data, &config);
    for host in ["a1", "a2", "a3"] {
        assert_eq!(hub.send(host, host, &[new_user(host)]).status, 200);
    }
    receiver.wait(1);
    hub.kill();
    receiver.set(Mood::Take);
    let cut_off = receiver.got().len();
    let _hub = Hub::start_with_config(&data, &config);
    let got = receiver.wait(cut_off + 3);
    let mut hosts: Vec<&str> =
        got[cut_off..].iter().map(|w| w.json["alert"]["resource"].as_str().unwrap()).collect();
    hosts.sort_unstable();
    assert_eq!(hosts, ["a1", "a2", "a3"]);
}

#[test]
fn channels_are_tested_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(Mood::Take);
    let config = configuration(directory.path(), &[("ops", "webhook", &receiver.url)]);
    let slack = Receiver::start(Mood::Take);
    let data = directory.path().join("data");
    let mut command = Hub::command(&data);
    command.arg("--config").arg(config).env("SLACK_WEBHOOK_URL", &slack.url);
    let hub = Hub::run(command, &data);
    let client = |arguments: &[&str]| run_with(hub.client(arguments), b"");
    let done = client(&["notify", "test", "ops"]);
    assert_eq!((done.code, done.out.as_str()), (Some(0), "delivered over ops\n"), "{}", done.err);
    assert_eq!(receiver.wait(1)[0].json["kind"], "test");
    assert_eq!(client(&["notify", "test", "slack"]).code, Some(0));
    assert!(slack.wait(1)[0].json["text"].is_string());
    receiver.set(Mood::Refuse(500, None));
    for (name, said) in [("ops", "cannot deliver over `ops`: "), ("opss", "did you mean `ops`?")] {
        let done = client(&["notify", "test", name]);
        assert_eq!(done.code, Some(2));
        assert!(done.err.contains(said), "{}", done.err);
        assert!(!done.err.contains("secret-of-the-hook"), "{}", done.err);
    }
    let audited = hub.audited("channel.test");
    assert_eq!(
        (&audited["target"], &audited["after"]["delivered"]),
        (&"ops".into(), &false.into())
    );
    let listed: Value = serde_json::from_str(&client(&["notify", "list"]).out).unwrap();
    assert_eq!(listed["channels"].as_array().unwrap().len(), 2, "{listed}");
}

#[test]
fn a_hostile_name_does_nothing_in_a_message() {
    let directory = tempfile::tempdir().unwrap();
    let (slack, hook) = (Receiver::start(Mood::Take), Receiver::start(Mood::Take));
    let channels = [("chat", "slack", slack.url.as_str()), ("hook", "webhook", &hook.url)];
    let hub = Hub::start_with_config(
        &directory.path().join("data"),
        &configuration(directory.path(), &channels),
    );
    let name = "<!channel> @here <https://evil.example|log in> *b* \u{1b}[31m\u{202e}&";
    let mut lines: Vec<String> =
        (0..6).map(|n| failed(&ago(20 - n), "web", name, "203.0.113.7")).collect();
    lines.push(accepted(&ago(5), "web", name, "203.0.113.7"));
    assert_eq!(hub.send("1", "web", &lines).status, 200);
    for message in slack.wait(2) {
        let raw = &message.raw;
        for hostile in ["<!channel", "@here", "://evil", "\\u001b", "\u{202e}"] {
            assert!(!raw.contains(hostile), "{hostile:?} in {raw}");
        }
        assert!(raw.contains("&lt;!channel&gt;") && raw.contains("evil.example"), "{raw}");
    }
    for webhook in hook.wait(2) {
        let alert = &webhook.json["alert"];
        assert_eq!(
            alert["user"],
            name.replace('\u{1b}', "\\u{1b}").replace('\u{202e}', "\\u{202e}")
        );
        let text = alert["text"].as_str().unwrap();
        assert!(!text.contains("@here") && !text.contains("://"), "{text}");
    }
}

fn hang_up(hub: &Hub) {
    let pid = hub.process.id().to_string();
    assert!(std::process::Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
}

/// A configuration with three channels of the hook's kind and these routes.
fn routed(directory: &Path, receivers: [(&str, &Receiver); 3], routes: &str) -> PathBuf {
    let channels = receivers.map(|(name, receiver)| (name, "webhook", receiver.url.as_str()));
    let path = configuration(directory, &channels);
    let text = std::fs::read_to_string(&path).unwrap() + routes;
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn routes_group_escalate_and_stop_when_it_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let (ops, boss, other) =
        (Receiver::start(Mood::Take), Receiver::start(Mood::Take), Receiver::start(Mood::Take));
    let routes = "[[route]]\nname='users'\nwhen='event:\"User created\" -resource:odd'\n\
                  channels=['ops']\ngroup_by=['event']\ngroup_window='1s'\n\
                  escalate=[{after='4s',channels=['boss']}]\n\
                  [[route]]\nname='rest'\nchannels=['other']\n";
    let receivers = [("ops", &ops), ("boss", &boss), ("other", &other)];
    let config = routed(directory.path(), receivers, routes);
    let data = directory.path().join("data");
    let hub = Hub::start_with_config(&data, &config);
    for (batch, host) in [("1", "a1"), ("2", "a2"), ("3", "odd")] {
        assert_eq!(hub.send(batch, host, &[new_user(host)]).status, 200);
    }
    let group = &ops.wait(1)[0].json;
    assert_eq!(group["kind"], "group", "{group}");
    assert!(group.to_string().contains("a1") && group.to_string().contains("a2"), "{group}");
    assert_eq!(other.wait(1)[0].json["alert"]["resource"], "odd");
    // One is closed, and the hub dies before the time of the other has come.
    let listed = hub.get("/api/v1/alerts?text=a1");
    let id = listed["alerts"][0]["id"].as_str().unwrap().to_owned();
    let closed = run_with(hub.client(&["alerts", "close", &id]), b"");
    assert_eq!(closed.code, Some(0), "{}", closed.err);
    hub.kill();
    let hub = Hub::start_with_config(&data, &config);
    let called = boss.wait(1);
    assert_eq!(called[0].json["alert"]["resource"], "a2");
    assert_eq!(called[0].json["change"]["kind"], "escalated");
    wait_until("nothing to wait", || {
        let queues = hub.get("/api/v1/notify");
        queues["backlog"].as_array().unwrap().iter().all(|channel| channel["queued"] == 0)
    });
    assert_eq!((boss.got().len(), other.got().len()), (1, 1), "nobody is told twice");
}

#[test]
fn the_dry_run_tells_nobody_and_a_broken_route_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let receivers: Vec<Receiver> = (0..3).map(|_| Receiver::start(Mood::Take)).collect();
    let [ops, phone, boss] = &receivers[..] else { panic!("three receivers") };
    let routes = "[[route]]\nname='night'\nwhen='severity:critical service:sshd'\n\
                  channels=['phone','ops']\nmax_per_hour=5\n\
                  escalate=[{after='15m',channels=['boss']}]\n\
                  [[route]]\nname='rest'\nchannels=['ops']\n";
    let named = [("ops", ops), ("phone", phone), ("boss", boss)];
    let config = routed(directory.path(), named, routes);
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    let route = |arguments: &[&str]| {
        let mut all = vec!["notify", "route"];
        all.extend(arguments);
        run_with(hub.client(&all), b"")
    };
    let taken = route(&["--severity", "critical", "--service", "sshd"]);
    assert_eq!(taken.code, Some(0), "{}", taken.err);
    for said in ["night: takes it\n", "→ phone at ", "at once", "15 min", "rest: is not asked"] {
        assert!(taken.out.contains(said), "{said:?} in {}", taken.out);
    }
    let other = route(&["--severity", "minor", "tags=lab"]);
    assert!(other.out.contains("night: does not want it"), "{}", other.out);
    assert!(other.out.contains("rest: takes it"), "{}", other.out);
    let wrong = route(&["severty=high"]);
    assert!(wrong.err.contains("is `severity` meant?"), "{}", wrong.err);
    assert_eq!(route(&["--alert", "0190f1a2"]).code, Some(2));

    assert_eq!(hub.send("1", "web1", &[new_user("web1")]).status, 200);
    let id = ops.wait(1)[0].json["alert"]["id"].as_str().unwrap().to_owned();
    let known = route(&["--alert", &id]);
    assert!(known.out.contains("rest: takes it"), "{} {}", known.out, known.err);
    assert!(phone.got().is_empty() && boss.got().is_empty());

    let good = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, good.replace("'boss'", "'bos'")).unwrap();
    hang_up(&hub);
    wait_until("the mistake to be told", || {
        let failed = hub.get("/api/v1/notify")["failed_reload"].clone();
        failed.as_str().is_some_and(|told| told.contains("is `boss` meant?"))
    });
    assert!(route(&["--severity", "critical", "--service", "sshd"]).out.contains("night: takes"));
    std::fs::write(&config, good.replace("'night'", "'day'")).unwrap();
    hang_up(&hub);
    wait_until("the new routes", || hub.get("/api/v1/notify")["routes"] == json!(["day", "rest"]));
    assert_eq!(hub.send("2", "web2", &[new_user("web2")]).status, 200);
    assert_eq!(ops.wait(2)[1].json["alert"]["resource"], "web2");
}
