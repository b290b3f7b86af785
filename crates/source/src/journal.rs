//! The systemd journal, followed through `journalctl --output=json`.
//!
//! journalctl is a child process, started by its arguments and never through a shell; when it ends
//! it is started again, after a pause that doubles. Its cursor is the checkpoint.

use std::borrow::Cow;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use serde::Deserialize;

use crate::checkpoint::Changes;
use crate::journal_options::{JournalGap, JournalOptions};
use crate::line::{Flow, From, Line, MAX_LINE};

const CHUNK: usize = 64 * 1024;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How many gaps may wait to be asked for.
const MOST_GAPS: usize = 256;
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The journal, and how far it was read.
#[derive(Debug)]
pub struct Journal {
    options: JournalOptions,
    cursor: Option<String>,
    dirty: bool,
    gaps: Vec<JournalGap>,
    /// Whether a jump of the numbers means something: every entry is asked for, and this user may
    /// read them all.
    counts: bool,
    running: Option<Running>,
    buffer: Vec<u8>,
    /// Inside an entry that was too long and has been handed out cut.
    skipping: bool,
    start_at: Instant,
    pause: Duration,
}

#[derive(Debug)]
struct Running {
    child: Child,
    output: ChildStdout,
    errors: ChildStderr,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, rename = "__CURSOR")]
    cursor: Cow<'a, str>,
}

impl Journal {
    /// Goes on after `cursor`.
    pub fn new(options: JournalOptions, cursor: Option<String>, now: Instant) -> Self {
        let counts = options.is_whole() && is_superuser();
        Journal {
            options,
            cursor,
            dirty: false,
            gaps: Vec::new(),
            counts,
            running: None,
            buffer: Vec::new(),
            skipping: false,
            start_at: now,
            pause: FIRST_PAUSE,
        }
    }

    /// Becomes readable when there is more.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.running.as_ref().map(|running| running.output.as_fd())
    }

    /// Hands entries to the sink until it is full or none is left; true where more may be left.
    pub fn read(&mut self, now: Instant, sink: &mut dyn FnMut(Line<'_>) -> Flow) -> bool {
        if self.running.is_none() {
            if now < self.start_at {
                return false;
            }
            self.start(now);
        }
        // Bounded, so that files get their turn.
        for _ in 0..16 {
            if self.take_entries(sink) == Flow::Full {
                return true;
            }
            match self.fill() {
                Ok(Some(0)) => {
                    self.ended(now);
                    return false;
                }
                Ok(Some(_)) => self.pause = FIRST_PAUSE,
                Ok(None) => return false,
                Err(error) => {
                    tracing::warn!(%error, "cannot read from journalctl");
                    self.ended(now);
                    return false;
                }
            }
        }
        true
    }

    /// What changed since this was asked last.
    pub fn changes(&mut self) -> Changes {
        let journal = std::mem::take(&mut self.dirty).then(|| self.cursor.clone()).flatten();
        Changes { journal, ..Changes::default() }
    }

    /// What is missing in the journal, of which nobody asked before.
    pub fn gaps(&mut self) -> Vec<JournalGap> {
        std::mem::take(&mut self.gaps)
    }

    fn start(&mut self, now: Instant) {
        self.buffer.clear();
        self.skipping = false;
        let spawned = Command::new("journalctl")
            .args(arguments(&self.options, self.cursor.as_deref()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let running = spawned.and_then(|mut child| {
            let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
                return Err(io::Error::other("no pipe from journalctl"));
            };
            for fd in [output.as_fd(), errors.as_fd()] {
                fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?;
            }
            Ok(Running { child, output, errors })
        });
        match running {
            Ok(running) => self.running = Some(running),
            Err(error) => {
                tracing::warn!(%error, "cannot start journalctl");
                self.pause_until_next_start(now);
            }
        }
    }

    fn ended(&mut self, now: Instant) {
        let Some(mut running) = self.running.take() else { return };
        let mut said = vec![0; 2048];
        let length = running.errors.read(&mut said).unwrap_or(0);
        said.truncate(length);
        stop(&mut running.child);
        let said = String::from_utf8_lossy(&said);
        tracing::warn!(said = %said.trim(), "journalctl ended, starting it again");
        self.pause_until_next_start(now);
    }

    fn pause_until_next_start(&mut self, now: Instant) {
        self.start_at = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// Reads what is there; None where that is nothing yet, zero where journalctl has ended.
    fn fill(&mut self) -> io::Result<Option<usize>> {
        let Some(running) = &mut self.running else { return Ok(None) };
        let used = self.buffer.len();
        self.buffer.resize(used + CHUNK, 0);
        let read = running.output.read(self.buffer.get_mut(used..).unwrap_or_default());
        self.buffer.truncate(used + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // What it says meanwhile must not fill its pipe and stop it.
                let mut said = [0; 512];
                if let Ok(length) = running.errors.read(&mut said)
                    && length > 0
                {
                    let said = String::from_utf8_lossy(said.get(..length).unwrap_or_default());
                    tracing::debug!(said = %said.trim(), "journalctl says");
                }
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn take_entries(&mut self, sink: &mut dyn FnMut(Line<'_>) -> Flow) -> Flow {
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        let mut flow = Flow::More;
        while flow == Flow::More
            && let Some((entry, after)) = memchr::memchr(b'\n', rest)
                .and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)?)))
        {
            rest = after;
            if !std::mem::take(&mut self.skipping) && !entry.is_empty() {
                flow = self.take_entry(entry, sink);
            }
        }
        if self.skipping {
            rest = rest.get(..0).unwrap_or_default();
        } else if rest.len() > MAX_LINE && flow == Flow::More {
            flow = self.take_entry(rest, sink);
            self.skipping = true;
            rest = rest.get(..0).unwrap_or_default();
        }
        let done = buffer.len() - rest.len();
        self.buffer = buffer;
        self.buffer.drain(..done);
        if self.buffer.is_empty() && self.buffer.capacity() > 2 * CHUNK {
            self.buffer = Vec::new();
        }
        flow
    }

    fn take_entry(&mut self, entry: &[u8], sink: &mut dyn FnMut(Line<'_>) -> Flow) -> Flow {
        if let Some(cursor) = cursor_of(entry) {
            if self.counts
                && self.gaps.len() < MOST_GAPS
                && let Some(before) = &self.cursor
            {
                self.gaps.extend(gap(before, &cursor));
            }
            self.cursor = Some(cursor);
            self.dirty = true;
        }
        let raw = entry.get(..MAX_LINE).unwrap_or(entry);
        sink(Line { path: "journal", raw, truncated: raw.len() < entry.len() })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            stop(&mut running.child);
        }
    }
}

fn stop(child: &mut Child) {
    if let Err(error) = child.kill().and_then(|()| child.wait()) {
        tracing::warn!(%error, "cannot stop journalctl");
    }
}

fn arguments(options: &JournalOptions, cursor: Option<&str>) -> Vec<String> {
    // --all: without it journalctl leaves out fields that are long or not printable.
    let mut arguments: Vec<String> =
        ["--output=json", "--all", "--follow", "--quiet", "--no-pager"].map(str::to_owned).into();
    if let Some(directory) = &options.directory {
        arguments.push(format!("--directory={}", directory.display()));
    }
    arguments.push(match (cursor, options.from) {
        // Without --no-tail, --follow would show the last ten entries only.
        (Some(_), _) | (None, From::Start) => "--no-tail".to_owned(),
        (None, From::Recent) => "--lines=10000".to_owned(),
        (None, From::End) => "--lines=0".to_owned(),
    });
    arguments.extend(cursor.map(|cursor| format!("--after-cursor={cursor}")));
    if options.kernel {
        // -k would mean this boot alone, and -u both at once: terms with `+` between them are
        // alternatives (journalctl(1)).
        for unit in &options.units {
            let unit = full_name(unit);
            let own = [format!("_SYSTEMD_UNIT={unit}"), "+".to_owned()];
            // What systemd says of it; anybody else may name any unit.
            let about = ["_PID=1".to_owned(), format!("UNIT={unit}"), "+".to_owned()];
            arguments.extend(own.into_iter().chain(about));
        }
        arguments.push("_TRANSPORT=kernel".to_owned());
    } else {
        arguments.extend(options.units.iter().map(|unit| format!("--unit={unit}")));
    }
    arguments
}

/// `ssh` means `ssh.service`, as everywhere with systemd.
fn full_name(unit: &str) -> String {
    let kinds = ["service", "socket", "timer", "mount", "path", "scope", "slice", "target", "swap"];
    match unit.rsplit_once('.') {
        Some((_, kind)) if kinds.contains(&kind) => unit.to_owned(),
        _ => format!("{unit}.service"),
    }
}

/// What is missing between two cursors of one count. Cursors are opaque (sd_journal_get_cursor(3)),
/// but have had this form for as long as there are any: `s=ID;i=NUMBER;…`, the number in hex.
fn gap(before: &str, after: &str) -> Option<JournalGap> {
    let (sequence, from) = count_of(before)?;
    let (same, to) = count_of(after)?;
    let first = from.checked_add(1)?;
    let is_gap = sequence == same && to > first;
    is_gap.then(|| JournalGap { sequence: sequence.to_owned(), first, last: to - 1 })
}

fn count_of(cursor: &str) -> Option<(&str, u64)> {
    let mut parts = cursor.split(';');
    let sequence = parts.next()?.strip_prefix("s=")?;
    let number = parts.next()?.strip_prefix("i=")?;
    Some((sequence, u64::from_str_radix(number, 16).ok()?))
}

/// Whether this process may read every entry.
fn is_superuser() -> bool {
    // The owner of a process's own files there is its effective user (proc(5)).
    std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}

/// The entry's cursor; from an entry that was cut, by where journalctl writes it: first.
fn cursor_of(entry: &[u8]) -> Option<String> {
    if let Ok(entry) = serde_json::from_slice::<Entry<'_>>(entry) {
        return Some(entry.cursor.into_owned());
    }
    let rest = entry.strip_prefix(br#"{"__CURSOR":""#)?;
    let cursor = rest.get(..memchr::memchr(b'"', rest.get(..1024).unwrap_or(rest))?)?;
    String::from_utf8(cursor.to_vec()).ok()
}

/// Whether there is a journal to follow; otherwise why not.
pub fn journal_present(options: &JournalOptions) -> Result<(), String> {
    let on_path = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|directory| directory.join("journalctl").is_file())
    });
    if !on_path {
        return Err("there is no journalctl on this machine".to_owned());
    }
    if let Some(directory) = &options.directory {
        return if holds_journal(directory) {
            Ok(())
        } else {
            Err(format!("there are no journal files in {}", directory.display()))
        };
    }
    let places = ["/var/log/journal", "/run/log/journal"];
    // Journal files are one level down, in a directory named after the machine.
    let found = places
        .iter()
        .filter_map(|place| std::fs::read_dir(place).ok())
        .any(|entries| entries.flatten().any(|machine| holds_journal(&machine.path())));
    if found {
        Ok(())
    } else {
        Err("no journal is kept (systemd-journald does not run)".to_owned())
    }
}

fn holds_journal(directory: &Path) -> bool {
    std::fs::read_dir(directory).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.path().extension().is_some_and(|e| e == "journal"))
    })
}

#[cfg(test)]
mod tests;
