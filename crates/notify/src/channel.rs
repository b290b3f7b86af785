//! A channel: a named place to tell of alerts, checked.

use std::time::Duration;

use bergfried_event::{Severity, Timestamp};
use serde::Deserialize;

use crate::email::Email;
use crate::exec::Exec;
use crate::file::ChannelFile;
use crate::message::{Message, Test};
use crate::secret::SecretText;
use crate::slack::Slack;
use crate::telegram::Telegram;
use crate::webhook::Webhook;

/// A kind of channel, by its word in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Slack, over an incoming webhook or with a bot's token.
    Slack,
    /// Mail over SMTP.
    Email,
    /// A bot of Telegram.
    Telegram,
    /// Any server that takes a document over HTTP.
    Webhook,
    /// A program on the hub's machine.
    Exec,
}

impl Kind {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Slack => "slack",
            Kind::Email => "email",
            Kind::Telegram => "telegram",
            Kind::Webhook => "webhook",
            Kind::Exec => "exec",
        }
    }
}

/// A named place to tell of alerts.
///
/// Read from a `[[notify]]` table with the keys `name` (1 to 64 letters, digits, `.`, `_`, `-`),
/// `type`, `min_severity` (`medium` unless given), `timeout_seconds` (1 to 60, 10 unless given) and
/// those of its type: see docs/notify.md.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ChannelFile")]
pub struct Channel {
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) min_severity: Severity,
    pub(crate) timeout: Duration,
}

/// Where a channel leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Slack(Slack),
    Email(Box<Email>),
    Telegram(Telegram),
    Webhook(Box<Webhook>),
    Exec(Exec),
}

impl Channel {
    /// The Slack channel that `WATCHTOWER_WEBHOOK_URL` or `SLACK_WEBHOOK_URL` asks for; it is told
    /// of alerts of every severity, as Watchtower told of every login.
    ///
    /// # Errors
    /// [`ChannelError`] where the URL or the name will not do.
    pub fn from_webhook_url(name: &str, url: &str) -> Result<Channel, ChannelError> {
        let url = Some(SecretText(url.to_owned()));
        let file = ChannelFile { url, ..ChannelFile::new(name, Kind::Slack) };
        Channel::try_from(ChannelFile { min_severity: Severity::Informational, ..file })
    }

    /// The channel that `TELEGRAM_BOT_TOKEN` and `TELEGRAM_CHAT_ID` ask for.
    ///
    /// # Errors
    /// [`ChannelError`] where the token, the chat or the name will not do.
    pub fn from_telegram(
        name: &str,
        token: &str,
        chat: &str,
        min_severity: Severity,
    ) -> Result<Channel, ChannelError> {
        Channel::try_from(ChannelFile {
            token: Some(SecretText(token.to_owned())),
            chat: Some(chat.to_owned()),
            min_severity,
            ..ChannelFile::new(name, Kind::Telegram)
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        match &self.target {
            Target::Slack(_) => Kind::Slack,
            Target::Email(_) => Kind::Email,
            Target::Telegram(_) => Kind::Telegram,
            Target::Webhook(_) => Kind::Webhook,
            Target::Exec(_) => Kind::Exec,
        }
    }

    /// The least severity that it wants to hear of.
    pub fn min_severity(&self) -> Severity {
        self.min_severity
    }

    /// How long one attempt may take from the first to the last byte; of SMTP, how long each step of
    /// the dialogue may.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The message of `bergfried notify test NAME`.
    pub fn test_message(&self, now: Timestamp) -> Message {
        Message::Test(Test { channel: self.name.clone(), time: now })
    }
}

/// What is wrong with a channel's configuration; holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use notification channel `{}`: {reason}", name.escape_debug())]
pub struct ChannelError {
    /// The channel's name.
    pub name: String,
    /// What is wrong with it; it names the key first.
    pub reason: String,
}

#[cfg(test)]
mod tests;
