//! Running another program on any system: its words as a list, never through a shell, and within
//! limits of time and output. What it prints is handed on as it comes.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::stop::Stop;

/// How often it is looked whether the agent stops.
const LOOK: Duration = Duration::from_millis(50);
/// How long complaints are read of a program that has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How often a program that closed its output, or was killed, is looked at, and how long the latter.
const END_LOOK: Duration = Duration::from_millis(2);
const END: Duration = Duration::from_millis(200);
/// How much is read at once, and how many of these wait for the sink.
const PART: usize = 16 << 10;
const PARTS: usize = 4;
/// The most complaints that are kept, in bytes, and the longest that is handed on, in characters.
const COMPLAINTS: usize = 16 << 10;
const COMPLAINT: usize = 300;

/// What a program may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) time: Duration,
    /// Bytes of its output.
    pub(crate) output: usize,
}

/// Why a program did not print to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    #[error("cannot run {program}: {source}")]
    Start { program: String, source: io::Error },
    #[error("cannot read what {program} prints: {source}")]
    Read { program: String, source: io::Error },
    #[error("{program} did not end within {} s", limit.as_secs())]
    Time { program: String, limit: Duration },
    #[error("{program} prints more than {limit} bytes")]
    Output { program: String, limit: usize },
    #[error("{program} {}: {said}", ended(*status))]
    Failed { program: String, status: ExitStatus, said: String },
    #[error("the agent stops")]
    Stopped,
}

fn ended(status: ExitStatus) -> String {
    status.code().map_or_else(|| "was killed".to_owned(), |code| format!("ended with {code}"))
}

/// Hands on what a program prints until it ends, the sink has enough, or the agent stops. The words
/// are the program and its arguments.
pub(crate) fn stream(
    words: &[&str],
    limits: Limits,
    stop: &Stop,
    sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<(), StreamError> {
    let (first, rest) = words.split_first().map_or(("", [].as_slice()), |(f, r)| (*f, r));
    let mut command = Command::new(first);
    command.args(rest);
    run(command, &name(Path::new(first)), limits, Some(stop), sink)
}

/// What a program is called in messages.
pub(crate) fn name(program: &Path) -> String {
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// Runs the command until it ends, the sink has enough, or the agent stops; messages call it by the
/// name.
///
/// On Unix it gets a plain environment and `/` as its directory.
pub(crate) fn run(
    mut command: Command,
    name: &str,
    limits: Limits,
    stop: Option<&Stop>,
    sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<(), StreamError> {
    let program = || name.to_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    plain(&mut command);
    let started = command.spawn();
    let mut child = started.map_err(|source| StreamError::Start { program: program(), source })?;
    let begun = Instant::now();
    let ended = Pipes::of(&mut child)
        .and_then(|pipes| pipes.read(&mut child, &program, (limits, begun), stop, sink));
    match ended {
        Ok(Some((status, complaints))) if !status.success() => {
            let said = first_line(&complaints).unwrap_or_default();
            Err(StreamError::Failed { program: program(), status, said })
        }
        Ok(Some(_)) => Ok(()),
        Ok(None) => {
            end(&mut child);
            Ok(())
        }
        Err(error) => {
            end(&mut child);
            Err(error)
        }
    }
}

/// What two threads read of a program, which end with it.
struct Pipes {
    output: Receiver<io::Result<Vec<u8>>>,
    complaints: Receiver<io::Result<Vec<u8>>>,
}

impl Pipes {
    fn of(child: &mut Child) -> Result<Pipes, StreamError> {
        let (output, complaints) = (child.stdout.take(), child.stderr.take());
        Ok(Pipes { output: follow(output)?, complaints: follow(complaints)? })
    }

    /// How the program ended and what it complained of; nothing where the sink had enough.
    fn read(
        self,
        child: &mut Child,
        program: &dyn Fn() -> String,
        (limits, begun): (Limits, Instant),
        stop: Option<&Stop>,
        sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<Option<(ExitStatus, Vec<u8>)>, StreamError> {
        let failed = |source| StreamError::Read { program: program(), source };
        let mut printed = 0_usize;
        let mut complained = Vec::new();
        let mut keep = |part: &[u8]| {
            let room = COMPLAINTS.saturating_sub(complained.len());
            complained.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
        };
        let mut is_open = true;
        loop {
            for part in self.complaints.try_iter() {
                keep(&part.map_err(failed)?);
            }
            if stop.is_some_and(Stop::is_stopped) {
                return Err(StreamError::Stopped);
            }
            if begun.elapsed() >= limits.time {
                return Err(StreamError::Time { program: program(), limit: limits.time });
            }
            if !is_open {
                if let Some(status) = child.try_wait().map_err(failed)? {
                    // What it started may hold the pipe open for long, and fill it without an end.
                    let last = Instant::now();
                    while last.elapsed() < LAST_WORDS
                        && let Ok(part) = self.complaints.recv_timeout(LOOK)
                    {
                        keep(&part.map_err(failed)?);
                    }
                    return Ok(Some((status, complained)));
                }
                thread::sleep(END_LOOK);
                continue;
            }
            match self.output.recv_timeout(LOOK) {
                Ok(part) => {
                    let part = part.map_err(failed)?;
                    printed = printed.saturating_add(part.len());
                    if sink(&part).is_break() {
                        return Ok(None);
                    }
                    if printed > limits.output {
                        let limit = limits.output;
                        return Err(StreamError::Output { program: program(), limit });
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => is_open = false,
            }
        }
    }
}

/// Reads a pipe on a thread of its own, which ends with the pipe or when nobody listens any more.
fn follow(
    pipe: Option<impl Read + Send + 'static>,
) -> Result<Receiver<io::Result<Vec<u8>>>, StreamError> {
    let (sender, receiver) = mpsc::sync_channel(PARTS);
    if let Some(pipe) = pipe {
        thread::Builder::new()
            .name("stream".to_owned())
            .stack_size(64 << 10)
            .spawn(move || pump(pipe, &sender))
            .map_err(|source| StreamError::Start { program: "a thread".to_owned(), source })?;
    }
    Ok(receiver)
}

fn pump(mut pipe: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; PART];
    loop {
        let part = match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => Ok(buffer.get(..read).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = part.is_err();
        if sender.send(part).is_err() || is_last {
            return;
        }
    }
}

#[cfg(unix)]
fn plain(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    let path = std::env::join_paths(crate::search::DIRECTORIES).unwrap_or_default();
    command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8").current_dir("/");
    // Whatever it starts ends with it.
    command.process_group(0);
}

#[cfg(not(unix))]
fn plain(_command: &mut Command) {}

#[cfg(unix)]
fn kill(child: &mut Child) -> io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process_group};
    match i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        Some(group) => Ok(kill_process_group(group, Signal::KILL)?),
        None => child.kill(),
    }
}

#[cfg(not(unix))]
fn kill(child: &mut Child) -> io::Result<()> {
    child.kill()
}

fn end(child: &mut Child) {
    if let Err(error) = kill(child) {
        tracing::debug!(%error, "a program cannot be ended");
    }
    // One that runs as another user may outlive this; nobody waits for it.
    let begun = Instant::now();
    while begun.elapsed() < END && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(END_LOOK);
    }
}

/// The first line with text in it, without what could steer a terminal.
pub(crate) fn first_line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().filter(|c| !c.is_control()).take(COMPLAINT).collect())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_stream_ends_with_its_program_its_limits_its_sink_or_the_agent() {
        let stop = Stop::new().unwrap();
        let limits = Limits { time: Duration::from_secs(20), output: 1000 };
        let run = |enough: usize, script: &str, limits| {
            let mut printed = Vec::new();
            let read = stream(&["/bin/sh", "-c", script], limits, &stop, &mut |part| {
                printed.extend_from_slice(part);
                if printed.len() < enough {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
            (read.map_or_else(|error| error.to_string(), |()| String::new()), printed.len())
        };
        let begun = Instant::now();
        let short = Limits { time: Duration::from_millis(50), ..limits };
        for (enough, script, limits, said, printed) in [
            (9, "printf abc", limits, "", 3),
            (3, "printf abc; sleep 60", limits, "", 3),
            (
                9,
                "printf abc; printf '\\n n\\033[2Jo' >&2; exit 7",
                limits,
                "sh ended with 7: n[2Jo",
                3,
            ),
            (9, "sleep 60 & wait", short, "sh did not end within 0 s", 0),
            (9, "exec >&- 2>&-; sleep 60", short, "sh did not end within 0 s", 0),
            (9, "yes >&2", short, "sh did not end within 0 s", 0),
        ] {
            assert_eq!(run(enough, script, limits), (said.to_owned(), printed), "{script}");
        }
        assert_eq!(run(usize::MAX, "yes", limits).0, "sh prints more than 1000 bytes");
        let absent = stream(&["/nowhere/x"], limits, &stop, &mut |_| ControlFlow::Continue(()));
        assert!(absent.unwrap_err().to_string().starts_with("cannot run x: "));
        // What a program leaves behind is not waited for, however much it has to say.
        let left = run(9, "printf abc; (exec >&-; exec timeout 60 yes >&2) & exit 0", limits);
        assert_eq!(left, (String::new(), 3));
        stop.stop();
        assert_eq!(run(9, "sleep 60", limits).0, "the agent stops");
        assert!(begun.elapsed() < Duration::from_secs(90));
    }
}
