//! Opening the database file, and the four connections to it.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::error::ControlError;
use crate::migrations;

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const CACHED_STATEMENTS: usize = 64;

/// The control store; share it behind an `Arc`.
#[derive(Debug)]
pub struct Control {
    /// Writes that must last.
    writer: Mutex<Connection>,
    /// Writes that a power cut may take back, which cost no wait for the disk.
    light_writer: Mutex<Connection>,
    /// Reads, which never wait for a write.
    reader: Mutex<Connection>,
    /// Reads that may take long, so that no token check waits for them.
    long_reader: Mutex<Connection>,
    pub(crate) unrecorded_uses: AtomicU64,
    pub(crate) token_changes: AtomicU64,
}

impl Control {
    /// Opens the database at `path`, making it (mode 0600) and bringing its schema up to date.
    ///
    /// # Errors
    /// [`ControlError::Newer`] where a newer program wrote it, [`ControlError::Corrupt`] where it
    /// is no database, [`ControlError::Open`] where the file cannot be made.
    pub fn open(path: &Path) -> Result<Control, ControlError> {
        restrict(path).map_err(|cause| ControlError::Open { path: path.to_owned(), cause })?;
        let mut writer = connect(path, "FULL")?;
        migrations::apply(&mut writer)?;
        Ok(Control {
            writer: Mutex::new(writer),
            light_writer: Mutex::new(connect(path, "NORMAL")?),
            reader: Mutex::new(connect(path, "NORMAL")?),
            long_reader: Mutex::new(connect(path, "NORMAL")?),
            unrecorded_uses: AtomicU64::new(0),
            token_changes: AtomicU64::new(0),
        })
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Connection> {
        lock(&self.writer)
    }

    pub(crate) fn reader(&self) -> MutexGuard<'_, Connection> {
        lock(&self.reader)
    }

    pub(crate) fn long_reader(&self) -> MutexGuard<'_, Connection> {
        lock(&self.long_reader)
    }

    /// Runs `work` in one transaction: all of it lasts, or nothing happened.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        in_transaction(&mut self.writer(), work)
    }

    /// As [`Control::write`], for what a power cut may take back.
    pub(crate) fn write_lightly<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        in_transaction(&mut lock(&self.light_writer), work)
    }
}

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    // A panic rolls its transaction back, so the connection behind a poisoned lock is sound.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, ControlError>,
) -> Result<T, ControlError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

/// Makes the file where it is missing; only its owner may read it. SQLite gives its side files the
/// same mode.
fn restrict(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

fn connect(path: &Path, synchronous: &str) -> Result<Connection, ControlError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;

    use super::*;
    use crate::{BookChanges, BookRow, TokenKind};

    #[test]
    fn a_full_disk_changes_nothing_and_locks_nobody_out() {
        let directory = tempfile::tempdir().unwrap();
        let control = Control::open(&directory.path().join("control.db")).unwrap();
        let now = Timestamp::from_seconds(0);
        let (_, secret) = control.create_token(TokenKind::Admin, "first", now).unwrap();
        let pages: i64 =
            control.writer().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        control.writer().pragma_update(None, "max_page_count", pages).unwrap();
        let row = |number| BookRow { number, body: Some("x".repeat(4000)) };
        let changes = BookChanges {
            applied: Some(1),
            alerts: (1..50).map(row).collect(),
            ..BookChanges::default()
        };
        let error = control.write_book(&changes).unwrap_err();
        assert!(matches!(error, ControlError::Full), "{error:?}");
        assert_eq!(control.applied_sequence().unwrap(), 0);
        let mut stored = 0;
        control.read_book(|_, _| stored += 1).unwrap();
        assert_eq!(stored, 0);
        let token = control.check_token(TokenKind::Admin, secret.expose(), now).unwrap();
        assert!(token.is_some());

        control.writer().pragma_update(None, "max_page_count", 1_000_000).unwrap();
        control.write_book(&changes).unwrap();
        assert_eq!(control.applied_sequence().unwrap(), 1);
    }
}
