//! The log: a file, the terminal, syslog. Text of others cannot steer a terminal or forge a line.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What waits to be written to the file at most, in bytes.
const BUFFER: usize = 64 << 10;
/// The longest message, in bytes; of a longer one the end is left out.
const MESSAGE: usize = 16 << 10;

/// Levels of messages (sec(1), `--debug`).
pub(crate) mod level {
    /// The program ends.
    pub(crate) const CRITICAL: u8 = 1;
    /// Somebody has to look at it.
    pub(crate) const ERROR: u8 = 2;
    /// Perhaps a fault.
    pub(crate) const WARNING: u8 = 3;
    /// What happens to the program.
    pub(crate) const NOTICE: u8 = 4;
    /// Commands.
    pub(crate) const INFORMATION: u8 = 5;
    /// Everything else.
    pub(crate) const DEBUG: u8 = 6;
}

/// Where messages go.
pub(crate) struct Log {
    level: u8,
    path: Option<PathBuf>,
    file: Option<File>,
    buffer: Vec<u8>,
    /// Whether standard error is read by a person, who gets everything.
    terminal: bool,
    syslog: Option<Syslog>,
    zone: TimeZone,
    /// The last second that was written out, and how.
    stamp: (i64, String),
}

struct Syslog {
    facility: u8,
    socket: Option<UnixDatagram>,
}

impl Log {
    /// A log of messages up to a level; what cannot be opened is said on standard error.
    pub(crate) fn new(
        level: u8,
        path: Option<PathBuf>,
        facility: Option<u8>,
        zone: TimeZone,
    ) -> Self {
        let mut log = Self {
            level,
            path,
            file: None,
            buffer: Vec::new(),
            terminal: io::stderr().is_terminal(),
            syslog: facility.map(|facility| Syslog { facility, socket: None }),
            zone,
            stamp: (i64::MIN, String::new()),
        };
        log.reopen();
        log
    }

    /// Opens the file anew: it was perhaps moved away.
    pub(crate) fn reopen(&mut self) {
        self.flush();
        self.file = None;
        if let Some(path) = &self.path {
            match append(path) {
                Ok(file) => self.file = Some(file),
                Err(error) => {
                    let message = format!("cannot open the log {}: {error}", path.display());
                    complain(&message);
                }
            }
        }
        if let Some(syslog) = &mut self.syslog {
            syslog.socket = None;
        }
    }

    /// Whether messages of a level go anywhere. Where there is no log, at least faults are told: to a
    /// service manager's journal.
    pub(crate) const fn wants(&self, level: u8) -> bool {
        let somewhere = self.file.is_some() || self.syslog.is_some() || self.terminal;
        level <= self.level && (somewhere || level <= level::WARNING)
    }

    /// The level up to which messages are logged.
    pub(crate) const fn level(&self) -> u8 {
        self.level
    }

    /// Takes the next level, after the last the first.
    pub(crate) const fn next_level(&mut self) {
        self.level = self.level % level::DEBUG + 1;
    }

    /// Whether standard error is a terminal.
    pub(crate) const fn is_interactive(&self) -> bool {
        self.terminal
    }

    /// Logs a message.
    pub(crate) fn say(&mut self, level: u8, message: &str) {
        if !self.wants(level) {
            return;
        }
        let message = printable(message);
        let now = Timestamp::now();
        if self.stamp.0 != now.as_second() {
            let text = now.to_zoned(self.zone.clone()).strftime("%a %b %e %H:%M:%S %Y").to_string();
            self.stamp = (now.as_second(), text);
            // Nobody waits long for what is logged while there is no time to rest.
            self.flush();
        }
        if self.file.is_some() {
            self.buffer.extend_from_slice(self.stamp.1.as_bytes());
            self.buffer.extend_from_slice(b": ");
            self.buffer.extend_from_slice(message.as_bytes());
            self.buffer.push(b'\n');
            if self.buffer.len() >= BUFFER || level <= level::WARNING {
                self.flush();
            }
        }
        if let Some(syslog) = &mut self.syslog {
            syslog.send(level, &message);
        }
        if self.terminal || (self.file.is_none() && self.syslog.is_none()) {
            complain(&message);
        }
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(&self.buffer)
        {
            complain(&format!("cannot write the log: {error}"));
        }
        self.buffer.clear();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Syslog {
    /// Sends a message in the form of RFC 3164; one that cannot be sent at once is lost.
    fn send(&mut self, level: u8, message: &str) {
        let severity = match level {
            level::CRITICAL => 2,
            level::ERROR => 3,
            level::WARNING => 4,
            level::NOTICE => 5,
            level::INFORMATION => 6,
            _ => 7,
        };
        let priority = u32::from(self.facility) * 8 + severity;
        let text = format!("<{priority}>sec[{}]: {message}", std::process::id());
        if self.socket.is_none() {
            self.socket = connect(Path::new("/dev/log")).ok();
        }
        let failed =
            self.socket.as_ref().is_some_and(|socket| match socket.send(text.as_bytes()) {
                Ok(_) => false,
                Err(error) => error.kind() != io::ErrorKind::WouldBlock,
            });
        if failed {
            self.socket = None;
        }
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    Ok(socket)
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// A message without what steers terminals; further lines are set in, so that none looks like another
/// message.
fn printable(message: &str) -> String {
    let message = match message.char_indices().nth(MESSAGE) {
        Some((at, _)) => message.get(..at).unwrap_or_default(),
        None => message,
    };
    let mut text = String::with_capacity(message.len());
    for letter in message.chars() {
        match letter {
            '\n' => text.push_str("\n\t"),
            '\t' => text.push('\t'),
            letter if letter.is_control() => text.extend(letter.escape_default()),
            letter => text.push(letter),
        }
    }
    text
}

/// The number of a facility of syslog by its name.
pub(crate) fn facility(text: &[u8]) -> Result<u8, String> {
    const NAMES: [&str; 12] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
        "authpriv", "ftp",
    ];
    let name = String::from_utf8_lossy(text).to_ascii_lowercase();
    let name = name.strip_prefix("log_").unwrap_or(&name);
    if let Some(number) = name.strip_prefix("local").and_then(|digit| digit.parse::<u8>().ok())
        && number < 8
    {
        return Ok(16 + number);
    }
    let name = if name == "security" { "auth" } else { name };
    (0..)
        .zip(NAMES)
        .find(|(_, one)| *one == name)
        .map(|(number, _)| number)
        .ok_or_else(|| "expected a facility such as local0".to_owned())
}

/// Says something on standard error.
#[expect(clippy::print_stderr, reason = "the one place where this crate talks on standard error")]
pub(crate) fn complain(message: &str) {
    eprintln!("{message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_as_sec_writes_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut log = Log::new(4, Some(path.clone()), None, TimeZone::UTC);
        log.say(5, "too much");
        log.say(4, "forged\nSun Nov 22 02:10:00 2026: line \u{1b}[31m");
        drop(log);
        let text = std::fs::read_to_string(path).unwrap();
        let (time, message) = text.split_at(24);
        assert!(jiff::civil::DateTime::strptime("%a %b %e %H:%M:%S %Y", time).is_ok(), "{time}");
        assert_eq!(message, ": forged\n\tSun Nov 22 02:10:00 2026: line \\u{1b}[31m\n");
    }

    #[test]
    fn a_file_that_was_moved_away_is_opened_anew() {
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("log"), directory.path().join("log.1"));
        let mut log = Log::new(6, Some(path.clone()), None, TimeZone::UTC);
        log.say(6, "one");
        std::fs::rename(&path, &moved).unwrap();
        log.reopen();
        log.say(6, "two");
        log.flush();
        assert!(std::fs::read_to_string(moved).unwrap().ends_with(": one\n"));
        assert!(std::fs::read_to_string(path).unwrap().ends_with(": two\n"));
    }

    #[test]
    fn levels_come_round() {
        let mut log = Log::new(5, None, None, TimeZone::UTC);
        log.next_level();
        assert_eq!(log.level(), 6);
        log.next_level();
        assert_eq!(log.level(), 1);
    }

    #[test]
    fn facilities_have_their_numbers() {
        for (name, number) in [("kern", 0), ("local0", 16), ("LOG_LOCAL7", 23), ("authpriv", 10)] {
            assert_eq!(facility(name.as_bytes()), Ok(number), "{name}");
        }
        assert!(facility(b"local8").is_err());
    }
}
