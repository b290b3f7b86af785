//! Figures by groups, on a few events where everyone can count them.

#![allow(clippy::unwrap_used, reason = "the helpers of a test fail as tests do")]

use bergfried_event::{Event, Field, Timestamp, Value};
use bergfried_query::Predicate;
use bergfried_store::{
    Aggregation, BatchId, Figure, Key, Limits, NewBatch, Options, Reader, Sort, StoreError, Table,
    open,
};

const MINUTE: i64 = 60 * Timestamp::SECOND;

fn event(second: i64, user: Value<'static>, host: &'static str, pid: i64) -> Event<'static> {
    let mut event = Event::new(Timestamp::from_seconds(second), "line");
    event.set(Field::UserName, user);
    event.set(Field::HostName, host);
    event.set(Field::ProcessPid, pid);
    event
}

fn store() -> (tempfile::TempDir, Reader) {
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(directory.path(), Options::default()).unwrap();
    let both = Value::List(vec!["anna".into(), "bert".into(), "anna".into()]);
    let events = vec![
        event(0, "anna".into(), "web", 4),
        event(30, "anna".into(), "db", 4),
        event(60, "bert".into(), "web", 7),
        event(61, both, "web", 10),
        event(62, Value::Null, "web", 1000),
    ];
    let ingested = Timestamp::from_seconds(100);
    let batch = NewBatch { id: BatchId([1; 16]), ingested, events, findings: [].into() };
    writer.append(vec![batch]).unwrap();
    (directory, reader)
}

fn all(by: &[Key], figures: &[Figure], order: &[Sort], limit: usize) -> Aggregation {
    Aggregation {
        predicate: Predicate::Constant(true),
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        by: by.to_vec(),
        figures: figures.to_vec(),
        order: order.to_vec(),
        limit,
    }
}

fn text(table: &Table) -> Vec<String> {
    let line = |row: &Vec<Value<'_>>| {
        row.iter().map(|value| value.to_text().into_owned()).collect::<Vec<_>>().join(" ")
    };
    table.rows.iter().map(line).collect()
}

#[test]
fn events_are_counted_in_the_groups_of_each_of_their_values() {
    let (_directory, reader) = store();
    let by = |field: Field| Key::Field(field.into());
    let most = Sort { column: 2, descending: true };
    let wanted = all(&[by(Field::UserName), by(Field::HostName)], &[Figure::Count], &[most], 2);
    let table = reader.aggregate(&wanted, &Limits::default()).unwrap();
    assert_eq!(text(&table), ["anna web 2", "bert web 2"]);
    assert!(table.more);
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["user.name", "host.name", "count"]);
    let wanted = all(&[Key::Time(MINUTE), by(Field::UserName)], &[Figure::Count], &[], 10);
    let table = reader.aggregate(&wanted, &Limits::default()).unwrap();
    assert_eq!(text(&table), ["0 anna 2", "60000000 anna 1", "60000000 bert 2"]);
    assert!(!table.more);
}

#[test]
fn every_figure_over_all_events() {
    let (_directory, reader) = store();
    let pid = || Field::ProcessPid.into();
    let figures = [
        Figure::Count,
        Figure::Distinct(pid()),
        Figure::Sum(pid()),
        Figure::Avg(pid()),
        Figure::Min(pid()),
        Figure::Max(Field::Timestamp.into()),
        Figure::Percentile(pid(), 0.5),
        Figure::Percentile(pid(), 0.95),
        Figure::Sum(Field::HostName.into()),
    ];
    let table = reader.aggregate(&all(&[], &figures, &[], 10), &Limits::default()).unwrap();
    assert_eq!(text(&table), ["5 4 1025 205 4 62000000 7 1000 "]);
    assert_eq!(table.columns[7].name, "p95(process.pid)");
}

#[test]
fn limits_hold() {
    let (_directory, reader) = store();
    let by = [Key::Field(Field::UserName.into())];
    let small = Limits { memory: 3, ..Limits::default() };
    let refused = reader.aggregate(&all(&by, &[Figure::Count], &[], 10), &small);
    assert!(matches!(refused, Err(StoreError::TooMuch { .. })), "{refused:?}");
    let stopped = Limits::default();
    stopped.stop.set();
    let refused = reader.aggregate(&all(&by, &[Figure::Count], &[], 10), &stopped);
    assert!(matches!(refused, Err(StoreError::Cancelled)), "{refused:?}");
    let other = Aggregation { to: Timestamp::from_seconds(1), ..all(&by, &[], &[], 10) };
    let refused = reader.aggregate_all(&[all(&by, &[], &[], 10), other], &Limits::default());
    assert!(matches!(refused, Err(StoreError::Aggregation(_))), "{refused:?}");
    assert!(reader.aggregate_all(&[], &Limits::default()).unwrap().is_empty());
    let senseless = all(&[Key::Time(0)], &[Figure::Count], &[], 10);
    let refused = reader.aggregate(&senseless, &Limits::default());
    assert!(matches!(refused, Err(StoreError::Aggregation(_))), "{refused:?}");
}
