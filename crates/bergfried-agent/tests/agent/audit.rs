//! Audit events joined once, and other lines kept once, while the agent is killed again and again and
//! logs are rotated.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::exactly_once::Dice;
use crate::hub::{Answer, Hub};
use crate::running::Running;

const LINES: usize = 100_000;
const KILLS: usize = 50;
const LIMIT: Duration = Duration::from_secs(120);

/// Ten times as much where there is time for it.
fn scale() -> usize {
    if std::env::var_os("BERGFRIED_LONG").is_some() { 10 } else { 1 }
}

/// A log that is written and rotated.
struct Log {
    path: PathBuf,
    file: File,
    rotate: Rotate,
    state: PathBuf,
}

/// How a log is rotated: by logrotate where it is installed, which may be told to copy.
struct Rotate {
    logrotate: Option<PathBuf>,
    copies: bool,
}

impl Log {
    fn new(directory: &Path, name: &str, copies: bool) -> Log {
        let path = directory.join(name);
        let config = directory.join(format!("{name}.conf"));
        let su = if is_root() { "su root root" } else { "" };
        let mode = if copies { "copytruncate" } else { "nocreate" };
        let text = format!("{} {{\n rotate 999\n {su}\n {mode}\n}}\n", path.display());
        std::fs::write(&config, text).unwrap();
        let there = Command::new("logrotate").arg("--version").output().is_ok();
        if !there {
            eprintln!("logrotate is not installed, the test rotates by itself");
        }
        Log {
            file: append_to(&path),
            path,
            rotate: Rotate { logrotate: there.then_some(config), copies },
            state: directory.join(format!("{name}.state")),
        }
    }

    fn write(&mut self, text: &str) {
        self.file.write_all(text.as_bytes()).unwrap();
    }

    fn rotate(&mut self) {
        if let Some(config) = &self.rotate.logrotate {
            let mut command = Command::new("logrotate");
            let output = command.args(["--force", "--state"]).arg(&self.state).arg(config).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        } else {
            self.rotate_by_hand();
        }
        self.file = append_to(&self.path);
    }

    fn rotate_by_hand(&self) {
        let name = |n: usize| PathBuf::from(format!("{}.{n}", self.path.display()));
        let last = (1..).find(|n| !name(*n).exists()).unwrap();
        for n in (1..last).rev() {
            std::fs::rename(name(n), name(n + 1)).unwrap();
        }
        if self.rotate.copies {
            std::fs::copy(&self.path, name(1)).unwrap();
            OpenOptions::new().write(true).truncate(true).open(&self.path).unwrap();
        } else {
            std::fs::rename(&self.path, name(1)).unwrap();
        }
    }
}

fn append_to(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// What an audit log would hold: events whose records come between those of others.
#[derive(Default)]
struct Events {
    open: Vec<(u64, Duration, usize)>,
    next: u64,
    /// What each event is when it is joined.
    joined: BTreeMap<u64, Vec<String>>,
}

impl Events {
    fn line(&mut self, dice: &mut Dice) -> String {
        if self.open.len() < 3 || (self.open.len() < 8 && dice.roll(3) == 0) {
            self.next += 1;
            self.open.push((self.next, now(), 0));
        }
        let chosen = usize::try_from(dice.roll(self.open.len() as u64)).unwrap();
        self.line_of(chosen)
    }

    /// The next record of an event that is not complete.
    fn line_of(&mut self, chosen: usize) -> String {
        let (serial, time, step) = self.open[chosen];
        let kinds: &[&str] = match serial % 8 {
            // As from an old kernel: nothing says that it ends.
            0 => &["SYSCALL", "CWD", "PATH"],
            1 => &["USER_CMD"],
            _ => &["SYSCALL", "EXECVE", "CWD", "PATH", "PATH", "PROCTITLE"],
        };
        let line = format!(
            "type={} msg=audit({}.{:03}:{serial}): pid=7 auid=1000 step={step} text=\"as others\"",
            kinds[step],
            time.as_secs(),
            time.subsec_millis(),
        );
        self.joined.entry(serial).or_default().push(line.clone());
        self.open[chosen].2 += 1;
        if step + 1 == kinds.len() {
            self.open.remove(chosen);
        }
        line + "\n"
    }

    /// What is still to come.
    fn rest(&mut self) -> String {
        let mut text = String::new();
        while !self.open.is_empty() {
            text.push_str(&self.line_of(0));
        }
        text
    }
}

#[test]
fn auditds_socket_is_read_and_connected_to_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audispd_events");
    let config = directory.path().join("agent.toml");
    let off = ["firewall", "tamper", "integrity"].map(|one| format!("[{one}]\nenabled = false\n"));
    let off = off.concat();
    let text = format!("files = []\njournald = \"off\"\n{off}[audit]\nsocket = {path:?}\n");
    std::fs::write(&config, text).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    let hub = Hub::start(Box::new(|_| Answer::Store));
    let mut command = Running::command(&hub, directory.path());
    let agent = Running::spawn(command.arg("--config").arg(&config));
    let event = |serial: u64| {
        ["SYSCALL", "CWD", "PATH"]
            .map(|kind| format!("type={kind} msg=audit(1000.000:{serial}): text=\"{kind}\""))
            .join("\n")
    };
    let mut expected = Vec::new();
    for serial in [7, 8] {
        let (mut plugin, _) = listener.accept().unwrap();
        let end = format!("type=EOE msg=audit(1000.000:{serial}): ");
        writeln!(plugin, "{}\n{end}", event(serial)).unwrap();
        expected.push(event(serial));
        hub.wait_for(expected.len(), LIMIT);
        // The daemon is started again.
        drop(plugin);
    }
    agent.kill();
    let lines = hub.lines();
    assert!(lines.iter().all(|line| line.path == path.to_str().unwrap()));
    let raw = lines.into_iter().map(|line| String::from_utf8(line.raw).unwrap());
    assert_eq!(raw.collect::<Vec<_>>(), expected);
}

#[test]
fn every_event_joined_once_and_every_line_once() {
    let (lines, kills) = (LINES * scale(), KILLS * scale());
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(Box::new(|number| match number % 7 {
        2 => Answer::Status(503),
        4 => Answer::StoreAndHangUp,
        _ => Answer::Store,
    }));
    let mut audit = Log::new(directory.path(), "audit.log", false);
    let mut app = Log::new(directory.path(), "app.log", true);
    let paths = [audit.path.clone(), app.path.clone()];
    // A log that was rotated away before an agent ever knew it is none that it missed.
    let first = format!("type=USER_CMD msg=audit({}.000:0): pid=7", now().as_secs());
    for log in [&mut audit, &mut app] {
        log.write(&format!("{first}\n"));
    }
    let agent = Running::start(&hub, directory.path(), &[&paths[0], &paths[1]]);
    hub.wait_for(2, LIMIT);
    agent.kill();
    let done = Arc::new(AtomicBool::new(false));
    let writer = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let mut dice = Dice(7);
            let mut events = Events::default();
            let mut others = Vec::new();
            for number in 0..lines {
                if dice.roll(3) == 0 {
                    let line =
                        format!("Nov 21 04:31:28 web1 app[77]: line {number} of another log");
                    app.write(&format!("{line}\n"));
                    others.push(line);
                } else {
                    audit.write(&events.line(&mut dice));
                }
                match number % 8_000 {
                    3_999 => audit.rotate(),
                    7_999 => app.rotate(),
                    _ if number % 40 == 0 => thread::sleep(Duration::from_millis(4)),
                    _ => {}
                }
            }
            audit.write(&events.rest());
            done.store(true, Ordering::SeqCst);
            (events.joined, others)
        }
    });
    let mut dice = Dice(11);
    let mut killed = 0;
    while killed < kills || !done.load(Ordering::SeqCst) {
        let agent = Running::start(&hub, directory.path(), &[&paths[0], &paths[1]]);
        thread::sleep(Duration::from_millis(20 + dice.roll(400)));
        agent.kill();
        killed += 1;
        thread::sleep(Duration::from_millis(dice.roll(100)));
    }
    let (events, others) = writer.join().unwrap();
    let agent = Running::start(&hub, directory.path(), &[&paths[0], &paths[1]]);
    let begun = Instant::now();
    // Where something is missing, what it is says more than how much.
    while hub.line_count() < 2 + events.len() + others.len() && begun.elapsed() < LIMIT {
        thread::sleep(Duration::from_millis(20));
    }
    // Were there one too many, it would come now.
    thread::sleep(Duration::from_secs(3));
    agent.kill();
    let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
    for line in hub.lines() {
        *seen.entry(line.raw).or_default() += 1;
    }
    let joined: Vec<String> = events.into_values().map(|lines| lines.join("\n")).collect();
    assert_eq!(seen.remove(first.as_bytes()), Some(2), "one from each log");
    let mut missing = Vec::new();
    for one in others.iter().chain(&joined) {
        match seen.remove(one.as_bytes()) {
            Some(1) => {}
            count => missing.push((one, count)),
        }
    }
    let more: Vec<_> = seen.keys().map(|one| String::from_utf8_lossy(one)).collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "{} missing or twice: {:?} to {:?}, {} that nobody wrote: {:?}",
        missing.len(),
        missing.first(),
        missing.last(),
        more.len(),
        more.first()
    );
    assert!(hub.duplicates() > 0, "no batch was ever sent twice, so nothing was proven");
}
