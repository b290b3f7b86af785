use rusqlite::Connection;
use serde_json::json;

use super::*;

fn trail(entries: i64) -> (tempfile::TempDir, Control) {
    let directory = tempfile::tempdir().unwrap();
    let control = Control::open(&directory.path().join("control.sqlite")).unwrap();
    for number in 0..entries {
        let change = AuditChange::between(&json!({"n": number}), &json!({"n": number + 1}));
        let done = NewAudit {
            who: "ann".to_owned(),
            action: if number % 2 == 0 { "user.change" } else { "token.create" }.to_owned(),
            target: format!("thing {number}"),
            change: change.unwrap(),
        };
        control.append_audits(&[done], Timestamp::from_seconds(number)).unwrap();
    }
    (directory, control)
}

#[test]
fn entries_are_paged_and_chosen() {
    let (_directory, control) = trail(5);
    let ids = |query: AuditQuery| -> Vec<u64> {
        control.audit(&query).unwrap().iter().map(|entry| entry.id).collect()
    };
    let all = AuditQuery { limit: 10, ..AuditQuery::default() };
    assert_eq!(ids(all.clone()), [5, 4, 3, 2, 1]);
    assert_eq!(ids(AuditQuery { before: Some(4), limit: 2, ..all.clone() }), [3, 2]);
    assert_eq!(ids(AuditQuery { action: Some("token.".to_owned()), ..all.clone() }), [4, 2]);
    assert!(ids(AuditQuery { who: Some("bob".to_owned()), ..all.clone() }).is_empty());
    let newest = control.audit(&all).unwrap().remove(0);
    assert_eq!((newest.before, newest.after), (Some(json!({"n": 4})), Some(json!({"n": 5}))));
}

#[test]
fn the_first_entry_that_was_touched_is_named() {
    let (directory, control) = trail(6);
    let whole = AuditCheck { entries: 6, broken: None };
    assert_eq!(control.verify_audit().unwrap(), whole);
    drop(control);
    let path = directory.path().join("control.sqlite");
    let pristine = std::fs::read(&path).unwrap();
    let free = "DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_deleted;";
    for (tampering, broken) in [
        ("UPDATE audit SET who = 'eve' WHERE id = 3", 3),
        ("UPDATE audit SET after = NULL WHERE id = 2", 2),
        ("UPDATE audit SET before = after, after = before WHERE id = 5", 5),
        ("UPDATE audit SET at = at + 1 WHERE id = 1", 1),
        ("UPDATE audit SET hash = x'00' WHERE id = 4", 4),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id > 4", 5),
        ("DELETE FROM audit", 1),
    ] {
        std::fs::write(&path, &pristine).unwrap();
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(free).unwrap();
        connection.execute_batch(tampering).unwrap();
        drop(connection);
        let control = Control::open(&path).unwrap();
        assert_eq!(control.verify_audit().unwrap().broken, Some(broken), "{tampering}");
    }
}

#[test]
fn a_trail_of_before_is_chained_and_stays_closed() {
    let mut connection = Connection::open_in_memory().unwrap();
    crate::migrations::apply_until(&mut connection, 10);
    connection
        .execute_batch(
            "INSERT INTO audit (at, who, action, detail) VALUES (1, 'a', 'b', 'c'), (2, 'd', 'e', 'f');",
        )
        .unwrap();
    crate::migrations::apply(&mut connection).unwrap();
    assert_eq!(chain::verify(&connection).unwrap(), AuditCheck { entries: 2, broken: None });
    assert!(connection.execute("UPDATE audit SET who = 'eve'", []).is_err());
    assert!(connection.execute("DELETE FROM audit", []).is_err());
}
