//! Channels and routes that the environment asks for, by the names of the systems that it replaces.

use std::path::PathBuf;

use bergfried_event::Severity;
use bergfried_hub::TellingFiles;
use bergfried_notify::routing::RouteFile;
use bergfried_notify::{Channel, Thresholds};

const SLACK: &str = "slack";
const TELEGRAM: &str = "telegram";

/// What the environment asks for besides the configuration file; `get` gives the value of a name.
///
/// `WATCHTOWER_WEBHOOK_URL` or `SLACK_WEBHOOK_URL` make the channel `slack`. `TELEGRAM_BOT_TOKEN` and
/// `TELEGRAM_CHAT_ID` make the channel `telegram`: alerts from `ALERT_CRITICAL_THRESHOLD` on are told
/// at once, those from `ALERT_HIGH_THRESHOLD` on grouped over five minutes, and agents that fall silent
/// and come back, the last day, and the hub's start and stop are told too.
pub(crate) fn from_environment(
    config: Option<PathBuf>,
    get: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<TellingFiles> {
    let mut files = TellingFiles { config, ..TellingFiles::default() };
    if let Some(url) = get("WATCHTOWER_WEBHOOK_URL").or_else(|| get("SLACK_WEBHOOK_URL")) {
        files.channels.push(Channel::from_webhook_url(SLACK, &url)?);
    }
    if let (Some(token), Some(chat)) = (get("TELEGRAM_BOT_TOKEN"), get("TELEGRAM_CHAT_ID")) {
        let thresholds = Thresholds::read(get).map_err(anyhow::Error::msg)?;
        files.channels.push(Channel::from_telegram(TELEGRAM, &token, &chat, thresholds.high)?);
        files.routes = telegram(thresholds);
    }
    Ok(files)
}

fn telegram(thresholds: Thresholds) -> Vec<RouteFile> {
    let route = |name: &str| RouteFile {
        name: Some(name.to_owned()),
        channels: vec![TELEGRAM.to_owned()],
        continues: true,
        ..RouteFile::default()
    };
    let zone = jiff::tz::TimeZone::system();
    vec![
        RouteFile {
            when: Some("agent:*".to_owned()),
            min_severity: Some(Severity::Informational),
            ..route("telegram-agents")
        },
        RouteFile {
            min_severity: Some(thresholds.critical),
            daily_report: Some("08:00".to_owned()),
            time_zone: zone.iana_name().map(ToOwned::to_owned),
            hub_status: true,
            ..route("telegram-critical")
        },
        RouteFile {
            min_severity: Some(thresholds.high),
            group_window: Some("5m".to_owned()),
            ..route("telegram-high")
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_before_make_channels_and_routes() {
        let read = |given: &[(&str, &str)]| {
            let find = |name: &str| {
                let found = given.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            from_environment(None, find)
        };
        assert!(read(&[("TELEGRAM_BOT_TOKEN", "1:a")]).unwrap().channels.is_empty());
        let url = "https://hooks.slack.com/services/x";
        assert_eq!(read(&[("SLACK_WEBHOOK_URL", url)]).unwrap().channels[0].name(), "slack");
        let telegram = [("TELEGRAM_BOT_TOKEN", "123456:ABC-DEF1234"), ("TELEGRAM_CHAT_ID", "77")];
        let files = read(&telegram).unwrap();
        assert_eq!(files.channels[0].name(), "telegram");
        let least: Vec<_> = files.routes.iter().map(|route| route.min_severity).collect();
        assert_eq!(
            least,
            [Severity::Informational, Severity::Critical, Severity::Medium].map(Some)
        );
        let mut with = telegram.to_vec();
        with.push(("ALERT_CRITICAL_THRESHOLD", "4"));
        assert_eq!(read(&with).unwrap().routes[1].min_severity, Some(Severity::High));
        with.push(("ALERT_HIGH_THRESHOLD", "many"));
        assert!(read(&with).unwrap_err().to_string().contains("ALERT_HIGH_THRESHOLD"));
    }
}
