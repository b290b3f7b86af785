//! A copy of the database while a hub uses it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::database::Control;
use crate::error::ControlError;

impl Control {
    /// Copies the database at `path`, which another process may be writing to, into the new file `to`:
    /// as it is at one moment.
    ///
    /// # Errors
    /// Where there is no database, `to` is there already, or the disk fails.
    pub fn snapshot(path: &Path, to: &Path) -> Result<(), ControlError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;

    use super::*;
    use crate::TokenKind;

    #[test]
    fn is_whole_while_the_database_is_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let (path, to) = (directory.path().join("a.sqlite"), directory.path().join("b.sqlite"));
        assert!(Control::snapshot(&path, &to).is_err());
        let control = Control::open(&path).unwrap();
        let now = Timestamp::from_seconds(5);
        control.create_token(TokenKind::Admin, "first", now).unwrap();
        Control::snapshot(&path, &to).unwrap();
        control.create_token(TokenKind::Admin, "second", now).unwrap();
        assert!(Control::snapshot(&path, &to).is_err(), "an earlier copy is not written over");
        let copy = Control::open(&to).unwrap();
        assert_eq!(copy.list_tokens().unwrap().len(), 1);
    }
}
