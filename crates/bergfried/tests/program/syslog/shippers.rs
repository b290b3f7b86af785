//! The real rsyslog, syslog-ng and logger send to a hub, each in the ways that people set them up.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{address, events, hub_with, stamped};
use crate::support::hub::Hub;
use crate::support::process::Process;
use crate::support::wait_for;

/// How many messages go each way.
const MESSAGES: usize = 300;

/// What the shippers are given: as programs on five hosts would log, and two that are long.
fn messages() -> Vec<(String, String)> {
    let short = (0..MESSAGES - 2).map(|index| {
        let text = format!("message {index}: a \"quoted\" word, ünïcode and [brackets] %{{x}}");
        (format!("web{}", index % 5), text)
    });
    let long = [("long", 9_000), ("longer", 20_000)]
        .map(|(host, length)| (host.to_owned(), format!("message {}", "x".repeat(length))));
    short.chain(long).collect()
}

/// Writes them to the socket that the shipper reads.
fn feed(socket: &Path) {
    let mut stream = wait_for("the shipper's socket", || UnixStream::connect(socket).ok());
    for (host, text) in messages() {
        let line = format!("<38>{{STAMP}} {host} app[77]: {text}\n");
        stream.write_all(&stamped(&line)).unwrap();
    }
}

/// An input for each way, with a limit between the two long messages.
fn inputs(ways: &[&str]) -> String {
    let input = |name: &&str| {
        let listen = if name.ends_with("udp") { "udp" } else { "tcp" };
        format!(
            "[[input]]\nname = '{name}'\ntype = 'syslog'\n{listen} = '127.0.0.1:0'\n\
             max_message = '16KiB'\n"
        )
    };
    ways.iter().map(input).collect()
}

fn port(hub: &Hub, way: &str) -> u16 {
    let transport = if way.ends_with("udp") { "udp" } else { "tcp" };
    address(hub, way, transport).port()
}

/// Every message came once, and was understood; over a stream in order.
fn check(hub: &Hub, way: &str) {
    let mut arrived = events(hub, &format!("input.name:\"{way}\""), MESSAGES);
    let number = |event: &Value| {
        let digits = |text: &str| {
            let rest = text.strip_prefix("message ").unwrap_or_default();
            rest.chars().take_while(char::is_ascii_digit).collect::<String>()
        };
        digits(event["message"].as_str().unwrap()).parse().unwrap_or(usize::MAX)
    };
    if way.ends_with("udp") {
        arrived.sort_by_key(|event| {
            (number(event), event["message"].as_str().unwrap_or_default().len())
        });
    }
    for (event, (host, text)) in arrived.iter().zip(messages()) {
        assert_eq!(event["host.name"], host, "{way}: {event}");
        assert_eq!(event["process.name"], "app", "{way}: {event}");
        assert_eq!(event["process.pid"], 77, "{way}: {event}");
        assert_eq!(event["log.syslog.severity.name"], "info", "{way}: {event}");
        assert_eq!(event["observer.ip"], "127.0.0.1", "{way}: {event}");
        if host == "longer" {
            assert!(event["log.flags"].to_string().contains("truncated"), "{way}");
            assert_eq!(event["event.original"].as_str().unwrap().len(), 16 << 10, "{way}");
        } else {
            assert_eq!(event["message"], text, "{way}");
        }
    }
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("-v").output().is_ok_and(|done| done.status.success())
}

#[test]
fn rsyslog_forwards_in_each_of_its_ways() {
    let Some(rsyslogd) = ["rsyslogd", "/usr/sbin/rsyslogd"].into_iter().find(|it| is_there(it))
    else {
        eprintln!("skipped: there is no rsyslogd (scripts/install-test-deps installs it)");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let ways = ["udp", "lines", "counted", "old", "protocol23", "forward", "old-udp"];
    let hub = hub_with(directory.path(), &inputs(&ways));
    let to = |way| format!("target=\"127.0.0.1\" port=\"{}\"", port(&hub, way));
    let socket = directory.path().join("in");
    let at = directory.path().display();
    let config = format!(
        "global(workDirectory=\"{at}\" maxMessageSize=\"64k\" localHostname=\"relay\")\n\
         module(load=\"imptcp\")\n\
         input(type=\"imptcp\" path=\"{}\")\n\
         action(type=\"omfwd\" {} protocol=\"udp\")\n\
         action(type=\"omfwd\" {} protocol=\"tcp\" TCP_Framing=\"traditional\")\n\
         action(type=\"omfwd\" {} protocol=\"tcp\" TCP_Framing=\"octet-counted\")\n\
         *.*  @@127.0.0.1:{}\n\
         action(type=\"omfwd\" {} protocol=\"tcp\" TCP_Framing=\"octet-counted\" \
                template=\"RSYSLOG_SyslogProtocol23Format\")\n\
         action(type=\"omfwd\" {} protocol=\"tcp\" template=\"RSYSLOG_ForwardFormat\")\n\
         *.*  @127.0.0.1:{}\n",
        socket.display(),
        to("udp"),
        to("lines"),
        to("counted"),
        port(&hub, "old"),
        to("protocol23"),
        to("forward"),
        port(&hub, "old-udp"),
    );
    let path = directory.path().join("rsyslog.conf");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new(rsyslogd);
    command.arg("-n").arg("-f").arg(&path).arg("-i").arg(directory.path().join("pid"));
    let _rsyslog = Process::spawn(&mut command);
    feed(&socket);
    for way in ways {
        check(&hub, way);
    }
}

/// syslog-ng as it is installed, or unpacked beside rsyslog.
pub(crate) fn syslog_ng() -> Option<Command> {
    for installed in ["syslog-ng", "/usr/sbin/syslog-ng"] {
        if Command::new(installed).arg("-V").output().is_ok_and(|done| done.status.success()) {
            return Some(Command::new(installed));
        }
    }
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("syslog-ng");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/unpack-packages");
    let packages = ["syslog-ng-core", "syslog-ng-mod-http"];
    let unpacked = Command::new(script).arg(&root).args(packages).output().ok()?;
    if !unpacked.status.success() {
        return None;
    }
    let libraries = root.join("usr/lib/syslog-ng");
    let mut modules = std::fs::read_dir(&libraries).ok()?.filter_map(Result::ok);
    let modules = modules.find(|entry| entry.path().is_dir())?.path();
    // Debian's libraries lie in a directory named after the machine.
    let mut all = vec![libraries];
    let beside = std::fs::read_dir(root.join("usr/lib")).ok()?.filter_map(Result::ok);
    all.extend(beside.map(|entry| entry.path()));
    let mut command = Command::new(root.join("usr/sbin/syslog-ng"));
    command.env("LD_LIBRARY_PATH", std::env::join_paths(all).ok()?);
    command.arg("--module-path").arg(modules);
    Some(command)
}

#[test]
fn syslog_ng_sends_in_each_of_its_ways() {
    let Some(mut command) = syslog_ng() else {
        eprintln!("skipped: there is no syslog-ng, and scripts/unpack-packages got none");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path().display();
    let ways = ["udp", "lines", "rfc5424"];
    let local = directory.path().join("hub");
    let config = inputs(&ways)
        + &format!(
            "[[input]]\nname = 'local'\ntype = 'syslog'\nunix = '{}'\nmax_message = '16KiB'\n",
            local.display()
        );
    let hub = hub_with(directory.path(), &config);
    let config = format!(
        "@version: 3.38\n\
         options {{ keep-hostname(yes); log-msg-size(65536); stats-freq(0); }};\n\
         source s {{ unix-stream(\"{at}/in\" flags(expect-hostname)); }};\n\
         destination udp {{ network(\"127.0.0.1\" port({}) transport(\"udp\")); }};\n\
         destination lines {{ network(\"127.0.0.1\" port({}) transport(\"tcp\")); }};\n\
         destination rfc5424 {{ syslog(\"127.0.0.1\" port({}) transport(\"tcp\")); }};\n\
         destination local {{ unix-dgram(\"{}\"); }};\n\
         log {{ source(s); destination(udp); destination(lines); destination(rfc5424);\n\
                destination(local); }};\n",
        port(&hub, "udp"),
        port(&hub, "lines"),
        port(&hub, "rfc5424"),
        local.display(),
    );
    let path = directory.path().join("syslog-ng.conf");
    std::fs::write(&path, config).unwrap();
    command.args(["--foreground", "--no-caps", "--cfgfile"]).arg(&path);
    for (option, name) in
        [("--persist-file", "persist"), ("--control", "control"), ("--pidfile", "pid")]
    {
        command.arg(option).arg(directory.path().join(name));
    }
    let _syslog_ng = Process::spawn(&mut command);
    feed(&directory.path().join("in"));
    for way in ways {
        check(&hub, way);
    }
    let arrived = events(&hub, "input.name:local", MESSAGES);
    assert_eq!(arrived[0]["process.name"], "app");
    assert_eq!(arrived[0]["message"], messages()[0].1);
}

#[test]
fn logger_sends_each_of_its_forms() {
    if Command::new("logger").arg("--version").output().is_err() {
        eprintln!("skipped: there is no logger (scripts/install-test-deps installs it)");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let local = directory.path().join("log");
    let config = format!(
        "[[input]]\nname = 'home'\ntype = 'syslog'\nudp = '127.0.0.1:0'\ntcp = '127.0.0.1:0'\n\
         unix = '{}'\n",
        local.display()
    );
    let hub = hub_with(directory.path(), &config);
    let udp = address(&hub, "home", "udp");
    let tcp = address(&hub, "home", "tcp");
    let network = |way: &str, to: SocketAddr, form: &[&str], text: &str| {
        let mut command = Command::new("logger");
        command.args(["-n", "127.0.0.1", "-P", &to.port().to_string(), way, "-p", "auth.notice"]);
        command.args(["-t", "door"]).args(form).arg(text);
        assert!(command.status().unwrap().success(), "{text}");
    };
    network("-T", tcp, &["--rfc3164"], "tcp rfc3164");
    network("-T", tcp, &["--rfc5424"], "tcp rfc5424");
    network("-T", tcp, &["--rfc5424", "--octet-count"], "tcp counted");
    network("-d", udp, &["--rfc3164"], "udp rfc3164");
    network("-d", udp, &["--rfc5424"], "udp rfc5424");
    let mut command = Command::new("logger");
    command.args(["-t", "door", "-p", "auth.notice", "-u"]).arg(&local).arg("local");
    assert!(command.status().unwrap().success());

    let mut arrived = events(&hub, "input.name:home", 6);
    arrived.sort_by_key(|event| event["message"].as_str().unwrap().to_owned());
    let texts: Vec<_> = arrived.iter().map(|event| event["message"].as_str().unwrap()).collect();
    let expected =
        ["local", "tcp counted", "tcp rfc3164", "tcp rfc5424", "udp rfc3164", "udp rfc5424"];
    assert_eq!(texts, expected);
    for event in &arrived {
        assert_eq!(event["process.name"], "door", "{event}");
        assert_eq!(event["log.syslog.facility.name"], "auth", "{event}");
        assert_eq!(event["log.syslog.severity.name"], "notice", "{event}");
    }
}
