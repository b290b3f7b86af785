//! The users of the hub as the console sees them: who there is, with which role and whose customers.
//!
//! They are the users of Alerta's API: the same person signs in to the console and to Alerta's clients.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::person::Role;
use super::sessions::Digest;
use crate::adapters::alerta::{
    Auth, CustomerMatch, Directory, Draft, Refusal, Rights, User, keep_user, new_id, role_of,
    take_out,
};
use crate::running::now;
use bergfried_control::AuditChange;
use bergfried_event::Timestamp;

/// The most characters of a name.
const MAX_NAME: usize = 100;
/// Every customer.
const EVERY: &str = "*";

/// A user, without what lets them in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Listed {
    /// What they sign in with
    pub(crate) name: String,
    /// What they may do in the console; none: nothing
    pub(crate) role: Option<Role>,
    /// The words that their rights come from, as Alerta's clients show them
    pub(crate) roles: Vec<String>,
    /// Whose alerts they see; empty: everyone's
    pub(crate) customers: Vec<String>,
    pub(crate) email: Option<String>,
    /// What was noted of them
    pub(crate) text: String,
    /// Whether they may sign in
    pub(crate) active: bool,
    /// Whether they have a password
    pub(crate) has_password: bool,
    #[schema(value_type = String)]
    pub(crate) created: Timestamp,
    #[schema(value_type = Option<String>)]
    pub(crate) last_login: Option<Timestamp>,
}

/// What is said of a user; what is absent stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) role: Option<Role>,
    pub(crate) customers: Option<Vec<String>>,
    pub(crate) active: Option<bool>,
    pub(crate) email: Option<String>,
    pub(crate) text: Option<String>,
    /// Its hash.
    pub(crate) password: Option<String>,
}

/// As people see a user.
pub(crate) fn listed(auth: &Auth, directory: &Directory, user: &User) -> Listed {
    let rights = Rights::of(auth, directory, user);
    Listed {
        name: user.login.clone(),
        role: role_of(&rights.scopes),
        roles: user.roles.clone(),
        customers: rights.customers.unwrap_or_default(),
        email: user.email.clone(),
        text: user.text.clone(),
        active: user.is_active(),
        has_password: user.password.is_some(),
        created: user.created,
        last_login: user.last_login,
    }
}

/// Whether somebody can sign in who may do everything.
pub(crate) fn has_administrator(auth: &Auth, directory: &Directory) -> bool {
    directory.users.values().any(|user| {
        user.is_active()
            && user.password.is_some()
            && role_of(&Rights::of(auth, directory, user).scopes) == Some(Role::Admin)
    })
}

/// What a user is, as far as a session depends on it: it is over once this is another.
pub(crate) fn stamp(user: &User) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("bergfried 2026-11 stamp of a user");
    let password = user.password.as_deref().unwrap_or_default();
    let texts = [user.id.as_str(), &user.login, password, &user.status];
    for text in texts.into_iter().chain(user.roles.iter().map(String::as_str)) {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Makes a user.
///
/// # Errors
/// Where the name is none or taken, or what is said makes no sense.
pub(crate) fn add(
    draft: &mut Draft,
    auth: &Auth,
    by: &str,
    name: &str,
    said: Said,
) -> Result<Listed, Refusal> {
    let fits = |letter: char| letter.is_alphanumeric() || "._@+-".contains(letter);
    if !(1..=MAX_NAME).contains(&name.chars().count()) || !name.chars().all(fits) {
        let expected = format!("1 to {MAX_NAME} letters, digits and `.`, `_`, `@`, `+`, `-`");
        return Err(Refusal::field("name", &expected));
    }
    let role = said.role.unwrap_or(Role::Viewer);
    let user = User {
        id: new_id(),
        name: name.to_owned(),
        login: name.to_owned(),
        email: said.email.clone().or_else(|| name.contains('@').then(|| name.to_owned())),
        password: said.password.clone(),
        status: "active".to_owned(),
        roles: vec![word(auth, role)],
        attributes: serde_json::Map::new(),
        text: said.text.clone().unwrap_or_default(),
        created: now(),
        last_login: None,
        updated: Some(now()),
        email_verified: false,
        is_vouched: true,
        tokens_since: None,
        ended_tokens: Vec::new(),
    };
    let customers = match (said.customers, auth.customer_views, role) {
        (None, true, Role::Admin) => Some(vec![EVERY.to_owned()]),
        (None, true, _) => {
            let message = "this hub shows everyone the alerts of their own customers: say whose in \
                           `customers`, `*` for everyone's";
            return Err(Refusal::invalid(message));
        }
        (customers, _, _) => customers,
    };
    let user = keep_user(draft, user)?;
    set_customers(draft, auth, &user.login, customers)?;
    let made = checked(auth, draft, &user, said.role)?;
    draft.audit(
        Some(by),
        "user.create".to_owned(),
        made.name.clone(),
        AuditChange::created(&made),
    )?;
    Ok(made)
}

/// Changes a user.
///
/// # Errors
/// 404 where there is none of this name, 409 where nobody would be left who may do everything.
pub(crate) fn change(
    draft: &mut Draft,
    auth: &Auth,
    by: &str,
    name: &str,
    said: Said,
) -> Result<Listed, Refusal> {
    let user = of_name(draft, name)?;
    let was_safe = has_administrator(auth, &draft.directory);
    let before = listed(auth, &draft.directory, &user);
    let mut user = (*user).clone();
    let new_password = said.password.is_some();
    if let Some(password) = said.password {
        user.password = Some(password);
        // In whole seconds, as tokens tell when they were made.
        user.tokens_since = Some(now().floor_to(Timestamp::SECOND));
    }
    if let Some(role) = said.role {
        user.roles = vec![word(auth, role)];
    }
    if let Some(active) = said.active {
        user.status = if active { "active" } else { "inactive" }.to_owned();
    }
    if let Some(email) = said.email {
        user.email = Some(email).filter(|email| !email.is_empty());
    }
    user.text = said.text.unwrap_or(user.text);
    user.is_vouched = true;
    user.updated = Some(now());
    let user = keep_user(draft, user)?;
    set_customers(draft, auth, &user.login, said.customers)?;
    let after = checked(auth, draft, &user, said.role)?;
    still_safe(auth, draft, was_safe)?;
    if new_password {
        let none = Ok(AuditChange::default());
        draft.audit(Some(by), "user.password".to_owned(), after.name.clone(), none)?;
    }
    let change = AuditChange::between(&before, &after);
    draft.audit(Some(by), "user.change".to_owned(), after.name.clone(), change)?;
    Ok(after)
}

/// Deletes a user with their keys, groups and customers.
///
/// # Errors
/// As [`change`].
pub(crate) fn delete(draft: &mut Draft, auth: &Auth, by: &str, name: &str) -> Result<(), Refusal> {
    let user = of_name(draft, name)?;
    let was_safe = has_administrator(auth, &draft.directory);
    let before = listed(auth, &draft.directory, &user);
    take_out(draft, &user)?;
    draft.delete::<User>(&user.id)?;
    // Who gets this name some day is somebody else.
    clear_customers(draft, &user.login)?;
    still_safe(auth, draft, was_safe)?;
    draft.audit(
        Some(by),
        "user.delete".to_owned(),
        before.name.clone(),
        AuditChange::deleted(&before),
    )
}

/// The user who signs in with this name.
///
/// # Errors
/// 404 where there is none.
pub(crate) fn of_name(draft: &Draft, name: &str) -> Result<Arc<User>, Refusal> {
    let found = draft.directory.users.values().find(|user| user.login == name);
    found.cloned().ok_or_else(|| {
        let message = format!("there is no user {}", name.escape_debug());
        Refusal::new(axum::http::StatusCode::NOT_FOUND, message)
    })
}

/// The word for a role among a user's roles.
fn word(auth: &Auth, role: Role) -> String {
    match role {
        Role::Admin => auth.default_admin_role.clone(),
        role => role.name().to_owned(),
    }
}

/// A user in the draft, who has the role that they were to have.
fn checked(
    auth: &Auth,
    draft: &Draft,
    user: &User,
    wanted: Option<Role>,
) -> Result<Listed, Refusal> {
    let listed = listed(auth, &draft.directory, user);
    match wanted {
        Some(wanted) if listed.role != Some(wanted) => Err(Refusal::conflict(format!(
            "groups, permissions or ADMIN_USERS of Alerta's API make {} a {}",
            listed.name.escape_debug(),
            listed.role.map_or("stranger", Role::name)
        ))),
        _ => Ok(listed),
    }
}

fn still_safe(auth: &Auth, draft: &Draft, was_safe: bool) -> Result<(), Refusal> {
    if was_safe && !has_administrator(auth, &draft.directory) {
        return Err(Refusal::conflict("nobody would be left who may do everything"));
    }
    Ok(())
}

fn clear_customers(draft: &mut Draft, name: &str) -> Result<(), Refusal> {
    let rows = draft.directory.customers.values().filter(|row| row.matched == name);
    let rows: Vec<String> = rows.map(|row| row.id.clone()).collect();
    rows.iter().try_for_each(|id| draft.delete::<CustomerMatch>(id))
}

fn set_customers(
    draft: &mut Draft,
    auth: &Auth,
    name: &str,
    customers: Option<Vec<String>>,
) -> Result<(), Refusal> {
    let Some(customers) = customers else { return Ok(()) };
    if !auth.customer_views && !customers.is_empty() {
        let message = "this hub shows everyone all alerts, CUSTOMER_VIEWS in the file of \
                       --alerta-config changes that";
        return Err(Refusal::invalid(message));
    }
    if customers.len() > MAX_NAME || customers.iter().any(|one| one.is_empty() || one.len() > 256) {
        return Err(Refusal::field("customers", "at most 100 names of 1 to 256 bytes"));
    }
    clear_customers(draft, name)?;
    for customer in customers {
        draft.put(CustomerMatch { id: new_id(), matched: name.to_owned(), customer })?;
    }
    Ok(())
}
