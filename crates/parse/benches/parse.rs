//! How many lines a second are parsed, by kind of line: `cargo bench -p bergfried-parse`.

use bergfried_event::{SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use divan::counter::ItemsCount;

const LINES: usize = 10_000;

fn main() {
    divan::main();
}

fn context() -> Context<'static> {
    Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

fn numbered(form: impl Fn(usize) -> String) -> Vec<String> {
    (0..LINES).map(form).collect()
}

fn measure(bencher: divan::Bencher<'_, '_>, kind: SourceKind, lines: Vec<String>) {
    let context = context();
    bencher.counter(ItemsCount::new(lines.len())).bench(|| {
        for line in &lines {
            divan::black_box(parse(kind, line, &context));
        }
    });
}

/// The mix that a server under a password guesser writes.
#[divan::bench]
fn sshd(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        let (a, b, port) = (n % 256, n / 256, 1024 + n);
        let message = match n % 7 {
            0 => format!("Invalid user user{n} from 203.0.{b}.{a} port {port}"),
            1 => format!(
                "Failed password for invalid user user{n} from 203.0.{b}.{a} port {port} ssh2"
            ),
            2 => format!("Failed password for root from 203.0.{b}.{a} port {port} ssh2"),
            3 => format!(
                "Connection closed by authenticating user root 203.0.{b}.{a} port {port} [preauth]"
            ),
            4 => format!(
                "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.{b}.{a}  user=root"
            ),
            5 => {
                format!("Received disconnect from 203.0.{b}.{a} port {port}:11: Bye Bye [preauth]")
            }
            _ => "pam_unix(sshd:auth): check pass; user unknown".to_owned(),
        };
        format!("Dec 10 06:{:02}:{:02} server sshd[{port}]: {message}", n / 60 % 60, n % 60)
    });
    measure(bencher, SourceKind::File, lines);
}

#[divan::bench]
fn sudo(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        format!(
            "2026-11-20T06:55:46.{n:06}+00:00 server sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt install package{n}"
        )
    });
    measure(bencher, SourceKind::File, lines);
}

#[divan::bench]
fn rfc5424(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        format!(
            "<38>1 2026-11-20T06:55:46.{n:06}Z server sshd {n} - [origin@1 ip=\"10.0.0.1\"] Accepted publickey for alice from 203.0.113.7 port 50022 ssh2: ED25519 SHA256:oGr8HKa0gYzqU1iCsoLfHbLKYqCyYQcXAJw3xqHCN5Q"
        )
    });
    measure(bencher, SourceKind::File, lines);
}

#[divan::bench]
fn journald(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        format!(
            "{{\"__REALTIME_TIMESTAMP\":\"17952279{n:08}\",\"_HOSTNAME\":\"server\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"_PID\":\"{n}\",\"PRIORITY\":\"6\",\"SYSLOG_FACILITY\":\"4\",\"_BOOT_ID\":\"772b1112f35d49e3a0897b552c8ff3b1\",\"MESSAGE\":\"Failed password for root from 203.0.113.7 port 50022 ssh2\"}}"
        )
    });
    measure(bencher, SourceKind::Journald, lines);
}

#[divan::bench]
fn unknown_program(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| format!("Dec 10 06:55:46 server kernel: [{n}.123456] eth0: link up"));
    measure(bencher, SourceKind::File, lines);
}
