//! What users, groups, keys, permissions and customers have in common: they are made, shown, listed,
//! changed and deleted, each by who may, and each change stands in the audit trail.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::response::Response;
use bergfried_control::{AuditChange, ControlError};
use serde_json::{Value, json};

use super::accounts::{Directory, Draft, Record};
use super::caller::Caller;
use super::document::Document;
use super::error::Refusal;
use super::lists::Wish;
use super::reply;
use super::request::{Base, Parameters};
use super::settings::Auth;
use crate::router::State;

/// A kind of record that the API gives access to, with what sets it apart from the others.
pub(super) trait Resource: Record + Send + Sync + 'static {
    /// Its name in answers, of one and of many.
    const NAMES: (&'static str, &'static str);
    /// The path below which each has its id.
    const PATH: &'static str;
    /// The scope to see them, and the one to make and change them.
    const SCOPES: (&'static str, &'static str);
    /// The scope to delete them.
    const DELETE_SCOPE: &'static str = Self::SCOPES.1;
    /// What lists are filtered and sorted by.
    const FIELDS: &'static [&'static str];
    /// What a request says of one; what is absent stays.
    type Said: Send + 'static;

    /// As the API shows it.
    fn shown(&self, state: &State, base: &Base) -> Value;

    /// What the audit trail says of it.
    fn detail(&self) -> String;

    /// Whether a caller with the scope may know of it.
    fn is_seen_by(&self, _: &Caller) -> bool {
        true
    }

    /// The one of this id, where the caller may know of it.
    fn find<'d>(directory: &'d Directory, caller: &Caller, id: &str) -> Option<&'d Arc<Self>> {
        Self::among(directory).get(id).filter(|record| record.is_seen_by(caller))
    }

    /// Refuses who may change none of them, whatever the scopes.
    fn may_change_any(_: &Caller) -> Result<(), Refusal> {
        Ok(())
    }

    /// Reads what a request says; `id` is of the one that it is about, none where it makes one.
    fn said(
        state: &State,
        caller: &Caller,
        document: &Document,
        id: Option<&str>,
    ) -> impl Future<Output = Result<Self::Said, Refusal>> + Send;

    /// Puts it into the draft with what is said of it.
    fn change(
        self,
        said: Self::Said,
        caller: &Caller,
        auth: &Auth,
        draft: &mut Draft,
    ) -> Result<Arc<Self>, Refusal>;

    /// Before it goes: refuses who may not delete it, and takes out what goes with it.
    fn leave(&self, _: &Caller, _: &Auth, _: &mut Draft) -> Result<(), Refusal> {
        Ok(())
    }
}

/// A kind of which a document says all that there is to a new one.
pub(super) trait Made: Resource {
    /// Puts a new one into the draft.
    fn add(
        said: Self::Said,
        caller: &Caller,
        auth: &Auth,
        draft: &mut Draft,
    ) -> Result<Arc<Self>, Refusal>;
}

pub(super) async fn create<R: Made>(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require(R::SCOPES.1)?;
    R::may_change_any(&caller)?;
    let said = R::said(&state, &caller, &document, None).await?;
    let settings = state.alerta.clone();
    let add = move |draft: &mut Draft| {
        let record = R::add(said, &caller, &settings.auth, draft)?;
        audit(draft, &caller, "create", &*record, AuditChange::created(&*record))?;
        Ok(record)
    };
    let record = state.gate.accounts.change(add).await?;
    let location = base.href(&format!("{}/{}", R::PATH, record.id()));
    let fields = [("id", json!(record.id())), (R::NAMES.0, record.shown(&state, &base))];
    Ok(reply::created(&location, fields))
}

pub(super) async fn show<R: Resource>(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.require(R::SCOPES.0)?;
    let directory = state.gate.accounts.now();
    let record = R::find(&directory, &caller, &id).ok_or_else(Refusal::not_found)?;
    Ok(reply::ok([(R::NAMES.0, record.shown(&state, &base)), ("total", json!(1))]))
}

pub(super) async fn list<R: Resource>(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    caller.require(R::SCOPES.0)?;
    let wish = Wish::read(&parameters, R::FIELDS, state.alerta.default_page_size)?;
    let directory = state.gate.accounts.now();
    let seen = R::among(&directory).values().filter(|record| record.is_seen_by(&caller));
    wish.answer(R::NAMES.1, seen.map(|record| record.shown(&state, &base)), [])
}

pub(super) async fn change<R: Resource>(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require(R::SCOPES.1)?;
    R::may_change_any(&caller)?;
    let said = R::said(&state, &caller, &document, Some(&id)).await?;
    let record = changed::<R>(&state, caller, id, said).await?;
    Ok(reply::ok([(R::NAMES.0, record.shown(&state, &base))]))
}

pub(super) async fn delete<R: Resource>(
    caller: Caller,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.require(R::DELETE_SCOPE)?;
    R::may_change_any(&caller)?;
    let settings = state.alerta.clone();
    let delete = move |draft: &mut Draft| {
        let record = found::<R>(draft, &caller, &id)?;
        record.leave(&caller, &settings.auth, draft)?;
        audit(draft, &caller, "delete", &record, AuditChange::deleted(&record))?;
        draft.delete::<R>(record.id())
    };
    state.gate.accounts.change(delete).await?;
    Ok(reply::ok([]))
}

/// Changes one, and says so in the audit trail.
pub(super) async fn changed<R: Resource>(
    state: &State,
    caller: Caller,
    id: String,
    said: R::Said,
) -> Result<Arc<R>, Refusal> {
    let settings = state.alerta.clone();
    let change = move |draft: &mut Draft| {
        let record = found::<R>(draft, &caller, &id)?;
        let before = record.clone();
        let record = record.change(said, &caller, &settings.auth, draft)?;
        let change = AuditChange::between(&before, &*record);
        audit(draft, &caller, "change", &*record, change)?;
        Ok(record)
    };
    state.gate.accounts.change(change).await
}

fn found<R: Resource>(draft: &Draft, caller: &Caller, id: &str) -> Result<R, Refusal> {
    let record = R::find(&draft.directory, caller, id);
    record.map(|record| (**record).clone()).ok_or_else(Refusal::not_found)
}

/// Says in the audit trail what a caller did to something that is no record.
pub(super) async fn record(
    state: &State,
    caller: &Caller,
    action: &str,
    target: &str,
    change: Result<AuditChange, ControlError>,
) -> Result<(), Refusal> {
    let who = caller.name.as_deref().unwrap_or("anonymous");
    Ok(crate::auth::audit(state, who, action, target, change).await?)
}

/// Says in the audit trail what a caller does to a record.
pub(super) fn audit<R: Resource>(
    draft: &mut Draft,
    caller: &Caller,
    what: &str,
    record: &R,
    change: Result<AuditChange, ControlError>,
) -> Result<(), Refusal> {
    let action = format!("alerta.{}.{what}", R::KIND);
    draft.audit(caller.name.as_deref(), action, record.detail(), change)
}
