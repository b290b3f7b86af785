//! Real event logs, against what two other parsers read of them, and the same logs damaged.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking, and what it skipped"
)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use bergfried_event::{FieldName, SourceKind, Timestamp, Value};
use bergfried_evtx::{Chunks, MAX_CHUNK_TEXT, Settings};
use bergfried_parse::{Context, parse};
use serde_json::Value as Json;

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/evtx");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is absent", folder.display());
    None
}

fn context() -> Context<'static> {
    Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

/// The value of `System`, which stands first where the event's data have the same name.
fn text(value: Option<&Value<'_>>) -> String {
    match value {
        None => "null".to_owned(),
        Some(Value::List(values)) => text(values.first()),
        Some(value) => value.to_text().into_owned(),
    }
}

#[test]
fn every_log_agrees_with_the_other_parsers() {
    let Some(folder) = folder() else { return };
    let index = std::fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let mut files = 0;
    for line in index.lines() {
        let expected: Json = serde_json::from_str(line).unwrap();
        let name = expected["evtx"].as_str().unwrap();
        let (mut records, mut codes, mut channels) = (0, BTreeMap::new(), BTreeMap::new());
        let file = std::fs::File::open(folder.join(name)).unwrap();
        let mut last = 0;
        for chunk in Chunks::oldest_first(file).unwrap() {
            let decoded = chunk.unwrap().decode(&Settings::default());
            assert_eq!((decoded.lost(), decoded.trouble()), (0, None), "{name}");
            for record in decoded.records() {
                assert!(record.id > last, "{name}: {} after {last}", record.id);
                last = record.id;
                records += 1;
                let event = parse(SourceKind::Json, record.json, &context());
                let field = |name: &'static str| event.get_named(&FieldName::new(name));
                *codes.entry(text(field("EventID"))).or_insert(0) += 1;
                *channels.entry(text(field("Channel"))).or_insert(0) += 1;
                assert_eq!(event.created(), record.created, "{name}");
            }
        }
        files += 1;
        assert_eq!(Json::from(records), expected["records"], "{name}");
        assert_eq!(serde_json::to_value(codes).unwrap(), expected["event_ids"], "{name}");
        assert_eq!(serde_json::to_value(channels).unwrap(), expected["channels"], "{name}");
    }
    assert_eq!(files, 42);
}

/// What the event says, by name: numbers and truth values as text, nothing as the empty text.
fn said(text: &str, kind: SourceKind) -> BTreeMap<String, String> {
    let event = parse(kind, text, &context());
    let field = |(name, value): &(FieldName<'_>, Value<'_>)| {
        (name.as_str().to_owned(), value.to_text().into_owned())
    };
    let mut said: BTreeMap<String, String> = event.fields().iter().map(field).collect();
    // The decoder's JSON calls the second `LogonGuid` of an event `LogonGuid_1`.
    said.retain(|name, _| name != "LogonGuid_1");
    said
}

#[test]
fn xml_and_json_of_a_record_are_the_same_event() {
    let Some(folder) = folder() else { return };
    let mut records = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "evtx") {
            continue;
        }
        let mut xml = evtx::EvtxParser::from_path(&path).unwrap();
        let mut json = evtx::EvtxParser::from_path(&path).unwrap();
        for (xml, json) in xml.records().zip(json.records_json()) {
            let (xml, json) = (xml.unwrap(), json.unwrap());
            let xml = xml.data.strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>").unwrap();
            assert_eq!(
                said(xml.trim(), SourceKind::File),
                said(&json.data, SourceKind::Json),
                "{}: {xml}\n{}",
                path.display(),
                json.data
            );
            records += 1;
        }
    }
    assert!(records > 1000, "{records}");
}

/// A small generator (xorshift), so that a failure can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

#[test]
fn damaged_logs_give_the_rest_and_never_a_panic() {
    let Some(folder) = folder() else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "evtx"));
    files.sort();
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let (mut read, mut lost) = (0, 0);
    for path in files.iter().filter(|path| path.metadata().unwrap().len() < 100_000) {
        let whole = std::fs::read(path).unwrap();
        for round in 0..12 {
            let mut bytes = whole.clone();
            for _ in 0..1 << (round % 8) {
                let at = match dice.roll(3) {
                    // The headers of the file and the chunk, and the first template.
                    0 => dice.roll(128),
                    1 => 4096 + dice.roll(4096),
                    _ => dice.roll(bytes.len()),
                };
                bytes[at] = u8::try_from(dice.roll(256)).unwrap();
            }
            if round % 3 == 0 {
                bytes.truncate(4096 + dice.roll(bytes.len() - 4096));
            }
            let Ok(chunks) = Chunks::oldest_first(Cursor::new(bytes)) else { continue };
            for chunk in chunks {
                let decoded = chunk.unwrap().decode(&Settings::default());
                assert!(!decoded.trouble().unwrap_or_default().contains("panicked"), "{path:?}");
                let size: usize = decoded.records().map(|record| record.json.len()).sum();
                assert!(size <= MAX_CHUNK_TEXT);
                for record in decoded.records() {
                    parse(SourceKind::Json, record.json, &context());
                }
                read += decoded.len();
                lost += decoded.lost();
            }
        }
    }
    assert!(read > 1000 && lost > 100, "{read} read, {lost} lost");
}

#[test]
fn chunks_out_of_order_are_put_in_order() {
    let Some(folder) = folder() else { return };
    let bytes = std::fs::read(folder.join("041_Security_with_size_t.evtx")).unwrap();
    let ids = |chunks: Chunks<Cursor<Vec<u8>>>| -> Vec<u64> {
        chunks
            .flat_map(|chunk| {
                let decoded = chunk.unwrap().decode(&Settings::default());
                decoded.records().map(|record| record.id).collect::<Vec<_>>()
            })
            .collect()
    };
    let expected = ids(Chunks::new(Cursor::new(bytes.clone())).unwrap());
    // As Windows leaves a log that reached its limit: the newest chunk stands before the oldest.
    let (header, chunks) = bytes.split_at(4096);
    let mut turned = header.to_vec();
    turned.extend_from_slice(&chunks[5 * 65_536..]);
    turned.extend_from_slice(&chunks[..5 * 65_536]);
    assert_ne!(ids(Chunks::new(Cursor::new(turned.clone())).unwrap()), expected);
    assert_eq!(ids(Chunks::oldest_first(Cursor::new(turned)).unwrap()), expected);
}

#[test]
fn a_record_that_was_changed_is_told_by_its_chunks_checksum() {
    let Some(folder) = folder() else { return };
    let whole = std::fs::read(folder.join("003_ID4720-Local_user_created.evtx")).unwrap();
    let decoded = |bytes: &[u8]| {
        let chunk = Chunks::new(Cursor::new(bytes.to_vec())).unwrap().next().unwrap();
        let decoded = chunk.unwrap().decode(&Settings::default());
        (decoded.is_altered(), decoded.trouble().map(str::to_owned), decoded.len(), decoded.lost())
    };
    let mut closed = whole;
    let records = decoded(&closed).2;
    assert_eq!(decoded(&closed), (false, None, records, 0));
    // One letter of a text in a record, "hacking-local-acct" in UTF-16.
    let name: Vec<u8> = "hacking".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let at = closed.windows(name.len()).position(|bytes| bytes == name).unwrap();
    closed[at] = b'b';
    let said = "chunk 0: its checksum is not that of its records".to_owned();
    assert_eq!(decoded(&closed), (true, Some(said), records, 0));
    let mut open = closed.clone();
    open[120] = 1;
    assert_eq!(decoded(&open), (false, None, records, 0), "the checksums of an open log are stale");
    let text = Chunks::new(Cursor::new(closed)).unwrap().next().unwrap().unwrap();
    let text = text.decode(&Settings::default());
    assert!(text.records().any(|record| record.json.contains("backing-local-acct")));
}

#[test]
fn records_behind_the_end_of_a_torn_log_are_counted() {
    let Some(folder) = folder() else { return };
    let whole = std::fs::read(folder.join("002_ID104-1102-Event_log_cleared.evtx")).unwrap();
    let mut before = 0;
    for held in [600, 5_000, 20_000, 30_000, 65_535] {
        let torn = whole[..4096 + held].to_vec();
        let chunk = Chunks::new(Cursor::new(torn)).unwrap().next().unwrap().unwrap();
        let decoded = chunk.decode(&Settings::default());
        assert!(decoded.len() >= before, "{held}");
        before = decoded.len();
        assert_eq!(decoded.len() as u64 + decoded.lost(), 91, "{held}: {:?}", decoded.trouble());
        assert_eq!(decoded.trouble().is_some(), decoded.lost() > 0, "{held}");
    }
    assert_eq!(before, 91, "space that no record uses may be missing");
}

#[test]
fn what_is_no_event_log_is_refused() {
    for bytes in [&b""[..], b"ElfFile", b"{\"EventID\":1}"] {
        assert!(Chunks::new(Cursor::new(bytes)).is_err());
    }
    assert_eq!(Chunks::new(Cursor::new(b"ElfFile\0")).unwrap().count(), 0);
}
