//! Users: who there is, made, changed and deleted by an administrator.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::adapters::alerta::{Draft, Refusal};
use crate::auth::people::{self, Listed, Said};
use crate::auth::{Admin, Role, passwords};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::{Body, InPath};
use crate::router::State;

/// A user to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// What they sign in with: 1 to 100 letters, digits and `.`, `_`, `@`, `+`, `-`
    name: String,
    /// At least 10 characters
    password: String,
    role: Role,
    /// Whose alerts they see, where the hub shows everyone those of their customers; `*` is everyone's
    customers: Option<Vec<String>>,
    email: Option<String>,
    /// What is worth noting of them
    text: Option<String>,
}

/// What to change of a user; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedUser {
    /// A new password, of at least 10 characters
    password: Option<String>,
    role: Option<Role>,
    /// As for a new user
    customers: Option<Vec<String>>,
    /// Whether they may sign in
    active: Option<bool>,
    /// Empty for none
    email: Option<String>,
    text: Option<String>,
}

/// List users
#[utoipa::path(get, path = "/api/v1/users", tag = "people",
    responses((status = 200, description = "Users, by name", body = Vec<Listed>)))]
pub(crate) async fn list(_admin: Admin, Shared(state): Shared<State>) -> Json<Vec<Listed>> {
    let directory = state.gate.accounts.now();
    let auth = &state.alerta.auth;
    let users = directory.users.values().map(|user| people::listed(auth, &directory, user));
    let mut users: Vec<Listed> = users.collect();
    users.sort_by(|one, other| one.name.cmp(&other.name));
    Json(users)
}

/// Make a user
#[utoipa::path(post, path = "/api/v1/users", tag = "people", request_body = NewUser,
    responses((status = 201, description = "The user", body = Listed),
        (status = 400, description = "A name or password that is none", body = ErrorBody),
        (status = 409, description = "The name is taken", body = ErrorBody)))]
pub(crate) async fn create(
    Admin(by): Admin,
    Shared(state): Shared<State>,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<Listed>), ApiError> {
    passwords::check(&new.password, &new.name)?;
    let password = state.gate.passwords.hash(new.password).await?;
    let said = Said {
        role: Some(new.role),
        customers: new.customers,
        active: None,
        email: new.email.filter(|email| !email.is_empty()),
        text: new.text,
        password: Some(password),
    };
    let settings = state.alerta.clone();
    let add =
        move |draft: &mut Draft| people::add(draft, &settings.auth, &by.name, &new.name, said);
    Ok((StatusCode::CREATED, Json(state.gate.accounts.change(add).await?)))
}

/// Change a user
///
/// A new password, another role or no leave to sign in any more ends their sessions.
#[utoipa::path(patch, path = "/api/v1/users/{name}", tag = "people", request_body = ChangedUser,
    params(("name" = String, Path, description = "What they sign in with")),
    responses((status = 200, description = "The user as they are now", body = Listed),
        (status = 400, description = "What cannot be said of a user", body = ErrorBody),
        (status = 404, description = "There is no such user", body = ErrorBody),
        (status = 409, description = "Nobody would be left who may do everything", body = ErrorBody),
        (status = 415, description = "A body that is no JSON", body = ErrorBody)))]
pub(crate) async fn change(
    Admin(by): Admin,
    Shared(state): Shared<State>,
    InPath(name): InPath<String>,
    Body(wanted): Body<ChangedUser>,
) -> Result<Json<Listed>, ApiError> {
    let password = match wanted.password {
        None => None,
        Some(password) => {
            passwords::check(&password, &name)?;
            Some(state.gate.passwords.hash(password).await?)
        }
    };
    let said = Said {
        role: wanted.role,
        customers: wanted.customers,
        active: wanted.active,
        email: wanted.email,
        text: wanted.text,
        password,
    };
    let settings = state.alerta.clone();
    let change =
        move |draft: &mut Draft| people::change(draft, &settings.auth, &by.name, &name, said);
    Ok(Json(state.gate.accounts.change(change).await?))
}

/// Delete a user
///
/// Their sessions are over, and their keys of Alerta's API go too.
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "people",
    params(("name" = String, Path, description = "What they sign in with")),
    responses((status = 204, description = "They are gone"),
        (status = 404, description = "There is no such user", body = ErrorBody),
        (status = 409, description = "It is you, or nobody would be left who may do everything",
            body = ErrorBody)))]
pub(crate) async fn delete(
    Admin(by): Admin,
    Shared(state): Shared<State>,
    InPath(name): InPath<String>,
) -> Result<StatusCode, ApiError> {
    if by.user.is_some() && by.name == name {
        let message = "this is you, let another administrator do it";
        return Err(ApiError::new(StatusCode::CONFLICT, message));
    }
    let settings = state.alerta.clone();
    let delete = move |draft: &mut Draft| -> Result<String, Refusal> {
        let id = people::of_name(draft, &name)?.id.clone();
        people::delete(draft, &settings.auth, &by.name, &name)?;
        Ok(id)
    };
    let id = state.gate.accounts.change(delete).await?;
    blocking(move || Ok(state.sessions.end(|row| row.user == id)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}
