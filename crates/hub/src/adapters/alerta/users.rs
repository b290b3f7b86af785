//! Users: who they are, what they keep for themselves, and the groups that they are in.

mod said;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use axum::routing::{get, post, put};
use serde_json::{Value, json};

pub(super) use self::said::Said;
use super::accounts::{Directory, Draft, Key, User};
use super::caller::{Caller, Form, customers};
use super::document::Document;
use super::error::Refusal;
use super::lists::Wish;
use super::request::{Base, Parameters};
use super::resource::{Made, Resource, change, changed, create, delete, show};
use super::settings::Auth;
use super::{groups, reply, wire};
use crate::router::State;

/// The most bytes of a user's attributes as JSON, which hold searches and preferences.
const MAX_ATTRIBUTES: usize = 128 * 1024;

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/user", post(create::<User>))
        .route("/users", get(list))
        .route("/user/me", get(me).put(change_me))
        .route("/user/me/attributes", get(my_attributes).put(change_my_attributes))
        .route("/user/{id}", get(show::<User>).put(change::<User>).delete(delete::<User>))
        .route("/user/{id}/attributes", put(change_attributes))
        .route("/user/{id}/groups", get(groups_of))
}

impl Resource for User {
    const NAMES: (&'static str, &'static str) = ("user", "users");
    const PATH: &'static str = "/user";
    const SCOPES: (&'static str, &'static str) = ("admin:users", "admin:users");
    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "login",
        "email",
        "domain",
        "roles",
        "role",
        "status",
        "text",
        "createTime",
        "lastLogin",
        "updateTime",
        "email_verified",
    ];
    type Said = Said;

    fn shown(&self, _: &State, base: &Base) -> Value {
        let address = self.email.as_deref().unwrap_or(&self.login);
        json!({
            "attributes": self.attributes,
            "createTime": wire::date(self.created),
            "domain": address.rsplit_once('@').map(|(_, domain)| domain),
            "email": self.email,
            "email_verified": self.email_verified,
            "href": base.href(&format!("/user/{}", self.id)),
            "id": self.id,
            "lastLogin": self.last_login.map(wire::date),
            "login": self.login,
            "name": self.name,
            "roles": self.roles,
            "status": self.status,
            "text": self.text,
            "updateTime": self.updated.map(wire::date),
        })
    }

    fn detail(&self) -> String {
        format!("user {} ({})", self.login, self.id)
    }

    async fn said(
        state: &State,
        _: &Caller,
        document: &Document,
        id: Option<&str>,
    ) -> Result<Said, Refusal> {
        Said::read(&state.gate, document, id).await
    }

    /// Who manages users must have what the user has, before and after.
    fn change(
        mut self,
        said: Said,
        caller: &Caller,
        auth: &Auth,
        draft: &mut Draft,
    ) -> Result<Arc<User>, Refusal> {
        let as_admin = !said.by_oneself;
        if as_admin {
            may_manage(caller, auth, &draft.directory, &self)?;
        }
        let known = self.clone();
        let says_who = said.says_who();
        said.apply(&mut self);
        // Rights go by login and address: those that someone chose for themselves give none.
        if as_admin {
            self.is_vouched |= says_who;
            may_manage(caller, auth, &draft.directory, &self)?;
        } else if (&known.login, &known.email) != (&self.login, &self.email) {
            self.is_vouched = false;
            self.email_verified = false;
        }
        let user = keep(draft, self)?;
        // Keys stay those of the user, who may be made inactive some day.
        for mut key in keys_of(draft, &known) {
            key.user.clone_from(&user.login);
            draft.put(key)?;
        }
        Ok(user)
    }

    fn leave(&self, caller: &Caller, auth: &Auth, draft: &mut Draft) -> Result<(), Refusal> {
        may_manage(caller, auth, &draft.directory, self)?;
        take_out(draft, self)
    }
}

/// Takes out what goes with a user: memberships, keys, and searches that nobody else sees, which
/// would otherwise be those of whoever gets the name next.
pub(crate) fn take_out(draft: &mut Draft, user: &User) -> Result<(), Refusal> {
    groups::leave_all(draft, &user.id)?;
    draft.forget_searches(&user.login);
    for key in keys_of(draft, user) {
        draft.delete::<Key>(&key.id)?;
    }
    Ok(())
}

impl Made for User {
    fn add(
        said: Said,
        caller: &Caller,
        auth: &Auth,
        draft: &mut Draft,
    ) -> Result<Arc<User>, Refusal> {
        let mut user = said.new_user(&auth.default_user_role)?;
        user.is_vouched = true;
        may_manage(caller, auth, &draft.directory, &user)?;
        keep(draft, user)
    }
}

/// Puts a user into the draft, whose login and address nobody else has.
pub(crate) fn keep(draft: &mut Draft, user: User) -> Result<Arc<User>, Refusal> {
    let taken = |other: &Arc<User>| {
        other.id != user.id
            && (other.login == user.login
                || other.has_email(&user.login)
                || user.email.as_deref().is_some_and(|email| {
                    other.has_email(email) || other.login.eq_ignore_ascii_case(email)
                }))
    };
    if draft.directory.users.values().any(taken) {
        return Err(Refusal::conflict("another user has this login or email already"));
    }
    // Keys go by the name of who they are for, and anyone may take a name.
    let known = draft.directory.users.get(&user.id);
    let was_for = |key: &Key| known.is_some_and(|known| is_for(known, key));
    let mut keys = draft.directory.keys.values();
    if !user.is_vouched && keys.any(|key| is_for(&user, key) && !was_for(key)) {
        return Err(Refusal::conflict("there are keys for this login or email already"));
    }
    if serde_json::to_string(&user.attributes).map_or(usize::MAX, |text| text.len())
        > MAX_ATTRIBUTES
    {
        let expected = format!("at most {MAX_ATTRIBUTES} bytes of JSON");
        return Err(Refusal::field("attributes", &expected));
    }
    draft.put(user)
}

/// Whether a key is for this user.
fn is_for(user: &User, key: &Key) -> bool {
    key.user == user.login || user.has_email(&key.user)
}

/// The keys that are for this user.
fn keys_of(draft: &Draft, user: &User) -> Vec<Key> {
    let keys = draft.directory.keys.values().filter(|key| is_for(user, key));
    keys.map(|key| (**key).clone()).collect()
}

/// Whoever sets a user's password or roles can act as that user, and so must have what the user has.
fn may_manage(
    caller: &Caller,
    auth: &Auth,
    directory: &Directory,
    user: &User,
) -> Result<(), Refusal> {
    let groups = directory.groups_of(&user.id);
    let subject = user.subject(&user.roles, &groups);
    let rows = directory.permissions.values();
    let rows = rows.map(|row| (row.matched.as_str(), row.scopes.as_slice()));
    caller.may_grant(&subject.scopes(auth, rows))?;
    match customers(auth, directory, &subject) {
        Ok(theirs) => caller.may_be_who_sees(theirs.as_deref()),
        // They see nothing.
        Err(_) => Ok(()),
    }
}

async fn list(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    caller.require("admin:users")?;
    let wish = Wish::read(&parameters, User::FIELDS, state.alerta.default_page_size)?;
    let directory = state.gate.accounts.now();
    let users = directory.users.values().map(|user| {
        let mut shown = user.shown(&state, &base);
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("role".to_owned(), json!(user.roles));
        }
        shown
    });
    let domains = json!(state.alerta.auth.email_domains);
    let groups: Vec<_> = directory.groups.values().map(|group| group.name.as_str()).collect();
    wish.answer("users", users, [("domains", domains), ("groups", json!(groups))])
}

async fn change_attributes(
    caller: Caller,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("admin:users")?;
    changed::<User>(&state, caller, id, Said::attributes(&document)?).await?;
    Ok(reply::ok([]))
}

async fn groups_of(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.require("admin:users")?;
    let directory = state.gate.accounts.now();
    directory.users.get(&id).ok_or_else(Refusal::not_found)?;
    let of_user = directory.groups.values().filter(|group| group.users.contains(&id));
    let groups: Vec<_> = of_user.map(|group| group.shown(&state, &base)).collect();
    Ok(reply::ok([("total", json!(groups.len())), ("groups", json!(groups))]))
}

/// The id of the user who calls; a key whose user is not known, or nobody, is none.
fn own_id(caller: &Caller) -> Result<String, Refusal> {
    caller.user.clone().ok_or_else(|| {
        Refusal::new(axum::http::StatusCode::NOT_FOUND, "not found: you are no user of this hub")
    })
}

async fn me(caller: Caller, base: Base, Shared(state): Shared<State>) -> Result<Response, Refusal> {
    let directory = state.gate.accounts.now();
    let user = directory.users.get(&own_id(&caller)?).ok_or_else(Refusal::not_found)?;
    Ok(reply::ok([("user", user.shown(&state, &base)), ("total", json!(1))]))
}

async fn change_me(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    let id = own_id(&caller)?;
    let said = Said::read(&state.gate, &document, Some(&id)).await?.of_oneself();
    // Who holds a key that may only read takes nobody's account with it.
    let is_login = caller.claims.is_some() || caller.form == Form::Login;
    if !is_login {
        let user = id.clone();
        let directory = state.gate.accounts.now();
        let user = directory.users.get(&user).ok_or_else(Refusal::not_found)?;
        may_manage(&caller, &state.alerta.auth, &directory, user)?;
    }
    let user = changed::<User>(&state, caller, id, said).await?;
    Ok(reply::ok([("user", user.shown(&state, &base))]))
}

async fn my_attributes(caller: Caller, Shared(state): Shared<State>) -> Result<Response, Refusal> {
    let directory = state.gate.accounts.now();
    let user = directory.users.get(&own_id(&caller)?).ok_or_else(Refusal::not_found)?;
    Ok(reply::ok([("attributes", json!(user.attributes)), ("total", json!(1))]))
}

async fn change_my_attributes(
    caller: Caller,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    let id = own_id(&caller)?;
    let mut said = Said::attributes(&document)?;
    said.by_oneself = true;
    changed::<User>(&state, caller, id, said).await?;
    Ok(reply::ok([]))
}
