//! What each setting is where nobody says otherwise, as Alerta's own documentation has it.

use std::net::{Ipv4Addr, Ipv6Addr};

use bergfried_alert::Settings;
use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::{AlertaSettings, Auth, Look, Policy, Proxy};
use crate::adapters::alerta::settings::keys::pattern;
use crate::adapters::alerta::wire;

/// The severities' colours.
const COLORS: &[(&str, &str)] = &[
    ("security", "blue"),
    ("critical", "red"),
    ("major", "orange"),
    ("minor", "yellow"),
    ("warning", "dodgerblue"),
    ("indeterminate", "lightblue"),
    ("cleared", "#00CC00"),
    ("normal", "#00CC00"),
    ("ok", "#00CC00"),
    ("informational", "#00CC00"),
    ("debug", "#9D006D"),
    ("trace", "#7554BF"),
    ("unknown", "silver"),
];

/// Those of the words of ISA 18.2.
const ISA_COLORS: &[(&str, &str)] = &[
    ("Critical", "red"),
    ("High", "orange"),
    ("Medium", "yellow"),
    ("Low", "dodgerblue"),
    ("Advisory", "lightblue"),
    ("OK", "#00CC00"),
];

/// The colours of the severities of an alarm model.
pub(super) fn colors_of(model: &str) -> Value {
    let colors = if model == "ISA_18_2" { ISA_COLORS } else { COLORS };
    colors
        .iter()
        .map(|(name, color)| ((*name).to_owned(), json!(color)))
        .collect::<Map<_, _>>()
        .into()
}

const COLUMNS: &[&str] = &[
    "severity",
    "status",
    "lastReceiveTime",
    "timeoutLeft",
    "duplicateCount",
    "customer",
    "environment",
    "service",
    "resource",
    "event",
    "value",
    "text",
];

/// What a file that says nothing means.
pub(super) fn originals() -> AlertaSettings {
    AlertaSettings {
        alert: Settings { heartbeat_origin: wire::origin_of("alerta"), ..Settings::default() },
        auth: auth(),
        proxy: None,
        policy: Policy {
            plugins: words(&["remote_ip", "reject", "heartbeat", "blackout", "forwarder"]),
            allowed_environments: whole(&["Production", "Development"]),
            origin_blacklist: Vec::new(),
            blackout_duration: 3_600,
        },
        look: look(),
        base_url: String::new(),
        slack_signing_secret: None,
        cors_origins: words(&["http://localhost", "http://localhost:8000"]),
        default_page_size: 50,
        prefix: None,
        max_alerts_per_second: None,
        from_file: false,
    }
}

/// A proxy, once `AUTH_PROXY` asks for one: its headers are believed from this machine alone.
pub(super) fn proxy() -> Proxy {
    Proxy {
        user_header: "Remote-User".to_owned(),
        roles_header: "Remote-Roles".to_owned(),
        roles_separator: ",".to_owned(),
        auto_signup: true,
        logout_url: None,
        trusted: vec![
            IpNet::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST)),
            IpNet::from(std::net::IpAddr::from(Ipv6Addr::LOCALHOST)),
        ],
    }
}

fn auth() -> Auth {
    Auth {
        required: false,
        allow_readonly: false,
        readonly_scopes: words(&["read"]),
        signup_enabled: true,
        email_verification: false,
        customer_views: false,
        admin_users: Vec::new(),
        admin_roles: words(&["admin"]),
        user_roles: words(&["user"]),
        guest_roles: words(&["guest"]),
        default_admin_role: "admin".to_owned(),
        default_user_role: "user".to_owned(),
        default_guest_role: "guest".to_owned(),
        user_scopes: words(&["read", "write"]),
        guest_scopes: words(&["read:alerts"]),
        custom_scopes: Vec::new(),
        delete_scopes: Vec::new(),
        email_domains: words(&["*"]),
        realm: "Alerta".to_owned(),
        token_days: 14,
        key_days: 365,
        secret_key: None,
        client_id: String::new(),
    }
}

fn look() -> Look {
    Look {
        colors: json!({
            "severity": colors_of("ALERTA"),
            "status": {
                "ack": "skyblue",
                "shelved": "skyblue",
            },
            "text": "black",
            "highlight": "skyblue",
        }),
        columns: words(COLUMNS),
        sort_by: json!(["severity", "lastReceiveTime"]),
        filter: json!({"status": ["open", "ack"]}),
        indicators: json!({
            "severity": ["critical", "major", "minor", "warning", "indeterminate", "informational"],
            "queries": [
                {"text": "Production", "query": [["environment", "Production"]]},
                {"text": "Development", "query": [["environment", "Development"]]},
                {"text": "Heartbeats", "query": {"q": "event:Heartbeat"}},
                {"text": "Misc.", "query": "group=Misc"},
            ],
        }),
        actions: json!([]),
        dates: ["HH:mm", "ddd D MMM HH:mm", "ddd D MMM, YYYY HH:mm:ss.SSS Z"].map(str::to_owned),
        font: json!({
            "font-family": "\"Sintony\", Arial, sans-serif",
            "font-size": "13px",
            "font-weight": 500,
        }),
        audio: None,
        logo: String::new(),
        clipboard: String::new(),
        refresh: 5_000,
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn whole(texts: &[&str]) -> Vec<super::Pattern> {
    texts.iter().filter_map(|text| pattern(text, true).ok()).collect()
}
