//! A channel: a named place to tell of alerts, as a person writes it in the configuration.
//!
//! ```toml
//! [[notify]]
//! name = "ops"
//! type = "slack"
//! url = "https://hooks.slack.com/services/…"
//! min_severity = "medium"
//! timeout_seconds = 10
//!
//! [[notify]]
//! name = "tickets"
//! type = "webhook"
//! url = "https://tickets.example/hook"
//! headers = { Authorization = "Bearer …" }
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use bergfried_alert::{Alert, Outcome};
use bergfried_event::{Severity, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::destination::{Destination, SecretText};
use crate::{slack, webhook};

const MAX_NAME: usize = 64;
const MAX_TIMEOUT_SECONDS: u64 = 60;

/// A kind of channel, by its word in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A Slack incoming webhook.
    Slack,
    /// Any server that takes our JSON document.
    Webhook,
}

/// One `[[notify]]` table as a person wrote it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelFile {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
    url: SecretText,
    #[serde(default = "default_min_severity")]
    min_severity: Severity,
    #[serde(default = "default_timeout_seconds")]
    timeout_seconds: u64,
    #[serde(default)]
    headers: BTreeMap<String, SecretText>,
}

fn default_min_severity() -> Severity {
    Severity::Medium
}

fn default_timeout_seconds() -> u64 {
    10
}

/// A named place to tell of alerts.
///
/// Read from a `[[notify]]` table with the keys `name` (1 to 64 letters, digits, `.`, `_`, `-`),
/// `type` (`slack` or `webhook`), `url`, `min_severity` (`medium` unless given), `timeout_seconds`
/// (1 to 60, 10 unless given) and, for a webhook, `headers`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ChannelFile")]
pub struct Channel {
    name: String,
    kind: Kind,
    destination: Destination,
    min_severity: Severity,
    timeout: Duration,
}

/// What is wrong with a channel's configuration; holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use notification channel `{}`: {reason}", name.escape_debug())]
pub struct ChannelError {
    /// The channel's name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

impl TryFrom<ChannelFile> for Channel {
    type Error = ChannelError;

    fn try_from(file: ChannelFile) -> Result<Self, Self::Error> {
        let checked = check(&file);
        match checked {
            Ok(destination) => Ok(Channel {
                name: file.name,
                kind: file.kind,
                destination,
                min_severity: file.min_severity,
                timeout: Duration::from_secs(file.timeout_seconds),
            }),
            Err(reason) => Err(ChannelError { name: file.name, reason }),
        }
    }
}

fn check(file: &ChannelFile) -> Result<Destination, String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if file.name.is_empty() || file.name.len() > MAX_NAME || !file.name.bytes().all(is_name) {
        return Err(format!("`name` must be 1 to {MAX_NAME} letters, digits, `.`, `_` or `-`"));
    }
    if !(1..=MAX_TIMEOUT_SECONDS).contains(&file.timeout_seconds) {
        return Err(format!("`timeout_seconds` must be from 1 to {MAX_TIMEOUT_SECONDS}"));
    }
    if file.kind == Kind::Slack && !file.headers.is_empty() {
        return Err("`headers` is for `type = \"webhook\"`".to_owned());
    }
    Destination::new(&file.url, &file.headers)
}

/// A message, ready to send: one JSON document.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload(pub(crate) Value);

impl Payload {
    /// The document.
    pub fn json(&self) -> &Value {
        &self.0
    }
}

impl Channel {
    /// The Slack channel that `WATCHTOWER_WEBHOOK_URL` or `SLACK_WEBHOOK_URL` asks for; it is told
    /// of alerts of every severity, as Watchtower told of every login.
    ///
    /// # Errors
    /// [`ChannelError`] where the URL or the name will not do.
    pub fn from_webhook_url(name: &str, url: &str) -> Result<Channel, ChannelError> {
        Channel::try_from(ChannelFile {
            name: name.to_owned(),
            kind: Kind::Slack,
            url: SecretText(url.to_owned()),
            min_severity: Severity::Informational,
            timeout_seconds: default_timeout_seconds(),
            headers: BTreeMap::new(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The least severity that it wants to hear of.
    pub fn min_severity(&self) -> Severity {
        self.min_severity
    }

    /// Where its messages go.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// How long one attempt may take from the first to the last byte.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The message about a change of an alert.
    ///
    /// `console_url` is the address under which people reach the hub; with it the message links to
    /// the alert, at `<console_url>/alerts/<id>`.
    pub fn render(&self, alert: &Alert, change: Outcome, console_url: Option<&str>) -> Payload {
        let url =
            console_url.map(|base| format!("{}/alerts/{}", base.trim_end_matches('/'), alert.id));
        Payload(match self.kind {
            Kind::Slack => slack::message(alert, change, url.as_deref()),
            Kind::Webhook => webhook::document(alert, change, url.as_deref()),
        })
    }

    /// The message of `bergfried notify test NAME`.
    pub fn test_message(&self, now: Timestamp) -> Payload {
        let text = format!(
            "Test message from Bergfried for the notification channel {}, sent at {now}",
            self.name
        );
        Payload(match self.kind {
            Kind::Slack => slack::plain(&text),
            Kind::Webhook => webhook::test(&text, now),
        })
    }
}

#[cfg(test)]
mod tests;
