//! The chain of a home network's Logstash over events as the pipeline hands them over, a chain whose
//! condition does not hold, and a dissect in place of the patterns.

#![expect(clippy::expect_used, reason = "a bench that cannot go on should say where")]

use bergfried_event::SourceKind;
use bergfried_parse::{Context, parse};
use bergfried_process::{ChainFile, Chains, Files};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

const LINES: [&str; 8] = [
    "Nov 21 02:26:13 files sshd[812]: Accepted publickey for anna from 192.0.2.14 port 50122 ssh2: ED25519 SHA256:o0qXo0Fhq0l8m2M0bA",
    "Nov 21 02:26:13 files sshd[812]: pam_unix(sshd:session): session opened for user anna(uid=1000) by (uid=0)",
    "Nov 21 02:26:44 deb-web1 sshd[9120]: Failed password for invalid user admin from 203.0.113.77 port 40022 ssh2",
    "Nov 21 02:27:01 files CRON[950]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
    "Nov  1 02:27:09 deb-web1 sudo:     anna : TTY=pts/0 ; PWD=/home/anna ; USER=root ; COMMAND=/usr/bin/apt update",
    "Nov 21 02:28:31 backup rsnapshot[422]: /usr/bin/rsnapshot hourly: completed successfully",
    "Nov 21 02:28:40 snort[2211]: [1:2010935:3] ET SCAN Suspicious inbound to MSSQL port 1433 [Classification: Potentially Bad Traffic] [Priority: 2] {TCP} 203.0.113.9:49152 -> 192.0.2.20:1433",
    "Nov 21 02:29:11 php-fpm[350]: /index.php: Successful login for user 'admin' from: 192.0.2.50 (Local Database)",
];

const HOME: &str = r#"
[[chain]]
name = "home"
when = "process.name:*"
[[chain.step]]
grok = { field = "event.original", patterns = [
  '%{SYSLOGTIMESTAMP:syslog_timestamp} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: \[%{DATA}\] %{DATA:snort_event} \[Classification: %{DATA:snort_classification}\] \[Priority: %{NUMBER:snort_priority}\] \{%{DATA:snort_protocol}\} %{IP:snort_src_ip}:%{POSINT:snort_src_port} -> %{IP:snort_dest}:%{POSINT:snort_dest_port}',
  '%{SYSLOGTIMESTAMP:syslog_timestamp} %{SYSLOGHOST:syslog_hostname} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: /usr/bin/rsnapshot( -v)? %{DATA:rsnapshot_event}: %{GREEDYDATA:rsnapshot_output}',
  '%{SYSLOGTIMESTAMP:syslog_timestamp} %{SYSLOGHOST:syslog_hostname} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: %{GREEDYDATA:syslog_message}',
  '%{TIMESTAMP_ISO8601:syslog_timestamp} %{SYSLOGHOST:syslog_hostname} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: %{GREEDYDATA:syslog_message}',
  '%{SYSLOGTIMESTAMP:syslog_timestamp} %{DATA:syslog_program}(?:\[%{POSINT:syslog_pid}\])?: %{GREEDYDATA:syslog_message}',
] }
add_field = { received_at = "%{@timestamp}", received_from = "%{observer.ip}" }
[[chain.step]]
when = "rsnapshot_event:*"
add_tag = "rsnapshot"
[[chain.step]]
when = "snort_event:*"
add_tag = "snort"
"#;

const NOT_HELD: &str = r#"
[[chain]]
name = "web"
when = "program:nginx"
[[chain.step]]
grok = { patterns = '%{COMBINEDAPACHELOG}' }
"#;

const DISSECT: &str = r#"
[[chain]]
name = "parts"
[[chain.step]]
dissect = { mapping = '%{first} %{rest}' }
"#;

const CHAINS: [(&str, &str); 3] = [("home", HOME), ("not held", NOT_HELD), ("dissect", DISSECT)];

#[derive(serde::Deserialize)]
struct File {
    chain: Vec<ChainFile>,
}

#[divan::bench(args = CHAINS.map(|(name, _)| name))]
fn chain(bencher: Bencher<'_, '_>, name: &str) {
    let (_, text) = CHAINS.iter().find(|(known, _)| *known == name).expect("one of them");
    let file: File = toml::from_str(text).expect("it is TOML");
    let chains = Chains::compile(&file.chain, &Files::default()).expect("it has no mistake");
    let context = Context {
        received: "2026-11-21T03:00:00Z".parse().expect("a time"),
        host: "",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let mut meter = chains.meter(Box::new(|| 0));
    let events = LINES.map(|line| parse(SourceKind::Syslog, line, &context));
    bencher
        .counter(ItemsCount::new(LINES.len()))
        .with_inputs(|| events.clone())
        .bench_local_values(|mut events| {
            for event in &mut events {
                let _kept = chains.apply(event, &context, &mut meter);
            }
            events
        });
}
