//! A channel as a person writes it, and what may stand together.
//!
//! ```toml
//! [[notify]]
//! name = "ops"
//! type = "slack"
//! url_file = "/etc/bergfried/slack.url"
//! min_severity = "medium"
//!
//! [[notify]]
//! name = "tickets"
//! type = "webhook"
//! url = "https://tickets.example/hook"
//! headers = { Authorization = { env = "TICKETS_AUTHORIZATION" } }
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bergfried_event::Severity;
use serde::Deserialize;

use crate::channel::{Channel, ChannelError, Kind, Target};
use crate::destination::Authority;
use crate::email::{Email, Security};
use crate::exec::Exec;
use crate::secret::{self, SecretFile, SecretText};
use crate::slack::Slack;
use crate::telegram::Telegram;
use crate::webhook::Webhook;

const MAX_NAME: usize = 64;
const MAX_TIMEOUT_SECONDS: u64 = 60;

/// One `[[notify]]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelFile {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    #[serde(default = "default_min_severity")]
    pub(crate) min_severity: Severity,
    #[serde(default = "default_timeout_seconds")]
    pub(crate) timeout_seconds: u64,
    pub(crate) url: Option<SecretText>,
    pub(crate) url_file: Option<PathBuf>,
    pub(crate) url_env: Option<String>,
    pub(crate) token: Option<SecretText>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) token_env: Option<String>,
    /// Of Slack, with a token.
    pub(crate) channel: Option<String>,
    /// Of Telegram.
    pub(crate) chat: Option<String>,
    /// The base of an API that is not at its usual place.
    pub(crate) api: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) headers: Option<BTreeMap<String, SecretFile>>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) body_file: Option<PathBuf>,
    pub(crate) secret: Option<SecretText>,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) secret_env: Option<String>,
    pub(crate) ca: Option<PathBuf>,
    /// Of mail: `host` or `host:port`.
    pub(crate) server: Option<String>,
    pub(crate) security: Option<Security>,
    pub(crate) allow_plaintext: Option<bool>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<SecretText>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) password_env: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<Vec<String>>,
    pub(crate) hello: Option<String>,
    /// A program and its arguments.
    pub(crate) command: Option<Vec<String>>,
}

fn default_min_severity() -> Severity {
    Severity::Medium
}

fn default_timeout_seconds() -> u64 {
    10
}

impl ChannelFile {
    /// A table with nothing but a name and a type.
    pub(crate) fn new(name: &str, kind: Kind) -> ChannelFile {
        ChannelFile {
            name: name.to_owned(),
            kind,
            min_severity: default_min_severity(),
            timeout_seconds: default_timeout_seconds(),
            url: None,
            url_file: None,
            url_env: None,
            token: None,
            token_file: None,
            token_env: None,
            channel: None,
            chat: None,
            api: None,
            method: None,
            headers: None,
            content_type: None,
            body: None,
            body_file: None,
            secret: None,
            secret_file: None,
            secret_env: None,
            ca: None,
            server: None,
            security: None,
            allow_plaintext: None,
            user: None,
            password: None,
            password_file: None,
            password_env: None,
            from: None,
            to: None,
            hello: None,
            command: None,
        }
    }

    /// Every key that only some types have: whether it is given, and which types have it.
    fn keys(&self) -> [(&'static str, bool, &'static [Kind]); 29] {
        use Kind::{Email, Exec, Slack, Telegram, Webhook};
        const URL: &[Kind] = &[Slack, Webhook];
        const TOKEN: &[Kind] = &[Slack, Telegram];
        [
            ("url", self.url.is_some(), URL),
            ("url_file", self.url_file.is_some(), URL),
            ("url_env", self.url_env.is_some(), URL),
            ("token", self.token.is_some(), TOKEN),
            ("token_file", self.token_file.is_some(), TOKEN),
            ("token_env", self.token_env.is_some(), TOKEN),
            ("channel", self.channel.is_some(), &[Slack]),
            ("chat", self.chat.is_some(), &[Telegram]),
            ("api", self.api.is_some(), TOKEN),
            ("method", self.method.is_some(), &[Webhook]),
            ("headers", self.headers.is_some(), &[Webhook]),
            ("content_type", self.content_type.is_some(), &[Webhook]),
            ("body", self.body.is_some(), &[Webhook]),
            ("body_file", self.body_file.is_some(), &[Webhook]),
            ("secret", self.secret.is_some(), &[Webhook]),
            ("secret_file", self.secret_file.is_some(), &[Webhook]),
            ("secret_env", self.secret_env.is_some(), &[Webhook]),
            ("ca", self.ca.is_some(), &[Slack, Email, Telegram, Webhook]),
            ("server", self.server.is_some(), &[Email]),
            ("security", self.security.is_some(), &[Email]),
            ("allow_plaintext", self.allow_plaintext.is_some(), &[Email]),
            ("user", self.user.is_some(), &[Email]),
            ("password", self.password.is_some(), &[Email]),
            ("password_file", self.password_file.is_some(), &[Email]),
            ("password_env", self.password_env.is_some(), &[Email]),
            ("from", self.from.is_some(), &[Email]),
            ("to", self.to.is_some(), &[Email]),
            ("hello", self.hello.is_some(), &[Email]),
            ("command", self.command.is_some(), &[Exec]),
        ]
    }

    fn check(&mut self) -> Result<Target, String> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if self.name.is_empty() || self.name.len() > MAX_NAME || !self.name.bytes().all(is_name) {
            return Err(format!("`name` must be 1 to {MAX_NAME} letters, digits, `.`, `_` or `-`"));
        }
        if !(1..=MAX_TIMEOUT_SECONDS).contains(&self.timeout_seconds) {
            return Err(format!("`timeout_seconds` must be from 1 to {MAX_TIMEOUT_SECONDS}"));
        }
        for (key, is_given, kinds) in self.keys() {
            if is_given && !kinds.contains(&self.kind) {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                return Err(format!("`{key}` is for the type {}", words.join(" or ")));
            }
        }
        match self.kind {
            Kind::Slack => Slack::check(self).map(Target::Slack),
            Kind::Email => Email::check(self).map(|email| Target::Email(Box::new(email))),
            Kind::Telegram => Telegram::check(self).map(Target::Telegram),
            Kind::Webhook => Webhook::check(self).map(|hook| Target::Webhook(Box::new(hook))),
            Kind::Exec => Exec::check(self).map(Target::Exec),
        }
    }

    /// The secret URL.
    pub(crate) fn url(&mut self) -> Result<Option<SecretText>, String> {
        secret::read("url", self.url.take(), self.url_file.take(), self.url_env.take())
    }

    /// The secret token.
    pub(crate) fn token(&mut self) -> Result<Option<SecretText>, String> {
        secret::read("token", self.token.take(), self.token_file.take(), self.token_env.take())
    }

    /// The secret that bodies are signed with.
    pub(crate) fn signing_secret(&mut self) -> Result<Option<SecretText>, String> {
        secret::read("secret", self.secret.take(), self.secret_file.take(), self.secret_env.take())
    }

    /// The password at a mail server.
    pub(crate) fn password(&mut self) -> Result<Option<SecretText>, String> {
        let (text, file) = (self.password.take(), self.password_file.take());
        secret::read("password", text, file, self.password_env.take())
    }

    /// The headers, with their secrets read.
    pub(crate) fn headers(&mut self) -> Result<BTreeMap<String, SecretText>, String> {
        let headers = self.headers.take().unwrap_or_default();
        let read = |(name, value): (String, SecretFile)| {
            let key = format!("headers.{}", name.escape_debug());
            Ok((name, value.read(&key)?))
        };
        headers.into_iter().map(read).collect()
    }

    /// Who vouches for the server, where it is nobody that is publicly trusted.
    pub(crate) fn authority(&mut self) -> Result<Option<Authority>, String> {
        self.ca.take().map(|path| Authority::read(&path)).transpose()
    }
}

impl TryFrom<ChannelFile> for Channel {
    type Error = ChannelError;

    fn try_from(mut file: ChannelFile) -> Result<Self, Self::Error> {
        match file.check() {
            Ok(target) => Ok(Channel {
                name: file.name,
                target,
                min_severity: file.min_severity,
                timeout: Duration::from_secs(file.timeout_seconds),
            }),
            Err(reason) => Err(ChannelError { name: file.name, reason }),
        }
    }
}
