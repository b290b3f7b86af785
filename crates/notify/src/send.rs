//! Posts a message over HTTP.

use std::io;
use std::time::Duration;

use ureq::http::StatusCode;
use ureq::http::header::{CONTENT_TYPE, RETRY_AFTER};

use crate::channel::{Channel, Kind, Payload};

/// Bytes of an answer that are read; the rest is none of our business.
const MAX_ANSWER: u64 = 1024;
const MAX_ANSWER_HEADERS: usize = 16 * 1024;
/// A server cannot put us off for longer.
const MAX_RETRY_AFTER: u64 = 3600;
const MAX_REASON: usize = 64;

/// An HTTP client for all channels; it keeps connections open between messages.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
}

/// Why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// Whether the same message may get through later.
    pub retryable: bool,
    /// How long the server asked to be left alone, at most an hour.
    pub retry_after: Option<Duration>,
    /// What happened, without the URL or any other secret.
    pub message: String,
}

impl Default for Client {
    fn default() -> Self {
        Client::new()
    }
}

impl Client {
    /// A client that follows no redirect: a webhook's address is a secret to keep from other hosts.
    pub fn new() -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(MAX_ANSWER_HEADERS)
            .user_agent(concat!("bergfried/", env!("CARGO_PKG_VERSION")))
            .build();
        Client { agent: config.into() }
    }

    /// Posts one message; blocks for at most the channel's timeout.
    ///
    /// Any 2xx is success. A failed connection, a timeout, 408, 425, 429 and every 5xx may be
    /// retried; other answers, redirects among them, will not get better by themselves.
    pub fn send(&self, channel: &Channel, payload: &Payload) -> Result<(), SendError> {
        let destination = channel.destination();
        let mut request = self
            .agent
            .post(destination.url())
            .header(CONTENT_TYPE, "application/json; charset=utf-8");
        for (name, value) in destination.headers() {
            request = request.header(name, value);
        }
        let body = payload.json().to_string();
        let mut response = request
            .config()
            .timeout_global(Some(channel.timeout()))
            .build()
            .send(&body)
            .map_err(|error| transport_error(&error, channel.timeout()))?;
        let status = response.status();
        // Read also after success, so that the connection can be used again.
        let answer = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
        if status.is_success() {
            return Ok(());
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| {
            let seconds: u64 = value.to_str().ok()?.trim().parse().ok()?;
            Some(Duration::from_secs(seconds.min(MAX_RETRY_AFTER)))
        });
        // Slack names the fault in its answer. Any other server may repeat our address or headers.
        let reason = match (channel.kind(), answer) {
            (Kind::Slack, Ok(answer)) => answer,
            _ => String::new(),
        };
        Err(status_error(status, retry_after, &reason))
    }
}

fn status_error(status: StatusCode, retry_after: Option<Duration>, reason: &str) -> SendError {
    let retryable = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
    let mut message = format!("the server answered {}", status.as_u16());
    if status.is_redirection() {
        message.push_str(", and redirects are not followed");
    }
    // Slack's reasons are single words such as `invalid_payload` and `no_service`.
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if !reason.is_empty() && reason.len() <= MAX_REASON && reason.bytes().all(is_word) {
        message.push_str(": ");
        message.push_str(reason);
    }
    SendError { retryable, retry_after, message }
}

/// Says what failed in our own words: the text of some errors holds the URL.
fn transport_error(error: &ureq::Error, timeout: Duration) -> SendError {
    let (retryable, message) = match error {
        ureq::Error::Timeout(_) => (true, format!("no answer within {} s", timeout.as_secs())),
        ureq::Error::Io(cause) if cause.kind() == io::ErrorKind::TimedOut => {
            (true, format!("no answer within {} s", timeout.as_secs()))
        }
        ureq::Error::Io(cause) => (true, format!("the connection failed: {}", cause.kind())),
        ureq::Error::HostNotFound => (true, "the host is not known".to_owned()),
        ureq::Error::ConnectionFailed => (true, "the connection failed".to_owned()),
        ureq::Error::Rustls(cause) => (true, format!("the TLS connection failed: {cause}")),
        ureq::Error::ConnectProxyFailed(_) => (true, "the proxy refused".to_owned()),
        ureq::Error::Protocol(_) => (true, "the answer is not valid HTTP".to_owned()),
        ureq::Error::LargeResponseHeader(..) => {
            (false, "the headers of the answer are too long".to_owned())
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            (false, "the request could not be formed".to_owned())
        }
        _ => (true, "the request failed".to_owned()),
    };
    SendError { retryable, retry_after: None, message }
}
