//! What comes through a channel, as the body of an answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use tokio::sync::mpsc::Receiver;

/// The receiving end of a channel, as a stream of body chunks.
pub(crate) struct Lines(Receiver<Bytes>);

impl Lines {
    pub(crate) fn new(receiver: Receiver<Bytes>) -> Lines {
        Lines(receiver)
    }
}

impl futures_core::Stream for Lines {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|line| line.map(Ok))
    }
}
