//! What a server does with each frame of a client.

use super::{Command, Fault, Frame, SERVER_CLOSE, next_number, write_frame, write_refused};
use crate::Message;

/// The highest version of the protocol that is spoken.
const VERSION: u32 = 1;

/// What to do after a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Send these bytes.
    Reply(Vec<u8>),
    /// Store the message; once it is durable, send [`super::write_stored`] of this number.
    Store {
        /// The number of the frame.
        txnr: u32,
        /// The message.
        message: Message<'a>,
    },
    /// Once every message before is answered, send these bytes and close the connection.
    Close(Vec<u8>),
    /// Nothing is due.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unopened,
    /// The number of the next frame.
    Open(u32),
    Closed,
}

/// One connection of a client: `open`, any number of `syslog`, `close`.
#[derive(Debug)]
pub struct Session {
    software: String,
    state: State,
}

impl Session {
    /// A new connection; `software` is told to the client, such as `bergfried,0.1.0`.
    pub fn new(software: impl Into<String>) -> Session {
        Session { software: software.into(), state: State::Unopened }
    }

    /// What to do with the next frame of the connection.
    ///
    /// # Errors
    /// The frame is not due here; the connection is to be closed.
    pub fn take<'a>(&mut self, frame: Frame<'a>) -> Result<Action<'a>, Fault> {
        if frame.txnr == 0 {
            // A hint: what is not known is passed over.
            return Ok(Action::Nothing);
        }
        match (self.state, frame.command) {
            (State::Unopened, Command::Open) => return Ok(self.open(frame)),
            (State::Open(expected), _) if frame.txnr != expected => {
                return Err(Fault::OutOfSequence { expected, got: frame.txnr });
            }
            (State::Open(_), Command::Open) | (State::Unopened | State::Closed, _) => {
                return Err(Fault::OutOfPlace(frame.command.name()));
            }
            (State::Open(_), _) => self.state = State::Open(next_number(frame.txnr)),
        }
        let mut reply = Vec::new();
        match frame.command {
            Command::Syslog => {
                match Message::of(frame.data, frame.data.len(), frame.cut) {
                    Some(message) => return Ok(Action::Store { txnr: frame.txnr, message }),
                    // Nothing to store: as good as stored.
                    None => super::write_stored(&mut reply, frame.txnr),
                }
            }
            Command::Close => {
                self.state = State::Closed;
                write_frame(&mut reply, frame.txnr, Command::Rsp, b"");
                reply.extend_from_slice(SERVER_CLOSE);
                return Ok(Action::Close(reply));
            }
            _ => write_refused(&mut reply, frame.txnr, "unknown command"),
        }
        Ok(Action::Reply(reply))
    }

    fn open<'a>(&mut self, frame: Frame<'_>) -> Action<'a> {
        let mut reply = Vec::new();
        let version = offer(frame.data, "relp_version").and_then(|version| version.parse().ok());
        let commands = offer(frame.data, "commands").unwrap_or("syslog");
        let refusal = match version {
            None => Some("relp_version is not offered"),
            Some(_) if !commands.split(',').any(|command| command.trim() == "syslog") => {
                Some("the command syslog is not offered")
            }
            Some(version) => {
                let offers = format!(
                    "200 OK\nrelp_version={}\nrelp_software={}\ncommands=syslog",
                    VERSION.min(version),
                    self.software
                );
                write_frame(&mut reply, frame.txnr, Command::Rsp, offers.as_bytes());
                None
            }
        };
        let Some(reason) = refusal else {
            self.state = State::Open(next_number(frame.txnr));
            return Action::Reply(reply);
        };
        self.state = State::Closed;
        write_refused(&mut reply, frame.txnr, reason);
        reply.extend_from_slice(SERVER_CLOSE);
        Action::Close(reply)
    }
}

/// The value of an offer, each of which stands on a line of its own.
fn offer<'a>(data: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(data).ok()?;
    text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))
}
