//! Pipelines over a few events where everyone can count.

use bergfried_event::{Event, Field, Timestamp, Value};
use bergfried_query::pipeline::parse;
use bergfried_store::{BatchId, Limits, NewBatch, Options, Reader, open};

use super::write::{Cell, Format, Shown, write, write_events};
use super::{Answer, QueryError, answer};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_040);

fn event(second: i64, user: &str, host: &str, port: i64, action: &str) -> Event<'static> {
    let created = NOW.plus_micros(second * Timestamp::SECOND);
    let mut event = Event::new(created, format!("{user}@{host} {action}"));
    event.set(Field::Message, format!("{action} by {user}"));
    event.set(Field::UserName, user.to_owned());
    event.set(Field::HostName, host.to_owned());
    event.set(Field::SourcePort, port);
    event.set(Field::EventAction, action.to_owned());
    event
}

fn store(events: Vec<Event<'static>>) -> (tempfile::TempDir, Reader) {
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, reader, _) = open(directory.path(), Options::default()).unwrap();
    let batch = NewBatch { id: BatchId([1; 16]), ingested: NOW, events, findings: [].into() };
    writer.append(vec![batch]).unwrap();
    (directory, reader)
}

fn some() -> Vec<Event<'static>> {
    vec![
        event(0, "root", "web", 22, "login"),
        event(1, "root", "web", 40, "login"),
        event(2, "root", "db", 9, "sudo"),
        event(61, "bob", "web", 100, "login"),
        event(62, "=bob", "db", 7, "sudo"),
    ]
}

fn ask(reader: &Reader, text: &str) -> Result<Answer, QueryError> {
    let pipeline = parse(text, NOW).unwrap_or_else(|error| panic!("{}", error.render(text)));
    answer(reader, &pipeline, (Timestamp::MIN, Timestamp::MAX), &Limits::default())
}

fn lines(answer: &Answer) -> Vec<String> {
    let line = |row: &Vec<Value<'static>>| {
        let cells = answer.columns.iter().zip(row).map(|(column, value)| {
            let json = serde_json::to_value(Cell(column.kind, value)).unwrap();
            json.as_str().map_or_else(|| json.to_string(), str::to_owned)
        });
        cells.collect::<Vec<_>>().join(" ")
    };
    answer.rows.iter().map(line).collect()
}

#[test]
fn steps_make_tables() {
    let (_directory, reader) = store(some());
    for (text, columns, rows) in [
        ("* | top user", "user.name count", vec!["root 3", "=bob 1", "bob 1"]),
        ("* | top 1 user", "user.name count", vec!["root 3"]),
        ("* | rare 2 user", "user.name count", vec!["=bob 1", "bob 1"]),
        ("* | top 2 user, host", "user.name host.name count", vec!["root web 2", "=bob db 1"]),
        ("login | count", "count", vec!["3"]),
        ("nothing | count", "count", vec!["0"]),
        ("nothing | count by user", "user.name count", vec![]),
        ("* | count by host", "host.name count", vec!["web 3", "db 2"]),
        ("* | count by host | sort host", "host.name count", vec!["db 2", "web 3"]),
        ("* | count by host | sort -count | head 1", "host.name count", vec!["web 3"]),
        ("* | top 2 user | sort user", "user.name count", vec!["=bob 1", "root 3"]),
        ("* | count by user | head 2 | sort -user | fields count", "count", vec!["3", "1"]),
        (
            "* | timechart 1m",
            "time count",
            vec!["2023-11-14T22:14:00Z 3", "2023-11-14T22:15:00Z 2"],
        ),
        (
            "* | timechart 1m by action | fields action, count",
            "event.action count",
            vec!["login 2", "sudo 1", "login 1", "sudo 1"],
        ),
        (
            "* | stats count, distinct(host), sum(source.port), p50(source.port) by user",
            "user.name count distinct(host.name) sum(source.port) p50(source.port)",
            vec!["=bob 1 1 7 7", "bob 1 1 100 100", "root 3 2 71 22"],
        ),
        (
            "* | fields user, source.port | head 2",
            "user.name source.port",
            vec!["=bob 7", "bob 100"],
        ),
        (
            "* | sort source.port | fields source.port",
            "source.port",
            vec!["7", "9", "22", "40", "100"],
        ),
        ("* | fields user | sort -user | head 1", "user.name", vec!["root"]),
        (
            "sudo | head 1",
            "@timestamp host.name process.name message",
            vec!["2023-11-14T22:15:02Z db null sudo by =bob"],
        ),
    ] {
        let answer = ask(&reader, text).unwrap();
        let named: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(named.join(" "), columns, "{text}");
        assert_eq!(lines(&answer), rows, "{text}");
        assert!(!answer.more, "{text}");
    }
}

#[test]
fn rare_values_of_a_chart_are_counted_together() {
    let mut events = Vec::new();
    for user in 0..14_i64 {
        for again in 0..=user {
            events.push(event(again * 60, &format!("user{user:02}"), "web", 1, "login"));
        }
    }
    let total = events.len() as i64;
    let (_directory, reader) = store(events);
    let answer = ask(&reader, "* | timechart 1h by user").unwrap();
    let count = |row: &Vec<Value<'_>>| row.last().and_then(Value::as_int).unwrap();
    let rest = answer.rows.iter().filter(|row| row.get(1) == Some(&Value::Null));
    assert_eq!(rest.map(count).sum::<i64>(), 1 + 2 + 3 + 4);
    assert_eq!(answer.rows.iter().map(count).sum::<i64>(), total);
    assert_eq!(answer.rows.len(), 11);
}

#[test]
fn what_cannot_be_sorted_whole_is_not_sorted() {
    let events = (0..10_001).map(|n| event(n, "root", "web", n, "login")).collect();
    let (_directory, reader) = store(events);
    let refused = ask(&reader, "* | sort source.port").unwrap_err().to_string();
    assert!(refused.contains("more than 10000 events"), "{refused}");
    let latest = ask(&reader, "* | head 2 | sort source.port | fields source.port").unwrap();
    assert_eq!(lines(&latest), ["9999", "10000"]);
    let all = ask(&reader, "* | fields source.port").unwrap();
    assert!(all.more && all.rows.len() == 10_000);
    let many = ask(&reader, "* | count by source.port").unwrap();
    assert!(many.more && many.rows.len() == 10_000);
}

#[test]
fn large_events_that_are_left_out_are_told_of() {
    let large = |n| {
        let mut event = event(n, "root", "web", n, "login");
        event.set(Field::Message, "x".repeat(64 << 10));
        event
    };
    let (_directory, reader) = store((0..100).map(large).collect());
    let limits = Limits { memory: 2 << 20, ..Limits::default() };
    let ask = |text: &str| {
        let pipeline = parse(text, NOW).unwrap();
        answer(&reader, &pipeline, (Timestamp::MIN, Timestamp::MAX), &limits)
    };
    let latest = ask("* | head 90 | fields source.port").unwrap();
    assert!(latest.more && latest.rows.len() < 90, "{}", latest.rows.len());
    let refused = ask("* | head 90 | sort source.port").unwrap_err().to_string();
    assert!(refused.contains("narrow"), "{refused}");
    assert!(!ask("* | head 5 | sort source.port").unwrap().more);
}

#[test]
fn answers_are_written_as_files() {
    let (_directory, reader) = store(some());
    let answer = ask(&reader, "* | count by user | sort user").unwrap();
    let text = |format| {
        let mut out = Vec::new();
        write(&answer, format, &mut out).unwrap();
        out
    };
    let csv = String::from_utf8(text(Format::Csv)).unwrap();
    assert_eq!(csv, "user.name,count\r\n'=bob,1\r\nbob,1\r\nroot,3\r\n");
    let json: serde_json::Value = serde_json::from_slice(&text(Format::Json)).unwrap();
    assert_eq!(json[0], serde_json::json!({"user.name": "=bob", "count": 1}));
    assert_eq!(String::from_utf8(text(Format::Ndjson)).unwrap().lines().count(), 3);
    assert!(text(Format::Parquet).starts_with(b"PAR1"));
    let nothing = ask(&reader, "nothing | count by user").unwrap();
    let mut out = Vec::new();
    write(&nothing, Format::Json, &mut out).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), serde_json::json!([]));
}

#[test]
fn events_are_written_as_files() {
    let (_directory, reader) = store(some());
    let pipeline = |steps: &str| parse(&format!("host:db {steps}"), NOW).unwrap();
    let text = |format, steps: &str| {
        let pipeline = pipeline(steps);
        let shown = Shown::of(&pipeline.steps).unwrap();
        let times = (Timestamp::MIN, Timestamp::MAX);
        let mut out = Vec::new();
        write_events(&reader, &pipeline.predicate, times, (shown, format), &mut out).unwrap();
        out
    };
    let csv = String::from_utf8(text(Format::Csv, "")).unwrap();
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("@timestamp,event.id,host.name,"));
    assert!(
        lines.any(|line| line.starts_with("2023-11-14T22:15:02Z,5,db,,sudo,,'=bob,,7,")),
        "{csv}"
    );
    let json: serde_json::Value = serde_json::from_slice(&text(Format::Json, "")).unwrap();
    assert_eq!(json[0]["user.name"], "root");
    let picked = String::from_utf8(text(Format::Ndjson, "| fields user.name")).unwrap();
    assert_eq!(picked, "{\"user.name\":\"root\"}\n{\"user.name\":\"=bob\"}\n");
    assert!(text(Format::Parquet, "").ends_with(b"PAR1"));
    assert_eq!(Shown::of(&pipeline("| count by user").steps), None, "that is a table");
}
