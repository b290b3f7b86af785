//! What rules ask for beside alerts, and what of it an administrator lets a set do.

use std::sync::Arc;

use bergfried_sec::port::{Command, Output, Socket};
use bergfried_sec::text::Shared;

/// What the rules of a set may do to the machine; nothing but alerts, heartbeats and messages unless
/// the administrator says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// Commands: `shellcmd`, `spawn`, `pipe`, `report`, their exec forms, `SingleWithScript`.
    pub shell: bool,
    /// Files: `write`, `writen`, `owritecl`.
    pub write: bool,
    /// Sockets: `udgram`, `ustream`, `udpsock`, `tcpsock`.
    pub network: bool,
}

/// What a rule asks for.
#[derive(Clone, Debug)]
pub struct Act {
    /// The set of the rule.
    pub set: Arc<str>,
    /// What is to be done.
    pub deed: Deed,
}

/// What can be done.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Notes that somebody is alive.
    Heartbeat {
        /// Who.
        origin: String,
        /// Seconds until it is missed; absent: as for any.
        timeout: Option<u64>,
    },
    /// Sends people a message.
    Notify {
        /// The channel's name.
        channel: String,
        /// The message.
        text: String,
    },
    /// Writes a line to the log of whoever runs the rules.
    Log {
        /// From 1 (critical) to 4 (notice), as SEC counts.
        level: u8,
        /// What is said.
        text: String,
    },
    /// Adds to a file.
    Write {
        /// Its name.
        file: Vec<u8>,
        /// What is added.
        text: Vec<u8>,
        /// Whether it stays open for more.
        keep_open: bool,
    },
    /// Closes a file.
    CloseFile(Vec<u8>),
    /// Sends over a socket that stays open.
    Send {
        /// Of which kind.
        socket: Socket,
        /// A path, or `host:port`.
        peer: Vec<u8>,
        /// What is sent.
        text: Vec<u8>,
    },
    /// Closes a socket.
    CloseSocket(Socket, Vec<u8>),
    /// Runs a command.
    Run {
        /// What is run.
        command: Command,
        /// The lines that it reads.
        input: Vec<Shared>,
        /// What becomes of what it says.
        output: Output,
    },
}
