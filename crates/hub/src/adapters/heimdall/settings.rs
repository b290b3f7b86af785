//! `/alert-config`: what Heimdall's dashboard may set, kept in the control store.
//!
//! The threshold, the quiet hours and the switch act on what Heimdall itself has for people: the
//! channels and routes that the environment asks for (`TELEGRAM_BOT_TOKEN`). Channels of the hub's
//! own configuration are its administrator's and are not touched: the key is on every host.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{RawQuery, State as Shared};
use axum::routing::{get, post};
use axum::{Json, Router};
use bergfried_control::{AuditChange, Control, ControlError, NewAudit, TokenInfo};
use bergfried_event::Severity;
use bergfried_notify::Kind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kept;
use super::key::Keyholder;
use crate::adapters::detail::Detail;
use crate::adapters::query::{missing, no_bool, parameter, read_bool, whole_number};
use crate::error::{ApiError, blocking};
use crate::router::State;
use crate::running::now;
use crate::telling::Wishes;

/// Under which name the control store keeps them.
const KEPT: &str = "heimdall.alert_config";
/// The severity that is shown until one is set.
const THRESHOLD: u8 = 4;
/// A week: a host that is awaited for longer is awaited by nobody.
const MAX_MINUTES: i64 = 7 * 24 * 60;

/// What was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AlertConfig {
    /// The least severity that is told, in Heimdall's numbers; none: as the environment says.
    severity_threshold: Option<u8>,
    /// After how many minutes a host counts as inactive, where a request does not say.
    pub(crate) inactive_threshold_minutes: u32,
    enable_alerts: bool,
    quiet_hours: Option<String>,
}

impl Default for AlertConfig {
    fn default() -> Self {
        AlertConfig {
            severity_threshold: None,
            inactive_threshold_minutes: 15,
            enable_alerts: true,
            quiet_hours: None,
        }
    }
}

impl AlertConfig {
    /// What it means for the channels that the environment asks for.
    pub(crate) fn wishes(&self) -> Wishes {
        let index = self.severity_threshold.map(|number| usize::from(number).saturating_sub(1));
        Wishes {
            off: !self.enable_alerts,
            least: index.and_then(|index| Severity::ALL.get(index).copied()),
            quiet_hours: self.quiet_hours.clone(),
        }
    }
}

/// What was set, in memory and in the control store.
#[derive(Debug, Default)]
pub(crate) struct Settings(Mutex<AlertConfig>);

impl Settings {
    /// What an earlier process kept.
    ///
    /// # Errors
    /// Where the control store cannot be read.
    pub(crate) fn load(control: &Control) -> Result<Settings, ControlError> {
        Ok(Settings(Mutex::new(kept(control, KEPT)?)))
    }

    pub(crate) fn now(&self) -> AlertConfig {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes it, durably and then in effect.
    fn change(
        &self,
        state: &State,
        who: &TokenInfo,
        change: impl FnOnce(&mut AlertConfig),
    ) -> Result<AlertConfig, ApiError> {
        // Held over the write, so that no change is lost to another at the same time.
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = held.clone();
        change(&mut changed);
        let text = serde_json::to_string(&changed).map_err(|error| ApiError::internal(&error))?;
        state.control.set_setting(KEPT, &text)?;
        let who = format!("{} {}", who.kind, who.name);
        let change = AuditChange::between(&*held, &changed)?;
        let (action, target) = ("heimdall.alert-config".to_owned(), String::new());
        state.control.append_audits(&[NewAudit { who, action, target, change }], now())?;
        *held = changed.clone();
        state.telling.wish(changed.wishes());
        Ok(changed)
    }
}

pub(super) fn routes() -> Router<State> {
    Router::new()
        .route("/alert-config", get(show))
        .route("/alert-config/severity-threshold", post(set_threshold))
        .route("/alert-config/inactive-threshold", post(set_inactive))
        .route("/alert-config/quiet-hours", post(set_quiet_hours))
        .route("/alert-config/enable", post(enable))
}

async fn show(_key: Keyholder, Shared(state): Shared<State>) -> Json<Value> {
    let config = state.heimdall.settings.now();
    Json(document(&state, &config))
}

async fn set_threshold(
    Keyholder(who): Keyholder,
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Detail> {
    let number = number(query.as_deref(), "threshold", 1, 5, "Severity threshold")?;
    set(state, who, move |config| config.severity_threshold = u8::try_from(number).ok()).await
}

async fn set_inactive(
    Keyholder(who): Keyholder,
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Detail> {
    let minutes = number(query.as_deref(), "minutes", 1, MAX_MINUTES, "Inactive threshold")?;
    let minutes = u32::try_from(minutes).map_err(|error| ApiError::internal(&error))?;
    set(state, who, move |config| config.inactive_threshold_minutes = minutes).await
}

async fn set_quiet_hours(
    Keyholder(who): Keyholder,
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Detail> {
    let given = parameter(query.as_deref(), "quiet_hours")
        .ok_or_else(|| Detail::unprocessable(vec![missing("quiet_hours")]))?;
    let hours = match given.trim() {
        "" | "none" => None,
        hours if are_hours(hours) => Some(hours.to_owned()),
        _ => {
            let expected = "Quiet hours must be HH:MM-HH:MM from 00:00 to 23:59, beginning and \
                            ending at different times; empty ends them";
            return Err(Detail::bad_request(expected));
        }
    };
    set(state, who, move |config| config.quiet_hours = hours).await
}

async fn enable(
    Keyholder(who): Keyholder,
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Detail> {
    let given = parameter(query.as_deref(), "enabled")
        .ok_or_else(|| Detail::unprocessable(vec![missing("enabled")]))?;
    let enabled =
        read_bool(&given).ok_or_else(|| Detail::unprocessable(vec![no_bool("enabled", &given)]))?;
    set(state, who, move |config| config.enable_alerts = enabled).await
}

async fn set(
    state: State,
    who: TokenInfo,
    change: impl FnOnce(&mut AlertConfig) + Send + 'static,
) -> Result<Json<Value>, Detail> {
    let document = blocking(move || {
        let shared = Arc::clone(&state.heimdall);
        let config = shared.settings.change(&state, &who, change)?;
        Ok(document(&state, &config))
    });
    Ok(Json(document.await?))
}

fn document(state: &State, config: &AlertConfig) -> Value {
    let channels = state.telling.channels();
    json!({
        "success": true,
        "config": {
            "severity_threshold": config.severity_threshold.unwrap_or(THRESHOLD),
            "inactive_threshold_minutes": config.inactive_threshold_minutes,
            "check_interval_seconds": 60,
            "enable_alerts": config.enable_alerts,
            "quiet_hours": config.quiet_hours,
            "telegram_configured": channels.iter().any(|one| one.kind() == Kind::Telegram),
        },
    })
}

/// A number: 422 where it is none, 400 with the range where it is out of it.
fn number(
    query: Option<&str>,
    name: &str,
    least: i64,
    most: i64,
    what: &str,
) -> Result<i64, Detail> {
    let given = parameter(query, name).ok_or_else(|| Detail::unprocessable(vec![missing(name)]))?;
    let number = whole_number(name, &given).map_err(|wrong| Detail::unprocessable(vec![wrong]))?;
    match number {
        number if (least..=most).contains(&number) => Ok(number),
        _ => Err(Detail::bad_request(&format!("{what} must be between {least} and {most}"))),
    }
}

/// Whether a text is `22:00-07:00`.
fn are_hours(text: &str) -> bool {
    let is_time = |text: &str| {
        let digits = |text: &str, below: u8| {
            text.len() == 2
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && text.parse::<u8>().is_ok_and(|number| number < below)
        };
        text.split_once(':').is_some_and(|(hour, minute)| digits(hour, 24) && digits(minute, 60))
    };
    text.split_once('-').is_some_and(|(from, to)| is_time(from) && is_time(to) && from != to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_two_times_of_a_day() {
        for (text, good) in [
            ("22:00-07:00", true),
            ("00:00-23:59", true),
            ("22:00-22:00", false),
            ("24:00-07:00", false),
            ("22:60-07:00", false),
            ("22-7", false),
            ("22:00", false),
            ("2:00-7:00", false),
            ("+2:00-07:00", false),
            ("22:00-07:00-08:00", false),
        ] {
            assert_eq!(are_hours(text), good, "{text}");
        }
    }

    #[test]
    fn what_was_set_outlives_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let control = Control::open(&directory.path().join("control.db")).unwrap();
        assert_eq!(Settings::load(&control).unwrap().now(), AlertConfig::default());
        let set = AlertConfig { severity_threshold: Some(2), ..AlertConfig::default() };
        control.set_setting(KEPT, &serde_json::to_string(&set).unwrap()).unwrap();
        let kept = Settings::load(&control).unwrap().now();
        assert_eq!(kept, set);
        assert_eq!(kept.wishes().least, Some(Severity::Low));
        control.set_setting(KEPT, "{}").unwrap();
        assert_eq!(Settings::load(&control).unwrap().now(), AlertConfig::default());
    }
}
