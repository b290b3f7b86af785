//! Which scopes go with which role, group or name; and the list of all scopes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::accounts::{Draft, Permission};
use super::caller::Caller;
use super::document::{Document, mandatory};
use super::error::Refusal;
use super::keys::check_scopes;
use super::lists::Wish;
use super::request::{Base, Parameters};
use super::resource::{Made, Resource, change, create, delete};
use super::scopes::SCOPES;
use super::settings::Auth;
use super::{reply, wire};
use crate::router::State;

pub(crate) fn routes() -> Router<State> {
    let one = get(show).put(change::<Permission>).delete(delete::<Permission>);
    Router::new()
        .route("/perm", post(create::<Permission>))
        .route("/perms", get(list))
        .route("/perm/{id}", one)
        .route("/scopes", get(scopes))
}

/// What a request says of a row.
pub(super) struct Said {
    matched: Option<String>,
    scopes: Option<Vec<String>>,
}

impl Resource for Permission {
    const NAMES: (&'static str, &'static str) = ("permission", "permissions");
    const PATH: &'static str = "/perm";
    const SCOPES: (&'static str, &'static str) = ("read:perms", "admin:perms");
    const FIELDS: &'static [&'static str] = &["id", "match", "scopes"];
    type Said = Said;

    fn shown(&self, _: &State, base: &Base) -> Value {
        json!({
            "href": base.href(&format!("/perm/{}", self.id)),
            "id": self.id,
            "match": self.matched,
            "scopes": self.scopes,
        })
    }

    fn detail(&self) -> String {
        format!("{}: {}", self.matched, self.scopes.join(" "))
    }

    fn may_change_any(caller: &Caller) -> Result<(), Refusal> {
        caller.require_every_customer()
    }

    async fn said(
        state: &State,
        caller: &Caller,
        document: &Document,
        _: Option<&str>,
    ) -> Result<Said, Refusal> {
        let (matched, scopes) = (document.name("match")?, document.words("scopes")?);
        if let Some(scopes) = &scopes {
            check_scopes(&state.alerta.auth, scopes)?;
            caller.may_grant(scopes)?;
        }
        Ok(Said { matched, scopes })
    }

    fn change(
        mut self,
        said: Said,
        caller: &Caller,
        auth: &Auth,
        draft: &mut Draft,
    ) -> Result<Arc<Self>, Refusal> {
        caller.may_grant(&self.scopes)?;
        self.matched = said.matched.filter(|matched| !matched.is_empty()).unwrap_or(self.matched);
        self.scopes = said.scopes.unwrap_or(self.scopes);
        keep(self, auth, draft)
    }
}

impl Made for Permission {
    fn add(said: Said, _: &Caller, auth: &Auth, draft: &mut Draft) -> Result<Arc<Self>, Refusal> {
        let row = Permission {
            id: wire::new_id(),
            matched: mandatory("match", said.matched)?,
            scopes: said.scopes.unwrap_or_default(),
        };
        keep(row, auth, draft)
    }
}

/// The roles that the settings make; they are listed beside the table, and are not in it.
fn built_in(auth: &Auth) -> [Permission; 3] {
    let admin = ["admin", "read", "write"].map(str::to_owned).to_vec();
    [
        (&auth.default_admin_role, admin),
        (&auth.default_user_role, auth.user_scopes.clone()),
        (&auth.default_guest_role, auth.guest_scopes.clone()),
    ]
    .map(|(role, scopes)| Permission {
        id: format!("built-in-{role}"),
        matched: role.clone(),
        scopes,
    })
}

/// A role, group or name has its scopes once, and the roles of the settings have theirs there.
fn keep(
    permission: Permission,
    auth: &Auth,
    draft: &mut Draft,
) -> Result<Arc<Permission>, Refusal> {
    let roles = [&auth.admin_roles, &auth.user_roles, &auth.guest_roles];
    let is_built_in = built_in(auth).iter().any(|role| role.matched == permission.matched)
        || roles.iter().any(|roles| roles.contains(&permission.matched));
    let mut others = draft.directory.permissions.values().filter(|row| row.id != permission.id);
    if is_built_in || others.any(|row| row.matched == permission.matched) {
        let matched = permission.matched.escape_debug();
        return Err(Refusal::conflict(format!("there are scopes for `{matched}` already")));
    }
    draft.put(permission)
}

async fn show(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.require("read:perms")?;
    let directory = state.gate.accounts.now();
    let built_in = built_in(&state.alerta.auth);
    let found = directory.permissions.get(&id).map(|row| &**row);
    let found = found.or_else(|| built_in.iter().find(|row| row.id == id));
    let shown = found.ok_or_else(Refusal::not_found)?.shown(&state, &base);
    // The SDK looks for it under the short name.
    Ok(reply::ok([("permission", shown.clone()), ("perm", shown), ("total", json!(1))]))
}

async fn list(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    caller.require("read:perms")?;
    let wish = Wish::read(&parameters, Permission::FIELDS, state.alerta.default_page_size)?;
    let directory = state.gate.accounts.now();
    let built_in = built_in(&state.alerta.auth);
    let rows = built_in.iter().chain(directory.permissions.values().map(|row| &**row));
    wish.answer("permissions", rows.map(|row| row.shown(&state, &base)), [])
}

async fn scopes(caller: Caller, Shared(state): Shared<State>) -> Result<Response, Refusal> {
    caller.require("read:perms")?;
    let custom = state.alerta.auth.custom_scopes.iter().map(String::as_str);
    let scopes: Vec<&str> = SCOPES.iter().copied().chain(custom).collect();
    Ok(reply::ok([("total", json!(scopes.len())), ("scopes", json!(scopes))]))
}
