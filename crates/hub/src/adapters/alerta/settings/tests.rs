use bergfried_alert::Model;

use super::*;

fn parse(text: &str) -> Result<AlertaSettings, String> {
    AlertaSettings::parse(text, "alerta.json").map_err(|error| error.to_string())
}

#[test]
fn without_a_file_a_key_is_asked_for() {
    let settings = AlertaSettings::default();
    assert!(settings.auth.required && !settings.auth.signup_enabled);
    assert!(!settings.runs("reject") && settings.runs("blackout"));
    assert_eq!(settings.alert.model, Model::alerta());
}

#[test]
fn an_empty_file_means_what_alerta_means() {
    let settings = parse("{}").unwrap();
    assert!(!settings.auth.required && settings.runs("reject"));
    let environments: Vec<_> =
        settings.policy.allowed_environments.iter().map(|pattern| pattern.text.as_str()).collect();
    assert_eq!(environments, ["Production", "Development"]);
    assert_eq!(settings.default_page_size, 50);
    let heartbeat_origin = settings.alert.heartbeat_origin.clone();
    assert!(heartbeat_origin.starts_with("alerta/"), "{heartbeat_origin}");
    let expected = bergfried_alert::Settings { heartbeat_origin, ..Default::default() };
    assert_eq!(settings.alert, expected);
    assert_eq!(settings.audience(), "/api");
}

#[test]
fn every_setting_is_taken() {
    let settings = parse(
        r##"{
        "AUTH_REQUIRED": true, "CUSTOMER_VIEWS": true, "ADMIN_USERS": ["root@example.org"],
        "DEFAULT_ADMIN_ROLE": "ops", "USER_ROLES": ["dev"], "CUSTOM_SCOPES": ["read:reports"],
        "DELETE_SCOPES": ["delete:alerts"], "ALLOWED_EMAIL_DOMAINS": ["example.org"],
        "AUTH_PROXY": true, "AUTH_PROXY_USER_HEADER": "X-User", "AUTH_PROXY_TRUSTED": ["10.0.0.0/8", "::1"],
        "ALERT_TIMEOUT": 60, "HEARTBEAT_TIMEOUT": 61, "ACK_TIMEOUT": 62, "SHELVE_TIMEOUT": 0,
        "HEARTBEAT_EVENTS": ["Beat"], "HISTORY_LIMIT": 7, "DELETE_EXPIRED_AFTER": 1, "DELETE_INFO_AFTER": 0,
        "DEFAULT_PAGE_SIZE": 5, "ALLOWED_ENVIRONMENTS": ["Prod.*"], "DEFAULT_ENVIRONMENT": "Prod1",
        "NOTIFICATION_BLACKOUT": true, "BLACKOUT_ACCEPT": ["fine"], "PLUGINS": ["reject"],
        "SEVERITY_MAP": {"fine": 3, "bad": 1, "information": 2}, "DEFAULT_NORMAL_SEVERITY": "fine",
        "DEFAULT_PREVIOUS_SEVERITY": "information", "COLOR_MAP": {"text": "white"},
        "CORS_ORIGINS": ["https://ui.example.org"], "SECRET_KEY": "0123456789abcdef",
        "BASE_URL": "https://hub.example.org/api/", "DATABASE_URL": "postgres://x", "SLACK_WEBHOOK": 1
        }"##,
    )
    .unwrap();
    assert!(settings.auth.required && settings.auth.customer_views);
    assert_eq!(settings.auth.admin_roles, ["ops"]);
    assert_eq!(settings.auth.user_roles, ["dev"]);
    let proxy = settings.proxy.as_ref().unwrap();
    assert_eq!((proxy.user_header.as_str(), proxy.trusted.len()), ("X-User", 2));
    assert_eq!(settings.alert.alert_timeout, 60);
    assert_eq!(settings.alert.shelve_timeout, 0);
    assert_eq!(settings.alert.history_limit, 7);
    assert_eq!(settings.alert.model.severities[0], ("bad".to_owned(), 1));
    assert_eq!(settings.alert.model.normal, "fine");
    assert_eq!(settings.look.colors["text"], "white");
    assert_eq!(settings.look.colors["highlight"], "skyblue");
    assert_eq!(settings.base_url, "https://hub.example.org/api");
    assert_eq!(settings.audience(), "https://hub.example.org/api");
    let allowed = &settings.policy.allowed_environments[0].regex;
    assert!(allowed.is_match("Production") && !allowed.is_match("My Production"));
}

#[test]
fn mistakes_name_the_file_the_key_and_what_was_expected() {
    for (text, message) in [
        ("[]", "alerta.json: expected a JSON object"),
        (
            "{\"AUTH_REQUIRED\": true,}",
            "alerta.json: expected a JSON object: trailing comma at line 1",
        ),
        (
            r#"{"AUTH_REQUIRED": "yes"}"#,
            "alerta.json: AUTH_REQUIRED: expected true or false, got a text",
        ),
        (
            r#"{"ALERT_TIMEOUT": "5"}"#,
            "ALERT_TIMEOUT: expected a whole number from 0 up, got a text",
        ),
        (
            r#"{"ALERT_TIMEOUT": -1}"#,
            "ALERT_TIMEOUT: expected a whole number from 0 to 1000000000, got -1",
        ),
        (r#"{"ALERT_TIMEOUT": 1.5}"#, "got 1.5"),
        (r#"{"DEFAULT_PAGE_SIZE": 0}"#, "DEFAULT_PAGE_SIZE: expected a whole number from 1"),
        (r#"{"HISTORY_LIMIT": 20000}"#, "HISTORY_LIMIT: expected at most 10000"),
        (r#"{"ADMIN_USERS": "me"}"#, "ADMIN_USERS: expected a list of texts, got a text"),
        (r#"{"ADMIN_USERS": [1]}"#, "ADMIN_USERS: expected a list of short texts, got a number"),
        (
            r#"{"ALLOWED_ENVIRONMENTS": ["("]}"#,
            "ALLOWED_ENVIRONMENTS: expected regular expressions",
        ),
        (
            r#"{"AUTH_PROXY_TRUSTED": ["here"]}"#,
            "AUTH_PROXY_TRUSTED: expected addresses or networks",
        ),
        (r#"{"AUTH_PROXY_USER_HEADER": "a b"}"#, "expected the name of a header"),
        (r#"{"ALARM_MODEL": "ISA"}"#, "ALARM_MODEL: expected ALERTA or ISA_18_2"),
        (r#"{"SEVERITY_MAP": {"bad": "1"}}"#, "SEVERITY_MAP: expected an object with a code"),
        (r#"{"DEFAULT_NORMAL_SEVERITY": "fine"}"#, "the normal severity `fine` is none"),
        (r#"{"SEVERITY_MAP": {}}"#, "SEVERITY_MAP: cannot do without any severity"),
        (r#"{"BLACKOUT_ACCEPT": ["nrml"]}"#, "BLACKOUT_ACCEPT: `nrml` is no severity"),
        (r#"{"CUSTOMER_VIEWS": true}"#, "CUSTOMER_VIEWS: it needs AUTH_REQUIRED"),
        (r#"{"SECRET_KEY": ""}"#, "SECRET_KEY: expected a text that is not empty"),
        (r#"{"AUTH_PROVIDER": "google"}"#, "AUTH_PROVIDER: expected `basic`"),
        (r#"{"COLOR_MAP": []}"#, "COLOR_MAP: expected an object"),
        (r#"{"BASIC_AUTH_REALM": "a\"b"}"#, "BASIC_AUTH_REALM: expected printable"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn a_null_says_nothing() {
    assert!(parse(r#"{"ALERT_TIMEOUT": null, "ALLOWED_ENVIRONMENTS": null}"#).is_ok());
}

#[test]
fn the_prefix_is_a_path_of_its_own() {
    let under = |prefix| {
        let mut settings = AlertaSettings::default();
        settings.serve_under(prefix).map(|()| settings.prefix)
    };
    assert_eq!(under("/").unwrap().as_deref(), Some(""));
    assert_eq!(under("/api").unwrap(), None);
    assert_eq!(under("/alerta/v2/").unwrap().as_deref(), Some("/alerta/v2"));
    for bad in ["alerta", "/a//b", "/../b", "/{id}", "/a b", "/api/v1", "/api/v1/x", "/*x"] {
        assert!(under(bad).is_err(), "{bad}");
    }
}

#[test]
fn every_severity_of_an_alarm_model_has_a_colour() {
    for name in ["ALERTA", "ISA_18_2"] {
        let settings = parse(&format!(r#"{{"ALARM_MODEL": "{name}"}}"#)).unwrap();
        let colors = settings.look.colors["severity"].as_object().unwrap();
        let mut severities = settings.alert.model.severities.iter();
        assert!(severities.all(|(word, _)| colors.contains_key(word)), "{name}: {colors:?}");
    }
}
