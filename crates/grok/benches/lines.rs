//! The list of expressions of a home network's Logstash over lines as its hosts send them, and the
//! same list on `fancy-regex` alone. Each is tried in order up to the first that matches.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is measured is known to be there"
)]

use std::sync::LazyLock;

use bergfried_grok::{Captures, Grok, Options, Outcome, Patterns};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

/// Sender and message, snort's first as it has an expression of its own.
const EXPRESSIONS: [&str; 5] = [
    r"%{SYSLOGTIMESTAMP:syslog_timestamp} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: \[%{DATA}\] %{DATA:snort_event} \[Classification: %{DATA:snort_classification}\] \[Priority: %{NUMBER:snort_priority}\] \{%{DATA:snort_protocol}\} %{IP:snort_src_ip}:%{POSINT:snort_src_port} -> %{IP:snort_dest}:%{POSINT:snort_dest_port}",
    r"%{SYSLOGTIMESTAMP:syslog_timestamp} %{SYSLOGHOST:syslog_hostname} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: /usr/bin/rsnapshot( -v)? %{DATA:rsnapshot_event}: %{GREEDYDATA:rsnapshot_output}",
    r"%{SYSLOGTIMESTAMP:syslog_timestamp} %{SYSLOGHOST:syslog_hostname} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: %{GREEDYDATA:syslog_message}",
    r"%{TIMESTAMP_ISO8601:syslog_timestamp} %{SYSLOGHOST:syslog_hostname} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: %{GREEDYDATA:syslog_message}",
    r"%{SYSLOGTIMESTAMP:syslog_timestamp} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: %{GREEDYDATA:syslog_message}",
];

const LINES: [&str; 12] = [
    "Nov 21 02:26:13 files sshd[812]: Accepted publickey for anna from 192.0.2.14 port 50122 ssh2: ED25519 SHA256:o0qXo0Fhq0l8m2M0bA",
    "Nov 21 02:26:13 files sshd[812]: pam_unix(sshd:session): session opened for user anna(uid=1000) by (uid=0)",
    "Nov 21 02:26:44 deb-web1 sshd[9120]: Failed password for invalid user admin from 203.0.113.77 port 40022 ssh2",
    "Nov 21 02:27:01 files CRON[950]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
    "Nov  1 02:27:09 deb-web1 sudo:     anna : TTY=pts/0 ; PWD=/home/anna ; USER=root ; COMMAND=/usr/bin/apt update",
    "Nov 21 02:28:31 backup rsnapshot[422]: /usr/bin/rsnapshot hourly: completed successfully",
    "Nov 21 02:28:33 backup rsnapshot[447]: /usr/bin/rsnapshot -v daily: completed, but with some warnings",
    "Nov 21 02:28:40 snort[2211]: [1:2010935:3] ET SCAN Suspicious inbound to MSSQL port 1433 [Classification: Potentially Bad Traffic] [Priority: 2] {TCP} 203.0.113.9:49152 -> 192.0.2.20:1433",
    "2026-11-21T02:29:01.123456+01:00 files systemd[1]: Started logrotate.service - Rotate log files.",
    "Nov 21 02:29:10 files kernel: [12345.678901] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56 SRC=203.0.113.5 DST=192.0.2.10 LEN=40 TTL=241 PROTO=TCP SPT=55000 DPT=23 SYN",
    "Nov 21 02:29:11 php-fpm[350]: /index.php: Successful login for user 'admin' from: 192.0.2.50 (Local Database)",
    "Nov 21 02:29:30 deb-web1 nginx[77]: 198.51.100.4 - - [21/Nov/2026:02:29:30 +0000] \"GET /wp-login.php HTTP/1.1\" 404 153 \"-\" \"Mozilla/5.0\"",
];

static GROKS: LazyLock<Vec<Grok>> = LazyLock::new(|| {
    let patterns = Patterns::standard();
    EXPRESSIONS
        .iter()
        .map(|expression| Grok::new(expression, &patterns, &Options::default()).unwrap())
        .collect()
});

/// The same expressions, put together as text and run by `fancy-regex`.
static PEER: LazyLock<Vec<fancy_regex::Regex>> = LazyLock::new(|| {
    let patterns = Patterns::standard();
    let put_in = regex::Regex::new(r"%\{(\w+)(?::(\w+))?\}").unwrap();
    EXPRESSIONS
        .iter()
        .map(|expression| {
            let mut text = format!("(?s){expression}");
            while let Some(found) = put_in.captures(&text) {
                let whole = found.get(0).unwrap();
                let definition = patterns.get(&found[1]).unwrap();
                let group = match found.get(2) {
                    Some(name) => format!("(?<{}>{definition})", name.as_str()),
                    None => format!("(?:{definition})"),
                };
                let range = whole.start()..whole.end();
                text.replace_range(range, &group);
            }
            fancy_regex::Regex::new(&text).unwrap()
        })
        .collect()
});

fn ours(line: &str, captures: &mut Captures) -> usize {
    for grok in GROKS.iter() {
        if grok.captures(line, captures) == Outcome::Matched {
            return grok.values(line, captures).map(|(_, value)| value.len()).sum();
        }
    }
    0
}

fn peers(line: &str) -> usize {
    for regex in PEER.iter() {
        if let Some(found) = regex.captures(line).unwrap() {
            let names = regex.capture_names().flatten();
            return names
                .filter_map(|name| found.name(name))
                .map(|value| value.end() - value.start())
                .sum();
        }
    }
    0
}

#[divan::bench]
fn home_network(bencher: Bencher<'_, '_>) {
    for line in LINES {
        assert_eq!(ours(line, &mut Captures::new()), peers(line), "{line}");
    }
    let mut captures = Captures::new();
    bencher
        .counter(ItemsCount::new(LINES.len()))
        .bench_local(|| LINES.iter().map(|line| ours(line, &mut captures)).sum::<usize>());
}

#[divan::bench]
fn home_network_on_fancy_regex(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(LINES.len()))
        .bench(|| LINES.iter().map(|line| peers(line)).sum::<usize>());
}

/// Texts made to be hard: each step back leads to many more.
const HOSTILE: [(&str, &str, &str); 6] = [
    ("nested", r"^(a+)+$", "a"),
    ("alternated", r"^(a|aa|a*)*b", "a"),
    (
        "greedy",
        r"%{GREEDYDATA:a} %{GREEDYDATA:b} %{GREEDYDATA:c} %{GREEDYDATA:d}=%{GREEDYDATA:e}",
        "a ",
    ),
    ("data", r"^%{DATA:a}: %{DATA:b}: %{DATA:c}: %{DATA:d}: %{DATA:e}!$", "a: "),
    ("unanchored", r"(%{WORD:w}\s*)+;", "word "),
    ("backreference", r"(?<a>a*)(?<b>a*)(?<c>a*)\k<a>\k<b>\k<c>b", "a"),
];

/// 1 KiB and 64 KiB of each.
#[divan::bench(args = 0..HOSTILE.len() * 2, sample_count = 10)]
fn hostile(bencher: Bencher<'_, '_>, index: usize) {
    let (_, expression, part) = HOSTILE[index / 2];
    let length = if index.is_multiple_of(2) { 1 << 10 } else { 1 << 16 };
    let text = part.repeat(length / part.len());
    let grok = Grok::new(expression, &Patterns::standard(), &Options::default()).unwrap();
    let mut captures = Captures::new();
    bencher.bench_local(|| grok.captures(&text, &mut captures));
}

/// Each line alone, to see which take long.
#[divan::bench(args = 0..LINES.len())]
fn line(bencher: Bencher<'_, '_>, index: usize) {
    let mut captures = Captures::new();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| ours(LINES[index], &mut captures));
}
