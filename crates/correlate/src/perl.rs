//! Code in Perl, run by one helper process of an installed `perl` (`--perl`).
//!
//! It is asked over a socket, one question at a time. A question that takes too long, or that ends the
//! helper, fails; the helper is started anew, its functions are compiled again, what the code had put
//! into variables is lost.

use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bergfried_sec::PerlCompiler;
use bergfried_sec::port::{Answer, Argument, Code, Entry, Question, Reply};

use crate::log::{Log, level};

/// What the helper runs.
const PROGRAM: &str = include_str!("perl/helper.pl");
/// How long one question may take.
const TIME: Duration = Duration::from_secs(5);
/// The longest question and answer, in bytes.
const LENGTH: usize = 64 << 20;
/// How many functions there are at most.
const FUNCTIONS: usize = 1 << 20;

/// The helper.
#[derive(Default)]
pub(crate) struct Perl {
    process: Option<Process>,
    /// The text of each function.
    functions: Vec<String>,
    starts: u64,
    messages: Vec<String>,
    ended: Option<i32>,
}

struct Process {
    child: Child,
    socket: UnixStream,
}

/// Why there is no answer.
enum Failure {
    /// The helper ended by itself, as code told it to.
    Ended(i32),
    Other(String),
}

impl Perl {
    /// A helper that is started with the first question.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Asks the helper.
    pub(crate) fn ask(&mut self, question: Question, log: &mut Log) -> Reply {
        let answer = self.answer(&encode(&question));
        for message in self.messages.drain(..) {
            log.say(level::WARNING, &message);
        }
        match answer {
            Ok(reply) => reply,
            Err(error) => Reply { answer: Answer::Failed(error), entries: Vec::new() },
        }
    }

    /// The code that code ended the program with (`exit`), once.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.ended.take()
    }

    /// How often the helper was started anew.
    pub(crate) const fn restarts(&self) -> u64 {
        self.starts.saturating_sub(1)
    }

    fn answer(&mut self, question: &[u8]) -> Result<Reply, String> {
        let process = match self.process.take() {
            Some(process) => process,
            None => self.start()?,
        };
        let (process, answer) = exchange(process, question);
        self.process = process;
        match answer {
            Ok(reply) => Ok(reply),
            Err(Failure::Ended(code)) => {
                self.ended = Some(code);
                Err("code ended the helper".to_owned())
            }
            Err(Failure::Other(error)) => {
                self.messages.push(format!("the Perl helper failed and is started anew: {error}"));
                Err(error)
            }
        }
    }

    /// Starts the helper and compiles what was compiled before.
    fn start(&mut self) -> Result<Process, String> {
        self.starts += 1;
        let cannot = |error: io::Error| format!("cannot run perl: {error}");
        let (ours, theirs) = UnixStream::pair().map_err(cannot)?;
        ours.set_read_timeout(Some(TIME)).map_err(cannot)?;
        ours.set_write_timeout(Some(TIME)).map_err(cannot)?;
        let mut command = Command::new("perl");
        command.arg("-e").arg(PROGRAM).stdin(Stdio::from(OwnedFd::from(theirs)));
        let child = command.spawn().map_err(cannot)?;
        let mut process = Process { child, socket: ours };
        for (number, source) in self.functions.iter().enumerate() {
            let (next, answer) = exchange(process, &compile(number, source));
            match (next, answer) {
                (Some(next), Ok(_)) => process = next,
                (_, Err(Failure::Other(error))) => return Err(error),
                _ => return Err("code ended the helper".to_owned()),
            }
        }
        Ok(process)
    }
}

impl Drop for Perl {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }
}

impl PerlCompiler for Perl {
    fn compile(&mut self, source: &str) -> Result<Code, String> {
        let number = self.functions.len();
        if number >= FUNCTIONS {
            return Err("there are too many functions".to_owned());
        }
        match self.answer(&compile(number, source))?.answer {
            Answer::Failed(error) => Err(error),
            _ => {
                self.functions.push(source.to_owned());
                Ok(Code(u32::try_from(number).unwrap_or(u32::MAX)))
            }
        }
    }
}

impl Process {
    fn kill(mut self) {
        // It has perhaps ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Asks, and waits for the answer; without one there is no process any more.
fn exchange(mut process: Process, question: &[u8]) -> (Option<Process>, Result<Reply, Failure>) {
    let other = |text: &str| Failure::Other(text.to_owned());
    if question.len() > LENGTH {
        return (Some(process), Err(other("the question is too long")));
    }
    let frame = [&length(question.len())[..], question].concat();
    let until = Instant::now() + TIME;
    let answered = process.socket.write_all(&frame).and_then(|()| {
        let mut size = [0; 4];
        read(&mut process.socket, &mut size, until)?;
        let size = usize::try_from(u32::from_be_bytes(size)).unwrap_or(usize::MAX);
        if size > LENGTH {
            return Err(io::Error::other("the answer is too long"));
        }
        let mut answer = vec![0; size];
        read(&mut process.socket, &mut answer, until)?;
        Ok(answer)
    });
    match answered {
        Ok(answer) => match decode(&answer) {
            Some(reply) => (Some(process), Ok(reply)),
            None => {
                process.kill();
                (None, Err(other("the answer is not understood")))
            }
        },
        Err(error) => {
            let code = match error.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
                    process.child.wait().ok().and_then(|status| status.code())
                }
                _ => None,
            };
            let failure = match (code, error.kind()) {
                (Some(code), _) => Failure::Ended(code),
                (None, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    other("it took more than 5 s")
                }
                (None, _) => Failure::Other(error.to_string()),
            };
            process.kill();
            (None, Err(failure))
        }
    }
}

/// Fills all of the room until this time.
fn read(socket: &mut UnixStream, room: &mut [u8], until: Instant) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = room.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        match socket.read(rest) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

fn compile(number: usize, source: &str) -> Vec<u8> {
    let mut question = vec![b'C'];
    question.extend(length(number));
    put(&mut question, source.as_bytes());
    question
}

fn put(to: &mut Vec<u8>, text: &[u8]) {
    to.extend(length(text.len()));
    to.extend_from_slice(text);
}

fn put_value(to: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => to.push(b'U'),
        Some(text) => {
            to.push(b'B');
            put(to, text);
        }
    }
}

fn encode(question: &Question) -> Vec<u8> {
    let mut to = Vec::new();
    match question {
        Question::Call { code, arguments, scalar } => {
            to.push(b'K');
            to.extend(code.0.to_be_bytes());
            to.extend(u32::from(*scalar).to_be_bytes());
            to.extend(length(arguments.len()));
            for argument in arguments {
                match argument {
                    Argument::Undefined => put_value(&mut to, None),
                    Argument::Bytes(text) => put_value(&mut to, Some(text)),
                    Argument::Entry(entry) => {
                        to.push(b'H');
                        to.extend(length(entry.len()));
                        for (name, value) in entry {
                            put(&mut to, name);
                            put_value(&mut to, value.as_deref());
                        }
                    }
                    Argument::List(list) => {
                        to.push(b'L');
                        to.extend(length(list.len()));
                        list.iter().for_each(|text| put(&mut to, text));
                    }
                }
            }
        }
        Question::Run { program, scalar } => {
            to.push(b'R');
            to.extend(u32::from(*scalar).to_be_bytes());
            put(&mut to, program);
        }
    }
    to
}

/// What is left of an answer.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<usize> {
        let bytes = self.take(4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let length = self.number()?;
        self.take(length).map(<[u8]>::to_vec)
    }

    fn value(&mut self) -> Option<Option<Vec<u8>>> {
        match self.take(1)? {
            b"U" => Some(None),
            _ => self.text().map(Some),
        }
    }

    fn entry(&mut self) -> Option<Entry> {
        let count = self.number()?;
        (0..count).map(|_| Some((self.text()?, self.value()?))).collect()
    }
}

fn decode(answer: &[u8]) -> Option<Reply> {
    let mut rest = Rest(answer);
    let answer = match rest.take(1)? {
        b"E" => {
            let error = rest.text()?;
            Answer::Failed(String::from_utf8_lossy(&error).trim_end().to_owned())
        }
        b"F" => Answer::Function(Code(u32::try_from(rest.number()?).ok()?)),
        b"N" => Answer::Named(rest.entry()?),
        b"V" => {
            let count = rest.number()?;
            Answer::Values((0..count).map(|_| rest.value()).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    let count = rest.number()?;
    let entries = (0..count).map(|_| rest.entry()).collect::<Option<_>>()?;
    Some(Reply { answer, entries })
}

#[cfg(test)]
mod tests;
