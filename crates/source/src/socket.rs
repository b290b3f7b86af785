//! Lines from a stream socket that a program on this host listens at, such as the one of auditd's
//! plug-in `af_unix`.
//!
//! A stream has no position: what is sent while nobody is connected is lost. Where the connection
//! ends, it is made again after a pause that doubles.

use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use memchr::memchr;

use crate::line::{Flow, Line, MAX_LINE};

const CHUNK: usize = 64 * 1024;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A socket, and what came that is no whole line yet.
#[derive(Debug)]
pub struct Socket {
    path: String,
    stream: Option<UnixStream>,
    buffer: Vec<u8>,
    /// Inside a line that was too long and has been handed out cut.
    skipping: bool,
    connect_at: Instant,
    pause: Duration,
}

impl Socket {
    /// Connects at the first read.
    pub fn new(path: String, now: Instant) -> Self {
        Socket {
            path,
            stream: None,
            buffer: Vec::new(),
            skipping: false,
            connect_at: now,
            pause: FIRST_PAUSE,
        }
    }

    /// Becomes readable when there is more.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(|stream| stream.as_fd())
    }

    /// Hands lines to the sink until it is full or none is left; true where more may be left.
    pub fn read(&mut self, now: Instant, sink: &mut dyn FnMut(Line<'_>) -> Flow) -> bool {
        if self.stream.is_none() && self.buffer.is_empty() {
            if now < self.connect_at {
                return false;
            }
            self.connect(now);
        }
        // Bounded, so that other sources get their turn.
        for _ in 0..16 {
            if self.take_lines(sink) == Flow::Full {
                return true;
            }
            match self.fill() {
                Ok(Some(0)) => {
                    tracing::warn!(path = self.path, "the socket was closed, connecting again");
                    return self.ended(now, sink);
                }
                Ok(Some(_)) => self.pause = FIRST_PAUSE,
                Ok(None) => return false,
                Err(error) => {
                    tracing::warn!(path = self.path, %error, "cannot read from the socket");
                    return self.ended(now, sink);
                }
            }
        }
        true
    }

    fn connect(&mut self, now: Instant) {
        let connected = UnixStream::connect(&self.path)
            .and_then(|stream| stream.set_nonblocking(true).map(|()| stream));
        match connected {
            Ok(stream) => {
                tracing::info!(path = self.path, "connected to the socket");
                self.stream = Some(stream);
            }
            Err(error) => {
                // Said once; it is tried again.
                if self.pause == FIRST_PAUSE {
                    tracing::warn!(path = self.path, %error, "cannot connect, trying again");
                }
                self.pause_until_next_try(now);
            }
        }
    }

    /// What was sent last may lack its line end.
    fn ended(&mut self, now: Instant, sink: &mut dyn FnMut(Line<'_>) -> Flow) -> bool {
        self.stream = None;
        self.pause_until_next_try(now);
        let rest = std::mem::take(&mut self.buffer);
        if !std::mem::take(&mut self.skipping) && !rest.is_empty() {
            return sink(Line { path: &self.path, raw: &rest, truncated: false }) == Flow::Full;
        }
        false
    }

    fn pause_until_next_try(&mut self, now: Instant) {
        self.connect_at = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// Reads what is there; None where that is nothing yet, zero where the other end is gone.
    fn fill(&mut self) -> io::Result<Option<usize>> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let used = self.buffer.len();
        self.buffer.resize(used + CHUNK, 0);
        let read = stream.read(self.buffer.get_mut(used..).unwrap_or_default());
        self.buffer.truncate(used + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error)
                if [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted]
                    .contains(&error.kind()) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn take_lines(&mut self, sink: &mut dyn FnMut(Line<'_>) -> Flow) -> Flow {
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        let mut flow = Flow::More;
        while flow == Flow::More
            && let Some((line, after)) =
                memchr(b'\n', rest).and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)?)))
        {
            rest = after;
            if !std::mem::take(&mut self.skipping) {
                let raw = line.get(..MAX_LINE).unwrap_or(line);
                let truncated = raw.len() < line.len();
                flow = sink(Line { path: &self.path, raw, truncated });
            }
        }
        if self.skipping {
            rest = rest.get(..0).unwrap_or_default();
        } else if rest.len() > MAX_LINE && flow == Flow::More {
            let raw = rest.get(..MAX_LINE).unwrap_or(rest);
            flow = sink(Line { path: &self.path, raw, truncated: true });
            self.skipping = true;
            rest = rest.get(..0).unwrap_or_default();
        }
        let done = buffer.len() - rest.len();
        self.buffer = buffer;
        self.buffer.drain(..done);
        if self.buffer.is_empty() && self.buffer.capacity() > 2 * CHUNK {
            self.buffer = Vec::new();
        }
        flow
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixListener;

    use super::*;

    /// Reads until so many lines came.
    fn read(socket: &mut Socket, now: &mut Instant, count: usize) -> Vec<(Vec<u8>, bool)> {
        let mut lines = Vec::new();
        let begun = Instant::now();
        while lines.len() < count {
            assert!(begun.elapsed() < Duration::from_secs(90), "only {} lines", lines.len());
            // Pauses pass at once.
            *now += LONGEST_PAUSE;
            socket.read(*now, &mut |line| {
                lines.push((line.raw.to_vec(), line.truncated));
                if lines.len() % 2 == 0 { Flow::Full } else { Flow::More }
            });
            std::thread::yield_now();
        }
        lines
    }

    #[test]
    fn lines_come_through_a_socket_that_is_closed_and_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events");
        let mut now = Instant::now();
        let mut socket = Socket::new(path.to_str().unwrap().to_owned(), now);
        assert!(!socket.read(now, &mut |_| Flow::More), "nobody listens yet");
        let listener = UnixListener::bind(&path).unwrap();
        let sender = std::thread::spawn(move || {
            let (mut first, _) = listener.accept().unwrap();
            first.write_all(b"one\ntwo\nthr").unwrap();
            first.write_all(b"ee\n\nhalf").unwrap();
            drop(first);
            let (mut second, _) = listener.accept().unwrap();
            let long = vec![b'x'; MAX_LINE + 200_000];
            second.write_all(&long).unwrap();
            second.write_all(b"\nlast\n").unwrap();
            second
        });
        let short = |raw: &[u8]| (raw.to_vec(), false);
        let lines = read(&mut socket, &mut now, 5);
        assert_eq!(lines, [&b"one"[..], b"two", b"three", b"", b"half"].map(short));
        let lines = read(&mut socket, &mut now, 2);
        assert_eq!((lines[0].0.len(), lines[0].1), (MAX_LINE, true));
        assert_eq!(lines[1], short(b"last"));
        drop(sender.join().unwrap());
    }
}
