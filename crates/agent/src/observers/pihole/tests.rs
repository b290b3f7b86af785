//! Against real databases of both schemas, in every journal mode, with writers in processes of their
//! own: locks of one process do not show to itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use bergfried_source::{Flow, From};
use rusqlite::{Connection, TransactionBehavior, params};
use serde_json::{Value, json};

use super::PiholeOptions;
use super::observer::{observer, probe};
use super::place::Place;
use super::reader::{Batch, MOST_ROWS, Reader, Start};
use super::trouble::Trouble;
use crate::observers::Scene;
use crate::outbox::outbox;
use crate::stop::Stop;

/// Schema 9 of version 5: everything is text.
const OLD: &str = "
    CREATE TABLE queries (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL,
        type INTEGER NOT NULL, status INTEGER NOT NULL, domain TEXT NOT NULL, client TEXT NOT NULL,
        forward TEXT, additional_info TEXT);
    CREATE INDEX idx_queries_timestamps ON queries (timestamp);";

/// Schema 21 of version 6: numbers, and what they mean beside it. The view is a trap: none is read.
const NEW: &str = "
    CREATE TABLE query_storage (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL,
        type INTEGER NOT NULL, status INTEGER NOT NULL, domain INTEGER NOT NULL,
        client INTEGER NOT NULL, forward INTEGER, additional_info INTEGER, reply_type INTEGER,
        reply_time REAL, dnssec INTEGER, list_id INTEGER, ede INTEGER);
    CREATE INDEX idx_query_storage_timestamp ON query_storage (timestamp);
    CREATE TABLE domain_by_id (id INTEGER PRIMARY KEY, domain TEXT NOT NULL);
    CREATE TABLE client_by_id (id INTEGER PRIMARY KEY, ip TEXT NOT NULL, name TEXT);
    CREATE TABLE forward_by_id (id INTEGER PRIMARY KEY, forward TEXT NOT NULL);
    CREATE TABLE addinfo_by_id (id INTEGER PRIMARY KEY, type INTEGER NOT NULL, content NOT NULL);
    CREATE VIEW queries AS SELECT 1 / 0 AS id, abs(-9223372036854775808) AS timestamp;
    INSERT INTO domain_by_id VALUES (1, 'ads.example');
    INSERT INTO client_by_id VALUES (1, '192.168.1.20', 'laptop.lan');
    INSERT INTO forward_by_id VALUES (1, '9.9.9.9#53');
    INSERT INTO addinfo_by_id VALUES (1, 2, 7), (2, 1, 'tracker.example');";

struct Directory(tempfile::TempDir);

impl Directory {
    fn new(schema: &str, mode: &str) -> Directory {
        let directory = Directory(tempfile::tempdir().unwrap());
        let database = directory.open();
        database.pragma_update(None, "journal_mode", mode).unwrap();
        database.execute_batch(schema).unwrap();
        drop(database);
        directory
    }

    /// The name needs escapes in an address.
    fn path(&self) -> PathBuf {
        self.0.path().join("pihole FTL?#%41.db")
    }

    fn open(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn reader(&self) -> Reader {
        Reader::new(&self.path())
    }

    /// A writer in a process of its own, which gives up at the first lock that stands in its way.
    fn writer(&self, table: &str, rows: usize, set_up: &str) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "observers::pihole::tests::the_other_process", "--ignored"])
            .env("PIHOLE_TEST_DATABASE", self.path())
            .env("PIHOLE_TEST_TABLE", table)
            .env("PIHOLE_TEST_ROWS", rows.to_string())
            .env("PIHOLE_TEST_SET_UP", set_up)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap()
    }
}

fn insert(database: &Connection, table: &str, number: i64) {
    let text = format!(
        "INSERT INTO {table} (timestamp, type, status, domain, client) VALUES (?1, 1, 2, ?2, ?3)"
    );
    let row = params![1_795_000_000 + number, format!("n{number}.example"), "192.168.1.31"];
    database.execute(&text, row).unwrap();
}

#[test]
#[ignore = "the process that other tests start"]
fn the_other_process() {
    let set = |name: &str| std::env::var(format!("PIHOLE_TEST_{name}")).unwrap();
    let mut database = Connection::open(set("DATABASE")).unwrap();
    database.busy_timeout(Duration::ZERO).unwrap();
    database.execute_batch(&set("SET_UP")).unwrap();
    for number in 0..set("ROWS").parse().unwrap() {
        let behavior = TransactionBehavior::Immediate;
        let transaction = database.transaction_with_behavior(behavior).unwrap();
        insert(&transaction, &set("TABLE"), number);
        transaction.commit().unwrap();
    }
}

/// Reads on from the start until nothing is left.
fn read_on(reader: &mut Reader, start: &mut Start) -> Vec<Value> {
    let mut rows = Vec::new();
    while let Some(batch) = reader.read(start).unwrap() {
        let more = batch.more;
        rows.extend(take(batch, start));
        if !more {
            break;
        }
    }
    rows
}

fn take(batch: Batch, start: &mut Start) -> Vec<Value> {
    *start = Start::At(batch.start);
    let mut rows = Vec::new();
    for query in batch.rows {
        *start = Start::At(query.place);
        rows.push(Value::Object(query.fields));
    }
    rows
}

fn ids(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[test]
fn rows_of_both_schemas_and_of_both_forms_are_read_whole() {
    let old = Directory::new(OLD, "delete");
    old.open()
        .execute_batch(
            "INSERT INTO queries VALUES (5, 1795000002, 1, 1, 'a.example', '::1', NULL, 'c.example');
             INSERT INTO queries VALUES (6, 1795000003, 7, 2, '5', '192.168.1.9', '1.1.1.1#53', NULL)",
        )
        .unwrap();
    let rows = read_on(&mut old.reader(), &mut Start::First(From::Start));
    let expected = [
        json!({"id": 5, "timestamp": 1_795_000_002, "type": 1, "status": 1, "domain": "a.example",
            "client": "::1", "additional_info": "c.example"}),
        json!({"id": 6, "timestamp": 1_795_000_003, "type": 7, "status": 2, "domain": "5",
            "client": "192.168.1.9", "forward": "1.1.1.1#53"}),
    ];
    assert_eq!(rows, expected);

    let new = Directory::new(NEW, "wal");
    new.open()
        .execute_batch(
            "INSERT INTO query_storage VALUES
                (1, 1795000002.25, 1, 1, 1, 1, 1, 1, 4, 0.5, 2, 3, -1),
                (2, 1795000003, 1, 9, 'old.example', '192.168.1.31', '8.8.8.8#53', 'c.example',
                    NULL, NULL, NULL, NULL, NULL),
                (3, 1795000004, 1, 9, 77, 1, NULL, 2, NULL, NULL, NULL, NULL, NULL),
                (4, 'never', x'ff00', 'odd', x'61ff62', 1.5, NULL, NULL, 'x', NULL, 9e999, NULL, 1);",
        )
        .unwrap();
    let rows = read_on(&mut new.reader(), &mut Start::First(From::Start));
    let expected = [
        json!({"id": 1, "timestamp": 1_795_000_002.25, "type": 1, "status": 1,
            "domain": "ads.example", "client": "192.168.1.20", "client_name": "laptop.lan",
            "forward": "9.9.9.9#53", "additional_info": 7, "reply_type": 4, "reply_time": 0.5,
            "dnssec": 2, "list_id": 3, "ede": -1}),
        json!({"id": 2, "timestamp": 1_795_000_003, "type": 1, "status": 9,
            "domain": "old.example", "client": "192.168.1.31", "forward": "8.8.8.8#53",
            "additional_info": "c.example"}),
        json!({"id": 3, "timestamp": 1_795_000_004, "type": 1, "status": 9, "domain": 77,
            "client": "192.168.1.20", "client_name": "laptop.lan",
            "additional_info": "tracker.example"}),
        json!({"id": 4, "timestamp": "never", "type": "\u{fffd}\0", "status": "odd",
            "domain": "a\u{fffd}b", "client": 1.5, "reply_type": "x", "dnssec": null, "ede": 1}),
    ];
    assert_eq!(rows, expected);
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn the_sample_of_schema_21_is_read_as_its_truth_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/pihole");
    let path = folder.join("pihole-FTL.sample.db");
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return;
    }
    let truth = fs::read_to_string(folder.join("sample_truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let mut start = Start::First(From::Start);
    let rows = read_on(&mut Reader::new(&path), &mut start);
    assert_eq!(rows.len(), 200);
    let names = ["id", "timestamp", "type", "status", "domain", "client", "forward"];
    let short = |row: &Value| names.iter().map(|name| row[*name].clone()).collect::<Vec<_>>();
    let (first, last) = (rows.iter().take(5), rows.iter().rev().take(5));
    let found = first.chain(last).map(short);
    let expected = ["first5", "last5"].into_iter().flat_map(|name| truth[name].as_array().unwrap());
    for (found, expected) in found.zip(expected) {
        for (found, expected) in found.iter().zip(expected.as_array().unwrap()) {
            match (found.as_f64(), expected.as_f64()) {
                // The last digit of a fraction is lost in reading the truth.
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-6),
                _ => assert_eq!(found, expected),
            }
        }
    }
    for name in ["status", "type", "client", "domain"] {
        for (value, count) in truth[name].as_object().unwrap() {
            let is_it = |row: &&Value| row[name].to_string().trim_matches('"') == value;
            let found = rows.iter().filter(is_it).count();
            assert_eq!(json!(found), *count, "{name} {value}");
        }
    }
    assert!(probe(&PiholeOptions { database: path, ..PiholeOptions::default() }).unwrap() == 200);
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn a_database_as_ftls_own_tests_have_it_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/pihole");
    let Ok(text) = fs::read_to_string(folder.join("FTL_pihole-FTL.db.sql")) else {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    };
    let directory = Directory::new(&text, "delete");
    let mut start = Start::First(From::Start);
    assert!(read_on(&mut directory.reader(), &mut start).is_empty());
    insert(&directory.open(), "queries", 1);
    assert_eq!(ids(&read_on(&mut directory.reader(), &mut start)), [1]);
}

/// Each writer commits as fast as it can, and gives up where it would have to wait but once.
#[test]
fn no_writer_is_ever_made_to_wait() {
    let modes = [
        (OLD, "queries", "delete", 50, ""),
        (OLD, "queries", "delete", 500, "PRAGMA synchronous = off"),
        (OLD, "queries", "delete", 500, "PRAGMA synchronous = off; PRAGMA journal_mode = truncate"),
        (
            NEW,
            "query_storage",
            "delete",
            500,
            "PRAGMA synchronous = off; PRAGMA journal_mode = persist",
        ),
        (
            NEW,
            "query_storage",
            "wal",
            500,
            "PRAGMA synchronous = off; PRAGMA wal_autocheckpoint = 3",
        ),
        (NEW, "query_storage", "delete", 50, "PRAGMA locking_mode = exclusive"),
    ];
    for (schema, table, mode, rows, set_up) in modes {
        let directory = Directory::new(schema, mode);
        let mut writer = directory.writer(table, rows, set_up);
        let mut reader = directory.reader();
        let mut start = Start::First(From::Start);
        let mut found = Vec::new();
        let begun = Instant::now();
        while found.len() < rows {
            assert!(begun.elapsed() < Duration::from_secs(120), "{mode} {set_up}: {}", found.len());
            if let Ok(Some(batch)) = reader.read(&start) {
                found.extend(take(batch, &mut start));
            }
            let ended = writer.try_wait().unwrap();
            assert!(ended.is_none_or(|status| status.success()), "{mode} {set_up}: it had to wait");
        }
        assert!(writer.wait().unwrap().success(), "{mode} {set_up}");
        let expected: Vec<i64> = (1..=i64::try_from(rows).unwrap()).collect();
        assert_eq!(ids(&found), expected, "{mode} {set_up}");
    }
}

#[test]
fn a_writer_notices_those_who_do_make_it_wait() {
    let directory = Directory::new(OLD, "delete");
    insert(&directory.open(), "queries", 0);
    let ordinary = directory.open();
    let transaction = ordinary.unchecked_transaction().unwrap();
    let count = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    assert_eq!(transaction.query_row("SELECT count(*) FROM queries", [], count).unwrap(), 1);
    assert!(!directory.writer("queries", 1, "").wait().unwrap().success());
}

#[test]
fn no_file_is_made_or_left_behind() {
    for (schema, mode) in [(OLD, "delete"), (NEW, "persist"), (NEW, "wal")] {
        let directory = Directory::new(schema, mode);
        let before = directory.files();
        assert!(directory.reader().read(&Start::First(From::Start)).unwrap().is_some());
        assert_eq!(directory.files(), before, "{mode}");
        // While its owner has it open, with something in the log.
        let owner = directory.open();
        insert(&owner, if schema == OLD { "queries" } else { "query_storage" }, 1);
        let before = directory.files();
        let rows = read_on(&mut directory.reader(), &mut Start::First(From::Start));
        assert_eq!((ids(&rows), directory.files()), (vec![1], before), "{mode}");
    }
}

#[test]
fn a_log_that_a_dead_owner_left_waits_for_the_next_one() {
    let directory = Directory::new(NEW, "wal");
    let owner = directory.open();
    insert(&owner, "query_storage", 1);
    let copy = tempfile::tempdir().unwrap();
    for name in directory.files() {
        fs::copy(directory.0.path().join(&name), copy.path().join(&name)).unwrap();
    }
    let copy = Directory(copy);
    // The index that nobody uses any more says nothing, the log itself does.
    assert_eq!(ids(&read_on(&mut copy.reader(), &mut Start::First(From::Start))), [1]);
    let index = copy.path().with_file_name("pihole FTL?#%41.db-shm");
    fs::remove_file(index).unwrap();
    let before = copy.files();
    let refused = copy.reader().read(&Start::First(From::Start)).unwrap_err();
    assert!(matches!(refused, Trouble::Unopened), "{refused}");
    assert_eq!(copy.files(), before);
    insert(&copy.open(), "query_storage", 2);
    assert_eq!(ids(&read_on(&mut copy.reader(), &mut Start::First(From::Start))), [1, 2]);
}

#[test]
fn the_first_start_begins_where_it_is_asked_to() {
    let directory = Directory::new(OLD, "delete");
    let database = directory.open();
    database.execute_batch("BEGIN").unwrap();
    for number in 0..10_100 {
        insert(&database, "queries", number);
    }
    database.execute_batch("COMMIT").unwrap();
    for (from, expected) in [(From::Start, 10_100), (From::Recent, 10_000), (From::End, 0)] {
        let (mut reader, mut start) = (directory.reader(), Start::First(from));
        let batch = reader.read(&start).unwrap().unwrap();
        assert!(batch.rows.len() <= MOST_ROWS && !batch.is_renewed);
        let mut rows = take(batch, &mut start);
        rows.extend(read_on(&mut reader, &mut start));
        assert_eq!(rows.len(), expected, "{from:?}");
        let Start::At(place) = start else { panic!("{start:?}") };
        assert_eq!(place.id, 10_100);
    }
}

#[test]
fn what_was_read_is_not_looked_at_again() {
    let directory = Directory::new(NEW, "delete");
    let database = directory.open();
    insert(&database, "query_storage", 1);
    let (mut reader, mut start) = (directory.reader(), Start::First(From::Start));
    assert_eq!(ids(&read_on(&mut reader, &mut start)), [1]);
    // Older than what the time of a file can tell apart.
    let file = fs::File::options().write(true).open(directory.path()).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(1)).unwrap();
    assert_eq!(read_on(&mut reader, &mut start), Vec::<Value>::new());
    assert_eq!(reader.read(&start).unwrap(), None);
    insert(&database, "query_storage", 2);
    assert_eq!(ids(&read_on(&mut reader, &mut start)), [2]);
}

#[test]
fn a_database_begun_anew_is_read_from_where_its_queries_are_new() {
    let directory = Directory::new(OLD, "delete");
    let database = directory.open();
    for number in 0..10 {
        insert(&database, "queries", number);
    }
    let mut start = Start::First(From::Start);
    assert_eq!(read_on(&mut directory.reader(), &mut start).len(), 10);
    // The oldest rows go, and with them the one that was read last.
    let at_10 = start.clone();
    insert(&database, "queries", 10);
    database.execute_batch("DELETE FROM queries WHERE id <= 10").unwrap();
    assert_eq!(ids(&read_on(&mut directory.reader(), &mut start)), [11]);
    // The newest go, and their ids are given anew.
    database.execute_batch("DELETE FROM queries; UPDATE sqlite_sequence SET seq = 0").unwrap();
    for number in [5, 9, 20, 21] {
        insert(&database, "queries", number);
    }
    let batch = directory.reader().read(&at_10).unwrap().unwrap();
    assert!(batch.is_renewed);
    assert_eq!(ids(&take(batch, &mut start)), [3, 4], "what was asked before is known");
    // Another file in its place, with more rows than the one before.
    let after_4 = start.clone();
    drop(database);
    let other = Directory::new(NEW, "wal");
    let database = other.open();
    for number in 100..110 {
        insert(&database, "query_storage", number);
    }
    drop(database);
    fs::rename(other.path(), directory.path()).unwrap();
    let batch = directory.reader().read(&after_4).unwrap().unwrap();
    assert!(batch.is_renewed);
    assert_eq!(batch.rows.len(), 10);
}

#[test]
fn what_cannot_be_read_is_told_and_tried_again() {
    let directory = Directory::new(OLD, "delete");
    let path = directory.path();
    insert(&directory.open(), "queries", 1);
    let whole = fs::read(&path).unwrap();
    let begin = Start::First(From::Start);
    let mut reader = directory.reader();
    type Is = fn(&Trouble) -> bool;
    let states: [(&[u8], Is); 4] = [
        (b"", |trouble| matches!(trouble, Trouble::Empty)),
        (b"[pihole]\n", |trouble| matches!(trouble, Trouble::NoDatabase)),
        (&whole[..5000], |trouble| matches!(trouble, Trouble::Damaged(_))),
        (&[&whole[..100], &[0xff; 8000]].concat(), |trouble| {
            matches!(trouble, Trouble::Damaged(_))
        }),
    ];
    for (content, is_it) in states {
        fs::write(&path, content).unwrap();
        let trouble = reader.read(&begin).unwrap_err();
        assert!(is_it(&trouble), "{trouble:?}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(reader.read(&begin), Err(Trouble::Absent)));
    fs::create_dir(&path).unwrap();
    assert!(matches!(reader.read(&begin), Err(Trouble::NoDatabase)));
    fs::remove_dir(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE queries (id INTEGER PRIMARY KEY, what TEXT)").unwrap();
    drop(other);
    assert!(matches!(reader.read(&begin), Err(Trouble::NoQueries)));
    fs::write(&path, &whole).unwrap();
    // A transaction that is under way, or that a crash left for the next owner to roll back.
    let journal = path.with_file_name("pihole FTL?#%41.db-journal");
    fs::write(&journal, [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]).unwrap();
    assert!(matches!(reader.read(&begin), Err(Trouble::Locked)));
    fs::remove_file(&journal).unwrap();
    assert_eq!(ids(&read_on(&mut reader, &mut Start::First(From::Start))), [1]);
}

/// Whenever the agent dies, and whatever of its records was durable by then, each row is told once.
#[test]
fn each_row_is_told_once_over_restarts() {
    let directory = Directory::new(NEW, "delete");
    let database = directory.open();
    let total: usize = 2_500;
    database.execute_batch("BEGIN").unwrap();
    for number in 0..i64::try_from(total).unwrap() {
        insert(&database, "query_storage", number);
    }
    database.execute_batch("COMMIT").unwrap();
    let options = PiholeOptions { database: directory.path(), ..PiholeOptions::default() };
    let (mut told, mut place) = (Vec::new(), None);
    for most in [0, 1, 7, 999, 1_000, 333, usize::MAX] {
        let (sender, inbox) = outbox().unwrap();
        let stop = Stop::new().unwrap();
        let scene = Scene {
            outbox: sender,
            stop,
            state_dir: directory.0.path().to_path_buf(),
            place: place.clone(),
        };
        let watch = observer(options.clone(), From::Start);
        let thread = std::thread::spawn(move || (watch.run)(scene));
        let begun = Instant::now();
        let mut taken = 0;
        while taken < most && told.len() < total {
            assert!(begun.elapsed() < Duration::from_secs(120), "{} of {total}", told.len());
            inbox.read(&mut |observed| {
                assert_eq!(Path::new(observed.observer.as_ref()), directory.path());
                let row: Value = serde_json::from_slice(&observed.raw).unwrap();
                told.push(row["pihole"]["id"].as_i64().unwrap());
                taken += 1;
                if taken < most { Flow::More } else { Flow::Full }
            });
        }
        // What was taken is written down with its place; the rest is lost with the agent.
        place = inbox.positions().remove("pihole").or(place);
        drop(inbox);
        thread.join().unwrap();
    }
    let expected: Vec<i64> = (1..=i64::try_from(total).unwrap()).collect();
    assert_eq!(told, expected);
    assert_eq!(Place::from_text(&place.unwrap()).unwrap().id, 2_500);
}
