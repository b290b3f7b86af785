//! Keys of the API: made, listed, changed, revoked. A secret is shown once, when its key is made.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bergfried_control::AuditChange;
use bergfried_event::Timestamp;
use serde_json::{Value, json};

use super::accounts::{Directory, Draft, Key, hash_of};
use super::caller::Caller;
use super::document::Document;
use super::error::Refusal;
use super::request::Base;
use super::resource::{Resource, audit, change, delete, list, show};
use super::scopes::known;
use super::settings::Auth;
use super::{reply, wire};
use crate::error::ApiError;
use crate::router::State;
use crate::running::now;

const DAY: i64 = 86_400 * Timestamp::SECOND;
/// What a secret that somebody chose must have at least and at most, in bytes.
const CHOSEN: std::ops::RangeInclusive<usize> = 8..=256;
/// A secret at least so long is known again by its first characters, which give nothing away.
const LONG: usize = 32;

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/key", post(create))
        .route("/key/{key}", get(show::<Key>).put(change::<Key>).delete(delete::<Key>))
        .route("/keys", get(list::<Key>))
}

/// What a request says of a key.
pub(super) struct Said {
    scopes: Option<Vec<String>>,
    user: Option<String>,
    text: Option<String>,
    expires: Option<Timestamp>,
    customer: Option<String>,
}

impl Resource for Key {
    const NAMES: (&'static str, &'static str) = ("key", "keys");
    const PATH: &'static str = "/key";
    const SCOPES: (&'static str, &'static str) = ("read:keys", "write:keys");
    const DELETE_SCOPE: &'static str = "admin:keys";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "user",
        "scopes",
        "text",
        "expireTime",
        "count",
        "lastUsedTime",
        "customer",
        "status",
        "type",
        "key",
    ];
    type Said = Said;

    /// Where a secret would stand is what it begins with.
    fn shown(&self, state: &State, base: &Base) -> Value {
        let (count, last_used) = state.gate.accounts.uses_of(&self.id);
        let writes = |scope: &String| scope.starts_with("write") || scope.starts_with("admin");
        json!({
            "count": count,
            "customer": self.customer,
            "expireTime": wire::date(self.expires),
            "href": base.href(&format!("/key/{}", self.id)),
            "id": self.id,
            "key": format!("{}…", self.hint),
            "lastUsedTime": last_used.map(wire::date),
            "scopes": self.scopes,
            "status": if self.expires <= now() { "expired" } else { "active" },
            "text": self.text,
            "type": if self.scopes.iter().any(writes) { "read-write" } else { "read-only" },
            "user": self.user,
        })
    }

    fn detail(&self) -> String {
        format!("key {} of {} ({})", self.id, self.user, self.scopes.join(" "))
    }

    /// Their own, or any with `admin:keys`, of their customers.
    fn is_seen_by(&self, caller: &Caller) -> bool {
        let is_own = caller.name.as_ref().is_some_and(|name| *name == self.user);
        caller.sees(self.customer.as_deref()) && (is_own || caller.require("admin:keys").is_ok())
    }

    fn find<'d>(directory: &'d Directory, caller: &Caller, id: &str) -> Option<&'d Arc<Key>> {
        directory.key(id).filter(|key| key.is_seen_by(caller))
    }

    async fn said(
        state: &State,
        _: &Caller,
        document: &Document,
        _: Option<&str>,
    ) -> Result<Said, Refusal> {
        Ok(Said {
            scopes: scopes(document, &state.alerta.auth)?,
            user: document.name("user")?.filter(|user| !user.is_empty()),
            text: document.text("text")?,
            expires: document.date("expireTime")?,
            customer: document.name("customer")?.filter(|customer| !customer.is_empty()),
        })
    }

    fn change(
        mut self,
        said: Said,
        caller: &Caller,
        _: &Auth,
        draft: &mut Draft,
    ) -> Result<Arc<Key>, Refusal> {
        // Whoever changes a key could make it again.
        caller.may_grant(&self.scopes)?;
        if let Some(scopes) = said.scopes {
            caller.may_grant(&scopes)?;
            self.scopes = scopes;
        }
        if let Some(customer) = said.customer {
            self.customer = caller.customer_of_new(Some(customer))?;
        }
        if let Some(user) = said.user.filter(|user| *user != self.user) {
            caller.require("admin:keys")?;
            self.user = user;
        }
        self.expires = said.expires.unwrap_or(self.expires);
        self.text = said.text.unwrap_or(self.text);
        draft.put(self)
    }
}

/// The scopes that a request asks for.
fn scopes(document: &Document, auth: &Auth) -> Result<Option<Vec<String>>, Refusal> {
    let words = document.words("scopes")?.filter(|words| !words.is_empty());
    let scopes = match (words, document.name("type")?.as_deref()) {
        (Some(words), _) => words,
        (None, Some("read-only")) => vec!["read".to_owned()],
        (None, Some("read-write")) => vec!["read".to_owned(), "write".to_owned()],
        (None, Some(_)) => return Err(Refusal::field("type", "`read-only` or `read-write`")),
        (None, None) => return Ok(None),
    };
    check_scopes(auth, &scopes)?;
    Ok(Some(scopes))
}

/// Refuses words that are no scopes.
pub(super) fn check_scopes(auth: &Auth, scopes: &[String]) -> Result<(), Refusal> {
    match scopes.iter().find(|scope| !known(auth, scope)) {
        None => Ok(()),
        Some(word) => {
            let word = word.escape_debug();
            Err(Refusal::invalid(format!("`{word}` is no scope, see GET /scopes for all of them")))
        }
    }
}

async fn create(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:keys")?;
    let auth = &state.alerta.auth;
    let scopes = scopes(&document, auth)?.unwrap_or_else(|| auth.user_scopes.clone());
    caller.may_grant(&scopes)?;
    let is_admin = caller.has("admin:keys");
    let user = document.name("user")?.filter(|user| is_admin && !user.is_empty());
    let user = user
        .or_else(|| caller.name.clone())
        .ok_or_else(|| Refusal::invalid("missing mandatory value for `user`"))?;
    let customer = document.name("customer")?.filter(|customer| !customer.is_empty());
    let customer = caller.customer_of_new(customer)?;
    let expires = document.date("expireTime")?;
    let expires =
        expires.unwrap_or_else(|| now().plus_micros(i64::from(auth.key_days).saturating_mul(DAY)));
    let secret = match document.name("key")?.filter(|secret| !secret.is_empty()) {
        Some(chosen) if CHOSEN.contains(&chosen.len()) && chosen.is_ascii() => chosen,
        Some(_) => {
            let (least, most) = (CHOSEN.start(), CHOSEN.end());
            return Err(Refusal::field("key", &format!("{least} to {most} ASCII characters")));
        }
        None => random_secret()?,
    };
    let id = document.name("id")?.filter(|id| !id.is_empty()).unwrap_or_else(wire::new_id);
    let hint = if secret.len() >= LONG { secret.get(..4).unwrap_or_default() } else { "" };
    let key = Key {
        id,
        hash: hash_of(&secret),
        hint: hint.to_owned(),
        user,
        scopes,
        text: document.text("text")?.unwrap_or_default(),
        expires,
        customer,
    };
    let change = move |draft: &mut Draft| {
        let taken = |other: &Arc<Key>| other.id == key.id || other.hash == key.hash;
        if draft.directory.keys.values().any(taken) {
            return Err(Refusal::conflict("there is such a key already"));
        }
        audit(draft, &caller, "create", &key, AuditChange::created(&key))?;
        draft.put(key)
    };
    let key = state.gate.accounts.change(change).await?;
    let mut data = key.shown(&state, &base);
    if let Some(data) = data.as_object_mut() {
        data.insert("key".to_owned(), json!(secret));
    }
    let location = base.href(&format!("/key/{}", key.id));
    let made = [("key", json!(secret)), ("data", data)];
    Ok(reply::created(&location, made))
}

/// 30 random bytes as 40 characters.
fn random_secret() -> Result<String, Refusal> {
    let mut bytes = [0; 30];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal(&error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
