//! A program with a directory of its own, in which a scenario is played to it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use tempfile::TempDir;

use super::outcome::Outcome;
use super::scenario::{Deed, Scenario};

/// How long a program may take to end when asked to: `sec` itself sleeps for three seconds.
const END: Duration = Duration::from_secs(20);
const START: Duration = Duration::from_secs(40);

/// A running program and everything around it.
pub(crate) struct Stage {
    directory: TempDir,
    child: Child,
    detached: Option<Pid>,
    files: BTreeMap<String, Vec<u8>>,
    sockets: Vec<(&'static str, Receiver<Vec<u8>>)>,
    ended: Option<ExitStatus>,
}

impl Stage {
    /// Writes the scenario's files into a new directory and starts the program there.
    pub(crate) fn start(program: &Path, scenario: &Scenario) -> Self {
        let is_ours = program.ends_with("bergfried-correlate");
        let directory = tempfile::Builder::new().prefix("sec").tempdir().unwrap();
        let at = directory.path();
        let (tcp, udp) = (TcpListener::bind("127.0.0.1:0"), UdpSocket::bind("127.0.0.1:0"));
        let (tcp, udp) = (tcp.unwrap(), udp.unwrap());
        let names = [
            ("@TCP@", tcp.local_addr().unwrap().port().to_string()),
            ("@UDP@", udp.local_addr().unwrap().port().to_string()),
            ("@DIR@", at.display().to_string()),
        ];
        let fill = |text: &str| {
            names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
        };
        let mut files = BTreeMap::new();
        for (name, text) in scenario.files() {
            let path = at.join(&name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, fill(&text)).unwrap();
            let mode = if name.starts_with("bin/") { 0o755 } else { 0o644 };
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
            files.insert(name, fill(&text).into_bytes());
        }
        for name in scenario.input_names().iter().map(String::as_str).chain([".ready"]) {
            let file = OpenOptions::new().append(true).create(true).open(at.join(name));
            drop(file.unwrap());
        }
        let mut sockets = Vec::new();
        let uses = |name: &str| scenario.files().values().any(|text| text.contains(name));
        if uses("@TCP@") {
            sockets.push(("tcp", received(move || tcp.accept().map(|(stream, _)| stream))));
        }
        if uses("stream.sock") {
            let listener = UnixListener::bind(at.join("stream.sock")).unwrap();
            sockets.push(("stream", received(move || listener.accept().map(|(stream, _)| stream))));
        }
        if uses("@UDP@") {
            sockets.push(("udp", datagrams(move |buffer| udp.recv(buffer))));
        }
        if uses("datagram.sock") {
            let socket = UnixDatagram::bind(at.join("datagram.sock")).unwrap();
            sockets.push(("datagram", datagrams(move |buffer| socket.recv(buffer))));
        }
        let bin = at.join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::create_dir(at.join("commands")).unwrap();
        for stub in scenario.stubs() {
            write_stub(&bin.join(stub), &at.join("commands"));
        }
        std::fs::write(at.join("stdin"), fill(scenario.lines())).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(at)
            .args(scenario.arguments(is_ours).iter().map(|argument| fill(argument)))
            .env_clear()
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("LC_ALL", "C")
            .env("TZ", "Asia/Kathmandu")
            .envs(scenario.environment())
            .stdin(File::open(at.join("stdin")).unwrap())
            .stdout(appended(&at.join("stdout")))
            .stderr(appended(&at.join("stderr")));
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child =
            command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Self { directory, child, detached: None, files, sockets, ended: None }
    }

    /// Waits until the program has opened the last of its inputs.
    pub(crate) fn wait_until_ready(&mut self, scenario: &Scenario) {
        let begun = Instant::now();
        let ready = self.directory.path().join(".ready");
        loop {
            if scenario.detaches() && self.detached.is_none() {
                let text = std::fs::read_to_string(self.directory.path().join("pid"));
                self.detached =
                    text.ok().and_then(|text| text.trim().parse().ok()).and_then(Pid::from_raw);
            }
            let fds = PathBuf::from(format!("/proc/{}/fd", self.pid().as_raw_nonzero()));
            let mut fds = std::fs::read_dir(fds).into_iter().flatten().flatten();
            if fds.any(|fd| std::fs::read_link(fd.path()).is_ok_and(|link| link == ready)) {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            if begun.elapsed() > START || ended.is_some() && !scenario.detaches() {
                return; // What it wrote until here is compared all the same.
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn pid(&self) -> Pid {
        self.detached.unwrap_or_else(|| Pid::from_child(&self.child))
    }

    /// Does one step.
    pub(crate) fn play(&mut self, deed: &Deed) {
        let at = self.directory.path();
        match deed {
            Deed::Line(file, bytes) | Deed::Part(file, bytes) => {
                // A pipe that nobody reads must not hold up the others.
                let file = OpenOptions::new()
                    .append(true)
                    .create(true)
                    .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
                    .open(at.join(file));
                if let Ok(mut file) = file {
                    file.write_all(bytes).unwrap();
                }
            }
            Deed::Signal(name) => self.signal(name),
            Deed::Run(command) => {
                let mut command = Command::new("sh").arg("-c").arg(command).current_dir(at).spawn();
                command.as_mut().unwrap().wait().unwrap();
            }
            Deed::End => self.signal("TERM"),
        }
    }

    fn signal(&mut self, name: &str) {
        let signal = match name {
            "HUP" => Signal::HUP,
            "ABRT" => Signal::ABORT,
            "USR1" => Signal::USR1,
            "USR2" => Signal::USR2,
            "INT" => Signal::INT,
            "TERM" => Signal::TERM,
            other => panic!("no signal {other}"),
        };
        if self.ended.is_none() {
            self.ended = self.child.try_wait().unwrap();
        }
        if self.ended.is_none() || self.detached.is_some() {
            // One that has ended by itself is told from one that has not by how it ended.
            let _gone = kill_process(self.pid(), signal);
        }
    }

    /// Waits for the program's end and tells what it did.
    pub(crate) fn finish(mut self) -> Outcome {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > END {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                break ExitStatus::from_raw(0xdead);
            }
            thread::sleep(Duration::from_millis(10));
        };
        if let Some(pid) = self.detached {
            let process = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
            while process.exists() && begun.elapsed() < END {
                thread::sleep(Duration::from_millis(20));
            }
            let _gone = kill_process(pid, Signal::KILL);
        }
        // Children that were asked to end may take a moment; others are ended here.
        let group = Pid::from_child(&self.child);
        let asked = Instant::now();
        while test_kill_process_group(group).is_ok() && asked.elapsed() < Duration::from_secs(1) {
            thread::sleep(Duration::from_millis(20));
        }
        let _none = kill_process_group(group, Signal::KILL);
        let at = self.directory.path();
        let ready = |name: &str| std::fs::read(at.join(name)).unwrap_or_default();
        let mut files = BTreeMap::new();
        walk(at, at, &mut files);
        for own in ["log", "stdin", "stdout", "stderr", ".ready", "pid"] {
            files.remove(own);
        }
        files.retain(|name, content| {
            !name.starts_with("bin/")
                && !name.starts_with("commands/")
                && self.files.get(name) != Some(content)
        });
        let mut commands: Vec<Vec<u8>> = std::fs::read_dir(at.join("commands"))
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect();
        commands.sort();
        let received = self
            .sockets
            .iter()
            .map(|(name, received)| {
                // What is on its way comes soon.
                let next = || received.recv_timeout(Duration::from_millis(300)).ok();
                ((*name).to_owned(), std::iter::from_fn(next).collect::<Vec<_>>())
            })
            .collect();
        Outcome {
            stdout: ready("stdout"),
            stderr: ready("stderr"),
            log: ready("log"),
            exit: status.to_string(),
            files,
            commands,
            received,
        }
        .without_path(at)
    }
}

fn appended(path: &Path) -> Stdio {
    OpenOptions::new().append(true).create(true).open(path).unwrap().into()
}

/// A program that records its arguments and standard input in a file of its own.
fn write_stub(path: &Path, commands: &Path) {
    let text = format!(
        "#!/bin/sh\nout=$(mktemp {0}/XXXXXXXX)\n{{ printf '%s' \"${{0##*/}}\"; \
         for it; do printf ' <%s>' \"$it\"; done; \
         printf '\\n'; [ -p /dev/stdin ] && cat; }} > \"$out\"\nexit 0\n",
        commands.display()
    );
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn walk(root: &Path, directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let kind = std::fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            walk(root, &path, files);
        } else if kind.is_file() {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// Everything that comes over each connection, a connection a message.
fn received<S: Read + Send + 'static>(
    mut accept: impl FnMut() -> std::io::Result<S> + Send + 'static,
) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        while let Ok(mut stream) = accept() {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut bytes = Vec::new();
                // A connection that is cut has brought what came until then.
                let _cut = stream.read_to_end(&mut bytes);
                sender.send(bytes)
            });
        }
    });
    receiver
}

fn datagrams(
    mut receive: impl FnMut(&mut [u8]) -> std::io::Result<usize> + Send + 'static,
) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(length) = receive(&mut buffer) {
            if sender.send(buffer.iter().take(length).copied().collect()).is_err() {
                return;
            }
        }
    });
    receiver
}
