//! A file of settings, key by key.

use bergfried_alert::Model;
use bergfried_control::Secret;
use serde_json::{Map, Value};

use super::keys::{Keys, SettingsError};
use super::{AlertaSettings, words};

/// Settings of Alerta's that have no meaning here, and why; they are no cause for a warning.
const NEEDLESS: &[&str] = &[
    "DATABASE_URL",
    "DATABASE_NAME",
    "DATABASE_RAISE_ON_ERROR",
    "DEBUG",
    "LOG_HANDLERS",
    "LOG_LEVEL",
    "LOG_FILE",
    "LOG_FORMAT",
    "LOG_MAX_BYTES",
    "LOG_BACKUP_COUNT",
    "PLUGINS_RAISE_ON_ERROR",
    "QUERY_LIMIT",
    "TESTING",
];

pub(super) fn read(map: Map<String, Value>, file: &str) -> Result<AlertaSettings, SettingsError> {
    let mut keys = Keys::new(map, file);
    let mut settings = words::originals();
    settings.from_file = true;
    auth(&mut keys, &mut settings)?;
    proxy(&mut keys, &mut settings)?;
    alerts(&mut keys, &mut settings)?;
    model(&mut keys, &mut settings)?;
    policy(&mut keys, &mut settings)?;
    look(&mut keys, &mut settings)?;
    keys.text_into("BASE_URL", &mut settings.base_url)?;
    while settings.base_url.ends_with('/') {
        settings.base_url.pop();
    }
    if let Some(secret) = keys.text("SLACK_SIGNING_SECRET")? {
        if secret.is_empty() {
            return Err(keys.wrong("SLACK_SIGNING_SECRET", "expected a text that is not empty"));
        }
        settings.slack_signing_secret = Some(Secret::new(secret));
    }
    keys.words("CORS_ORIGINS", &mut settings.cors_origins)?;
    keys.number("DEFAULT_PAGE_SIZE", 1, &mut settings.default_page_size)?;
    settings.alert.default_page_size = settings.default_page_size;
    for (key, near) in keys.rest() {
        if NEEDLESS.contains(&key.as_str()) {
            continue;
        }
        let key = key.escape_debug();
        match near {
            Some(near) => tracing::warn!("{file}: {key} changes nothing here, is {near} meant?"),
            None => tracing::warn!("{file}: {key} changes nothing here"),
        }
    }
    Ok(settings)
}

fn auth(keys: &mut Keys<'_>, settings: &mut AlertaSettings) -> Result<(), SettingsError> {
    let auth = &mut settings.auth;
    keys.flag("AUTH_REQUIRED", &mut auth.required)?;
    keys.flag("ALLOW_READONLY", &mut auth.allow_readonly)?;
    keys.words("READONLY_SCOPES", &mut auth.readonly_scopes)?;
    keys.flag("SIGNUP_ENABLED", &mut auth.signup_enabled)?;
    keys.flag("EMAIL_VERIFICATION", &mut auth.email_verification)?;
    keys.flag("CUSTOMER_VIEWS", &mut auth.customer_views)?;
    keys.words("ADMIN_USERS", &mut auth.admin_users)?;
    keys.text_into("DEFAULT_ADMIN_ROLE", &mut auth.default_admin_role)?;
    auth.admin_roles = vec![auth.default_admin_role.clone()];
    keys.words("ADMIN_ROLES", &mut auth.admin_roles)?;
    keys.text_into("DEFAULT_USER_ROLE", &mut auth.default_user_role)?;
    auth.user_roles = vec![auth.default_user_role.clone()];
    keys.words("USER_ROLES", &mut auth.user_roles)?;
    keys.text_into("DEFAULT_GUEST_ROLE", &mut auth.default_guest_role)?;
    auth.guest_roles = vec![auth.default_guest_role.clone()];
    keys.words("GUEST_ROLES", &mut auth.guest_roles)?;
    keys.words("USER_DEFAULT_SCOPES", &mut auth.user_scopes)?;
    keys.words("GUEST_DEFAULT_SCOPES", &mut auth.guest_scopes)?;
    keys.words("CUSTOM_SCOPES", &mut auth.custom_scopes)?;
    keys.words("DELETE_SCOPES", &mut auth.delete_scopes)?;
    keys.words("ALLOWED_EMAIL_DOMAINS", &mut auth.email_domains)?;
    keys.text_into("BASIC_AUTH_REALM", &mut auth.realm)?;
    if !auth.realm.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte)) {
        return Err(keys.wrong("BASIC_AUTH_REALM", "expected printable ASCII without quotes"));
    }
    keys.number("TOKEN_EXPIRE_DAYS", 1, &mut auth.token_days)?;
    keys.number("API_KEY_EXPIRE_DAYS", 1, &mut auth.key_days)?;
    keys.text_into("OAUTH2_CLIENT_ID", &mut auth.client_id)?;
    if let Some(key) = keys.text("SECRET_KEY")? {
        if key.is_empty() {
            return Err(keys.wrong("SECRET_KEY", "expected a text that is not empty"));
        }
        if key == "changeme" || key.len() < 16 {
            tracing::warn!(
                "{}",
                keys.wrong("SECRET_KEY", "it can be guessed, and with it anyone makes tokens")
            );
        }
        auth.secret_key = Some(Secret::new(key));
    }
    if let Some(provider) = keys.text("AUTH_PROVIDER")?
        && provider != "basic"
    {
        return Err(keys.wrong("AUTH_PROVIDER", "expected `basic`, others are not supported here"));
    }
    if auth.customer_views && !auth.required {
        return Err(
            keys.wrong("CUSTOMER_VIEWS", "it needs AUTH_REQUIRED: expected both to be true")
        );
    }
    Ok(())
}

fn proxy(keys: &mut Keys<'_>, settings: &mut AlertaSettings) -> Result<(), SettingsError> {
    let mut on = false;
    let mut proxy = words::proxy();
    keys.flag("AUTH_PROXY", &mut on)?;
    keys.text_into("AUTH_PROXY_USER_HEADER", &mut proxy.user_header)?;
    keys.text_into("AUTH_PROXY_ROLES_HEADER", &mut proxy.roles_header)?;
    keys.text_into("AUTH_PROXY_ROLES_SEPARATOR", &mut proxy.roles_separator)?;
    keys.flag("AUTH_PROXY_AUTO_SIGNUP", &mut proxy.auto_signup)?;
    proxy.logout_url = keys.text("AUTH_PROXY_LOGOUT_URL")?;
    keys.networks("AUTH_PROXY_TRUSTED", &mut proxy.trusted)?;
    if proxy.roles_separator.is_empty() {
        return Err(keys.wrong("AUTH_PROXY_ROLES_SEPARATOR", "expected a text that is not empty"));
    }
    for (key, name) in [
        ("AUTH_PROXY_USER_HEADER", &proxy.user_header),
        ("AUTH_PROXY_ROLES_HEADER", &proxy.roles_header),
    ] {
        if axum::http::HeaderName::try_from(name.as_str()).is_err() {
            return Err(keys.wrong(key, "expected the name of a header"));
        }
    }
    settings.proxy = on.then_some(proxy);
    Ok(())
}

fn alerts(keys: &mut Keys<'_>, settings: &mut AlertaSettings) -> Result<(), SettingsError> {
    let alert = &mut settings.alert;
    keys.number("ALERT_TIMEOUT", 0, &mut alert.alert_timeout)?;
    keys.number("HEARTBEAT_TIMEOUT", 0, &mut alert.heartbeat_timeout)?;
    keys.number("HEARTBEAT_MAX_LATENCY", 0, &mut alert.heartbeat_max_latency)?;
    keys.number("ACK_TIMEOUT", 0, &mut alert.ack_timeout)?;
    keys.number("SHELVE_TIMEOUT", 0, &mut alert.shelve_timeout)?;
    keys.words("HEARTBEAT_EVENTS", &mut alert.heartbeat_events)?;
    keys.number("HISTORY_LIMIT", 1, &mut alert.history_limit)?;
    if alert.history_limit > 10_000 {
        return Err(keys.wrong("HISTORY_LIMIT", "expected at most 10000"));
    }
    keys.flag("HISTORY_ON_VALUE_CHANGE", &mut alert.history_on_value_change)?;
    keys.number("DELETE_EXPIRED_AFTER", 0, &mut alert.delete_expired_after)?;
    keys.number("DELETE_INFO_AFTER", 0, &mut alert.delete_info_after)?;
    keys.flag("NOTIFICATION_BLACKOUT", &mut alert.notification_blackout)?;
    keys.words("BLACKOUT_ACCEPT", &mut alert.blackout_accept)?;
    keys.text_into("DEFAULT_ENVIRONMENT", &mut alert.default_environment)?;
    if alert.default_environment.is_empty() {
        return Err(keys.wrong("DEFAULT_ENVIRONMENT", "expected a text that is not empty"));
    }
    Ok(())
}

fn model(keys: &mut Keys<'_>, settings: &mut AlertaSettings) -> Result<(), SettingsError> {
    let mut model = settings.alert.model.clone();
    if let Some(name) = keys.text("ALARM_MODEL")? {
        let expected = "expected ALERTA or ISA_18_2";
        model = Model::named(&name).ok_or_else(|| keys.wrong("ALARM_MODEL", expected))?;
        if let Some(colors) = settings.look.colors.as_object_mut() {
            colors.insert("severity".to_owned(), words::colors_of(&name));
        }
    }
    let severities = match keys.value("SEVERITY_MAP") {
        None => model.severities.clone(),
        Some(map) => severities(&map).ok_or_else(|| {
            let expected = "expected an object with a code from 0 to 1000 for each severity";
            keys.wrong("SEVERITY_MAP", expected)
        })?,
    };
    let normal = keys.text("DEFAULT_NORMAL_SEVERITY")?;
    let previous = keys.text("DEFAULT_PREVIOUS_SEVERITY")?;
    settings.alert.model = model
        .with_severities(severities, normal.as_deref(), previous.as_deref())
        .map_err(|message| keys.wrong("SEVERITY_MAP", &message))?;
    let (model, accepted) = (&settings.alert.model, &settings.alert.blackout_accept);
    if let Some(word) = accepted.iter().find(|word| model.severity(word).is_err()) {
        let message = format!("`{}` is no severity", word.escape_debug());
        return Err(keys.wrong("BLACKOUT_ACCEPT", &message));
    }
    Ok(())
}

/// The severities of a map and their codes.
fn severities(map: &Value) -> Option<Vec<(String, u16)>> {
    let codes = map.as_object()?.iter().map(|(name, code)| {
        let code = code.as_u64().filter(|code| *code <= 1_000)?;
        Some((name.clone(), u16::try_from(code).ok()?))
    });
    codes.collect()
}

fn policy(keys: &mut Keys<'_>, settings: &mut AlertaSettings) -> Result<(), SettingsError> {
    let policy = &mut settings.policy;
    keys.words("PLUGINS", &mut policy.plugins)?;
    for plugin in &policy.plugins {
        let known =
            ["remote_ip", "reject", "heartbeat", "blackout", "acked_by", "timeout", "forwarder"];
        if !known.contains(&plugin.as_str()) {
            let plugin = plugin.escape_debug();
            tracing::warn!("PLUGINS: there is no `{plugin}` here, it changes nothing");
        }
    }
    let runs = |name: &str| policy.plugins.iter().any(|plugin| plugin == name);
    settings.alert.blackouts = runs("blackout");
    settings.alert.acked_by = runs("acked_by");
    if let Some(destinations) = keys.value("FWD_DESTINATIONS")
        && runs("forwarder")
        && destinations.as_array().is_none_or(|list| !list.is_empty())
    {
        let why = "alerts are not sent on to other servers, the forwarder only knows loops";
        tracing::warn!("{}", keys.wrong("FWD_DESTINATIONS", why));
    }
    keys.patterns("ALLOWED_ENVIRONMENTS", true, &mut policy.allowed_environments)?;
    keys.patterns("ORIGIN_BLACKLIST", false, &mut policy.origin_blacklist)?;
    keys.number("BLACKOUT_DURATION", 1, &mut policy.blackout_duration)?;
    Ok(())
}

fn look(keys: &mut Keys<'_>, settings: &mut AlertaSettings) -> Result<(), SettingsError> {
    let look = &mut settings.look;
    if let Some(map) = keys.value("COLOR_MAP") {
        let (Some(given), Some(colors)) = (map.as_object(), look.colors.as_object_mut()) else {
            return Err(keys.wrong("COLOR_MAP", "expected an object"));
        };
        colors.extend(given.clone());
    }
    keys.words("COLUMNS", &mut look.columns)?;
    let listed = |value: &Value| value.is_array() || value.is_string();
    keys.shaped("SORT_LIST_BY", "a list of fields", listed, &mut look.sort_by)?;
    keys.shaped("DEFAULT_FILTER", "an object", Value::is_object, &mut look.filter)?;
    for (key, part) in [("ASI_SEVERITY", "severity"), ("ASI_QUERIES", "queries")] {
        let slot = look.indicators.get_mut(part);
        if let Some(slot) = slot {
            keys.shaped(key, "a list", Value::is_array, slot)?;
        }
    }
    keys.shaped("ACTIONS", "a list", Value::is_array, &mut look.actions)?;
    let [short, medium, long] = &mut look.dates;
    keys.text_into("DATE_FORMAT_SHORT_TIME", short)?;
    keys.text_into("DATE_FORMAT_MEDIUM_DATE", medium)?;
    keys.text_into("DATE_FORMAT_LONG_DATE", long)?;
    keys.shaped("DEFAULT_FONT", "an object", Value::is_object, &mut look.font)?;
    look.audio = keys.text("DEFAULT_AUDIO_FILE")?;
    keys.text_into("SITE_LOGO_URL", &mut look.logo)?;
    keys.text_into("CLIPBOARD_TEMPLATE", &mut look.clipboard)?;
    keys.number("REFRESH_INTERVAL", 0, &mut look.refresh)
}
