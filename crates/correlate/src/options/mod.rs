//! The command line, as sec(1) has it, and what Bergfried adds to it.

mod help;
mod words;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use help::help;
use words::{Kind, WORDS, Word};

/// Files that are read for events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputPattern {
    /// A file, `-`, or a pattern of names.
    pub(crate) pattern: Vec<u8>,
    /// The internal context of its lines, where one was named.
    pub(crate) context: Option<Vec<u8>>,
}

/// Where the time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeSource {
    /// The system's clock.
    System,
    /// It stands at so many seconds, and moves where lines say so (`--replay`).
    Fixed(i64),
}

/// What the command line says.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// `--conf`: patterns of rule files.
    pub(crate) rules: Vec<Vec<u8>>,
    /// `--input`.
    pub(crate) inputs: Vec<InputPattern>,
    /// `--input-timeout`, in seconds; 0 is never.
    pub(crate) input_timeout: u64,
    /// `--timeout-script`.
    pub(crate) timeout_script: Option<Vec<u8>>,
    /// `--reopen-timeout`, in seconds; 0 is never.
    pub(crate) reopen_timeout: u64,
    /// `--check-timeout`, in seconds; 0 is at every poll.
    pub(crate) check_timeout: u64,
    /// `--poll-timeout`.
    pub(crate) poll_timeout: Duration,
    /// `--socket-timeout`.
    pub(crate) socket_timeout: Duration,
    /// `--blocksize`; larger blocks are read where it was not given.
    pub(crate) block_size: Option<usize>,
    /// `--bufsize`; 0 is as the rules need.
    pub(crate) bufsize: usize,
    /// `--evstoresize`; 0 is without a limit of its own.
    pub(crate) event_store_size: usize,
    /// `--cleantime`, in seconds.
    pub(crate) clean_time: i64,
    /// `--log`.
    pub(crate) log: Option<PathBuf>,
    /// `--syslog`: the facility's number.
    pub(crate) syslog: Option<u8>,
    /// `--debug`: 1 to 6.
    pub(crate) debug: u8,
    /// `--pid`.
    pub(crate) pid: Option<PathBuf>,
    /// `--dump`.
    pub(crate) dump: PathBuf,
    /// `--user`.
    pub(crate) user: Option<String>,
    /// `--group`.
    pub(crate) groups: Vec<String>,
    /// `--umask`.
    pub(crate) umask: Option<u32>,
    /// `--dumpfts`.
    pub(crate) dump_time: bool,
    /// `--dumpfjson`.
    pub(crate) dump_json: bool,
    /// `--quoting`.
    pub(crate) quoting: bool,
    /// `--tail`.
    pub(crate) tail: bool,
    /// `--fromstart`.
    pub(crate) from_start: bool,
    /// `--detach`.
    pub(crate) detach: bool,
    /// `--jointbuf`, where it was given.
    pub(crate) joint_buffer: Option<bool>,
    /// `--keepopen`.
    pub(crate) keep_open: bool,
    /// `--rwfifo`.
    pub(crate) read_write_fifo: bool,
    /// `--childterm`.
    pub(crate) end_children: bool,
    /// `--intevents`.
    pub(crate) internal_events: bool,
    /// `--intcontexts`.
    pub(crate) internal_contexts: bool,
    /// `--testonly`.
    pub(crate) test_only: bool,
    /// `--help`.
    pub(crate) help: bool,
    /// `--version`.
    pub(crate) version: bool,
    /// `--perl`: code in Perl runs in a helper process.
    pub(crate) perl: bool,
    /// `--sec-shell`: values are pasted into command lines as they are.
    pub(crate) literal_shell: bool,
    /// `--explain`: nothing is done, only told.
    pub(crate) explain: bool,
    /// `--now`.
    pub(crate) time: TimeSource,
    /// `--replay`: lines begin with `@SECONDS `, which is when they came.
    pub(crate) replay: bool,
    /// `--hub`: the address of a hub.
    pub(crate) hub: Option<String>,
    /// `--token-file`: the file with the hub's key.
    pub(crate) token_file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            inputs: Vec::new(),
            input_timeout: 0,
            timeout_script: None,
            reopen_timeout: 0,
            check_timeout: 0,
            poll_timeout: Duration::from_millis(100),
            socket_timeout: Duration::from_secs(60),
            block_size: None,
            bufsize: 0,
            event_store_size: 0,
            clean_time: 1,
            log: None,
            syslog: None,
            debug: 6,
            pid: None,
            dump: PathBuf::from("/tmp/sec.dump"),
            user: None,
            groups: Vec::new(),
            umask: None,
            dump_time: false,
            dump_json: false,
            quoting: false,
            tail: true,
            from_start: false,
            detach: false,
            joint_buffer: None,
            keep_open: true,
            read_write_fifo: true,
            end_children: true,
            internal_events: false,
            internal_contexts: false,
            test_only: false,
            help: false,
            version: false,
            perl: false,
            literal_shell: false,
            explain: false,
            time: TimeSource::System,
            replay: false,
            hub: None,
            token_file: None,
        }
    }
}

impl Options {
    /// Reads a command line, and what the file that `SECRC` names adds to its end.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub(crate) fn read(
        arguments: &[OsString],
        resource_file: Option<&OsStr>,
    ) -> Result<Self, String> {
        let mut all = arguments.to_vec();
        if let Some(file) = resource_file {
            let text = fs::read(file)
                .map_err(|error| format!("cannot read {} (SECRC): {error}", file.display()))?;
            all.extend(resource_lines(&text));
        }
        let mut options = Self::default();
        options.take(&all)?;
        options.agree()?;
        Ok(options)
    }

    fn take(&mut self, arguments: &[OsString]) -> Result<(), String> {
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let bytes = argument.as_bytes();
            let Some(text) = bytes.strip_prefix(b"--").or_else(|| bytes.strip_prefix(b"-")) else {
                return Err(format!("unknown argument: {}", argument.display()));
            };
            if text.is_empty() {
                return match (bytes, rest.next()) {
                    (b"--", None) => Ok(()),
                    (b"--", Some(other)) => Err(format!("unknown argument: {}", other.display())),
                    _ => Err("unknown argument: -".to_owned()),
                };
            }
            let (name, value) = match memchr::memchr(b'=', text) {
                Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
                None => (text, None),
            };
            let (word, on) = find(&String::from_utf8_lossy(name))?;
            match (word.kind, value) {
                (Kind::Switch(set) | Kind::Lasting(set), None) => set(self, on),
                (Kind::Switch(_) | Kind::Lasting(_), Some(_)) => {
                    return Err(format!("option {} does not take an argument", word.name()));
                }
                (Kind::Value(_, set), value) => {
                    let value = match value {
                        Some(value) => value,
                        None => rest
                            .next()
                            .ok_or_else(|| format!("option {} requires an argument", word.name()))?
                            .as_bytes(),
                    };
                    set(self, value).map_err(|error| {
                        format!(
                            "value \"{}\" invalid for option {}: {error}",
                            String::from_utf8_lossy(value),
                            word.name()
                        )
                    })?;
                }
            }
        }
        Ok(())
    }

    /// What must hold between options.
    fn agree(&mut self) -> Result<(), String> {
        if !self.groups.is_empty() && self.user.is_none() {
            return Err("option group requires the option user".to_owned());
        }
        if self.input_timeout > 0 && self.timeout_script.is_none() {
            return Err("option input-timeout requires the option timeout-script".to_owned());
        }
        if self.hub.is_some() != self.token_file.is_some() {
            return Err("options hub and token-file go together".to_owned());
        }
        if self.replay && self.time == TimeSource::System {
            self.time = TimeSource::Fixed(0);
        }
        if self.inputs.iter().any(|input| input.context.is_some()) {
            self.internal_contexts = true;
        }
        Ok(())
    }
}

/// The word that a name, or the beginning of only one name, stands for; and whether it is not negated.
fn find(name: &str) -> Result<(&'static Word, bool), String> {
    let name = name.to_ascii_lowercase();
    let mut found: Vec<(&'static Word, bool, String)> = Vec::new();
    for word in WORDS {
        for candidate in word.names {
            let switch = matches!(word.kind, Kind::Switch(_));
            let negated = switch.then(|| [format!("no{candidate}"), format!("no-{candidate}")]);
            for (full, on) in std::iter::once(((*candidate).to_owned(), true))
                .chain(negated.into_iter().flatten().map(|full| (full, false)))
            {
                if full == name {
                    return Ok((word, on));
                }
                let known =
                    found.iter().any(|(one, way, _)| std::ptr::eq(*one, word) && *way == on);
                if full.starts_with(&name) && !known {
                    found.push((word, on, full));
                }
            }
        }
    }
    match found.as_slice() {
        [(word, on, _)] => Ok((word, *on)),
        [] => Err(format!("unknown option: {name}")),
        many => {
            let names: Vec<&str> = many.iter().map(|(_, _, full)| full.as_str()).collect();
            Err(format!("option {name} is ambiguous ({})", names.join(", ")))
        }
    }
}

/// The arguments in a resource file: a line is one, but for empty ones and comments.
fn resource_lines(text: &[u8]) -> impl Iterator<Item = OsString> {
    text.split(|byte| *byte == b'\n')
        .map(|line| line.trim_ascii())
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .map(|line| OsString::from_vec(line.to_vec()))
}

#[cfg(test)]
mod tests;
