//! What a client is told, in the order of what it sent.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bergfried_syslog::relp::write_stored;
use tokio::io::AsyncWrite;

/// How many answers may be due before nothing more is read.
const DUE: usize = 8_192;
/// How many bytes of answers may wait to be written before nothing more is read.
const WAITING: usize = 256 << 10;

/// An answer that is due once everything before it was given.
#[derive(Debug)]
enum Due {
    /// To the message of this number, once it is durable.
    Stored(u32),
    /// At once.
    Reply(Vec<u8>),
}

/// The answers of one connection.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    due: VecDeque<Due>,
    /// How many messages are durable, of those that are due.
    durable: usize,
    out: Vec<u8>,
    /// How much of `out` is written.
    written: usize,
}

impl Answers {
    /// A message came; the next that becomes durable after those before.
    pub(crate) fn expect(&mut self, txnr: u32) {
        self.due.push_back(Due::Stored(txnr));
    }

    /// Something to be said after everything that is due already.
    pub(crate) fn reply(&mut self, bytes: &[u8]) {
        self.due.push_back(Due::Reply(bytes.to_vec()));
        self.advance();
    }

    /// So many further messages are durable.
    pub(crate) fn durable(&mut self, messages: usize) {
        self.durable += messages;
        self.advance();
    }

    /// Something to be said whatever is due still.
    pub(crate) fn last(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Whether everything is said.
    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty() && self.out.is_empty()
    }

    /// Whether the client reads its answers well enough to be read itself.
    pub(crate) fn has_room(&self) -> bool {
        self.due.len() < DUE && self.out.len() < WAITING
    }

    fn advance(&mut self) {
        while let Some(due) = self.due.pop_front() {
            match due {
                Due::Stored(txnr) if self.durable > 0 => {
                    self.durable -= 1;
                    write_stored(&mut self.out, txnr);
                }
                Due::Reply(bytes) => self.out.extend_from_slice(&bytes),
                not_yet => {
                    self.due.push_front(not_yet);
                    return;
                }
            }
        }
    }

    /// Writes what can be said; ready once all of it is on its way, pending where there is none.
    pub(crate) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.out.is_empty() {
            return Poll::Pending;
        }
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut *stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        ready!(Pin::new(stream).poll_flush(context))?;
        self.written = 0;
        // An idle connection holds no buffer.
        self.out = Vec::new();
        Poll::Ready(Ok(()))
    }

    /// Writes what can be said, then ends the writing side.
    pub(crate) fn poll_all<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.out.is_empty() {
            ready!(self.poll_write(stream, context))?;
        }
        Pin::new(stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_go_out_in_order_once_they_are_due() {
        let mut answers = Answers::default();
        let mut said = Vec::new();
        answers.reply(b"1 rsp 0\n");
        answers.expect(2);
        answers.expect(3);
        answers.reply(b"4 rsp 0\n");
        for (durable, expected) in
            [(0, "1 rsp 0\n"), (1, "2 rsp 6 200 OK\n"), (1, "3 rsp 6 200 OK\n4 rsp 0\n")]
        {
            answers.durable(durable);
            said.clear();
            std::future::poll_fn(|context| answers.poll_write(&mut said, context)).await.unwrap();
            assert_eq!(std::str::from_utf8(&said), Ok(expected));
        }
        assert!(answers.is_empty() && answers.has_room());
        (0..DUE).for_each(|_| answers.expect(1));
        assert!(!answers.has_room());
    }
}
