//! `GET /config`: what clients are told before they log in.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::request::Base;
use crate::router::State;

pub(crate) fn routes() -> Router<State> {
    Router::new().route("/config", get(config))
}

async fn config(base: Base, Shared(state): Shared<State>) -> Response {
    let (settings, auth, look) = (&state.alerta, &state.alerta.auth, &state.alerta.look);
    let (alert, model) = (&settings.alert, &settings.alert.model);
    let severity: BTreeMap<&str, u16> =
        model.severities.iter().map(|(name, code)| (name.as_str(), *code)).collect();
    let statuses = model.statuses().iter();
    let status: BTreeMap<&str, char> =
        statuses.map(|status| (status.name(), status.code())).collect();
    let environments = settings.policy.allowed_environments.iter();
    let environments: Vec<&str> = environments.map(|pattern| pattern.text.as_str()).collect();
    let [short, medium, long] = &look.dates;
    // The two halves keep the macro within its limit of depth.
    let mut config = json!({
        "actions": look.actions,
        "alarm_model": {
            "name": model.name,
            "severity": severity,
            "colors": look.colors,
            "status": status,
            "defaults": {
                "normal_severity": model.normal,
                "previous_severity": model.previous,
                "status": model.default_status(),
            },
        },
        "allow_readonly": auth.allow_readonly,
        "audio": {"new": look.audio},
        "auth_required": auth.required,
        "blackouts": {"duration": settings.policy.blackout_duration},
        "client_id": auth.client_id,
        "clipboard_template": look.clipboard,
        "colors": look.colors,
        "columns": look.columns,
        "customer_views": auth.customer_views,
        "dates": {"shortTime": short, "mediumDate": medium, "longDate": long},
        "debug": false,
        "email_verification": auth.email_verification,
        "endpoint": base.href(""),
        "environments": environments,
        "filter": look.filter,
        "font": look.font,
    });
    let rest = json!({
        "indicators": look.indicators,
        "provider": "basic",
        "readonly_scopes": auth.readonly_scopes,
        "refresh_interval": look.refresh,
        "severity": severity,
        "signup_enabled": auth.signup_enabled,
        "site_logo_url": look.logo,
        "sort_by": look.sort_by,
        "timeouts": {
            "ack": alert.ack_timeout,
            "alert": alert.alert_timeout,
            "heartbeat": alert.heartbeat_timeout,
            "shelve": alert.shelve_timeout,
        },
        // Other products that could authenticate: there are none here.
        "aws_region": null,
        "azure_tenant": null,
        "cognito_domain": null,
        "cognito_user_pool_id": null,
        "github_url": null,
        "gitlab_url": null,
        "keycloak_realm": null,
        "keycloak_url": null,
        "oidc_auth_url": null,
        "pingfederate_url": null,
        "tracking_id": null,
    });
    if let (Some(config), Value::Object(rest)) = (config.as_object_mut(), rest) {
        config.extend(rest);
    }
    axum::Json(sorted(config)).into_response()
}

/// The fields in the order of their names.
fn sorted(object: Value) -> BTreeMap<String, Value> {
    match object {
        Value::Object(fields) => fields.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}
