//! A command made ready: what a rule says, as a program and its arguments.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use bergfried_sec::Text;
use bergfried_sec::port::{Command as Wanted, Input, Output};
use bergfried_sec::shell::{self, ShellCommand};

use super::Limits;

/// How much one command may be given to read, in bytes.
const INPUT: usize = 64 << 20;

/// What a command keeps of the environment where it does not get all of it.
const KEPT: [&str; 10] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/// A command that can be started.
#[derive(Debug, Clone)]
pub struct Start {
    arguments: Vec<Vec<u8>>,
    environment: Vec<(String, Vec<u8>)>,
    pub(super) input: Vec<u8>,
    pub(super) output: Output,
    pub(super) shown: String,
}

impl Start {
    /// A command of a rule. `literal` makes values parts of command lines, as SEC does.
    pub fn new(command: &Wanted, input: &Input<'_>, output: Output, literal: bool) -> Self {
        let (made, shown) = match command {
            Wanted::Line(line) => {
                let how = if literal { shell::literal_command } else { shell::command };
                (how(line), shown(line.bytes()))
            }
            Wanted::Arguments(words) => {
                let arguments: Vec<_> = words.iter().map(argument).collect();
                let shown = shown(&arguments.join(&b' '));
                (ShellCommand { arguments, ..ShellCommand::default() }, shown)
            }
        };
        let arguments = if made.needs_shell {
            vec![b"/bin/sh".to_vec(), b"-c".to_vec(), made.script]
        } else {
            made.arguments
        };
        Self { arguments, environment: made.environment, input: bytes(input), output, shown }
    }

    /// Exactly what is started, and with which variables.
    pub fn explained(&self) -> String {
        let words: Vec<_> =
            self.arguments.iter().map(|word| format!("[{}]", lossy(word))).collect();
        let mut text = words.join(" ");
        for (name, value) in &self.environment {
            text.push_str(&format!("\n{name}=[{}]", lossy(value)));
        }
        text
    }

    /// The command line, for a message.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

/// Starts a command with pipes that nobody waits for.
pub(super) fn spawn(start: &Start, limits: Limits) -> io::Result<Child> {
    let mut words = start.arguments.iter().map(|word| OsStr::from_bytes(word));
    let program = words.next().ok_or_else(|| io::Error::other("there is no command"))?;
    let mut command = Command::new(program);
    command.args(words);
    if !limits.environment {
        command.env_clear();
        command.envs(KEPT.iter().filter_map(|name| Some((name, env::var_os(name)?))));
    }
    for (name, value) in &start.environment {
        command.env(name, OsStr::from_bytes(value));
    }
    let reads = !start.input.is_empty();
    let events = matches!(start.output, Output::Events(_));
    // Standard input is perhaps what events are read from.
    command.stdin(if reads { Stdio::piped() } else { Stdio::null() });
    if events {
        command.stdout(Stdio::piped());
    }
    if limits.groups {
        command.process_group(0);
    }
    let child = command.spawn()?;
    if let Some(pipe) = &child.stdin {
        rustix::io::ioctl_fionbio(pipe, true)?;
    }
    if let Some(pipe) = &child.stdout {
        rustix::io::ioctl_fionbio(pipe, true)?;
    }
    Ok(child)
}

fn argument(word: &Text) -> Vec<u8> {
    word.bytes().iter().copied().filter(|byte| *byte != 0).collect()
}

fn bytes(input: &Input<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Input::Lines(lines) = input {
        for line in *lines {
            if bytes.len() + line.bytes().len() >= INPUT {
                break;
            }
            bytes.extend_from_slice(line.bytes());
            bytes.push(b'\n');
        }
    }
    bytes
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shown(command: &[u8]) -> String {
    let text = String::from_utf8_lossy(command);
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.into_owned(),
    }
}
