//! Records as auditd writes them to its log: programs run, connections, files and messages of PAM, the
//! records of several events between each other as several processors write them.

use std::fmt::Write as _;

use crate::random::Random;

/// How many events are written at the same time.
const AT_ONCE: usize = 4;

/// An endless audit log.
#[derive(Debug)]
pub struct Audit {
    random: Random,
    serial: u64,
    /// Lines of events that are not complete, the next one last.
    open: Vec<Vec<String>>,
    line: String,
    events: u64,
}

impl Audit {
    /// The log of this seed.
    pub fn new(random: Random) -> Self {
        Audit { random, serial: 1_000, open: Vec::new(), line: String::new(), events: 0 }
    }

    /// How many events were begun.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The next record with its line feed; an event that begins now begins at `millis` since 1970.
    pub fn next_record(&mut self, millis: u64) -> &str {
        if self.open.len() < AT_ONCE {
            let event = self.event(millis);
            self.open.push(event);
        }
        let chosen = usize::try_from(self.random.below(self.open.len() as u64)).unwrap_or_default();
        self.take(chosen)
    }

    /// What the events that were begun still lack, record by record.
    pub fn rest(&mut self) -> Option<&str> {
        if self.open.is_empty() { None } else { Some(self.take(0)) }
    }

    fn take(&mut self, chosen: usize) -> &str {
        self.line.clear();
        if let Some(event) = self.open.get_mut(chosen) {
            self.line = event.pop().unwrap_or_default();
            if event.is_empty() {
                self.open.remove(chosen);
            }
        }
        &self.line
    }

    /// The lines of one event, the last one first.
    fn event(&mut self, millis: u64) -> Vec<String> {
        self.serial += 1;
        self.events += 1;
        let stamp = format!("msg=audit({}.{:03}:{}):", millis / 1000, millis % 1000, self.serial);
        let pid = 1_000 + self.random.below(30_000);
        let word = self.random.draw();
        let syscall = |number: u32, exe: &str, key: &str| {
            format!(
                "type=SYSCALL {stamp} arch=c000003e syscall={number} success=yes exit=0 \
                 a0=55d0c2b4 a1=55d0c2b5 a2=55d0c2b6 a3=8 items=2 ppid=1 pid={pid} auid=1000 uid=1000 \
                 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=3 \
                 comm=\"{}\" exe=\"{exe}\" subj=unconfined key=\"{key}\"\u{1d}ARCH=x86_64 AUID=\"al\" \
                 UID=\"al\" GID=\"al\"",
                exe.rsplit('/').next().unwrap_or_default()
            )
        };
        let path = |item: u32, name: &str| {
            format!(
                "type=PATH {stamp} item={item} name=\"{name}\" inode={} dev=08:01 mode=0100755 ouid=0 \
                 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0",
                word % 900_000
            )
        };
        let cwd = format!("type=CWD {stamp} cwd=\"/home/al\"");
        let title = |text: &str| {
            let mut title = format!("type=PROCTITLE {stamp} proctitle=");
            for byte in text.bytes() {
                // Writing to a string cannot fail.
                let _infallible = write!(title, "{byte:02X}");
            }
            title
        };
        let lines = match self.random.below(8) {
            0 => vec![format!(
                "type=USER_ACCT {stamp} pid={pid} uid=0 auid=4294967295 ses=4294967295 \
                 msg='op=PAM:accounting grantors=pam_unix acct=\"root\" exe=\"/usr/sbin/cron\" \
                 hostname=? addr=? terminal=cron res=success'"
            )],
            1 | 2 => vec![
                syscall(42, "/usr/bin/curl", "bergfried-connect"),
                format!("type=SOCKADDR {stamp} saddr=020001BBC0000201{:016X}", 0),
                title("curl\0https://example.org/"),
            ],
            3 | 4 => vec![
                syscall(257, "/usr/bin/vim", "bergfried-identity"),
                cwd,
                path(0, "/etc/"),
                path(1, "/etc/hosts"),
                title("vim\0/etc/hosts"),
            ],
            _ => vec![
                syscall(59, "/usr/bin/find", "bergfried-exec"),
                format!(
                    "type=EXECVE {stamp} argc=4 a0=\"find\" a1=\"/srv\" a2=\"-name\" a3=\"{word:x}\""
                ),
                cwd,
                path(0, "/usr/bin/find"),
                path(1, "/lib64/ld-linux-x86-64.so.2"),
                title("find\0/srv\0-name"),
            ],
        };
        lines.into_iter().rev().map(|line| line + "\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn events_are_whole_and_mixed() {
        let mut audit = Audit::new(Random::new(1));
        let mut lines: Vec<String> = (0..10_000).map(|n| audit.next_record(n).to_owned()).collect();
        while let Some(line) = audit.rest() {
            lines.push(line.to_owned());
        }
        let mut events: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        for (place, line) in lines.iter().enumerate() {
            assert!(line.starts_with("type=") && line.ends_with('\n'), "{line}");
            let serial = line.split([':', ')']).nth(1).unwrap().parse().unwrap();
            let (first, count) = events.entry(serial).or_insert((place, 0));
            *count += 1;
            assert!(place - *first < 200, "an event takes too long");
        }
        assert_eq!(events.len() as u64, audit.events());
        assert!(events.values().all(|(_, count)| [1, 3, 5, 6].contains(count)));
    }
}
