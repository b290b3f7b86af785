//! The users and the audit trail of a hub that does not run, for commands on its machine.
//!
//! Whoever can write the data directory may do everything: nobody else is asked.

use std::path::Path;
use std::sync::Arc;

use bergfried_control::{AuditCheck, AuditEntry, AuditQuery, Control};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::people::{self, Said};
use super::{passwords, person::Role};
use crate::adapters::alerta::{Accounts, AlertaSettings, Draft, Refusal, hash_now};
use crate::data_dir::DataDir;
use crate::error::ApiError;
use crate::running::HubError;

/// Who did it, in the audit trail.
const WHO: &str = "command line";

/// A hub that does not run; nobody else can start it meanwhile.
#[derive(Debug)]
pub struct StoppedHub {
    control: Arc<Control>,
    accounts: Accounts,
    settings: AlertaSettings,
    /// Holds the lock.
    _directory: DataDir,
}

/// Why a user cannot be made or changed, as a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UserRefused(String);

impl From<Refusal> for UserRefused {
    fn from(refusal: Refusal) -> Self {
        ApiError::from(refusal).into()
    }
}

impl From<ApiError> for UserRefused {
    fn from(error: ApiError) -> Self {
        UserRefused(error.message().to_owned())
    }
}

impl StoppedHub {
    /// Takes hold of a data directory; none where a hub runs on it. `settings` are those that the hub
    /// runs with.
    ///
    /// # Errors
    /// Where there is no such directory, or it cannot be read.
    pub fn open(path: &Path, settings: AlertaSettings) -> Result<Option<StoppedHub>, HubError> {
        // A directory that no hub has used is not made into one here.
        std::fs::metadata(path.join("control.sqlite"))
            .map_err(|error| HubError::DataDir { path: path.to_owned(), error })?;
        let directory = match DataDir::hold(path) {
            Ok(directory) => directory,
            Err(HubError::Held(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let control = Arc::new(Control::open(&directory.control())?);
        let accounts = Accounts::load(Arc::clone(&control))?;
        Ok(Some(StoppedHub { control, accounts, settings, _directory: directory }))
    }

    /// Every user, as `GET /api/v1/users` shows them.
    pub fn users(&self) -> Vec<Value> {
        let directory = self.accounts.now();
        let auth = &self.settings.auth;
        let listed = directory.users.values().map(|user| people::listed(auth, &directory, user));
        listed.filter_map(|user| serde_json::to_value(user).ok()).collect()
    }

    /// Makes a user.
    ///
    /// # Errors
    /// Where the name, the role or the password is none, or the name is taken.
    pub fn add_user(&self, name: &str, role: &str, password: &str) -> Result<(), UserRefused> {
        let said = Said {
            role: Some(word::<Role>("role", role)?),
            password: Some(hashed(password, name)?),
            ..Said::default()
        };
        self.change(|draft| people::add(draft, &self.settings.auth, WHO, name, said).map(drop))
    }

    /// Sets a user's password; they are signed out everywhere.
    ///
    /// # Errors
    /// Where there is no such user, or the password is none.
    pub fn set_password(&self, name: &str, password: &str) -> Result<(), UserRefused> {
        let said = Said { password: Some(hashed(password, name)?), ..Said::default() };
        self.change(|draft| people::change(draft, &self.settings.auth, WHO, name, said).map(drop))
    }

    /// Deletes a user.
    ///
    /// # Errors
    /// Where there is no such user, or nobody would be left who may do everything.
    pub fn delete_user(&self, name: &str) -> Result<(), UserRefused> {
        self.change(|draft| people::delete(draft, &self.settings.auth, WHO, name))
    }

    /// The newest entries of the audit trail.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, HubError> {
        Ok(self.control.audit(&AuditQuery { limit, ..AuditQuery::default() })?)
    }

    /// Whether the audit trail is as it was written.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn verify_audit(&self) -> Result<AuditCheck, HubError> {
        Ok(self.control.verify_audit()?)
    }

    fn change(
        &self,
        work: impl FnOnce(&mut Draft) -> Result<(), Refusal>,
    ) -> Result<(), UserRefused> {
        Ok(self.accounts.change_now(work)?)
    }
}

fn word<T: DeserializeOwned>(what: &str, word: &str) -> Result<T, UserRefused> {
    serde_json::from_value(Value::from(word))
        .map_err(|_| UserRefused(format!("`{what}` must be viewer, operator or admin")))
}

fn hashed(password: &str, name: &str) -> Result<String, UserRefused> {
    passwords::check(password, name)?;
    hash_now(password).ok_or_else(|| UserRefused("cannot hash the password".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_managed_while_no_hub_runs() {
        let directory = tempfile::tempdir().unwrap();
        let open = || StoppedHub::open(directory.path(), AlertaSettings::default());
        assert!(matches!(open(), Err(HubError::DataDir { .. })), "it is no hub's yet");
        drop(Control::open(&directory.path().join("control.sqlite")).unwrap());
        let hub = open().unwrap().unwrap();
        assert!(open().unwrap().is_none(), "somebody holds it");
        let good = "correct horse";
        for (name, role, password, said) in [
            ("ann", "king", good, "viewer, operator or admin"),
            ("ann", "admin", "short", "10 characters"),
            ("a b", "admin", good, "letters"),
        ] {
            let refused = hub.add_user(name, role, password).unwrap_err().to_string();
            assert!(refused.contains(said), "{refused}");
        }
        hub.add_user("ann", "admin", good).unwrap();
        assert!(hub.add_user("ann", "viewer", good).unwrap_err().to_string().contains("already"));
        hub.add_user("bob", "operator", good).unwrap();
        hub.set_password("bob", "another good one").unwrap();
        assert!(hub.delete_user("ann").unwrap_err().to_string().contains("nobody would be left"));
        hub.delete_user("bob").unwrap();
        assert!(hub.delete_user("bob").is_err());
        let users = hub.users();
        assert_eq!((users.len(), &users[0]["role"]), (1, &Value::from("admin")));

        let said: Vec<String> =
            hub.audit(10).unwrap().into_iter().rev().map(|entry| entry.action).collect();
        let expected =
            ["user.create", "user.create", "user.password", "user.change", "user.delete"];
        assert_eq!(said, expected);
        assert_eq!(hub.verify_audit().unwrap(), AuditCheck { entries: 5, broken: None });
        let text = serde_json::to_string(&hub.audit(10).unwrap()).unwrap();
        assert!(!text.contains("argon2") && !text.contains(good), "{text}");
    }
}
