//! What rules do to the world: the engine decides, whoever runs it does.

use crate::text::{Shared, Text};

/// How a command is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A command line. It is for a shell where it holds characters that mean something to one;
    /// which of its bytes are data is known.
    Line(Text),
    /// A program and its arguments, never seen by a shell (`cmdexec` and its kin).
    Arguments(Vec<Text>),
}

/// What is written to a command's standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<'a> {
    /// Nothing is.
    None,
    /// These lines, each with a line feed after it.
    Lines(&'a [Shared]),
}

/// What becomes of a command's standard output and of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// It goes where the program's own goes; a failure is logged.
    Ignored,
    /// Each line is an event: [`crate::Engine::event`], in this internal context (`spawn`, `cspawn`).
    Events(Option<Vec<u8>>),
    /// Its exit status is told to [`crate::Engine::ended`] under this number (`SingleWithScript`).
    Status(u64),
}

/// A signal that a rule emulates (`sigemul`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Full restart.
    Hup,
    /// Soft restart.
    Abrt,
    /// Writes the dump.
    Usr1,
    /// Reopens the log and closes outputs.
    Usr2,
    /// Next level of logging.
    Int,
    /// Ends the program.
    Term,
}

/// Where a file that a rule adds is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// Its end.
    End,
    /// So many bytes from its start.
    At(u64),
}

/// A socket that stays open between events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Socket {
    /// `udgram`: a Unix datagram socket.
    UnixDatagram,
    /// `ustream`: a Unix stream socket.
    UnixStream,
    /// `udpsock`.
    Udp,
    /// `tcpsock`.
    Tcp,
}

/// What a rule says of an alert (`alert`); the names are Alerta's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alert {
    /// Its attributes by name, in the order of the rule: `severity`, `resource`, `event`, `service` …
    pub attributes: Vec<(String, Vec<u8>)>,
    /// The file and the number of the rule.
    pub rule: (String, usize),
}

/// What an action does outside the engine.
#[derive(Debug)]
pub enum Effect<'a> {
    /// `logonly`: a line of the log, at level 4.
    Log(&'a [u8]),
    /// `write`, `writen`: appends to a file that stays open; `-` is standard output.
    Write {
        /// The file's name.
        file: &'a [u8],
        /// What is written, its line feed included.
        text: &'a [u8],
    },
    /// `owritecl`: the same with a file that is opened and closed for it.
    WriteClosed {
        /// The file's name.
        file: &'a [u8],
        /// What is written.
        text: &'a [u8],
    },
    /// `closef`.
    CloseFile(&'a [u8]),
    /// `udgram`, `ustream`, `udpsock`, `tcpsock`.
    Send {
        /// Of which kind.
        socket: Socket,
        /// A path, or `host:port`.
        peer: &'a [u8],
        /// What is sent.
        text: &'a [u8],
    },
    /// `closeudgr`, `closeustr`, `closeudp`, `closetcp`.
    CloseSocket(Socket, &'a [u8]),
    /// `shellcmd`, `spawn`, `pipe`, `report`, their exec forms and scripts of rules.
    Run {
        /// What is run; without one the input goes to standard output.
        command: Option<Command>,
        /// What it reads.
        input: Input<'a>,
        /// What becomes of what it says.
        output: Output,
    },
    /// `addinput`.
    AddInput {
        /// The file's name.
        file: &'a [u8],
        /// Where reading starts.
        offset: Offset,
        /// The internal context of its lines, where the rule names one.
        context: Option<&'a [u8]>,
    },
    /// `dropinput`.
    DropInput(&'a [u8]),
    /// `sigemul`.
    Signal(Signal),
    /// `alert`.
    Alert(Alert),
    /// `heartbeat`: an origin is alive, and will say so again within so many seconds.
    Heartbeat {
        /// Who is alive.
        origin: &'a [u8],
        /// Seconds, where the rule says so.
        timeout: Option<u64>,
    },
    /// `notify`: a message for people over a channel by its name.
    Notify {
        /// The channel's name.
        channel: &'a [u8],
        /// The message.
        text: &'a [u8],
    },
}

/// Code in Perl, as the helper process knows it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Code(pub u32);

/// An argument of a function in Perl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// Perl's undefined value.
    Undefined,
    /// A string.
    Bytes(Vec<u8>),
    /// A reference to an entry of the match cache: its variables by name (`:>`).
    Entry(Entry),
    /// A reference to a list (`egpattern`'s second argument).
    List(Vec<Vec<u8>>),
}

/// What a function in Perl gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It died.
    Failed(String),
    /// Values; `None` is undefined.
    Values(Vec<Option<Vec<u8>>>),
    /// A single reference to a hash.
    Named(Entry),
    /// A single reference to a function (`eval`), which `call` names later.
    Function(Code),
}

/// Variables by name; `None` is undefined.
pub type Entry = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What the code gave back.
    pub answer: Answer,
    /// The entries of the match cache that were arguments, as the code left them, in their order.
    pub entries: Vec<Entry>,
}

/// What code in Perl is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Calls a compiled function with these arguments, in list context or scalar context.
    Call {
        /// Which function.
        code: Code,
        /// Its arguments.
        arguments: Vec<Argument>,
        /// Whether one value is asked for.
        scalar: bool,
    },
    /// Compiles and runs a program (`eval`, `=( … )`).
    Run {
        /// Its text.
        program: Vec<u8>,
        /// Whether one value is asked for.
        scalar: bool,
    },
}

/// Whoever runs an engine.
pub trait Port {
    /// Does what an action asks for. It never waits and never fails: what cannot be done is logged
    /// and counted by whoever cannot do it.
    fn effect(&mut self, effect: Effect<'_>);

    /// A message of the engine; levels are 1 (critical) to 6 (debug), as SEC's `--debug` has them.
    fn log(&mut self, level: u8, message: &dyn Fn() -> String);

    /// Asks code in Perl. Only rules that were loaded with a compiler of Perl ask.
    fn perl(&mut self, question: Question) -> Reply {
        drop(question);
        Reply { answer: Answer::Failed("there is no Perl".to_owned()), entries: Vec::new() }
    }
}
