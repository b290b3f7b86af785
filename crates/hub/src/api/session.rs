//! Signing in and out, the first administrator, and one's own sessions and password.

use axum::Json;
use axum::extract::{FromRequestParts, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bergfried_control::{NewAudit, TokenKind};
use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::adapters::alerta::{Draft, Refusal, User, peer};
use crate::auth::people::{self, Said};
use crate::auth::sessions::{Origin, csrf_token, hash, set_cookie};
use crate::auth::{AlertViewer, Person, Role, bearer, check, csrf, passwords, sessions};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::{Body, InPath};
use crate::router::State;
use crate::running::now;

/// A name and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    name: String,
    password: String,
}

/// Somebody who is signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    user: Who,
    /// What requests that change something send as `X-CSRF-Token`; absent for the bearer of a key,
    /// who needs none
    csrf: Option<String>,
}

/// Who somebody is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Who {
    name: String,
    role: Role,
    /// Whose alerts they see; empty: everyone's
    customers: Vec<String>,
}

impl SignedIn {
    fn of(person: &Person, secret: Option<&str>) -> SignedIn {
        let customers = person.customers().unwrap_or_default();
        let user = Who { name: person.name.clone(), role: person.role, customers };
        SignedIn { user, csrf: secret.map(csrf_token) }
    }
}

/// From where a request comes, and by what it is known.
pub(crate) struct From {
    headers: HeaderMap,
    origin: Origin,
    address: Option<std::net::IpAddr>,
}

impl FromRequestParts<State> for From {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, ApiError> {
        let address = peer(parts);
        let browser = parts.headers.get(header::USER_AGENT);
        let browser = browser.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let origin = Origin {
            address: address.map_or_else(String::new, |address| address.to_string()),
            browser: browser.to_owned(),
        };
        Ok(From { headers: parts.headers.clone(), origin, address })
    }
}

impl From {
    /// Whether the browser reached the hub by HTTPS, here or at a proxy.
    fn is_secure(&self, state: &State) -> bool {
        let scheme = self.headers.get("x-forwarded-proto");
        state.tls.is_some() || scheme.is_some_and(|scheme| scheme.as_bytes() == b"https")
    }
}

/// Who is signed in
///
/// Without a session or a key it is 401; where there is no administrator yet who can sign in, the body
/// says also `"setup": true`.
#[utoipa::path(get, path = "/api/v1/session", tag = "people",
    responses((status = 200, description = "Who you are", body = SignedIn),
        (status = 403, description = "Your roles give you nothing here", body = ErrorBody)))]
pub(crate) async fn show(
    Shared(state): Shared<State>,
    person: Result<AlertViewer, ApiError>,
    from: From,
) -> Response {
    match person {
        Ok(AlertViewer(person)) => {
            let secret = person.session.and_then(|_| sessions::cookie(&from.headers));
            (no_store(), Json(SignedIn::of(&person, secret))).into_response()
        }
        Err(error) if error.status() == StatusCode::UNAUTHORIZED && needs_setup(&state) => {
            let body = json!({"error": "there is no administrator yet", "setup": true});
            (error.status(), no_store(), Json(body)).into_response()
        }
        Err(error) => error.into_response(),
    }
}

fn needs_setup(state: &State) -> bool {
    !people::has_administrator(&state.alerta.auth, &state.gate.accounts.now())
}

fn no_store() -> [(header::HeaderName, &'static str); 1] {
    [(header::CACHE_CONTROL, "no-store")]
}

/// Sign in
///
/// Sets the cookie of the session. A session that the request had is over: its secret is worth nothing
/// to whoever planted it.
#[utoipa::path(post, path = "/api/v1/session", tag = "people", security(()),
    request_body = Credentials,
    responses((status = 200, description = "Who you are", body = SignedIn),
        (status = 400, description = "A body that cannot be read", body = ErrorBody),
        (status = 401, description = "A wrong name or password", body = ErrorBody),
        (status = 403, description = "You may not, or another site's page asks", body = ErrorBody),
        (status = 415, description = "A body that is no JSON", body = ErrorBody),
        (status = 429, description = "Too many wrong passwords, see `Retry-After`", body = ErrorBody)))]
pub(crate) async fn sign_in(
    Shared(state): Shared<State>,
    from: From,
    Body(credentials): Body<Credentials>,
) -> Result<Response, ApiError> {
    csrf::check_site(&from.headers, state.console_url.as_deref())?;
    let Credentials { name, password } = credentials;
    let known = state.gate.log_in(&state.alerta.auth, &name, &password, from.address).await;
    let user = known.map_err(|refusal| match ApiError::from(refusal) {
        error if error.status() == StatusCode::UNAUTHORIZED => {
            ApiError::unauthorized("wrong name or password")
        }
        error => error,
    })?;
    let id = user.id.clone();
    let change = move |draft: &mut Draft| {
        let mut user: User = draft.get(&id)?;
        user.last_login = Some(now());
        draft.put(user)
    };
    let user = state.gate.accounts.change(change).await?;
    open(state, &user, from, "session.start", StatusCode::OK).await
}

/// Opens a session of a user; the one that the request had is over.
async fn open(
    state: State,
    user: &User,
    from: From,
    action: &'static str,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let (id, stamp) = (user.id.clone(), people::stamp(user));
    let person = Person::of_user(&state, user)?;
    let secure = from.is_secure(&state);
    let times = state.sessions.times();
    let name = person.name.clone();
    let secret = blocking(move || {
        if let Some(secret) = sessions::cookie(&from.headers) {
            let old = hash(secret);
            state.sessions.end(|row| row.hash == old)?;
        }
        let secret = state.sessions.open(&id, stamp, &from.origin, now())?;
        state.control.append_audit(&name, action, &from.origin.address, now())?;
        Ok(secret)
    })
    .await?;
    let cookie = [(header::SET_COOKIE, set_cookie(Some(&secret), times, secure))];
    let body = Json(SignedIn::of(&person, Some(secret.expose())));
    Ok((status, cookie, no_store(), body).into_response())
}

/// Sign out
#[utoipa::path(delete, path = "/api/v1/session", tag = "people",
    responses((status = 204, description = "The session is over"),
        (status = 403, description = "No `X-CSRF-Token`, or a wrong one", body = ErrorBody),
        (status = 409, description = "You are known by a key and not by a session", body = ErrorBody)))]
pub(crate) async fn sign_out(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    from: From,
) -> Result<Response, ApiError> {
    let Some(session) = person.session else { return Err(no_session()) };
    let secure = from.is_secure(&state);
    let times = state.sessions.times();
    blocking(move || {
        state.sessions.end(|row| row.hash == session)?;
        Ok(state.control.append_audit(&person.name, "session.end", &from.origin.address, now())?)
    })
    .await?;
    let cookie = [(header::SET_COOKIE, set_cookie(None, times, secure))];
    Ok((StatusCode::NO_CONTENT, cookie).into_response())
}

fn no_session() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "you are known by a key and not by a session")
}

/// Make the first administrator
///
/// With the secret of the link that the hub shows when it starts, or with an admin key, as bearer.
/// Signs in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "people", request_body = Credentials,
    responses((status = 201, description = "Who you are", body = SignedIn),
        (status = 400, description = "A name or password that is none", body = ErrorBody),
        (status = 409, description = "There is an administrator already", body = ErrorBody),
        (status = 415, description = "A body that is no JSON", body = ErrorBody)))]
pub(crate) async fn set_up(
    _bearer: SetupBearer,
    Shared(state): Shared<State>,
    from: From,
    Body(credentials): Body<Credentials>,
) -> Result<Response, ApiError> {
    let Credentials { name, password } = credentials;
    passwords::check(&password, &name)?;
    let password = state.gate.passwords.hash(password).await?;
    let settings = state.alerta.clone();
    let add = move |draft: &mut Draft| {
        if people::has_administrator(&settings.auth, &draft.directory) {
            return Err(Refusal::conflict("there is an administrator already, sign in"));
        }
        let said = Said { role: Some(Role::Admin), password: Some(password), ..Said::default() };
        people::add(draft, &settings.auth, "setup", &name, said)?;
        people::of_name(draft, &name)
    };
    let user = state.gate.accounts.change(add).await?;
    open(state, &user, from, "session.start", StatusCode::CREATED).await
}

/// Somebody who may make the first administrator.
pub(crate) struct SetupBearer;

impl FromRequestParts<State> for SetupBearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        for secret in bearer::presented(&parts.headers) {
            if state.setup.is(&secret) || check(state, TokenKind::Admin, secret).await?.is_some() {
                return Ok(SetupBearer);
            }
        }
        Err(ApiError::unauthorized(
            "this needs `Authorization: Bearer` with the secret of the link that the hub showed when \
             it started, or an admin key",
        ))
    }
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The one until now
    old: String,
    /// At least 10 characters
    new: String,
}

/// Change one's own password
///
/// Every session of before is over; the answer sets the cookie of a new one.
#[utoipa::path(post, path = "/api/v1/session/password", tag = "people", request_body = NewPassword,
    responses((status = 200, description = "Who you are, with a new session", body = SignedIn),
        (status = 400, description = "The new password is too easy", body = ErrorBody),
        (status = 403, description = "The old password is wrong", body = ErrorBody),
        (status = 409, description = "You are known by a key and not by a session", body = ErrorBody),
        (status = 415, description = "A body that is no JSON", body = ErrorBody),
        (status = 429, description = "Too many wrong passwords, see `Retry-After`", body = ErrorBody)))]
pub(crate) async fn change_password(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    from: From,
    Body(wanted): Body<NewPassword>,
) -> Result<Response, ApiError> {
    let Some(user) = person.user.clone().filter(|_| person.session.is_some()) else {
        return Err(no_session());
    };
    let kept = state.gate.accounts.now().users.get(&user).and_then(|user| user.password.clone());
    let passwords = &state.gate.passwords;
    if !passwords.check(&person.name, &wanted.old, kept.as_deref(), from.address).await? {
        return Err(ApiError::forbidden("the old password is wrong"));
    }
    passwords::check(&wanted.new, &person.name)?;
    let hash = passwords.hash(wanted.new).await?;
    let settings = state.alerta.clone();
    let name = person.name.clone();
    let change = move |draft: &mut Draft| {
        let said = Said { password: Some(hash), ..Said::default() };
        people::change(draft, &settings.auth, &name, &name, said)?;
        people::of_name(draft, &name)
    };
    let changed = state.gate.accounts.change(change).await?;
    let over = state.clone();
    blocking(move || Ok(over.sessions.end(|row| row.user == user)?)).await?;
    open(state, &changed, from, "session.start", StatusCode::OK).await
}

/// One of one's own sessions.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnSession {
    id: u64,
    /// When it began
    #[schema(value_type = String)]
    created: Timestamp,
    /// When it was last used
    #[schema(value_type = String)]
    last_used: Timestamp,
    /// From where
    address: String,
    /// What the browser said of itself
    browser: String,
    /// Whether it is the one of this request
    current: bool,
}

/// List one's own sessions
#[utoipa::path(get, path = "/api/v1/sessions", tag = "people",
    responses((status = 200, description = "The one used last first", body = Vec<OwnSession>)))]
pub(crate) async fn list(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
) -> Json<Vec<OwnSession>> {
    let Some(user) = &person.user else { return Json(Vec::new()) };
    let rows = state.sessions.of(user, now()).into_iter();
    let own = rows.map(|row| OwnSession {
        id: row.id,
        created: row.created,
        last_used: row.last_used,
        address: row.address,
        browser: row.browser,
        current: person.session == Some(row.hash),
    });
    Json(own.collect())
}

/// End one of one's own sessions
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "people",
    params(("id" = u64, Path, description = "The session's id")),
    responses((status = 204, description = "It is over"),
        (status = 404, description = "You have none of this id", body = ErrorBody)))]
pub(crate) async fn end(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    InPath(id): InPath<u64>,
) -> Result<StatusCode, ApiError> {
    blocking(move || {
        let own = |row: &bergfried_control::SessionRow| {
            row.id == id && person.user.as_ref() == Some(&row.user)
        };
        if state.sessions.end(own)? == 0 {
            return Err(ApiError::not_found(format!("you have no session {id}")));
        }
        let done = NewAudit {
            who: person.name,
            action: "session.end".to_owned(),
            target: format!("session {id}"),
            change: bergfried_control::AuditChange::default(),
        };
        state.control.append_audits(&[done], now())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
