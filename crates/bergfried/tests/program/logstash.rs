//! A Logstash pipeline taken over: imported, run by a hub, fed by rsyslog.

use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::hub::Hub;
use crate::support::process::{Done, Process, bergfried, run_with};
use crate::support::wait_for;
use crate::syslog::{address, events, hub_with, stamped};

/// A home network's pipeline: one port for everything, a file for each sender and program.
const PIPELINE: &str = r#"
input {
  tcp { port => 51444 type => syslog tags => ["syslog"] }
  udp { port => 51444 type => syslog tags => ["syslog"] }
}
filter {
  if [type] == "syslog" {
    grok {
      match => { "message" => [
        "%{SYSLOGTIMESTAMP:syslog_timestamp} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: \[%{DATA}\] %{DATA:snort_event} \[Classification: %{DATA:snort_classification}\] \[Priority: %{NUMBER:snort_priority}\] \{%{DATA:snort_protocol}\} %{IP:snort_src_ip}:%{POSINT:snort_src_port} -> %{IP:snort_dest}:%{POSINT:snort_dest_port}",
        "%{SYSLOGTIMESTAMP:syslog_timestamp} %{SYSLOGHOST:syslog_hostname} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: /usr/bin/rsnapshot( -v)? %{DATA:rsnapshot_event}: %{GREEDYDATA:rsnapshot_output}",
        "%{SYSLOGTIMESTAMP:syslog_timestamp} %{SYSLOGHOST:syslog_hostname} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: %{GREEDYDATA:syslog_message}"
      ] }
      add_field => [ "received_at", "%{@timestamp}" ]
      add_field => [ "received_from", "%{host}" ]
    }
  }
  if [rsnapshot_event] { mutate { add_tag => [ "rsnapshot" ] } }
  if [snort_event] { mutate { add_tag => [ "snort" ] } }
}
output {
  if "syslog" in [tags] { file { path => "/srv/logstash/%{host}-%{syslog_program}.log" } }
}
"#;

/// Where the page that describes such a network lies for those who have it.
const PAGE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/syslog-sec-alerta-homelab.md");

/// The pipeline of the page, without the lines of its site's templates; else our own.
fn pipeline() -> String {
    let Ok(page) = std::fs::read_to_string(PAGE) else {
        eprintln!("{PAGE} is not there: a pipeline of our own takes its place");
        return PIPELINE.to_owned();
    };
    let sections = ["input {", "filter {", "output {"];
    let mut text = String::new();
    for block in page.split("```").skip(1).step_by(2) {
        if sections.iter().any(|section| block.contains(section)) {
            let lines = block.lines().filter(|line| !line.trim_start().starts_with("{%"));
            text.extend(lines.flat_map(|line| [line, "\n"]));
        }
    }
    text
}

fn import(arguments: &[&str]) -> Done {
    run_with(bergfried(&[&["import", "logstash"], arguments].concat()), b"")
}

/// Imports the pipeline and starts a hub with it, on ports of its own and below this directory.
fn lab(directory: &Path, pipeline: &str) -> Hub {
    let source = directory.join("logstash-syslog.conf");
    std::fs::write(&source, pipeline).unwrap();
    let done = import(&[source.to_str().unwrap()]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.err.contains("translated whole"), "{}", done.err);
    let files = directory.join("files");
    std::fs::create_dir(&files).unwrap();
    let config = done.out.replace("/srv/logstash", files.to_str().unwrap());
    hub_with(directory, &config.replace("0.0.0.0:51444", "127.0.0.1:0"))
}

/// What programs log on hosts that rsyslog forwards for: the line after the host's name, and fields
/// that it becomes.
fn lines() -> Vec<(&'static str, Value)> {
    vec![
        (
            "sshd[4711]: Failed password for root from 203.0.113.9 port 4242 ssh2",
            json!({
                "syslog_program": "sshd",
                "syslog_pid": "4711",
                "syslog_hostname": "web1",
                "syslog_message": "Failed password for root from 203.0.113.9 port 4242 ssh2",
                "type": "syslog",
                "tags": ["syslog"],
                "received_from": "127.0.0.1",
                // Read by the hub's own parser.
                "user.name": "root",
                "source.ip": "203.0.113.9",
                "host.name": "web1",
            }),
        ),
        (
            "rsnapshot[99]: /usr/bin/rsnapshot -v daily: completed successfully",
            json!({
                "syslog_program": "rsnapshot",
                "syslog_hostname": "web1",
                "rsnapshot_event": "daily",
                "rsnapshot_output": "completed successfully",
                "tags": ["syslog", "rsnapshot"],
            }),
        ),
        (
            "snort: [1:1000017:0] UDP Connection [Classification: Misc activity] [Priority: 3] \
             {UDP} 192.0.2.44:55776 -> 192.0.2.22:32414",
            json!({
                // The page's pattern has no place for a host.
                "syslog_program": "web1 snort",
                "snort_event": "UDP Connection",
                "snort_classification": "Misc activity",
                "snort_priority": "3",
                "snort_protocol": "UDP",
                "snort_src_ip": "192.0.2.44",
                "snort_src_port": "55776",
                "snort_dest": "192.0.2.22",
                "snort_dest_port": "32414",
                "tags": ["syslog", "snort"],
            }),
        ),
    ]
}

/// Every line became its event, and went to the file of its sender and program.
fn check(hub: &Hub, directory: &Path) {
    let arrived = events(hub, "input.name:syslog", lines().len());
    for ((_, fields), event) in lines().iter().zip(&arrived) {
        for (name, value) in fields.as_object().unwrap() {
            assert_eq!(&event[name], value, "{name} of {event}");
        }
        assert!(event["syslog_timestamp"].is_string(), "{event}");
        assert!(event["received_at"].is_string(), "{event}");
    }
    let files = directory.join("files");
    for (program, name) in [
        ("sshd", "syslog_message"),
        ("rsnapshot", "rsnapshot_event"),
        ("web1 snort", "snort_event"),
    ] {
        // A space has no place in the name of a file.
        let path = files.join(format!("127.0.0.1-{}.log", program.replace(' ', "_")));
        let text = wait_for(&format!("a line in {}", path.display()), || {
            std::fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'))
        });
        let line: Value = serde_json::from_str(&text).unwrap();
        let event = arrived.iter().find(|event| event["syslog_program"] == program).unwrap();
        assert_eq!(line[name], event[name], "{text}");
        assert!(line["event.original"].is_string(), "{text}");
    }
}

#[test]
fn the_home_lab_moves_to_the_hub() {
    let directory = tempfile::tempdir().unwrap();
    let hub = lab(directory.path(), &pipeline());
    let mut stream = TcpStream::connect(address(&hub, "syslog", "tcp")).unwrap();
    for (line, _) in lines() {
        stream.write_all(&stamped(&format!("<38>{{STAMP}} web1 {line}\n"))).unwrap();
    }
    check(&hub, directory.path());
    // A firewall that names no host, over UDP.
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (_, line) = lines()[2].0.split_at("snort".len());
    udp.send_to(&stamped(&format!("<33>{{STAMP}} snort[7]{line}")), address(&hub, "syslog", "udp"))
        .unwrap();
    let event = events(&hub, "syslog_program:snort", 1).remove(0);
    assert_eq!(event["syslog_pid"], "7");
    assert_eq!(event["tags"], json!(["syslog", "snort"]));
}

#[test]
fn rsyslog_of_the_home_lab_keeps_its_line() {
    let found = ["rsyslogd", "/usr/sbin/rsyslogd"].into_iter().find(|program| {
        Command::new(program).arg("-v").output().is_ok_and(|done| done.status.success())
    });
    let Some(rsyslogd) = found else {
        eprintln!("skipped: there is no rsyslogd (scripts/install-test-deps installs it)");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let hub = lab(directory.path(), &pipeline());
    let socket = directory.path().join("in");
    let config = directory.path().join("rsyslog.conf");
    let text = format!(
        "global(workDirectory=\"{}\")\nmodule(load=\"imptcp\")\n\
         input(type=\"imptcp\" path=\"{}\")\n*.*  @@{}\n",
        directory.path().display(),
        socket.display(),
        address(&hub, "syslog", "tcp"),
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(rsyslogd);
    command.arg("-n").arg("-f").arg(&config).arg("-i").arg(directory.path().join("pid"));
    let _rsyslog = Process::spawn(&mut command);
    let mut stream = wait_for("rsyslog's socket", || UnixStream::connect(&socket).ok());
    for (line, _) in lines() {
        stream.write_all(&stamped(&format!("<38>{{STAMP}} web1 {line}\n"))).unwrap();
    }
    check(&hub, directory.path());
}

#[test]
fn what_is_lost_is_said_line_by_line() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| -> PathBuf {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    write("20-filter.conf", "filter {\n  ruby { code => 'x' }\n  mutate { lowercase => 'a' }\n}\n");
    write("10-input.conf", "input { udp { port => \"${LOGSTASH_TEST_PORT:5514}\" } }\n");
    write("README", "no pipeline");
    let all = directory.path().to_str().unwrap();
    let done = import(&[all]);
    assert_eq!(done.code, Some(1), "{}", done.err);
    let place = format!("{all}/20-filter.conf:2:3: missing: filter ruby is not translated");
    assert!(done.err.lines().any(|line| line == place), "{}", done.err);
    assert!(
        done.err.contains("read 1 input, 2 filters, 0 outputs: 1 part is missing"),
        "{}",
        done.err
    );
    assert!(done.out.contains("udp = [\"0.0.0.0:5514\"]"), "{}", done.out);
    assert!(done.out.contains("lowercase = \"a\""), "{}", done.out);

    let broken = write("broken.txt", "filter {\n  grok { match = 3 }\n}\n");
    let done = import(&[broken.to_str().unwrap()]);
    assert_eq!(done.code, Some(2), "{}", done.err);
    assert!(done.err.contains("broken.txt:2:16: expected `=>`"), "{}", done.err);

    let output = directory.path().join("hub.toml");
    let filter = directory.path().join("10-input.conf");
    let both = [filter.to_str().unwrap(), "--output", output.to_str().unwrap()];
    let done = import(&both);
    assert_eq!((done.code, done.out.as_str()), (Some(0), ""), "{}", done.err);
    assert!(std::fs::read_to_string(&output).unwrap().contains("[[input]]"));
    assert_eq!(import(&both).code, Some(2), "a file that is there is kept");
}
