//! Every message once: rsyslog over RELP and a poster of batches, while either side is stopped,
//! killed and started again.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::path::Path;

use super::{address, hub_with, input};
use crate::support::certificates::Certificates;
use crate::support::http::request;
use crate::support::hub::{Hub, batch_of};
use crate::support::rsyslog::Rsyslog;
use crate::support::wait_until;

/// How many messages go over the wire: a sample, or with `BERGFRIED_LONG` as many as it should bear.
fn count() -> usize {
    if std::env::var_os("BERGFRIED_LONG").is_some() { 200_000 } else { 20_000 }
}

fn text(number: usize) -> String {
    format!("message number {number:06} of the run")
}

fn line(number: usize) -> Vec<u8> {
    super::stamped(&format!("<38>{{STAMP}} web1 app[77]: {}\n", text(number)))
}

/// The hub on this data, its port kept over restarts.
struct Restarted<'t> {
    directory: &'t Path,
    hub: Option<Hub>,
}

impl<'t> Restarted<'t> {
    fn start(directory: &'t Path, transport: &str, more: &str) -> Restarted<'t> {
        let config = |port| {
            format!(
                "[[input]]\nname = 'home'\ntype = 'syslog'\n{transport} = '127.0.0.1:{port}'\n{more}"
            )
        };
        let hub = hub_with(directory, &config(0));
        let port = address(&hub, "home", transport).port();
        std::fs::write(directory.join("hub.toml"), config(port)).unwrap();
        Restarted { directory, hub: Some(hub) }
    }

    fn hub(&self) -> &Hub {
        self.hub.as_ref().unwrap()
    }

    fn again(&mut self, end: impl FnOnce(Hub)) {
        end(self.hub.take().unwrap());
        let config = self.directory.join("hub.toml");
        self.hub = Some(Hub::start_with_config(&self.directory.join("data"), &config));
    }

    fn wait_for(&self, messages: usize) {
        wait_until(&format!("{messages} messages"), || self.hub().stored() >= messages as u64);
    }
}

/// Every message is found by a search, each once.
fn assert_each_once(hub: &Hub, messages: usize) {
    let mut command = hub.client(&["search", "", "--format", "raw", "-n", "1000000"]);
    // Without a limit of its own: a debug build reads 200,000 in more than a minute.
    let found = command.output().unwrap();
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let found = String::from_utf8(found.stdout).unwrap();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for line in found.lines().filter(|line| line.contains("message number")) {
        *times.entry(&line[line.find("message number").unwrap()..]).or_default() += 1;
    }
    let wrong = |number: &usize| times.get(text(*number).as_str()) != Some(&1);
    let wrong: Vec<_> = (0..messages)
        .filter(wrong)
        .map(|number| (number, times.get(text(number).as_str()).copied().unwrap_or(0)))
        .collect();
    let some = &wrong[..wrong.len().min(20)];
    assert!(wrong.is_empty(), "{} lost or repeated, such as {some:?}", wrong.len());
    assert_eq!(times.len(), messages, "nothing else came");
}

/// An action of omrelp that keeps everything until it is answered. Without time for its shutdown
/// rsyslog drops the messages that its worker has in hand. No rebindInterval where the hub goes
/// away: rsyslog 8.2302 keeps the message at which it cannot connect anew after it has closed, and
/// sends it once more with its next shutdown, long after it was answered.
fn omrelp(port: u16, more: &str) -> String {
    format!(
        "module(load=\"omrelp\")\n\
         action(type=\"omrelp\" target=\"127.0.0.1\" port=\"{port}\" {more}\n\
                template=\"RSYSLOG_ForwardFormat\" action.resumeRetryCount=\"-1\"\n\
                action.resumeInterval=\"1\" windowSize=\"500\"\n\
                queue.type=\"LinkedList\" queue.size=\"400000\" queue.filename=\"relp\"\n\
                queue.dequeueBatchSize=\"500\" queue.saveOnShutdown=\"on\"\n\
                queue.timeoutShutdown=\"10000\")\n"
    )
}

#[test]
fn every_message_once_over_relp_while_both_sides_stop_and_the_hub_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let messages = count();
    let mut hub = Restarted::start(directory.path(), "relp", "");
    let port = address(hub.hub(), "home", "relp").port();
    let at = directory.path().join("rsyslog");
    let Some(mut rsyslog) = Rsyslog::start(&at, &["omrelp.so"], &omrelp(port, "")) else { return };
    rsyslog.feed((0..messages / 2).map(line));
    for part in 1..=3 {
        hub.wait_for(messages * part / 10);
        hub.again(Hub::kill);
    }
    hub.wait_for(messages * 4 / 10);
    rsyslog.restart();
    rsyslog.feed((messages / 2..messages).map(line));
    hub.wait_for(messages * 5 / 10);
    hub.again(|hub| {
        let _ended = hub.interrupt();
    });
    for part in 6..=8 {
        hub.wait_for(messages * part / 10);
        hub.again(Hub::kill);
    }
    hub.wait_for(messages);
    // What comes once more comes at once; the last answers were given.
    assert!(rsyslog.process.terminate().success());
    assert_each_once(hub.hub(), messages);
    let counters = &input(hub.hub(), "home")["counters"];
    eprintln!("after the last start {} messages came again", counters["resent"]);
}

#[test]
fn every_message_once_over_relp_in_many_sessions() {
    let directory = tempfile::tempdir().unwrap();
    let messages = 5_000;
    let mut hub = Restarted::start(directory.path(), "relp", "");
    let port = address(hub.hub(), "home", "relp").port();
    let at = directory.path().join("rsyslog");
    let actions = omrelp(port, "rebindInterval=\"700\"");
    let Some(mut rsyslog) = Rsyslog::start(&at, &["omrelp.so"], &actions) else { return };
    rsyslog.feed((0..messages).map(line));
    hub.wait_for(messages);
    assert!(rsyslog.process.terminate().success());
    let report = input(hub.hub(), "home");
    assert!(report["counters"]["connected"].as_u64() >= Some(7), "{report}");
    assert_eq!(report["counters"]["resent"], 0, "{report}");
    // What closed sessions left is no reason to take what comes for known.
    hub.again(Hub::kill);
    assert_each_once(hub.hub(), messages);
}

/// What a client writes of these messages from its second frame on.
fn frames(numbers: std::ops::Range<usize>) -> String {
    let frame = |(number, txnr): (usize, usize)| {
        let line = format!("<38>Nov 21 10:00:00 web1 app[77]: {}", text(number));
        format!("{txnr} syslog {} {line}\n", line.len())
    };
    format!("1 open 14 relp_version=0\n{}", numbers.zip(2..).map(frame).collect::<String>())
}

#[test]
fn what_was_stored_but_not_answered_is_known_after_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let mut hub = Restarted::start(directory.path(), "relp", "");
    let at = address(hub.hub(), "home", "relp");
    let send = |numbers| {
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        stream.write_all(frames(numbers).as_bytes()).unwrap();
        stream
    };
    // Nobody reads the answers: for the client nothing is certain.
    let first = send(0..500);
    hub.wait_for(500);
    hub.again(Hub::kill);
    drop(first);
    // Sent again twice, the second time with what is new.
    let second = send(200..500);
    wait_until("what came again", || {
        input(hub.hub(), "home")["counters"]["resent"].as_u64() == Some(300)
    });
    drop(second);
    let _third = send(200..700);
    hub.wait_for(700);
    assert_each_once(hub.hub(), 700);
    assert_eq!(input(hub.hub(), "home")["counters"]["resent"], 600);
}

#[test]
fn the_first_message_of_a_session_after_a_closed_one_is_known_after_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let mut hub = Restarted::start(directory.path(), "relp", "");
    let at = address(hub.hub(), "home", "relp");
    let send = |text: String| {
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    for round in 0..3 {
        let (first, again) = (round * 11, round * 11 + 10);
        // Everything of this session is answered.
        let mut closed = send(frames(first..again) + "12 close 0\n");
        let mut answers = String::new();
        closed.read_to_string(&mut answers).unwrap();
        assert!(answers.ends_with("11 rsp 6 200 OK\n12 rsp 0\n0 serverclose 0\n"), "{answers}");
        // Nothing of this one is.
        let single = send(frames(again..again + 1));
        hub.wait_for(again + 1);
        hub.again(Hub::kill);
        drop(single);
        let mut closed = send(frames(again..again + 1) + "3 close 0\n");
        let mut answers = String::new();
        closed.read_to_string(&mut answers).unwrap();
        assert!(answers.ends_with("2 rsp 6 200 OK\n3 rsp 0\n0 serverclose 0\n"), "{answers}");
        assert_eq!(input(hub.hub(), "home")["counters"]["resent"], 1);
    }
    assert_each_once(hub.hub(), 33);
}

#[test]
fn relp_over_tls_needs_the_certificate_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let Some(made) = Certificates::make(directory.path()) else { return };
    made.sign("hub", "DNS:hub.example.org");
    made.sign("gate", "DNS:gate.example.org");
    let tls = format!(
        "certificate = '{}'\nkey = '{}'\nclient_ca = '{}'\n",
        made.path("hub.pem"),
        made.path("hub.key"),
        made.path("ca.pem")
    );
    let messages = 2_000;
    let mut hub = Restarted::start(directory.path(), "relp_tls", &tls);
    let port = address(hub.hub(), "home", "relp_tls").port();
    let more = format!(
        "tls=\"on\" tls.caCert=\"{}\" tls.myCert=\"{}\" tls.myPrivKey=\"{}\"\n\
         tls.authMode=\"name\" tls.permittedPeer=[\"hub.example.org\"]",
        made.path("ca.pem"),
        made.path("gate.pem"),
        made.path("gate.key")
    );
    let at = directory.path().join("rsyslog");
    let Some(mut rsyslog) = Rsyslog::start(&at, &["omrelp.so"], &omrelp(port, &more)) else {
        return;
    };
    rsyslog.feed((0..messages).map(line));
    hub.wait_for(messages / 4);
    hub.again(Hub::kill);
    hub.wait_for(messages);
    assert!(rsyslog.process.terminate().success());
    assert_each_once(hub.hub(), messages);
    let event = hub.hub().search("input.name:home").swap_remove(0);
    assert_eq!(event["observer.name"], "gate.example.org", "{event}");
    assert_eq!(event["log.file.path"], "relp/tls", "{event}");
}

#[test]
fn every_message_once_over_the_batch_api_while_the_hub_is_killed() {
    const BATCH: usize = 1_000;
    let directory = tempfile::tempdir().unwrap();
    let messages = count();
    let mut hub = Restarted::start(directory.path(), "tcp", "");
    let mut kills = 0;
    for first in (0..messages).step_by(BATCH) {
        let lines: Vec<_> = (first..(first + BATCH).min(messages))
            .map(|number| String::from_utf8(line(number)).unwrap().trim_end().to_owned())
            .collect();
        let body = batch_of(&format!("{:x}", first + 1), "web1", &lines);
        // Killed while a batch is under way; its sender cannot know whether it was stored.
        if first / BATCH % 25 == 24 {
            let url = hub.hub().url.clone();
            let bearer = format!("Bearer {}", hub.hub().agent_token());
            let sent = body.clone();
            let sending = std::thread::spawn(move || {
                let headers = [("Authorization", bearer.as_str())];
                request(&url, "POST", "/api/v1/batches", &headers, &sent).is_ok()
            });
            std::thread::sleep(std::time::Duration::from_millis(kills * 10));
            kills += 1;
            hub.again(Hub::kill);
            sending.join().unwrap();
        }
        let answer = hub.hub().send_body(&body);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_each_once(hub.hub(), messages);
}
