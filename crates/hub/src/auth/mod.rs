//! Who may: extractors that let a handler run only for somebody who may do what it does.
//!
//! Nearly every handler takes [`Viewer`], [`Operator`] or [`Admin`]. People who see only some
//! customers' alerts pass none of these: what shows them only what is theirs takes [`AlertViewer`] or
//! [`AlertOperator`], and looks at the person.

pub(crate) mod bearer;
pub(crate) mod csrf;
pub(crate) mod passwords;
pub(crate) mod people;
mod person;
pub(crate) mod sessions;
mod settings;
mod setup;
mod stopped;
mod trail;

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use bergfried_control::{SessionRow, TokenInfo, TokenKind};

pub(crate) use self::bearer::check;
pub(crate) use self::person::{Person, Role, person};
pub(crate) use self::sessions::Sessions;
pub use self::settings::{SessionSpan, SessionTimes, SessionsFile};
pub(crate) use self::setup::Setup;
pub use self::stopped::{StoppedHub, UserRefused};
pub(crate) use self::trail::{alert_change, audit, audit_all};
use crate::error::{ApiError, blocking};
use crate::router::State;
use crate::running::now;

/// How often a stream asks whether its session is over.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Somebody who may read everything but what is the administrator's.
pub(crate) struct Viewer(pub(crate) Person);

/// Somebody who may also work on alerts and on what becomes none.
pub(crate) struct Operator(pub(crate) Person);

/// Somebody who may do everything.
pub(crate) struct Admin(pub(crate) Person);

/// Somebody who may read alerts, perhaps only some customers'.
pub(crate) struct AlertViewer(pub(crate) Person);

/// Somebody who may work on alerts, perhaps only on some customers'.
pub(crate) struct AlertOperator(pub(crate) Person);

/// The bearer of an agent's, a hub's or a Heimdall agent's token, who may send records.
#[derive(Clone)]
pub(crate) struct Agent(pub(crate) TokenInfo);

macro_rules! extractors {
    ($($name:ident $role:ident $of_some_customers:literal,)*) => {
        $(impl FromRequestParts<State> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
                let person = who(parts, state).await?;
                may(&person, Role::$role, $of_some_customers)?;
                Ok($name(person))
            }
        })*
    };
}

extractors! {
    Viewer Viewer false,
    Operator Operator false,
    Admin Admin false,
    AlertViewer Viewer true,
    AlertOperator Operator true,
}

impl FromRequestParts<State> for Agent {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let expected = "`Authorization: Bearer <agent token>`";
        let kinds = [TokenKind::Agent, TokenKind::Hub, TokenKind::Heimdall];
        bearer::bearer(state, &kinds, &parts.headers, expected).await.map(Agent)
    }
}

/// Who makes this request.
///
/// # Errors
/// 401 where the request does not say, or says something wrong.
async fn who(parts: &Parts, state: &State) -> Result<Person, ApiError> {
    let presents_none = bearer::presented(&parts.headers).is_empty();
    if let Some(secret) = sessions::cookie(&parts.headers).filter(|_| presents_none) {
        let (owned, hub) = (secret.to_owned(), state.clone());
        let used = blocking(move || Ok(hub.sessions.used(&owned, now()))).await?;
        let over = || ApiError::unauthorized("your session is over, sign in again");
        let person = used.map(|session| of_session(state, &session)).transpose()?.flatten();
        let person = person.ok_or_else(over)?;
        csrf::check(parts, secret, state.console_url.as_deref())?;
        return Ok(person);
    }
    let expected = "`Authorization: Bearer <admin key>`";
    let key = bearer::bearer(state, &[TokenKind::Admin], &parts.headers, expected).await?;
    Ok(Person::of_key(key.id, key.name))
}

/// The person whose session this is; none where it is over because they are another than they were.
fn of_session(state: &State, session: &SessionRow) -> Result<Option<Person>, ApiError> {
    let directory = state.gate.accounts.now();
    let user = directory.users.get(&session.user);
    let user = user.filter(|user| user.is_active() && people::stamp(user) == session.stamp);
    let person = user.map(|user| Person::of_user(state, user)).transpose()?;
    Ok(person.map(|person| person.within(session.hash)))
}

/// Waits until a person is not signed in any more, or may something else than before.
///
/// Whoever is known by a key is so for good: a stream of theirs ends by itself or with the hub.
pub(crate) async fn ended(state: State, person: Person) {
    let Some(session) = person.session else { return std::future::pending().await };
    let (mut sessions, mut users) = (state.sessions.watch(), state.gate.accounts.watch());
    loop {
        let row = state.sessions.get(&session, now());
        let is_same = row.and_then(|row| of_session(&state, &row).ok().flatten());
        if is_same.is_none_or(|is| is != person) {
            return;
        }
        // Sessions that end by their age ring no bell.
        let rang = tokio::time::timeout(LOOK_AGAIN, async {
            tokio::select! {
                rang = sessions.changed() => rang,
                rang = users.changed() => rang,
            }
        });
        if let Ok(Err(_gone)) = rang.await {
            return;
        }
    }
}

/// # Errors
/// 403 that says what they would need.
fn may(person: &Person, least: Role, of_some_customers: bool) -> Result<(), ApiError> {
    if person.role < least {
        let (is, least) = (person.role.name(), least.name());
        let message = format!("this needs the role {least}, you are signed in as {is}");
        return Err(ApiError::forbidden(message));
    }
    if person.is_limited() && !of_some_customers {
        let message = "you see the alerts of some customers only, this is about everyone's";
        return Err(ApiError::forbidden(message));
    }
    Ok(())
}
