//! A real agent process; killed when the test ends, however it ends.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::hub::{Hub, TOKEN};

pub(crate) struct Running(Child);

impl Running {
    /// An agent that reads these files from their start.
    pub(crate) fn start(hub: &Hub, directory: &Path, files: &[&Path]) -> Running {
        let mut command = Running::command(hub, directory);
        command.args(["--journald", "off"]);
        for file in files {
            command.arg("--file").arg(file);
        }
        Running::spawn(&mut command)
    }

    pub(crate) fn command(hub: &Hub, directory: &Path) -> Command {
        let token = directory.join("token");
        std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bergfried-agent"));
        command.env_clear().args(["--from", "start", "--hub", &hub.url()]);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.arg("--token-file").arg(&token);
        command.arg("--state-dir").arg(directory.join("state"));
        command
    }

    pub(crate) fn spawn(command: &mut Command) -> Running {
        Running(command.stderr(Stdio::inherit()).spawn().unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGTERM; how it ended, and after how long.
    pub(crate) fn terminate(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let killed = Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        assert!(killed.success());
        (self.0.wait().unwrap(), begun.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.try_wait().unwrap().is_none() {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }
}
