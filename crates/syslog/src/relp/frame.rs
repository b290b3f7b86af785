//! Frames: `TXNR SP COMMAND SP DATALEN [SP DATA] LF`.

/// The highest number of a frame; 1 follows it.
const LAST_NUMBER: u32 = 999_999_999;

/// What a server says before it closes a connection on its own.
pub const SERVER_CLOSE: &[u8] = b"0 serverclose 0\n";

/// What a frame asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The client offers what it can do; always the first.
    Open,
    /// One syslog message.
    Syslog,
    /// The client is done.
    Close,
    /// The answer to the frame of the same number.
    Rsp,
    /// The server is about to close; not answered.
    ServerClose,
    /// A command unknown here.
    Other,
}

const NAMES: [(&str, Command); 5] = [
    ("syslog", Command::Syslog),
    ("rsp", Command::Rsp),
    ("open", Command::Open),
    ("close", Command::Close),
    ("serverclose", Command::ServerClose),
];

impl Command {
    pub(super) fn of(name: &[u8]) -> Command {
        let known = NAMES.iter().find(|(known, _)| known.as_bytes() == name);
        known.map_or(Command::Other, |(_, command)| *command)
    }

    /// The word on the wire.
    pub fn name(self) -> &'static str {
        let known = NAMES.iter().find(|(_, command)| *command == self);
        known.map_or("unknown", |(name, _)| name)
    }
}

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its number, 1 to 999,999,999; 0 for what is not answered.
    pub txnr: u32,
    /// What it asks for.
    pub command: Command,
    /// The data of the command, up to the reader's limit.
    pub data: &'a [u8],
    /// True where the data was longer than the limit.
    pub cut: bool,
}

/// The number of the frame after this one.
pub fn next_number(txnr: u32) -> u32 {
    if txnr >= LAST_NUMBER { 1 } else { txnr + 1 }
}

/// Appends a frame.
pub fn write_frame(out: &mut Vec<u8>, txnr: u32, command: Command, data: &[u8]) {
    out.extend_from_slice(format!("{txnr} {} {}", command.name(), data.len()).as_bytes());
    if !data.is_empty() {
        out.push(b' ');
        out.extend_from_slice(data);
    }
    out.push(b'\n');
}

/// Appends the answer that a message is stored.
pub fn write_stored(out: &mut Vec<u8>, txnr: u32) {
    write_frame(out, txnr, Command::Rsp, b"200 OK");
}

/// Appends the answer that a command is refused; the reason has no line end.
pub fn write_refused(out: &mut Vec<u8>, txnr: u32, reason: &str) {
    write_frame(out, txnr, Command::Rsp, format!("500 {reason}").as_bytes());
}

/// The status of an answer, such as 200; an answer to `close` may have none.
pub fn status(data: &[u8]) -> Option<u16> {
    let digits = data.get(..3)?;
    let stands_alone = matches!(data.get(3), None | Some(b' ' | b'\n'));
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (stands_alone && digits.iter().all(u8::is_ascii_digit)).then_some(number)
}
