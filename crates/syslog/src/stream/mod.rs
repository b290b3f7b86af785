//! Splits a stream (TCP, TLS) into messages: RFC 6587, both framings told apart for each message.
//!
//! # How a message is told
//!
//! *Counted* (section 3.4.1): `[1-9]` and at most nine more digits, a space, `<`, a digit. Anything
//! else is a *line* (section 3.4.2), up to LF or NUL. So a line that begins with a number is not
//! eaten. A count before a message without `<PRI>` is believed where the message before was such a
//! one, or, as long as no line has come, where no line end stands inside and another count behind.
//!
//! # Counts that lie
//!
//! A count that is honest is obeyed whatever the message holds: what an attacker had written into a
//! message must not pass for a message of its own. So only a count that is proved wrong is
//! overruled: what looks like the start of another message lies inside, *and* what follows is not
//! the start of one. Such a message is held until what follows is known. Only behind a line, a line
//! inside is enough: among lines a count is rare, and one that an attacker wrote would swallow the
//! lines behind it.
//!
//! | lie | what becomes of it |
//! |---|---|
//! | too long | the message ends where the next begins inside |
//! | too short | what remains is a message of its own, up to a line end or the next count |
//! | longer than the limit | as too long; without a start inside it is cut, its rest passed over |
//! | longer than [`ABSURD`] | the count is taken off, the message is a line |
//!
//! What comes out depends on the bytes alone, never on how they came in pieces; every byte is looked
//! at a bounded number of times.

mod framing;
mod search;

use memchr::memchr2;

use crate::Message;
use framing::{Framing, Step};

/// No message is as long as this many bytes: a count above is a lie.
const ABSURD: u64 = 16 * 1024 * 1024;
/// The shortest message that a count is believed for: `<0>`.
const SHORTEST: usize = 3;
/// The longest text that tells how a message is framed: ten digits, a space, `<191>`.
const LONGEST_START: usize = 16;
/// What an idle connection may keep of the room that an unfinished message took.
const IDLE_ROOM: usize = 1024;

/// Splits the bytes of one connection into messages.
#[derive(Debug)]
pub struct Splitter {
    framing: Framing,
    /// What is here of an unfinished message.
    held: Vec<u8>,
}

impl Splitter {
    /// For one connection whose messages may have `max_message` bytes; at least one is taken.
    pub fn new(max_message: usize) -> Splitter {
        Splitter { framing: Framing::new(max_message.max(1)), held: Vec::new() }
    }

    /// Feeds bytes; `each` is called for every whole message, in order.
    ///
    /// A message that lies whole in `bytes` is not copied. One longer than the limit is cut and
    /// marked, its rest passed over without being held.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Message<'_>)) {
        let mut rest = bytes;
        while !self.held.is_empty() && !rest.is_empty() {
            // Just so much that the message in hand becomes whole: the ones behind it are not copied.
            let wanted = self.wanted(rest).clamp(1, rest.len());
            let (piece, after) = rest.split_at(wanted);
            self.hold(piece);
            rest = after;
            let used = run(&mut self.framing, &self.held, false, each);
            self.let_go(used);
        }
        if self.held.is_empty() {
            let used = run(&mut self.framing, rest, false, each);
            self.hold(rest.get(used..).unwrap_or_default());
        }
    }

    /// The connection ended: what is left is a message too.
    pub fn finish(&mut self, each: &mut dyn FnMut(Message<'_>)) {
        run(&mut self.framing, &self.held, true, each);
        self.held = Vec::new();
    }

    /// Nothing came for a while: a message that is whole by its count, and held only because the
    /// count is doubtful, is taken at its word.
    pub fn settle(&mut self, each: &mut dyn FnMut(Message<'_>)) {
        if self.framing.doubts(self.held.len()) {
            self.framing.believe();
            let used = run(&mut self.framing, &self.held, false, each);
            self.let_go(used);
        }
    }

    /// There is no memory for what is held of an unfinished message: it is given out, cut and
    /// marked, and the rest of it is passed over.
    pub fn give_up(&mut self, each: &mut dyn FnMut(Message<'_>)) {
        if let Some(message) = self.framing.give_up(&self.held) {
            each(message);
            self.held = Vec::new();
        }
    }

    /// Bytes held of an unfinished message; at most the limit and a few more.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Octet counts that did not fit what followed.
    pub fn lies(&self) -> u64 {
        self.framing.lies()
    }

    fn wanted(&self, rest: &[u8]) -> usize {
        match self.framing.missing(self.held.len()) {
            Some(missing) => missing,
            None => {
                let room = self.framing.most().saturating_sub(self.held.len());
                let rest = rest.get(..room).unwrap_or(rest);
                memchr2(b'\n', 0, rest).map_or(rest.len(), |end| end + 1)
            }
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        let needed = self.held.len() + bytes.len();
        if needed > self.held.capacity() {
            // Doubled as usual, but never past what the longest message takes.
            let doubled = (self.held.capacity() * 2).min(self.framing.most());
            self.held.reserve_exact(doubled.max(needed) - self.held.len());
        }
        self.held.extend_from_slice(bytes);
    }

    fn let_go(&mut self, used: usize) {
        self.held.drain(..used.min(self.held.len()));
        if self.held.is_empty() && self.held.capacity() > IDLE_ROOM {
            self.held = Vec::new();
        }
    }
}

/// Gives out every message at the front of `bytes`; how many bytes are done with.
fn run(
    framing: &mut Framing,
    bytes: &[u8],
    ended: bool,
    each: &mut dyn FnMut(Message<'_>),
) -> usize {
    let mut used = 0;
    loop {
        let window = bytes.get(used..).unwrap_or_default();
        if window.is_empty() {
            return used;
        }
        match framing.step(window, ended) {
            Step::Wait { used: more } => return used + more,
            Step::On { used: more, message } => {
                used += more;
                if let Some(message) = message {
                    each(message);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
