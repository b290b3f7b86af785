//! Somebody whom the hub knows, and what they may.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sessions::Digest;
use crate::adapters::alerta::{Rights, User, role_of};
use crate::data_dir::{FIRST_START, GIVEN};
use crate::error::ApiError;
use crate::router::State;

/// What people may do; each may what those before it may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Read.
    Viewer,
    /// Work on alerts, blackouts, heartbeats, exceptions and searches.
    Operator,
    /// Everything: tokens, users, the files of rules, storage.
    Admin,
}

impl Role {
    /// The lower-case word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// The name that goes into histories.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Whose alerts they see; none: everyone's.
    customers: Option<Vec<String>>,
    /// The id of the admin key by which they are known, where it is one.
    pub(crate) key: Option<u64>,
    /// The id of the user that they are, where they are one.
    pub(crate) user: Option<String>,
    /// The session by which they are known, where it is one.
    pub(crate) session: Option<Digest>,
}

impl Person {
    /// The bearer of an admin key, who may do everything.
    pub(crate) fn of_key(id: u64, name: String) -> Person {
        Person {
            name: person(name),
            role: Role::Admin,
            customers: None,
            key: Some(id),
            user: None,
            session: None,
        }
    }

    /// A user, as their rights are now.
    ///
    /// # Errors
    /// 403 where they may do nothing in the console.
    pub(crate) fn of_user(state: &State, user: &User) -> Result<Person, ApiError> {
        let directory = state.gate.accounts.now();
        let rights = Rights::of(&state.alerta.auth, &directory, user);
        let Some(role) = role_of(&rights.scopes) else {
            let message = "your roles let you do nothing here, ask an administrator";
            return Err(ApiError::forbidden(message));
        };
        if rights.sees_nobody {
            let message = "no customer is set for you, ask an administrator";
            return Err(ApiError::forbidden(message));
        }
        Ok(Person {
            name: user.login.clone(),
            role,
            customers: rights.customers,
            key: None,
            user: Some(user.id.clone()),
            session: None,
        })
    }

    /// The same, known by this session.
    pub(super) fn within(self, session: Digest) -> Person {
        Person { session: Some(session), ..self }
    }

    /// Whether they see only some customers' alerts, and so no events.
    pub(crate) fn is_limited(&self) -> bool {
        self.customers.is_some()
    }

    /// Whose alerts they see; none: everyone's.
    pub(crate) fn customers(&self) -> Option<Vec<String>> {
        self.customers.clone()
    }

    /// The customer of something new: the one that they ask for, where they see it, or else their own.
    ///
    /// # Errors
    /// 403 where they may not, 400 where it is not clear which one they mean.
    pub(crate) fn customer_of_new(
        &self,
        wanted: Option<String>,
    ) -> Result<Option<String>, ApiError> {
        let Some(own) = &self.customers else { return Ok(wanted) };
        match (wanted, own.as_slice()) {
            (Some(wanted), own) if own.contains(&wanted) => Ok(Some(wanted)),
            (Some(_), _) => Err(ApiError::forbidden("this customer's alerts are not yours to see")),
            (None, [only]) => Ok(Some(only.clone())),
            (None, _) => Err(ApiError::invalid("`customer` must say which of your customers")),
        }
    }

    /// Whether they may see what belongs to this customer.
    pub(crate) fn sees(&self, customer: Option<&str>) -> bool {
        match &self.customers {
            None => true,
            Some(own) => customer.is_some_and(|customer| own.iter().any(|own| own == customer)),
        }
    }
}

/// How people read of whoever has an admin key: a key that nobody named is the administrator's.
pub(crate) fn person(key: String) -> String {
    if key == FIRST_START || key == GIVEN { "admin".to_owned() } else { key }
}
