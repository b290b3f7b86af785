//! Sends a message over its channel; the one place that touches the network for HTTP.

use std::io;
use std::time::Duration;

use bergfried_event::Timestamp;
use ureq::http::header::{CONTENT_TYPE, RETRY_AFTER};
use ureq::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};

use crate::channel::{Channel, Target};
use crate::destination::Authority;
use crate::message::{Memory, Message};
use crate::neutral::visible;

/// Bytes of an answer that are read; the rest is none of our business.
const MAX_ANSWER: u64 = 64 * 1024;
const MAX_ANSWER_HEADERS: usize = 16 * 1024;
/// A server cannot put us off for longer.
const MAX_RETRY_AFTER: u64 = 3600;
const MAX_REASON: usize = 200;

/// Sends for all channels; it keeps HTTP connections open between messages.
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

impl SendError {
    /// What will not get better by itself.
    pub(crate) fn last(message: impl Into<String>) -> SendError {
        SendError { retryable: false, retry_after: None, message: message.into() }
    }

    /// What may get better.
    pub(crate) fn passing(message: impl Into<String>) -> SendError {
        SendError { retryable: true, retry_after: None, message: message.into() }
    }
}

/// One HTTP request.
pub(crate) struct Post<'a> {
    pub(crate) method: Method,
    pub(crate) url: Uri,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content_type: &'a str,
    pub(crate) body: String,
    pub(crate) authority: Option<&'a Authority>,
    pub(crate) timeout: Duration,
}

/// What a server said.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    /// The body where it is a short text, else empty.
    pub(crate) body: String,
}

impl Answer {
    /// The error that the status is; `reason` may say more.
    pub(crate) fn error(&self, reason: &str) -> SendError {
        let status = self.status;
        let mut message = format!("the server answered {}", status.as_u16());
        if status.is_redirection() {
            message.push_str(", and redirects are not followed");
        }
        if !reason.is_empty() {
            message.push_str(": ");
            message.push_str(reason);
        }
        let retryable = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
        SendError { retryable, retry_after: self.retry_after, message }
    }
}

/// A number of seconds that a server asks to be left alone.
pub(crate) fn retry_after(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(MAX_RETRY_AFTER))
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

    /// Sends one message; blocks for at most the channel's timeout, or some of them where the
    /// channel has several things to say or its protocol has several steps.
    ///
    /// `memory` is what this function last gave back for the same channel and alert
    /// ([`Message::about`]); what it gives back now takes its place, nothing where the channel does
    /// not want to be reminded. `now` is the time of the attempt.
    ///
    /// Any 2xx is success. A failed connection, a timeout, 408, 425, 429 and every 5xx may be
    /// retried; other answers, redirects among them, will not get better by themselves.
    pub fn send(
        &self,
        channel: &Channel,
        message: &Message,
        memory: Option<&Memory>,
        now: Timestamp,
    ) -> Result<Option<Memory>, SendError> {
        match &channel.target {
            Target::Slack(slack) => slack.send(self, channel, message, memory),
            Target::Email(email) => email.send(channel, message, memory, now).map(Some),
            Target::Telegram(telegram) => telegram.send(self, channel, message, memory),
            Target::Webhook(webhook) => webhook.send(self, channel, message, now).map(|()| None),
            Target::Exec(exec) => exec.send(channel, message).map(|()| None),
        }
    }

    /// Sends a request and reads the answer, whatever its status.
    pub(crate) fn exchange(&self, post: Post<'_>) -> Result<Answer, SendError> {
        let mut request = Request::builder()
            .method(post.method)
            .uri(post.url)
            .header(CONTENT_TYPE, post.content_type);
        for (name, value) in &post.headers {
            request = request.header(name, value);
        }
        let unformed = |_| SendError::last("the request could not be formed");
        let request = request.body(post.body).map_err(unformed)?;
        let mut config = self.agent.configure_request(request).timeout_global(Some(post.timeout));
        if let Some(authority) = post.authority {
            config = config.tls_config(authority.tls());
        }
        let answer = self.agent.run(config.build());
        let mut answer = answer.map_err(|error| transport_error(&error, post.timeout))?;
        let after = answer.headers().get(RETRY_AFTER).and_then(|value| {
            let seconds: u64 = value.to_str().ok()?.trim().parse().ok()?;
            Some(retry_after(seconds))
        });
        // Read also after success, so that the connection can be used again.
        let body = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
        let status = answer.status();
        Ok(Answer { status, retry_after: after, body: body.unwrap_or_default() })
    }
}

/// Says what failed in our own words: the text of some errors holds the URL.
fn transport_error(error: &ureq::Error, timeout: Duration) -> SendError {
    let (retryable, message) = match error {
        ureq::Error::Timeout(_) => (true, format!("no answer within {} s", timeout.as_secs())),
        ureq::Error::Io(cause) if cause.kind() == io::ErrorKind::TimedOut => {
            (true, format!("no answer within {} s", timeout.as_secs()))
        }
        // So TLS says what it makes of a certificate; the text names at most the host.
        ureq::Error::Io(cause) if cause.kind() == io::ErrorKind::InvalidData => {
            let cause = visible(&cause.to_string(), MAX_REASON);
            (true, format!("the TLS connection failed: {cause}"))
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
