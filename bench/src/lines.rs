//! Lines as the programs of a Linux server write them through syslog.

use std::io::{self, Write as _};

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};

use crate::random::Random;

/// How a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StampFormat {
    /// `Jan  5 00:00:00`
    Rfc3164,
    /// `2026-01-05T00:00:00.000000+00:00`
    Iso8601,
}

/// What the lines tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mix {
    /// Servers that the whole Internet tries to log in to: most lines are of attacks.
    Attacked,
    /// A home or an office on a usual day: no attack gets as far as a server.
    Calm,
}

const PEOPLE: &[&str] =
    &["anna", "bertram", "cecilia", "dora", "emil", "frieda", "gustav", "hedwig", "deploy"];
const GUESSES: &[&str] = &[
    "admin",
    "test",
    "oracle",
    "postgres",
    "ubuntu",
    "git",
    "mysql",
    "pi",
    "ftpuser",
    "jenkins",
    "hadoop",
    "nagios",
    "user1",
    "www-data",
    "minecraft",
    "elastic",
    "deployer",
    "support",
];
const COMMANDS: &[&str] = &[
    "/usr/bin/systemctl restart nginx.service",
    "/usr/bin/apt-get -y -o Dpkg::Options::=--force-confold dist-upgrade",
    "/usr/bin/journalctl --unit postgresql.service --since today --no-pager",
    "/usr/bin/tail -n 200 /var/log/nginx/access.log",
    "/usr/bin/rsync -a --delete /srv/www/ backup:/srv/www/",
    "/usr/local/sbin/rotate-certificates --domain example.org --reload nginx",
];
const JOBS: &[&str] = &[
    "   cd / && run-parts --report /etc/cron.hourly",
    "[ -x /usr/lib/php/sessionclean ] && if [ ! -d /run/systemd/system ]; then /usr/lib/php/sessionclean; fi",
    "/usr/local/bin/collect-metrics --interval 60 --output /var/lib/metrics/current.prom",
    "command -v debian-sa1 > /dev/null && debian-sa1 1 1",
];
const UNITS: &[&str] = &[
    "apt-daily.service - Daily apt download activities",
    "logrotate.service - Rotate log files",
    "man-db.service - Daily man-db regeneration",
    "fstrim.service - Discard unused blocks on filesystems from /etc/fstab",
    "systemd-tmpfiles-clean.service - Cleanup of Temporary Directories",
];

/// An endless run of lines.
#[derive(Debug)]
pub struct Lines {
    random: Random,
    second: Timestamp,
    stamp: String,
    in_second: u32,
    per_second: u32,
    hosts: u32,
    format: StampFormat,
    mix: Mix,
    line: Vec<u8>,
}

impl Lines {
    /// Lines of this many hosts, this many in each second from `start` on.
    pub fn new(
        random: Random,
        start: Timestamp,
        per_second: u32,
        hosts: u32,
        format: StampFormat,
        mix: Mix,
    ) -> Self {
        let stamp = stamp(start, format);
        let line = Vec::with_capacity(512);
        Lines { random, second: start, stamp, in_second: 0, per_second, hosts, format, mix, line }
    }

    /// The next line, with its line feed.
    ///
    /// # Errors
    /// Where time runs past the year 9999.
    pub fn next_line(&mut self) -> anyhow::Result<&[u8]> {
        if self.in_second == self.per_second {
            self.in_second = 0;
            self.second = self.second.checked_add(SignedDuration::from_secs(1))?;
            self.stamp = stamp(self.second, self.format);
        }
        let Lines { random, stamp, line, .. } = self;
        line.clear();
        line.extend_from_slice(stamp.as_bytes());
        if self.format == StampFormat::Iso8601 {
            let micros = u64::from(self.in_second) * 1_000_000 / u64::from(self.per_second);
            write!(line, ".{micros:06}+00:00")?;
        }
        let host = random.below(u64::from(self.hosts)) + 1;
        write!(line, " server{host:02} ")?;
        match self.mix {
            Mix::Attacked => write_attacked(line, random)?,
            Mix::Calm => write_calm(line, random)?,
        }
        line.push(b'\n');
        self.in_second += 1;
        Ok(&self.line)
    }
}

fn stamp(second: Timestamp, format: StampFormat) -> String {
    match format {
        StampFormat::Rfc3164 => second.strftime("%b %e %H:%M:%S").to_string(),
        StampFormat::Iso8601 => second.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
    }
}

/// The program, its PID and what it says: a server that the whole Internet tries to log in to.
fn write_attacked(line: &mut Vec<u8>, random: &mut Random) -> io::Result<()> {
    let pid = 300 + random.below(4_000_000);
    let port = 1024 + random.below(64_000);
    let person = random.pick(PEOPLE);
    let guess = random.pick(GUESSES);
    match random.below(100) {
        0..22 => {
            let ip = random.address();
            write!(line, "sshd[{pid}]: Failed password for root from {ip} port {port} ssh2")
        }
        22..38 => {
            let ip = random.address();
            write!(
                line,
                "sshd[{pid}]: Failed password for invalid user {guess} from {ip} port {port} ssh2"
            )
        }
        38..52 => {
            let ip = random.address();
            write!(
                line,
                "sshd[{pid}]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 \
                 tty=ssh ruser= rhost={ip}  user=root"
            )
        }
        52..62 => {
            let ip = random.address();
            write!(line, "sshd[{pid}]: Invalid user {guess} from {ip} port {port}")
        }
        62..70 => {
            let ip = random.address();
            write!(
                line,
                "sshd[{pid}]: Disconnected from authenticating user root {ip} port {port} [preauth]"
            )
        }
        70..76 => {
            let (ip, print) = (random.address(), random.draw());
            write!(
                line,
                "sshd[{pid}]: Accepted publickey for {person} from {ip} port {port} ssh2: ED25519 \
                 SHA256:{print:016x}{:016x}{:011x}",
                print.rotate_left(17),
                print >> 20
            )
        }
        76..80 => write!(
            line,
            "sshd[{pid}]: pam_unix(sshd:session): session opened for user {person}(uid=1000) by \
             (uid=0)"
        ),
        80..86 => {
            let (tty, command) = (random.below(12), random.pick(COMMANDS));
            write!(
                line,
                "sudo[{pid}]:  {person} : TTY=pts/{tty} ; PWD=/home/{person} ; USER=root ; \
                 COMMAND={command}"
            )
        }
        86..94 => write!(line, "CRON[{pid}]: (root) CMD ({})", random.pick(JOBS)),
        _ => write!(line, "systemd[1]: Finished {}.", random.pick(UNITS)),
    }
}

/// The program, its PID and what it says: a network behind a firewall, its people and its jobs.
fn write_calm(line: &mut Vec<u8>, random: &mut Random) -> io::Result<()> {
    let pid = 300 + random.below(4_000_000);
    let port = 1024 + random.below(64_000);
    let person = random.pick(PEOPLE);
    let near = random.below(250) + 1;
    match random.below(100) {
        0..25 => {
            let (uptime, id) = (random.below(9_000_000), random.below(65_536));
            let (ip, to) = (random.address(), random.pick(&["22", "23", "445", "3389", "8080"]));
            write!(
                line,
                "kernel: [{uptime}.{id:06}] [UFW BLOCK] IN=eth0 OUT= \
                 MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC={ip} DST=192.0.2.{near} LEN=60 \
                 TOS=0x00 PREC=0x00 TTL=51 ID={id} DF PROTO=TCP SPT={port} DPT={to} WINDOW=64240 \
                 RES=0x00 SYN URGP=0"
            )
        }
        25..45 => write!(line, "CRON[{pid}]: (root) CMD ({})", random.pick(JOBS)),
        45..55 => write!(line, "systemd[1]: Finished {}.", random.pick(UNITS)),
        55..62 => write!(line, "systemd[1]: Started Session {pid} of user {person}."),
        62..70 => {
            let print = random.draw();
            write!(
                line,
                "sshd[{pid}]: Accepted publickey for {person} from 192.0.2.{near} port {port} ssh2: \
                 ED25519 SHA256:{print:016x}{:016x}{:011x}",
                print.rotate_left(17),
                print >> 20
            )
        }
        70..85 => {
            write!(
                line,
                "postfix/smtpd[{pid}]: connect from mail{near}.example.org[198.51.100.{near}]"
            )
        }
        _ => write!(
            line,
            "dhcpd[{pid}]: DHCPACK on 192.0.2.{near} to 52:54:00:{:02x}:{near:02x}:56 via eth0",
            random.below(256)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(seed: u64, count: usize, format: StampFormat) -> Vec<String> {
        lines_of(Mix::Attacked, seed, count, format)
    }

    fn lines_of(mix: Mix, seed: u64, count: usize, format: StampFormat) -> Vec<String> {
        let start = "2026-01-05T23:59:59Z".parse().unwrap();
        let mut lines = Lines::new(Random::new(seed), start, 2, 3, format, mix);
        (0..count)
            .map(|_| String::from_utf8(lines.next_line().unwrap().to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn the_seed_decides_every_byte() {
        let format = StampFormat::Rfc3164;
        assert_eq!(lines(5, 500, format), lines(5, 500, format));
        assert_ne!(lines(5, 500, format), lines(6, 500, format));
    }

    #[test]
    fn stamps_move_on_and_lines_stay_whole() {
        let old = lines(1, 300, StampFormat::Rfc3164);
        assert!(old[1].starts_with("Jan  5 23:59:59 server0"), "{}", old[1]);
        assert!(old[2].starts_with("Jan  6 00:00:00 server0"), "{}", old[2]);
        let new = lines(1, 300, StampFormat::Iso8601);
        let calm = lines_of(Mix::Calm, 1, 300, StampFormat::Rfc3164);
        assert!(new[1].starts_with("2026-01-05T23:59:59.500000+00:00 server0"), "{}", new[1]);
        for line in old.iter().chain(&new).chain(&calm) {
            assert_eq!(line.matches('\n').count(), 1);
            assert!(line.ends_with('\n') && line.is_ascii() && line.contains(": "), "{line}");
        }
    }
}
