//! Dovecot itself, from Debian, on loopback: what it says of each login is what was done, whatever the
//! users call themselves.
//!
//! Skips with a message where it is absent, or without the rights that it asks for.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bergfried_event::SourceKind;
use bergfried_parse::{Context, parse};
use serde_json::{Value as Json, json};

/// Ended when dropped, with all that it started.
struct Dovecot {
    process: Child,
    port: u16,
}

impl Dovecot {
    fn start(directory: &Path) -> Dovecot {
        // Another program may take the port before Dovecot does; it then ends, and another is tried.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let path = directory.join("dovecot.conf");
            fs::write(&path, configuration(directory, port)).unwrap();
            let mut process = Command::new("dovecot")
                .args(["-F", "-c"])
                .arg(&path)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            while process.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Dovecot { process, port };
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        panic!("{}", fs::read_to_string(directory.join("log")).unwrap_or_default());
    }

    /// A connection that says these lines, each after the answer to the one before.
    fn say(&self, lines: &[&str]) {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
        answers.next().unwrap().unwrap();
        for (number, line) in lines.iter().enumerate() {
            write!(&stream, "{number} {line}\r\n").unwrap();
            let last = format!("{number} ");
            answers.find(|answer| answer.as_ref().is_ok_and(|answer| answer.starts_with(&last)));
        }
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // It ends its children at SIGTERM.
        let ended = Command::new("kill").arg(self.process.id().to_string()).status();
        if ended.is_err() {
            eprintln!("cannot end Dovecot");
        }
        self.process.wait().unwrap();
    }
}

fn configuration(directory: &Path, port: u16) -> String {
    let at = directory.display();
    format!(
        "base_dir = {at}/run\nstate_dir = {at}/state\nlog_path = {at}/log\nprotocols = imap\n\
         listen = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nauth_verbose = yes\n\
         auth_failure_delay = 0\nauth_username_chars =\nfirst_valid_uid = 1\n\
         mail_location = maildir:{at}/mail\n\
         passdb {{\n driver = passwd-file\n args = username_format=%u {at}/users\n}}\n\
         userdb {{\n driver = passwd-file\n args = username_format=%u {at}/users\n}}\n\
         service imap-login {{\n inet_listener imap {{\n  port = {port}\n }}\n \
         inet_listener imaps {{\n  port = 0\n }}\n}}\n\
         service anvil {{\n unix_listener anvil-auth-penalty {{\n  mode = 0\n }}\n}}\n"
    )
}

/// The line as syslog has it: the log of Dovecot's own puts the level in front of the text.
fn as_syslog(line: &str) -> String {
    let (stamp, rest) = line.split_at(16);
    let (process, said) = rest.split_once(": Info: ").unwrap_or(("", rest));
    format!("{stamp}post dovecot: {process}: {said}")
}

fn read(line: &str) -> Json {
    let context = Context {
        received: "2026-11-21T12:00:00Z".parse().unwrap(),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    serde_json::to_value(parse(SourceKind::File, line, &context)).unwrap()
}

#[test]
fn what_dovecot_says_of_logins_is_what_was_done() {
    let is_there = Command::new("dovecot").arg("--version").stdout(Stdio::null()).status();
    let is_root = fs::metadata("/proc/self").is_ok_and(|about| {
        use std::os::unix::fs::MetadataExt as _;
        about.uid() == 0
    });
    if !is_there.is_ok_and(|status| status.success()) || !is_root {
        eprintln!("skipped: Dovecot is not there, or this is not root");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let everyone = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    everyone(directory.path(), 0o755);
    let mail = directory.path().join("mail");
    fs::create_dir(&mail).unwrap();
    everyone(&mail, 0o777);
    let users = directory.path().join("users");
    fs::write(&users, format!("emil:{{PLAIN}}secret:65534:65534::{}::\n", mail.display())).unwrap();
    everyone(&users, 0o644);

    // Dovecot writes names in lower case.
    let forged = "a>, method=plain, rip=192.0.2.1, lip=192.0.2.2, x=<b";
    let bracket = "a,192.0.2.1): unknown user";
    let dovecot = Dovecot::start(directory.path());
    dovecot.say(&["LOGIN emil secret", "LOGOUT"]);
    dovecot.say(&["LOGIN emil wrong", "LOGIN emil wrong", "LOGOUT"]);
    dovecot.say(&[&format!("LOGIN \"{forged}\" x"), "LOGOUT"]);
    dovecot.say(&[&format!("LOGIN \"{bracket}\" x"), "LOGOUT"]);
    dovecot.say(&["NOOP", "LOGOUT"]);
    let log = directory.path().join("log");
    let begun = Instant::now();
    let lines = loop {
        let text = fs::read_to_string(&log).unwrap();
        let ends = text.lines().filter(|line| line.contains(" imap-login: ")).count();
        // That of the look for its port, and one each.
        if ends >= 6 {
            break text;
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "{text}");
        std::thread::sleep(Duration::from_millis(20));
    };
    drop(dovecot);

    let events: Vec<Json> = lines.lines().map(|line| read(&as_syslog(line))).collect();
    let of = |action: &str| -> Vec<Json> {
        let names = ["user.name", "event.outcome", "source.ip", "event.count"];
        let of_action = events.iter().filter(|event| event["event.action"] == action);
        of_action.map(|event| names.iter().map(|name| event[*name].clone()).collect()).collect()
    };
    let local = "127.0.0.1";
    let logins = [
        json!(["emil", "success", local, null]),
        json!(["emil", "failure", local, 2]),
        json!([forged, "failure", local, 1]),
        json!([bracket, "failure", local, 1]),
    ];
    assert_eq!(of("mail_login"), logins, "{lines}");
    let verdicts = [
        json!(["emil", "failure", local, null]),
        json!(["emil", "failure", local, null]),
        json!([forged, "failure", local, null]),
        json!([bracket, "failure", local, null]),
    ];
    assert_eq!(of("authentication"), verdicts, "{lines}");
    assert_eq!(of("mail_connection").len(), 2, "{lines}");
}
