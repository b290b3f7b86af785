//! RELP, the reliable event logging protocol, version 0 (as librelp speaks it) and 1 (as its
//! specification of 2014 names it): what a server reads and answers.
//!
//! [`Reader`] takes frames out of the bytes of a connection, [`Session`] says for each what to do,
//! and `write_…` build what is sent. A server's connection is:
//!
//! 1. [`Reader::push`] what was read; for every frame [`Session::take`].
//! 2. [`Action::Store`]: store the message; once it is durable, send [`write_stored`] of its number.
//!    Answers may go out in any order.
//! 3. [`Action::Reply`]: send the bytes. [`Action::Close`]: once everything before is answered, send
//!    the bytes and close.
//! 4. On a [`Fault`], of the reader or the session, or when the server stops: send
//!    [`SERVER_CLOSE`], close. What was not answered comes again on the next connection.

mod frame;
mod reader;
mod session;

pub use frame::{
    Command, Frame, SERVER_CLOSE, next_number, status, write_frame, write_refused, write_stored,
};
pub use reader::Reader;
pub use session::{Action, Session};

/// The most bytes of data that a frame may announce; a message over the reader's own limit and up to
/// this is cut.
pub const MOST_DATA: usize = 16 * 1024 * 1024;

/// Why a connection cannot go on. The peer is at fault; it sends again what was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes are no frame.
    #[error("cannot read a frame of RELP: {0}")]
    NoFrame(&'static str),
    /// A frame announces more than [`MOST_DATA`].
    #[error("cannot take a frame of RELP of {0} bytes")]
    TooLong(usize),
    /// A command came before `open`, or `open` came twice, or something came after `close`.
    #[error("cannot take the command `{0}` of RELP here")]
    OutOfPlace(&'static str),
    /// A frame does not have the number after the one before.
    #[error("cannot take frame {got} of RELP, expected {expected}")]
    OutOfSequence {
        /// The number that comes next.
        expected: u32,
        /// The number that came.
        got: u32,
    },
}

#[cfg(test)]
mod tests;
