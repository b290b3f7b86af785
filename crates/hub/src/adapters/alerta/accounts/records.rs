//! What is kept of a user, a group, a key, a permission and a customer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bergfried_event::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Directory;
use crate::adapters::alerta::scopes::Subject;
use crate::adapters::alerta::token::{Claims, is_over};

/// Something that is kept under its kind and id.
pub(crate) trait Record: Clone + Serialize + DeserializeOwned {
    /// The word for its kind, in the database and in messages.
    const KIND: &'static str;
    /// The most of its kind.
    const MAX: usize;

    fn id(&self) -> &str;
    fn among(directory: &Directory) -> &BTreeMap<String, Arc<Self>>;
    fn among_mut(directory: &mut Directory) -> &mut BTreeMap<String, Arc<Self>>;
}

macro_rules! record {
    ($type:ident, $kind:literal, $max:literal, $field:ident) => {
        impl Record for $type {
            const KIND: &'static str = $kind;
            const MAX: usize = $max;

            fn id(&self) -> &str {
                &self.id
            }

            fn among(directory: &Directory) -> &BTreeMap<String, Arc<Self>> {
                &directory.$field
            }

            fn among_mut(directory: &mut Directory) -> &mut BTreeMap<String, Arc<Self>> {
                &mut directory.$field
            }
        }
    };
}

record!(User, "user", 10_000, users);
record!(Group, "group", 1_000, groups);
record!(Key, "key", 10_000, keys);
record!(Permission, "permission", 1_000, permissions);
record!(CustomerMatch, "customer", 10_000, customers);

/// Someone who may log in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) login: String,
    pub(crate) email: Option<String>,
    /// Its Argon2 hash (PHC string); none: no password lets anyone in.
    pub(crate) password: Option<String>,
    /// `active`, `inactive` or `unknown`.
    pub(crate) status: String,
    pub(crate) roles: Vec<String>,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) text: String,
    pub(crate) created: Timestamp,
    pub(crate) last_login: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) email_verified: bool,
    /// Whether login and address come from an administrator, a proxy or this machine, and not from
    /// someone who only claims them.
    #[serde(default)]
    pub(crate) is_vouched: bool,
    /// Tokens from before are not taken.
    #[serde(default)]
    pub(crate) tokens_since: Option<Timestamp>,
    /// Tokens that are not taken any more, for as long as they would be otherwise.
    #[serde(default)]
    pub(crate) ended_tokens: Vec<EndedToken>,
}

/// A token whose owner logged out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndedToken {
    id: String,
    /// When it was made, in seconds since 1970 as the next.
    made: i64,
    /// When it would have ended.
    until: i64,
}

/// The most such tokens of a user.
const MAX_ENDED_TOKENS: usize = 64;

impl User {
    /// What they may sign in with.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        [Some(self.login.as_str()), self.email.as_deref()].into_iter().flatten()
    }

    pub(crate) fn has_email(&self, address: &str) -> bool {
        self.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(address))
    }

    /// The user as rights are looked up.
    pub(crate) fn subject<'a>(&'a self, roles: &'a [String], groups: &'a [String]) -> Subject<'a> {
        let email = self.email.as_deref();
        let is_vouched = self.is_vouched || self.email_verified;
        Subject { login: &self.login, roles, groups, email, is_vouched }
    }

    /// Whether a token of theirs is taken still.
    pub(crate) fn takes(&self, token: &Claims) -> bool {
        let since = self.tokens_since.map_or(i64::MIN, Timestamp::micros);
        token.iat.saturating_mul(Timestamp::SECOND) >= since
            && !self.ended_tokens.iter().any(|ended| ended.id == token.jti)
    }

    /// Takes a token no more.
    pub(crate) fn end_token(&mut self, token: &Claims, now: Timestamp) {
        self.ended_tokens.retain(|ended| !is_over(ended.until, now));
        while self.ended_tokens.len() >= MAX_ENDED_TOKENS {
            // Which ones of that time were ended is forgotten, so all of them are.
            let Some(first) = self.ended_tokens.iter().map(|ended| ended.made).min() else { break };
            self.ended_tokens.retain(|ended| ended.made > first);
            let after = Timestamp::from_seconds(first.saturating_add(1));
            self.tokens_since = self.tokens_since.max(Some(after));
        }
        let ended = EndedToken { id: token.jti.clone(), made: token.iat, until: token.exp };
        self.ended_tokens.push(ended);
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status == "active"
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("login", &self.login).finish_non_exhaustive()
    }
}

/// Users under one name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) text: String,
    /// Ids of users.
    pub(crate) users: BTreeSet<String>,
}

/// A key, without its secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) id: String,
    /// See [`hash_of`].
    pub(crate) hash: String,
    /// The beginning of the secret, by which its owner knows it again.
    pub(crate) hint: String,
    /// Whose it is, by login.
    pub(crate) user: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) text: String,
    pub(crate) expires: Timestamp,
    pub(crate) customer: Option<String>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Scopes for whoever has a role, is in a group or has a name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Permission {
    pub(crate) id: String,
    pub(crate) matched: String,
    pub(crate) scopes: Vec<String>,
}

/// The customer of whoever has a role, is in a group, has a name or an address of a domain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CustomerMatch {
    pub(crate) id: String,
    pub(crate) matched: String,
    pub(crate) customer: String,
}

/// What is kept of a key's secret: its BLAKE3 hash in hexadecimal digits. Keys that the hub makes
/// carry 240 random bits, so that no slow hash is needed.
pub(crate) fn hash_of(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(id: u32, made: i64) -> Claims {
        let claims = json!({
            "iss": "http://hub/api", "typ": "Bearer", "sub": "ann", "aud": "/api",
            "exp": made + 1_000, "nbf": made, "iat": made, "jti": id.to_string(), "name": "Ann",
            "preferred_username": "ann", "email": null, "provider": "basic", "roles": [],
            "groups": [], "scope": "read", "email_verified": false,
        });
        serde_json::from_value(claims).unwrap()
    }

    fn ann() -> User {
        // As it was kept before tokens could be ended.
        let user = json!({
            "id": "ann", "name": "Ann", "login": "ann", "email": null, "password": null,
            "status": "active", "roles": [], "attributes": {}, "text": "",
            "created": Timestamp::from_seconds(0), "last_login": null, "updated": null,
            "email_verified": false,
        });
        serde_json::from_value(user).unwrap()
    }

    #[test]
    fn an_ended_token_stays_so_and_others_are_taken() {
        let mut user = ann();
        let now = Timestamp::from_seconds(100);
        user.end_token(&token(1, 100), now);
        assert!(!user.takes(&token(1, 100)));
        assert!(user.takes(&token(2, 100)));
        // What ended by itself need not be remembered.
        user.end_token(&token(3, 2_000), Timestamp::from_seconds(2_000));
        assert_eq!(user.ended_tokens.len(), 1);
    }

    #[test]
    fn what_no_longer_fits_ends_what_is_as_old() {
        let mut user = ann();
        let most = i64::try_from(MAX_ENDED_TOKENS).unwrap();
        let ended: Vec<_> = (0..=most).map(|at| token(u32::try_from(at).unwrap(), at)).collect();
        for token in &ended {
            user.end_token(token, Timestamp::from_seconds(most));
        }
        assert_eq!(user.ended_tokens.len(), MAX_ENDED_TOKENS);
        assert!(ended.iter().all(|token| !user.takes(token)));
        assert!(!user.takes(&token(1_000, 0)), "as old as the one that was forgotten");
        assert!(user.takes(&token(1_001, 1)));
    }
}
