//! Events on their way out: to files, to real syslog receivers, to another hub, through kill -9.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::full_disk::Disk;
use crate::support::certificates::Certificates;
use crate::support::hub::Hub;
use crate::support::lines::ago;
use crate::support::process::{Process, run_with};
use crate::support::relay::Relay;
use crate::support::{wait_for, wait_until};

/// How many lines go through, and how many in one batch.
const LINES: usize = 3_000;
const BATCH: usize = 50;

fn configured(data: &Path, text: &str) -> Command {
    let path = data.with_extension("toml");
    std::fs::write(&path, text).unwrap();
    let mut command = Hub::command(data);
    command.arg("--config").arg(path);
    command
}

fn output(hub: &Hub, name: &str) -> Value {
    let outputs = hub.get("/api/v1/outputs");
    let found = outputs.as_array().unwrap().iter().find(|output| output["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {outputs}")).clone()
}

fn text(number: usize) -> String {
    format!("{} web{} app[77]: line {number} \"with\" a bit of text", ago(0), number % 3)
}

fn batch(number: usize) -> (String, Vec<String>) {
    let lines = (number * BATCH..(number + 1) * BATCH).map(text).collect();
    (format!("{:032x}", number + 1), lines)
}

/// How often each line number is among these texts.
fn numbers<'t>(texts: impl Iterator<Item = &'t str>) -> BTreeMap<usize, usize> {
    let mut seen = BTreeMap::new();
    for text in texts {
        let number = text.split("line ").nth(1).and_then(|rest| rest.split(' ').next());
        let number = number.unwrap_or_else(|| panic!("half a line: {text}"));
        *seen.entry(number.parse().unwrap()).or_default() += 1;
    }
    seen
}

fn all_of(hub: &Hub, query: &str) -> BTreeMap<usize, usize> {
    let mut command = hub.client(&["search", query, "--format", "raw", "-n", "1000000"]);
    command.env_remove("BERGFRIED_URL");
    numbers(run_with(command, b"").out.lines())
}

fn assert_times(seen: &BTreeMap<usize, usize>, times: usize) {
    let wrong: Vec<_> = (0..LINES)
        .map(|n| (n, seen.get(&n).copied().unwrap_or(0)))
        .filter(|(_, n)| *n != times)
        .collect();
    assert!(wrong.is_empty(), "{} lines not {times} times: {:?}", wrong.len(), wrong.get(..5));
}

/// Starts a hub once, so that it has a token for another hub.
fn token_of(data: &Path) -> PathBuf {
    let hub = Hub::start(data);
    let made = run_with(hub.client(&["tokens", "create", "hub", "other"]), b"");
    assert_eq!(made.code, Some(0), "{}", made.err);
    let (status, _) = hub.interrupt();
    assert!(status.success());
    let file = data.join("hub.token");
    std::fs::write(&file, made.out).unwrap();
    file
}

#[test]
fn events_need_a_hubs_token_which_may_change() {
    let directory = tempfile::tempdir().unwrap();
    let (near, far) = (directory.path().join("near"), directory.path().join("far"));
    let far = Hub::start(&far);
    let token = directory.path().join("token");
    std::fs::write(&token, far.agent_token()).unwrap();
    let config = format!(
        "[[output]]\nname = 'other'\ntype = 'bergfried'\nto = '{}'\ntoken_file = '{}'\n",
        far.url,
        token.display()
    );
    let near = Hub::run(configured(&near, &config), &near);
    let (id, lines) = batch(0);
    assert_eq!(near.send(&id, "web0", &lines).status, 200);
    wait_until("a refusal", || output(&near, "other")["state"] == "failing");
    let reason = output(&near, "other")["last_error"].to_string();
    assert!(reason.contains("403") && reason.contains("tokens create hub"), "{reason}");
    assert_eq!(far.stored(), 0);
    let made = run_with(far.client(&["tokens", "create", "hub", "near"]), b"");
    assert_eq!(made.code, Some(0), "{}", made.err);
    std::fs::write(&token, made.out).unwrap();
    wait_until("all events at the other hub", || far.stored() == BATCH as u64);
    assert_eq!(output(&near, "other")["state"], "ok");
    assert_eq!(output(&near, "other")["refused"], 0);
}

#[test]
fn another_hub_gets_every_event_once_while_both_are_killed() {
    let directory = tempfile::tempdir().unwrap();
    let (near_data, far_data) = (directory.path().join("near"), directory.path().join("far"));
    let (to_near, to_far) = (Relay::start(), Relay::start());
    let forward = |to: &Relay, token: &Path, region: &str| {
        format!(
            "[[output]]\nname = 'other'\ntype = 'bergfried'\nto = '{}'\ntoken_file = '{}'\n\
             region = '{region}'\n",
            to.url,
            token.display()
        )
    };
    let far_token = token_of(&far_data);
    let near_token = token_of(&near_data);
    // Each sends to the other: a loop.
    let start_near = || {
        let hub =
            Hub::run(configured(&near_data, &forward(&to_far, &far_token, "eu-west")), &near_data);
        to_near.lead_to(&hub.url);
        hub
    };
    let start_far = || {
        let hub =
            Hub::run(configured(&far_data, &forward(&to_near, &near_token, "us-east")), &far_data);
        to_far.lead_to(&hub.url);
        hub
    };
    let (mut near, mut far) = (start_near(), start_far());
    for number in 0..LINES / BATCH {
        let (id, lines) = batch(number);
        let answer = near.send(&id, "web0", &lines);
        assert_eq!(answer.status, 200, "{}", answer.text());
        match number % 12 {
            4 => {
                far.kill();
                far = start_far();
            }
            8 => {
                near.kill();
                near = start_near();
            }
            _ => {}
        }
    }
    wait_until("all lines at the other hub", || far.stored() >= LINES as u64);
    wait_until("all lines back, and not a third time", || {
        near.stored() >= 2 * LINES as u64 && output(&near, "other")["events_behind"] == 0
    });
    wait_until("the other hub to have sent all", || output(&far, "other")["events_behind"] == 0);
    assert_times(&all_of(&far, "cloud.region:eu-west"), 1);
    assert_times(&all_of(&near, ""), 2);
    assert_eq!((near.stored(), far.stored()), (2 * LINES as u64, LINES as u64));
    let one = far.search("message:/^line 7 /").remove(0);
    let original = near.search("message:/^line 7 / NOT cloud.region:*").remove(0);
    for field in
        ["@timestamp", "host.name", "process.name", "process.pid", "log.file.path", "message"]
    {
        assert_eq!(one[field], original[field], "{field}");
    }
    assert_eq!(one["event.original"], original["event.original"]);
    assert_eq!(one["agent.name"], original["agent.name"]);
    assert_eq!(output(&near, "other")["state"], "ok");
}

#[test]
fn files_have_every_line_while_the_hub_is_killed_and_rotated_under() {
    let directory = tempfile::tempdir().unwrap();
    let (data, logs) = (directory.path().join("data"), directory.path().join("logs"));
    let config = format!(
        "[[output]]\nname = 'files'\ntype = 'file'\npath = '{}/%{{host}}-%{{program}}.log'\n\
         rotate_size = '64KiB'\nkeep = 1000\ncompress = 'none'\nhistory = 'history'\n",
        logs.display()
    );
    let mut hub = Hub::run(configured(&data, &config), &data);
    let mut kills = 0;
    for number in 0..LINES / BATCH {
        let (id, lines) = batch(number);
        assert_eq!(hub.send(&id, "web0", &lines).status, 200);
        if number % 20 == 9 {
            hub.kill();
            kills += 1;
            hub = Hub::run(configured(&data, &config), &data);
        }
    }
    wait_until("all events", || output(&hub, "files")["events_behind"] == 0);
    let (status, _) = hub.interrupt();
    assert!(status.success());
    let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
    // The kernel may stop within a line when it kills: the piece is ended, the line follows whole.
    let mut torn = 0;
    for directory in [logs.clone(), logs.join("history")] {
        let entries =
            std::fs::read_dir(directory).map(Iterator::collect::<Vec<_>>).unwrap_or_default();
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.ends_with('\n'), "{name}");
            let (whole, pieces): (Vec<&str>, Vec<&str>) =
                text.lines().partition(|line| line.ends_with("\"with\" a bit of text"));
            torn += pieces.len();
            for (number, times) in numbers(whole.into_iter()) {
                assert!(
                    name.starts_with(&format!("web{}-app.log", number % 3)),
                    "{number} in {name}"
                );
                *seen.entry(number).or_default() += times;
            }
        }
    }
    let missing: Vec<usize> = (0..LINES).filter(|number| !seen.contains_key(number)).collect();
    assert!(missing.is_empty(), "{} missing: {:?}", missing.len(), missing.get(..5));
    assert!(torn <= kills, "{torn} lines in pieces after {kills} kills");
}

#[test]
fn files_wait_for_room_and_have_each_line_once() {
    let directory = tempfile::tempdir().unwrap();
    let point = directory.path().join("disk");
    std::fs::create_dir(&point).unwrap();
    let Some(disk) = Disk::mount(&point, "2m") else {
        eprintln!("skipped: this user may not mount a small disk in a namespace (unshare --mount)");
        return;
    };
    // The data lies elsewhere: only the files have no room.
    let data = directory.path().join("data");
    let config = format!(
        "[[output]]\nname = 'files'\ntype = 'file'\npath = '{}/%{{host}}.log'\n",
        point.display()
    );
    let ballast = disk.fill();
    let hub = Hub::run(disk.within(&configured(&data, &config)), &data);
    for number in 0..LINES / BATCH {
        let (id, lines) = batch(number);
        assert_eq!(hub.send(&id, "web0", &lines).status, 200);
    }
    wait_until("a failing output", || output(&hub, "files")["state"] == "failing");
    let reason = output(&hub, "files")["last_error"].to_string();
    assert!(reason.contains("No space left"), "{reason}");
    assert_eq!(hub.stored(), LINES as u64, "the hub itself goes on");
    std::fs::remove_file(ballast).unwrap();
    wait_until("all events", || output(&hub, "files")["events_behind"] == 0);
    let texts: Vec<String> = (0..3)
        .map(|host| std::fs::read_to_string(disk.seen().join(format!("web{host}.log"))).unwrap())
        .collect();
    assert_times(&numbers(texts.iter().flat_map(|text| text.lines())), 1);
}

/// A real receiver that writes what comes to a file.
struct Receiver {
    command: Box<dyn Fn() -> Command>,
    process: Process,
    written: PathBuf,
}

impl Receiver {
    fn start(command: Box<dyn Fn() -> Command>, written: &Path, port: u16) -> Receiver {
        let process = Process::spawn(&mut command());
        let mut receiver = Receiver { command, process, written: written.to_owned() };
        receiver.wait(port);
        receiver
    }

    fn wait(&mut self, port: u16) {
        wait_for("the receiver", || {
            assert!(!self.process.has_ended(), "{}{}", self.process.out(), self.process.err());
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
    }

    /// The lines that it wrote whole; of the last one it may have written a part.
    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.written).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn rsyslogd() -> Option<&'static str> {
    let found = ["rsyslogd", "/usr/sbin/rsyslogd"].into_iter().find(|program| {
        Command::new(program).arg("-v").output().is_ok_and(|done| done.status.success())
    });
    if found.is_none() {
        eprintln!("skipped: there is no rsyslogd (scripts/install-test-deps installs it)");
    }
    found
}

/// The real rsyslog, which takes messages over TCP, with TLS where there are certificates, and writes
/// what it makes of them.
fn rsyslog(directory: &Path, port: u16, tls: Option<&Certificates>) -> Option<Receiver> {
    let program = rsyslogd()?;
    let written = directory.join("written");
    let mut config = match tls {
        None => "module(load=\"imtcp\" MaxSessions=\"10\")\n".to_owned(),
        Some(made) => format!(
            "global(DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{}\"\n\
             DefaultNetstreamDriverCertFile=\"{}\" DefaultNetstreamDriverKeyFile=\"{}\")\n\
             module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\"\n\
             StreamDriver.AuthMode=\"x509/name\" PermittedPeer=[\"hub.example\"])\n",
            made.path("ca.pem"),
            made.path("receiver.pem"),
            made.path("receiver.key"),
        ),
    };
    config.push_str(&format!(
        "global(workDirectory=\"{0}\" maxMessageSize=\"64k\")\n\
         input(type=\"imtcp\" port=\"{port}\" address=\"127.0.0.1\")\n\
         template(name=\"t\" type=\"string\" \
         string=\"%hostname%|%app-name%|%procid%|%structured-data%|%msg%\\n\")\n\
         action(type=\"omfile\" file=\"{1}\" template=\"t\")\n",
        directory.display(),
        written.display()
    ));
    let path = directory.join("rsyslog.conf");
    std::fs::write(&path, config).unwrap();
    let pid = directory.join("rsyslog.pid");
    let command = Box::new(move || {
        let mut command = Command::new(program);
        command.arg("-n").arg("-f").arg(&path).arg("-i").arg(&pid);
        command
    });
    Some(Receiver::start(command, &written, port))
}

/// Sends lines while the receiver is there, away, and there again: none is lost.
fn through(hub: &Hub, mut receiver: Receiver, port: u16) -> Vec<String> {
    let half = LINES / BATCH / 2;
    for number in 0..half {
        let (id, lines) = batch(number);
        assert_eq!(hub.send(&id, "web0", &lines).status, 200);
    }
    wait_until("the first half", || receiver.lines().len() >= half * BATCH);
    // What the receiver's kernel has and its program has not read is what TCP loses; here it has
    // read everything.
    receiver.process.kill();
    for number in half..LINES / BATCH {
        let (id, lines) = batch(number);
        assert_eq!(hub.send(&id, "web0", &lines).status, 200);
    }
    wait_until("a failing output", || output(hub, "siem")["state"] == "failing");
    receiver.process = Process::spawn(&mut (receiver.command)());
    receiver.wait(port);
    wait_until("all lines", || {
        let lines = receiver.lines();
        numbers(lines.iter().map(String::as_str)).len() == LINES
    });
    wait_until("an output that is well", || output(hub, "siem")["state"] == "ok");
    receiver.lines()
}

#[test]
fn rsyslog_takes_messages_over_tcp() {
    for framing in ["octet-counted", "newline"] {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let Some(receiver) = rsyslog(directory.path(), port, None) else { return };
        let data = directory.path().join("data");
        let config = format!(
            "[[output]]\nname = 'siem'\ntype = 'syslog'\nto = 'tcp://127.0.0.1:{port}'\n\
             framing = '{framing}'\n"
        );
        let hub = Hub::run(configured(&data, &config), &data);
        let lines = through(&hub, receiver, port);
        let line = lines.iter().find(|line| line.contains("line 7 ")).unwrap();
        assert!(line.starts_with("web1|app|77|[bergfried@32473 "), "{line}");
        assert!(
            line.ends_with("]| line 7 \"with\" a bit of text")
                || line.ends_with("]|line 7 \"with\" a bit of text"),
            "{line}"
        );
    }
}

#[test]
fn rsyslog_takes_messages_over_tls_and_knows_the_hub_by_its_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let Some(made) = Certificates::make(directory.path()) else { return };
    made.sign("receiver", "DNS:localhost,IP:127.0.0.1");
    made.sign("hub", "DNS:hub.example");
    let port = free_port();
    let Some(receiver) = rsyslog(directory.path(), port, Some(&made)) else { return };
    let data = directory.path().join("data");
    let config = format!(
        "[[output]]\nname = 'siem'\ntype = 'syslog'\nto = 'tls://127.0.0.1:{port}'\nca = '{}'\n\
         certificate = '{}'\nkey = '{}'\n",
        made.path("ca.pem"),
        made.path("hub.pem"),
        made.path("hub.key")
    );
    let hub = Hub::run(configured(&data, &config), &data);
    through(&hub, receiver, port);
}

#[test]
fn syslog_ng_takes_messages() {
    let Some(_) = crate::syslog::shippers::syslog_ng() else {
        eprintln!("skipped: there is no syslog-ng, and scripts/unpack-packages got none");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let (port, at) = (free_port(), directory.path().to_owned());
    let written = at.join("written");
    let config = format!(
        "@version: 3.38\n\
         options {{ keep-hostname(yes); log-msg-size(65536); stats-freq(0); flush-lines(1); }};\n\
         source s {{ syslog(ip(127.0.0.1) port({port}) transport(\"tcp\")); }};\n\
         template t {{ template(\"$HOST|$PROGRAM|$PID|${{.SDATA.bergfried@32473.log.file.path}}|$MSG\\n\"); }};\n\
         destination d {{ file(\"{}\" template(t)); }};\n\
         log {{ source(s); destination(d); }};\n",
        written.display()
    );
    std::fs::write(at.join("syslog-ng.conf"), config).unwrap();
    let command = Box::new({
        let at = at.clone();
        move || {
            let mut command = crate::syslog::shippers::syslog_ng().unwrap();
            command.args(["--foreground", "--no-caps", "--cfgfile"]).arg(at.join("syslog-ng.conf"));
            for (option, name) in
                [("--persist-file", "persist"), ("--control", "control"), ("--pidfile", "pid")]
            {
                command.arg(option).arg(at.join(name));
            }
            command
        }
    });
    let receiver = Receiver::start(command, &written, port);
    let data = at.join("data");
    let config =
        format!("[[output]]\nname = 'siem'\ntype = 'syslog'\nto = 'tcp://127.0.0.1:{port}'\n");
    let hub = Hub::run(configured(&data, &config), &data);
    let lines = through(&hub, receiver, port);
    let line = lines.iter().find(|line| line.contains("|line 7 ")).unwrap();
    assert!(line.starts_with("web1|app|77|"), "{line}");
    assert!(line.ends_with("|line 7 \"with\" a bit of text"), "{line}");
}
