//! A segment is plain Parquet: a reader that knows nothing of this program finds the events in it.

#![allow(clippy::unwrap_used, reason = "the helpers of a test fail as tests do")]

mod sample;

use std::fs::{self, File};

use bergfried_event::{Field, Timestamp, Value};
use bergfried_store::{NewBatch, Options, open};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use sample::{T0, batch_events, batch_id};

#[test]
fn the_record_reader_of_the_parquet_crate_finds_every_event() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { segment_events: 1, sync: false, ..Options::default() };
    let (mut writer, reader, _) = open(directory.path(), options).unwrap();
    let mut lines = Vec::new();
    for number in 0..3 {
        let mut events = batch_events(number);
        for event in &mut events {
            event.set(Field::SourcePort, 22);
            event.set(Field::EventCategory, Value::List(vec!["iam".into(), "session".into()]));
            event.set(Field::GroupName, "wheel");
            lines.push(event.text(Field::Message).unwrap().to_owned());
        }
        let ingested = Timestamp::from_micros(T0);
        let id = batch_id(number);
        writer.append(vec![NewBatch { id, ingested, events, findings: [].into() }]).unwrap();
    }
    // One more makes the third roll; the roll after that would wait for it.
    let events = batch_events(3);
    let ingested = Timestamp::from_micros(T0);
    let id = batch_id(3);
    writer.append(vec![NewBatch { id, ingested, events, findings: [].into() }]).unwrap();
    while reader.stats().segments < 3 {
        writer.tick(Timestamp::from_micros(T0)).unwrap();
        std::thread::yield_now();
    }
    let mut found = Vec::new();
    let days = fs::read_dir(directory.path().join("segments")).unwrap();
    for file in days.flat_map(|day| fs::read_dir(day.unwrap().path()).unwrap()) {
        let path = file.unwrap().path();
        if path.extension().unwrap() != "parquet" {
            continue;
        }
        let file = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        let schema = file.metadata().file_metadata().schema_descr();
        let column =
            |name: &str| schema.columns().iter().position(|column| column.name() == name).unwrap();
        for row in file.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let id = row.get_long(column("event.id")).unwrap();
            let message = row.get_string(column("message")).unwrap().clone();
            if id <= lines.len() as i64 {
                assert_eq!(row.get_long(column("source.port")).unwrap(), 22);
                let category = row.get_string(column("event.category")).unwrap();
                assert_eq!(category, r#"["iam","session"]"#);
                let fields = row.get_string(column("fields")).unwrap();
                assert_eq!(fields, r#"{"group.name":"wheel"}"#);
                assert_eq!(row.get_string(column("host.name")).unwrap(), "host");
                assert!(row.get_timestamp_micros(column("@timestamp")).unwrap() >= T0);
                found.push((id, message));
            }
        }
    }
    found.sort();
    let found: Vec<String> = found.into_iter().map(|(_, message)| message).collect();
    assert_eq!(found, lines);
}
