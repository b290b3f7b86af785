//! Messages by a bot of Telegram: <https://core.telegram.org/bots/api>.
//!
//! The message about an alert is changed when the alert does, and a change that should call people
//! is answered besides. What need not call is sent without a sound.

use std::fmt::Write as _;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::channel::Channel;
use crate::destination::{Authority, parse_url};
use crate::file::ChannelFile;
use crate::message::{Memory, Message};
use crate::neutral::{html, inert, visible};
use crate::outline::Outline;
use crate::secret::SecretText;
use crate::send::{Answer, Client, Post, SendError, retry_after};

const API: &str = "https://api.telegram.org";
/// Characters of a message, as UTF-16 counts them; Telegram counts after taking the markup away.
const MAX_MESSAGE: usize = 4096;
const MAX_HEADLINE: usize = 300;
const MAX_TEXT: usize = 1200;
const MAX_LINE: usize = 250;
const MAX_EXAMPLE: usize = 600;
const MAX_LINK: usize = 1000;
const MAX_CHAT: usize = 64;
const MAX_TOKEN: usize = 128;
const MAX_REASON: usize = 200;

/// A chat and the bot that writes to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Telegram {
    api: String,
    token: SecretText,
    chat: String,
    authority: Option<Authority>,
}

impl Telegram {
    /// Reads the keys of this type.
    pub(crate) fn check(file: &mut ChannelFile) -> Result<Telegram, String> {
        let token = file.token()?.ok_or("`token` is missing")?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b":_-".contains(&byte);
        if token.0.is_empty() || token.0.len() > MAX_TOKEN || !token.0.bytes().all(is_token) {
            return Err("`token` is no token of a Telegram bot".to_owned());
        }
        let chat = file.chat.take().ok_or("`chat` is missing")?;
        let number = chat.strip_prefix('-').unwrap_or(&chat);
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = chat.strip_prefix('@').is_some_and(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        if chat.len() > MAX_CHAT || !(is_number || is_name) {
            return Err("`chat` must be a number or the @name of a channel".to_owned());
        }
        let api = file.api.take().unwrap_or_else(|| API.to_owned());
        parse_url("api", &api)?;
        let api = api.trim_end_matches('/').to_owned();
        Ok(Telegram { api, token, chat, authority: file.authority()? })
    }

    /// Sends a message, or changes the one that stands there.
    pub(crate) fn send(
        &self,
        client: &Client,
        channel: &Channel,
        message: &Message,
        memory: Option<&Memory>,
    ) -> Result<Option<Memory>, SendError> {
        let text = render(message);
        if let (true, Some(Memory::Telegram { chat, message: id })) = (message.continues(), memory)
        {
            let change = json!({ "chat_id": chat, "message_id": id });
            let answer = self.call(client, channel, "editMessageText", &text, change)?;
            // Also where the text is what it was, which Telegram calls an error.
            let gone = match self.judge(&answer) {
                Ok(_) => false,
                Err(_) if answer.body.contains("message is not modified") => false,
                Err(error) if error.retryable => return Err(error),
                Err(_) => true,
            };
            if !gone {
                if message.is_loud() {
                    let parent = json!({ "message_id": id, "allow_sending_without_reply": true });
                    let reply = json!({ "chat_id": chat, "reply_parameters": parent });
                    self.judge(&self.call(client, channel, "sendMessage", &text, reply)?)?;
                }
                return Ok(memory.cloned());
            }
        }
        let quiet = !message.is_loud();
        let new = json!({ "chat_id": self.chat, "disable_notification": quiet });
        let answer = self.judge(&self.call(client, channel, "sendMessage", &text, new)?)?;
        let id = answer.pointer("/result/message_id").and_then(Value::as_i64);
        let memory = id.map(|message| Memory::Telegram { chat: self.chat.clone(), message });
        Ok(memory.filter(|_| message.about().is_some()))
    }

    fn call(
        &self,
        client: &Client,
        channel: &Channel,
        method: &str,
        text: &str,
        more: Value,
    ) -> Result<Answer, SendError> {
        let mut document = json!({
            "text": text,
            "parse_mode": "HTML",
            "link_preview_options": { "is_disabled": true },
        });
        if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
            document.extend(more);
        }
        let url = format!("{}/bot{}/{method}", self.api, self.token.0).parse();
        client.exchange(Post {
            method: Method::POST,
            url: url.map_err(|_| SendError::last("`api` and `token` make no URL"))?,
            headers: Vec::new(),
            content_type: "application/json",
            body: document.to_string(),
            authority: self.authority.as_ref(),
            timeout: channel.timeout(),
        })
    }

    /// What Telegram answered, or why it refused.
    fn judge(&self, answer: &Answer) -> Result<Value, SendError> {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if answer.status.is_success() && body.get("ok") == Some(&Value::Bool(true)) {
            return Ok(body);
        }
        if answer.status.is_success() {
            return Err(SendError::passing("the answer is none of Telegram's"));
        }
        let reason = body.get("description").and_then(Value::as_str).unwrap_or_default();
        // A proxy may repeat the address, and the token is part of it.
        let secret = self.token.0.rsplit(':').next().unwrap_or_default();
        let reason = if reason.contains(secret) { "" } else { reason };
        let mut error = answer.error(&visible(reason, MAX_REASON));
        let asked = body.pointer("/parameters/retry_after").and_then(Value::as_u64);
        error.retry_after = asked.map(retry_after).or(error.retry_after);
        Err(error)
    }
}

/// The text of a message in Telegram's HTML, of at most [`MAX_MESSAGE`] characters with its markup.
pub(crate) fn render(message: &Message) -> String {
    let outline = Outline::of(message);
    let escaped = |text: &str, limit: usize| html(&inert(text, limit), limit);
    let mut text = Bounded { text: String::new(), left: MAX_MESSAGE };
    let link = outline.link.as_deref().map(|url| {
        format!("\n<a href=\"{}\">Open in Bergfried</a>", html(&visible(url, MAX_LINK), MAX_LINK))
    });
    text.left -= link.as_deref().map_or(0, units).min(MAX_MESSAGE / 2);
    text.line(&format!("<b>{}</b>", escaped(&outline.headline, MAX_HEADLINE)));
    if outline.text != outline.headline {
        text.line(&escaped(&outline.text, MAX_TEXT));
    }
    for (name, value) in &outline.facts {
        text.line(&format!("<i>{}</i>: {}", escaped(name, 60), escaped(value, MAX_LINE)));
    }
    let mut more = outline.more;
    for item in &outline.items {
        if !text.line(&format!("• {}", escaped(&item.headline, MAX_LINE))) {
            more = more.saturating_add(1);
        }
    }
    if more > 0 {
        text.line(&format!("and {more} more"));
    }
    if !outline.example.is_empty() {
        text.line(&format!("<code>{}</code>", escaped(&outline.example, MAX_EXAMPLE)));
    }
    text.line(&format!("<i>{}</i>", escaped(&outline.origin, MAX_LINE)));
    // Writing to a String cannot fail.
    let _infallible = write!(text.text, "{}", link.unwrap_or_default());
    text.text
}

/// A text of whole lines that fit; no markup is cut.
struct Bounded {
    text: String,
    left: usize,
}

impl Bounded {
    /// Adds a line; false where there is no room for it.
    fn line(&mut self, line: &str) -> bool {
        let needed = units(line) + 1;
        if needed > self.left {
            return false;
        }
        self.left -= needed;
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        true
    }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}
