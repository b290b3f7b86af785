//! What is written reads back with a reader that knows nothing of this program.

use bergfried_event::Event;
use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Row;

use super::*;

/// Every row as its cells that are not null.
fn read(bytes: Vec<u8>) -> Vec<String> {
    let file = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let rows = file.get_row_iter(None).unwrap().map(Result::unwrap);
    let cells = |row: Row| {
        let cells = row.get_column_iter().map(|(name, cell)| (name, cell.to_string()));
        let there = cells.filter(|(_, cell)| cell != "null");
        there.map(|(name, cell)| format!("{name}={cell}")).collect::<Vec<_>>().join(" ")
    };
    rows.map(cells).collect()
}

#[test]
fn rows_of_every_kind_read_back() {
    let columns = [
        ("user", Kind::Text),
        ("n", Kind::Int),
        ("n", Kind::Float),
        ("yes", Kind::Bool),
        ("at", Kind::Time),
    ];
    let mut file = ParquetFile::new(Vec::new(), columns).unwrap();
    let list = Value::List(vec!["a".into(), "b".into()]);
    file.push(&["root".into(), 7.into(), 2.into(), Value::Bool(true), 0.into()]).unwrap();
    file.push(&[list, Value::Null, Value::Float(0.5)]).unwrap();
    file.push(&[]).unwrap();
    let time = Value::from("1970-01-01T00:00:01Z");
    file.push(&[9.into(), Value::Null, Value::Null, Value::Null, time]).unwrap();
    let rows = read(file.finish().unwrap());
    assert_eq!(rows.len(), 4);
    let first = r#"user="root" n=7 n_2=2.0 yes=true at=1970-01-01 00:00:00.000000 +00:00"#;
    assert_eq!(rows[0], first);
    assert_eq!((rows[1].contains("n_2=0.5"), rows[2].as_str()), (true, ""));
    assert_eq!(rows[3], r#"user="9" at=1970-01-01 00:00:01.000000 +00:00"#);
}

#[test]
fn a_value_of_another_kind_is_refused() {
    let mut file = ParquetFile::new(Vec::new(), [("n", Kind::Int)]).unwrap();
    let error = file.push(&["seven".into()]).unwrap_err().to_string();
    assert!(error.contains("column n is given a value of another kind"), "{error}");
}

#[test]
fn events_have_their_fields_in_columns_and_the_rest_as_json() {
    let mut event = Event::new(Timestamp::from_seconds(5), "raw \u{202e}<img>");
    event.set(Field::HostName, "web");
    event.set(Field::SourcePort, 22);
    event.set(Field::EventCategory, Value::List(vec!["iam".into()]));
    event.set(Field::UserName, "[odd");
    event.set_named(FieldName::new("odd.one"), Value::Float(1.5));
    let mut file = EventFile::new(Vec::new()).unwrap();
    let stored = StoredEvent { id: 3, ingested: Timestamp::from_seconds(6), event };
    file.push(&stored).unwrap();
    let rows = read(file.finish().unwrap());
    let row = &rows[0];
    for part in [
        "event.id=3",
        r#"host.name="web""#,
        "source.port=22",
        r#"event.category="["iam"]""#,
        "event.original=\"raw \u{202e}<img>\"",
        r#"fields="{"user.name":"[odd","odd.one":1.5}""#,
        "event.ingested=1970-01-01 00:00:06",
    ] {
        assert!(row.contains(part), "{part} is not in {row}");
    }
}

#[test]
fn many_rows_are_several_row_groups() {
    let mut file = ParquetFile::new(Vec::new(), [("n", Kind::Int)]).unwrap();
    for number in 0..(ROW_GROUP as i64 + 10) {
        file.push(&[number.into()]).unwrap();
    }
    let bytes = file.finish().unwrap();
    let file = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    assert_eq!(file.metadata().num_row_groups(), 2);
    assert_eq!(file.metadata().file_metadata().num_rows(), ROW_GROUP as i64 + 10);
}
