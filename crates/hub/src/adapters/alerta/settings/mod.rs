//! What the owner of the hub decides about Alerta's API, under the names that Alerta gives it.

mod keys;
mod read;
mod words;

use std::num::NonZeroU64;
use std::path::Path;

use bergfried_alert::Settings;
use bergfried_control::Secret;
use regex::Regex;
use serde_json::{Map, Value, json};

pub use keys::SettingsError;

/// The settings of Alerta's API.
#[derive(Clone, Debug)]
pub struct AlertaSettings {
    /// The life of alerts.
    pub alert: Settings,
    pub(crate) auth: Auth,
    pub(crate) proxy: Option<Proxy>,
    /// What is taken from senders.
    pub(crate) policy: Policy,
    /// How the browser's part looks.
    pub(crate) look: Look,
    /// How the API is reached, in front of paths in links; empty: as the request came.
    pub(crate) base_url: String,
    /// Origins whose pages may use the API.
    pub(crate) cors_origins: Vec<String>,
    /// How many things a page of a list has, where the request does not say.
    pub(crate) default_page_size: usize,
    /// What Slack signs its requests with; none: they are taken unsigned.
    pub(crate) slack_signing_secret: Option<Secret>,
    /// Where the API is besides `/api`: a path without a slash at its end; empty: the root.
    pub(crate) prefix: Option<String>,
    /// How many alerts a sender may send in a second; none: as many as they like.
    pub(crate) max_alerts_per_second: Option<NonZeroU64>,
    /// Whether a file said all this.
    pub(crate) from_file: bool,
}

/// Who may use the API.
#[derive(Clone, Debug)]
pub(crate) struct Auth {
    /// Whether a request must say whose it is.
    pub(crate) required: bool,
    /// Whether one that does not may read.
    pub(crate) allow_readonly: bool,
    pub(crate) readonly_scopes: Vec<String>,
    pub(crate) signup_enabled: bool,
    pub(crate) email_verification: bool,
    /// Whether everyone sees the alerts of their own customers only.
    pub(crate) customer_views: bool,
    pub(crate) admin_users: Vec<String>,
    pub(crate) admin_roles: Vec<String>,
    pub(crate) user_roles: Vec<String>,
    pub(crate) guest_roles: Vec<String>,
    pub(crate) default_admin_role: String,
    pub(crate) default_user_role: String,
    pub(crate) default_guest_role: String,
    pub(crate) user_scopes: Vec<String>,
    pub(crate) guest_scopes: Vec<String>,
    pub(crate) custom_scopes: Vec<String>,
    /// `delete:` scopes that `write:` does not include.
    pub(crate) delete_scopes: Vec<String>,
    pub(crate) email_domains: Vec<String>,
    pub(crate) realm: String,
    pub(crate) token_days: u32,
    pub(crate) key_days: u32,
    /// What tokens are signed with; none: a random key that the hub keeps.
    pub(crate) secret_key: Option<Secret>,
    /// Whom tokens are for; empty: the base URL.
    pub(crate) client_id: String,
}

/// A proxy that has authenticated the user.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) user_header: String,
    pub(crate) roles_header: String,
    pub(crate) roles_separator: String,
    pub(crate) auto_signup: bool,
    pub(crate) logout_url: Option<String>,
    /// From where its headers are believed.
    pub(crate) trusted: Vec<ipnet::IpNet>,
}

/// What is taken from senders.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// The parts of the way in that run, by their names in Alerta.
    pub(crate) plugins: Vec<String>,
    /// Each matches a whole environment.
    pub(crate) allowed_environments: Vec<Pattern>,
    /// Each matches origins that are refused.
    pub(crate) origin_blacklist: Vec<Pattern>,
    /// Seconds that a blackout lasts, where its maker does not say.
    pub(crate) blackout_duration: u32,
}

/// An expression and what it was written as.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) text: String,
    /// Anchored at both ends where it has to match the whole.
    pub(crate) regex: Regex,
}

/// How the web page looks: handed to it as it is.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) colors: Value,
    pub(crate) columns: Vec<String>,
    pub(crate) sort_by: Value,
    pub(crate) filter: Value,
    pub(crate) indicators: Value,
    pub(crate) actions: Value,
    pub(crate) dates: [String; 3],
    pub(crate) font: Value,
    pub(crate) audio: Option<String>,
    pub(crate) logo: String,
    /// What the page copies of an alert; nothing: the whole of it.
    pub(crate) clipboard: String,
    /// Milliseconds between two looks at the list.
    pub(crate) refresh: u32,
}

impl AlertaSettings {
    /// Reads a file of Alerta's settings in JSON.
    ///
    /// Settings that belong to parts that there are not here are logged by name and change nothing.
    ///
    /// # Errors
    /// Where the file cannot be read, is no JSON object, or a setting has a wrong type or value.
    pub fn read(path: &Path) -> Result<AlertaSettings, SettingsError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| SettingsError::new(&file, format!("cannot read it: {error}")))?;
        Self::parse(&text, &file)
    }

    /// Reads the text of a file of this name.
    ///
    /// # Errors
    /// As [`AlertaSettings::read`].
    pub fn parse(text: &str, file: &str) -> Result<AlertaSettings, SettingsError> {
        let map: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            SettingsError::new(file, format!("expected a JSON object: {error}"))
        })?;
        read::read(map, file)
    }

    /// Serves the API under this path too, `/` for the root.
    ///
    /// # Errors
    /// Where it is no path, or one that other parts of the hub have.
    pub fn serve_under(&mut self, prefix: &str) -> Result<(), SettingsError> {
        let refused = |why: &str| {
            Err(SettingsError::new(&format!("--alerta-prefix {}", prefix.escape_debug()), why))
        };
        let path = prefix.trim_end_matches('/');
        if !path.is_empty() && !path.starts_with('/') {
            return refused("expected a path that begins with `/`");
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let good =
            |part: &str| !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain);
        if path.len() > 200 || !path.split('/').skip(1).all(good) {
            return refused("expected a path of letters, digits and `-._~` between single slashes");
        }
        if path == "/api/v1" || path.starts_with("/api/v1/") {
            return refused("the hub's own API is there, choose another path");
        }
        self.prefix = (path != "/api").then(|| path.to_owned());
        Ok(())
    }

    /// Takes so many alerts of each sender in a second, and no more.
    pub fn limit_rate(&mut self, most: Option<NonZeroU64>) {
        self.max_alerts_per_second = most;
    }

    /// The settings that are no secrets, by name.
    pub(crate) fn shown(&self) -> Vec<(&'static str, Value)> {
        let (auth, alert) = (&self.auth, &self.alert);
        let patterns = |patterns: &[Pattern]| -> Value {
            patterns.iter().map(|pattern| json!(pattern.text)).collect()
        };
        vec![
            ("ACK_TIMEOUT", json!(alert.ack_timeout)),
            ("ADMIN_ROLES", json!(auth.admin_roles)),
            ("ADMIN_USERS", json!(auth.admin_users)),
            ("ALARM_MODEL", json!(alert.model.name)),
            ("ALERT_TIMEOUT", json!(alert.alert_timeout)),
            ("ALLOWED_EMAIL_DOMAINS", json!(auth.email_domains)),
            ("ALLOWED_ENVIRONMENTS", patterns(&self.policy.allowed_environments)),
            ("ALLOW_READONLY", json!(auth.allow_readonly)),
            ("API_KEY_EXPIRE_DAYS", json!(auth.key_days)),
            ("AUTH_PROXY", json!(self.proxy.is_some())),
            ("AUTH_REQUIRED", json!(auth.required)),
            ("BASE_URL", json!(self.base_url)),
            ("BLACKOUT_ACCEPT", json!(alert.blackout_accept)),
            ("BLACKOUT_DURATION", json!(self.policy.blackout_duration)),
            ("CORS_ORIGINS", json!(self.cors_origins)),
            ("CUSTOMER_VIEWS", json!(auth.customer_views)),
            ("CUSTOM_SCOPES", json!(auth.custom_scopes)),
            ("DEFAULT_ENVIRONMENT", json!(alert.default_environment)),
            ("DEFAULT_PAGE_SIZE", json!(self.default_page_size)),
            ("DELETE_EXPIRED_AFTER", json!(alert.delete_expired_after)),
            ("DELETE_INFO_AFTER", json!(alert.delete_info_after)),
            ("DELETE_SCOPES", json!(auth.delete_scopes)),
            ("HEARTBEAT_EVENTS", json!(alert.heartbeat_events)),
            ("HEARTBEAT_MAX_LATENCY", json!(alert.heartbeat_max_latency)),
            ("HEARTBEAT_TIMEOUT", json!(alert.heartbeat_timeout)),
            ("HISTORY_LIMIT", json!(alert.history_limit)),
            ("NOTIFICATION_BLACKOUT", json!(alert.notification_blackout)),
            ("ORIGIN_BLACKLIST", patterns(&self.policy.origin_blacklist)),
            ("PLUGINS", json!(self.policy.plugins)),
            ("SHELVE_TIMEOUT", json!(alert.shelve_timeout)),
            ("SIGNUP_ENABLED", json!(auth.signup_enabled)),
            ("TOKEN_EXPIRE_DAYS", json!(auth.token_days)),
            ("USER_ROLES", json!(auth.user_roles)),
        ]
    }

    /// Whom tokens are for.
    pub(crate) fn audience(&self) -> &str {
        match (self.auth.client_id.as_str(), self.base_url.as_str()) {
            ("", "") => "/api",
            ("", url) => url,
            (id, _) => id,
        }
    }

    /// Whether a part of the way in runs that Alerta calls a plugin.
    pub(crate) fn runs(&self, plugin: &str) -> bool {
        self.policy.plugins.iter().any(|name| name == plugin)
    }
}

impl Default for AlertaSettings {
    /// What holds without a file: a key is asked for, and everything is taken from who has one.
    fn default() -> Self {
        let mut settings = words::originals();
        settings.auth.required = true;
        settings.auth.signup_enabled = false;
        settings.policy.plugins.retain(|plugin| plugin != "reject");
        settings
    }
}

#[cfg(test)]
mod tests;
