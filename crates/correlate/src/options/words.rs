//! The words of the command line: each option is one entry of a plain list.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::{InputPattern, Options, TimeSource};
use crate::log::facility;

/// What an option takes.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Nothing; `no` before it turns it off.
    Switch(fn(&mut Options, bool)),
    /// Nothing, and it cannot be turned off.
    Lasting(fn(&mut Options, bool)),
    /// A value, of which this says what it is.
    Value(&'static str, fn(&mut Options, &[u8]) -> Result<(), String>),
}

/// An option.
pub(super) struct Word {
    /// Its names, the usual one first.
    pub names: &'static [&'static str],
    pub kind: Kind,
    pub help: &'static str,
}

impl Word {
    pub(super) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
}

const fn switch(
    names: &'static [&'static str],
    set: fn(&mut Options, bool),
    help: &'static str,
) -> Word {
    Word { names, kind: Kind::Switch(set), help }
}

const fn value(
    names: &'static [&'static str],
    what: &'static str,
    set: fn(&mut Options, &[u8]) -> Result<(), String>,
    help: &'static str,
) -> Word {
    Word { names, kind: Kind::Value(what, set), help }
}

/// Every option, in the order of the help.
pub(super) const WORDS: &[Word] = &[
    value(
        &["conf"],
        "PATTERN",
        |to, text| push(&mut to.rules, text.to_vec()),
        "Rule files; may be given many times",
    ),
    value(
        &["input"],
        "PATTERN[=CONTEXT]",
        |to, text| push(&mut to.inputs, input(text)),
        "Files, FIFOs or - (standard input) to read; a pattern is watched for new files; their lines get the internal context CONTEXT",
    ),
    value(
        &["input-timeout", "input_timeout"],
        "SECONDS",
        |to, text| set(&mut to.input_timeout, natural(text)),
        "Run the timeout script where an input is silent for so long (0: never)",
    ),
    value(
        &["timeout-script", "timeout_script"],
        "COMMAND",
        |to, text| set(&mut to.timeout_script, Ok(Some(text.to_vec()))),
        "It gets 1 and the input's name, and 0 when data comes again",
    ),
    value(
        &["reopen-timeout", "reopen_timeout"],
        "SECONDS",
        |to, text| set(&mut to.reopen_timeout, natural(text)),
        "Try to open closed and missing inputs so often (0: never)",
    ),
    value(
        &["check-timeout", "check_timeout"],
        "SECONDS",
        |to, text| set(&mut to.check_timeout, natural(text)),
        "Leave an input without new data alone for so long (0: do not)",
    ),
    value(
        &["poll-timeout", "poll_timeout"],
        "SECONDS",
        |to, text| set(&mut to.poll_timeout, duration(text)),
        "Sleep so long where no input has data (0.1)",
    ),
    value(
        &["socket-timeout", "socket_timeout"],
        "SECONDS",
        |to, text| set(&mut to.socket_timeout, duration(text)),
        "Give up a connection that takes longer (60)",
    ),
    value(
        &["blocksize"],
        "BYTES",
        |to, text| set(&mut to.block_size, positive(text).map(Some)),
        "Read at most so many bytes at once (262144)",
    ),
    value(
        &["bufsize"],
        "LINES",
        |to, text| set(&mut to.bufsize, natural(text)),
        "How many lines patterns can look back on (0: as the rules need)",
    ),
    value(
        &["evstoresize"],
        "EVENTS",
        |to, text| set(&mut to.event_store_size, natural(text)),
        "The most events in the store of a context (0: as the memory's limits allow)",
    ),
    value(
        &["cleantime"],
        "SECONDS",
        |to, text| set(&mut to.clean_time, natural(text)),
        "Look after timers so often (1; 0: after each line)",
    ),
    value(&["log"], "FILE", |to, text| set(&mut to.log, Ok(Some(path(text)))), "Log to this file"),
    value(
        &["syslog"],
        "FACILITY",
        |to, text| set(&mut to.syslog, facility(text).map(Some)),
        "Log to syslog, such as local0",
    ),
    value(
        &["debug"],
        "LEVEL",
        |to, text| set(&mut to.debug, level(text)),
        "1 critical, 2 error, 3 warning, 4 notice, 5 information, 6 debug (6)",
    ),
    value(
        &["pid"],
        "FILE",
        |to, text| set(&mut to.pid, Ok(Some(path(text)))),
        "Write the process id to this file",
    ),
    value(
        &["dump"],
        "FILE",
        |to, text| set(&mut to.dump, Ok(path(text))),
        "Where SIGUSR1 writes the state to (/tmp/sec.dump)",
    ),
    value(
        &["user"],
        "NAME",
        |to, text| set(&mut to.user, word(text).map(Some)),
        "Run as this user, where started by root",
    ),
    value(
        &["group"],
        "NAME",
        |to, text| word(text).map(|name| to.groups.push(name)),
        "Run with this group; may be given many times",
    ),
    value(
        &["umask"],
        "MODE",
        |to, text| set(&mut to.umask, mode(text).map(Some)),
        "Octal with 0 before it, 0x, 0b, or decimal",
    ),
    switch(
        &["ruleperf"],
        |_, _| {},
        "Taken and without effect: the dump always has the matches of each rule",
    ),
    switch(&["dumpfts"], |to, on| to.dump_time = on, "Add the time to the name of the dump"),
    switch(&["dumpfjson"], |to, on| to.dump_json = on, "Write the dump as JSON"),
    switch(&["quoting"], |to, on| to.quoting = on, "Put %s in single quotes in command lines"),
    switch(
        &["tail"],
        |to, on| to.tail = on,
        "Wait for more at the end of inputs (on); --notail ends there",
    ),
    switch(
        &["fromstart"],
        |to, on| to.from_start = on,
        "Read inputs from their start before waiting for more",
    ),
    switch(&["detach"], |to, on| to.detach = on, "Run in the background, in the root directory"),
    switch(
        &["jointbuf"],
        |to, on| to.joint_buffer = Some(on),
        "Patterns of many lines look at the lines of all inputs together",
    ),
    switch(&["keepopen"], |to, on| to.keep_open = on, "Keep inputs open on SIGABRT (on)"),
    switch(
        &["rwfifo"],
        |to, on| to.read_write_fifo = on,
        "Open FIFOs so that they have no end (on)",
    ),
    switch(
        &["childterm"],
        |to, on| to.end_children = on,
        "Send SIGTERM to running commands at the end (on)",
    ),
    switch(&["intevents"], |to, on| to.internal_events = on, "Make events such as SEC_STARTUP"),
    switch(
        &["intcontexts"],
        |to, on| to.internal_contexts = on,
        "Lines get internal contexts by their inputs",
    ),
    switch(
        &["testonly"],
        |to, on| to.test_only = on,
        "Read the rules and exit: 0, or 1 where one is wrong",
    ),
    switch(
        &["perl"],
        |to, on| to.perl = on,
        "Run code in Perl in a helper process; without it such rules are refused",
    ),
    switch(
        &["sec-shell"],
        |to, on| to.literal_shell = on,
        "Paste values into command lines as they are, as sec does: whoever writes a log can then run commands",
    ),
    switch(
        &["explain"],
        |to, on| to.explain = on,
        "Do nothing, tell which rule matches each line and what it would do",
    ),
    value(
        &["now"],
        "@SECONDS",
        |to, text| set(&mut to.time, now(text)),
        "Let the time stand at this second of the epoch, to replay",
    ),
    switch(
        &["replay"],
        |to, on| to.replay = on,
        "Lines begin with `@SECONDS `: when they came; timers follow them",
    ),
    value(
        &["hub"],
        "URL",
        |to, text| set(&mut to.hub, word(text).map(Some)),
        "Where alert, heartbeat and notify go",
    ),
    value(
        &["token-file"],
        "FILE",
        |to, text| set(&mut to.token_file, Ok(Some(path(text)))),
        "The file with the hub's key",
    ),
    Word {
        names: &["help", "?", "h"],
        kind: Kind::Lasting(|to, on| to.help = on),
        help: "Print this",
    },
    Word {
        names: &["version"],
        kind: Kind::Lasting(|to, on| to.version = on),
        help: "Print the version",
    },
];

fn set<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the setters of the list are all of one type")]
fn push<T>(list: &mut Vec<T>, value: T) -> Result<(), String> {
    list.push(value);
    Ok(())
}

/// `PATTERN=CONTEXT`: the context has no `=`, the pattern may.
fn input(text: &[u8]) -> InputPattern {
    match memchr::memrchr(b'=', text) {
        Some(at) if at + 1 < text.len() && at > 0 => InputPattern {
            pattern: text.get(..at).unwrap_or_default().to_vec(),
            context: text.get(at + 1..).map(<[u8]>::to_vec),
        },
        _ => InputPattern { pattern: text.to_vec(), context: None },
    }
}

fn word(text: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(text) {
        Ok(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("expected a word".to_owned()),
    }
}

fn path(text: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(text))
}

fn natural<T: std::str::FromStr>(text: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    text.strip_prefix('+')
        .unwrap_or(text)
        .parse::<u32>()
        .ok()
        .and_then(|number| number.to_string().parse().ok())
        .ok_or_else(|| "expected a whole number from 0".to_owned())
}

fn positive(text: &[u8]) -> Result<usize, String> {
    match natural(text)? {
        0 => Err("expected a whole number from 1".to_owned()),
        number => Ok(number),
    }
}

fn duration(text: &[u8]) -> Result<Duration, String> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<f64>().ok())
        .filter(|seconds| *seconds <= 1e9)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected seconds, such as 0.1".to_owned())
}

fn level(text: &[u8]) -> Result<u8, String> {
    match natural(text) {
        Ok(level @ 1..=6) => Ok(level),
        _ => Err("expected a level from 1 to 6".to_owned()),
    }
}

fn mode(text: &[u8]) -> Result<u32, String> {
    let text = std::str::from_utf8(text).unwrap_or_default().to_ascii_lowercase();
    let (digits, base) = match text.as_bytes() {
        [b'0', b'x', ..] => (text.get(2..), 16),
        [b'0', b'b', ..] => (text.get(2..), 2),
        [b'0', _, ..] => (text.get(1..), 8),
        _ => (text.get(..), 10),
    };
    digits
        .and_then(|digits| u32::from_str_radix(digits, base).ok())
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "expected a mode from 0 to 0777".to_owned())
}

fn now(text: &[u8]) -> Result<TimeSource, String> {
    let text = text.strip_prefix(b"@").unwrap_or(text);
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|seconds| (0..=253_402_300_799).contains(seconds))
        .map(TimeSource::Fixed)
        .ok_or_else(|| "expected @SECONDS of the epoch".to_owned())
}
