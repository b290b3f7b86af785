//! Groups of users: their names count where permissions and customers are matched.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use axum::routing::{get, post, put};
use bergfried_control::AuditChange;
use serde_json::{Value, json};

use super::accounts::{Draft, Group};
use super::caller::Caller;
use super::document::{Document, mandatory};
use super::error::Refusal;
use super::request::Base;
use super::resource::{Made, Resource, change, create, delete, list, show};
use super::settings::Auth;
use super::{reply, wire};
use crate::router::State;

/// The most users of a group.
const MAX_USERS: usize = 5_000;

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/group", post(create::<Group>))
        .route("/groups", get(list::<Group>))
        .route("/group/{id}", get(show::<Group>).put(change::<Group>).delete(delete::<Group>))
        .route("/group/{id}/users", get(users))
        .route("/group/{id}/user/{user}", put(add).delete(remove))
}

/// What a request says of a group.
pub(super) struct Said {
    name: Option<String>,
    text: Option<String>,
}

impl Resource for Group {
    const NAMES: (&'static str, &'static str) = ("group", "groups");
    const PATH: &'static str = "/group";
    const SCOPES: (&'static str, &'static str) = ("read:groups", "admin:groups");
    const FIELDS: &'static [&'static str] = &["id", "name", "text", "count"];
    type Said = Said;

    fn shown(&self, _: &State, base: &Base) -> Value {
        json!({
            "count": self.users.len(),
            "href": base.href(&format!("/group/{}", self.id)),
            "id": self.id,
            "name": self.name,
            "text": self.text,
        })
    }

    fn detail(&self) -> String {
        format!("group {} ({})", self.name, self.id)
    }

    async fn said(
        _: &State,
        _: &Caller,
        document: &Document,
        _: Option<&str>,
    ) -> Result<Said, Refusal> {
        Ok(Said { name: document.name("name")?, text: document.text("text")? })
    }

    fn change(
        mut self,
        said: Said,
        caller: &Caller,
        _: &Auth,
        draft: &mut Draft,
    ) -> Result<Arc<Self>, Refusal> {
        may_show(caller, draft, &self.name)?;
        if let Some(name) = said.name.filter(|name| !name.is_empty()) {
            may_manage(caller, draft, &name)?;
            self.name = name;
        }
        self.text = said.text.unwrap_or(self.text);
        keep(self, draft)
    }

    fn leave(&self, caller: &Caller, _: &Auth, draft: &mut Draft) -> Result<(), Refusal> {
        may_show(caller, draft, &self.name)
    }
}

impl Made for Group {
    fn add(said: Said, _: &Caller, _: &Auth, draft: &mut Draft) -> Result<Arc<Self>, Refusal> {
        let group = Group {
            id: wire::new_id(),
            name: mandatory("name", said.name)?,
            text: said.text.unwrap_or_default(),
            users: BTreeSet::new(),
        };
        keep(group, draft)
    }
}

/// Takes a user out of every group.
pub(super) fn leave_all(draft: &mut Draft, user: &str) -> Result<(), Refusal> {
    let of_user = draft.directory.groups.values().filter(|group| group.users.contains(user));
    let groups: Vec<Group> = of_user.map(|group| (**group).clone()).collect();
    for mut group in groups {
        group.users.remove(user);
        draft.put(group)?;
    }
    Ok(())
}

/// Membership gives the scopes of the permissions that match the group's name.
fn may_manage(caller: &Caller, draft: &Draft, name: &str) -> Result<(), Refusal> {
    for row in draft.directory.permissions.values().filter(|row| row.matched == name) {
        caller.may_grant(&row.scopes)?;
    }
    may_show(caller, draft, name)
}

/// Whether they see every customer that members of a group of this name see.
fn may_show(caller: &Caller, draft: &Draft, name: &str) -> Result<(), Refusal> {
    let rows = draft.directory.customers.values().filter(|row| row.matched == name);
    let customers: Vec<String> = rows.map(|row| row.customer.clone()).collect();
    caller.may_be_who_sees(Some(&customers))
}

/// Groups have names of their own.
fn keep(group: Group, draft: &mut Draft) -> Result<Arc<Group>, Refusal> {
    let mut others = draft.directory.groups.values().filter(|other| other.id != group.id);
    match others.any(|other| other.name == group.name) {
        true => Err(Refusal::conflict("another group has this name already")),
        false => draft.put(group),
    }
}

async fn users(
    caller: Caller,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.require("read:groups")?;
    let directory = state.gate.accounts.now();
    let group = directory.groups.get(&id).ok_or_else(Refusal::not_found)?;
    let users = group.users.iter().filter_map(|id| directory.users.get(id)).map(|user| {
        json!({
            "email": user.email,
            "id": user.id,
            "login": user.login,
            "name": user.name,
            "status": user.status,
        })
    });
    let users: Vec<Value> = users.collect();
    Ok(reply::ok([("total", json!(users.len())), ("users", json!(users))]))
}

async fn add(
    caller: Caller,
    state: Shared<State>,
    path: Path<(String, String)>,
) -> Result<Response, Refusal> {
    member(caller, state, path, true).await
}

async fn remove(
    caller: Caller,
    state: Shared<State>,
    path: Path<(String, String)>,
) -> Result<Response, Refusal> {
    member(caller, state, path, false).await
}

async fn member(
    caller: Caller,
    Shared(state): Shared<State>,
    Path((id, user)): Path<(String, String)>,
    is_to_be: bool,
) -> Result<Response, Refusal> {
    caller.require("admin:groups")?;
    let change = move |draft: &mut Draft| {
        let mut group: Group = draft.get(&id)?;
        if !draft.directory.users.contains_key(&user) {
            return Err(Refusal::invalid("invalid user"));
        }
        let is_changed = if is_to_be {
            may_manage(&caller, draft, &group.name)?;
            group.users.insert(user.clone())
        } else {
            may_show(&caller, draft, &group.name)?;
            group.users.remove(&user)
        };
        if group.users.len() > MAX_USERS {
            return Err(Refusal::invalid(format!("a group has at most {MAX_USERS} users")));
        }
        if is_changed {
            let detail = format!("group {} user {user}", group.name);
            let (was, is) = (json!({"member": !is_to_be}), json!({"member": is_to_be}));
            let (action, change) = ("alerta.group.member", AuditChange::between(&was, &is));
            draft.audit(caller.name.as_deref(), action.to_owned(), detail, change)?;
            draft.put(group)?;
        }
        Ok(())
    };
    state.gate.accounts.change(change).await?;
    Ok(reply::ok([]))
}
