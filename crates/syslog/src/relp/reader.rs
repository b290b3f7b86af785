//! Frames out of the bytes of a connection.

use super::{Command, Fault, Frame, MOST_DATA};

/// The longest header: two numbers of nine digits, a command of 32 letters, the spaces.
const LONGEST_HEADER: usize = 9 + 1 + 32 + 1 + 9 + 1;
/// What an idle connection may keep of the room that an unfinished frame took.
const IDLE_ROOM: usize = 1024;

/// Reads the frames of one connection; what it holds has a bound.
#[derive(Debug)]
pub struct Reader {
    max_data: usize,
    /// What is here of an unfinished frame; of its data no more than the limit.
    held: Vec<u8>,
    /// The header of the unfinished frame, once it is here.
    header: Option<Header>,
    /// Bytes of data over the limit that are still to come and are not held.
    passing: usize,
    fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    txnr: u32,
    command: Command,
    /// Bytes of the header, with the space before the data.
    length: usize,
    /// Bytes of the data.
    data: usize,
}

impl Header {
    /// Bytes of the frame that are held, without the line end.
    fn kept(&self, max_data: usize) -> usize {
        self.length + self.data.min(max_data)
    }
}

impl Reader {
    /// For one connection; data longer than `max_data` is cut and marked.
    pub fn new(max_data: usize) -> Reader {
        Reader { max_data, held: Vec::new(), header: None, passing: 0, fault: None }
    }

    /// Feeds bytes; `each` is called for every whole frame, in order. Frames that lie whole in
    /// `bytes` are not copied.
    ///
    /// # Errors
    /// The bytes are no RELP. The frames before were given out; no other comes.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Frame<'_>)) -> Result<(), Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let read = self.read(bytes, each);
        if let Err(fault) = &read {
            self.fault = Some(fault.clone());
            self.held = Vec::new();
        }
        read
    }

    /// Bytes held of an unfinished frame.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    fn read(&mut self, bytes: &[u8], each: &mut dyn FnMut(Frame<'_>)) -> Result<(), Fault> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.held.is_empty() {
                rest = whole_frames(rest, self.max_data, each)?;
            }
            rest = self.complete(rest, each)?;
        }
        Ok(())
    }

    /// Takes what the unfinished frame lacks, as far as it is here.
    fn complete<'b>(
        &mut self,
        bytes: &'b [u8],
        each: &mut dyn FnMut(Frame<'_>),
    ) -> Result<&'b [u8], Fault> {
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            let Some(header) = self.header else {
                self.held.push(*first);
                rest = after;
                self.header = header(&self.held)?;
                match self.header {
                    // Without data, what showed where the length ends is the end of the frame.
                    Some(header) if header.length < self.held.len() => {
                        self.give(header, each);
                        return Ok(rest);
                    }
                    Some(header) => self.passing = header.data.saturating_sub(self.max_data),
                    None => {}
                }
                continue;
            };
            let missing = header.kept(self.max_data).saturating_sub(self.held.len());
            if missing > 0 {
                let (piece, after) = rest.split_at(missing.min(rest.len()));
                self.hold(piece, missing);
                rest = after;
            } else if self.passing > 0 {
                let passed = self.passing.min(rest.len());
                self.passing -= passed;
                rest = rest.get(passed..).unwrap_or_default();
            } else {
                trailer(*first)?;
                self.give(header, each);
                return Ok(after);
            }
        }
        Ok(rest)
    }

    /// Gives out the frame that is whole now.
    fn give(&mut self, header: Header, each: &mut dyn FnMut(Frame<'_>)) {
        each(frame(header, &self.held, self.max_data));
        self.header = None;
        self.held.clear();
        if self.held.capacity() > IDLE_ROOM {
            self.held = Vec::new();
        }
    }

    fn hold(&mut self, piece: &[u8], missing: usize) {
        let needed = self.held.len() + piece.len();
        if needed > self.held.capacity() {
            // Doubled as usual, but never past the frame; a header alone reserves nothing.
            let room = (self.held.capacity() * 2).min(self.held.len() + missing).max(needed);
            self.held.reserve_exact(room - self.held.len());
        }
        self.held.extend_from_slice(piece);
    }
}

/// Gives out the frames that lie whole at the front; what is left.
fn whole_frames<'b>(
    bytes: &'b [u8],
    max_data: usize,
    each: &mut dyn FnMut(Frame<'_>),
) -> Result<&'b [u8], Fault> {
    let mut rest = bytes;
    while let Some(header) = header(rest)? {
        let end = header.length + header.data;
        let Some(last) = rest.get(end) else { break };
        trailer(*last)?;
        each(frame(header, rest, max_data));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    Ok(rest)
}

fn frame<'b>(header: Header, bytes: &'b [u8], max_data: usize) -> Frame<'b> {
    Frame {
        txnr: header.txnr,
        command: header.command,
        data: bytes.get(header.length..header.kept(max_data)).unwrap_or_default(),
        cut: header.data > max_data,
    }
}

/// Reads the header at the front, with the space before the data where there is data; `None` where
/// more bytes are needed.
fn header(bytes: &[u8]) -> Result<Option<Header>, Fault> {
    let near = bytes.get(..LONGEST_HEADER.min(bytes.len())).unwrap_or_default();
    let Some((txnr, after_txnr)) = number(near, 0)? else { return Ok(None) };
    let Some(after_txnr) = space(near, after_txnr)? else { return Ok(None) };
    let letters = near.get(after_txnr..).unwrap_or_default();
    let letters = letters.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let after_command = after_txnr + letters;
    if letters > 32 || (letters == 0 && near.len() > after_txnr) {
        return Err(Fault::NoFrame("a command is expected"));
    }
    let Some(after_space) = space(near, after_command)? else { return Ok(None) };
    let Some((data, after_data)) = number(near, after_space)? else { return Ok(None) };
    let command = Command::of(near.get(after_txnr..after_command).unwrap_or_default());
    let data = usize::try_from(data).unwrap_or(usize::MAX);
    if data > MOST_DATA {
        return Err(Fault::TooLong(data));
    }
    match near.get(after_data) {
        None => Ok(None),
        Some(b' ') => Ok(Some(Header { txnr, command, length: after_data + 1, data })),
        Some(b'\n') if data == 0 => Ok(Some(Header { txnr, command, length: after_data, data })),
        Some(_) => Err(Fault::NoFrame("a space is expected after the length")),
    }
}

/// A number of up to nine digits from `at` on, and where it ends; `None` where it may go on.
fn number(bytes: &[u8], at: usize) -> Result<Option<(u32, usize)>, Fault> {
    let digits = bytes.get(at..).unwrap_or_default();
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = count < digits.len();
    if count > 9 || (whole && count == 0) {
        return Err(Fault::NoFrame("a number of one to nine digits is expected"));
    }
    let digits = digits.iter().take(count);
    let number = digits.fold(0, |number, digit| number * 10 + u32::from(digit.wrapping_sub(b'0')));
    Ok(whole.then_some((number, at + count)))
}

fn space(bytes: &[u8], at: usize) -> Result<Option<usize>, Fault> {
    match bytes.get(at) {
        None => Ok(None),
        Some(b' ') => Ok(Some(at + 1)),
        Some(_) => Err(Fault::NoFrame("a space is expected")),
    }
}

fn trailer(byte: u8) -> Result<(), Fault> {
    if byte == b'\n' {
        Ok(())
    } else {
        Err(Fault::NoFrame("a line end is expected after the data"))
    }
}
