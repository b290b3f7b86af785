//! Commands that rules start: none is waited for, their number and, where wanted, their time is
//! bounded, and what they read and say passes without holding anyone up.

mod start;

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus};
use std::time::{Duration, Instant};

use bergfried_sec::port::Output;
use rustix::event::PollFlags;
use rustix::process::{Pid, Signal};

pub use start::Start;
use start::spawn;

/// The longest line of a command, in bytes; what is longer is cut there.
const LINE: usize = 1 << 20;
/// How much of one command's output is read before others get their turn, in bytes.
const TURN: usize = 256 << 10;
/// How often it is looked who ended.
const REAP: Duration = Duration::from_millis(10);
/// So long after SIGTERM a command whose time is up is killed.
const GRACE: Duration = Duration::from_secs(5);

/// What commands may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many run at a time.
    pub running: usize,
    /// How many wait for one of those to end; one more is dropped.
    pub waiting: usize,
    /// After so long a command is ended.
    pub time: Option<Duration>,
    /// Whether each leads a group of processes, which is ended with it.
    pub groups: bool,
    /// Whether each gets the whole environment, or only what says where programs, homes and languages
    /// are: what surrounds a service may hold its secrets.
    pub environment: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { running: 1_024, waiting: 100_000, time: None, groups: false, environment: true }
    }
}

/// What came of commands.
#[derive(Debug)]
pub enum Told {
    /// A line that a command said, which is an event.
    Line {
        /// The line.
        line: Vec<u8>,
        /// The internal context of the event.
        context: Option<Vec<u8>>,
        /// The command's process id.
        process: u32,
    },
    /// A command ended or could not be started.
    Ended {
        /// The script of a rule that it was.
        script: Option<u64>,
        /// Whether it went well.
        success: bool,
        /// What to say about it, where it did not.
        message: Option<String>,
    },
}

/// Counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commands that were started.
    pub started: u64,
    /// Those that failed, also to start.
    pub failed: u64,
    /// Those that were never started, as too many waited.
    pub dropped: u64,
    /// Those that were ended as their time was up.
    pub timed_out: u64,
}

/// Commands that run, and those that wait to.
pub struct Children {
    running: Vec<Running>,
    waiting: VecDeque<Start>,
    limits: Limits,
    reaped: Instant,
    counters: Counters,
}

struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    input: Vec<u8>,
    written: usize,
    stdout: Option<ChildStdout>,
    said: Vec<u8>,
    output: Output,
    shown: String,
    since: Instant,
    /// When it was asked to end.
    asked: Option<Instant>,
    ended: bool,
}

impl Children {
    /// No commands yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            running: Vec::new(),
            waiting: VecDeque::new(),
            limits,
            reaped: Instant::now(),
            counters: Counters::default(),
        }
    }

    /// Starts a command, or lets it wait for others to end; its process id where it runs.
    pub fn start(&mut self, start: Start, tell: &mut dyn FnMut(Told)) -> Option<u32> {
        if self.running.len() < self.limits.running {
            return self.run(start, tell);
        }
        if self.waiting.len() < self.limits.waiting {
            self.waiting.push_back(start);
            return None;
        }
        self.counters.dropped += 1;
        let message = format!("too many commands run and wait, dropped {}", start.shown);
        tell(Told::Ended { script: script(&start.output), success: false, message: Some(message) });
        None
    }

    fn run(&mut self, start: Start, tell: &mut dyn FnMut(Told)) -> Option<u32> {
        let Start { input, output, shown, .. } = &start;
        match spawn(&start, self.limits) {
            Ok(mut child) => {
                self.counters.started += 1;
                let process = child.id();
                let mut running = Running {
                    stdin: child.stdin.take(),
                    stdout: child.stdout.take(),
                    child,
                    input: input.clone(),
                    written: 0,
                    said: Vec::new(),
                    output: output.clone(),
                    shown: shown.clone(),
                    since: Instant::now(),
                    asked: None,
                    ended: false,
                };
                running.feed();
                self.running.push(running);
                Some(process)
            }
            Err(error) => {
                self.counters.failed += 1;
                let message = Some(format!("cannot start {shown}: {error}"));
                tell(Told::Ended { script: script(output), success: false, message });
                None
            }
        }
    }

    /// Gives and takes what can be at once, and sees who ended.
    pub fn poll(&mut self, tell: &mut dyn FnMut(Told)) {
        if self.running.is_empty() {
            return;
        }
        for running in &mut self.running {
            running.feed();
            running.listen(tell);
        }
        if self.reaped.elapsed() < REAP {
            return;
        }
        self.reaped = Instant::now();
        let (limits, counters) = (self.limits, &mut self.counters);
        self.running.retain_mut(|running| running.goes_on(limits, counters, tell));
        while self.running.len() < self.limits.running
            && let Some(start) = self.waiting.pop_front()
        {
            self.run(start, tell);
        }
    }

    /// Sends SIGTERM to all that run; those that wait are forgotten.
    pub fn terminate(&mut self) {
        self.waiting.clear();
        for running in &mut self.running {
            running.signal(Signal::TERM, self.limits.groups);
        }
    }

    /// How many run or wait.
    pub fn len(&self) -> usize {
        self.running.len() + self.waiting.len()
    }

    /// Whether none runs or waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether one waits to run, or for the rest of what it reads.
    pub fn are_hungry(&self) -> bool {
        !self.waiting.is_empty() || self.running.iter().any(|running| running.stdin.is_some())
    }

    /// What can be waited for: that a command says something, or reads on.
    pub fn waits_for(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        self.running.iter().flat_map(|running| {
            let stdout = running.stdout.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::IN));
            let stdin = running.stdin.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::OUT));
            stdout.into_iter().chain(stdin)
        })
    }

    /// Process ids and command lines of those that run.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        self.running.iter().map(|running| (running.child.id(), running.shown.as_str()))
    }

    /// Counts.
    pub const fn counters(&self) -> Counters {
        self.counters
    }
}

impl Running {
    /// Writes on its standard input.
    fn feed(&mut self) {
        let Some(stdin) = &mut self.stdin else { return };
        while let Some(rest) = self.input.get(self.written..).filter(|rest| !rest.is_empty()) {
            match stdin.write(rest) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // It reads no more, as it may.
                Err(_) => break,
            }
        }
        self.stdin = None;
        self.input = Vec::new();
    }

    /// Reads what it says.
    fn listen(&mut self, tell: &mut dyn FnMut(Told)) {
        let Output::Events(context) = &self.output else { return };
        let Some(stdout) = &mut self.stdout else { return };
        let process = self.child.id();
        let mut event = |line: &[u8]| {
            tell(Told::Line { line: line.to_vec(), context: context.clone(), process });
        };
        let mut room = [0; 16 << 10];
        let mut taken = 0;
        let at_end = loop {
            if taken >= TURN {
                break false;
            }
            match stdout.read(&mut room) {
                Ok(0) => break true,
                Ok(count) => {
                    taken += count;
                    self.said.extend_from_slice(room.get(..count).unwrap_or_default());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break error.kind() != io::ErrorKind::WouldBlock,
            }
        };
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', &self.said) {
            event(self.said.get(from..end).unwrap_or_default());
            from = end + 1;
        }
        self.said.drain(..from);
        if self.said.len() > LINE || (at_end && !self.said.is_empty()) {
            event(&self.said);
            self.said.clear();
        }
        if at_end {
            self.stdout = None;
        }
    }

    /// Whether it is still to be looked after.
    fn goes_on(
        &mut self,
        limits: Limits,
        counters: &mut Counters,
        tell: &mut dyn FnMut(Told),
    ) -> bool {
        if !self.ended {
            match self.child.try_wait() {
                Ok(None) => {
                    self.be_in_time(limits, counters);
                    return true;
                }
                Ok(Some(status)) => {
                    // As with sec, what a signal of others ends has no exit status but zero.
                    let success = status.code().map_or(self.asked.is_none(), |code| code == 0);
                    let message = failure(status)
                        .map(|how| format!("child {} {how} ({})", self.child.id(), self.shown));
                    counters.failed += u64::from(message.is_some());
                    let script = script(&self.output);
                    tell(Told::Ended { script, success, message });
                }
                Err(error) => {
                    let message = Some(format!("lost child {}: {error}", self.child.id()));
                    tell(Told::Ended { script: script(&self.output), success: false, message });
                }
            }
            self.ended = true;
            self.stdin = None;
            self.listen(tell);
        }
        // Others may hold its standard output.
        self.stdout.is_some()
    }

    fn be_in_time(&mut self, limits: Limits, counters: &mut Counters) {
        let Some(time) = limits.time else { return };
        match self.asked {
            None if self.since.elapsed() >= time => {
                counters.timed_out += 1;
                self.asked = Some(Instant::now());
                self.signal(Signal::TERM, limits.groups);
            }
            Some(asked) if asked.elapsed() >= GRACE => self.signal(Signal::KILL, limits.groups),
            _ => {}
        }
    }

    fn signal(&self, signal: Signal, group: bool) {
        if self.ended {
            return;
        }
        let Some(process) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else {
            return;
        };
        // It has perhaps just ended.
        if group {
            rustix::process::kill_process_group(process, signal).ok();
        } else {
            rustix::process::kill_process(process, signal).ok();
        }
    }
}

fn failure(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("terminated with non-zero exit code {code}")),
        (None, Some(signal)) => Some(format!("terminated by signal {signal}")),
        (None, None) => Some("terminated".to_owned()),
    }
}

const fn script(output: &Output) -> Option<u64> {
    match output {
        Output::Status(script) => Some(*script),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
