//! Files and sockets of rules together, for whoever runs an engine of its own.

use std::time::Duration;

use bergfried_sec::port::Socket;
use jiff::tz::TimeZone;

use super::files::Files;
use super::sockets::Sockets;
use crate::log::{Log, level};

/// How long a connection may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Files and sockets that rules write to. Nothing waits: what cannot be written at once is kept, within
/// bounds, until [`Outputs::flush`]; what goes wrong is said on standard error.
pub struct Outputs {
    files: Files,
    sockets: Sockets,
    log: Log,
}

impl Default for Outputs {
    fn default() -> Self {
        Self {
            files: Files::default(),
            sockets: Sockets::new(TIMEOUT),
            log: Log::new(level::WARNING, None, None, TimeZone::UTC),
        }
    }
}

impl Outputs {
    /// Appends to a file, which stays open where more is expected.
    pub fn write(&mut self, file: &[u8], text: &[u8], keep_open: bool) {
        match keep_open {
            true => self.files.write(file, text, &mut self.log),
            false => self.files.write_closed(file, text, &mut self.log),
        }
    }

    /// Closes a file.
    pub fn close_file(&mut self, file: &[u8]) {
        self.files.close(file, &mut self.log);
    }

    /// Sends over a socket, which stays open.
    pub fn send(&mut self, socket: Socket, peer: &[u8], text: &[u8]) {
        self.sockets.send(socket, peer, text, &mut self.log);
    }

    /// Closes a socket.
    pub fn close_socket(&mut self, socket: Socket, peer: &[u8]) {
        self.sockets.close(socket, peer, &mut self.log);
    }

    /// Writes on what waits, as much as is taken at once.
    pub fn flush(&mut self) {
        self.files.flush();
        self.sockets.flush(&mut self.log);
    }

    /// Whether something waits.
    pub fn are_busy(&self) -> bool {
        self.sockets.are_busy() || self.files.waits_for().next().is_some()
    }
}
