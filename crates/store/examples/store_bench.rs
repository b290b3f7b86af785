//! Measures the store: appends generated events durably, then asks what people ask.
//!
//! `cargo run --release -p bergfried-store --example store_bench -- [EVENTS] [DIRECTORY]`
//! (10 million, a temporary directory). Lines are a mix of sshd, sudo, cron and nginx with random
//! addresses, ports, users and process ids; 26 hours of them.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "its purpose is to print, and it cuts its own lines"
)]

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_query::{Condition, Pattern, Predicate};
use bergfried_store::{BatchId, NewBatch, Options, Reader, Search, open};

const BATCH: u64 = 4_096;
const RARE: &str = "198.51.100.77";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let total: u64 = arguments.next().map_or(Ok(10_000_000), |text| text.parse())?;
    let temporary = tempfile::tempdir()?;
    let directory = arguments.next().map_or_else(|| temporary.path().to_owned(), Into::into);
    let (mut writer, reader, _) = open(&directory, Options::default())?;
    let start: Timestamp = "2026-11-20T00:00:00Z".parse()?;
    let step = 26 * 3_600 * Timestamp::SECOND / i64::try_from(total)?.max(1);
    if reader.stats().events == 0 {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let (mut appending, mut bytes) = (Duration::ZERO, 0);
        let cpu = cpu_seconds();
        let began = Instant::now();
        for first in (0..total).step_by(BATCH as usize) {
            let lines: Vec<Line> = (first..total.min(first + BATCH))
                .map(|number| Line::new(number, total, start, step, &mut random))
                .collect();
            bytes += lines.iter().map(|line| line.text.len()).sum::<usize>();
            let ingested = lines.last().context("no lines")?.created.plus_micros(500_000);
            let events = lines.iter().map(Line::event).collect();
            let id = BatchId(u128::from(first).to_le_bytes());
            let append = Instant::now();
            writer.append(vec![NewBatch { id, ingested, events, findings: [].into() }])?;
            appending += append.elapsed();
        }
        println!("lines of {} bytes", bytes as u64 / total);
        println!("append alone: {:.0} events/s", total as f64 / appending.as_secs_f64());
        println!(
            "with making the lines: {:.0} events/s",
            total as f64 / began.elapsed().as_secs_f64()
        );
        println!(
            "cpu, making the lines included: {:.2} us/event",
            (cpu_seconds() - cpu) * 1e6 / total as f64
        );
    }
    // A segment that is being written would disturb what is measured next.
    writer.findings_applied(u64::MAX)?;
    while reader.stats().events_in_memory >= 1 << 18 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let stats = reader.stats();
    println!("{stats:?}");
    println!("memory: {} MB", resident_kilobytes() / 1024);
    let in_segments = segment_events(&reader)?;
    println!("bytes/event in segments: {:.1}", stats.bytes_on_disk as f64 / in_segments as f64);
    ask(&reader, start)
}

fn segment_events(reader: &Reader) -> Result<u64> {
    let _segments = reader.verify()?;
    let stats = reader.stats();
    Ok(stats.events - stats.events_in_memory)
}

fn ask(reader: &Reader, start: Timestamp) -> Result<()> {
    let end = start.plus_micros(26 * 3_600 * Timestamp::SECOND);
    let day = end.plus_micros(-Timestamp::DAY);
    let everything = Predicate::Constant(true);
    let is =
        |field: Field, text: &str| Predicate::field(field, Condition::Text(Pattern::literal(text)));
    let page = |predicate: Predicate| {
        let search = Search {
            predicate,
            from: Timestamp::MIN,
            to: Timestamp::MAX,
            limit: 100,
            before: None,
        };
        reader.search(&search).map(|page| page.events.len() as u64)
    };
    let words =
        |text: &str| Predicate::field(Field::Message, Condition::Words(Pattern::literal(text)));
    let hour = 3_600 * Timestamp::SECOND;
    let source = FieldName::Known(Field::SourceIp);
    let failed = is(Field::EventOutcome, "failure");
    time(
        "histogram over 24 h",
        || Ok(reader.histogram(&everything, day, end, hour)?.len() as u64),
    )?;
    time("histogram of failures over 24 h", || {
        Ok(reader.histogram(&failed, day, end, hour)?.len() as u64)
    })?;
    time("top 10 sources", || Ok(reader.top(&everything, day, end, &source, 10)?.len() as u64))?;
    time("top 10 sources of failures", || {
        Ok(reader.top(&failed, day, end, &source, 10)?.len() as u64)
    })?;
    time("one host's latest 100", || Ok(page(is(Field::HostName, "web-137"))?))?;
    time("one rare address, by field", || Ok(page(is(Field::SourceIp, RARE))?))?;
    time("one rare address, as a word", || Ok(page(words(RARE))?))?;
    time("a rare user", || Ok(page(is(Field::UserName, "mallory"))?))?;
    time("a common word, latest 100", || Ok(page(words("password"))?))?;
    time("latest 100", || Ok(page(Predicate::Constant(true))?))?;
    time("count of failures over all", || {
        Ok(reader.count(&failed, Timestamp::MIN, Timestamp::MAX)?)
    })?;
    time("count of a common word over all", || {
        Ok(reader.count(&words("password"), Timestamp::MIN, Timestamp::MAX)?)
    })
}

fn time(name: &str, mut ask: impl FnMut() -> Result<u64>) -> Result<()> {
    ask()?;
    let mut times = Vec::new();
    let mut answer = 0;
    let cpu = cpu_seconds();
    for _ in 0..5 {
        let began = Instant::now();
        answer = ask()?;
        times.push(began.elapsed());
    }
    times.sort();
    let median = times.get(2).context("no times")?.as_secs_f64() * 1e3;
    // On a busy machine the time of the processor says more than that of the clock.
    let cpu = (cpu_seconds() - cpu) * 1e3 / 5.0;
    println!("{name}: {median:.1} ms, {cpu:.0} ms of cpu ({answer})");
    Ok(())
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// xorshift64*: enough for lines that do not repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    /// Small numbers far more often than large ones.
    fn skewed(&mut self, limit: u64) -> u64 {
        let bound = self.below(limit) + 1;
        self.below(bound)
    }

    fn address(&mut self) -> String {
        let number = match self.below(20) {
            0 => self.below(1 << 31) * 2 + 1,
            _ => (self.skewed(50_000) + 7).wrapping_mul(2_654_435_761) % (1 << 32),
        };
        let [a, b, c, d] = u32::try_from(number).unwrap_or(0).to_be_bytes();
        format!("{}.{b}.{c}.{d}", a.clamp(1, 223))
    }
}

struct Line {
    created: Timestamp,
    text: String,
    head: usize,
    host: String,
    program: &'static str,
    pid: Option<i64>,
    action: &'static str,
    category: &'static str,
    outcome: &'static str,
    facility: &'static str,
    file: &'static str,
    source: Option<(String, i64)>,
    user: Option<String>,
    effective: Option<&'static str>,
}

const USERS: [&str; 24] = [
    "root", "admin", "ubuntu", "test", "oracle", "postgres", "git", "deploy", "alice", "bob",
    "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "ken", "leo", "www-data",
    "backup", "jenkins", "nagios",
];
const COMMANDS: [&str; 12] = [
    "/usr/bin/systemctl restart nginx",
    "/usr/bin/apt-get update",
    "/bin/cat /var/log/auth.log",
    "/usr/bin/journalctl -u postgresql --since today",
    "/usr/sbin/service cron status",
    "/usr/bin/docker ps --all",
    "/usr/bin/tail -n 200 /var/log/nginx/error.log",
    "/usr/bin/du -sh /var/lib/postgresql",
    "/usr/bin/vim /etc/nginx/sites-enabled/default",
    "/usr/sbin/iptables -L -n -v",
    "/usr/bin/chown -R deploy: /srv/app/current",
    "/usr/bin/certbot renew --quiet",
];
const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "curl/8.5.0",
    "kube-probe/1.31",
    "Go-http-client/2.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15",
];

fn pick<T: Copy>(from: &[T], random: &mut Random) -> T {
    from[random.skewed(from.len() as u64) as usize]
}

impl Line {
    fn new(number: u64, total: u64, start: Timestamp, step: i64, random: &mut Random) -> Self {
        let at = start.plus_micros(step * number as i64);
        let created = at.plus_micros(-(random.below(2_000_000) as i64)).floor_to(Timestamp::SECOND);
        let host = format!("web-{}", random.below(400));
        let rare = number == total / 3 || number == total / 2;
        let address = if rare { RARE.to_owned() } else { random.address() };
        let port = 1_024 + random.below(64_000) as i64;
        let user = if rare {
            "mallory".to_owned()
        } else if random.below(12) == 0 {
            format!("u{}", random.below(5_000))
        } else {
            pick(&USERS, random).to_owned()
        };
        let pid = 300 + random.below(32_000) as i64;
        let mut line = Line {
            created,
            text: String::new(),
            head: 0,
            host,
            program: "sshd",
            pid: Some(pid),
            action: "ssh_login",
            category: "authentication",
            outcome: "failure",
            facility: "authpriv",
            file: "/var/log/auth.log",
            source: None,
            user: None,
            effective: None,
        };
        let message = match random.below(100) {
            kind @ 0..50 => {
                let message = match kind {
                    0..20 => format!("Failed password for {user} from {address} port {port} ssh2"),
                    20..30 => format!(
                        "Failed password for invalid user {user} from {address} port {port} ssh2"
                    ),
                    30..40 => format!(
                        "Connection closed by authenticating user {user} {address} port {port} [preauth]"
                    ),
                    40..45 => format!(
                        "Received disconnect from {address} port {port}:11: Bye Bye [preauth]"
                    ),
                    _ => {
                        line.outcome = "success";
                        let key = random.skewed(300).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                        format!(
                            "Accepted publickey for {user} from {address} port {port} ssh2: ED25519 SHA256:{key:016x}{:016x}{:011x}",
                            key.rotate_left(17),
                            key >> 20
                        )
                    }
                };
                line.source = Some((address, port));
                line.user = Some(user);
                message
            }
            50..62 => {
                (line.program, line.action, line.outcome) = ("sudo", "sudo_command", "success");
                line.effective = Some("root");
                line.pid = None;
                let tty = random.below(20);
                let message = format!(
                    "{user:>8} : TTY=pts/{tty} ; PWD=/home/{user} ; USER=root ; COMMAND={}",
                    pick(&COMMANDS, random)
                );
                line.user = Some(user);
                message
            }
            62..75 => {
                (line.program, line.action, line.outcome) = ("CRON", "session_opened", "success");
                line.category = "session";
                let message = format!(
                    "pam_unix(cron:session): session opened for user {user}(uid={}) by {user}(uid=0)",
                    random.below(60)
                );
                line.user = Some(user);
                message
            }
            _ => {
                (line.program, line.action, line.category) = ("nginx", "http_request", "web");
                (line.facility, line.file) = ("local7", "/var/log/syslog");
                let status = pick(&[200, 200, 304, 404, 302, 500, 403], random);
                line.outcome = if status < 400 { "success" } else { "failure" };
                let message = format!(
                    "{address} - - \"GET /{}/{}?id={} HTTP/1.1\" {status} {} \"-\" \"{}\"",
                    pick(
                        &["api/v1/items", "static/js", "login", "images", "api/v2/orders"],
                        random
                    ),
                    random.skewed(3_000),
                    random.below(1_000_000),
                    random.below(60_000),
                    pick(&AGENTS, random),
                );
                line.source = Some((address, port));
                message
            }
        };
        let stamp = created.to_string();
        let day: u32 = stamp[8..10].parse().unwrap_or(1);
        let pid = line.pid.map(|pid| format!("[{pid}]")).unwrap_or_default();
        line.text =
            format!("Nov {day:>2} {} {} {}{pid}: ", &stamp[11..19], line.host, line.program);
        line.head = line.text.len();
        line.text.push_str(&message);
        line
    }

    fn event(&self) -> Event<'_> {
        let mut event = Event::new(self.created, self.text.as_str());
        event.set(Field::HostName, self.host.as_str());
        event.set(Field::ProcessName, self.program);
        if let Some(pid) = self.pid {
            event.set(Field::ProcessPid, pid);
        }
        event.set(Field::Message, &self.text[self.head..]);
        event.set(Field::SyslogFacility, self.facility);
        event.set(Field::SyslogSeverity, "info");
        event.set(Field::LogFilePath, self.file);
        event.set(Field::EventCategory, Value::List(vec![self.category.into()]));
        event.set(Field::EventAction, self.action);
        event.set(Field::EventOutcome, self.outcome);
        if let Some((address, port)) = &self.source {
            event.set(Field::SourceIp, address.as_str());
            event.set(Field::SourcePort, *port);
        }
        if let Some(user) = &self.user {
            event.set(Field::UserName, user.as_str());
        }
        if let Some(effective) = self.effective {
            event.set(Field::UserEffectiveName, effective);
        }
        event
    }
}
