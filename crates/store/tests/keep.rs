//! Joining segments changes nothing that a search can see; retention removes what it should and
//! nothing else; the ledger proves both, also after a crash at any time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of a test fail as tests do"
)]

mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use bergfried_event::{Event, Field, FieldName, Timestamp};
use bergfried_query::Predicate;
use bergfried_store::{
    Keeper, Kept, NewBatch, Options, Reader, Retention, RetentionClass, Stop, StoreError,
    StoredEvent, Work, Writer, open,
};

use sample::{T0, batch_events, batch_id, noise};

const CHILD: &str = "BERGFRIED_STORE_KEEP_TEST";
static GO_ON: LazyLock<Stop> = LazyLock::new(Stop::default);
static STOPPED: LazyLock<Stop> = LazyLock::new(|| {
    let stop = Stop::default();
    stop.set();
    stop
});

fn day(number: i64) -> Timestamp {
    Timestamp::from_micros((T0.div_euclid(Timestamp::DAY) + number) * Timestamp::DAY)
}

fn work(now: Timestamp) -> Work<'static> {
    Work { now, stop: &GO_ON }
}

fn predicate(search: &str) -> Predicate {
    bergfried_query::search::parse(search, day(0)).unwrap()
}

/// Stores one batch for each of these numbers and makes a segment of each.
fn fill(directory: &Path, batches: &[(u64, Timestamp)]) -> (Writer, Reader, Keeper) {
    let options = Options { segment_events: 1, sync: false, ..Options::default() };
    let (mut writer, reader, _) = open(directory, options).unwrap();
    for (number, taken) in batches {
        let events = events_of(*number, *taken);
        let id = batch_id(*number);
        let batch = NewBatch { id, ingested: *taken, events, findings: [].into() };
        writer.append(vec![batch]).unwrap();
    }
    seal(&mut writer, &reader);
    let keeper = writer.keeper();
    (writer, reader, keeper)
}

/// Makes a segment of what is in memory.
fn seal(writer: &mut Writer, reader: &Reader) {
    let later = Timestamp::from_micros(T0 + 1_000 * Timestamp::DAY);
    while reader.stats().events_in_memory > 0 {
        writer.tick(later).unwrap();
        std::thread::yield_now();
    }
}

/// Events of some hosts and programs, which happened about when they were taken.
fn events_of(number: u64, taken: Timestamp) -> Vec<Event<'static>> {
    let mut events = batch_events(number);
    for (place, event) in events.iter_mut().enumerate() {
        let seed = noise(number * 100 + place as u64);
        let back = (seed % 7_200) as i64 * Timestamp::SECOND;
        event.set_created(taken.plus_micros(-back));
        event.set(Field::UserName, ["root", "[odd", "größe"][(seed % 3) as usize]);
        event.set(Field::SourcePort, (seed % 5) as i64);
        event.set_named(FieldName::new("odd.field"), seed.to_string());
    }
    events
}

fn everything(reader: &Reader) -> Vec<StoredEvent> {
    let mut events = Vec::new();
    let all = |event| {
        events.push(event);
        ControlFlow::Continue(())
    };
    reader.replay(Timestamp::MIN, usize::MAX, all).unwrap();
    events
}

/// What searches of many kinds give.
fn seen(reader: &Reader) -> String {
    let mut seen = String::new();
    for search in ["", "user:root", "source.port:>2", "größe", "-user:root", "message:batch"] {
        let predicate = predicate(search);
        let (from, to) = (Timestamp::MIN, Timestamp::MAX);
        let user = FieldName::Known(Field::UserName);
        seen += &format!(
            "{:?} {:?} {:?}\n",
            reader.count(&predicate, from, to).unwrap(),
            reader.top(&predicate, from, to, &user, 10).unwrap(),
            reader.histogram(&predicate, from, to, 3_600 * Timestamp::SECOND).unwrap(),
        );
    }
    let events = everything(reader);
    for event in events.iter().step_by(7) {
        assert_eq!(reader.get(event.id).unwrap().as_ref(), Some(event));
    }
    let mut followed = Vec::new();
    let mut visit = |id: u64, taken: Timestamp, event: &Event<'_>| {
        followed.push((id, taken, event.original().to_owned()));
        ControlFlow::Continue(())
    };
    reader.follow(0, &mut visit).unwrap();
    assert!(followed.is_sorted_by_key(|(id, ..)| *id));
    seen + &format!("{events:?}\n{followed:?}")
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let days = fs::read_dir(directory.join("segments")).unwrap();
    let files = days.flat_map(|day| fs::read_dir(day.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

fn compact_all(keeper: &Keeper, eager: bool, now: Timestamp) -> u64 {
    let mut joined = 0;
    while let Some(compacted) = keeper.compact(eager, work(now)).unwrap() {
        assert!(compacted.segments > 1 && compacted.bytes_after < compacted.bytes_before);
        joined += compacted.segments;
    }
    joined
}

#[test]
fn joining_changes_nothing_that_is_seen() {
    for seed in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let batches: Vec<(u64, Timestamp)> = (0..30)
            .map(|number| {
                let minutes = noise(seed * 1_000 + number) % (3 * 24 * 60);
                (number, day(0).plus_micros(minutes as i64 * 60 * Timestamp::SECOND))
            })
            .collect();
        let (writer, reader, keeper) = fill(directory.path(), &batches);
        let (before, segments) = (seen(&reader), reader.stats().segments);
        let old = reader.clone();
        assert!(compact_all(&keeper, seed % 2 == 0, day(3)) > 0);
        assert!(reader.stats().segments < segments / 3, "{}", reader.stats().segments);
        assert_eq!(seen(&reader), before);
        assert_eq!(seen(&old), before);
        assert_eq!(files(directory.path()).len(), 2 * reader.stats().segments);
        let verified = keeper.verify("", &GO_ON).unwrap();
        assert_eq!((verified.events, verified.expired), (reader.stats().events, 0));
        writer.close().unwrap();
        drop((reader, keeper, old));
        let (_writer, reader, _) = open(directory.path(), Options::default()).unwrap();
        assert_eq!(seen(&reader), before);
    }
}

#[test]
fn a_day_that_is_not_over_is_joined_less_often() {
    let directory = tempfile::tempdir().unwrap();
    let at = |number: u64| (number, day(0).plus_micros(7_200 * Timestamp::SECOND));
    let batches: Vec<_> = (0..5).map(at).collect();
    let (_writer, reader, keeper) = fill(directory.path(), &batches);
    let today = day(0).plus_micros(1);
    assert_eq!(keeper.compact(false, work(today)).unwrap(), None);
    assert!(keeper.compact(true, work(today)).unwrap().is_some());
    assert_eq!(keeper.compact(true, work(today)).unwrap(), None);
    assert!(reader.stats().segments <= 2);
}

#[test]
fn who_reads_while_segments_are_joined_is_undisturbed() {
    let directory = tempfile::tempdir().unwrap();
    let at = |number: u64| (number, day(0).plus_micros(number as i64 * Timestamp::SECOND));
    let batches: Vec<_> = (0..40).map(at).collect();
    let (_writer, reader, keeper) = fill(directory.path(), &batches);
    let before = everything(&reader);
    let mut read = Vec::new();
    let slow = |event: StoredEvent| {
        if event.id.is_multiple_of(10) {
            keeper.compact(true, work(day(2))).unwrap();
        }
        read.push(event);
        ControlFlow::Continue(())
    };
    reader.replay_matching(&Predicate::Constant(true), day(-1), day(9), slow).unwrap();
    assert_eq!(read, before);
    std::thread::scope(|scope| {
        let compacting = scope.spawn(|| compact_all(&keeper, true, day(2)));
        while !compacting.is_finished() {
            assert_eq!(everything(&reader), before);
        }
        compacting.join().unwrap();
    });
}

#[test]
fn what_is_stopped_leaves_no_trace() {
    let directory = tempfile::tempdir().unwrap();
    let (_writer, reader, keeper) = fill(directory.path(), &[(1, day(0)), (2, day(0))]);
    let (before, all) = (seen(&reader), files(directory.path()));
    let stopped = Work { now: day(3), stop: &STOPPED };
    assert!(matches!(keeper.compact(true, stopped), Err(StoreError::Cancelled)));
    let retention = Retention { days: Some(1), ..classes(None, None) };
    assert!(matches!(keeper.retain(&retention, &[1], stopped), Err(StoreError::Cancelled)));
    assert!(matches!(keeper.verify("", &STOPPED), Err(StoreError::Cancelled)));
    assert_eq!((seen(&reader), files(directory.path())), (before, all));
    assert_eq!(fs::read_dir(directory.path().join("staged")).unwrap().count(), 0);
}

/// Events of root for `root` days, listed ones for `listed` days.
fn classes(root: Option<u32>, listed: Option<u32>) -> Retention {
    let class = |name: &str, days, what| RetentionClass { name: name.to_owned(), days, what };
    Retention {
        days: Some(30),
        size: None,
        classes: vec![
            class("root", root, Kept::Matching(predicate("user:root"))),
            class("alerts", listed, Kept::Listed),
        ],
    }
}

/// How many days an event is kept: the plain reading of what [`Retention`] promises.
fn days_of(retention: &Retention, listed: &[u64], event: &StoredEvent) -> Option<u32> {
    let is_in = |class: &&RetentionClass| match &class.what {
        Kept::Matching(predicate) => predicate.matches(&event.event),
        Kept::Listed => listed.contains(&event.id),
    };
    let days = retention.classes.iter().filter(is_in).map(|class| class.days);
    days.max_by_key(|days| days.map_or(u64::MAX, u64::from)).unwrap_or(retention.days)
}

#[test]
fn retention_keeps_what_its_classes_say_day_by_day() {
    for (root, listed_days) in
        [(Some(5), Some(60)), (Some(60), Some(5)), (None, Some(40)), (Some(30), None)]
    {
        let directory = tempfile::tempdir().unwrap();
        let batches: Vec<(u64, Timestamp)> =
            (0..20).map(|number| (number, day(number as i64 / 4))).collect();
        let (_writer, reader, keeper) = fill(directory.path(), &batches);
        let retention = classes(root, listed_days);
        let mut expected = everything(&reader);
        let listed: Vec<u64> = (9..200).step_by(9).collect();
        for today in 0..75 {
            expected.retain(|event| {
                let age = today - event.ingested.day() + day(0).day();
                days_of(&retention, &listed, event).is_none_or(|days| i64::from(days) >= age)
            });
            let mut gone = 0;
            while let Some(removed) = keeper.retain(&retention, &listed, work(day(today))).unwrap()
            {
                gone += removed.events;
                assert!(removed.events > 0 && !removed.why.is_empty());
            }
            let ids = |events: &[StoredEvent]| events.iter().map(|one| one.id).collect::<Vec<_>>();
            let left = everything(&reader);
            assert_eq!(ids(&left), ids(&expected), "{root:?} {listed_days:?} day {today}");
            assert_eq!(left, expected);
            if gone > 0 {
                keeper.verify("", &GO_ON).unwrap();
                compact_all(&keeper, true, day(today));
                assert_eq!(everything(&reader), expected);
            }
        }
        assert_eq!(files(directory.path()).len(), 2 * reader.stats().segments);
        let by_class: BTreeMap<Option<String>, u64> =
            keeper.shares().into_iter().map(|share| (share.class, share.events)).collect();
        assert!(by_class.keys().all(Option::is_some), "{by_class:?}");
        let verified = keeper.verify("", &GO_ON).unwrap();
        assert_eq!(verified.events, expected.len() as u64);
    }
}

#[test]
fn what_is_taken_late_ages_from_then_on_whatever_its_sender_says() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { segment_events: 1, sync: false, ..Options::default() };
    let (mut writer, reader, _) = open(directory.path(), options).unwrap();
    let times = [day(-4_000), day(0), day(9_000)];
    let events = times.map(|created| Event::new(created, "line")).to_vec();
    let (id, ingested) = (batch_id(1), day(0));
    writer.append(vec![NewBatch { id, ingested, events, findings: [].into() }]).unwrap();
    seal(&mut writer, &reader);
    let keeper = writer.keeper();
    let retention = Retention { days: Some(10), ..Retention::default() };
    assert_eq!(keeper.retain(&retention, &[], work(day(10))).unwrap(), None);
    let due = keeper.due(&retention).unwrap();
    let text = |day: Timestamp| day.to_string()[..10].to_owned();
    assert_eq!((due.taken, due.due, due.events), (text(day(0)), text(day(11)), 3));
    while keeper.retain(&retention, &[], work(day(11))).unwrap().is_some() {}
    assert_eq!((reader.stats().events, keeper.due(&retention)), (0, None));
    assert_eq!(keeper.verify("", &GO_ON).unwrap().expired, 3);
}

#[test]
fn too_much_goes_from_the_earliest_day_on_and_classes_last() {
    let directory = tempfile::tempdir().unwrap();
    let batches: Vec<(u64, Timestamp)> =
        (0..12).map(|number| (number, day(number as i64 / 3))).collect();
    let (_writer, reader, keeper) = fill(directory.path(), &batches);
    let listed: Vec<u64> = (1..200).step_by(5).collect();
    let mut retention = Retention { size: Some(1), ..classes(Some(10), None) };
    let mut days = Vec::new();
    while let Some(removed) = keeper.retain(&retention, &listed, work(day(4))).unwrap() {
        days.push((removed.day, removed.kept > 0));
    }
    // Each day without its class first, then the classes; the latest day stays.
    assert!(days.len() >= 6 && days[0].1 && !days[days.len() - 1].1, "{days:?}");
    let left = everything(&reader);
    assert!(!left.is_empty() && left.iter().all(|event| event.ingested == day(3)), "{left:?}");
    retention.size = Some(u64::MAX);
    assert_eq!(keeper.retain(&retention, &listed, work(day(4))).unwrap(), None);
}

#[test]
fn the_ledger_betrays_every_change_from_outside() {
    let directory = tempfile::tempdir().unwrap();
    let batches: Vec<(u64, Timestamp)> = (0..6).map(|number| (number, day(0))).collect();
    let (writer, reader, keeper) = fill(directory.path(), &batches);
    let (_, early) = keeper.chain();
    compact_all(&keeper, true, day(1));
    let head = keeper.verify(&early, &GO_ON).unwrap().head;
    assert_eq!(keeper.verify(&head, &GO_ON).unwrap().head, head);
    let error = keeper.verify("0123", &GO_ON).unwrap_err().to_string();
    assert!(error.contains("never had the value"), "{error}");
    let ledger = directory.path().join("ledger");
    let whole = fs::read(&ledger).unwrap();
    for at in (0..whole.len()).step_by(61) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&ledger, &damaged).unwrap();
        let verified = keeper.verify("", &GO_ON);
        assert!(matches!(verified, Err(StoreError::Corrupt { .. })), "{at}: {verified:?}");
    }
    fs::write(&ledger, &whole[..whole.len() / 2]).unwrap();
    assert!(keeper.verify("", &GO_ON).is_err());
    fs::write(&ledger, &whole).unwrap();
    let file = files(directory.path()).remove(0);
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert!(keeper.verify("", &GO_ON).is_err());
    fs::write(&file, bytes).unwrap();
    keeper.verify("", &GO_ON).unwrap();
    drop((writer, reader));
}

/// Appends and joins until it is killed; tells of each batch once that is committed.
#[test]
fn child_that_appends_and_joins() {
    let Ok(directory) = std::env::var(CHILD) else { return };
    let options = Options { segment_events: 60, ..Options::default() };
    let (mut writer, reader, _) = open(Path::new(&directory), options).unwrap();
    let keeper = writer.keeper();
    let mut out = std::io::stdout();
    let first = number_of_batches(&reader);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                keeper.compact(true, work(day(9))).unwrap();
            }
        });
        for number in first.. {
            let (id, ingested) = (batch_id(number), Timestamp::from_micros(T0));
            let events = batch_events(number);
            let batch = NewBatch { id, ingested, events, findings: [].into() };
            writer.append(vec![batch]).unwrap();
            writer.findings_applied(number).unwrap();
            writeln!(out, "committed {number}").unwrap();
        }
    });
}

/// How many batches there are; checks that each is there once and whole.
fn number_of_batches(reader: &Reader) -> u64 {
    let mut stored: Vec<(u64, String)> = everything(reader)
        .into_iter()
        .map(|stored| (stored.id, stored.event.original().to_owned()))
        .collect();
    stored.sort();
    let mut stored = stored.into_iter().peekable();
    let (mut number, mut next) = (0, 1);
    while stored.peek().is_some() {
        for event in batch_events(number) {
            assert_eq!(stored.next(), Some((next, event.original().to_owned())));
            next += 1;
        }
        number += 1;
    }
    number
}

#[test]
fn a_process_killed_while_it_joins_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut joined = 0;
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_appends_and_joins", "--nocapture"])
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
        lines.by_ref().take(40 + (noise(round) % 80) as usize).for_each(&mut see);
        let moment = std::time::Duration::from_micros(noise(round + 1_000) % 5_000);
        std::thread::sleep(moment);
        child.kill().unwrap();
        child.wait().unwrap();
        lines.for_each(&mut see);
        let (writer, reader, _) = open(directory.path(), Options::default()).unwrap();
        let batches = number_of_batches(&reader);
        assert!(last.is_none_or(|last| batches > last), "round {round}: {last:?} of {batches}");
        assert_eq!(files(directory.path()).len(), 2 * reader.stats().segments, "round {round}");
        assert!(!directory.path().join("staged").exists());
        writer.keeper().verify("", &GO_ON).unwrap();
        let ledger = fs::read_to_string(directory.path().join("ledger")).unwrap();
        joined = ledger.matches("\"compacted\"").count();
    }
    assert!(joined > 3, "nothing was joined: {joined}");
}

fn verified(directory: &Path) -> u64 {
    Keeper::at_rest(directory).unwrap().verify("", &GO_ON).unwrap().events
}

#[test]
fn an_archive_takes_old_days_whole_and_is_a_store() {
    let base = tempfile::tempdir().unwrap();
    let (here, there) = (base.path().join("here"), base.path().join("there"));
    let batches: Vec<(u64, Timestamp)> =
        (0..12).map(|number| (number, day(number as i64 / 3))).collect();
    let (writer, reader, keeper) = fill(&here, &batches);
    let all = everything(&reader);
    let stopped = keeper.archive(&there, day(2), Work { now: day(9), stop: &STOPPED });
    assert!(matches!(stopped, Err(StoreError::Cancelled)));
    assert_eq!(everything(&reader), all);
    let archived = keeper.archive(&there, day(2), work(day(9))).unwrap();
    let is_old = |event: &StoredEvent| event.event.created() < day(2);
    let (old, new): (Vec<_>, Vec<_>) = all.clone().into_iter().partition(is_old);
    assert!(archived.events > 0 && archived.events == old.len() as u64);
    assert_eq!(everything(&reader), new);
    assert_eq!(keeper.archive(&there, day(2), work(day(9))).unwrap().events, 0);
    assert_eq!(keeper.verify("", &GO_ON).unwrap().archived, archived.events);
    assert_eq!(verified(&there), archived.events);
    // Later days follow into the same archive.
    keeper.archive(&there, day(3), work(day(9))).unwrap();
    let left = everything(&reader);
    writer.close().unwrap();
    drop((reader, keeper));
    let (_writer, reader, _) = open(&there, Options::default()).unwrap();
    let mut both = everything(&reader);
    both.extend(left);
    both.sort_by_key(|event| (event.event.created(), event.id));
    assert_eq!(both, all);
}

#[test]
fn an_archive_that_was_cut_short_is_taken_up_again() {
    let base = tempfile::tempdir().unwrap();
    let (here, there) = (base.path().join("here"), base.path().join("there"));
    let (writer, reader, keeper) = fill(&here, &[(1, day(0)), (2, day(1)), (3, day(5))]);
    // Nothing is written or removed while it is copied.
    writer.close().unwrap();
    let manifest = fs::read(here.join("manifest.json")).unwrap();
    let kept = base.path().join("kept");
    assert!(Command::new("cp").arg("-a").args([&here, &kept]).status().unwrap().success());
    let first = keeper.archive(&there, day(3), work(day(9))).unwrap();
    drop((reader, keeper));
    // As if it had been killed before this store knew.
    fs::remove_dir_all(&here).unwrap();
    fs::rename(&kept, &here).unwrap();
    assert_eq!(fs::read(here.join("manifest.json")).unwrap(), manifest);
    let keeper = Keeper::at_rest(&here).unwrap();
    assert_eq!(keeper.archive(&there, day(3), work(day(9))).unwrap(), first);
    keeper.verify("", &GO_ON).unwrap();
    assert_eq!(verified(&there), first.events);
}

#[test]
fn a_damaged_segment_is_not_archived() {
    let base = tempfile::tempdir().unwrap();
    let (here, there) = (base.path().join("here"), base.path().join("there"));
    let (_writer, reader, keeper) = fill(&here, &[(1, day(0)), (2, day(0))]);
    let path = files(&here).into_iter().find(|path| path.extension().unwrap() == "parquet");
    let path = path.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let refused = keeper.archive(&there, day(3), work(day(9)));
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
    assert_eq!(reader.stats().segments, files(&here).len() / 2);
    assert_eq!(verified(&there), 0);
}

#[test]
fn a_backup_of_a_store_in_use_is_whole() {
    let base = tempfile::tempdir().unwrap();
    let (here, there) = (base.path().join("here"), base.path().join("there"));
    let options = Options { segment_events: 40, sync: false, ..Options::default() };
    let (mut writer, reader, _) = open(&here, options.clone()).unwrap();
    let keeper = writer.keeper();
    let (mut number, mut first) = (0, 0);
    let mut append = |count: u64| {
        for _ in 0..count {
            let (id, ingested) = (batch_id(number), Timestamp::from_micros(T0));
            let events = batch_events(number);
            let batch = NewBatch { id, ingested, events, findings: [].into() };
            writer.append(vec![batch]).unwrap();
            writer.findings_applied(number).unwrap();
            number += 1;
        }
    };
    append(60);
    let mut tries = 0;
    bergfried_store::backup(&here, &there, &GO_ON, || {
        // What comes meanwhile makes the first tries useless.
        tries += 1;
        first = reader.last_id();
        if tries < 3 {
            append(50);
            keeper.compact(true, work(day(9))).unwrap();
        }
        Ok(())
    })
    .unwrap();
    append(5);
    assert!(tries >= 3, "{tries}");
    assert!(matches!(Keeper::at_rest(&here), Err(StoreError::Locked { .. })));
    verified(&there);
    let (writer, reader, _) = open(&there, options).unwrap();
    assert!(reader.last_id() >= first);
    assert!(number_of_batches(&reader) >= 100);
    assert_eq!(writer.next_event_id(), reader.last_id() + 1);
}

#[test]
fn a_torn_or_changed_backup_is_refused_and_puts_nothing_in_place() {
    let base = tempfile::tempdir().unwrap();
    let (here, there) = (base.path().join("here"), base.path().join("there"));
    let target = base.path().join("target");
    let (writer, reader, keeper) = fill(&here, &[(1, day(0)), (2, day(1))]);
    let all = everything(&reader);
    bergfried_store::backup(&here, &there.join("events"), &GO_ON, || Ok(())).unwrap();
    let refused = |reason: &str| {
        let error = bergfried_store::restore(&there, &target, &GO_ON).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert!(!target.exists() && !base.path().join("target.restoring").exists());
    };
    refused("no whole backup");
    let bundle = bergfried_store::bundle(&there, day(3), &GO_ON).unwrap();
    let ledger = there.join("events/ledger");
    let whole = fs::read(&ledger).unwrap();
    fs::write(&ledger, &whole[1..]).unwrap();
    refused("not what the manifest says");
    fs::remove_file(&ledger).unwrap();
    refused("ledger");
    fs::write(&ledger, &whole).unwrap();
    let list = fs::read_to_string(there.join("backup.json")).unwrap();
    fs::write(there.join("backup.json"), &list[..list.len() - 9]).unwrap();
    refused("checksum");
    let body = list.split_once('\n').unwrap().1.replace("events/ledger", "../escape");
    let sum = blake3::hash(body.as_bytes()).to_hex();
    fs::write(there.join("backup.json"), format!("{sum}\n{body}")).unwrap();
    refused("leads elsewhere");
    fs::write(there.join("backup.json"), &list).unwrap();
    assert_eq!(bergfried_store::restore(&there, &target, &GO_ON).unwrap(), bundle);
    let again = bergfried_store::restore(&there, &target, &GO_ON);
    assert!(again.unwrap_err().to_string().contains("something is there already"));
    assert_eq!(verified(&target.join("events")), all.len() as u64);
    let (_writer, restored, _) = open(&target.join("events"), Options::default()).unwrap();
    assert_eq!(everything(&restored), all);
    drop((writer, reader, keeper));
}
