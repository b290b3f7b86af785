//! A Pi-hole's queries from its database to the hub, while both the agent and Pi-hole do as they like.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::support::dice::Dice;
use crate::support::hub::Hub;
use crate::support::process::{Process, bergfried, run_with};
use crate::support::wait_until;

const QUERIES: i64 = 12_000;

fn open(path: &Path) -> Connection {
    let database = Connection::open(path).unwrap();
    // Whoever has to wait for the agent fails.
    database.busy_timeout(Duration::ZERO).unwrap();
    database
        .execute_batch(
            "PRAGMA journal_mode = wal; PRAGMA synchronous = off;
             CREATE TABLE IF NOT EXISTS query_storage (id INTEGER PRIMARY KEY AUTOINCREMENT,
                 timestamp INTEGER NOT NULL, type INTEGER NOT NULL, status INTEGER NOT NULL,
                 domain INTEGER NOT NULL, client INTEGER NOT NULL, forward INTEGER);
             CREATE TABLE IF NOT EXISTS domain_by_id (id INTEGER PRIMARY KEY, domain TEXT NOT NULL);
             CREATE TABLE IF NOT EXISTS client_by_id (id INTEGER PRIMARY KEY, ip TEXT NOT NULL,
                 name TEXT);
             INSERT OR IGNORE INTO domain_by_id VALUES (1, 'www.example.org'), (2, 'ads.example');
             INSERT OR IGNORE INTO client_by_id VALUES (1, '192.168.1.20', NULL);",
        )
        .unwrap();
    database
}

/// Queries of the last hour, every fourth of them blocked, in transactions as FTL writes them.
fn write(path: &Path) {
    let now = jiff::Timestamp::now().as_second();
    let mut number = 0;
    while number < QUERIES {
        // FTL opens its database for each minute's queries.
        let mut database = open(path);
        let transaction = database.transaction().unwrap();
        for _ in 0..200 {
            let blocked = i64::from(number % 4 == 0);
            transaction
                .execute(
                    "INSERT INTO query_storage (timestamp, type, status, domain, client)
                     VALUES (?1, 1, ?2, ?3, 1)",
                    params![now - 3_600 + number / 4, 2 - blocked, 1 + blocked],
                )
                .unwrap();
            number += 1;
        }
        transaction.commit().unwrap();
        drop(database);
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn each_query_comes_once_while_the_agent_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let hub = Hub::start(&data);
    let database = directory.path().join("pihole-FTL.db");
    let config = directory.path().join("agent.toml");
    let text = format!(
        "files = [\"/nonexistent\"]\njournald = \"off\"\nfrom = \"start\"\n\
         [audit]\nfiles = []\n[firewall]\nenabled = false\n[tamper]\nenabled = false\n\
         [integrity]\nenabled = false\n[status]\nenabled = false\n\
         [pihole]\ndatabase = {database:?}\ninterval_seconds = 1\n"
    );
    std::fs::write(&config, text).unwrap();
    let agent = |extra: &[&str]| {
        let mut command = bergfried(&["agent"]);
        command.arg("--config").arg(&config).arg("--hub").arg(&hub.url);
        command.arg("--token-file").arg(data.join("agent.token"));
        command.arg("--state-dir").arg(directory.path().join("state")).args(extra);
        command
    };
    drop(open(&database));
    let writer = thread::spawn({
        let database = database.clone();
        move || write(&database)
    });
    let mut dice = Dice(8);
    let mut kills = 0;
    while !writer.is_finished() || kills < 5 {
        let mut agent = Process::spawn(&mut agent(&[]));
        thread::sleep(Duration::from_millis(100 + dice.roll(900)));
        agent.kill();
        kills += 1;
    }
    writer.join().unwrap();
    let mut last = Process::spawn(&mut agent(&[]));
    wait_until("every query", || hub.stored() >= QUERIES.unsigned_abs());
    let blocked = hub.search("event.action:dns-blocked event.module:pihole pihole.id:1");
    assert_eq!(blocked.len(), 1);
    let event = &blocked[0];
    assert_eq!(event["dns.question.name"], "ads.example");
    assert_eq!(event["source.ip"], "192.168.1.20");
    assert_eq!(event["heimdall.event_type"], "DNS_BLOCK");
    assert!(last.terminate().success());
    assert_eq!(hub.stored(), QUERIES.unsigned_abs(), "each once");

    let sources = run_with(agent(&["sources", "--format", "json"]), b"").out;
    let rows: Vec<Value> = serde_json::from_str(&sources).unwrap();
    let row = rows.iter().find(|row| row["source"] == "Pi-hole").unwrap();
    assert_eq!(row["state"], "collected", "{row}");
    assert!(row["detail"].as_str().unwrap().contains(&QUERIES.to_string()), "{row}");
}
