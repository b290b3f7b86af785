//! A process of the program; killed when the test ends, however it ends.

use std::io::{Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::wait_for;

/// The program with an environment of its own.
pub(crate) fn bergfried(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bergfried"));
    command.env_clear().env("HOME", "/nonexistent");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.args(arguments);
    command
}

/// How a process ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Done {
    run_with(bergfried(arguments), b"")
}

/// Runs a command to its end with this standard input.
pub(crate) fn run_with(mut command: Command, input: &[u8]) -> Done {
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(&mut command);
    let mut stdin = process.child.stdin.take().unwrap();
    let input = input.to_vec();
    let writing = std::thread::spawn(move || {
        // The process may end without reading everything.
        let _ended = stdin.write_all(&input);
    });
    let done = process.wait();
    writing.join().unwrap();
    done
}

pub(crate) struct Process {
    child: Child,
    out: Output,
    err: Output,
}

struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reading: Option<JoinHandle<()>>,
}

impl Output {
    fn read(mut from: impl Read + Send + 'static) -> Output {
        let text = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&text);
        let reading = std::thread::spawn(move || {
            let mut piece = [0; 65_536];
            while let Ok(read @ 1..) = from.read(&mut piece) {
                written.lock().unwrap().extend_from_slice(&piece[..read]);
            }
        });
        Output { text, reading: Some(reading) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    fn whole(&mut self) -> String {
        self.reading.take().unwrap().join().unwrap();
        self.so_far()
    }
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Process {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = Output::read(child.stdout.take().unwrap());
        let err = Output::read(child.stderr.take().unwrap());
        Process { child, out, err }
    }

    /// What it wrote to standard output so far.
    pub(crate) fn out(&self) -> String {
        self.out.so_far()
    }

    /// What it wrote to standard error so far.
    pub(crate) fn err(&self) -> String {
        self.err.so_far()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGKILL, without waiting for the end.
    pub(crate) fn kill_shared(&self) {
        self.signal("KILL");
    }

    fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        let sent = kill.args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Sends SIGINT, as Ctrl-C does; how it ended, and after how long.
    pub(crate) fn interrupt(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        self.signal("INT");
        (self.status(), begun.elapsed())
    }

    /// Sends SIGTERM, as a service manager does; how it ended.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.status()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Done {
        let code = self.status().code();
        Done { code, out: self.out.whole(), err: self.err.whole() }
    }

    fn status(&mut self) -> ExitStatus {
        wait_for("the process to end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.kill();
        }
    }
}
