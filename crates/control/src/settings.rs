//! Small settings that outlive a restart, by key.

use rusqlite::{OptionalExtension as _, params};

use crate::database::Control;
use crate::error::ControlError;

const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 64 * 1024;

impl Control {
    /// The value of a setting.
    pub fn setting(&self, key: &str) -> Result<Option<String>, ControlError> {
        let connection = self.reader();
        let mut statement =
            connection.prepare_cached("SELECT value FROM setting WHERE key = ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    /// Sets a setting; the key has at most 128 bytes, the value 64 KiB.
    pub fn set_setting(&self, key: &str, value: &str) -> Result<(), ControlError> {
        if key.len() > MAX_KEY || value.len() > MAX_VALUE {
            return Err(ControlError::Invalid { what: "a setting", reason: "it is too long" });
        }
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO setting (key, value) VALUES (?1, ?2) \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                params![key, value],
            )?;
            Ok(())
        })
    }
}
