//! Tells a program on this machine: fields as environment variables, the whole as JSON on its
//! standard input.
//!
//! The program is started as it stands in the configuration, with no shell in between, and nothing of
//! a message is ever an argument. It sees no environment of the hub's but `PATH`, `HOME` and `LANG`.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::Value;

use crate::channel::Channel;
use crate::document::document;
use crate::file::ChannelFile;
use crate::message::Message;
use crate::neutral::{inert, visible};
use crate::outline::Outline;
use crate::send::SendError;

const MAX_ARGUMENTS: usize = 64;
const MAX_ARGUMENT: usize = 4096;
const MAX_VALUE: usize = 4096;
/// Bytes of what it prints that are kept for the error's message.
const MAX_OUTPUT: usize = 4096;
const MAX_SHOWN: usize = 300;
/// How often it is looked whether the program ended.
const LOOK: Duration = Duration::from_millis(10);
/// How long its last words are waited for when it ended.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// `EX_TEMPFAIL` of sysexits.h: try again later.
const TRY_AGAIN: i32 = 75;
/// What the program sees of the hub's own environment.
const INHERITED: [&str; 3] = ["PATH", "HOME", "LANG"];

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exec {
    program: String,
    arguments: Vec<String>,
}

impl Exec {
    /// Reads the keys of this type.
    pub(crate) fn check(file: &mut ChannelFile) -> Result<Exec, String> {
        let command = file.command.take().ok_or("`command` is missing")?;
        if command.len() > MAX_ARGUMENTS {
            return Err(format!("`command` has more than {MAX_ARGUMENTS} parts"));
        }
        if command.iter().any(|part| part.len() > MAX_ARGUMENT || part.contains('\0')) {
            return Err(format!("`command` has a part with a NUL or over {MAX_ARGUMENT} bytes"));
        }
        let mut parts = command.into_iter();
        match parts.next() {
            Some(program) if program.starts_with('/') => {
                Ok(Exec { program, arguments: parts.collect() })
            }
            _ => Err("`command` must begin with the absolute path of a program".to_owned()),
        }
    }

    /// Runs the program with this message.
    pub(crate) fn send(&self, channel: &Channel, message: &Message) -> Result<(), SendError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(variables(message)).process_group(0);
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            SendError::passing(format!("cannot start {}: {error}", self.program.escape_debug()))
        })?;
        let output = talk(&mut child, document(message).to_string());
        let status = wait(&mut child, channel.timeout());
        let words = output.words();
        match status {
            Ok(Some(status)) => judge(status, &words),
            Ok(None) => {
                let seconds = channel.timeout().as_secs();
                Err(SendError::passing(with("did not end", &format!("within {seconds} s"), &words)))
            }
            Err(error) => Err(SendError::passing(format!("cannot wait for the program: {error}"))),
        }
    }
}

/// 0 is success, 75 and a signal mean that it may do later, any other number that it will not.
fn judge(status: ExitStatus, words: &str) -> Result<(), SendError> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => {
            let message = with("ended with", &code.to_string(), words);
            Err(SendError { retryable: code == TRY_AGAIN, retry_after: None, message })
        }
        (None, signal) => {
            let signal = signal.unwrap_or_default().to_string();
            Err(SendError::passing(with("was ended by signal", &signal, words)))
        }
    }
}

fn with(what: &str, number: &str, words: &str) -> String {
    let colon = if words.is_empty() { "" } else { ": " };
    format!("the program {what} {number}{colon}{words}")
}

/// What a program printed, as far as it is kept.
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

impl Output {
    /// Its last words; they are not waited for where something that it started keeps talking.
    fn words(self) -> String {
        let until = Instant::now() + LAST_WORDS;
        while self.readers.iter().any(|reader| !reader.is_finished()) && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        visible(String::from_utf8_lossy(&text).trim(), MAX_SHOWN)
    }
}

/// Hands the program its input and takes what it prints, on threads that end with the pipes: a
/// program that neither reads nor prints must not stop us.
fn talk(child: &mut Child, input: String) -> Output {
    let text = Arc::new(Mutex::new(Vec::new()));
    let mut readers = Vec::new();
    let thread = |body: Box<dyn FnOnce() + Send>| {
        std::thread::Builder::new().name("notify-exec".to_owned()).spawn(body)
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A program need not read what it is told.
        let _started = thread(Box::new(move || drop(stdin.write_all(input.as_bytes()))));
    }
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ];
    for pipe in pipes.into_iter().flatten() {
        let text = Arc::clone(&text);
        if let Ok(reader) = thread(Box::new(move || keep(pipe, &text))) {
            readers.push(reader);
        }
    }
    Output { text, readers }
}

/// Reads to the end and keeps the beginning.
fn keep(mut pipe: Box<dyn Read + Send>, text: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = pipe.read(&mut buffer) {
        let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_OUTPUT.saturating_sub(text.len());
        text.extend(buffer.iter().take(count.min(room)));
    }
}

/// Waits for the end of the program, then ends whatever is left of its process group; nothing where
/// it did not end in time and was ended with the rest.
fn wait(child: &mut Child, timeout: Duration) -> std::io::Result<Option<ExitStatus>> {
    let end = Instant::now() + timeout;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let mut in_time = true;
    if let Some(pid) = pid {
        // Without taking its status, so that its id stays its own until the group was ended.
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while waitid(WaitId::Pid(pid), look)?.is_none() {
            if Instant::now() >= end {
                in_time = false;
                break;
            }
            std::thread::sleep(LOOK);
        }
        // Nobody is left to end where the program ended alone.
        let _gone = kill_process_group(pid, Signal::KILL);
    }
    let status = child.wait()?;
    Ok(in_time.then_some(status))
}

/// The variables that a program sees; docs/notify.md lists them.
pub(crate) fn variables(message: &Message) -> BTreeMap<&'static str, String> {
    let document = document(message);
    let outline = Outline::of(message);
    let mut variables = BTreeMap::new();
    let mut set = |name: &'static str, text: &str| {
        if !text.is_empty() {
            variables.insert(name, visible(text, MAX_VALUE));
        }
    };
    set("BERGFRIED_KIND", &text(document.get("kind")));
    set("BERGFRIED_SEVERITY", message.severity().name());
    set("BERGFRIED_TITLE", &inert(&outline.headline, MAX_VALUE));
    set("BERGFRIED_TEXT", &inert(&outline.text, MAX_VALUE));
    set("BERGFRIED_URL", outline.link.as_deref().unwrap_or_default());
    set("BERGFRIED_ACTION", message.action());
    set("BERGFRIED_CHANGE", &text(document.pointer("/change/kind")));
    for (name, key) in [
        ("BERGFRIED_ALERT_ID", "id"),
        ("BERGFRIED_ENVIRONMENT", "environment"),
        ("BERGFRIED_RESOURCE", "resource"),
        ("BERGFRIED_EVENT", "event"),
        ("BERGFRIED_SEVERITY_WORD", "severity_word"),
        ("BERGFRIED_STATUS", "status"),
        ("BERGFRIED_SERVICE", "service"),
        ("BERGFRIED_GROUP", "group"),
        ("BERGFRIED_VALUE", "value"),
        ("BERGFRIED_TAGS", "tags"),
        ("BERGFRIED_ORIGIN", "origin"),
        ("BERGFRIED_CUSTOMER", "customer"),
        ("BERGFRIED_COUNT", "count"),
        ("BERGFRIED_RULE_ID", "rule_id"),
        ("BERGFRIED_HOST", "host"),
        ("BERGFRIED_USER", "user"),
        ("BERGFRIED_SOURCE", "source"),
        ("BERGFRIED_EXAMPLE", "example"),
    ] {
        set(name, &text(document.get("alert").and_then(|alert| alert.get(key))));
    }
    variables
}

/// A value as a variable has it: texts of a list with commas between them.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => {
            values.iter().map(|value| text(Some(value))).collect::<Vec<_>>().join(",")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
