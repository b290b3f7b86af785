//! Opening, agents, audit trail and settings.

use std::os::unix::fs::PermissionsExt;

use bergfried_control::{AgentReport, AuditQuery, Control, ControlError, MAX_AGENTS};

use crate::{Store, at};

#[test]
fn only_the_owner_may_read_the_files() {
    let store = Store::new();
    std::fs::write(store.path(), "").unwrap();
    std::fs::set_permissions(store.path(), PermissionsExt::from_mode(0o644)).unwrap();
    let control = store.open();
    control.set_setting("a", "b").unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(store.directory.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        files += 1;
    }
    assert_eq!(files, 3, "the database, its log and its index");
}

#[test]
fn what_is_no_database_is_said_to_be_none() {
    let store = Store::new();
    std::fs::write(store.path(), "this is a text file, not a database\n".repeat(100)).unwrap();
    let error = Control::open(&store.path()).unwrap_err();
    assert!(matches!(error, ControlError::Corrupt(_)), "{error:?}");
    let missing = store.directory.path().join("missing/control.db");
    assert!(matches!(Control::open(&missing), Err(ControlError::Open { .. })));
}

#[test]
fn agents_are_counted_and_listed_latest_first() {
    let control = Store::new().open();
    for (agent, second, records) in [("a", 1, 10), ("b", 2, 5), ("a", 3, 7), ("b", 1, 1)] {
        let report =
            AgentReport { agent, host: "web1", version: "0.1.0", address: "192.0.2.1", records };
        control.record_agent(report, at(second)).unwrap();
    }
    let agents = control.agents().unwrap();
    let told: Vec<_> = agents
        .iter()
        .map(|agent| (agent.name.as_str(), agent.last_seen, agent.batches, agent.records))
        .collect();
    assert_eq!(told, [("a", at(3), 2, 17), ("b", at(2), 2, 6)]);
}

#[test]
fn the_audit_trail_only_grows() {
    let store = Store::new();
    let control = store.open();
    control.append_audit("admin", "token.rotate", "watchtower", at(1)).unwrap();
    control.append_audit("alice", "alert.close", "17", at(2)).unwrap();
    let entries = control.audit(&AuditQuery { limit: 10, ..AuditQuery::default() }).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((entries[0].who.as_str(), entries[0].at), ("alice", at(2)));
    let raw = rusqlite::Connection::open(store.path()).unwrap();
    for sql in ["DELETE FROM audit", "UPDATE audit SET who = 'mallory'"] {
        let error = raw.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

#[test]
fn settings_are_kept() {
    let store = Store::new();
    let control = store.open();
    assert_eq!(control.setting("a").unwrap(), None);
    control.set_setting("a", "1").unwrap();
    control.set_setting("a", "2").unwrap();
    drop(control);
    assert_eq!(store.open().setting("a").unwrap().as_deref(), Some("2"));
    assert!(store.open().set_setting(&"k".repeat(200), "").is_err());
}

#[test]
fn two_programs_can_have_it_open() {
    let store = Store::new();
    let (hub, command) = (store.open(), store.open());
    command.set_setting("a", "1").unwrap();
    assert_eq!(hub.setting("a").unwrap().as_deref(), Some("1"));
}

#[test]
fn past_the_cap_the_stalest_go_and_are_counted() {
    let store = Store::new();
    let control = store.open();
    let raw = rusqlite::Connection::open(store.path()).unwrap();
    raw.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
         INSERT INTO agent (name, host, version, address, first_seen, last_seen, batches, records) \
         SELECT 'old' || i, 'host', '0.1.0', '192.0.2.1', i, i, 1, 1 FROM n",
        [MAX_AGENTS as i64],
    )
    .unwrap();

    let report =
        AgentReport { agent: "new", host: "h", version: "0.1.0", address: "::1", records: 1 };
    control.record_agent(report, at(0)).unwrap();

    let counters = control.counters().unwrap();
    assert_eq!(counters.get("agents.dropped"), Some(&1));
    assert_eq!(control.agents().unwrap().len(), MAX_AGENTS);
    assert!(control.agents().unwrap().iter().all(|agent| agent.name != "old1"));
}
