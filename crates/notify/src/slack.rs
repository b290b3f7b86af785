//! Messages for Slack, in Block Kit, over an incoming webhook or with a bot's token.
//!
//! A webhook can only post. With a token the message about an alert is changed when the alert does,
//! and a change that should call people is answered in its thread besides.
//!
//! Everything that comes from a log goes into `plain_text` objects, which know no formatting, links
//! or mentions, and is escaped besides. The one `mrkdwn` object is the link to the console.
//! Limits: <https://docs.slack.dev/reference/block-kit/blocks>.

use serde_json::{Value, json};
use ureq::http::header::AUTHORIZATION;
use ureq::http::{HeaderValue, Method};

use crate::channel::Channel;
use crate::destination::{Authority, Destination, parse_url};
use crate::file::ChannelFile;
use crate::message::{Memory, Message};
use crate::neutral::slack;
use crate::outline::Outline;
use crate::send::{Answer, Client, Post, SendError};

const MAX_HEADER: usize = 150;
const MAX_TEXT: usize = 3000;
const MAX_FIELD: usize = 2000;
const MAX_FIELDS: usize = 10;
/// Slack takes 2000 characters a field; a name that long helps nobody.
const MAX_FIELD_LABEL: usize = 60;
const MAX_FIELD_VALUE: usize = 300;
const MAX_EXAMPLE: usize = 1000;
/// So that all of them fit one text.
const MAX_ITEMS: usize = 20;
const MAX_ITEM: usize = 140;

const API: &str = "https://slack.com/api";
const MAX_CHANNEL: usize = 80;
const MAX_REASON: usize = 64;
const JSON: &str = "application/json; charset=utf-8";
/// What Slack answers where the message that should be changed cannot be.
const GONE: [&str; 4] =
    ["message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"];
/// What Slack answers where the same request may do later.
const PASSING: [&str; 6] = [
    "ratelimited",
    "rate_limited",
    "internal_error",
    "fatal_error",
    "request_timeout",
    "service_unavailable",
];

/// A place in Slack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slack {
    way: Way,
    authority: Option<Authority>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Hook(Destination),
    Bot { api: String, authorization: HeaderValue, channel: String },
}

impl Slack {
    /// Reads the keys of this type.
    pub(crate) fn check(file: &mut ChannelFile) -> Result<Slack, String> {
        let (url, token) = (file.url()?, file.token()?);
        let way = match (url, token) {
            (Some(url), None) => {
                if file.channel.is_some() || file.api.is_some() {
                    let key = if file.channel.is_some() { "channel" } else { "api" };
                    return Err(format!("`{key}` goes with `token`, not with `url`"));
                }
                Way::Hook(Destination::new(&url, &Default::default())?)
            }
            (None, Some(token)) => {
                let channel = file.channel.take().ok_or("`channel` is missing")?;
                if channel.is_empty() || channel.len() > MAX_CHANNEL {
                    return Err(format!("`channel` must have 1 to {MAX_CHANNEL} bytes"));
                }
                let api = file.api.take().unwrap_or_else(|| API.to_owned());
                parse_url("api", &api)?;
                let bearer = format!("Bearer {}", token.0);
                let mut authorization: HeaderValue =
                    bearer.parse().map_err(|_| "`token` is no token".to_owned())?;
                authorization.set_sensitive(true);
                Way::Bot { api: api.trim_end_matches('/').to_owned(), authorization, channel }
            }
            (Some(_), Some(_)) => return Err("`url` and `token` exclude each other".to_owned()),
            (None, None) => return Err("missing field `url` (or `token` and `channel`)".to_owned()),
        };
        Ok(Slack { way, authority: file.authority()? })
    }

    /// Posts a message, or changes the one that stands there.
    pub(crate) fn send(
        &self,
        client: &Client,
        channel: &Channel,
        message: &Message,
        memory: Option<&Memory>,
    ) -> Result<Option<Memory>, SendError> {
        let document = self::message(message);
        let (api, authorization, to) = match &self.way {
            Way::Hook(destination) => {
                let answer = client.exchange(Post {
                    method: Method::POST,
                    url: destination.url(""),
                    headers: destination.headers().to_vec(),
                    content_type: JSON,
                    body: document.to_string(),
                    authority: self.authority.as_ref(),
                    timeout: channel.timeout(),
                })?;
                return match answer.status.is_success() {
                    true => Ok(None),
                    false => Err(answer.error(reason(&answer.body))),
                };
            }
            Way::Bot { api, authorization, channel } => (api, authorization, channel),
        };
        let call = |method: &str, more: Value| {
            let mut document = document.clone();
            if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
                document.extend(more);
            }
            let url = format!("{api}/{method}").parse();
            let answer = client.exchange(Post {
                method: Method::POST,
                url: url.map_err(|_| SendError::last("`api` is no URL"))?,
                headers: vec![(AUTHORIZATION, authorization.clone())],
                content_type: JSON,
                body: document.to_string(),
                authority: self.authority.as_ref(),
                timeout: channel.timeout(),
            })?;
            judge(&answer)
        };
        if let (true, Some(Memory::Slack { channel, ts })) = (message.continues(), memory) {
            match call("chat.update", json!({ "channel": channel, "ts": ts }))? {
                Said::Done { .. } => {
                    if message.is_loud() {
                        let reply =
                            json!({ "channel": channel, "thread_ts": ts, "reply_broadcast": true });
                        call("chat.postMessage", reply)?.done()?;
                    }
                    return Ok(memory.cloned());
                }
                Said::Gone(_) => {}
            }
        }
        let (channel, ts) = call("chat.postMessage", json!({ "channel": to }))?.done()?;
        Ok(message.about().map(|_| Memory::Slack { channel, ts }))
    }
}

/// What Slack made of a call that it understood.
enum Said {
    Done {
        channel: String,
        ts: String,
    },
    /// There is nothing to change any more.
    Gone(String),
}

impl Said {
    fn done(self) -> Result<(String, String), SendError> {
        match self {
            Said::Done { channel, ts } => Ok((channel, ts)),
            Said::Gone(reason) => Err(SendError::last(format!("Slack answered {reason}"))),
        }
    }
}

/// Slack answers 200 also where it refuses.
fn judge(answer: &Answer) -> Result<Said, SendError> {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let error = text("error");
    let reason = reason(&error);
    if !answer.status.is_success() {
        return Err(answer.error(reason));
    }
    if body.get("ok") == Some(&Value::Bool(true)) {
        return Ok(Said::Done { channel: text("channel"), ts: text("ts") });
    }
    if GONE.contains(&reason) {
        return Ok(Said::Gone(reason.to_owned()));
    }
    // No answer of Slack's at all may come from a proxy that has a bad day.
    let retryable = body.get("ok").is_none() || PASSING.contains(&reason);
    let reason = if reason.is_empty() { "what is no answer of Slack" } else { reason };
    let message = format!("Slack answered {reason}");
    Err(SendError { retryable, retry_after: answer.retry_after, message })
}

/// Slack's reasons are single words such as `invalid_payload` and `no_service`; any other text may
/// repeat our address.
fn reason(text: &str) -> &str {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if text.len() <= MAX_REASON && text.bytes().all(is_word) { text } else { "" }
}

/// The message, with what the two ways of posting share.
pub(crate) fn message(message: &Message) -> Value {
    let outline = Outline::of(message);
    let mut document = plain(&outline.summary);
    // A test is one line, so that it also tells whether a bare text arrives.
    if !matches!(message, Message::Test(_))
        && let Some(document) = document.as_object_mut()
    {
        document.insert("blocks".to_owned(), Value::Array(blocks(&outline)));
    }
    document
}

/// A message of one text; also what a notification on a phone shows of a message with blocks.
fn plain(text: &str) -> Value {
    json!({
        "text": filled(text, MAX_TEXT),
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn blocks(outline: &Outline) -> Vec<Value> {
    let section = |text: Value| json!({ "type": "section", "text": text });
    let mut blocks = vec![
        json!({ "type": "header", "text": plain_text(&outline.headline, MAX_HEADER) }),
        section(plain_text(&outline.text, MAX_TEXT)),
    ];
    if !outline.facts.is_empty() {
        let facts = outline.facts.iter().take(MAX_FIELDS);
        let fields: Vec<Value> = facts.map(|(label, value)| field(label, value)).collect();
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    if !outline.items.is_empty() {
        blocks.push(section(raw_text(&list(outline))));
    }
    if !outline.example.is_empty() {
        blocks.push(section(plain_text(&outline.example, MAX_EXAMPLE)));
    }
    blocks.push(context(outline));
    blocks
}

/// The alerts of a message about several, one in a line.
fn list(outline: &Outline) -> String {
    let shown = outline.items.iter().take(MAX_ITEMS);
    let mut lines: Vec<String> =
        shown.map(|item| format!("• {}", slack(&item.headline, MAX_ITEM))).collect();
    let left = outline.items.len().saturating_sub(MAX_ITEMS) as u64;
    let more = outline.more.saturating_add(left);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

fn field(label: &str, value: &str) -> Value {
    // The line break is ours, so it must not pass through the neutraliser.
    raw_text(&format!("{}\n{}", slack(label, MAX_FIELD_LABEL), slack(value, MAX_FIELD_VALUE)))
}

fn context(outline: &Outline) -> Value {
    let mut elements = vec![plain_text(&outline.origin, MAX_FIELD)];
    if let Some(url) = &outline.link {
        elements.push(json!({ "type": "mrkdwn", "text": link(url), "verbatim": true }));
    }
    json!({ "type": "context", "elements": elements })
}

fn plain_text(text: &str, limit: usize) -> Value {
    raw_text(&filled(text, limit))
}

/// Text that was escaped before.
fn raw_text(escaped: &str) -> Value {
    json!({ "type": "plain_text", "text": escaped, "emoji": false })
}

/// Escaped text; Slack refuses an empty one.
fn filled(text: &str, limit: usize) -> String {
    if text.is_empty() { "-".to_owned() } else { slack(text, limit) }
}

/// A link to our own console; its address comes from the configuration, not from a log.
fn link(url: &str) -> String {
    let escaped =
        url.replace('&', "&amp;").replace('<', "%3C").replace('>', "%3E").replace('|', "%7C");
    format!("<{escaped}|Open in Bergfried>")
}

#[cfg(test)]
mod tests;
