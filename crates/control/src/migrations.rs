//! Brings the schema of the database up to date, one numbered step after the other.
//!
//! Steps are only ever appended: a step that has shipped is never edited.

mod audit_chain;
mod old_alerts;
mod old_outbox;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::ControlError;

/// `application_id` of the file: `bgfC` in ASCII.
const APPLICATION_ID: i64 = 0x6267_6643;

const STEPS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_token_limits.sql"),
    include_str!("migrations/0003_accounts.sql"),
    include_str!("migrations/0004_telling.sql"),
    include_str!("migrations/0005_book.sql"),
    include_str!("migrations/0006_no_old_alerts.sql"),
    include_str!("migrations/0007_exceptions.sql"),
    include_str!("migrations/0008_no_outbox.sql"),
    include_str!("migrations/0009_hosts.sql"),
    include_str!("migrations/0010_searches.sql"),
    include_str!("migrations/0011_people.sql"),
    include_str!("migrations/0012_raised.sql"),
    include_str!("migrations/0013_search_times.sql"),
];

/// Runs the steps that the database has not seen, each in its own transaction.
pub(crate) fn apply(connection: &mut Connection) -> Result<(), ControlError> {
    apply_steps(connection, STEPS)
}

/// As [`apply`], as a program did that knew only so many steps.
#[cfg(test)]
pub(crate) fn apply_until(connection: &mut Connection, last: usize) {
    apply_steps(connection, &STEPS[..last]).unwrap();
}

fn apply_steps(connection: &mut Connection, steps: &[&str]) -> Result<(), ControlError> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    for (index, step) in steps.iter().enumerate() {
        let step_version = i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1);
        // Read inside the transaction: two processes may open the same file at once.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let application: i64 =
            transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if application != APPLICATION_ID && (application != 0 || found != 0) {
            return Err(ControlError::Corrupt("it is another program's database".to_owned()));
        }
        if found > known {
            return Err(ControlError::Newer { found, known });
        }
        if found < step_version {
            if step_version == old_alerts::STEP {
                old_alerts::convert(&transaction)?;
            }
            if old_outbox::STEPS.contains(&step_version) {
                old_outbox::convert(&transaction)?;
            }
            if step_version == audit_chain::STEP {
                audit_chain::convert(&transaction)?;
            }
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", step_version)?;
            transaction.commit()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection).unwrap();
        connection.execute("INSERT INTO setting VALUES ('a', 'b')", []).unwrap();
        let schema = |connection: &Connection| -> Vec<String> {
            let mut statement = connection.prepare("SELECT sql FROM sqlite_schema").unwrap();
            let rows = statement.query_map([], |row| Ok(row.get(0).unwrap_or_default())).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let before = schema(&connection);
        apply(&mut connection).unwrap();
        assert_eq!(schema(&connection), before);
        let kept: i64 =
            connection.query_row("SELECT count(*) FROM setting", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 1);
    }

    #[test]
    fn a_newer_or_foreign_database_is_left_alone() {
        let mut newer = Connection::open_in_memory().unwrap();
        apply(&mut newer).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(apply(&mut newer), Err(ControlError::Newer { found: 99, .. })));

        let mut foreign = Connection::open_in_memory().unwrap();
        foreign.pragma_update(None, "application_id", 7).unwrap();
        assert!(matches!(apply(&mut foreign), Err(ControlError::Corrupt(_))));
    }

    #[test]
    fn every_table_is_strict() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection).unwrap();
        let loose: i64 = connection
            .query_row(
                "SELECT count(*) FROM pragma_table_list \
                 WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(loose, 0);
    }
}
