//! Reads past the body of a request that is refused, so that the refusal arrives.
//!
//! A connection that is closed with bytes unread is reset, and a client that was still sending then
//! sees a broken connection where it should see why it was refused. Nothing is kept of what is read,
//! and only so much is read, for only so long.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_core::Stream as _;

/// How long a client may take to send what is passed over.
const TIME: Duration = Duration::from_secs(5);

/// Reads and forgets at most so many bytes of a body.
pub(super) async fn drain(headers: &HeaderMap, body: Body, most: usize) {
    // Such a client waits for a word before it sends anything (RFC 9110, section 10.1.1).
    if headers.contains_key(header::EXPECT) {
        return;
    }
    let mut stream = body.into_data_stream();
    let reading = async {
        let mut passed = 0;
        while passed < most
            && let Some(Ok(bytes)) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await
        {
            passed += bytes.len();
        }
    };
    // A client that is slower than this meets a closed connection.
    let _in_time = tokio::time::timeout(TIME, reading).await;
}
