//! The parent of a process, looked up while this host still has it; where it has not, what the log said
//! a moment before that process runs.
//!
//! A number of a process is used again after its end, so that a process counts as the parent only
//! where it began before the event. What it executes is what it executes when it is looked up.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bergfried_event::Timestamp;

/// How many processes are remembered.
const MOST: usize = 4_096;
/// How long it counts what a process was seen to run: later its number may be another's.
const SEEN_FOR: i64 = 60 * Timestamp::SECOND;
/// The unit of times in /proc/PID/stat: a hundredth of a second for every program on x86_64 and
/// aarch64, whatever the kernel's own is (proc(5), time(7)).
const TICK: i64 = 10_000;
/// How far the audit system's clock may lag behind: it is read once in a tick of the kernel.
const LAG: i64 = 20_000;
/// How long the time of the machine's start is believed; the clock may be set meanwhile.
const BOOT_FOR: i64 = 10 * Timestamp::SECOND;

#[derive(Debug)]
pub(super) struct Parents {
    proc: PathBuf,
    known: HashMap<u32, Known>,
    /// What processes ran last as the log says, and when.
    seen: HashMap<u32, (Timestamp, Vec<u8>)>,
    /// When the machine started, and when that was looked up.
    boot: Option<(i64, Timestamp)>,
}

/// What was found when a process was looked up last.
#[derive(Debug)]
struct Known {
    looked: Timestamp,
    /// When it began, and what to say of it; none where there was no such process.
    found: Option<(i64, Vec<u8>)>,
}

impl Parents {
    pub(super) fn new(proc: impl Into<PathBuf>) -> Self {
        Parents { proc: proc.into(), known: HashMap::new(), seen: HashMap::new(), boot: None }
    }

    /// Remembers what a process runs from now on, of the records of an event that says so.
    pub(super) fn saw(&mut self, pid: u32, at: Timestamp, event: &[u8]) {
        let Some(said) = ran(pid, event) else { return };
        if self.seen.len() >= MOST {
            self.seen.retain(|_, (seen, _)| (0..SEEN_FOR).contains(&at.since(*seen)));
            if self.seen.len() >= MOST {
                self.seen.clear();
            }
        }
        self.seen.insert(pid, (at, said));
    }

    /// `pid=… exe="…" comm="…"` of the process that had this number at that time: as it is there, or
    /// else as the log said within the last minute.
    pub(super) fn find(&mut self, pid: u32, at: Timestamp, now: Timestamp) -> Option<&[u8]> {
        if self.look_up(pid, at, now) {
            return Some(self.known.get(&pid)?.found.as_ref()?.1.as_slice());
        }
        let (seen, said) = self.seen.get(&pid)?;
        (0..SEEN_FOR).contains(&at.since(*seen)).then_some(said.as_slice())
    }

    /// Whether the process that had this number at that time still has it.
    ///
    /// One that began before and was there later was there all the time: that needs no second look.
    fn look_up(&mut self, pid: u32, at: Timestamp, now: Timestamp) -> bool {
        let is_fresh = |known: &Known| at <= known.looked;
        if !self.known.get(&pid).is_some_and(is_fresh) {
            let Some(boot) = self.boot(now) else { return false };
            let found = look(&self.proc, pid, boot);
            if self.known.len() >= MOST {
                self.known.clear();
            }
            self.known.insert(pid, Known { looked: now, found });
        }
        let found = self.known.get(&pid).and_then(|known| known.found.as_ref());
        found.is_some_and(|(began, _)| *began <= at.micros().saturating_add(LAG))
    }

    fn boot(&mut self, now: Timestamp) -> Option<i64> {
        match self.boot {
            Some((boot, looked)) if (0..BOOT_FOR).contains(&now.since(looked)) => Some(boot),
            _ => {
                let uptime = std::fs::read_to_string(self.proc.join("uptime")).ok()?;
                let boot = now.micros().checked_sub(hundredths(&uptime)?.checked_mul(TICK)?)?;
                self.boot = Some((boot, now));
                Some(boot)
            }
        }
    }
}

/// The first number of /proc/uptime, which has two digits behind its point.
fn hundredths(uptime: &str) -> Option<i64> {
    let (seconds, rest) = uptime.split_once('.')?;
    let seconds: i64 = seconds.parse().ok()?;
    seconds.checked_mul(100)?.checked_add(rest.get(..2)?.parse().ok()?)
}

fn look(proc: &Path, pid: u32, boot: i64) -> Option<(i64, Vec<u8>)> {
    let about = proc.join(pid.to_string());
    let stat = std::fs::read(about.join("stat")).ok()?;
    let (comm, began) = read_stat(&stat)?;
    let mut said = format!("pid={pid}");
    // Only the superuser may see what processes of others execute.
    if let Ok(exe) = std::fs::read_link(about.join("exe")) {
        push(&mut said, "exe", exe.as_os_str().as_encoded_bytes());
    }
    push(&mut said, "comm", comm);
    Some((boot.saturating_add(began.saturating_mul(TICK)), said.into_bytes()))
}

/// The name, and the start in ticks since the machine's: the second and the 22nd field of
/// proc_pid_stat(5). The name may hold anything, also parentheses.
fn read_stat(stat: &[u8]) -> Option<(&[u8], i64)> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let mut after = std::str::from_utf8(stat.get(close + 1..)?).ok()?.split_ascii_whitespace();
    Some((stat.get(open + 1..close)?, after.nth(19)?.parse().ok()?))
}

/// What an event's SYSCALL record says of the process, if the event is one of a program that was run.
/// The kernel's spelling is kept: no blank is in a value, nor anything that would end it.
fn ran(pid: u32, event: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(event, b"type=EXECVE ")?;
    let mut lines = event.split(|byte| *byte == b'\n');
    let line = lines.find(|line| memchr::memmem::find(line, b"type=SYSCALL ").is_some())?;
    // What auditd adds is behind 0x1D.
    let line = line.split(|byte| *byte == 0x1d).next()?;
    memchr::memmem::find(line, b" success=yes ")?;
    let value = |name: &[u8]| {
        let from = memchr::memmem::find(line, name)?.checked_add(name.len())?;
        line.get(from..)?.split(|byte| *byte == b' ').next()
    };
    let (comm, exe) = (value(b" comm=")?, value(b" exe=")?);
    let mut said = format!("pid={pid}").into_bytes();
    for part in [b" exe=", exe, b" comm=", comm] {
        said.extend_from_slice(part);
    }
    Some(said)
}

/// As the kernel writes text of others into audit records: quoted, or as digits where it holds a
/// quote, a blank or anything outside of ASCII.
fn push(said: &mut String, name: &str, value: &[u8]) {
    let plain = value.iter().all(|byte| (0x21..=0x7e).contains(byte) && *byte != b'"');
    let written = match std::str::from_utf8(value) {
        Ok(text) if plain => format!("\"{text}\""),
        _ => value.iter().map(|byte| format!("{byte:02X}")).collect(),
    };
    said.extend([" ", name, "=", &written]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from(jiff::Timestamp::now())
    }

    #[test]
    fn this_very_process_is_found_and_no_other_that_had_its_number() {
        let mut parents = Parents::new("/proc");
        let pid = std::process::id();
        let said = parents.find(pid, now(), now()).unwrap();
        let said = String::from_utf8(said.to_vec()).unwrap();
        let exe = std::env::current_exe().unwrap();
        assert!(
            said.starts_with(&format!("pid={pid} exe=\"{}\" comm=\"", exe.display())),
            "{said}"
        );
        let before = Timestamp::from_micros(now().micros() - 3_600 * Timestamp::SECOND);
        assert_eq!(parents.find(pid, before, now()), None, "it is younger than that event");
        assert_eq!(parents.find(0, now(), now()), None);
    }

    #[test]
    fn what_a_process_ran_is_known_for_a_minute_after_it_ended() {
        let proc = tempfile::tempdir().unwrap();
        std::fs::write(proc.path().join("uptime"), "1000.00 1.0\n").unwrap();
        let mut parents = Parents::new(proc.path());
        let at = Timestamp::from_seconds;
        let event = |success: &str, exe: &str| {
            format!(
                "type=SYSCALL msg=audit(9990.0:7): arch=c000003e syscall=59 success={success} ppid=7 \
                 pid=42 comm=6120 exe={exe} key=\"x\"\u{1d}ARCH=x86_64 EXE=no\n\
                 type=EXECVE msg=audit(9990.0:7): argc=1 a0=\"a\""
            )
        };
        parents.saw(42, at(9_990), event("no", "\"/none\"").as_bytes());
        assert_eq!(parents.find(42, at(9_991), at(9_992)), None, "it was not run");
        parents.saw(42, at(9_990), event("yes", "\"/usr/bin/apt-get\"").as_bytes());
        parents.saw(
            43,
            at(9_990),
            b"type=SYSCALL msg=audit(9990.0:8): success=yes comm=\"b\" exe=\"/b\"",
        );
        let said = &b"pid=42 exe=\"/usr/bin/apt-get\" comm=6120"[..];
        for (pid, seconds, expected) in [
            (42, 9_989, None),
            (42, 9_990, Some(said)),
            (42, 10_049, Some(said)),
            (42, 10_050, None),
            (43, 9_991, None),
        ] {
            assert_eq!(parents.find(pid, at(seconds), at(10_060)), expected, "{pid} {seconds}");
        }
        for pid in 100..100 + 2 * MOST as u32 {
            parents.saw(pid, at(9_991), event("yes", "\"/x\"").as_bytes());
        }
        assert!(parents.seen.len() <= MOST);
    }

    #[test]
    fn a_process_that_ended_is_not_found_again_and_an_old_look_still_serves() {
        let proc = tempfile::tempdir().unwrap();
        let about = proc.path().join("42");
        std::fs::create_dir(&about).unwrap();
        std::fs::write(proc.path().join("uptime"), "1000.00 1.0\n").unwrap();
        let stat = "42 (a (b) \"c) S 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 90000 5\n";
        std::fs::write(about.join("stat"), stat).unwrap();
        std::os::unix::fs::symlink("/usr/bin/caf\u{e9}", about.join("exe")).unwrap();
        let mut parents = Parents::new(proc.path());
        // The machine started at 9000 s, the process at 9900 s.
        let at = Timestamp::from_seconds;
        let said = b"pid=42 exe=2F7573722F62696E2F636166C3A9 comm=6120286229202263";
        assert_eq!(parents.find(42, at(9_899), at(10_000)), None);
        assert_eq!(parents.find(42, at(9_950), at(10_000)), Some(&said[..]));
        std::fs::remove_dir_all(&about).unwrap();
        assert_eq!(parents.find(42, at(9_990), at(10_001)), Some(&said[..]));
        assert_eq!(parents.find(42, at(10_001), at(10_002)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut parents = Parents::new("/proc");
        for pid in 0..10_000 {
            parents.find(4_000_000_000 + pid, now(), now());
        }
        assert!(parents.known.len() <= MOST);
    }
}
