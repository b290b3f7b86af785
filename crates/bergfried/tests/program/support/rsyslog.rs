//! The real rsyslogd, in the foreground, with a configuration and directories of its own.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::Process;
use super::wait_for;

pub(crate) struct Rsyslog {
    pub(crate) process: Process,
    program: &'static str,
    directory: PathBuf,
}

impl Rsyslog {
    /// Starts it with these actions; messages come over a socket. None, and a word on it, where it
    /// or a module (`omrelp.so`) is not there.
    pub(crate) fn start(directory: &Path, modules: &[&str], actions: &str) -> Option<Rsyslog> {
        let program = ["rsyslogd", "/usr/sbin/rsyslogd"].into_iter().find(|program| {
            Command::new(program).arg("-v").output().is_ok_and(|done| done.status.success())
        });
        let has = |module: &&str| {
            let places = std::fs::read_dir("/usr/lib").unwrap().filter_map(Result::ok);
            let mut places = places.map(|place| place.path().join("rsyslog").join(module));
            places.any(|place| place.exists())
        };
        let (Some(program), true) = (program, modules.iter().all(has)) else {
            eprintln!("skipped: no rsyslogd with {modules:?} (scripts/install-test-deps)");
            return None;
        };
        std::fs::create_dir_all(directory).unwrap();
        let config = format!(
            "global(workDirectory=\"{at}\" maxMessageSize=\"64k\" localHostname=\"relay\")\n\
             module(load=\"imptcp\")\n\
             input(type=\"imptcp\" path=\"{at}/in\")\n\
             {actions}\n",
            at = directory.display(),
        );
        std::fs::write(directory.join("rsyslog.conf"), config).unwrap();
        let process = Rsyslog::spawn(program, directory);
        Some(Rsyslog { process, program, directory: directory.to_owned() })
    }

    fn spawn(program: &str, directory: &Path) -> Process {
        // A socket that a killed one left is in the way.
        let _absent = std::fs::remove_file(directory.join("in"));
        let _absent = std::fs::remove_file(directory.join("pid"));
        let mut command = Command::new(program);
        command.arg("-n").arg("-f").arg(directory.join("rsyslog.conf"));
        command.arg("-i").arg(directory.join("pid"));
        Process::spawn(&mut command)
    }

    /// Stops it as an administrator does, and starts it again.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.terminate().success(), "{}", self.process.err());
        self.process = Rsyslog::spawn(self.program, &self.directory);
    }

    /// Writes lines for it to send on.
    pub(crate) fn feed(&self, lines: impl IntoIterator<Item = Vec<u8>>) {
        let socket = self.directory.join("in");
        let stream = wait_for("rsyslog's socket", || UnixStream::connect(&socket).ok());
        let mut stream = std::io::BufWriter::with_capacity(64 << 10, stream);
        for line in lines {
            stream.write_all(&line).unwrap();
        }
        stream.flush().unwrap();
    }
}
