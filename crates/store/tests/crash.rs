//! What was committed is there after any crash, once each; what was not leaves no trace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "the helpers of a test fail as tests do, and a child process prints"
)]

mod sample;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bergfried_event::{Finding, Severity, Timestamp};
use bergfried_query::Predicate;
use bergfried_store::{BatchId, NewBatch, Options, Reader, Search, StoreError, Writer, open};

use sample::{T0, batch_events, batch_id, noise};

/// Set for the child processes; says where the store is.
const CHILD: &str = "BERGFRIED_STORE_CRASH_TEST";

fn options() -> Options {
    Options { segment_events: 150, ..Options::default() }
}

fn append(writer: &mut Writer, number: u64) -> Result<(), StoreError> {
    let ingested = Timestamp::from_micros(T0).plus_micros(number as i64);
    let events = batch_events(number);
    let findings = if number.is_multiple_of(3) { vec![finding(number)] } else { Vec::new() };
    let new = NewBatch { id: batch_id(number), ingested, events, findings: findings.into() };
    let committed = writer.append(vec![new])?;
    assert_eq!(committed[0].sequence, number + 1);
    Ok(())
}

fn finding(number: u64) -> Finding {
    Finding {
        rule_id: number.to_string(),
        rule_name: "a rule".to_owned(),
        severity: Severity::Low,
        host: None,
        user: None,
        source: None,
        program: None,
        count: 1,
        first_seen: Timestamp::from_micros(T0),
        last_seen: Timestamp::from_micros(T0),
        techniques: Vec::new(),
        tags: Vec::new(),
        falsepositives: Vec::new(),
        group: Vec::new(),
        matched: Vec::new(),
        example: String::new(),
        event_ids: Vec::new(),
        alert: None,
    }
}

/// How many batches there are; checks that they are whole, in order, and each there once.
fn check(reader: &Reader, writer: &Writer) -> u64 {
    let mut stored = Vec::new();
    let replayed = reader.replay(Timestamp::MIN, usize::MAX, |event| {
        stored.push((event.id, event.event.original().to_owned()));
        ControlFlow::Continue(())
    });
    assert_eq!(replayed.unwrap(), stored.len());
    let mut stored = stored.into_iter();
    let mut expected_id = 1;
    let mut number = 0;
    while expected_id < writer.next_event_id() {
        let committed = writer.seen(&batch_id(number)).expect("a batch is forgotten");
        assert_eq!((committed.sequence, committed.first_event_id), (number + 1, expected_id));
        for event in batch_events(number) {
            let (id, original) = stored.next().expect("an event is gone");
            assert_eq!((id, original.as_str()), (expected_id, event.original()));
            expected_id += 1;
        }
        number += 1;
    }
    let last = reader.get(expected_id - 1).unwrap();
    assert_eq!(last.map(|event| event.id), expected_id.checked_sub(1).filter(|id| *id > 0));
    assert_eq!(expected_id, writer.next_event_id(), "half a batch is there");
    assert_eq!(writer.seen(&batch_id(number)), None);
    let everything = Predicate::Constant(true);
    let count = reader.count(&everything, Timestamp::MIN, Timestamp::MAX).unwrap();
    assert_eq!(count, expected_id - 1, "an event is there twice");
    number
}

/// Appends until it is killed; tells of each batch once that is committed.
#[test]
fn child_that_appends() {
    let Ok(directory) = std::env::var(CHILD) else { return };
    let (mut writer, reader, pending) = open(Path::new(&directory), options()).unwrap();
    let mut out = std::io::stdout();
    for number in check(&reader, &writer).. {
        append(&mut writer, number).unwrap();
        writeln!(out, "committed {number}").unwrap();
        if number.is_multiple_of(7) && !pending.is_empty() {
            writer.findings_applied(number).unwrap();
        }
    }
}

#[test]
fn a_killed_process_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut segments = 0;
    for round in 0..25_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_appends", "--nocapture"])
            .env(CHILD, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut last = None;
        let mut see = |line: std::io::Result<String>| {
            if let Some((_, number)) = line.unwrap().split_once("committed ") {
                last = Some(number.parse::<u64>().unwrap());
            }
        };
        // It is in the midst of its work once it has told of a few; then any moment will do.
        lines.by_ref().take(3 + (noise(round) % 60) as usize).for_each(&mut see);
        std::thread::sleep(Duration::from_micros(noise(round + 1_000) % 5_000));
        child.kill().unwrap();
        child.wait().unwrap();
        lines.for_each(&mut see);
        let (writer, reader, pending) = open(directory.path(), options()).unwrap();
        let batches = check(&reader, &writer);
        assert!(last.is_none_or(|last| batches > last), "round {round}: {last:?} of {batches}");
        let mut sequences = pending.iter().map(|pending| pending.sequence);
        assert!(sequences.all(|sequence| (sequence - 1).is_multiple_of(3)));
        reader.verify().unwrap();
        segments = reader.stats().segments;
        writer.close().unwrap();
    }
    assert!(segments > 3, "no segment was written: {segments}");
}

/// A store whose log holds five batches, and where each frame of the log ends.
fn small_log(directory: &Path) -> Vec<u64> {
    let (mut writer, reader, _) = open(directory, Options::default()).unwrap();
    let mut ends = vec![reader.stats().wal_bytes];
    for number in 0..5 {
        append(&mut writer, number).unwrap();
        ends.push(reader.stats().wal_bytes);
    }
    writer.close().unwrap();
    ends
}

fn with_log(log: &[u8], check: impl FnOnce(&Path)) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("wal")).unwrap();
    fs::write(directory.path().join("wal/00000001.log"), log).unwrap();
    check(directory.path());
}

#[test]
fn a_log_cut_anywhere_gives_the_whole_batches_before() {
    let directory = tempfile::tempdir().unwrap();
    let ends = small_log(directory.path());
    let log = fs::read(directory.path().join("wal/00000001.log")).unwrap();
    assert_eq!(log.len() as u64, ends[5]);
    for cut in 0..=log.len() {
        let whole = ends.iter().skip(1).filter(|end| **end <= cut as u64).count() as u64;
        with_log(&log[..cut], |directory| {
            let options = Options { sync: false, ..Options::default() };
            let (mut writer, reader, pending) = open(directory, options.clone()).unwrap();
            assert_eq!(check(&reader, &writer), whole, "cut at {cut}");
            assert_eq!(pending.len() as u64, whole.div_ceil(3));
            append(&mut writer, whole).unwrap();
            writer.close().unwrap();
            let (writer, reader, _) = open(directory, options).unwrap();
            assert_eq!(check(&reader, &writer), whole + 1, "cut at {cut}");
        });
    }
}

#[test]
fn a_damaged_log_is_an_error_and_never_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let ends = small_log(directory.path());
    let log = fs::read(directory.path().join("wal/00000001.log")).unwrap();
    for at in 0..log.len() {
        let mut damaged = log.clone();
        damaged[at] ^= 0x55;
        with_log(&damaged, |directory| {
            match open(directory, Options { sync: false, ..Options::default() }) {
                // The last frame is like one that was never finished.
                Ok((writer, reader, _)) => {
                    assert!(at as u64 >= ends[4], "damage at {at} went unnoticed");
                    assert_eq!(check(&reader, &writer), 4);
                }
                Err(StoreError::Corrupt { path, .. }) => {
                    assert!((at as u64) < ends[4] && path.ends_with("wal/00000001.log"));
                }
                Err(other) => panic!("damage at {at}: {other}"),
            }
        });
    }
}

#[test]
fn damaged_segments_are_errors_that_name_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(directory.path(), options()).unwrap();
    let mut number = 0;
    while reader.stats().segments == 0 {
        append(&mut writer, number).unwrap();
        writer.tick(Timestamp::from_micros(T0)).unwrap();
        number += 1;
    }
    writer.close().unwrap();
    let days = fs::read_dir(directory.path().join("segments")).unwrap();
    let files = days.flat_map(|day| fs::read_dir(day.unwrap().path()).unwrap());
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    let search = Search {
        predicate: Predicate::Constant(true),
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        limit: 10_000,
        before: None,
    };
    for path in files {
        let whole = fs::read(&path).unwrap();
        // What a search does not read is only looked at by verify: magic numbers, the length of the
        // footer, columns without values, where the pages are (for other readers), filters of words.
        let mut noticed = 0;
        let places = (0..whole.len()).step_by(whole.len() / 40);
        for at in places.clone() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            fs::write(&path, &damaged).unwrap();
            let (writer, reader, _) = open(directory.path(), options()).unwrap();
            match reader.search(&search) {
                Err(StoreError::Corrupt { path: named, .. }) => {
                    assert_eq!(named, path);
                    noticed += 1;
                }
                Ok(page) => assert_eq!(page.events.len() as u64, writer.next_event_id() - 1),
                Err(other) => panic!("{other}"),
            }
            assert!(matches!(reader.verify(), Err(StoreError::Corrupt { .. })));
        }
        assert!(noticed * 2 >= places.len(), "{noticed}");
        for length in [0, whole.len() / 2] {
            fs::write(&path, &whole[..length]).unwrap();
            let (_writer, reader, _) = open(directory.path(), options()).unwrap();
            assert!(matches!(reader.search(&search), Err(StoreError::Corrupt { .. })));
            assert!(matches!(reader.verify(), Err(StoreError::Corrupt { .. })));
        }
        fs::write(&path, &whole).unwrap();
    }
}

/// Fills what the limit on file sizes leaves, then goes on with less.
#[test]
fn child_without_room() {
    let Ok(directory) = std::env::var(CHILD) else { return };
    let (mut writer, reader, _) = open(Path::new(&directory), Options::default()).unwrap();
    append(&mut writer, 0).unwrap();
    for _ in 0..3 {
        let mut events = batch_events(1);
        let huge = (0..40_000).map(|at| format!("{:x}", noise(at))).collect::<String>();
        events.push(bergfried_event::Event::new(Timestamp::from_micros(T0), huge));
        let ingested = Timestamp::from_micros(T0);
        let new = NewBatch { id: BatchId([9; 16]), ingested, events, findings: [].into() };
        match writer.append(vec![new]) {
            Err(StoreError::Full { .. }) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(check(&reader, &writer), 1);
    }
    append(&mut writer, 1).unwrap();
    assert_eq!(check(&reader, &writer), 2);
    println!("went on");
}

#[test]
fn without_room_nothing_is_stored_and_with_room_it_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    // The limit is on the size of each file: 128 blocks, of 512 or 1024 bytes.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child_without_room", "--nocapture"])
        .env(CHILD, directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("went on"), "{text}{errors}");
    let (writer, reader, _) = open(directory.path(), options()).unwrap();
    assert_eq!((check(&reader, &writer), reader.stats().torn_bytes), (2, 0));
}

#[test]
fn only_one_may_write() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path(), options()).unwrap();
    let second = open(directory.path(), options());
    assert!(matches!(second, Err(StoreError::Locked { .. })));
    drop(first);
    open(directory.path(), options()).unwrap();
}

#[test]
fn segments_without_a_manifest_are_not_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(directory.path(), options()).unwrap();
    let mut number = 0;
    while reader.stats().segments == 0 {
        append(&mut writer, number).unwrap();
        writer.findings_applied(number + 1).unwrap();
        number += 1;
    }
    writer.findings_applied(number + 1).unwrap();
    writer.close().unwrap();
    fs::remove_file(directory.path().join("manifest.json")).unwrap();
    let error = open(directory.path(), options()).err().expect("opened");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}
