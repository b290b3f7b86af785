//! What requests say of a user.

use bergfried_event::Timestamp;
use serde_json::{Map, Value};

use crate::adapters::alerta::accounts::User;
use crate::adapters::alerta::caller::Gate;
use crate::adapters::alerta::document::Document;
use crate::adapters::alerta::error::Refusal;
use crate::adapters::alerta::wire;
use crate::auth::passwords;
use crate::running::now;

/// What a request says of a user; what is absent stays.
#[derive(Default)]
pub(in super::super) struct Said {
    name: Option<String>,
    login: Option<String>,
    email: Option<String>,
    /// Its hash.
    password: Option<String>,
    status: Option<String>,
    roles: Option<Vec<String>>,
    attributes: Option<Map<String, Value>>,
    text: Option<String>,
    email_verified: Option<bool>,
    /// Whether it is the user who says so, and not who manages users.
    pub(super) by_oneself: bool,
}

impl Said {
    /// Reads what is said of the user of this id, or of a new one.
    pub(in super::super) async fn read(
        gate: &Gate,
        document: &Document,
        id: Option<&str>,
    ) -> Result<Said, Refusal> {
        let set = |text: Option<String>| text.filter(|text| !text.is_empty());
        let status = set(document.name("status")?);
        if status
            .as_deref()
            .is_some_and(|status| !["active", "inactive", "unknown"].contains(&status))
        {
            return Err(Refusal::field("status", "`active`, `inactive` or `unknown`"));
        }
        let attributes = match document.value("attributes") {
            None => None,
            Some(Value::Object(attributes)) => Some(attributes.clone()),
            Some(_) => return Err(Refusal::field("attributes", "an object of JSON")),
        };
        let email_verified = match document.value("email_verified") {
            None => None,
            Some(Value::Bool(verified)) => Some(*verified),
            Some(_) => return Err(Refusal::field("email_verified", "true or false")),
        };
        let (login, email) = (set(document.name("login")?), set(document.name("email")?));
        let password = match set(document.text("password")?) {
            None => None,
            Some(password) => {
                let known = id.and_then(|id| gate.accounts.now().users.get(id).cloned());
                let known = known.iter().flat_map(|user| user.names());
                let said = [&login, &email].into_iter().flatten().map(String::as_str);
                // Without any name it is judged all the same.
                for name in said.chain(known).chain([""]) {
                    passwords::check(&password, name)?;
                }
                Some(gate.passwords.hash(password).await?)
            }
        };
        Ok(Said {
            name: set(document.name("name")?),
            login,
            email,
            password,
            status,
            // The command-line client sends an empty list where it means none at all.
            roles: document.words("roles")?.filter(|roles| !roles.is_empty()),
            attributes,
            text: document.text("text")?,
            email_verified,
            by_oneself: false,
        })
    }

    /// Attributes and nothing else.
    pub(super) fn attributes(document: &Document) -> Result<Said, Refusal> {
        match document.value("attributes") {
            Some(Value::Object(attributes)) => {
                Ok(Said { attributes: Some(attributes.clone()), ..Said::default() })
            }
            _ => Err(Refusal::field("attributes", "an object of JSON")),
        }
    }

    /// Whether it says by what name or address the user is known.
    pub(super) fn says_who(&self) -> bool {
        self.login.is_some() || self.email.is_some() || self.email_verified == Some(true)
    }

    /// What people may say of themselves.
    pub(super) fn of_oneself(self) -> Said {
        Said {
            status: None,
            roles: None,
            attributes: None,
            email_verified: None,
            by_oneself: true,
            ..self
        }
    }

    /// What strangers may say of themselves.
    pub(in super::super) fn of_stranger(self) -> Said {
        Said { login: None, ..self.of_oneself() }
    }

    /// A new user.
    pub(in super::super) fn new_user(self, default_role: &str) -> Result<User, Refusal> {
        let missing = |field| Refusal::invalid(format!("missing mandatory value for `{field}`"));
        let name = self.name.ok_or_else(|| missing("name"))?;
        let login = self.login.clone().or_else(|| self.email.clone());
        let login = login.ok_or_else(|| missing("login` or `email"))?;
        Ok(User {
            id: wire::new_id(),
            name,
            email: self.email.or_else(|| login.contains('@').then(|| login.clone())),
            login,
            password: self.password,
            status: self.status.unwrap_or_else(|| "active".to_owned()),
            roles: self.roles.unwrap_or_else(|| vec![default_role.to_owned()]),
            attributes: self.attributes.unwrap_or_default(),
            text: self.text.unwrap_or_default(),
            created: now(),
            last_login: None,
            updated: Some(now()),
            email_verified: self.email_verified.unwrap_or(false),
            is_vouched: false,
            tokens_since: None,
            ended_tokens: Vec::new(),
        })
    }

    pub(super) fn apply(self, user: &mut User) {
        let now = now();
        if let Some(password) = self.password {
            user.password = Some(password);
            // In whole seconds, as tokens tell when they were made.
            user.tokens_since = Some(now.floor_to(Timestamp::SECOND));
        }
        if let Some(email) = self.email {
            if user.email.as_deref() == Some(user.login.as_str()) {
                user.login.clone_from(&email);
            }
            if user.email.as_ref() != Some(&email) {
                user.email_verified = false;
            }
            user.email = Some(email);
        }
        user.name = self.name.unwrap_or_else(|| std::mem::take(&mut user.name));
        user.login = self.login.unwrap_or_else(|| std::mem::take(&mut user.login));
        user.status = self.status.unwrap_or_else(|| std::mem::take(&mut user.status));
        user.roles = self.roles.unwrap_or_else(|| std::mem::take(&mut user.roles));
        user.text = self.text.unwrap_or_else(|| std::mem::take(&mut user.text));
        user.email_verified = self.email_verified.unwrap_or(user.email_verified);
        if let Some(attributes) = self.attributes {
            merge(&mut user.attributes, attributes);
        }
        user.updated = Some(now);
    }
}

/// Lays an object over another, object in object; a null takes a key away.
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (_, Value::Null) => {
                into.remove(&key);
            }
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, Value::Object(from)) => {
                // So that nulls within a new object are taken away too.
                let mut new = Map::new();
                merge(&mut new, from);
                into.insert(key, Value::Object(new));
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_are_merged_object_in_object() {
        for (into, from, merged) in [
            (json!({}), json!({"a": 1}), json!({"a": 1})),
            (json!({"a": 1, "b": 2}), json!({"a": null}), json!({"b": 2})),
            (
                json!({"a": {"x": 1, "y": 2}}),
                json!({"a": {"x": 3}}),
                json!({"a": {"x": 3, "y": 2}}),
            ),
            (json!({"a": {"x": 1}}), json!({"a": {"x": null}}), json!({"a": {}})),
            (json!({"a": 1}), json!({"a": {"x": null, "y": 1}}), json!({"a": {"y": 1}})),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
        ] {
            let mut object = into.as_object().unwrap().clone();
            merge(&mut object, from.as_object().unwrap().clone());
            assert_eq!(Value::Object(object), merged, "{into} {from}");
        }
    }
}
