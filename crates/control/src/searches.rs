//! Searches that people keep by a name.
//!
//! What a search says is not looked at here: it is the caller's text.

use bergfried_event::Timestamp;
use rusqlite::{ErrorCode, OptionalExtension as _, Row, params};
use serde::Serialize;

use crate::database::Control;
use crate::error::{ControlError, loaded, stored};

/// The most searches that one person keeps.
pub const MAX_SEARCHES: usize = 500;
const COLUMNS: &str = "id, owner, name, query, last, since, until, shared, changed";

/// Which events of all that are stored a kept search is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchTime<'a> {
    /// Those of the last span, such as `24h`.
    Last(&'a str),
    /// Those from a time on and before another, where there is one.
    Between(Timestamp, Option<Timestamp>),
}

impl SearchTime<'_> {
    /// As three columns.
    fn columns(&self) -> (&str, Option<i64>, Option<i64>) {
        match self {
            SearchTime::Last(last) => (last, None, None),
            SearchTime::Between(from, to) => ("", Some(from.micros()), to.map(Timestamp::micros)),
        }
    }
}

/// What a kept search is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSearch<'a> {
    /// What its owner calls it; each name once.
    pub name: &'a str,
    /// The search with its steps.
    pub query: &'a str,
    /// Over which time.
    pub time: SearchTime<'a>,
    /// Whether everyone sees it.
    pub shared: bool,
}

/// A search that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SavedSearch {
    /// Its number; never given twice.
    pub id: u64,
    /// Who keeps it.
    pub owner: String,
    /// What its owner calls it.
    pub name: String,
    /// The search with its steps.
    pub query: String,
    /// Over which span, such as `24h`; none where it is from a time on.
    pub last: Option<String>,
    /// From which time on.
    pub from: Option<Timestamp>,
    /// Before which time.
    pub to: Option<Timestamp>,
    /// Whether everyone sees it.
    pub shared: bool,
    /// When it was last changed.
    pub changed: Timestamp,
}

impl Control {
    /// Keeps a search.
    ///
    /// # Errors
    /// [`ControlError::Invalid`] where its owner has one of this name, or too many.
    pub fn keep_search(
        &self,
        owner: &str,
        new: &NewSearch<'_>,
        now: Timestamp,
    ) -> Result<SavedSearch, ControlError> {
        self.write(|transaction| {
            let kept: i64 = transaction.query_row(
                "SELECT count(*) FROM search WHERE owner = ?1",
                [owner],
                |row| row.get(0),
            )?;
            if loaded(kept) >= MAX_SEARCHES as u64 {
                return Err(invalid("there are 500 already, delete one first"));
            }
            let NewSearch { name, query, time, shared } = new;
            let (last, since, until) = time.columns();
            let inserted = transaction.execute(
                "INSERT INTO search (owner, name, query, last, since, until, shared, changed) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![owner, name, query, last, since, until, shared, now.micros()],
            );
            inserted.map_err(named_twice)?;
            let id = transaction.last_insert_rowid();
            Ok(transaction.query_row(
                &format!("SELECT {COLUMNS} FROM search WHERE id = ?1"),
                [id],
                read,
            )?)
        })
    }

    /// Puts another search in the place of the one of this number; none where it is gone.
    ///
    /// # Errors
    /// [`ControlError::Invalid`] where its owner has another one of this name.
    pub fn change_search(
        &self,
        id: u64,
        new: &NewSearch<'_>,
        now: Timestamp,
    ) -> Result<Option<SavedSearch>, ControlError> {
        let id = stored(id, "a search's id")?;
        self.write(|transaction| {
            let NewSearch { name, query, time, shared } = new;
            let (last, since, until) = time.columns();
            let updated = transaction.execute(
                "UPDATE search SET name = ?2, query = ?3, last = ?4, since = ?5, until = ?6, \
                 shared = ?7, changed = ?8 WHERE id = ?1",
                params![id, name, query, last, since, until, shared, now.micros()],
            );
            updated.map_err(named_twice)?;
            let sql = format!("SELECT {COLUMNS} FROM search WHERE id = ?1");
            Ok(transaction.query_row(&sql, [id], read).optional()?)
        })
    }

    /// The search of this number.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn saved_search(&self, id: u64) -> Result<Option<SavedSearch>, ControlError> {
        let Ok(id) = i64::try_from(id) else { return Ok(None) };
        let connection = self.reader();
        let mut statement =
            connection.prepare_cached(&format!("SELECT {COLUMNS} FROM search WHERE id = ?1"))?;
        Ok(statement.query_row([id], read).optional()?)
    }

    /// The searches that this person keeps, and those that others share, by name.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn saved_searches(&self, owner: &str) -> Result<Vec<SavedSearch>, ControlError> {
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM search WHERE owner = ?1 OR shared = 1 ORDER BY name, owner"
        ))?;
        let rows = statement.query_map([owner], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets the search of this number; whether there was one.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn delete_search(&self, id: u64) -> Result<bool, ControlError> {
        let Ok(id) = i64::try_from(id) else { return Ok(false) };
        self.write(|transaction| {
            Ok(transaction.execute("DELETE FROM search WHERE id = ?1", [id])? > 0)
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<SavedSearch> {
    let time = |column: usize| -> rusqlite::Result<Option<Timestamp>> {
        let micros: Option<i64> = row.get(column)?;
        Ok(micros.map(Timestamp::from_micros))
    };
    Ok(SavedSearch {
        id: loaded(row.get(0)?),
        owner: row.get(1)?,
        name: row.get(2)?,
        query: row.get(3)?,
        last: Some(row.get(4)?).filter(|last: &String| !last.is_empty()),
        from: time(5)?,
        to: time(6)?,
        shared: row.get(7)?,
        changed: Timestamp::from_micros(row.get(8)?),
    })
}

fn invalid(reason: &'static str) -> ControlError {
    ControlError::Invalid { what: "a search", reason }
}

fn named_twice(error: rusqlite::Error) -> ControlError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => invalid("its owner has one of this name already"),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountChange;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn search<'a>(name: &'a str, shared: bool) -> NewSearch<'a> {
        NewSearch { name, query: "failed | top user", time: SearchTime::Last("7d"), shared }
    }

    #[test]
    fn people_see_their_own_and_what_is_shared() {
        let directory = tempfile::tempdir().unwrap();
        let control = Control::open(&directory.path().join("control.db")).unwrap();
        let own = control.keep_search("ada", &search("mine", false), NOW).unwrap();
        control.keep_search("bob", &search("his", false), NOW).unwrap();
        let shared = control.keep_search("bob", &search("ours", true), NOW).unwrap();
        assert_eq!(control.saved_searches("ada").unwrap(), [own.clone(), shared.clone()]);
        assert_eq!(control.saved_search(own.id).unwrap(), Some(own.clone()));

        let again = control.keep_search("ada", &search("mine", true), NOW).unwrap_err();
        assert!(again.to_string().contains("one of this name"), "{again}");
        let later = NOW.plus_micros(1);
        let renamed = search("renamed", true);
        let changed = control.change_search(own.id, &renamed, later).unwrap().unwrap();
        assert_eq!((changed.name.as_str(), changed.changed), ("renamed", later));
        assert_eq!(changed.owner, "ada");
        let fixed = NewSearch { time: SearchTime::Between(NOW, Some(later)), ..renamed.clone() };
        let changed = control.change_search(own.id, &fixed, later).unwrap().unwrap();
        assert_eq!((changed.last, changed.from, changed.to), (None, Some(NOW), Some(later)));
        assert!(control.change_search(99, &renamed, later).unwrap().is_none());
        let taken = control.change_search(shared.id, &search("his", true), later).unwrap_err();
        assert!(matches!(taken, ControlError::Invalid { .. }), "{taken}");

        assert!(control.delete_search(own.id).unwrap());
        assert!(!control.delete_search(own.id).unwrap());
        assert_eq!(control.saved_search(own.id).unwrap(), None);
        let next = control.keep_search("ada", &search("mine", false), NOW).unwrap();
        assert!(next.id > shared.id, "a number is never given twice");
    }

    #[test]
    fn what_somebody_kept_for_themselves_goes_with_them() {
        let directory = tempfile::tempdir().unwrap();
        let control = Control::open(&directory.path().join("control.db")).unwrap();
        control.keep_search("bob", &search("his", false), NOW).unwrap();
        let ours = control.keep_search("bob", &search("ours", true), NOW).unwrap();
        let mine = control.keep_search("ada", &search("mine", false), NOW).unwrap();
        let gone = AccountChange::ForgetSearches { owner: "bob".to_owned() };
        control.change_accounts(&[gone], &[], NOW).unwrap();
        assert_eq!(control.saved_searches("bob").unwrap(), std::slice::from_ref(&ours));
        assert_eq!(control.saved_searches("ada").unwrap(), [mine, ours]);
    }

    #[test]
    fn nobody_keeps_without_end() {
        let directory = tempfile::tempdir().unwrap();
        let control = Control::open(&directory.path().join("control.db")).unwrap();
        control
            .write(|transaction| {
                let insert = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?1) \
                              INSERT INTO search (owner, name, query, last, shared, changed) \
                              SELECT 'ada', i, '', '24h', 0, 0 FROM n";
                Ok(transaction.execute(insert, [i64::try_from(MAX_SEARCHES).unwrap()])?)
            })
            .unwrap();
        let error = control.keep_search("ada", &search("more", false), NOW).unwrap_err();
        assert!(error.to_string().contains("delete one first"), "{error}");
        control.keep_search("bob", &search("more", false), NOW).unwrap();
    }
}
