//! What an input holds is told by its content.

use std::io::Write as _;

use super::*;
use crate::input::MAX_LINE;

fn open(bytes: &[u8]) -> (tempfile::NamedTempFile, Records) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let input = Input::File(file.path().to_owned());
    let records = Records::open(&input, Arc::default(), &Decoders::default()).unwrap();
    (file, records)
}

fn read_all(bytes: &[u8]) -> Vec<String> {
    let (_file, mut records) = open(bytes);
    let mut read = Vec::new();
    while records.advance().unwrap() {
        read.push(String::from_utf8(records.current().bytes.to_vec()).unwrap());
    }
    read
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
}

#[test]
fn plain_and_compressed_lines_are_the_same() {
    let text = b"one\r\n\ntwo \xf0\x9f\x98\x80\nhalf";
    let expected = ["one", "", "two \u{1f600}", "half"];
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(text).unwrap();
    let readable = std::str::from_utf8(text).unwrap();
    for bytes in [
        text.to_vec(),
        gz.finish().unwrap(),
        zstd::encode_all(&text[..], 1).unwrap(),
        xz.finish().unwrap(),
        format!("\u{feff}{readable}").into_bytes(),
        utf16(readable, u16::to_le_bytes),
        utf16(readable, u16::to_be_bytes),
    ] {
        assert_eq!(read_all(&bytes), expected);
    }
    assert!(read_all(b"").is_empty());
}

#[test]
fn every_form_is_told_by_its_start() {
    for (text, expected) in [
        ("{\"a\":1}\n{\"b\":2}\n", vec!["{\"a\":1}", "{\"b\":2}"]),
        ("[{\"a\":1},\n{\"b\":2}]\n", vec!["{\"a\":1}", "{\"b\":2}"]),
        ("[\n  {\n \"a\":1}\n]", vec!["{\n \"a\":1}"]),
        ("{\"Records\":[{\"a\":1},{\"b\":2}]}\n", vec!["{\"a\":1}", "{\"b\":2}"]),
        ("{\"recorded\":[{\"a\":1}]}\n", vec!["{\"recorded\":[{\"a\":1}]}"]),
        ("{\n\"a\": 1\n}\n{\n\"b\": 2\n}\n", vec!["{\n\"a\": 1\n}", "{\n\"b\": 2\n}"]),
        (
            "[    0.000000] Linux version\n[    0.1] x",
            vec!["[    0.000000] Linux version", "[    0.1] x"],
        ),
        ("<34>Oct 11 22:14:15 h su: x\n", vec!["<34>Oct 11 22:14:15 h su: x"]),
        ("<Event><a/></Event>\n<Event></Event>", vec!["<Event><a/></Event>", "<Event></Event>"]),
        ("<?xml version=\"1.0\"?>\n<Events><Event></Event></Events>", vec!["<Event></Event>"]),
    ] {
        assert_eq!(read_all(text.as_bytes()), expected, "{text}");
        assert_eq!(read_all(&utf16(text, u16::to_le_bytes)), expected, "{text}");
    }
}

#[test]
fn long_first_lines_lose_nothing() {
    let line = "x".repeat(10_000);
    assert_eq!(read_all(format!("{line}\n{line}").as_bytes()), [line.clone(), line]);
}

#[test]
fn endless_lines_are_cut() {
    let mut bytes = vec![b'x'; MAX_LINE + 5];
    bytes.extend_from_slice(b"\nnext\n");
    let (_file, mut records) = open(&bytes);
    assert!(records.advance().unwrap());
    assert_eq!((records.current().bytes.len(), records.current().cut), (MAX_LINE, true));
    assert!(records.advance().unwrap());
    assert_eq!((records.current().bytes, records.current().cut), (&b"next"[..], false));
}

#[test]
fn a_broken_archive_is_an_error_not_an_end() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&b"line\n".repeat(100_000)).unwrap();
    let whole = gz.finish().unwrap();
    let (_file, mut records) = open(&whole[..whole.len() / 2]);
    let error = loop {
        match records.advance() {
            Ok(true) => {}
            Ok(false) => panic!("a cut archive ended as if it were whole"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn records_of_audit_are_joined() {
    let record = |kind: &str, serial: u32| format!("type={kind} msg=audit(1.5:{serial}): a=b");
    let lines = [
        record("SYSCALL", 1),
        record("SYSCALL", 2),
        record("CWD", 1),
        record("PROCTITLE", 2),
        "----".to_owned(),
        record("PROCTITLE", 1),
        "type=EXECVE msg=audit(1".to_owned(),
    ];
    let events = [
        [record("SYSCALL", 2), record("PROCTITLE", 2)].join("\n"),
        "----".to_owned(),
        [record("SYSCALL", 1), record("CWD", 1), record("PROCTITLE", 1)].join("\n"),
        "type=EXECVE msg=audit(1".to_owned(),
    ];
    assert_eq!(read_all(lines.join("\n").as_bytes()), events);
    let (_file, mut records) = open(lines.join("\n").as_bytes());
    let mut kinds = Vec::new();
    while records.advance().unwrap() {
        kinds.push(records.current().kind);
    }
    let (audit, file) = (SourceKind::Audit, SourceKind::File);
    assert_eq!(kinds, [audit, file, audit, audit]);
}
