//! Which customer goes with which login, role, group or domain.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::accounts::{CustomerMatch, Draft};
use super::caller::Caller;
use super::document::{Document, mandatory};
use super::error::Refusal;
use super::request::Base;
use super::resource::{Made, Resource, change, create, delete, list, show};
use super::settings::Auth;
use super::wire;
use crate::router::State;

type Row = CustomerMatch;

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/customer", post(create::<Row>))
        .route("/customers", get(list::<Row>))
        .route("/customer/{id}", get(show::<Row>).put(change::<Row>).delete(delete::<Row>))
}

/// What a request says of a row.
pub(super) struct Said {
    matched: Option<String>,
    customer: Option<String>,
}

impl Resource for CustomerMatch {
    const NAMES: (&'static str, &'static str) = ("customer", "customers");
    const PATH: &'static str = "/customer";
    const SCOPES: (&'static str, &'static str) = ("read:customers", "admin:customers");
    const FIELDS: &'static [&'static str] = &["id", "match", "customer"];
    type Said = Said;

    fn shown(&self, _: &State, base: &Base) -> Value {
        json!({
            "customer": self.customer,
            "href": base.href(&format!("/customer/{}", self.id)),
            "id": self.id,
            "match": self.matched,
        })
    }

    fn detail(&self) -> String {
        format!("{}: {}", self.matched, self.customer)
    }

    fn is_seen_by(&self, caller: &Caller) -> bool {
        caller.sees(Some(&self.customer))
    }

    async fn said(
        _: &State,
        _: &Caller,
        document: &Document,
        _: Option<&str>,
    ) -> Result<Said, Refusal> {
        Ok(Said { matched: document.name("match")?, customer: document.name("customer")? })
    }

    fn change(
        mut self,
        said: Said,
        caller: &Caller,
        _: &Auth,
        draft: &mut Draft,
    ) -> Result<Arc<Row>, Refusal> {
        self.matched = said.matched.filter(|matched| !matched.is_empty()).unwrap_or(self.matched);
        self.customer =
            said.customer.filter(|customer| !customer.is_empty()).unwrap_or(self.customer);
        keep(self, caller, draft)
    }
}

impl Made for CustomerMatch {
    fn add(said: Said, caller: &Caller, _: &Auth, draft: &mut Draft) -> Result<Arc<Row>, Refusal> {
        let row = CustomerMatch {
            id: wire::new_id(),
            matched: mandatory("match", said.matched)?,
            customer: mandatory("customer", said.customer)?,
        };
        keep(row, caller, draft)
    }
}

/// A match may have several customers, but each once; and who sees some customers only gives nobody
/// another one, nor all of them.
fn keep(row: Row, caller: &Caller, draft: &mut Draft) -> Result<Arc<Row>, Refusal> {
    if !row.is_seen_by(caller) {
        let customer = row.customer.escape_debug();
        return Err(Refusal::invalid(format!("not allowed to set customer to '{customer}'")));
    }
    let mut others = draft.directory.customers.values().filter(|other| other.id != row.id);
    if others.any(|other| other.matched == row.matched && other.customer == row.customer) {
        return Err(Refusal::conflict("there is such a customer for this match already"));
    }
    draft.put(row)
}
