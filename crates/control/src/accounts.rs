//! Who may use the alert API, as it is kept: records of JSON by kind and id.
//!
//! What a record says is its owner's matter; here it lasts. Whoever writes holds the whole set in
//! memory and checks it there, because one hub alone uses the database.

use bergfried_event::Timestamp;
use rusqlite::params;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::audit::{NewAudit, append};
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};

const MAX_ID: usize = 256;
const MAX_BODY: usize = 256 * 1024;

/// A change of the records.
#[derive(Debug)]
pub enum AccountChange {
    /// A record is new, or takes the place of the one with its id.
    Put {
        /// What kind of record it is.
        kind: &'static str,
        /// Its id among those of its kind.
        id: String,
        /// The record as JSON.
        body: String,
    },
    /// A record goes; one that is not there is none the less gone.
    Delete {
        /// What kind of record it is.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// Searches that this person kept for themselves go; what they share stays.
    ForgetSearches {
        /// What they sign in with.
        owner: String,
    },
}

impl AccountChange {
    /// The change that keeps this record.
    ///
    /// # Errors
    /// [`ControlError::Invalid`] where the record is larger than 256 KiB.
    pub fn put(
        kind: &'static str,
        id: &str,
        record: &impl Serialize,
    ) -> Result<AccountChange, ControlError> {
        let body = serde_json::to_string(record)?;
        if id.len() > MAX_ID || body.len() > MAX_BODY {
            return Err(ControlError::Invalid { what: kind, reason: "it is too large" });
        }
        Ok(AccountChange::Put { kind, id: id.to_owned(), body })
    }

    /// The change that deletes the record of this id.
    pub fn delete(kind: &'static str, id: &str) -> AccountChange {
        AccountChange::Delete { kind, id: id.to_owned() }
    }
}

/// How often a key was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountUse {
    /// The key's id.
    pub id: String,
    /// How often.
    pub count: u64,
    /// When last.
    pub last_used: Timestamp,
}

impl Control {
    /// Every record of a kind, by id.
    ///
    /// # Errors
    /// [`ControlError::Corrupt`] where a record cannot be read.
    pub fn accounts<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>, ControlError> {
        let connection = self.long_reader();
        let mut statement =
            connection.prepare_cached("SELECT body FROM account WHERE kind = ?1 ORDER BY id")?;
        let mut rows = statement.query([kind])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let body: String = row.get(0)?;
            records.push(serde_json::from_str(&body)?);
        }
        Ok(records)
    }

    /// Makes these changes and says so in the audit trail, all of it or nothing.
    ///
    /// # Errors
    /// Where they cannot be made to last.
    pub fn change_accounts(
        &self,
        changes: &[AccountChange],
        audited: &[NewAudit],
        now: Timestamp,
    ) -> Result<(), ControlError> {
        self.write(|transaction| {
            audited.iter().try_for_each(|done| append(transaction, done, now))?;
            for change in changes {
                match change {
                    AccountChange::Put { kind, id, body } => transaction
                        .prepare_cached(
                            "INSERT INTO account (kind, id, body) VALUES (?1, ?2, ?3) \
                             ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                        )?
                        .execute(params![kind, id, body])?,
                    AccountChange::Delete { kind, id } => {
                        transaction
                            .prepare_cached("DELETE FROM account_use WHERE id = ?1")?
                            .execute([id])?;
                        transaction
                            .prepare_cached("DELETE FROM account WHERE kind = ?1 AND id = ?2")?
                            .execute(params![kind, id])?
                    }
                    AccountChange::ForgetSearches { owner } => transaction
                        .prepare_cached("DELETE FROM search WHERE owner = ?1 AND shared = 0")?
                        .execute([owner])?,
                };
            }
            Ok(())
        })
    }

    /// How often each key was used, as far as it was written.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn account_uses(&self) -> Result<Vec<AccountUse>, ControlError> {
        let connection = self.long_reader();
        let mut statement =
            connection.prepare_cached("SELECT id, count, last_used FROM account_use")?;
        let rows = statement.query_map([], |row| {
            Ok(AccountUse {
                id: row.get(0)?,
                count: loaded(row.get(1)?),
                last_used: Timestamp::from_micros(row.get(2)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes how often keys were used; a power cut may take it back.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn record_account_uses(&self, uses: &[AccountUse]) -> Result<(), ControlError> {
        self.write_lightly(|transaction| {
            for used in uses {
                transaction
                    .prepare_cached(
                        "INSERT INTO account_use (id, count, last_used) VALUES (?1, ?2, ?3) \
                         ON CONFLICT (id) DO UPDATE \
                         SET count = excluded.count, last_used = excluded.last_used",
                    )?
                    .execute(params![
                        used.id,
                        stored(used.count, "a count")?,
                        used.last_used.micros()
                    ])?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AuditChange;

    #[test]
    fn records_last_and_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.sqlite");
        let put = |id: &str, text: &str| AccountChange::put("user", id, &text).unwrap();
        let used =
            AccountUse { id: "a".to_owned(), count: 3, last_used: Timestamp::from_seconds(9) };
        {
            let control = Control::open(&path).unwrap();
            control
                .change_accounts(
                    &[put("b", "two"), put("a", "one"), put("b", "three")],
                    &[],
                    Timestamp::from_seconds(1),
                )
                .unwrap();
            control.record_account_uses(std::slice::from_ref(&used)).unwrap();
        }
        let control = Control::open(&path).unwrap();
        assert_eq!(control.accounts::<String>("user").unwrap(), ["one", "three"]);
        assert_eq!(control.accounts::<String>("group").unwrap(), Vec::<String>::new());
        assert_eq!(control.account_uses().unwrap(), [used]);
        let audited = NewAudit {
            who: "ann".to_owned(),
            action: "user.delete".to_owned(),
            target: "a".to_owned(),
            change: AuditChange::default(),
        };
        control
            .change_accounts(
                &[AccountChange::delete("user", "a")],
                &[audited],
                Timestamp::from_seconds(2),
            )
            .unwrap();
        assert_eq!(control.verify_audit().unwrap().entries, 1);
        assert_eq!(control.accounts::<String>("user").unwrap(), ["three"]);
        assert_eq!(control.account_uses().unwrap(), []);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let error = AccountChange::put("user", "a", &"x".repeat(MAX_BODY)).unwrap_err();
        assert!(matches!(error, ControlError::Invalid { .. }), "{error}");
    }
}
