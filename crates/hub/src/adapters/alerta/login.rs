//! Logging in and out, signing up, and what a token says.

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bergfried_control::AuditChange;
use bergfried_event::Timestamp;
use serde_json::json;

use super::accounts::{Draft, User};
use super::caller::{Caller, Form, allows_domain, peer};
use super::document::Document;
use super::error::Refusal;
use super::request::Base;
use super::token::Claims;
use super::users::{Said, keep};
use super::{reply, wire};
use crate::error::ApiError;
use crate::router::State;
use crate::running::now;

/// Others who could say who someone is; the hub asks none of them.
const PROVIDERS: [&str; 8] =
    ["azure", "github", "gitlab", "google", "keycloak", "openid", "cas", "saml"];

pub(crate) fn routes() -> Router<State> {
    let mut routes = Router::new()
        .route("/auth/login", post(login))
        .route("/auth/signup", post(signup))
        .route("/auth/logout", get(logout).post(logout))
        .route("/auth/confirm/{link}", post(confirm))
        .route("/auth/forgot", post(no_mail))
        .route("/auth/reset/{link}", post(reset))
        .route("/userinfo", get(userinfo));
    for provider in PROVIDERS {
        let refuse = move || async move { unsupported(provider) };
        routes = routes.route(&format!("/auth/{provider}"), get(refuse).post(refuse));
    }
    routes
}

fn unsupported(provider: &str) -> Refusal {
    Refusal::new(
        StatusCode::NOT_IMPLEMENTED,
        format!(
            "logging in through {provider} is not supported here: log in with a password, an API \
             key, or through a proxy that authenticates (AUTH_PROXY)"
        ),
    )
}

/// A token for a user, with what holds for them now.
fn token(state: &State, base: &Base, user: &User) -> Result<String, Refusal> {
    let (gate, auth) = (&state.gate, &state.alerta.auth);
    let directory = gate.accounts.now();
    let caller = gate.of_user(auth, &directory, user, &user.roles, Form::Login)?;
    let at = now().micros().div_euclid(Timestamp::SECOND);
    let claims = Claims {
        iss: base.href(""),
        typ: "Bearer".to_owned(),
        sub: user.id.clone(),
        aud: gate.signer.audience().to_owned(),
        exp: at.saturating_add(i64::from(auth.token_days).saturating_mul(86_400)),
        nbf: at,
        iat: at,
        jti: wire::new_id(),
        name: user.name.clone(),
        preferred_username: user.login.clone(),
        email: user.email.clone(),
        provider: "basic".to_owned(),
        roles: user.roles.clone(),
        groups: directory.groups_of(&user.id),
        scope: caller.scopes.join(" "),
        email_verified: user.email_verified,
        // None is every customer, which clients know as an empty list.
        customers: auth.customer_views.then(|| caller.customers.unwrap_or_default()),
    };
    let signed = gate.signer.sign(&claims);
    signed.ok_or_else(|| ApiError::internal(&"cannot sign a token").into())
}

fn answer(token: String) -> Response {
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    (no_store, axum::Json(json!({"token": token}))).into_response()
}

async fn login(
    base: Base,
    Shared(state): Shared<State>,
    parts: Parts,
    document: Document,
) -> Result<Response, Refusal> {
    let name = document.name("username")?;
    let name = name.map_or_else(|| document.name("email"), |name| Ok(Some(name)))?;
    let (Some(name), Some(password)) = (name, document.text("password")?) else {
        let message = "must supply `username` or `email`, and `password`";
        return Err(Refusal::unauthorized(message));
    };
    let user = state.gate.log_in(&state.alerta.auth, &name, &password, peer(&parts)).await?;
    let token = token(&state, &base, &user)?;
    let id = user.id.clone();
    let change = move |draft: &mut Draft| {
        let mut user: User = draft.get(&id)?;
        user.last_login = Some(now());
        draft.put(user)
    };
    state.gate.accounts.change(change).await?;
    Ok(answer(token))
}

/// Whether a request was made on this machine, and by no proxy for someone else.
fn is_local(parts: &Parts) -> bool {
    let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
    peer(parts).is_some_and(|peer| peer.is_loopback())
        && !forwarded.iter().any(|name| parts.headers.contains_key(*name))
}

async fn signup(
    base: Base,
    Shared(state): Shared<State>,
    parts: Parts,
    document: Document,
) -> Result<Response, Refusal> {
    let auth = &state.alerta.auth;
    if !auth.signup_enabled {
        return Err(Refusal::forbidden("user signup is disabled, ask an administrator"));
    }
    document.required("name")?;
    document.required("password")?;
    let email = document.required("email")?;
    if !allows_domain(auth, &email) {
        return Err(Refusal::forbidden("people of this email domain may not sign up"));
    }
    let said = Said::read(&state.gate, &document, None).await?.of_stranger();
    let mut user = said.new_user(&auth.default_user_role)?;
    // Names of administrators and domains of customers give rights, and anyone may claim them.
    user.is_vouched = is_local(&parts);
    let is_reserved = auth.admin_users.contains(&user.login);
    if is_reserved && !user.is_vouched {
        return Err(Refusal::forbidden("an administrator has to make this user"));
    }
    let change = move |draft: &mut Draft| {
        let detail = format!("user {} ({})", user.login, user.id);
        let (action, change) = ("alerta.user.signup", AuditChange::created(&user));
        draft.audit(Some(&user.login), action.to_owned(), detail, change)?;
        keep(draft, user)
    };
    let user = state.gate.accounts.change(change).await?;
    if auth.email_verification {
        return Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "email not verified: an administrator has to say that it is yours",
        ));
    }
    let token = token(&state, &base, &user)?;
    Ok(answer(token))
}

/// Whoever comes with a token is known by it no more; others have nothing to end.
async fn logout(Shared(state): Shared<State>, headers: HeaderMap) -> Result<Response, Refusal> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = authorization.and_then(|value| value.trim().split_once(' '));
    let token = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let claims = token.and_then(|(_, token)| state.gate.signer.check(token.trim(), now()).ok());
    if let Some(claims) = claims {
        let change = move |draft: &mut Draft| match draft.get::<User>(&claims.sub) {
            Ok(mut user) if user.takes(&claims) => {
                user.end_token(&claims, now());
                draft.put(user).map(drop)
            }
            _ => Ok(()),
        };
        state.gate.accounts.change(change).await?;
    }
    let message = ("message", json!("Bye, you are logged out"));
    Ok(match state.alerta.proxy.as_ref().and_then(|proxy| proxy.logout_url.as_ref()) {
        Some(url) => reply::ok([message, ("logoutUrl", json!(url))]),
        None => reply::ok([message]),
    })
}

async fn confirm(Path(_link): Path<String>) -> Refusal {
    Refusal::invalid("this link is not known: no mail with links is sent from here")
}

async fn reset(Path(_link): Path<String>) -> Refusal {
    Refusal::invalid(
        "this link is not known: no mail with links is sent from here, an administrator can set a \
         new password",
    )
}

async fn no_mail() -> Refusal {
    Refusal::new(
        StatusCode::NOT_IMPLEMENTED,
        "no mail is sent from here: an administrator can set a new password",
    )
}

async fn userinfo(caller: Caller) -> Result<Response, Refusal> {
    let Some(claims) = caller.claims.clone() else {
        return Err(Refusal::unauthorized("Missing authorization Bearer Token"));
    };
    caller.require("read:userinfo")?;
    let scope = caller.scopes.join(" ");
    Ok(axum::Json(json!(Claims { scope, ..*claims })).into_response())
}
