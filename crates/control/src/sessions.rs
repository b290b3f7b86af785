//! Who is signed in to the console, as it lasts over restarts.
//!
//! Whoever writes holds the whole set in memory and decides there who is signed in.

use bergfried_event::Timestamp;
use rusqlite::params;

use crate::clip;
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};

const MAX_TEXT: usize = 256;

/// A session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its number; 0 where it has none yet.
    pub id: u64,
    /// The hash of the secret that its browser has.
    pub hash: [u8; 32],
    /// The id of the user.
    pub user: String,
    /// What the user was when they signed in, see the hub.
    pub stamp: [u8; 32],
    /// When they signed in.
    pub created: Timestamp,
    /// When it was last used, give or take a minute.
    pub last_used: Timestamp,
    /// From where they signed in.
    pub address: String,
    /// What the browser said of itself, cut to 256 bytes.
    pub browser: String,
}

impl Control {
    /// Keeps a new session; says its number.
    ///
    /// # Errors
    /// Where it cannot be made to last, as for each of these.
    pub fn add_session(&self, session: &SessionRow) -> Result<u64, ControlError> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO session (hash, user, stamp, created, last_used, address, browser) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    session.hash,
                    session.user,
                    session.stamp,
                    session.created.micros(),
                    session.last_used.micros(),
                    clip(&session.address, MAX_TEXT),
                    clip(&session.browser, MAX_TEXT)
                ],
            )?;
            Ok(loaded(transaction.last_insert_rowid()))
        })
    }

    /// Every session that is kept.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn sessions(&self) -> Result<Vec<SessionRow>, ControlError> {
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(
            "SELECT id, hash, user, stamp, created, last_used, address, browser FROM session",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(SessionRow {
                id: loaded(row.get(0)?),
                hash: row.get(1)?,
                user: row.get(2)?,
                stamp: row.get(3)?,
                created: Timestamp::from_micros(row.get(4)?),
                last_used: Timestamp::from_micros(row.get(5)?),
                address: row.get(6)?,
                browser: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets these sessions.
    ///
    /// # Errors
    /// Where that cannot be made to last.
    pub fn delete_sessions(&self, ids: &[u64]) -> Result<(), ControlError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached("DELETE FROM session WHERE id = ?1")?;
            for id in ids {
                statement.execute([stored(*id, "a number")?])?;
            }
            Ok(())
        })
    }

    /// Notes that a session was used; a power cut may take that back.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn note_session_use(&self, id: u64, now: Timestamp) -> Result<(), ControlError> {
        let id = stored(id, "a number")?;
        self.write_lightly(|transaction| {
            transaction
                .prepare_cached("UPDATE session SET last_used = ?2 WHERE id = ?1")?
                .execute(params![id, now.micros()])?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_last_and_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.sqlite");
        let at = Timestamp::from_seconds(5);
        let row = |number: u8| SessionRow {
            id: 0,
            hash: [number; 32],
            user: "ann".to_owned(),
            stamp: [9; 32],
            created: at,
            last_used: at,
            address: "192.0.2.1".to_owned(),
            browser: "Firefox".to_owned(),
        };
        let later = Timestamp::from_seconds(9);
        let ids = {
            let control = Control::open(&path).unwrap();
            let ids = [1, 2].map(|number| control.add_session(&row(number)).unwrap());
            assert!(control.add_session(&row(1)).is_err(), "no secret is had twice");
            control.note_session_use(ids[1], later).unwrap();
            control.delete_sessions(&ids[..1]).unwrap();
            ids
        };
        let control = Control::open(&path).unwrap();
        let kept = SessionRow { id: ids[1], last_used: later, ..row(2) };
        assert_eq!(control.sessions().unwrap(), [kept]);
    }
}
