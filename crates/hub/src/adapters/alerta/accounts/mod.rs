//! Users, groups, keys, permissions and customers: held in memory, kept in the control store.
//!
//! A change is written first and seen afterwards, as a whole. Readers take what is there now and keep
//! it for as long as they need it.

mod records;
mod uses;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::http::StatusCode;
use bergfried_control::{AccountChange, AuditChange, Control, ControlError, NewAudit};
use bergfried_event::Timestamp;
use tokio::sync::watch;

use super::error::Refusal;
use crate::error::ApiError;
use crate::running::now;
pub(crate) use records::{CustomerMatch, Group, Key, Permission, Record, User, hash_of};
use uses::Uses;

/// Everybody that is known, at some moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    pub(crate) users: BTreeMap<String, Arc<User>>,
    pub(crate) groups: BTreeMap<String, Arc<Group>>,
    pub(crate) keys: BTreeMap<String, Arc<Key>>,
    pub(crate) permissions: BTreeMap<String, Arc<Permission>>,
    pub(crate) customers: BTreeMap<String, Arc<CustomerMatch>>,
    by_secret: HashMap<String, Arc<Key>>,
}

impl Directory {
    /// The key with this secret.
    pub(crate) fn key_of(&self, secret: &str) -> Option<&Arc<Key>> {
        self.by_secret.get(&hash_of(secret))
    }

    /// The key of this id, or with this secret.
    pub(crate) fn key(&self, id_or_secret: &str) -> Option<&Arc<Key>> {
        self.keys.get(id_or_secret).or_else(|| self.key_of(id_or_secret))
    }

    /// Who logs in with this name, or has this e-mail address.
    pub(crate) fn user_named(&self, name: &str) -> Option<&Arc<User>> {
        let by_login = self.users.values().find(|user| user.login == name);
        by_login.or_else(|| self.users.values().find(|user| user.has_email(name)))
    }

    /// The names of the groups that this user is in.
    pub(crate) fn groups_of(&self, user: &str) -> Vec<String> {
        let groups = self.groups.values().filter(|group| group.users.contains(user));
        groups.map(|group| group.name.clone()).collect()
    }

    fn index_keys(&mut self) {
        let keys = self.keys.values();
        self.by_secret = keys.map(|key| (key.hash.clone(), Arc::clone(key))).collect();
    }
}

/// The directory, and the way to change it.
#[derive(Debug)]
pub(crate) struct Accounts {
    control: Arc<Control>,
    writing: Mutex<()>,
    now: RwLock<Arc<Directory>>,
    uses: Uses,
    /// Rises with every change.
    changes: watch::Sender<u64>,
}

impl Accounts {
    /// Reads everything that the control store keeps.
    ///
    /// # Errors
    /// Where the control store fails.
    pub(crate) fn load(control: Arc<Control>) -> Result<Accounts, ControlError> {
        let mut directory = Directory {
            users: load(&control)?,
            groups: load(&control)?,
            keys: load(&control)?,
            permissions: load(&control)?,
            customers: load(&control)?,
            by_secret: HashMap::new(),
        };
        directory.index_keys();
        let uses = Uses::of(control.account_uses()?);
        Ok(Accounts {
            control,
            writing: Mutex::new(()),
            now: RwLock::new(Arc::new(directory)),
            uses,
            changes: watch::Sender::new(0),
        })
    }

    /// Rings whenever somebody is another than before.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What is known now.
    pub(crate) fn now(&self) -> Arc<Directory> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `work` on a draft of the directory; what it changed is kept and then seen, all at once.
    ///
    /// # Errors
    /// What `work` refuses, and 5xx where the change cannot be kept; nothing is changed then.
    pub(crate) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Draft) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let accounts = Arc::clone(self);
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || span.in_scope(|| accounts.change_now(work)));
        done.await.unwrap_or_else(|error| Err(ApiError::internal(&error).into()))
    }

    /// As [`Accounts::change`], on a thread that may wait for the disk.
    pub(crate) fn change_now<T>(
        &self,
        work: impl FnOnce(&mut Draft) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = (*self.now()).clone();
        let mut draft = Draft { directory, changes: Vec::new(), audited: Vec::new() };
        let result = work(&mut draft)?;
        if !(draft.changes.is_empty() && draft.audited.is_empty()) {
            let kept = self.control.change_accounts(&draft.changes, &draft.audited, now());
            kept.map_err(ApiError::from)?;
            draft.directory.index_keys();
            let next = Arc::new(draft.directory);
            *self.now.write().unwrap_or_else(PoisonError::into_inner) = next;
            self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
        }
        Ok(result)
    }

    /// Counts a use of a key; says whether it is time to write the counts down.
    pub(crate) fn used(&self, key: &str, now: Timestamp) -> bool {
        self.uses.used(key, now)
    }

    /// How often a key was used, and when last.
    pub(crate) fn uses_of(&self, key: &str) -> (u64, Option<Timestamp>) {
        self.uses.of_key(key)
    }

    /// Writes down how often keys were used.
    pub(crate) fn write_uses(&self) {
        let uses = self.uses.take_unwritten(&self.now().keys);
        if let Err(error) = self.control.record_account_uses(&uses) {
            tracing::warn!(%error, "cannot note when keys were used");
        }
    }
}

/// A directory that is being changed.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) directory: Directory,
    changes: Vec<AccountChange>,
    audited: Vec<NewAudit>,
}

impl Draft {
    /// Says in the audit trail who does what; it lasts together with the change.
    pub(crate) fn audit(
        &mut self,
        who: Option<&str>,
        action: String,
        target: String,
        change: Result<AuditChange, ControlError>,
    ) -> Result<(), Refusal> {
        let (who, change) =
            (who.unwrap_or("anonymous").to_owned(), change.map_err(ApiError::from)?);
        self.audited.push(NewAudit { who, action, target, change });
        Ok(())
    }

    /// Puts a record in, in the place of the one with its id.
    ///
    /// # Errors
    /// Where there are too many such records, or this one is too large.
    pub(crate) fn put<R: Record>(&mut self, record: R) -> Result<Arc<R>, Refusal> {
        let id = record.id().to_owned();
        let change = AccountChange::put(R::KIND, &id, &record).map_err(ApiError::from)?;
        let records = R::among_mut(&mut self.directory);
        if records.len() >= R::MAX && !records.contains_key(&id) {
            return Err(Refusal::new(
                StatusCode::INSUFFICIENT_STORAGE,
                format!("there are {} {}s, the most that the hub keeps", R::MAX, R::KIND),
            ));
        }
        let record = Arc::new(record);
        records.insert(id, Arc::clone(&record));
        self.changes.push(change);
        Ok(record)
    }

    /// Forgets the searches that this person kept for themselves.
    pub(crate) fn forget_searches(&mut self, owner: &str) {
        self.changes.push(AccountChange::ForgetSearches { owner: owner.to_owned() });
    }

    /// Takes a record out.
    ///
    /// # Errors
    /// 404 where there is none of this id.
    pub(crate) fn delete<R: Record>(&mut self, id: &str) -> Result<(), Refusal> {
        match R::among_mut(&mut self.directory).remove(id) {
            Some(_) => {
                self.changes.push(AccountChange::delete(R::KIND, id));
                Ok(())
            }
            None => Err(Refusal::not_found()),
        }
    }

    /// The record of this id.
    ///
    /// # Errors
    /// 404 where there is none.
    pub(crate) fn get<R: Record>(&self, id: &str) -> Result<R, Refusal> {
        let found = R::among(&self.directory).get(id);
        found.map(|record| (**record).clone()).ok_or_else(Refusal::not_found)
    }
}

fn load<R: Record>(control: &Control) -> Result<BTreeMap<String, Arc<R>>, ControlError> {
    let records = control.accounts::<R>(R::KIND)?;
    Ok(records.into_iter().map(|record| (record.id().to_owned(), Arc::new(record))).collect())
}
