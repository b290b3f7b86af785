//! A connection that ends when its client stops taking what is written to it.
//!
//! A client that asks and never reads would otherwise keep its place among the connections, and what
//! was prepared for it, for as long as the kernel's keepalive finds it alive: for ever.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::time::{Instant, Sleep};

/// A stream whose writes fail once nothing could be written for some time.
pub(super) struct Patience<S> {
    stream: S,
    patience: Duration,
    /// Wakes the connection when the patience ends.
    end: Pin<Box<Sleep>>,
    /// Whether something waits to be written.
    waits: bool,
}

impl<S> Patience<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Patience<S> {
        Patience { stream, patience, end: Box::pin(tokio::time::sleep(patience)), waits: false }
    }

    /// Passes on what a write came to; one that has to wait begins to use up the patience.
    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = false;
            return written;
        }
        if !self.waits {
            self.waits = true;
            self.end.as_mut().reset(Instant::now() + self.patience);
        }
        ready!(self.end.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing")))
    }
}

impl<S: Read + Unpin> Read for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: Write + Unpin> Write for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judge(context, shut)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.judge(context, written)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use hyper_util::rt::TokioIo;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    async fn write(stream: &mut Patience<TokioIo<tokio::io::DuplexStream>>) -> io::Result<usize> {
        poll_fn(|context| Pin::new(&mut *stream).poll_write(context, b"12345678")).await
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_given_up() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut stream = Patience::new(TokioIo::new(near), Duration::from_millis(50));
        assert_eq!(write(&mut stream).await.unwrap(), 8);
        let began = Instant::now();
        assert_eq!(write(&mut stream).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= Duration::from_millis(50));

        // What is read makes room, and the patience begins anew.
        far.read_exact(&mut [0; 8]).await.unwrap();
        assert_eq!(write(&mut stream).await.unwrap(), 8);
        assert_eq!(write(&mut stream).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_slow_client_that_reads_keeps_its_connection() {
        let (near, mut far) = tokio::io::duplex(8);
        let patience = Duration::from_millis(50);
        let mut stream = Patience::new(TokioIo::new(near), patience);
        assert_eq!(write(&mut stream).await.unwrap(), 8);
        let began = Instant::now();
        while began.elapsed() < 4 * patience {
            let waits = poll_fn(|context| {
                Poll::Ready(Pin::new(&mut stream).poll_write(context, b"12345678").is_pending())
            });
            assert!(waits.await);
            tokio::time::sleep(patience / 4).await;
            far.read_exact(&mut [0; 1]).await.unwrap();
            assert_eq!(write(&mut stream).await.unwrap(), 1);
        }
    }
}
