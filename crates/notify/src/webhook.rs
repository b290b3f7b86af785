//! A message for any server that takes a document over HTTP: ours, or one of a template.
//!
//! With a secret each body is signed, so that the receiver knows who sent it and when:
//! `X-Bergfried-Signature: sha256=<hex>` is the HMAC-SHA-256 (RFC 2104) over the value of
//! `X-Bergfried-Timestamp` (seconds since 1970), a full stop and the body. A receiver that refuses
//! old times and ids of `X-Bergfried-Delivery` that it knows cannot be fooled by a replay.

use bergfried_event::Timestamp;
use ring::hmac;
use ureq::http::{HeaderName, HeaderValue, Method};

use crate::channel::Channel;
use crate::destination::{Authority, Destination};
use crate::document::document;
use crate::file::ChannelFile;
use crate::message::Message;
use crate::secret::{SecretText, from_file};
use crate::send::{Client, Post, SendError};
use crate::template::Template;

const JSON: &str = "application/json; charset=utf-8";
const MIN_SECRET: usize = 16;

/// A server, and what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Webhook {
    destination: Destination,
    method: Method,
    content_type: String,
    body: Option<Template>,
    secret: Option<SecretText>,
    authority: Option<Authority>,
}

impl Webhook {
    /// Reads the keys of this type.
    pub(crate) fn check(file: &mut ChannelFile) -> Result<Webhook, String> {
        let url = file.url()?.ok_or("missing field `url`")?;
        let headers = file.headers()?;
        let method = match file.method.take().as_deref() {
            None | Some("POST") => Method::POST,
            Some("PUT") => Method::PUT,
            Some("PATCH") => Method::PATCH,
            Some(_) => return Err("`method` must be `POST`, `PUT` or `PATCH`".to_owned()),
        };
        let content_type = file.content_type.take().unwrap_or_else(|| JSON.to_owned());
        if content_type.parse::<HeaderValue>().is_err() || !content_type.contains('/') {
            return Err("`content_type` is no media type".to_owned());
        }
        let body = match (file.body.take(), file.body_file.take()) {
            (None, None) => None,
            (Some(text), None) => Some(Template::new("body", text, &content_type)?),
            (None, Some(path)) => {
                let text = from_file("body_file", &path)?;
                Some(
                    Template::new(&path.display().to_string(), text, &content_type)
                        .map_err(|problem| format!("`body_file`: {problem}"))?,
                )
            }
            (Some(_), Some(_)) => return Err("`body` and `body_file` exclude each other".into()),
        };
        if body.is_none() && content_type != JSON {
            return Err("`content_type` goes with `body` or `body_file`".to_owned());
        }
        let secret = file.signing_secret()?;
        if secret.as_ref().is_some_and(|secret| secret.0.len() < MIN_SECRET) {
            return Err(format!("`secret` must have at least {MIN_SECRET} bytes"));
        }
        let destination = Destination::new(&url, &headers)?;
        let authority = file.authority()?;
        Ok(Webhook { destination, method, content_type, body, secret, authority })
    }

    /// Sends a message; nothing where the template makes nothing of it.
    pub(crate) fn send(
        &self,
        client: &Client,
        channel: &Channel,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), SendError> {
        let delivery = message.delivery(channel.name());
        let body = match &self.body {
            None => document(message).to_string(),
            Some(template) => template.render(message, &delivery).map_err(SendError::last)?,
        };
        if body.trim().is_empty() {
            return Ok(());
        }
        let mut headers = self.destination.headers().to_vec();
        let mut ours = vec![("x-bergfried-delivery", delivery.clone())];
        if let Some(secret) = &self.secret {
            let time = now.micros().div_euclid(Timestamp::SECOND).to_string();
            ours.push(("x-bergfried-signature", signature(secret, &time, &body)));
            ours.push(("x-bergfried-timestamp", time));
        }
        for (name, value) in ours {
            let value = HeaderValue::try_from(value);
            let value = value.map_err(|_| SendError::last("the request could not be formed"))?;
            headers.push((HeaderName::from_static(name), value));
        }
        let answer = client.exchange(Post {
            method: self.method.clone(),
            url: self.destination.url(&delivery),
            headers,
            content_type: &self.content_type,
            body,
            authority: self.authority.as_ref(),
            timeout: channel.timeout(),
        })?;
        // The server may repeat our address or headers, so nothing of its answer is shown.
        if answer.status.is_success() { Ok(()) } else { Err(answer.error("")) }
    }
}

fn signature(secret: &SecretText, time: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.0.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(time.as_bytes());
    context.update(b".");
    context.update(body.as_bytes());
    let tag = context.sign();
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

#[cfg(test)]
mod tests;
